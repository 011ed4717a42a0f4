#!/usr/bin/env bash
# Starts dockerd where no init system does and waits until it answers. Prints its pid, or nothing where an engine answers
# already: who started none has none to stop.
set -euo pipefail
if docker info >/dev/null 2>&1; then exit 0; fi
log=/var/log/dockerd.log
rm -f /var/run/docker.pid # left behind by a daemon that was killed
setsid dockerd >"$log" 2>&1 </dev/null &
for _ in $(seq 150); do
    if docker info >/dev/null 2>&1; then
        cat /var/run/docker.pid
        exit 0
    fi
    sleep 0.2
done
printf 'gaplab: dockerd did not answer within 30 s: %s\n%s\n%s\n' "$(tail -n 1 "$log")" \
    "Without an engine no image can be built and no container started." \
    "Read $log; it needs root and a kernel with namespaces." >&2
exit 1

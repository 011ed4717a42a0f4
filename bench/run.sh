#!/usr/bin/env bash
# make bench, or bench/run.sh [NAME…] [--pairs N] [--json]: how fast Gaplab is, each figure beside its peers.
# Without a name: all but cold, which makes everything anew from a clone and takes a quarter of an hour,
# foundations, which holds our labs against a checkout of the book's replication (--peer DIR), and containers, which needs
# a Docker engine.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE # readers have byte code; imports take twice as long without
export OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1

names=()
while [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; do
    names+=("$1")
    shift
done
[ ${#names[@]} -gt 0 ] || names=(command start recording page memory)

for name in "${names[@]}"; do
    [ -f "bench/$name.py" ] || {
        echo "bench: there is no bench '$name'. It may be command, start, recording, page, memory, cold, foundations or containers." >&2
        exit 2
    }
    .venv/bin/python -m "bench.$name" "$@"
done

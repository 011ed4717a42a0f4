#!/usr/bin/env bash
# Docker Engine on a bare Debian. Bookworm's own (20.10) is too old for compose's start_interval and for bake, so there engine,
# client, compose and buildx come from the next release, and nothing else does.
set -euo pipefail
if docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 && command -v dockerd >/dev/null; then exit 0; fi

packages="docker.io docker-cli docker-compose docker-buildx containerd"
if grep -q '^VERSION_CODENAME=bookworm' /etc/os-release; then
    next=trixie
    # same mirror, same keyring
    sed '/^#/d; /^$/q; s/^Suites:.*/Suites: '$next'/' /etc/apt/sources.list.d/debian.sources \
        >/etc/apt/sources.list.d/$next.sources
    # -1 for all the rest: else the next apt-get install takes that release's libc
    cat >/etc/apt/preferences.d/$next <<END
Package: *
Pin: release n=$next
Pin-Priority: -1

Package: $packages
Pin: release n=$next
Pin-Priority: 600
END
fi
apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends $packages runc iptables debootstrap >/dev/null

#!/usr/bin/env bash
# Debian's image registry for the tests of `gaplab share`. Unpacked, not installed: its service would listen on every address.
set -euo pipefail
if command -v docker-registry >/dev/null; then exit 0; fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get update -qq
apt-get download -qq docker-registry
dpkg-deb -x docker-registry_*.deb .
install usr/bin/docker-registry /usr/local/bin/

#!/bin/sh
# Whose checkout this is, for compose: the container then writes as that user. Not for root, who must not be the user in there.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" != 0 ] || exit 0
touch .env
{ grep -v '^LAB_[UG]ID=' .env || true; } >.env.new
printf 'LAB_UID=%s\nLAB_GID=%s\n' "$(id -u)" "$(id -g)" >>.env.new
mv .env.new .env

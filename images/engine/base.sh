#!/usr/bin/env bash
# Makes the base image under the name given, from Debian's packages, where no image registry can be reached. Elsewhere it is
# not needed: the Dockerfile names the image and its digest.
set -euo pipefail
name=$1
if docker image inspect "$name" >/dev/null 2>&1; then exit 0; fi
root=$(mktemp -d)
trap 'rm -rf "$root" "$root.log"' EXIT
debootstrap --variant=minbase bookworm "$root" >"$root.log" || {
    tail -n 5 "$root.log" >&2
    exit 1
}
# as in Debian's own slim image: no manuals, and none with later packages; licenses stay
cat >"$root/etc/dpkg/dpkg.cfg.d/slim" <<END
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/locale/*
END
find "$root/usr/share/doc" -mindepth 2 ! -name copyright -delete
rm -rf "$root"/usr/share/{man,info,lintian,locale}/*
# debootstrap copies the host's name and resolver; logs and caches differ from run to run
rm -rf "$root"/etc/{hostname,resolv.conf,machine-id} "$root"/etc/*- "$root"/dev/* "$root"/var/log/* \
    "$root"/var/cache/apt/archives/*.deb "$root"/var/cache/ldconfig/aux-cache "$root"/var/lib/apt/lists/* \
    "$root"/var/lib/dpkg/*-old
tar -C "$root" --sort=name --mtime=@0 --numeric-owner -c . |
    docker import --change 'CMD ["bash"]' - "$name" >/dev/null

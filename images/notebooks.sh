#!/bin/sh
# The Jupyter server of a stack. Its token is in the file that JUPYTER_TOKEN_FILE names: with an empty one Jupyter would
# let everybody in, so then it is not started.
set -eu
export JUPYTER_TOKEN_FILE="${JUPYTER_TOKEN_FILE:-/run/secrets/jupyter/token}"
[ -s "$JUPYTER_TOKEN_FILE" ] || {
    echo "notebooks: $JUPYTER_TOKEN_FILE is empty or missing, and Jupyter without a token is not started" >&2
    exit 1
}
settle
unset JUPYTER_TOKEN # it would win over the file
exec /opt/jupyter/bin/python -m jupyterlab --no-browser --ServerApp.ip=0.0.0.0 --ServerApp.port=8888 \
    --ServerApp.port_retries=0 --ServerApp.root_dir=/gaplab/labs \
    --ServerApp.allow_remote_access=False --ServerApp.local_hostnames=localhost \
    --MappingKernelManager.cull_idle_timeout=3600 \
    --KernelSpecManager.allowed_kernelspecs="$(basename /usr/local/share/jupyter/kernels/*)" \
    --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.news_url=None --LabApp.extension_manager=readonly

#!/bin/sh
# Tells the command that the image's stack is the venv of that stack, so that `gaplab run` starts trials in it.
set -eu
mkdir -p "$GAPLAB_HOME/stacks"
digest=$(sha256sum /opt/stack/lock | cut -c 1-12)
ln -sfn /opt/venv "$GAPLAB_HOME/stacks/$1-$digest"

#!/bin/sh
# code-server over the checkout in /gaplab. Its password is in the file that PASSWORD_FILE names; without one it is not started.
set -eu
PASSWORD=""
if [ -s "${PASSWORD_FILE:=/run/secrets/editor/password}" ]; then PASSWORD=$(cat "$PASSWORD_FILE"); fi
[ -n "$PASSWORD" ] || {
    echo "editor: $PASSWORD_FILE is empty or missing, and an editor without a password is not started" >&2
    exit 1
}
export PASSWORD
unset HASHED_PASSWORD CODE_SERVER_HOST CODE_SERVER_CONFIG VSCODE_OPTIONS PORT # they would win over what is said here
user=$HOME/.local/share/code-server/User
mkdir -p "$user"
[ -e "$user/settings.json" ] || cp /opt/editor/settings.json "$user/settings.json"
settle
exec /opt/editor/node /opt/editor/node_modules/code-server --config /opt/editor/config.yaml /gaplab

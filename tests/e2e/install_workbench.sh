#!/bin/sh
# Installs a VS Code workbench that runs without a display, for the end-to-end tests: code-server (VS Code's own front end and
# extension host) from npm into DIR. Nothing outside DIR is touched.
#
# The packages' own install scripts are off, because they download from elsewhere: what they would do is done by hand below.
set -eu
DIR=${1:?usage: install_workbench.sh DIR}
command -v npm >/dev/null || { echo "The end-to-end tests need Node.js 20 with npm: install them (on Debian: apt-get install nodejs npm)" >&2; exit 1; }
NODE_MAJOR=$(node -p 'process.versions.node.split(".")[0]')
[ "$NODE_MAJOR" = 20 ] || { echo "VS Code 1.100 runs on Node.js 20, not on $(node --version): put a Node.js 20 first on PATH" >&2; exit 1; }

mkdir -p "$DIR"
cd "$DIR"
# argon2 is loaded at start even without a password; 0.44 ships built binaries
cat > package.json <<'JSON'
{"name": "workbench", "private": true, "version": "0.0.0", "overrides": {"argon2": "0.44.0"}}
JSON
QUIET="--no-audit --no-fund --loglevel=error"
npm install $QUIET --ignore-scripts code-server@4.100.3 @vscode/ripgrep-linux-x64@1.18.0
cd node_modules/code-server/lib/vscode
npm install $QUIET --ignore-scripts --omit=dev # not npm ci: the lock file that comes with it lacks tslib
mkdir -p node_modules/@vscode/ripgrep/bin
ln -sfn "$(cd ../../../@vscode/ripgrep-linux-x64/bin && pwd)/rg" node_modules/@vscode/ripgrep/bin/rg
# the Output panel is written by spdlog, a native module; PREFIX/include/node comes with Node.js
PREFIX=$(dirname "$(dirname "$(node -p process.execPath)")")
npm_config_nodedir=$PREFIX npm rebuild $QUIET @vscode/spdlog

#!/bin/sh
# Packs the extension with the server's wheel into FILE. The same sources give the same bytes: every time in the archives is that
# of the last commit.
set -eu
FILE=${1:?usage: package.sh FILE}
cd "$(dirname "$0")/.."
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 1577836800)
export SOURCE_DATE_EPOCH
rm -rf wheels
(cd .. && "${BIN:-.venv/bin}/hatchling" build -t wheel -d vscode-extension/wheels >/dev/null)
node scripts/build.mjs
mkdir -p "$(dirname "$FILE")"
npx vsce package --no-dependencies --allow-missing-repository --out "$FILE" >/dev/null
echo "$FILE"

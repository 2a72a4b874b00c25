#!/bin/sh
# Installs the tools of this project, pinned, into ${BELLWETHER_TOOLS:-.tools}/javascript. Does nothing when they are there.
# Prints nothing but errors, so that other scripts may call it each time.
set -eu
cd "$(dirname "$0")"

pins="componentize-qjs@0.4.5 esbuild@0.28.2 typescript@7.0.2 @types/node@20.19.43"
tools="${BELLWETHER_TOOLS:-.tools}/javascript"

if [ -f "$tools/installed" ] && [ "$(cat "$tools/installed")" = "$pins" ]; then
    exit 0
fi
command -v node >/dev/null || { echo "setup: node is missing: install Node.js 20 or newer" >&2; exit 1; }
command -v npm >/dev/null || { echo "setup: npm is missing: it comes with Node.js, on Debian as the package npm" >&2; exit 1; }
major="$(node -p 'process.versions.node.split(".")[0]')"
[ "$major" -ge 20 ] || { echo "setup: this is Node.js $major: install 20 or newer" >&2; exit 1; }

mkdir -p "$tools"
echo '{ "private": true }' >"$tools/package.json"
# shellcheck disable=SC2086 # The pins are words.
npm install --prefix "$tools" --save-exact --ignore-scripts --no-audit --no-fund --loglevel=error $pins >&2 ||
    { echo "setup: npm could not install $pins" >&2; exit 1; }
echo "$pins" >"$tools/installed"

#!/bin/sh
# Leaves the component in build/plugin.wasm. `bellwether plugin build` runs this; so can you.
set -eu
cd "$(dirname "$0")"
. ./where.sh
exec node "$sdk/build/build.mjs" --tools "$tools" --wit "$wit"

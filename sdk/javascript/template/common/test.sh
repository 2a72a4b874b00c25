#!/bin/sh
# Checks the types and runs the unit tests in test/, natively: no WebAssembly, no host.
set -eu
cd "$(dirname "$0")"
. ./where.sh
exec node "$sdk/build/test.mjs" --tools "$tools" "$@"

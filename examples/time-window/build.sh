#!/bin/sh
# Compiles the plugin to build/plugin.wasm, a core module, and lays the adapter beside it that answers what Go's runtime asks
# of WASI. `bellwether plugin build` runs this and makes a component of both.
set -eu
cd "$(dirname "$0")"
sdk=bellwether
[ -d "$sdk" ] || sdk=../../sdk/go/bellwether
if [ ! -f "$sdk/adapter.wat" ]; then
    echo "build.sh: the SDK is neither at bellwether/ nor at ../../sdk/go/bellwether" >&2
    exit 1
fi
go=$(sh ./setup.sh)
# No other compiler is fetched, and compiled packages stay with the tools.
GOTOOLCHAIN=local
GOCACHE=${GOCACHE:-$(dirname "$go")/../../cache}
export GOTOOLCHAIN GOCACHE
mkdir -p build
GOOS=wasip1 GOARCH=wasm "$go" build -buildmode=c-shared -buildvcs=false -trimpath -ldflags='-s -w' -o build/plugin.wasm .
cp "$sdk/adapter.wat" build/adapter.wat

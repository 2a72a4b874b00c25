#!/bin/sh
# Compiles a plugin and this library into a core module without a single WASI import.
#
#     sh compile.sh TOOLS WORLD OUTPUT SOURCE...
#
# TOOLS is the folder setup.sh fills, WORLD the plugin's world in wit/: drift-test, drift-detector, alert-handler,
# deployment-strategy, model or guest-model.
set -eu

tools=$1 world=$2 output=$3
shift 3
sdk=$(dirname "$0")
name=$(printf %s "$world" | tr - _)
if [ ! -f "$sdk/wasm/$name.c" ]; then
    echo "compile.sh: there is no world \`$world\`" >&2
    exit 1
fi
mkdir -p "$(dirname "$output")"
# zig builds its C library once, here.
ZIG_GLOBAL_CACHE_DIR=$(cd "$tools" && pwd)/cache
ZIG_LOCAL_CACHE_DIR=$ZIG_GLOBAL_CACHE_DIR
export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
# A stack of one megabyte: zig's own 16 would be the whole memory of a small plugin.
"$tools/ziglang/zig" cc -target wasm32-wasi -mexec-model=reactor -std=c11 -Os -s -flto -Wl,-z,stack-size=1048576 \
    -I "$sdk/.." -o "$output" "$@" "$sdk"/*.c "$sdk/wasm/runtime.c" "$sdk/wasm/$name.c" "$sdk/bindings/$world/world.c"

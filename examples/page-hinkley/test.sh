#!/bin/sh
# Compiles the plugin with the system's compiler, sanitizers where it has them, and runs tests/test.c. No WebAssembly.
set -eu
cd "$(dirname "$0")"

sdk=bellwether
[ -d "$sdk" ] || sdk=../../sdk/c/bellwether
sh "$sdk/testing/run.sh" build/test page_hinkley.c tests/test.c

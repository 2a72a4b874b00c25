#!/bin/sh
# Compiles the plugin to build/page-hinkley.wasm, a core module of which `bellwether plugin build` makes the component.
set -eu
cd "$(dirname "$0")"

sdk=bellwether
[ -d "$sdk" ] || sdk=../../sdk/c/bellwether
sources=page_hinkley.c

sh setup.sh
world=$(sed -n '/^\[/q; s/^kind *= *"\([a-z-]*\)".*/\1/p' plugin.toml)
# A model that fits itself exports more than one that is a network or an ensemble.
if [ "$world" = model ] && grep -q '\.fit *=' $sources; then
    world=guest-model
fi
sh "$sdk/compile.sh" "${BELLWETHER_TOOLS:-.tools}/c" "$world" build/page-hinkley.wasm $sources

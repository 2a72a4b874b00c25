#!/bin/sh
# Makes bellwether/bindings/ anew from wit/ with wit-bindgen 0.63, one folder per world.
#
# Every world is named `world` in them, so that the code above them is written once: only one is ever compiled into a plugin.
# The object files with the worlds' type information are not kept: `bellwether plugin build` embeds it into the core module.
set -eu
cd "$(dirname "$0")"

bindings=bellwether/bindings
found=$(wit-bindgen --version 2>/dev/null || true)
case $found in
*" 0.63."*) ;;
*)
    echo "bindings.sh: wit-bindgen 0.63 is needed (found: ${found:-none}): cargo install wit-bindgen-cli@0.63.0 --no-default-features --features c" >&2
    exit 1
    ;;
esac

# One package with the others as its dependencies, which is how the tool wants them.
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
mkdir -p "$packages/deps"
cp -R ../../wit/types ../../wit/host ../../wit/nn "$packages/deps"
for file in ../../wit/wasi/*.wit; do
    mkdir "$packages/deps/wasi-$(basename "$file" .wit)"
    cp "$file" "$packages/deps/wasi-$(basename "$file" .wit)"
done

rm -rf "$bindings"
for row in drift:drift-test drift:drift-detector alert:alert-handler deploy:deployment-strategy model:model model:guest-model; do
    package=${row%%:*} world=${row#*:}
    rm -f "$packages"/*.wit
    cp ../../wit/"$package"/*.wit "$packages"
    wit-bindgen c --world "$world" --rename-world world --autodrop-borrows yes --out-dir "$bindings/$world" "$packages"
    rm -f "$bindings/$world"/*.o
done

#!/bin/sh
# Compiles and runs every test of the library natively, then the tests of every template as a new project would have them.
# With an argument the results go into that folder, else into one that is removed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
sdk=$here/../bellwether
if [ $# -gt 0 ]; then
    out=$1
    mkdir -p "$out"
else
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
fi

for source in "$here"/test_*.c; do
    name=$(basename "$source" .c)
    printf '%s: ' "$name"
    sh "$sdk/testing/run.sh" "$out/$name" "$source"
done

for kind in drift-test drift-detector alert-handler deployment-strategy model; do
    printf 'template %s: ' "$kind"
    project=$out/$kind
    sh "$here/new.sh" "$kind" "my-$kind" "$project"
    sh "$project/test.sh"
done

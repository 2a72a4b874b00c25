#!/bin/sh
# Makes a project of a template, as `bellwether plugin new --lang c` does but for the contract's own files.
#
#     sh new.sh KIND NAME FOLDER
set -eu

sdk=$(cd "$(dirname "$0")/.." && pwd)
kind=$1 name=$2 folder=$3
snake=$(printf %s "$name" | tr - _)
rm -rf "$folder"
mkdir -p "$folder"
cp -R "$sdk/template/common/." "$sdk/template/$kind/." "$folder"
find "$folder" -type f | while read -r file; do
    renamed=$(printf %s "$file" | sed "s/{{snake}}/$snake/g; s/{{name}}/$name/g")
    [ "$file" = "$renamed" ] || mv "$file" "$renamed"
    sed "s/{{snake}}/$snake/g; s/{{name}}/$name/g" "$renamed" >"$renamed.new"
    mv "$renamed.new" "$renamed"
done
cp -R "$sdk/bellwether" "$folder/bellwether"

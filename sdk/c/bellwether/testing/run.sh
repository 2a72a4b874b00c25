#!/bin/sh
# Compiles sources with this library and its stand-in for the host, natively, and runs the result.
#
#     sh run.sh OUTPUT SOURCE...
#
# CC is the compiler, else cc. Sanitizers are used where the compiler has them; every warning is an error.
set -eu

output=$1
shift
testing=$(dirname "$0")
cc=${CC:-cc}
if ! command -v "$cc" >/dev/null 2>&1; then
    echo "run.sh: there is no compiler \`$cc\`: install one (gcc or clang), or name it in CC" >&2
    exit 1
fi
mkdir -p "$(dirname "$output")"
sanitize="-fsanitize=address,undefined -fno-sanitize-recover=all"
printf 'int main(void) { return 0; }\n' >"$output.probe.c"
if ! { "$cc" $sanitize "$output.probe.c" -o "$output" && "$output"; } >/dev/null 2>&1; then
    echo "run.sh: $cc has no sanitizers here; testing without them" >&2
    sanitize=
fi
rm -f "$output.probe.c"
"$cc" -std=c11 -g -O1 -Wall -Wextra -Werror $sanitize -I "$testing/../.." "$@" "$testing"/../*.c "$testing"/*.c -lm -o "$output"
"$output"

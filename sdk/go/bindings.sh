#!/bin/sh
# Makes bellwether/internal/wit anew from the contract: the host's interfaces as Go functions (imports/) and, per exported
# interface, the functions the host calls (exports/). Needs `wit-bindgen` 0.63.0 built with the feature `go`, and `gofmt`.
# Run it after a change of wit/; the result is checked in, so authors need neither.
set -eu
cd "$(dirname "$0")"
wit=${1:-../../wit}
module=bellwether/internal/wit
out=bellwether/internal/wit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case $(wit-bindgen --version) in
*" 0.63.0"*) ;;
*)
    echo "bindings.sh: wit-bindgen 0.63.0 is needed: cargo install wit-bindgen-cli@0.63.0 --features go" >&2
    exit 1
    ;;
esac

# One world with all that is imported, and one per exported interface: a program that links only its kind's packages has only
# its kind's exports.
for file in "$wit"/*/*.wit; do
    # Folders with a version in their name keep what older plugins were built against.
    case $file in */*-[0-9]*/*) continue ;; esac
    # A folder of dependencies is one package, and wit/wasi holds several.
    folder=$work/wit/deps/$(basename "$file" .wit)
    mkdir -p "$folder"
    cp "$file" "$folder/"
done
deploy=$(sed -n 's/^package bellwether:deploy@\(.*\);/\1/p' "$wit/deploy/deploy.wit")
cat >"$work/wit/go.wit" <<EOF
package bellwether:go;
world host {
    import bellwether:host/log@0.1.0;
    import bellwether:host/data@0.1.0;
    import bellwether:host/stats@0.1.0;
    import bellwether:host/random@0.1.0;
    import bellwether:host/clock@0.1.0;
    import bellwether:host/secrets@0.1.0;
    import bellwether:host/progress@0.1.0;
    import bellwether:nn/network@0.1.0;
    import wasi:http/outgoing-handler@0.2.12;
}
world plugin { export bellwether:types/plugin@0.1.0; }
world drift-test { export bellwether:drift/test@0.1.0; }
world drift-detector { export bellwether:drift/detector@0.1.0; }
world alert-handler { export bellwether:alert/handler@0.1.0; }
world deployment-strategy { export bellwether:deploy/strategy@$deploy; }
world planner { export bellwether:model/planner@0.1.0; }
world estimator { export bellwether:model/estimator@0.1.0; }
EOF

rm -rf "$out/imports" "$out/exports"/*/wit_exports.go
for world in host plugin drift-test drift-detector alert-handler deployment-strategy planner estimator; do
    package=$(echo "$world" | tr - _)
    wit-bindgen go --quiet --world "$world" --pkg-name "$module" --out-dir "$work/$world" "$work/wit"
    mkdir -p "$out/imports"
    cp -r "$work/$world/imports/." "$out/imports/"
    if [ "$world" != host ]; then
        mkdir -p "$out/exports/$package"
        sed "s/^package wit_exports/package $package/" "$work/$world/exports/wit_exports/wit_exports.go" \
            >"$out/exports/$package/wit_exports.go"
    fi
done

# The generator's support library is this SDK's own, and nothing of this exists natively.
find "$out" -name empty.s -delete
find "$out" -name 'wit_*.go' | while read -r file; do
    sed -e 's|go.bytecodealliance.org/pkg/wit/|bellwether/internal/abi/|' -e '1i //go:build wasip1\n' "$file" >"$work/file"
    gofmt "$work/file" >"$file"
done

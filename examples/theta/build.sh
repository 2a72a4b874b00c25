#!/bin/sh
# Leaves the component in build/. `bellwether plugin build` runs it; it also runs alone.
set -eu

cd "$(dirname "$0")"
sh setup.sh
# The SDK and the contract are in the project, or, for an example inside the repository, where that has them.
sdk=. wit=wit
[ -d bellwether ] || sdk=../../sdk/python
[ -d wit ] || wit=../../wit
[ -d "$sdk/bellwether" ] && [ -d "$wit" ] || {
    echo "build: bellwether/ (the SDK) or wit/ (the contract) is missing: make the project with \`bellwether plugin new\`" >&2
    exit 1
}
PYTHONPATH=$sdk PYTHONDONTWRITEBYTECODE=1 "${BELLWETHER_TOOLS:-.tools}/python/bin/python" -m bellwether.build "$wit"

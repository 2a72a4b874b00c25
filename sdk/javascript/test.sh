#!/bin/sh
# Checks the types of the SDK and runs its unit tests. The tools are those of the projects it is made for.
set -eu
cd "$(dirname "$0")"
BELLWETHER_TOOLS="${BELLWETHER_TOOLS:-.tools}"
# The scripts that use it lie in several folders.
case "$BELLWETHER_TOOLS" in
/*) ;;
*) BELLWETHER_TOOLS="$PWD/$BELLWETHER_TOOLS" ;;
esac
export BELLWETHER_TOOLS
sh template/common/setup.sh
exec node bellwether/build/test.mjs --tools "$BELLWETHER_TOOLS/javascript" --tests tests "$@"

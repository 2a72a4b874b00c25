#!/bin/sh
# Installs the compiler, the C compiler of zig, from PyPI into ${BELLWETHER_TOOLS:-.tools}/c. Does nothing when it is there.
set -eu
cd "$(dirname "$0")"

version=0.17.1
tools=${BELLWETHER_TOOLS:-.tools}/c

if [ -x "$tools/ziglang/zig" ] && [ -d "$tools/ziglang-$version.dist-info" ]; then
    exit 0
fi
if ! python3 -m pip --version >/dev/null 2>&1; then
    echo "setup.sh: pip is missing, which fetches the compiler: install python3 and python3-pip" >&2
    exit 1
fi
echo "setup.sh: installing ziglang $version into $tools (about 100 MB to fetch, once)" >&2
rm -rf "$tools"
mkdir -p "$tools"
if ! PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$tools" "ziglang==$version"; then
    rm -rf "$tools"
    echo "setup.sh: pip could not install ziglang $version; its message is above" >&2
    exit 1
fi

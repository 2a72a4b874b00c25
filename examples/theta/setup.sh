#!/bin/sh
# Installs the tools that make a component of Python, pinned, from PyPI, into ${BELLWETHER_TOOLS:-.tools}/python.
# Does nothing when they are there. Prints nothing but errors and what it installs.
set -eu

version=0.25.1
tools=${BELLWETHER_TOOLS:-.tools}/python
stamp=$tools/componentize-py-$version
[ -e "$stamp" ] && "$tools/bin/python" -c '' 2>/dev/null && exit 0

python=${PYTHON:-python3}
command -v "$python" >/dev/null || {
    echo "setup: $python not found: install Python 3.11 or newer (Debian: apt-get install python3 python3-venv)" >&2
    exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "setup: $("$python" --version) is too old: install Python 3.11 or newer, or set PYTHON to one" >&2
    exit 1
}
"$python" -c 'import venv, ensurepip' 2>/dev/null || {
    echo "setup: $python lacks venv (Debian: apt-get install python3-venv)" >&2
    exit 1
}
echo "setup: installing componentize-py $version into $tools"
rm -rf "$tools"
"$python" -m venv "$tools"
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check "componentize-py==$version"
touch "$stamp"

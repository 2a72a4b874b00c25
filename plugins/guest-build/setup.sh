#!/bin/sh
# Finds, or installs, what compiles the WebAssembly guests. In this order: the target of the active toolchain; rustup,
# which adds it; the distribution's Rust with its sources, which builds the target's library itself. Says what to install
# when there is none. The build script of plugins/bundle looks in the same places.
set -eu
target=wasm32-unknown-unknown
here=$(dirname "$0")
cd "$here/../.."

has_target() { [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; }
has_distribution() {
    [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && command -v wasm-ld-19 >/dev/null 2>&1 &&
        [ -f "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ]
}

command -v cargo >/dev/null 2>&1 || { echo "cargo is missing: install Rust 1.95 from https://rustup.rs" >&2; exit 1; }
has_target && exit 0
if command -v rustup >/dev/null 2>&1; then
    echo "adding the Rust target $target"
    if rustup target add "$target" && has_target; then exit 0; fi
fi
has_distribution && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "rustup could not add $target; installing the distribution's Rust with its sources"
    apt-get update -q && apt-get install -y -q --no-install-recommends rustc-web cargo-web rust-web-src lld-19 || true
    has_distribution && exit 0
fi
cat >&2 <<MESSAGE
No compiler for WebAssembly guests was found. Do one of these and run the command again:
  rustup target add $target
  apt-get install rustc-web cargo-web rust-web-src lld-19      (Debian 12, as root)
MESSAGE
exit 1

//! Finds a Rust compiler that can make WebAssembly, or says exactly what to install.
//!
//! Two are tried: the active toolchain with the target installed, then the distribution's Rust with its source (Debian's
//! `rustc-web` and the like), which builds the standard library itself. Installing anything is left to people and to
//! `make setup`: a build that changes the machine surprises.
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

/// The target guests are compiled for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// How to call cargo so that it can build guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// The cargo to run.
    pub cargo: OsString,
    /// The compiler it is to use.
    pub rustc: OsString,
    /// Builds the standard library from source with this linker: the target is not installed.
    pub build_std: Option<OsString>,
}

/// Finds a compiler. `CARGO` and `RUSTC`, which cargo sets for build scripts, name the active toolchain.
pub fn find() -> Result<Compiler> {
    let active = Compiler {
        cargo: env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
        rustc: env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()),
        build_std: None,
    };
    let sysroot = sysroot(&active.rustc);
    if sysroot.as_deref().is_some_and(has_target) {
        return Ok(active);
    }
    if let Some(compiler) = distribution(Path::new("/usr")) {
        return Ok(compiler);
    }
    let seen = sysroot.map_or("no working rustc".to_owned(), |path| format!("{} has no {TARGET}", path.display()));
    bail!(
        "no Rust compiler for plugins ({seen}). Do one of these:\n  \
         rustup target add {TARGET}\n  \
         apt-get install rustc-web cargo-web rust-web-src lld-19   (Debian 12; elsewhere the packages with rustc, cargo, \
         the standard library's source and wasm-ld)"
    )
}

/// The distribution's Rust under `root`, if compiler, cargo, library source and WebAssembly linker are all there.
fn distribution(root: &Path) -> Option<Compiler> {
    let rustc = root.join("bin/rustc");
    let cargo = root.join("bin/cargo");
    if !rustc.is_file() || !cargo.is_file() {
        return None;
    }
    let sysroot = sysroot(rustc.as_os_str())?;
    if has_target(&sysroot) {
        return Some(Compiler { cargo: cargo.into(), rustc: rustc.into(), build_std: None });
    }
    if !sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file() {
        return None;
    }
    Some(Compiler { cargo: cargo.into(), rustc: rustc.into(), build_std: Some(linker(&root.join("bin"))?) })
}

/// The newest `wasm-ld` in a folder; distributions append the version of LLVM.
fn linker(folder: &Path) -> Option<OsString> {
    let version = |name: &str| match name.strip_prefix("wasm-ld") {
        Some("") => Some(u32::MAX),
        Some(rest) => rest.strip_prefix('-')?.parse().ok(),
        None => None,
    };
    let names = std::fs::read_dir(folder).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let newest = names.filter_map(|name| Some((version(&name)?, name))).max()?;
    Some(folder.join(newest.1).into())
}

/// Where a compiler keeps its libraries; none when it does not run.
fn sysroot(rustc: &std::ffi::OsStr) -> Option<PathBuf> {
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

/// The target's standard library is in this sysroot.
fn has_target(sysroot: &Path) -> bool {
    let folder = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    std::fs::read_dir(folder)
        .is_ok_and(|entries| entries.filter_map(Result::ok).any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
}

#[cfg(test)]
mod tests {
    use super::{has_target, linker};

    #[test]
    fn a_target_folder_without_a_library_is_no_target() {
        let root = tempfile::tempdir().unwrap();
        let lib = root.path().join("lib/rustlib/wasm32-unknown-unknown/lib");
        assert!(!has_target(root.path()));
        std::fs::create_dir_all(&lib).unwrap();
        assert!(!has_target(root.path()));
        std::fs::write(lib.join("libstd-0123.rlib"), b"").unwrap();
        assert!(has_target(root.path()));
    }

    #[test]
    fn the_newest_linker_is_taken() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(linker(root.path()), None);
        for name in ["wasm-ld-9", "wasm-ld-19", "ld", "wasm-ld-x"] {
            std::fs::write(root.path().join(name), b"").unwrap();
        }
        assert_eq!(linker(root.path()), Some(root.path().join("wasm-ld-19").into()));
        std::fs::write(root.path().join("wasm-ld"), b"").unwrap();
        assert_eq!(linker(root.path()), Some(root.path().join("wasm-ld").into()));
    }
}

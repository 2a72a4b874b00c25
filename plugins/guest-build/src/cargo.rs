//! One nested `cargo build` for the guest target.
//!
//! The outer cargo leaves its mark in the environment (flags, wrappers, profiles, features of the package whose build
//! script runs). None of it may reach the guests, or they would be compiled with another target's flags and again on every
//! change of the outer profile. What says how to reach registries and how much to run at once is kept.
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::compiler::{Compiler, TARGET};
use crate::lines;

/// Profile of guests: small, no unwinding. Given on the command line, so that an author's project need not repeat it.
const PROFILE: &[&str] = &[
    r#"profile.plugin.inherits="release""#,
    r#"profile.plugin.opt-level="s""#,
    "profile.plugin.lto=true",
    "profile.plugin.codegen-units=1",
    r#"profile.plugin.panic="abort""#,
    "profile.plugin.strip=true",
];

/// Variables of the outer cargo that the nested one keeps.
const KEPT: &[&str] = &[
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_SOURCE_",
    "CARGO_TERM_",
    "CARGO_BUILD_JOBS",
    "CARGO_MAKEFLAGS",
];

/// Compiles packages of the workspace in `root` into `target_dir`; returns the folder with the core modules. What cargo says
/// goes to `tell`, line by line.
pub fn build(compiler: &Compiler, root: &Path, packages: &[String], target_dir: &Path, tell: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    let mut command = Command::new(&compiler.cargo);
    command.current_dir(root).env("RUSTC", &compiler.rustc);
    for (name, _) in env::vars_os().filter(|(name, _)| !survives(name)) {
        command.env_remove(name);
    }
    command.args(["build", "--lib", "--profile", "plugin", "--target", TARGET, "--target-dir"]).arg(target_dir);
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    for package in packages {
        command.args(["--package", package]);
    }
    if let Some(linker) = &compiler.build_std {
        // A released compiler refuses -Z flags unless told that this is meant; the distribution has no other way.
        command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        command.arg("-Zbuild-std=std,panic_abort");
    }
    if !lines::run(&mut command, tell)?.success() {
        bail!("building {} for {TARGET} failed", packages.join(", "));
    }
    Ok(target_dir.join(TARGET).join("plugin"))
}

/// Whether the nested cargo may see a variable.
fn survives(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return true };
    if KEPT.iter().any(|kept| name == *kept || (kept.ends_with('_') && name.starts_with(kept))) {
        return true;
    }
    // `__CARGO_` are cargo's own test switches, `DEP_` and the rest are told to build scripts only.
    let outer = ["CARGO", "__CARGO", "DEP_"].iter().any(|prefix| name.starts_with(prefix));
    let single =
        ["RUSTFLAGS", "RUSTDOCFLAGS", "RUSTC", "RUSTDOC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTC_LINKER", "RUSTC_BOOTSTRAP"]
            .contains(&name);
    let script =
        ["OUT_DIR", "TARGET", "HOST", "NUM_JOBS", "OPT_LEVEL", "PROFILE", "DEBUG", "CLIPPY_ARGS", "CLIPPY_CONF_DIR"].contains(&name);
    !(outer || single || script)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::survives;

    #[test]
    fn the_outer_build_is_forgotten_and_the_registry_is_not() {
        let check = |name: &str, expected: bool| assert_eq!(survives(OsStr::new(name)), expected, "{name}");
        check("CARGO_ENCODED_RUSTFLAGS", false);
        check("RUSTFLAGS", false);
        check("RUSTC_WRAPPER", false);
        check("RUSTC_WORKSPACE_WRAPPER", false);
        check("CARGO_TARGET_DIR", false);
        check("CARGO_PROFILE_RELEASE_LTO", false);
        check("CARGO_MANIFEST_DIR", false);
        check("CARGO", false);
        check("__CARGO_TEST_CHANNEL_OVERRIDE_DO_NOT_USE_THIS", false);
        check("CARGO_HOME", true);
        check("CARGO_REGISTRIES_MINE_TOKEN", true);
        check("CARGO_NET_OFFLINE", true);
        check("CARGO_MAKEFLAGS", true);
        check("RUSTUP_TOOLCHAIN", true);
        check("PATH", true);
        check("HTTPS_PROXY", true);
    }
}

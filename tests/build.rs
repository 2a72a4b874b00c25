//! Compiles the guests that only tests use and writes `$OUT_DIR/guests.rs` with their manifests and components, for tests to
//! include: `include!(concat!(env!("OUT_DIR"), "/guests.rs"));`
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context;

const GUESTS: &[&str] = &["misbehaving", "deploy-0-1-0", "foresight"];

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let base = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").context("not a build script")?);
    let out = PathBuf::from(std::env::var_os("OUT_DIR").context("not a build script")?);
    let folders: Vec<String> = GUESTS.iter().map(|guest| format!("guests/{guest}")).collect();
    let components = bellwether_guest_build::for_build_script(&folders.iter().map(String::as_str).collect::<Vec<_>>())?;

    let mut source = String::new();
    for (guest, component) in GUESTS.iter().zip(components) {
        let name = guest.to_uppercase().replace('-', "_");
        let manifest = base.join("guests").join(guest).join("plugin.toml");
        println!("cargo::rerun-if-changed={}", manifest.display());
        writeln!(source, "/// The `plugin.toml` of `{guest}`.\npub const {name}_MANIFEST: &str = include_str!({manifest:?});")?;
        writeln!(source, "/// The component of `{guest}`.\npub const {name}: &[u8] = include_bytes!({component:?});")?;
    }
    std::fs::write(out.join("guests.rs"), source)?;
    Ok(())
}

//! Compiles the built-in plugins to components, which `src/lib.rs` includes.
fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    bellwether_guest_build::for_build_script(&[
        "../lstm",
        "../gru",
        "../tcn",
        "../transformer",
        "../mlp",
        "../ensemble",
        "../har",
        "../linear",
        "../gbdt",
        "../ks",
        "../webhook",
        "../blue-green",
    ])?;
    Ok(())
}

//! `bellwether plugin build`: the component of a plugin's folder, made by the command its manifest names.

use std::path::PathBuf;

use bellwether_guest_build::build_plugin;
use bellwether_plugin::Manifest;
use bellwether_plugin::inspect::digest;
use serde_json::json;

use crate::cli::output::{self, DIM, GOOD, beside, styled};
use crate::cli::{Context, Failure};

pub(super) async fn perform(folder: PathBuf, context: &Context) -> Result<(), Failure> {
    // What a host would refuse is told before minutes are spent on it.
    let manifest = Manifest::read(&folder)?;
    let bar = output::spinner(&format!("building {}", manifest.name), !context.json());
    let told = bar.clone();
    let built = tokio::task::spawn_blocking(move || build_plugin(&folder, &mut |line| beside(&told, line))).await;
    bar.finish_and_clear();
    let built = built
        .map_err(|error| Failure::Failed(format!("the build broke off: {error}")))?
        .map_err(|error| Failure::Failed(format!("{error:#}")))?;
    let digest = digest(&built.bytes);
    if context.json() {
        return output::json(&json!({
            "name": manifest.name,
            "kind": manifest.kind,
            "component": built.component,
            "size_bytes": built.bytes.len(),
            "digest": digest,
            "imports": built.edge.imports,
            "exports": built.edge.exports,
        }));
    }
    let imports = if built.edge.imports.is_empty() { "–".to_owned() } else { built.edge.imports.join(" ") };
    output::pairs(&[
        ("component", format!("{} {}", styled(GOOD, built.component.display()), styled(DIM, manifest.kind))),
        ("size", format!("{} bytes", built.bytes.len())),
        ("digest", format!("sha256 {digest}")),
        ("imports", imports),
    ]);
    Ok(())
}

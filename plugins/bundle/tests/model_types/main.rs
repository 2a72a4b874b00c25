//! The built-in model types in a real plugin host: each keeps the contract, what networks they plan have shapes that fit,
//! and the ones that fit themselves learn.
mod estimators;
mod networks;

use std::path::Path;

use bellwether_domain::target::{Target, TargetKind};
use bellwether_plugin::{Bundled, PluginHost, PluginsConfig};

/// Networks, then the rest.
const NETWORKS: [&str; 5] = ["lstm", "gru", "tcn", "transformer", "mlp"];
const OTHERS: [&str; 4] = ["ensemble", "har", "linear", "gbdt"];

/// Manifest and component of a built-in plugin.
fn bundled(name: &str) -> Bundled {
    let is_named = |manifest: &str| toml::from_str::<toml::Table>(manifest).expect("a manifest is TOML")["name"].as_str() == Some(name);
    let (manifest, component) = bellwether_bundle::PLUGINS.iter().find(|(manifest, _)| is_named(manifest)).expect("a built-in plugin");
    Bundled { manifest, component }
}

/// A host with these plugins, its cache in `folder`.
async fn host(folder: &Path, names: &[&str]) -> PluginHost {
    let config = PluginsConfig { cache: folder.join("cache"), ..PluginsConfig::default() };
    let bundled: Vec<Bundled> = names.iter().map(|name| bundled(name)).collect();
    PluginHost::open(config, &bundled).await.expect("the host opens")
}

fn target(kind: TargetKind) -> Target {
    Target { kind, horizon: 1 }
}

/// What `bellwether plugin check` does: ordinary and hostile input, each call twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let config = PluginsConfig { cache: folder.path().join("cache"), ..PluginsConfig::default() };
    for name in NETWORKS.iter().chain(&OTHERS) {
        let (plugin, Bundled { manifest, component }) = (folder.path().join(name), bundled(name));
        std::fs::create_dir(&plugin).unwrap();
        std::fs::write(plugin.join("plugin.toml"), manifest).unwrap();
        std::fs::write(plugin.join(format!("{name}.wasm")), component).unwrap();
        let findings = bellwether_plugin::check::check(&plugin, &config).await.unwrap();
        let failed: Vec<String> =
            findings.iter().filter(|finding| !finding.passed).map(|finding| format!("{}: {}", finding.what, finding.detail)).collect();
        assert!(failed.is_empty(), "{name}: {failed:#?}");
        assert!(findings.len() >= 15, "{name}: only {} findings", findings.len());
    }
}

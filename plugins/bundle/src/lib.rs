//! The built-in plugins: their manifests and components, compiled into the host.
//!
//! They are components like everybody's: the host loads them through the same door and grants them nothing of itself. This
//! crate knows neither the host nor the contract; it only carries bytes.

/// A built-in plugin: its folder's `plugin.toml` and the component built from it.
macro_rules! plugin {
    ($name:literal) => {
        (include_str!(concat!("../../", $name, "/plugin.toml")), include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".wasm")))
    };
}

/// Every built-in plugin: the text of its `plugin.toml` and its component.
pub const PLUGINS: &[(&str, &[u8])] = &[
    plugin!("lstm"),
    plugin!("gru"),
    plugin!("tcn"),
    plugin!("transformer"),
    plugin!("mlp"),
    plugin!("ensemble"),
    plugin!("har"),
    plugin!("linear"),
    plugin!("gbdt"),
    plugin!("ks"),
    plugin!("webhook"),
    plugin!("blue-green"),
];

#[cfg(test)]
mod tests {
    use wit_component::DecodedWasm;
    use wit_parser::WorldKey;

    use super::PLUGINS;

    /// Interfaces with functions that a component imports, and the interfaces it exports.
    fn interfaces(component: &[u8]) -> (Vec<String>, Vec<String>) {
        let DecodedWasm::Component(resolve, world) = wit_component::decode(component).unwrap() else {
            panic!("a WIT package is no component");
        };
        let world = &resolve.worlds[world];
        let named = |key: &WorldKey| match key {
            WorldKey::Interface(id) => (resolve.id_of(*id).unwrap(), !resolve.interfaces[*id].functions.is_empty()),
            WorldKey::Name(name) => (name.clone(), true),
        };
        let imports = world.imports.keys().map(named).filter(|(_, calls)| *calls).map(|(name, _)| name).collect();
        (imports, world.exports.keys().map(|key| named(key).0).collect())
    }

    #[test]
    fn each_component_asks_for_what_it_calls_and_nothing_else() {
        let check = |name: &str, imports: &[&str], exports: &[&str]| {
            let table = |text: &str| toml::from_str::<toml::Table>(text).unwrap();
            let (_, component) = PLUGINS.iter().find(|(manifest, _)| table(manifest)["name"].as_str() == Some(name)).unwrap();
            let (mut imported, mut exported) = interfaces(component);
            imported.sort();
            exported.sort();
            assert_eq!(imported, imports, "imports of {name}");
            assert_eq!(exported, exports, "exports of {name}");
        };
        let plugin = "bellwether:types/plugin@0.1.0";
        let log = "bellwether:host/log@0.1.0";
        let data = "bellwether:host/data@0.1.0";
        let progress = "bellwether:host/progress@0.1.0";
        let random = "bellwether:host/random@0.1.0";
        let planner = "bellwether:model/planner@0.1.0";
        let estimator = "bellwether:model/estimator@0.1.0";
        for network in ["lstm", "gru", "tcn", "transformer", "mlp", "ensemble"] {
            check(network, &[log], &[planner, plugin]);
        }
        check("har", &[data, log], &[estimator, planner, plugin]);
        check("linear", &[data, log, progress], &[estimator, planner, plugin]);
        check("gbdt", &[data, log, progress, random], &[estimator, planner, plugin]);
        check("ks", &[data, log], &["bellwether:drift/test@0.1.0", plugin]);
        check("blue-green", &[log], &["bellwether:deploy/strategy@0.2.0", plugin]);
        let http = [
            "bellwether:host/log@0.1.0",
            "bellwether:host/secrets@0.1.0",
            "wasi:http/outgoing-handler@0.2.12",
            "wasi:http/types@0.2.12",
            "wasi:io/error@0.2.12",
            "wasi:io/poll@0.2.12",
            "wasi:io/streams@0.2.12",
        ];
        check("webhook", &http, &["bellwether:alert/handler@0.1.0", plugin]);
    }

    #[test]
    fn built_in_components_are_small() {
        for (manifest, component) in PLUGINS {
            assert!(component.len() < 400 << 10, "{} KB for {manifest}", component.len() >> 10);
        }
    }
}

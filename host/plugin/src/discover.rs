//! Which plugins there are and which instances of them: the binary's own, those in folders, packed ones, and the operator's names.
//!
//! This reads manifests and settings only; nothing is compiled here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bellwether_domain::id::check_name;
use bellwether_domain::{Error, Result};

use crate::config::{Instance, PluginsConfig};
use crate::info::Bundled;
use crate::load::Place;
use crate::manifest::{Kind, Manifest};
use crate::stock::Stocked;

/// A plugin that was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The manifest's name; the folder's where the manifest cannot be read.
    pub(crate) name: String,
    /// Its kind; `model` where the manifest does not even say that.
    pub(crate) kind: Kind,
    pub(crate) manifest: Result<Manifest, String>,
    pub(crate) place: Place,
}

/// An instance that shall be.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) instance: Instance,
    /// The operator wrote it; else it is the plugin as it comes.
    pub(crate) configured: bool,
    /// Place of its plugin among those found.
    pub(crate) plugin: usize,
}

/// Names that are the same: `_` and `-` are one letter.
pub(crate) fn key(name: &str) -> String {
    name.replace('_', "-")
}

/// Built-in plugins, those of the folders and packed ones, by name. Two of one name are an error naming both places.
pub(crate) fn plugins(config: &PluginsConfig, bundled: &[Bundled], packed: &[Stocked]) -> Result<Vec<Found>> {
    let mut found: Vec<Found> = bundled.iter().map(|plugin| found(plugin.manifest, "built-in", Place::BuiltIn(plugin.component))).collect();
    for folder in &config.folders {
        let unreadable = |error: std::io::Error| Error::invalid("plugins.folders", format!("{} cannot be read: {error}", folder.display()));
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.join("plugin.toml").is_file() {
                found.push(in_folder(&path));
            }
        }
    }
    found.extend(packed.iter().map(unpacked));
    found.sort_by(|a, b| a.name.cmp(&b.name));
    match found.windows(2).find(|pair| pair[0].name == pair[1].name) {
        None => Ok(found),
        Some(pair) => Err(Error::invalid(
            "plugins.folders",
            format!("two plugins are called `{}`: {} and {}; rename or remove one", pair[0].name, pair[0].place, pair[1].place),
        )),
    }
}

/// The plugin in a folder, whatever its manifest looks like.
pub(crate) fn in_folder(path: &Path) -> Found {
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let text = std::fs::read_to_string(path.join("plugin.toml")).unwrap_or_default();
    let mut found = found(&text, &name, Place::Folder(path.to_owned()));
    found.manifest = Manifest::read(path).map_err(|error| error.to_string());
    found
}

/// A packed plugin, where it was laid out; or what is known of one that could not be.
fn unpacked(stocked: &Stocked) -> Found {
    match &stocked.folder {
        Ok(folder) => Found { place: Place::Unpacked(folder.clone(), stocked.from.clone()), ..in_folder(folder) },
        Err(why) => Found {
            name: stocked.name.clone(),
            kind: Kind::Model,
            manifest: Err(why.clone()),
            place: Place::Unpacked(PathBuf::new(), stocked.from.clone()),
        },
    }
}

fn found(text: &str, name: &str, place: Place) -> Found {
    let manifest = Manifest::parse(text).map_err(|error| error.to_string());
    let kind = manifest.as_ref().map(|manifest| manifest.kind).ok().or_else(|| {
        let table: toml::Table = text.parse().ok()?;
        table.get("kind")?.clone().try_into().ok()
    });
    let name = manifest.as_ref().map_or_else(|_| name.to_owned(), |manifest| manifest.name.clone());
    Found { name, kind: kind.unwrap_or(Kind::Model), manifest, place }
}

/// One instance per plugin, and the operator's own. Errors: a name twice, a plugin that does not exist, a bad digest.
pub(crate) fn instances(config: &PluginsConfig, found: &[Found]) -> Result<Vec<Planned>> {
    let names = || found.iter().map(|plugin| plugin.name.as_str());
    let mut planned: BTreeMap<String, Planned> = BTreeMap::new();
    for (place, plugin) in found.iter().enumerate() {
        planned.insert(key(&plugin.name), Planned { instance: plain(&plugin.name), configured: false, plugin: place });
    }
    let mut seen = BTreeSet::new();
    for instance in &config.instance {
        check_name("plugins.instance.name", &instance.name)?;
        if !seen.insert(key(&instance.name)) {
            return Err(Error::invalid(
                "plugins.instance.name",
                format!("`{}` is there twice; instances need names of their own", instance.name),
            ));
        }
        let wanted = instance.plugin.as_deref().unwrap_or(&instance.name);
        let plugin =
            found.iter().position(|plugin| key(&plugin.name) == key(wanted)).ok_or_else(|| Error::unknown("plugin", wanted, names()))?;
        if let Some(digest) = &instance.digest
            && !(digest.len() == 64 && digest.chars().all(|letter| letter.is_ascii_hexdigit()))
        {
            let field = format!("plugins.instance.{}.digest", instance.name);
            return Err(Error::invalid(field, format!("`{digest}` is not a SHA-256; give 64 hexadecimal digits")));
        }
        if let Some(there) = planned.get(&key(&instance.name))
            && there.plugin != plugin
        {
            let why = format!("`{}` is the name of a plugin; an instance of `{wanted}` needs another", instance.name);
            return Err(Error::invalid("plugins.instance.name", why));
        }
        planned.insert(key(&instance.name), Planned { instance: instance.clone(), configured: true, plugin });
    }
    only(config, planned)
}

fn only(config: &PluginsConfig, mut planned: BTreeMap<String, Planned>) -> Result<Vec<Planned>> {
    if !config.only.is_empty() {
        if let Some(unknown) = config.only.iter().find(|name| !planned.contains_key(&key(name))) {
            return Err(Error::unknown("plugin", unknown, planned.keys().map(String::as_str)));
        }
        let only: BTreeSet<String> = config.only.iter().map(|name| key(name)).collect();
        planned.retain(|name, _| only.contains(name));
    }
    Ok(planned.into_values().collect())
}

/// A plugin as it comes.
pub(crate) fn plain(name: &str) -> Instance {
    Instance {
        name: name.to_owned(),
        plugin: None,
        enabled: true,
        grant: crate::config::Grant::default(),
        config: toml::Table::new(),
        limits: crate::manifest::WantedLimits::default(),
        digest: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str =
        "name = \"ks\"\nversion = \"0.1.0\"\nkind = \"drift-test\"\ncomponent = \"ks.wasm\"\ncontract = \"0.1.0\"\nlicence = \"MIT\"\n";

    fn planned(instances: &[(&str, Option<&str>)], only: &[&str]) -> Result<Vec<String>> {
        let bundled = [Bundled { manifest: MANIFEST, component: b"" }];
        let config = PluginsConfig {
            instance: instances.iter().map(|(name, plugin)| Instance { plugin: plugin.map(str::to_owned), ..plain(name) }).collect(),
            only: only.iter().map(|name| (*name).to_owned()).collect(),
            ..PluginsConfig::default()
        };
        let found = plugins(&config, &bundled, &[])?;
        Ok(super::instances(&config, &found)?.into_iter().map(|planned| planned.instance.name).collect())
    }

    #[test]
    fn instances_are_planned_by_name() {
        let check =
            |instances: &[(&str, Option<&str>)], only: &[&str], expected: Result<&[&str], &str>| match (planned(instances, only), expected)
            {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (found, _) => panic!("{found:?}"),
            };
        check(&[], &[], Ok(&["ks"]));
        check(&[("ks", None)], &[], Ok(&["ks"]));
        check(&[("strict", Some("ks"))], &[], Ok(&["ks", "strict"]));
        check(&[("strict", Some("ks"))], &["strict"], Ok(&["strict"]));
        check(&[("strict", Some("kz"))], &[], Err("did you mean `ks`?"));
        check(&[("kss", None)], &[], Err("did you mean `ks`?"));
        check(&[("a-b", Some("ks")), ("a_b", Some("ks"))], &[], Err("there twice"));
        check(&[("a b", Some("ks"))], &[], Err("is not a name"));
        check(&[], &["kz"], Err("did you mean `ks`?"));
    }

    #[test]
    fn a_folder_is_scanned_and_a_name_may_be_there_once() {
        let root = tempfile::tempdir().expect("folder");
        for (folder, text) in [("good", MANIFEST), ("bad", "name = 3\nkind = \"alert-handler\"")] {
            std::fs::create_dir(root.path().join(folder)).expect("folder");
            std::fs::write(root.path().join(folder).join("plugin.toml"), text).expect("manifest");
        }
        let config = PluginsConfig { folders: vec![root.path().to_owned()], ..PluginsConfig::default() };
        let found = plugins(&config, &[], &[]).expect("found");
        let seen: Vec<_> = found.iter().map(|plugin| (plugin.name.as_str(), plugin.kind, plugin.manifest.is_ok())).collect();
        assert_eq!(seen, [("bad", Kind::AlertHandler, false), ("ks", Kind::DriftTest, true)]);

        let error = plugins(&config, &[Bundled { manifest: MANIFEST, component: b"" }], &[]).expect_err("twice").to_string();
        assert!(error.contains("two plugins are called `ks`") && error.contains("built-in"), "{error}");
        let nowhere = PluginsConfig { folders: vec![root.path().join("nowhere")], ..PluginsConfig::default() };
        assert!(plugins(&nowhere, &[], &[]).expect_err("absent").to_string().contains("plugins.folders"));
    }
}

//! A plugin as one file: an OCI artifact in the form `wkg` and the CNCF's Wasm working group use, in a tar of the OCI layout.
//!
//! One manifest, one config, one layer, which is the component. That form has no place for files beside the component, so
//! `plugin.toml` and `plugin.sig` travel in custom sections behind its own bytes; taken out again, the component is the very
//! one that was signed. Nothing in an artifact depends on when or where it was made: the same folder gives the same digest.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use bellwether_domain::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::contract::check_bytes;
use crate::manifest::Manifest;
use crate::signature;

mod sections;

/// Media type of the artifact's manifest.
pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Media type of its config.
const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";

/// Media type of its layer.
const LAYER_TYPE: &str = "application/wasm";

/// Largest manifest or config, in bytes.
pub(crate) const SMALL: u64 = 4 << 20;

/// Largest layer, in bytes.
pub(crate) const LAYER: u64 = 1 << 30;

const MANIFEST_SECTION: &str = "bellwether:manifest";
const SIGNATURE_SECTION: &str = "bellwether:signature";

/// A packed plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    pub(crate) manifest: Vec<u8>,
    pub(crate) config: Vec<u8>,
    pub(crate) layer: Vec<u8>,
}

/// What an artifact's manifest says of one of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
}

/// An artifact's manifest, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Parts {
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
}

/// A plugin taken out of an artifact.
#[derive(Debug, Clone, PartialEq)]
pub struct Unpacked {
    /// Its manifest.
    pub manifest: Manifest,
    files: BTreeMap<String, Vec<u8>>,
}

/// `sha256:` and the digest, as registries write it.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

impl Descriptor {
    fn of(media_type: &str, bytes: &[u8]) -> Descriptor {
        Descriptor { media_type: media_type.to_owned(), digest: digest_of(bytes), size: bytes.len() as u64 }
    }

    /// The bytes, if they are what this describes.
    pub(crate) fn checked(&self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        let found = digest_of(&bytes);
        if found == self.digest && bytes.len() as u64 == self.size {
            return Ok(bytes);
        }
        Err(format!("{} bytes with digest {found} came where {} with {} were described", bytes.len(), self.size, self.digest))
    }
}

impl Parts {
    /// Reads an artifact's manifest. The error says in what it is no packed plugin.
    pub(crate) fn read(manifest: &[u8]) -> Result<(Descriptor, Descriptor), String> {
        let parts: Parts = serde_json::from_slice(manifest).map_err(|error| format!("its manifest cannot be read: {error}"))?;
        if parts.config.media_type != CONFIG_TYPE {
            return Err(format!("it is no WebAssembly artifact: its config is `{}`, not `{CONFIG_TYPE}`", parts.config.media_type));
        }
        match &parts.layers[..] {
            [layer] if layer.media_type == LAYER_TYPE => Ok((parts.config, layer.clone())),
            layers => Err(format!("it has {} layers; a packed plugin has one, of type `{LAYER_TYPE}`", layers.len())),
        }
    }
}

impl Artifact {
    /// Packs the plugin in a folder: manifest, component, and signature if there is one. Errors: a file is missing or wrong.
    pub fn of_folder(folder: &Path) -> Result<Artifact> {
        let manifest = Manifest::read(folder)?;
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|error| Error::invalid(path.display().to_string(), format!("cannot be read: {error}")))
        };
        let component = read(&manifest.component)?;
        let wrong = |why: String| Error::invalid(folder.join(&manifest.component).display().to_string(), why);
        check_bytes(&component).map_err(wrong)?;
        if !sections::split(&component).map_err(wrong)?.1.is_empty() {
            return Err(wrong("holds a packed manifest already; pack the component as it was built".to_owned()));
        }
        let mut layer = component;
        sections::append(&mut layer, MANIFEST_SECTION, &read("plugin.toml")?);
        if folder.join(signature::FILE).is_file() {
            sections::append(&mut layer, SIGNATURE_SECTION, &read(signature::FILE)?);
        }
        Ok(Artifact::around(layer, &manifest))
    }

    fn around(layer: Vec<u8>, manifest: &Manifest) -> Artifact {
        let described = Descriptor::of(LAYER_TYPE, &layer);
        let config = json!({
            "created": "1970-01-01T00:00:00Z",
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [described.digest],
        });
        let config = config.to_string().into_bytes();
        let whole = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": Descriptor::of(CONFIG_TYPE, &config),
            "layers": [described],
            "annotations": {
                "org.opencontainers.image.title": manifest.name,
                "org.opencontainers.image.version": manifest.version,
                "org.opencontainers.image.licenses": manifest.licence,
                "org.opencontainers.image.description": manifest.summary,
            },
        });
        Artifact { manifest: whole.to_string().into_bytes(), config, layer }
    }

    /// Its digest, `sha256:…`: what a reference is pinned by.
    pub fn digest(&self) -> String {
        digest_of(&self.manifest)
    }

    /// Writes it as a tar of the OCI image layout.
    pub fn write(&self, path: &Path) -> Result<()> {
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [Descriptor::of(MANIFEST_TYPE, &self.manifest)],
        });
        let blob = |bytes: &[u8]| format!("blobs/sha256/{}", hex::encode(Sha256::digest(bytes)));
        let mut tar = tar::Builder::new(Vec::new());
        let mut add = |name: &str, bytes: &[u8]| {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, bytes)
        };
        add("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)
            .and_then(|()| add("index.json", index.to_string().as_bytes()))
            .and_then(|()| [&self.manifest, &self.config, &self.layer].into_iter().try_for_each(|bytes| add(&blob(bytes), bytes)))
            .map_err(Error::internal)?;
        let bytes = tar.into_inner().map_err(Error::internal)?;
        let partial = path.with_extension("partial");
        let written = std::fs::write(&partial, bytes).and_then(|()| std::fs::rename(&partial, path));
        written.map_err(|error| Error::invalid(path.display().to_string(), format!("cannot be written: {error}")))
    }

    /// Reads a tar of the OCI image layout with one artifact in it. Errors say what is wrong with the file.
    pub fn read(path: &Path) -> Result<Artifact> {
        let wrong = |why: String| Error::invalid(path.display().to_string(), why);
        let file = std::fs::File::open(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let mut blobs = blobs(file).map_err(wrong)?;
        let mut take = |name: &str| blobs.remove(name).ok_or_else(|| wrong(format!("is no packed plugin: {name} is not in it")));
        let index: serde_json::Value =
            serde_json::from_slice(&take("index.json")?).map_err(|error| wrong(format!("index.json cannot be read: {error}")))?;
        let described = index["manifests"].as_array().filter(|list| list.len() == 1).map(|list| list[0].clone());
        let described = described.ok_or_else(|| wrong("holds not one artifact but several or none".to_owned()))?;
        let described: Descriptor = serde_json::from_value(described).map_err(|error| wrong(format!("index.json: {error}")))?;
        let mut blob = |descriptor: &Descriptor| {
            let name = format!("blobs/{}", descriptor.digest.replace(':', "/"));
            take(&name).and_then(|bytes| descriptor.checked(bytes).map_err(wrong))
        };
        let manifest = blob(&described)?;
        let (config, layer) = Parts::read(&manifest).map_err(wrong)?;
        Ok(Artifact { config: blob(&config)?, layer: blob(&layer)?, manifest })
    }

    /// Takes the plugin out. Errors: it was not packed by `bellwether plugin pack`, or its manifest is wrong.
    pub fn unpack(&self) -> Result<Unpacked> {
        let wrong = |why: &str| Error::invalid(self.digest(), why);
        let (component, mut sections) = sections::split(&self.layer).map_err(|why| wrong(&why))?;
        let text = sections
            .remove(MANIFEST_SECTION)
            .ok_or_else(|| wrong("its component carries no plugin.toml: it was not packed by `bellwether plugin pack`"))?;
        let manifest = Manifest::parse(std::str::from_utf8(&text).map_err(|_| wrong("its plugin.toml is not UTF-8"))?)?;
        let mut files = BTreeMap::from([(manifest.component.clone(), component), ("plugin.toml".to_owned(), text)]);
        if let Some(signature) = sections.remove(SIGNATURE_SECTION) {
            files.insert(signature::FILE.to_owned(), signature);
        }
        Ok(Unpacked { manifest, files })
    }
}

impl Unpacked {
    /// The folder holds these files, as they are here.
    pub(crate) fn lies_in(&self, folder: &Path) -> bool {
        self.files.iter().all(|(name, bytes)| std::fs::read(folder.join(name)).is_ok_and(|there| there == *bytes))
    }

    /// Writes the plugin's files into a folder, which must be empty or absent. The manifest comes last: a host that watches
    /// sees the plugin when it is whole.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let wrong = |why: String| Error::invalid(folder.display().to_string(), why);
        std::fs::create_dir_all(folder).map_err(|error| wrong(format!("cannot be made: {error}")))?;
        if std::fs::read_dir(folder).map_err(|error| wrong(format!("cannot be read: {error}")))?.next().is_some() {
            return Err(wrong("is not empty; name another folder".to_owned()));
        }
        let last = |name: &&String| name.as_str() == "plugin.toml";
        let order = self.files.keys().filter(|name| !last(name)).chain(self.files.keys().filter(last));
        for name in order {
            let path = folder.join(name);
            std::fs::write(&path, &self.files[name]).map_err(|error| wrong(format!("{} cannot be written: {error}", path.display())))?;
        }
        Ok(())
    }
}

/// Every plain file of a tar, by path; bounded.
fn blobs(file: std::fs::File) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let unreadable = |error: std::io::Error| format!("is no tar, or damaged: {error}");
    let mut left = LAYER + 4 * SMALL;
    let mut blobs = BTreeMap::new();
    for entry in tar::Archive::new(file).entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path().map_err(unreadable)?.to_string_lossy().trim_start_matches("./").to_owned();
        let mut bytes = Vec::new();
        let read = entry.by_ref().take(left + 1).read_to_end(&mut bytes).map_err(unreadable)? as u64;
        left = left.checked_sub(read).ok_or_else(|| format!("holds more than {LAYER} bytes"))?;
        blobs.insert(name, bytes);
    }
    Ok(blobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str =
        "name = \"a\"\nversion = \"0.1.0\"\nkind = \"drift-test\"\ncomponent = \"a.wasm\"\ncontract = \"0.1.0\"\nlicence = \"MIT\"\n";

    fn folder(component: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("plugin.toml"), MANIFEST).expect("written");
        std::fs::write(folder.path().join("a.wasm"), component).expect("written");
        std::fs::write(folder.path().join(signature::FILE), "{}").expect("written");
        folder
    }

    #[test]
    fn what_is_packed_comes_out_as_it_was() {
        let component = wat::parse_str("(component (core module (func (export \"f\"))))").expect("component");
        let source = folder(&component);
        let artifact = Artifact::of_folder(source.path()).expect("packed");
        assert_eq!(artifact, Artifact::of_folder(source.path()).expect("again"), "the same folder gives the same bytes");
        let place = tempfile::tempdir().expect("folder");
        let file = place.path().join("a.tar");
        artifact.write(&file).expect("written");
        let read = Artifact::read(&file).expect("read");
        assert_eq!((read.digest(), &read), (artifact.digest(), &artifact));
        assert!(wasmtime::component::Component::new(&wasmtime::Engine::default(), &read.layer).is_ok(), "the layer is a component");
        let out = place.path().join("out");
        read.unpack().expect("unpacked").write(&out).expect("written");
        for name in ["plugin.toml", "a.wasm", signature::FILE] {
            assert_eq!(std::fs::read(out.join(name)).expect(name), std::fs::read(source.path().join(name)).expect(name), "{name}");
        }
        assert!(read.unpack().expect("unpacked").write(&out).expect_err("full").to_string().contains("not empty"));
    }

    #[test]
    fn what_is_damaged_or_foreign_is_refused() {
        let source = folder(&wat::parse_str("(component)").expect("component"));
        let artifact = Artifact::of_folder(source.path()).expect("packed");
        let place = tempfile::tempdir().expect("folder");
        let file = place.path().join("a.tar");
        let refused = |artifact: &Artifact, expected: &str| {
            artifact.write(&file).expect("written");
            let error = Artifact::read(&file).and_then(|artifact| artifact.unpack().map(drop)).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        };
        let mut other = artifact.clone();
        other.layer.push(0);
        refused(&other, "is not in it");
        refused(&Artifact { manifest: artifact.manifest.to_ascii_uppercase(), ..artifact.clone() }, "manifest cannot be read");
        let bare = Artifact::around(wat::parse_str("(component)").expect("component"), &Manifest::parse(MANIFEST).expect("good"));
        refused(&bare, "carries no plugin.toml");
        std::fs::write(&file, "no tar at all").expect("written");
        assert!(Artifact::read(&file).is_err());
        std::fs::write(source.path().join("a.wasm"), &artifact.layer).expect("written");
        assert!(Artifact::of_folder(source.path()).expect_err("packed").to_string().contains("packed manifest already"));
        let descriptor = Descriptor::of(LAYER_TYPE, b"a");
        assert!(descriptor.checked(b"b".to_vec()).expect_err("other bytes").contains("were described"));
    }
}

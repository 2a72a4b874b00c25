//! A plugin's folder: `Cargo.toml`, `plugin.toml`, `src/`.
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{cargo, compiler, component};

/// What is read of `plugin.toml` here; the host checks the rest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PluginFile {
    /// The plugin's name.
    pub name: String,
    /// The component's file, beside the manifest.
    pub component: String,
}

/// What is read of `Cargo.toml`.
#[derive(Debug, Deserialize)]
struct CargoFile {
    package: Package,
    #[serde(default)]
    lib: Library,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Library {
    name: Option<String>,
    #[serde(default)]
    crate_type: Vec<String>,
}

/// A cargo package that is a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Project {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Name of the package.
    pub(crate) package: String,
    /// Stem of the core module cargo writes.
    pub(crate) library: String,
}

impl Project {
    /// Reads the package in `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Project> {
        let path = folder.join("Cargo.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let file: CargoFile = toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        if !file.lib.crate_type.iter().any(|kind| kind == "cdylib") {
            bail!("{} lacks `crate-type = [\"cdylib\", \"rlib\"]` under [lib]: without cdylib there is no module", path.display());
        }
        let library = file.lib.name.unwrap_or_else(|| file.package.name.replace('-', "_"));
        Ok(Project { folder: folder.to_owned(), package: file.package.name, library })
    }

    /// The workspace the package belongs to: the nearest folder, from its own upwards, whose `Cargo.toml` has `[workspace]`.
    pub(crate) fn root(&self) -> Result<PathBuf> {
        let folder = self.folder.canonicalize().with_context(|| format!("finding {}", self.folder.display()))?;
        let is_root = |folder: &&Path| {
            let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
            toml::from_str::<toml::Table>(&text).is_ok_and(|table| table.contains_key("workspace"))
        };
        Ok(folder.ancestors().find(is_root).unwrap_or(&folder).to_owned())
    }
}

/// Builds the plugin in `folder` and writes the component its `plugin.toml` names; returns that path.
pub fn build_plugin(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("plugin.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let manifest: PluginFile = toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
    if Path::new(&manifest.component).file_name().is_none_or(|name| name != manifest.component.as_str()) {
        bail!("{}: `component` must be the name of a file beside it, not `{}`", path.display(), manifest.component);
    }
    let project = Project::open(folder)?;
    let root = project.root()?;
    let packages = [project.package.clone()];
    let modules = cargo::build(&compiler::find()?, &root, &packages, &root.join("target").join("guests"))?;
    let component = folder.join(&manifest.component);
    component::refresh(&modules.join(format!("{}.wasm", project.library)), &component)?;
    Ok(component)
}

#[cfg(test)]
mod tests {
    use super::{Project, build_plugin};

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    const LIBRARY: &str = "[package]\nname = \"my-plugin\"\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n";

    #[test]
    fn a_package_is_read() {
        let place = folder(&[("Cargo.toml", "[workspace]\nmembers = [\"a\"]"), ("a/Cargo.toml", LIBRARY)]);
        let project = Project::open(&place.path().join("a")).unwrap();
        assert_eq!((project.package.as_str(), project.library.as_str()), ("my-plugin", "my_plugin"));
        assert_eq!(project.root().unwrap(), place.path().canonicalize().unwrap());
    }

    #[test]
    fn mistakes_are_named() {
        let check = |files: &[(&str, &str)], expected: &str| {
            let place = folder(files);
            let error = format!("{:#}", build_plugin(place.path()).unwrap_err());
            assert!(error.contains(expected), "{error}");
        };
        check(&[], "plugin.toml");
        check(&[("plugin.toml", "name = \"a\"")], "component");
        let manifest = "name = \"a\"\ncomponent = \"a.wasm\"";
        check(&[("plugin.toml", manifest)], "Cargo.toml");
        check(&[("plugin.toml", manifest), ("Cargo.toml", "[package]\nname = \"a\"")], "cdylib");
        check(&[("plugin.toml", "name = \"a\"\ncomponent = \"../a.wasm\""), ("Cargo.toml", LIBRARY)], "beside it");
    }
}

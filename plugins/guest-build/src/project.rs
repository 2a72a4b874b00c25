//! A plugin's folder: `plugin.toml`, and what its `[build]` table is about: a cargo project, or a command and what it leaves.
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{Edge, cargo, compiler, component, lines};

/// What is read of `plugin.toml` here; the host checks the rest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PluginFile {
    /// The plugin's name.
    pub name: String,
    /// The component's file, beside the manifest.
    pub component: String,
    /// Its kind.
    #[serde(default)]
    pub kind: String,
    /// Version of the contract it is built against.
    #[serde(default)]
    pub contract: String,
    /// How it is made; a cargo project needs no word here.
    pub build: Option<BuildTable>,
}

/// The `[build]` table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct BuildTable {
    /// Run by `sh -c` in the folder.
    pub command: Option<String>,
    /// What the command leaves.
    pub module: Option<String>,
    /// What answers a core module's imports of `wasi_snapshot_preview1`.
    pub adapter: Option<String>,
    /// `rust` instead of the others.
    pub language: Option<String>,
}

/// A component that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Where it was written.
    pub component: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its imports and exports.
    pub edge: Edge,
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

impl PluginFile {
    /// Reads `plugin.toml` in a folder.
    pub fn read(folder: &Path) -> Result<PluginFile> {
        let path = folder.join("plugin.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let file: PluginFile = toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        if Path::new(&file.component).file_name().is_none_or(|name| name != file.component.as_str()) {
            bail!("{}: `component` must be the name of a file beside it, not `{}`", path.display(), file.component);
        }
        Ok(file)
    }
}

/// Builds the plugin in `folder` and writes the component its `plugin.toml` names. What the compiler says goes to `tell`,
/// line by line.
pub fn build_plugin(folder: &Path, tell: &mut dyn FnMut(&str)) -> Result<Built> {
    let file = PluginFile::read(folder)?;
    let bytes = match file.build.clone() {
        Some(BuildTable { command: Some(command), module: Some(module), adapter, language: None }) => {
            by_command(folder, &file, &command, &module, adapter.as_deref(), tell)?
        }
        Some(BuildTable { command: None, module: None, adapter: None, language: Some(language) }) if language == "rust" => {
            by_cargo(folder, tell)?
        }
        None if folder.join("Cargo.toml").is_file() => by_cargo(folder, tell)?,
        Some(_) | None => bail!(
            "{} does not say how the plugin is built: give a [build] table with `command` and `module`, or with `language = \"rust\"`",
            folder.join("plugin.toml").display()
        ),
    };
    let edge = Edge::read(&bytes)?;
    let component = folder.join(&file.component);
    component::write_whole(&component, &bytes)?;
    Ok(Built { component, bytes, edge })
}

fn by_cargo(folder: &Path, tell: &mut dyn FnMut(&str)) -> Result<Vec<u8>> {
    let project = Project::open(folder)?;
    let root = project.root()?;
    let packages = [project.package.clone()];
    let modules = cargo::build(&compiler::find()?, &root, &packages, &target_dir(&root, env::var_os("CARGO_TARGET_DIR")), tell)?;
    let core = modules.join(format!("{}.wasm", project.library));
    let bytes = fs::read(&core).with_context(|| format!("reading {}", core.display()))?;
    component::componentize(&bytes).with_context(|| component::no_plugin(&core))
}

/// Where an author's guests are compiled: apart from what cargo compiles natively, which it may be doing at the same time.
fn target_dir(root: &Path, named: Option<OsString>) -> PathBuf {
    named.filter(|name| !name.is_empty()).map_or_else(|| root.join("target"), |name| root.join(name)).join("guests")
}

fn by_command(
    folder: &Path,
    file: &PluginFile,
    command: &str,
    module: &str,
    adapter: Option<&str>,
    tell: &mut dyn FnMut(&str),
) -> Result<Vec<u8>> {
    let (path, adapter) = (within(folder, "module", module)?, adapter.map(|adapter| within(folder, "adapter", adapter)).transpose()?);
    let status = lines::run(Command::new("sh").args(["-c", command]).current_dir(folder), tell)?;
    if !status.success() {
        bail!("`{command}` failed ({status})");
    }
    let read = |path: &Path| fs::read(path).with_context(|| format!("`{command}` ended well, but {} cannot be read", path.display()));
    let (bytes, adapter) = (read(&path)?, adapter.as_deref().map(read).transpose()?);
    let made = component::of_kind(&bytes, &file.kind, &file.contract, adapter.as_deref());
    made.with_context(|| format!("{module} cannot be made a component"))
}

/// A path of `[build]`, which stays within the folder.
fn within(folder: &Path, key: &str, path: &str) -> Result<PathBuf> {
    if path.is_empty() || !Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        bail!("plugin.toml: build.{key}: `{path}` must be a path within the plugin's folder");
    }
    Ok(folder.join(path))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Project, build_plugin, target_dir};

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
            let error = format!("{:#}", build_plugin(place.path(), &mut |_| {}).unwrap_err());
            assert!(error.contains(expected), "{error}");
        };
        check(&[], "plugin.toml");
        check(&[("plugin.toml", "name = \"a\"")], "component");
        let manifest = "name = \"a\"\ncomponent = \"a.wasm\"";
        check(&[("plugin.toml", manifest)], "does not say how the plugin is built");
        check(&[("plugin.toml", &format!("{manifest}\n[build]\nlanguage = \"rust\""))], "Cargo.toml");
        let built = |command: &str, module: &str| {
            format!("{manifest}\nkind = \"drift-test\"\ncontract = \"0.1.0\"\n[build]\ncommand = \"{command}\"\nmodule = \"{module}\"")
        };
        check(&[("plugin.toml", &built("exit 3", "m.wasm"))], "`exit 3` failed (exit status: 3)");
        check(&[("plugin.toml", &built("true", "m.wasm"))], "`true` ended well, but");
        check(&[("plugin.toml", &built("true", "../m.wasm"))], "build.module: `../m.wasm` must be a path within");
        check(&[("plugin.toml", &built("echo hello > m.wasm", "m.wasm"))], "m.wasm cannot be made a component: it is not WebAssembly");
        check(&[("plugin.toml", manifest), ("Cargo.toml", "[package]\nname = \"a\"")], "cdylib");
        check(&[("plugin.toml", "name = \"a\"\ncomponent = \"../a.wasm\""), ("Cargo.toml", LIBRARY)], "beside it");
    }
    #[test]
    fn a_command_is_run_in_the_folder_and_its_component_taken() {
        let component = wat::parse_str("(component)").unwrap();
        let manifest = "name = \"a\"\ncomponent = \"a.wasm\"\nkind = \"drift-test\"\ncontract = \"0.1.0\"\n\
            [build]\ncommand = \"echo copying; mkdir -p build; cp given build/m.wasm\"\nmodule = \"build/m.wasm\"";
        let place = folder(&[("plugin.toml", manifest)]);
        std::fs::write(place.path().join("given"), &component).unwrap();
        let mut heard = Vec::new();
        let built = build_plugin(place.path(), &mut |line| heard.push(line.to_owned())).unwrap();
        assert_eq!((heard, &built.bytes), (vec!["copying".to_owned()], &component));
        assert_eq!(std::fs::read(place.path().join("a.wasm")).unwrap(), component);
        assert!(built.edge.is_component);
    }

    #[test]
    fn guests_have_a_folder_of_their_own() {
        let check = |named: Option<&str>, expected: &str| {
            assert_eq!(target_dir(Path::new("/p"), named.map(Into::into)), PathBuf::from(expected), "{named:?}");
        };
        check(None, "/p/target/guests");
        check(Some(""), "/p/target/guests");
        check(Some("/t"), "/t/guests");
        check(Some("out"), "/p/out/guests");
    }
}

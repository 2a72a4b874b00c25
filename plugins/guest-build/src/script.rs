//! For build scripts: several plugins of this workspace at once, and the lines that tell cargo when to come back.
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::project::Project;
use crate::{cargo, compiler, component};

/// Builds the plugins in `folders`, all of one workspace, and writes `$OUT_DIR/<folder name>.wasm` for each; returns the
/// paths in order. Prints the `rerun-if-changed` lines of every file cargo read. Quick when nothing changed.
pub fn for_build_script(folders: &[&str]) -> Result<Vec<PathBuf>> {
    let base = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").context("CARGO_MANIFEST_DIR is not set: call this from a build script")?);
    let out = PathBuf::from(env::var_os("OUT_DIR").context("OUT_DIR is not set: call this from a build script")?);
    let projects: Vec<Project> = folders.iter().map(|folder| Project::open(&base.join(folder))).collect::<Result<_>>()?;
    ensure!(!projects.is_empty(), "no plugin folders given");
    let root = projects[0].root()?;
    let packages: Vec<String> = projects.iter().map(|project| project.package.clone()).collect();
    let mut said = Vec::new();
    let built = cargo::build(&compiler::find()?, &root, &packages, &target_dir(&out), &mut |line| said.push(line.to_owned()));
    let modules = built.with_context(|| said.join("\n"))?;

    let mut sources = BTreeSet::from([root.join("Cargo.toml"), root.join("Cargo.lock")]);
    let mut components = Vec::new();
    for project in &projects {
        sources.insert(project.folder.join("Cargo.toml"));
        sources.extend(dependencies(&modules.join(format!("{}.d", project.library)))?);
        let name = project.folder.file_name().context("a plugin folder without a name")?;
        let component = out.join(name).with_extension("wasm");
        component::refresh(&modules.join(format!("{}.wasm", project.library)), &component)?;
        components.push(component);
    }
    for source in sources {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    Ok(components)
}

/// Where guests are compiled: `guests` in the outer target folder, shared by all its profiles. Of the outer build only
/// `OUT_DIR` (`<target>/<profile>/build/<package>/out`) is sure to be known.
fn target_dir(out: &Path) -> PathBuf {
    let build = out.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "build"));
    build.and_then(|folder| folder.ancestors().nth(2)).unwrap_or(out).join("guests")
}

/// The files a module was made from, out of the `.d` file cargo writes in the form of make: `module: file file`, with
/// `\ ` for a space. It names sources of path dependencies too, and the WIT files.
fn dependencies(path: &Path) -> Result<Vec<PathBuf>> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let list = text.lines().filter_map(|line| line.split_once(": ")).map(|(_, list)| list).next().unwrap_or_default();
    let marked = list.replace("\\ ", "\0");
    Ok(marked.split_whitespace().map(|file| PathBuf::from(file.replace('\0', " "))).collect())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{dependencies, target_dir};

    #[test]
    fn guests_share_one_folder_over_profiles() {
        let check = |out: &str, expected: &str| assert_eq!(target_dir(Path::new(out)), Path::new(expected), "{out}");
        check("/t/release/build/bundle-1a/out", "/t/guests");
        check("/t/debug/build/bundle-2b/out", "/t/guests");
        check("/t/x86_64-unknown-linux-gnu/debug/build/bundle-2b/out", "/t/x86_64-unknown-linux-gnu/guests");
        check("/elsewhere", "/elsewhere/guests");
    }

    #[test]
    fn dep_info_is_read_with_its_escapes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.d");
        std::fs::write(&path, "/t/a.wasm: /s/lib.rs /my\\ files/b.rs\n").unwrap();
        assert_eq!(dependencies(&path).unwrap(), [PathBuf::from("/s/lib.rs"), PathBuf::from("/my files/b.rs")]);
        assert!(dependencies(&folder.path().join("none.d")).is_err());
    }
}

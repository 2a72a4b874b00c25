//! Lists what `bellwether plugin new` writes, for `src/lib.rs` to include: the contract, and of each language with templates
//! the SDK's sources and the templates. What tools leave beside sources is passed over.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// Folders that tools make.
const MADE: [&str; 4] = ["node_modules", "target", "__pycache__", "dist"];

/// Endings of files that tools make.
const MADE_FILES: [&str; 4] = ["pyc", "wasm", "o", "partial"];

fn main() -> Result<()> {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").context("not a build script")?).join("../..").canonicalize()?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").context("not a build script")?);
    println!("cargo::rerun-if-changed=build.rs");
    // Cargo looks through a watched folder whole, tools' leavings too: watched are the files, and folders no tool writes to.
    // A new language is seen when the page that lists them changes.
    let page = root.join("sdk/README.md");
    if page.is_file() {
        println!("cargo::rerun-if-changed={}", page.display());
    }
    println!("cargo::rerun-if-changed={}", root.join("wit").display());

    let mut files = Vec::new();
    walk(&root, Path::new("wit"), &mut files)?;
    let mut languages: Vec<PathBuf> = std::fs::read_dir(root.join("sdk"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    languages.retain(|folder| folder.join("template").is_dir());
    languages.sort();
    for folder in languages {
        let language = folder.strip_prefix(&root)?;
        println!("cargo::rerun-if-changed={}", folder.join("template").display());
        let sources = if folder.join("Cargo.toml").is_file() { "src" } else { "bellwether" };
        walk(&root, &language.join(sources), &mut files)?;
        if folder.join("README.md").is_file() {
            println!("cargo::rerun-if-changed={}", folder.join("README.md").display());
            files.push(language.join("README.md"));
        }
        walk(&root, &language.join("template"), &mut files)?;
    }
    let vendored = out.join("sdk-rust-Cargo.toml");
    std::fs::write(&vendored, standalone(&root)?)?;

    let mut list = String::from("/// Paths from the repository's root, and contents.\npub(crate) const FILES: &[(&str, &[u8])] = &[\n");
    for file in &files {
        writeln!(list, "    ({:?}, include_bytes!({:?})),", shown(file)?, shown(&root.join(file))?)?;
    }
    writeln!(list, "    (\"sdk/rust/Cargo.toml\", include_bytes!({:?})),\n];", shown(&vendored)?)?;
    std::fs::write(out.join("files.rs"), list)?;
    Ok(())
}

/// Adds every file below a folder, sorted.
fn walk(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let path = root.join(folder);
    let mut names: Vec<_> = std::fs::read_dir(&path)
        .with_context(|| format!("reading {}", path.display()))?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<Result<_>>()?;
    names.sort();
    for name in names {
        let (below, word) = (folder.join(&name), name.to_string_lossy());
        let hidden = word.starts_with('.') && word != ".gitignore";
        if hidden || MADE.contains(&word.as_ref()) {
            continue;
        }
        if root.join(&below).is_dir() {
            walk(root, &below, files)?;
        } else if below.extension().is_none_or(|ending| !MADE_FILES.iter().any(|made| ending == *made)) {
            println!("cargo::rerun-if-changed={}", root.join(&below).display());
            files.push(below);
        }
    }
    Ok(())
}

fn shown(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}

/// The Rust SDK's manifest without its workspace: what it takes from there is written out.
fn standalone(root: &Path) -> Result<String> {
    let read = |path: &Path| -> Result<Table> {
        println!("cargo::rerun-if-changed={}", path.display());
        Ok(std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?.parse()?)
    };
    let workspace = read(&root.join("Cargo.toml"))?;
    let mut manifest = read(&root.join("sdk/rust/Cargo.toml"))?;
    let shared = |table: &str| workspace["workspace"][table].as_table().cloned().unwrap_or_default();
    manifest.remove("lints");
    inherit(manifest.get_mut("package"), &shared("package"))?;
    let dependencies = shared("dependencies");
    inherit(manifest.get_mut("dependencies"), &dependencies)?;
    for (_, target) in manifest.get_mut("target").and_then(Value::as_table_mut).into_iter().flatten() {
        inherit(target.get_mut("dependencies"), &dependencies)?;
    }
    Ok(format!("# The Bellwether SDK, as vendored by `bellwether plugin new`.\n{}", toml::to_string(&manifest)?))
}

/// Replaces `x.workspace = true` by the workspace's own `x`.
fn inherit(table: Option<&mut Value>, shared: &Table) -> Result<()> {
    for (name, value) in table.and_then(Value::as_table_mut).into_iter().flatten() {
        if value.get("workspace").is_none() {
            continue;
        }
        match shared.get(name) {
            Some(there) if value.as_table().is_some_and(|table| table.len() == 1) => *value = there.clone(),
            Some(_) => bail!("sdk/rust/Cargo.toml: `{name}` takes more than the workspace's word; write that into the workspace"),
            None => bail!("sdk/rust/Cargo.toml: the workspace has no `{name}`"),
        }
    }
    Ok(())
}

//! What `bellwether plugin new` writes: per language and kind a project's files, with the SDK and the contract beside them,
//! so that an author needs the host's binary and nothing of this repository.
//!
//! A project is the template's `common/` and the folder of its kind, the SDK and its manual in `bellwether/`, the contract in `wit/`.
//! Three words are replaced in texts and file names: `{{name}}` (`my-drift`), `{{snake}}` (`my_drift`) and `{{Pascal}}`
//! (`MyDrift`). This crate knows neither the host nor the languages; it only carries files.

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// A file of a project: its path in the project, and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path within the project, with `/` between its parts.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Languages there are templates for, in order.
pub fn languages() -> Vec<&'static str> {
    let mut found: Vec<&str> = templates().map(|(language, _, _)| language).collect();
    found.dedup();
    found
}

/// Kinds a language has a template of, in order.
pub fn kinds(language: &str) -> Vec<&'static str> {
    let mut found: Vec<&str> = templates().filter(|(of, kind, _)| *of == language && *kind != "common").map(|(_, kind, _)| kind).collect();
    found.dedup();
    found
}

/// The files of a new project, by path; none when there is no such template. `name` is in kebab case.
pub fn project(language: &str, kind: &str, name: &str) -> Option<Vec<File>> {
    if !kinds(language).contains(&kind) {
        return None;
    }
    let (snake, pascal) = (name.replace('-', "_"), pascal(name));
    let words = [("{{name}}", name), ("{{snake}}", &snake), ("{{Pascal}}", &pascal)];
    let filled = |text: &str| words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value));
    let mut files: Vec<File> = FILES
        .iter()
        .filter_map(|(path, bytes)| {
            if let Some(place) = template(path).filter(|(of, part, _)| *of == language && (*part == kind || *part == "common")) {
                let bytes = std::str::from_utf8(bytes).map_or_else(|_| bytes.to_vec(), |text| filled(text).into_bytes());
                return Some(File { path: filled(place.2), bytes });
            }
            Some(File { path: vendored(language, path)?, bytes: bytes.to_vec() })
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Some(files)
}

/// The contract's files, `(path below wit/, text)`, by path; of WASI only what it stands on.
pub fn contract() -> impl Iterator<Item = (&'static str, &'static str)> {
    let text = |(path, bytes): &(&'static str, &'static [u8])| Some((path.strip_prefix("wit/")?, std::str::from_utf8(bytes).ok()?));
    FILES.iter().filter_map(text).filter(|(path, _)| path.ends_with(".wit"))
}

/// Where a file of the contract or the SDK lies in a project. The Rust SDK's macros look for the contract two folders up.
fn vendored(language: &str, path: &str) -> Option<String> {
    if path.starts_with("wit/") {
        return Some(path.to_owned());
    }
    let below = path.strip_prefix("sdk/")?.strip_prefix(language)?.strip_prefix('/')?;
    if language == "rust" {
        return (!below.starts_with("template/")).then(|| format!("bellwether/sdk/{below}"));
    }
    match below {
        "README.md" => Some("bellwether/README.md".to_owned()),
        _ => below.starts_with("bellwether/").then(|| below.to_owned()),
    }
}

/// Language, kind (or `common`) and path within the project of every template file.
fn templates() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    FILES.iter().filter_map(|(path, _)| template(path))
}

fn template(path: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let (language, rest) = path.strip_prefix("sdk/")?.split_once('/')?;
    let (part, place) = rest.strip_prefix("template/")?.split_once('/')?;
    Some((language, part, place))
}

fn pascal(name: &str) -> String {
    let word = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    name.split('-').map(word).collect()
}

#[cfg(test)]
mod tests {
    use bellwether_plugin::Manifest;

    use super::{kinds, languages, pascal, project};

    #[test]
    fn every_template_is_a_whole_project_of_its_kind() {
        assert!(languages().contains(&"rust"), "{:?}", languages());
        for language in languages() {
            assert!(!kinds(language).is_empty(), "{language}");
            for kind in kinds(language) {
                let files = project(language, kind, "my-own").expect("listed");
                let text = |path: &str| {
                    let file = files.iter().find(|file| file.path == path);
                    let file = file.unwrap_or_else(|| panic!("{language} {kind} has no {path}"));
                    std::str::from_utf8(&file.bytes).expect("text")
                };
                let manifest = Manifest::parse(text("plugin.toml")).unwrap_or_else(|error| panic!("{language} {kind}: {error}"));
                assert_eq!((manifest.name.as_str(), manifest.kind.name()), ("my-own", kind), "{language}");
                assert!(manifest.build.is_some(), "{language} {kind} does not say how it is built");
                assert!(!text("README.md").is_empty() && !text(".gitignore").is_empty());
                assert!(files.iter().any(|file| file.path.starts_with("cases/")), "{language} {kind} has no case");
                assert!(files.iter().any(|file| file.path.starts_with("bellwether/")), "{language} {kind} has no SDK");
                assert!(files.iter().any(|file| file.path == "wit/types/types.wit"));
                for pair in files.windows(2) {
                    assert_ne!(pair[0].path, pair[1].path, "{language} {kind}");
                }
                for file in files.iter().filter(|file| !file.path.starts_with("bellwether/")) {
                    let text = String::from_utf8_lossy(&file.bytes);
                    for word in ["{{name}}", "{{snake}}", "{{Pascal}}"] {
                        assert!(!text.contains(word) && !file.path.contains(word), "{language} {kind}: {word} is left in {}", file.path);
                    }
                }
            }
        }
        assert!(project("rust", "drift", "a").is_none() && project("cobol", "model", "a").is_none());
    }

    #[test]
    fn the_vendored_sdk_for_rust_needs_no_workspace() {
        let files = project("rust", "drift-test", "a").expect("listed");
        let manifest = files.iter().find(|file| file.path == "bellwether/sdk/Cargo.toml").expect("a manifest");
        let text = String::from_utf8(manifest.bytes.clone()).expect("text");
        let table: toml::Table = text.parse().expect("TOML");
        assert!(!text.contains("workspace"), "{text}");
        assert_eq!(table["package"]["name"].as_str(), Some("bellwether-sdk"));
        assert!(table["dependencies"]["wit-bindgen"]["version"].is_str(), "{text}");
    }

    #[test]
    fn names_are_written_in_three_ways() {
        assert_eq!(pascal("my-drift-2"), "MyDrift2");
        let files = project("rust", "drift-test", "my-drift").expect("listed");
        let source = files.iter().find(|file| file.path == "src/lib.rs").expect("a source");
        assert!(String::from_utf8_lossy(&source.bytes).contains("MyDrift"));
    }
}

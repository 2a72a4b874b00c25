//! The house's own rules, held by reading its sources: openers, module order, sizes, names, one home per outside technology.
//!
//! Reading is by line and word, not by a parser: the formatter makes the sources regular enough. Where a rule has an honest
//! exception it stands here, with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bellwether_tests::repository;

/// Folders with code of ours.
const CODE: [&str; 5] = ["host", "plugins", "sdk", "tests", "examples"];

/// The crates of the host, a crate knows only those above it.
const LAYERS: [&str; 7] = ["domain", "compute", "onnx", "plugin", "store", "engine", "server"];

/// Outside technologies and the one crate that may name each.
const HOMES: [(&str, &str); 12] = [
    ("wasmtime", "host/plugin"),
    ("wasmtime-wasi", "host/plugin"),
    ("wasmtime-wasi-http", "host/plugin"),
    ("candle-core", "host/compute"),
    // Not safetensors: compute reads and writes it, onnx hands over in it.
    ("prost", "host/onnx"),
    ("sled", "host/store"),
    ("parquet", "host/store"),
    ("object_store", "host/store"),
    ("axum", "host/server"),
    ("utoipa", "host/server"),
    ("clap", "host/server"),
    ("tower-http", "host/server"),
];

/// (crate, module, module below it that it may name all the same): a value that owns the parts whose modules extend it.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    // `Host` owns a `Serving` and a `Board`; `serving` and `training` add the methods of `Host` that work on them.
    ("engine", "host", "serving"),
    ("engine", "host", "training"),
    // A guest's calls and the host's answers meet in wasmtime's `State`: what links them names both sides.
    ("plugin", "bindings", "host"),
    ("plugin", "engine", "state"),
    ("plugin", "state", "host"),
    ("plugin", "state", "model"),
    ("plugin", "call", "model"),
    // A manifest is checked for origins and for the contract's version; a grant is made of parsed manifests.
    ("plugin", "manifest", "contract"),
    ("plugin", "manifest", "grant"),
    ("plugin", "http", "grant"),
    // One place says how every noun is kept, also the nouns that feature modules bring.
    ("engine", "records", "alerting"),
    ("engine", "records", "monitoring"),
    ("engine", "records", "training"),
    // The token is part of what handlers share, and its check is a handler's.
    ("server", "app", "auth"),
    // A job's address begins with the prefix under which the router puts all routes.
    ("server", "routes", "router"),
];

/// Words that say nothing as the name of a module.
const EMPTY_NAMES: [&str; 8] = ["utils", "util", "helpers", "helper", "manager", "common", "misc", "mod"];

/// Most lines of a file without its tests.
const LINES_MAX: usize = 500;

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // What builds and tools leave is nobody's source.
        let made = ["target", "build", "node_modules", "__pycache__"].contains(&name.as_str()) || name.starts_with("target-");
        if path.is_symlink() || made || (path.is_dir() && name.starts_with('.') && name != ".ci") {
            continue;
        }
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let folder = repository().join(folder);
    if folder.is_dir() {
        walk(&folder, &mut found);
    }
    found
}

fn sources() -> Vec<PathBuf> {
    CODE.iter().flat_map(|folder| files(folder)).filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(repository()).unwrap_or(path).display().to_string()
}

/// A source without its inline tests, which come last.
fn without_tests(text: &str) -> &str {
    let starts = text.match_indices("\n#[cfg(test)]\n").map(|(place, _)| place);
    let inline = |place: &usize| text[*place..].lines().nth(2).is_some_and(|line| line.contains("mod ") && line.ends_with('{'));
    &text[..starts.into_iter().find(inline).unwrap_or(text.len())]
}

/// A source without tests and without comments.
fn code(text: &str) -> String {
    let bare: Vec<&str> = without_tests(text).lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    bare.join("\n")
}

#[track_caller]
fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn every_source_opens_with_what_it_is() {
    let sources = sources();
    assert!(sources.len() > 100, "{} sources found: the walk is broken", sources.len());
    let opened = |path: &PathBuf| {
        fs_err::read_to_string(path).unwrap().lines().next().is_some_and(|line| line.len() > 8 && line.starts_with("//! "))
    };
    none(sources.iter().filter(|path| !opened(path)).map(|path| format!("{} does not begin with a `//!` line", shown(path))).collect());
}

#[test]
fn files_stay_within_one_thought() {
    let long = |path: &PathBuf| {
        let text = fs_err::read_to_string(path).unwrap();
        let lines = without_tests(&text).lines().count();
        (lines > LINES_MAX).then(|| format!("{} has {lines} lines without its tests; split it by idea", shown(path)))
    };
    none(sources().iter().filter_map(long).collect());
}

#[test]
fn modules_have_names_that_say_something() {
    let bad = |path: &PathBuf| {
        let relative = path.strip_prefix(repository()).unwrap().with_extension("");
        let word = relative.iter().filter_map(|part| part.to_str()).find(|part| EMPTY_NAMES.contains(part)).map(str::to_owned);
        word.map(|word| format!("{}: `{word}` says nothing", shown(path)))
    };
    none(sources().iter().filter_map(bad).collect());
}

/// Modules of a crate in the order of its `lib.rs`, and what the root re-exports, by name.
fn modules(library: &str) -> (Vec<String>, BTreeMap<String, String>) {
    let (mut order, mut exported) = (Vec::new(), BTreeMap::new());
    for line in code(library).lines() {
        let words = line.trim().trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        if let Some(name) = words.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            order.push(name.to_owned());
        }
    }
    for path in uses(&code(library).replace("pub use ", "pub use crate::")) {
        if let Some((module, rest)) = path.split_once("::").filter(|(module, _)| order.iter().any(|known| known == module)) {
            exported.insert(rest.to_owned(), module.to_owned());
        }
    }
    (order, exported)
}

/// Every `crate::…` path of a text, groups spread out: `crate::{a::B, c::{D, E}}` gives `a::B`, `c::D`, `c::E`.
fn uses(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (place, _) in text.match_indices("crate::") {
        let own = !text[..place].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        if own {
            spread("", &text[place + "crate::".len()..], &mut found);
        }
    }
    found
}

/// Spreads the one path at the beginning of a text; returns what follows it.
fn spread<'a>(prefix: &str, text: &'a str, found: &mut Vec<String>) -> &'a str {
    let end = text.find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == ':')).unwrap_or(text.len());
    let (path, mut rest) = (format!("{prefix}{}", &text[..end]), &text[end..]);
    if !(path.is_empty() || path.ends_with("::")) || !rest.starts_with('{') {
        if !path.is_empty() {
            found.push(path);
        }
        return rest;
    }
    rest = rest[1..].trim_start();
    while !rest.is_empty() && !rest.starts_with('}') {
        let after = spread(&path, rest, found).trim_start();
        rest = match after.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if after.starts_with('}') => after,
            // `as _`, `*`: not a path; go on behind it.
            None => after.find([',', '}']).map_or("", |place| after[place..].trim_start_matches(',').trim_start()),
        };
    }
    rest.strip_prefix('}').unwrap_or(rest)
}

#[test]
fn paths_are_read_out_of_uses() {
    let check = |text: &str, expected: &[&str]| assert_eq!(uses(text), expected, "{text}");
    check("use crate::a::B;", &["a::B"]);
    check("use crate::{A, b::{C, d::E}, f};\nuse mycrate::x;", &["A", "b::C", "b::d::E", "f"]);
    check("crate::clock::now(), crate::Host", &["clock::now", "Host"]);
    check("use crate::{\n    a::B as C,\n    d,\n};", &["a::B", "d"]);
    let (order, exported) = modules("//! x\npub mod a;\nmod b;\npub use b::{C, D};\npub use a::E;\n");
    assert_eq!(order, ["a", "b"]);
    assert_eq!(exported["D"], "b");
}

#[test]
fn a_module_uses_only_modules_above_it() {
    let (mut problems, mut needed) = (Vec::new(), BTreeSet::new());
    for layer in LAYERS {
        let source = repository().join("host").join(layer).join("src");
        let (order, exported) = modules(&fs_err::read_to_string(source.join("lib.rs")).unwrap());
        assert!(order.len() >= 3, "{layer}: the modules were not found");
        let place = |name: &str| order.iter().position(|known| known == name);
        for path in files(&format!("host/{layer}/src")) {
            let relative = path.strip_prefix(&source).unwrap().with_extension("");
            let own = relative.iter().next().unwrap().to_str().unwrap();
            let is_test = relative.iter().any(|part| part == "tests");
            let Some(rank) = place(own).filter(|_| !is_test) else { continue };
            let used = uses(&code(&fs_err::read_to_string(&path).unwrap()));
            let named: BTreeSet<String> = used
                .into_iter()
                .filter_map(|path| {
                    let first = path.split("::").next().unwrap_or_default().to_owned();
                    if place(&first).is_some() { Some(first) } else { exported.get(&path).or_else(|| exported.get(&first)).cloned() }
                })
                .collect();
            for name in named {
                let below = place(&name).is_some_and(|other| other > rank);
                match EXCEPTIONS.iter().find(|exception| **exception == (layer, own, name.as_str())) {
                    _ if !below => {}
                    Some(exception) => drop(needed.insert(*exception)),
                    None => problems
                        .push(format!("{}: module `{own}` uses `{name}`, which host/{layer}/src/lib.rs lists below it", shown(&path))),
                }
            }
        }
    }
    problems.extend(
        EXCEPTIONS
            .iter()
            .filter(|exception| !needed.contains(*exception))
            .map(|exception| format!("{exception:?} is no exception any more")),
    );
    none(problems);
}

/// Names of all dependencies of a manifest, also those for builds and tests.
fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let table: toml::Table = fs_err::read_to_string(manifest).unwrap().parse().unwrap();
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"].iter().filter_map(|section| table.get(*section)?.as_table());
    sections.flat_map(|section| section.keys().cloned().collect::<Vec<_>>()).collect()
}

#[test]
fn an_outside_technology_has_one_home() {
    let manifests: Vec<PathBuf> =
        CODE.iter().flat_map(|folder| files(folder)).filter(|path| path.file_name().is_some_and(|name| name == "Cargo.toml")).collect();
    let mut problems = Vec::new();
    for (technology, home) in HOMES {
        let users: Vec<String> = manifests
            .iter()
            .filter(|manifest| dependencies(manifest).contains(technology))
            .map(|manifest| shown(manifest.parent().unwrap()))
            .collect();
        if users != [home] {
            problems.push(format!("`{technology}` is used by {users:?}; its one home is {home}"));
        }
    }
    none(problems);
}

#[test]
fn a_crate_knows_only_those_above_it() {
    let mut problems = Vec::new();
    for (rank, layer) in LAYERS.iter().enumerate() {
        let known = dependencies(&repository().join("host").join(layer).join("Cargo.toml"));
        let below = LAYERS[rank + 1..].iter().filter(|other| known.contains(&format!("bellwether-{other}")));
        problems.extend(below.map(|other| format!("host/{layer} depends on host/{other}, which lies below it")));
    }
    none(problems);
}

#[test]
fn sled_is_named_in_one_module() {
    // The module of that name is no other than its home.
    let names = |path: &PathBuf| {
        let text = code(&fs_err::read_to_string(path).unwrap()).replace("super::sled", "").replace("self::sled", "");
        text.contains("sled::") || text.contains("use sled")
    };
    let users = sources().into_iter().filter(|path| path.starts_with(repository().join("host")) && names(path));
    assert_eq!(users.map(|path| shown(&path)).collect::<Vec<_>>(), ["host/store/src/records/sled.rs"]);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    // Written in halves, so that this file passes.
    let marks = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("crates.io", "/api"), concat!("static.", "crates")];
    let mut all = Vec::new();
    walk(repository(), &mut all);
    let mut problems = Vec::new();
    for path in all {
        let Ok(text) = fs_err::read_to_string(&path) else { continue };
        problems.extend(marks.iter().filter(|mark| text.contains(**mark)).map(|mark| format!("{} contains `{mark}`", shown(&path))));
    }
    none(problems);
}

#[test]
fn the_root_lists_every_dependency_with_its_reason() {
    let text = fs_err::read_to_string(repository().join("Cargo.toml")).unwrap();
    let section = text.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let bare = section.lines().filter(|line| line.contains('=') && !line.contains("path =") && !line.contains(" # "));
    none(bare.map(|line| format!("no reason behind: {line}")).collect());
}

//! What a component must look like to be a plugin of its kind: a component at all, the exports of its world, imports the
//! host has, and all of it at a version this host speaks. Every refusal names what was found and what would be right.

use bellwether_domain::suggest;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::manifest::{Kind, Manifest, version};

/// The version of the contract in `wit/`: that of its newest package.
pub(crate) const VERSION: &str = "0.2.0";

/// Versions of the contract as a whole that manifests may name, newest first. Each stands for its whole track.
const SPOKEN: [&str; 2] = [VERSION, "0.1.0"];

/// WASI packages of which a component gets the empty kind.
const EMPTY_WASI: [&str; 6] = ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// Interfaces of types only: nothing is granted with them.
const TYPES: [&str; 2] = ["bellwether:types/common", "bellwether:nn/network"];

/// Names of a component's imports and exports.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shape {
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
}

impl Shape {
    pub(crate) fn of(engine: &Engine, component: &Component) -> Shape {
        let shape = component.component_type();
        Shape {
            imports: shape.imports(engine).map(|(name, _)| name.to_owned()).collect(),
            exports: shape.exports(engine).map(|(name, _)| name.to_owned()).collect(),
        }
    }

    /// Whether it imports an interface, in any version.
    pub(crate) fn has_import(&self, interface: &str) -> bool {
        self.imports.iter().any(|import| unversioned(import) == interface)
    }

    /// Whether it exports an interface in the track `0.1`, and so on, and in no newer one.
    pub(crate) fn speaks(&self, interface: &str, track: &str) -> bool {
        let mut exported = self.exports.iter().filter(|export| unversioned(export) == interface).peekable();
        exported.peek().is_some() && exported.all(|export| version_of(export).strip_prefix(track).is_some_and(|rest| rest.starts_with('.')))
    }

    /// Whether it exports an interface, in any version.
    pub(crate) fn has_export(&self, interface: &str) -> bool {
        self.exports.iter().any(|export| unversioned(export) == interface)
    }
}

/// Versions of an interface this host has, newest first.
pub(crate) fn versions_of(interface: &str) -> &'static [&'static str] {
    match interface {
        "bellwether:deploy/strategy" => &["0.2.0", "0.1.0"],
        _ => &["0.1.0"],
    }
}

/// What a kind's component must export.
pub(crate) fn exports_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Model => &["bellwether:types/plugin", "bellwether:model/planner"],
        Kind::DriftTest => &["bellwether:types/plugin", "bellwether:drift/test"],
        Kind::DriftDetector => &["bellwether:types/plugin", "bellwether:drift/detector"],
        Kind::AlertHandler => &["bellwether:types/plugin", "bellwether:alert/handler"],
        Kind::DeploymentStrategy => &["bellwether:types/plugin", "bellwether:deploy/strategy"],
    }
}

/// What a kind's component may import, beside WASI.
fn imports_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Model => {
            &["bellwether:host/log", "bellwether:host/data", "bellwether:host/stats", "bellwether:host/random", "bellwether:host/progress"]
        }
        Kind::DriftTest => &["bellwether:host/log", "bellwether:host/data", "bellwether:host/stats", "bellwether:host/random"],
        Kind::DriftDetector | Kind::DeploymentStrategy => &["bellwether:host/log", "bellwether:host/stats"],
        Kind::AlertHandler => {
            &["bellwether:host/log", "bellwether:host/clock", "bellwether:host/secrets", "wasi:http/outgoing-handler", "wasi:http/types"]
        }
    }
}

/// Every kind.
pub(crate) const KINDS: [Kind; 5] = [Kind::Model, Kind::DriftTest, Kind::DriftDetector, Kind::AlertHandler, Kind::DeploymentStrategy];

/// Whether the bytes can be a component at all; told before the compiler is asked.
pub(crate) fn check_bytes(bytes: &[u8]) -> Result<(), String> {
    let made = "make one with the SDK, or with `wasm-tools component new`";
    match (bytes.get(..4), bytes.get(4..8)) {
        (Some(b"\0asm"), Some([0x0d, 0, 1, 0])) => Ok(()),
        (Some(b"\0asm"), Some([1, 0, 0, 0])) => Err(format!("it is a core WebAssembly module, not a component; {made}")),
        (Some(b"\0asm"), Some(_)) => Err("it is WebAssembly of a binary format this host does not know".to_owned()),
        (Some(b"\0asm"), None) => Err("it is truncated: it ends within its first 8 bytes".to_owned()),
        _ if bytes.trim_ascii_start().starts_with(b"(") => Err(format!("it is WebAssembly text, not a binary component; {made}")),
        _ => Err(format!("it is not WebAssembly: it does not begin with \\0asm; {made}")),
    }
}

/// Whether the manifest's contract is one this host speaks.
pub(crate) fn check_version(manifest: &Manifest) -> Result<(), String> {
    let named = &manifest.contract;
    if speaks(named, &SPOKEN) { Ok(()) } else { Err(foreign("its manifest says that it was", named, &SPOKEN)) }
}

/// Whether a component is a plugin of its kind.
pub(crate) fn check_shape(kind: Kind, shape: &Shape) -> Result<(), String> {
    exports_of(kind).iter().try_for_each(|wanted| check_export(kind, shape, wanted))?;
    shape.imports.iter().try_for_each(|import| check_import(kind, import))
}

fn check_export(kind: Kind, shape: &Shape, wanted: &str) -> Result<(), String> {
    let spoken = versions_of(wanted);
    let found: Vec<&str> = shape.exports.iter().filter(|export| unversioned(export) == wanted).map(String::as_str).collect();
    if found.iter().any(|export| speaks(version_of(export), spoken)) {
        return Ok(());
    }
    if let Some(export) = found.first() {
        return Err(foreign(&format!("it exports `{export}` and was"), version_of(export), spoken));
    }
    let other = KINDS.into_iter().find(|other| *other != kind && exports_of(*other).iter().skip(1).all(|export| shape.has_export(export)));
    let hint = match other {
        Some(other) => format!("; its exports are those of kind `{other}`"),
        None if shape.exports.is_empty() => "; it exports nothing".to_owned(),
        None => format!("; it exports {}", shape.exports.join(", ")),
    };
    Err(format!("it does not export `{wanted}@{}`, which kind `{kind}` must{hint}", spoken[0]))
}

fn check_import(kind: Kind, import: &str) -> Result<(), String> {
    let (name, version) = (unversioned(import), version_of(import));
    let known = imports_of(kind).contains(&name) || TYPES.contains(&name);
    if name.starts_with("wasi:") {
        if EMPTY_WASI.iter().any(|package| name.starts_with(package)) || known {
            return if version.starts_with("0.2.") { Ok(()) } else { Err(format!("it imports `{import}`; this host has WASI 0.2 only")) };
        }
    } else if known {
        let spoken = versions_of(name);
        return if speaks(version, spoken) { Ok(()) } else { Err(foreign(&format!("it imports `{import}` and was"), version, spoken)) };
    }
    let near = suggest::nearest(name, imports_of(kind).iter().copied()).unwrap_or_default();
    Err(format!("it imports `{import}`, which kind `{kind}` does not have; {near}"))
}

fn foreign(who: &str, version: &str, spoken: &[&str]) -> String {
    let version = if version.is_empty() { "no version" } else { version };
    format!("{who} built against {version} of the contract; this host speaks {}", spoken.join(" and "))
}

/// On the track of one of these (before 1.0 that is major and minor), and not newer than it.
fn speaks(text: &str, spoken: &[&str]) -> bool {
    let on_track = |own: [u64; 3]| version(text).is_some_and(|theirs| theirs[..2] == own[..2] && theirs[2] <= own[2]);
    !text.contains('-') && spoken.iter().filter_map(|own| version(own)).any(on_track)
}

fn unversioned(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

/// What follows the `@` of a name.
pub(crate) fn version_of(name: &str) -> &str {
    name.split_once('@').map_or("", |(_, version)| version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_told_apart() {
        let module = wat::parse_str("(module)").expect("module");
        let component = wat::parse_str("(component)").expect("component");
        for (bytes, expected) in [
            (&b"hello"[..], Some("not WebAssembly")),
            (b"", Some("not WebAssembly")),
            (b"(module)", Some("text")),
            (b"\0asm\x01", Some("truncated")),
            (b"\0asm\x09\x00\x00\x00", Some("binary format")),
            (&module, Some("core WebAssembly module")),
            (&component, None),
        ] {
            match (check_bytes(bytes), expected) {
                (Ok(()), None) => {}
                (Err(why), Some(part)) => assert!(why.contains(part), "{why}"),
                (found, expected) => panic!("{found:?} against {expected:?}"),
            }
        }
    }

    #[test]
    fn a_shape_must_be_that_of_its_kind() {
        let check = |kind: Kind, imports: &[&str], exports: &[&str], expected: Option<&str>| {
            let owned = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
            match (check_shape(kind, &Shape { imports: owned(imports), exports: owned(exports) }), expected) {
                (Ok(()), None) => {}
                (Err(why), Some(part)) => assert!(why.contains(part), "{why}"),
                (found, expected) => panic!("{found:?} against {expected:?}"),
            }
        };
        let plugin = "bellwether:types/plugin@0.1.0";
        let test = "bellwether:drift/test@0.1.0";
        check(Kind::DriftTest, &["bellwether:host/log@0.1.0", "wasi:io/poll@0.2.6"], &[plugin, test], None);
        check(Kind::DriftTest, &[], &[plugin], Some("does not export `bellwether:drift/test@0.1.0`"));
        check(Kind::DriftTest, &[], &[test], Some("does not export `bellwether:types/plugin@0.1.0`"));
        check(Kind::Model, &[], &[plugin, test], Some("its exports are those of kind `drift-test`"));
        check(
            Kind::DriftTest,
            &[],
            &[plugin, "bellwether:drift/test@0.9.0"],
            Some("built against 0.9.0 of the contract; this host speaks 0.1.0"),
        );
        check(Kind::DriftTest, &["bellwether:host/log@0.9.0"], &[plugin, test], Some("built against 0.9.0"));
        check(Kind::DriftTest, &["bellwether:host/clock@0.1.0"], &[plugin, test], Some("imports `bellwether:host/clock@0.1.0`"));
        check(Kind::DriftTest, &["bellwether:host/dta@0.1.0"], &[plugin, test], Some("did you mean `bellwether:host/data`?"));
        check(Kind::DriftTest, &["wasi:http/outgoing-handler@0.2.12"], &[plugin, test], Some("does not have"));
        check(Kind::DriftTest, &["wasi:io/poll@0.3.0"], &[plugin, test], Some("WASI 0.2 only"));
        check(Kind::DriftTest, &["wasi:keyvalue/store@0.2.0"], &[plugin, test], Some("wasi:keyvalue/store"));
        check(Kind::DeploymentStrategy, &[], &[plugin, "bellwether:deploy/strategy@0.1.0"], None);
        check(Kind::DeploymentStrategy, &[], &[plugin, "bellwether:deploy/strategy@0.2.0"], None);
        let newer = "bellwether:deploy/strategy@0.3.0";
        check(Kind::DeploymentStrategy, &[], &[plugin, newer], Some("against 0.3.0 of the contract; this host speaks 0.2.0 and 0.1.0"));
        let alert = [plugin, "bellwether:alert/handler@0.1.0"];
        check(
            Kind::AlertHandler,
            &["wasi:http/outgoing-handler@0.2.12", "wasi:http/types@0.2.12", "bellwether:host/clock@0.1.0"],
            &alert,
            None,
        );
    }
}

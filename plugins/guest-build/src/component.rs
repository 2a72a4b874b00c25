//! Core module to component.
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wasmparser::Validator;
use wit_component::ComponentEncoder;

use crate::edge::Edge;
use crate::world;

/// The module name of WASI's first preview, which an adapter stands in for.
const PREVIEW1: &str = "wasi_snapshot_preview1";

/// Wraps a core module as a component. What it exports and imports is read from the sections `wit-bindgen` left in it;
/// the result is validated, and imports the module never calls are gone.
pub fn componentize(core: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default().validate(true).module(core)?.encode()
}

/// Makes what a compiler left into a component of its plugin's kind: a component is validated and stays as it is; a core
/// module gets the types of its world, if it has none, and an adapter, if it needs one.
pub fn of_kind(bytes: &[u8], kind: &str, contract: &str, adapter: Option<&[u8]>) -> Result<Vec<u8>> {
    let edge = Edge::read(bytes)?;
    if edge.is_component {
        if adapter.is_some() {
            bail!("it is a component already: leave out build.adapter, which is for core modules");
        }
        Validator::new().validate_all(bytes).context("it is a component that is not valid")?;
        return Ok(bytes.to_vec());
    }
    let mut module = bytes.to_vec();
    if !edge.has_types {
        world::embed(&mut module, kind, contract, &edge.exports)?;
    }
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true);
    match (adapter, edge.imports.iter().any(|import| import == PREVIEW1)) {
        (Some(adapter), true) => {
            let adapter = wat::parse_bytes(adapter).context("the adapter is no WebAssembly module, binary or text")?;
            // The module's own allocator may not be ready when the adapter needs memory.
            encoder.realloc_via_memory_grow(true);
            encoder.adapter(PREVIEW1, &adapter).context("the adapter cannot be used")?;
        }
        (None, true) => bail!("it imports {PREVIEW1}: name a module that answers those imports as build.adapter in plugin.toml"),
        (_, false) => {}
    }
    let encoded = encoder.module(&module).and_then(|encoder| encoder.encode());
    encoded.with_context(|| format!("it does not fit the world of kind `{kind}`, contract {contract}"))
}

/// Writes a file whole: a reader sees the old or the new one, never half.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = path.with_extension("wasm.partial");
    fs::write(&partial, bytes).with_context(|| format!("writing {}", partial.display()))?;
    fs::rename(&partial, path).with_context(|| format!("writing {}", path.display()))
}

/// Componentizes the file `core` into `component`, unless that is newer already.
pub(crate) fn refresh(core: &Path, component: &Path) -> Result<()> {
    let modified = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    if let (Some(source), Some(made)) = (modified(core), modified(component))
        && made >= source
    {
        return Ok(());
    }
    let bytes = fs::read(core).with_context(|| format!("reading {}", core.display()))?;
    let encoded = componentize(&bytes).with_context(|| no_plugin(core))?;
    write_whole(component, &encoded)
}

/// What is likely wrong with a Rust module that is no plugin.
pub(crate) fn no_plugin(core: &Path) -> String {
    format!("{} is not a plugin: does its lib.rs call bellwether_sdk::register!, and has its Cargo.toml crate-type cdylib?", core.display())
}

#[cfg(test)]
mod tests {
    use super::{componentize, of_kind, refresh};
    use crate::edge::Edge;

    /// A core module of a detector that nobody's bindings made: named as the canonical ABI wants it, without types.
    const DETECTOR: &str = r#"(module
        (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export "bellwether:types/plugin@0.1.0#describe") (result i32) (drop (call $yield)) unreachable)
        (func (export "bellwether:drift/detector@0.1.0#start") (param i32 i32) (result i32) unreachable)
        (func (export "bellwether:drift/detector@0.1.0#update") (param i32 i32 i32 i32 i32 i32) (result i32) unreachable))"#;

    const ADAPTER: &str = r#"(module (func (export "sched_yield") (result i32) (i32.const 0)))"#;

    #[test]
    fn a_bare_module_gets_the_world_of_its_kind_and_its_adapter() {
        let core = wat::parse_str(DETECTOR).unwrap();
        let component = of_kind(&core, "drift-detector", "0.1.0", Some(ADAPTER.as_bytes())).unwrap();
        let edge = Edge::read(&component).unwrap();
        // The adapter has answered what it imported of WASI; what is left is the world's types.
        assert!(edge.is_component && edge.imports == ["bellwether:types/common@0.1.0"], "{edge:?}");
        assert_eq!(edge.exports, ["bellwether:types/plugin@0.1.0", "bellwether:drift/detector@0.1.0"]);
        assert_eq!(of_kind(&component, "drift-detector", "0.1.0", None).unwrap(), component, "a component stays as it is");
    }

    #[test]
    fn mistakes_are_named() {
        let check = |core: &str, kind: &str, adapter: Option<&str>, expected: &str| {
            let core = wat::parse_str(core).unwrap();
            let error = format!("{:#}", of_kind(&core, kind, "0.1.0", adapter.map(str::as_bytes)).unwrap_err());
            assert!(error.contains(expected), "{error}");
        };
        check(DETECTOR, "drift-detector", None, "name a module that answers those imports as build.adapter");
        check(DETECTOR, "drift-detector", Some("(module"), "the adapter is no WebAssembly module");
        check(DETECTOR, "drift-test", Some(ADAPTER), "it does not fit the world of kind `drift-test`");
        check("(component)", "drift-test", Some(ADAPTER), "leave out build.adapter");
        assert!(format!("{:#}", of_kind(b"hello", "drift-test", "0.1.0", None).unwrap_err()).contains("not WebAssembly"));
    }

    #[test]
    fn a_module_without_a_world_is_refused_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let core = folder.path().join("core.wasm");
        std::fs::write(&core, b"no wasm").unwrap();
        let error = refresh(&core, &folder.path().join("out.wasm")).unwrap_err();
        assert!(format!("{error:#}").contains("register!"), "{error:#}");
        assert!(!folder.path().join("out.wasm").exists());
    }

    #[test]
    fn an_empty_module_becomes_an_empty_component() {
        let core = wat::parse_str("(module)").unwrap();
        let component = componentize(&core).unwrap();
        assert_eq!(&component[..8], b"\0asm\x0d\0\x01\0");
    }

    #[test]
    fn a_component_is_made_again_only_when_its_core_is_newer() {
        let folder = tempfile::tempdir().unwrap();
        let (core, out) = (folder.path().join("core.wasm"), folder.path().join("out.wasm"));
        std::fs::write(&core, wat::parse_str("(module)").unwrap()).unwrap();
        refresh(&core, &out).unwrap();
        std::fs::write(&out, b"marker").unwrap();
        refresh(&core, &out).unwrap();
        assert_eq!(std::fs::read(&out).unwrap(), b"marker");
        let later = std::fs::metadata(&out).unwrap().modified().unwrap() + std::time::Duration::from_secs(10);
        std::fs::File::options().write(true).open(&core).unwrap().set_modified(later).unwrap();
        refresh(&core, &out).unwrap();
        assert_ne!(std::fs::read(&out).unwrap(), b"marker");
    }
}

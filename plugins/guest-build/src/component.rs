//! Core module to component.
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wit_component::ComponentEncoder;

/// Wraps a core module as a component. What it exports and imports is read from the sections `wit-bindgen` left in it;
/// the result is validated, and imports the module never calls are gone.
pub fn componentize(core: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default().validate(true).module(core)?.encode()
}

/// Componentizes the file `core` into `component`, unless that is newer already. Replaces it whole: a reader never sees half.
pub(crate) fn refresh(core: &Path, component: &Path) -> Result<()> {
    let modified = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    if let (Some(source), Some(made)) = (modified(core), modified(component))
        && made >= source
    {
        return Ok(());
    }
    let bytes = fs::read(core).with_context(|| format!("reading {}", core.display()))?;
    let encoded = componentize(&bytes).with_context(|| {
        format!(
            "{} is not a plugin: does its lib.rs call bellwether_sdk::register!, and has its Cargo.toml crate-type cdylib?",
            core.display()
        )
    })?;
    let partial = component.with_extension("wasm.partial");
    fs::write(&partial, encoded).with_context(|| format!("writing {}", partial.display()))?;
    fs::rename(&partial, component).with_context(|| format!("writing {}", component.display()))
}

#[cfg(test)]
mod tests {
    use super::{componentize, refresh};

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

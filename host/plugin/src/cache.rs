//! Compiled components on disk, so that a start costs milliseconds and not seconds.
//!
//! A compiled component is native code: loading a forged one would run it outside the sandbox. So an entry is believed only
//! in a folder that belongs to this process's user and that no one else may write to, and only if it begins with our mark and
//! its length and SHA-256 agree. Whatever is wrong with an entry, the component is compiled anew; the cache is never a reason
//! to fail. An entry's name is the component's digest and wasmtime's own account of engine, settings and processor. Entries
//! are written beside their place and renamed into it, so that none is ever seen half written or changed under a reader.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

const MARK: &[u8; 16] = b"bellwether-cwasm";
const HEAD: usize = MARK.len() + 8 + 32;

/// A folder of compiled components; none when it cannot be trusted.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// The cache in `folder`, made if absent. An empty path means no cache.
    pub(crate) fn open(folder: &Path) -> Cache {
        if folder.as_os_str().is_empty() {
            return Cache { folder: None };
        }
        match trusted(folder) {
            Ok(()) => Cache { folder: Some(folder.to_owned()) },
            Err(why) => {
                tracing::warn!("compiled plugins are not cached in {}: {why}", folder.display());
                Cache { folder: None }
            }
        }
    }

    /// The component, from the cache or compiled and put there, and whether it was there. `digest` is the SHA-256 of `bytes`,
    /// in hex.
    pub(crate) fn component(&self, engine: &Engine, bytes: &[u8], digest: &str) -> wasmtime::Result<(Component, bool)> {
        let compile = || Ok((Component::from_binary(engine, bytes)?, false));
        let Some(folder) = &self.folder else { return compile() };
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let path = folder.join(format!("{digest}-{:016x}.cwasm", hasher.finish()));
        if let Some(component) = read(&path).and_then(|compiled| load(engine, &compiled)) {
            return Ok((component, true));
        }
        let compiled = engine.precompile_component(bytes)?;
        if let Err(error) = write(&path, &compiled) {
            tracing::warn!("{} could not be written: {error}", path.display());
        }
        // What an engine compiled and does not take is beyond its limits; the plain way says which.
        load(engine, &compiled).map_or_else(compile, |component| Ok((component, false)))
    }
}

#[expect(unsafe_code, reason = "the bytes are those this engine compiled: just now, or checked by `read` in a folder only we write to")]
fn load(engine: &Engine, compiled: &[u8]) -> Option<Component> {
    // SAFETY: `deserialize` asks for bytes made by `precompile_component`. They come from that call in this process, or from
    // a file whose digest matches what such a call wrote, in a folder no other user can write to. Files of another wasmtime,
    // other settings or another processor are refused by wasmtime itself.
    unsafe { Component::deserialize(engine, compiled) }.ok()
}

/// What an entry holds, if it is whole.
fn read(path: &Path) -> Option<Vec<u8>> {
    let mut entry = std::fs::read(path).ok()?;
    let (head, compiled) = entry.split_at_checked(HEAD)?;
    let (mark, rest) = head.split_at(MARK.len());
    let (length, digest) = rest.split_at(8);
    let whole = mark == MARK && length == (compiled.len() as u64).to_le_bytes() && digest == Sha256::digest(compiled).as_slice();
    if !whole {
        tracing::warn!("{} is damaged; the component is compiled anew", path.display());
        return None;
    }
    entry.drain(..HEAD);
    Some(entry)
}

fn write(path: &Path, compiled: &[u8]) -> std::io::Result<()> {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let temporary = path.with_extension(format!("{}-{}.new", std::process::id(), WRITES.fetch_add(1, Ordering::Relaxed)));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(MARK)?;
        file.write_all(&(compiled.len() as u64).to_le_bytes())?;
        file.write_all(&Sha256::digest(compiled))?;
        file.write_all(compiled)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    });
    if written.is_err() {
        // What could not be written is removed as far as that can be done; the first error is the one to tell.
        std::fs::remove_file(&temporary).ok();
    }
    written
}

/// Makes the folder if it is absent; says why it cannot be trusted.
fn trusted(folder: &Path) -> Result<(), String> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| error.to_string())?;
    let metadata = std::fs::symlink_metadata(folder).map_err(|error| error.to_string())?;
    if !metadata.is_dir() {
        return Err("it is not a folder".to_owned());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err("it belongs to another user".to_owned());
        }
        if metadata.mode() & 0o022 != 0 {
            return Err("others may write to it; `chmod go-w` it".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> Vec<PathBuf> {
        std::fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path()).collect()
    }

    #[test]
    fn a_damaged_entry_is_compiled_anew() {
        let folder = tempfile::tempdir().expect("folder");
        let folder = folder.path().join("cache");
        let engine = Engine::default();
        let bytes = wat::parse_str("(component)").expect("component");
        let make = || Cache::open(&folder).component(&engine, &bytes, "d").expect("component").1;
        assert!(!make(), "compiled");
        assert!(make(), "from the cache");
        let [path] = &entries(&folder)[..] else { panic!("one entry") };
        let good = std::fs::read(path).expect("entry");
        assert!(read(path).is_some());

        let mut flipped = good.clone();
        *flipped.last_mut().expect("bytes") ^= 1;
        for damaged in [&flipped[..], &good[..good.len() / 2], b"", b"something else entirely"] {
            std::fs::write(path, damaged).expect("damage");
            assert!(read(path).is_none());
            assert!(!make(), "compiled anew");
            assert_eq!(std::fs::read(path).expect("entry").len(), good.len());
            assert!(read(path).is_some());
        }
        assert_eq!(entries(&folder).len(), 1, "no temporary file stays");
    }

    #[test]
    fn another_engines_entry_is_not_used() {
        let folder = tempfile::tempdir().expect("folder");
        let bytes = wat::parse_str("(component)").expect("component");
        let cache = Cache::open(&folder.path().join("cache"));
        cache.component(&Engine::default(), &bytes, "d").expect("component");
        let ticking = Engine::new(wasmtime::Config::new().epoch_interruption(true)).expect("engine");
        cache.component(&ticking, &bytes, "d").expect("component");
        assert_eq!(entries(&folder.path().join("cache")).len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_open_to_others_is_not_trusted() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let folder = tempfile::tempdir().expect("folder");
        let open = folder.path().join("open");
        std::fs::create_dir(&open).expect("folder");
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).expect("permissions");
        assert!(trusted(&open).expect_err("open").contains("others may write"));
        let own = folder.path().join("own");
        trusted(&own).expect("own");
        assert_eq!(std::fs::metadata(&own).expect("metadata").mode() & 0o777, 0o700);
        let engine = Engine::default();
        let bytes = wat::parse_str("(component)").expect("component");
        Cache::open(&open).component(&engine, &bytes, "d").expect("compiled without the cache");
        assert!(entries(&open).is_empty());
    }
}

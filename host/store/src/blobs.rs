//! Content-addressed blobs: the name of a blob is the SHA-256 of its bytes. The only home of object_store.
//!
//! A blob lies at `sha256/ab/cdef…`. It is written under another name, synced, renamed, and its folder synced, by
//! object_store with `fsync`; so a blob is there whole or not at all. Names say what the bytes must be: each read is checked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bellwether_domain::{Error, Result};
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, path};
use sha2::{Digest, Sha256};

use crate::leftovers::{self, Writing};
use crate::{blocking, durable, failure};

/// The blob store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs {
    folder: Arc<PathBuf>,
    store: Arc<dyn ObjectStore>,
}

impl Blobs {
    /// Blobs in a folder, created if needed. Unfinished files of a writer that died are removed.
    pub fn folder(path: &Path) -> Result<Blobs> {
        durable::create_folder(path)?;
        // object_store writes to `<name>#<number>` before it renames.
        leftovers::sweep(path, 2, |name| name.rsplit_once('#').is_some_and(|(_, number)| number.parse::<u32>().is_ok()));
        let store = LocalFileSystem::new_with_prefix(path).map_err(|error| failure::caused_by("open the blobs", path, &error))?;
        Ok(Blobs { folder: Arc::new(path.to_owned()), store: Arc::new(store.with_fsync(true)) })
    }

    /// Keeps bytes; returns their digest in hex. When this returns `Ok`, they are on disk. Keeping them again changes nothing.
    /// Errors: `Unavailable` when the disk is full (nothing is left behind).
    pub async fn put(&self, bytes: Vec<u8>) -> Result<String> {
        let folder = self.folder.clone();
        let (digest, bytes, _writing) = blocking::run("keeping a blob", move || {
            let writing = Writing::below(&folder)?;
            Ok((hex::encode(Sha256::digest(&bytes)), bytes, writing))
        })
        .await?;
        if self.has_on_disk(&digest).await? {
            return Ok(digest);
        }
        let stored = self.store.put(&location(&digest)?, PutPayload::from(bytes)).await;
        stored.map_err(|error| failure::caused_by("keep a blob", &self.folder, &error))?;
        Ok(digest)
    }

    /// The bytes of a digest, checked against it. Errors: `NotFound`; `Invalid` when it is no digest; `Internal` when they
    /// were damaged.
    pub async fn get(&self, digest: &str) -> Result<Vec<u8>> {
        let found = self.store.get(&location(digest)?).await;
        let read = match found {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        };
        let bytes = match read {
            Err(object_store::Error::NotFound { .. }) => return Err(Error::not_found("blob", digest)),
            Err(error) => return Err(failure::caused_by("read a blob", &self.folder, &error)),
            Ok(bytes) => bytes,
        };
        let expected = digest.to_owned();
        let place = self.folder.clone();
        blocking::run("checking a blob", move || {
            if hex::encode(Sha256::digest(&bytes)) == expected {
                return Ok(Vec::from(bytes));
            }
            Err(Error::Internal(format!("blob {expected} in {} is damaged: its bytes do not match its name", place.display())))
        })
        .await
    }

    /// Removes a blob; nothing happens when there is none.
    pub async fn delete(&self, digest: &str) -> Result<()> {
        match self.store.delete(&location(digest)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failure::caused_by("remove a blob", &self.folder, &error)),
        }
    }

    /// True when the blob is there, undamaged, and certainly on disk. Whoever wrote it may have died before the sync, so
    /// it is synced again; a damaged one is written anew.
    async fn has_on_disk(&self, digest: &str) -> Result<bool> {
        match self.get(digest).await {
            Ok(_) => {}
            Err(Error::NotFound { .. }) => return Ok(false),
            Err(error) => {
                tracing::warn!(%error, "a kept blob cannot be read and is written anew");
                return Ok(false);
            }
        }
        let path = self.folder.join(location(digest)?.as_ref());
        blocking::run("syncing a blob", move || {
            let synced = std::fs::File::open(&path).and_then(|file| file.sync_all());
            synced.map_err(|error| failure::io("sync a blob", &path, &error))?;
            // The name of the blob, and those of the two folders above it.
            path.ancestors().skip(1).take(3).try_for_each(durable::sync_folder)?;
            Ok(true)
        })
        .await
    }
}

fn location(digest: &str) -> Result<path::Path> {
    if digest.len() != 64 || !digest.bytes().all(|letter| matches!(letter, b'0'..=b'9' | b'a'..=b'f')) {
        let shown: String = digest.chars().take(80).collect();
        return Err(Error::invalid("digest", format!("`{shown}` is not a SHA-256 digest; write its 64 hexadecimal digits in lower case")));
    }
    Ok(path::Path::from_iter(["sha256", &digest[..2], &digest[2..]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
        }
        found.retain(|path| !path.ends_with(".writing"));
        found
    }

    #[tokio::test]
    async fn keeps_reads_and_removes() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::folder(&folder.path().join("deep/blobs")).unwrap();
        let digest = blobs.put(b"abc".to_vec()).await.unwrap();
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(blobs.put(b"abc".to_vec()).await.unwrap(), digest);
        let expected = folder.path().join("deep/blobs/sha256/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(files(folder.path()), [expected]);
        let again = Blobs::folder(&folder.path().join("deep/blobs")).unwrap();
        assert_eq!(again.get(&digest).await.unwrap(), b"abc");
        blobs.delete(&digest).await.unwrap();
        blobs.delete(&digest).await.unwrap();
        assert_eq!(again.get(&digest).await, Err(Error::not_found("blob", digest)));
        assert_eq!(blobs.put(Vec::new()).await.unwrap().len(), 64);
    }

    #[tokio::test]
    async fn damage_is_named_and_putting_again_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::folder(folder.path()).unwrap();
        let digest = blobs.put(vec![7; 100_000]).await.unwrap();
        let path = files(folder.path()).remove(0);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[50_000] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let error = blobs.get(&digest).await.expect_err("damaged");
        assert!(error.code() == "internal" && error.to_string().contains(&digest), "{error}");
        assert_eq!(blobs.put(vec![7; 100_000]).await.unwrap(), digest);
        assert_eq!(blobs.get(&digest).await.unwrap(), vec![7; 100_000]);
    }

    #[tokio::test]
    async fn leftovers_of_a_dead_writer_go_and_wrong_names_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::folder(folder.path()).unwrap();
        blobs.put(b"abc".to_vec()).await.unwrap();
        let kept = files(folder.path()).remove(0);
        std::fs::write(format!("{}#1", kept.display()), "half").unwrap();
        let blobs = Blobs::folder(folder.path()).unwrap();
        assert_eq!(files(folder.path()), [kept]);
        for wrong in ["", "../../etc/passwd", &"A".repeat(64), &"a".repeat(63)] {
            let error = blobs.get(wrong).await.expect_err(wrong);
            assert!(error.to_string().starts_with("digest: "), "{error}");
            assert_eq!(blobs.delete(wrong).await.expect_err(wrong).code(), "invalid");
        }
    }

    #[tokio::test]
    async fn many_at_once_keep_one() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::folder(folder.path()).unwrap();
        let puts = (0..16).map(|_| blobs.put(vec![9; 1 << 16]));
        let digests = futures_util::future::try_join_all(puts).await.unwrap();
        assert!(digests.iter().all(|digest| *digest == digests[0]));
        assert_eq!(files(folder.path()).len(), 1);
    }
}

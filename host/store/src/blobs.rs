//! Content-addressed blobs: the name of a blob is the SHA-256 of its bytes. The only home of object_store.

use std::path::Path;

use bellwether_domain::Result;

/// The blob store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs {}

impl Blobs {
    /// Blobs in a folder, created if needed.
    pub fn folder(path: &Path) -> Result<Blobs> {
        let _ = path;
        todo!()
    }

    /// Keeps bytes; returns their digest in hex. When this returns `Ok`, they are on disk. Keeping them again changes nothing.
    /// Errors: `Unavailable` when the disk is full (nothing is left behind).
    pub async fn put(&self, bytes: Vec<u8>) -> Result<String> {
        let _ = bytes;
        todo!()
    }

    /// The bytes of a digest, checked against it. Errors: `NotFound`; `Internal` when they were damaged.
    pub async fn get(&self, digest: &str) -> Result<Vec<u8>> {
        let _ = digest;
        todo!()
    }

    /// Removes a blob; nothing happens when there is none.
    pub async fn delete(&self, digest: &str) -> Result<()> {
        let _ = digest;
        todo!()
    }
}

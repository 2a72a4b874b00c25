//! The data folder: one host at a time, by an advisory lock that the kernel drops when the process dies.

use std::path::{Path, PathBuf};

use bellwether_domain::Result;

/// A locked data folder; unlocked when dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: std::fs::File,
}

impl DataFolder {
    /// Creates the folder if needed (mode 0700) and locks it.
    /// Errors: `Unavailable` when another host holds it (naming its process id) or it cannot be written.
    pub fn open(path: &Path) -> Result<DataFolder> {
        let _ = path;
        todo!()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Free bytes on its disk.
    pub fn free_bytes(&self) -> Result<u64> {
        todo!()
    }
}

//! The data folder: one host at a time, by an advisory lock that the kernel drops when the process dies.
//!
//! The lock file is never removed: removing it would let two hosts lock two different files of the same name.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use bellwether_domain::{Error, Result};

use crate::{durable, failure};

/// A locked data folder; unlocked when dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Creates the folder if needed (mode 0700) and locks it.
    /// Errors: `Unavailable` when another host holds it (naming its process id) or it cannot be written.
    pub fn open(path: &Path) -> Result<DataFolder> {
        let failed = |error: io::Error| failure::io("open the data folder", path, &error);
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            tracing::warn!(folder = %path.display(), "other users of this machine can look into the data folder; `chmod 700` it");
        }
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path.join("lock")).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(path, &mut file)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // The number is only for the message of whoever comes second.
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(DataFolder { path: path.to_owned(), _lock: file })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Free bytes on its disk.
    pub fn free_bytes(&self) -> Result<u64> {
        durable::free_bytes(&self.path)
    }
}

fn held(path: &Path, file: &mut File) -> Error {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(32).read_to_string(&mut text));
    let holder = match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(process)) => format!("process {process}"),
        _ => "another process".to_owned(),
    };
    Error::Unavailable(format!("the data folder {} is in use by {holder}; stop that host or choose another folder", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_at_a_time_and_the_loser_learns_who() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep/data");
        let first = DataFolder::open(&path).unwrap();
        assert_eq!(first.path(), path);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(first.free_bytes().unwrap() > 0);
        let error = DataFolder::open(&path).expect_err("it is locked");
        assert_eq!(error.code(), "unavailable");
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        DataFolder::open(&path).unwrap();
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        std::fs::write(&path, "").unwrap();
        let error = DataFolder::open(&path).expect_err("a file");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

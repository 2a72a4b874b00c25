//! Unfinished files of writers that died: recognised by name, removed only while nobody writes.
//!
//! Two processes open the same folders: the host, which writes, and a worker, which reads. So that the worker's `open`
//! does not remove what the host is writing just now, writers hold a shared lock on `.writing` and whoever cleans needs it
//! exclusively; the kernel drops the locks of the dead.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use bellwether_domain::Result;

use crate::failure;

const LOCK: &str = ".writing";

/// Held while files are being written below a folder.
#[derive(Debug)]
pub(crate) struct Writing {
    _lock: File,
}

impl Writing {
    /// Says that files are being written below `folder`; waits for a cleaning under way (milliseconds). Blocking.
    pub(crate) fn below(folder: &Path) -> Result<Writing> {
        let lock = open(folder).and_then(|file| file.lock_shared().map(|()| file));
        Ok(Writing { _lock: lock.map_err(|error| failure::io("write", folder, &error))? })
    }
}

/// Removes the files below `folder` (at most `depth` folders down) whose name `is_leftover` recognises, unless somebody is
/// writing; returns how many. A file that cannot be removed stays: it does no harm.
pub(crate) fn sweep(folder: &Path, depth: usize, is_leftover: fn(&str) -> bool) -> u64 {
    match open(folder) {
        Ok(lock) if lock.try_lock().is_ok() => sweep_folder(folder, depth, is_leftover),
        _ => 0,
    }
}

fn sweep_folder(folder: &Path, depth: usize, is_leftover: fn(&str) -> bool) -> u64 {
    let mut removed = 0;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            removed += if depth > 0 { sweep_folder(&path, depth - 1, is_leftover) } else { 0 };
        } else if entry.file_name().to_str().is_some_and(is_leftover) && fs::remove_file(&path).is_ok() {
            tracing::info!(file = %path.display(), "removed an unfinished file");
            removed += 1;
        }
    }
    removed
}

fn open(folder: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(folder.join(LOCK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_stay_while_somebody_writes() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("a/b");
        fs::create_dir_all(&below).unwrap();
        for name in ["x.temp", "y.keep"] {
            fs::write(below.join(name), "").unwrap();
        }
        let is_leftover: fn(&str) -> bool = |name| name.ends_with(".temp");
        let writing = Writing::below(folder.path()).unwrap();
        let also = Writing::below(folder.path()).unwrap();
        assert_eq!(sweep(folder.path(), 2, is_leftover), 0);
        drop((writing, also));
        assert_eq!(sweep(folder.path(), 1, is_leftover), 0, "too deep");
        assert_eq!(sweep(folder.path(), 2, is_leftover), 1);
        assert!(below.join("y.keep").exists() && !below.join("x.temp").exists());
    }
}

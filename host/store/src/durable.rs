//! What it takes for files and folders to outlast a power cut: contents synced, and the folder that names them too.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use bellwether_domain::Result;

use crate::failure;

/// Creates a folder with its parents; each new name is synced into the folder above it. Nothing happens when it exists.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    let failed = |error: io::Error| failure::io("create the folder", path, &error);
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_folder(parent)?;
    }
    match fs::create_dir(path) {
        Ok(()) => sync_folder(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))),
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Syncs the names in a folder.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| failure::io("sync the folder", path, &error))
}

/// Free bytes on the disk of `path`, for a user without special rights.
pub(crate) fn free_bytes(path: &Path) -> Result<u64> {
    let disk = rustix::fs::statvfs(path).map_err(|error| failure::io("measure the free space", path, &error.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

//! Writing one file whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use bellwether_domain::{Error, Result};

/// Writes beside the place, syncs, and renames. After `Ok` the bytes are on disk under their name. `what` is for the error.
pub(crate) fn write_whole(what: &str, path: &Path, bytes: &[u8]) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".partial");
    let beside = Path::new(&beside);
    let written = write_synced(beside, bytes).and_then(|()| fs::rename(beside, path)).and_then(|()| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    });
    written.map_err(|error| {
        fs::remove_file(beside).ok();
        Error::Unavailable(format!("{what} could not be written: {error}"))
    })
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

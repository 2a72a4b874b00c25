//! sled 0.34 as an ordered map of bytes that is on disk after `sync`. The only module that names sled.
//!
//! What sled leaves open is closed here. Its `flush` is `sync_file_range`, no barrier against power loss, and it never
//! syncs the files in `blobs/` (pages above 128 KiB): `sync` does both. It takes a snapshot file that is empty, torn or
//! merely unfinished (`.generating`) for damage and refuses to open: those are set aside and the log is read from its
//! beginning. And it silently forgets the end of a log that is damaged there: the number of the last acknowledged
//! transaction is kept in a file of its own, so that such a loss is an error and not a surprise.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::ops::Bound;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::sled::Error as SledError;
use bellwether_domain::{Error, Result};

use super::value::{TOTALS_KEY, Totals};
use crate::{durable, failure};

const CACHE_BYTES: u64 = 128 << 20;
/// sled's background threads let go of its files a moment after the last handle.
const UNLOCK_PAUSE: Duration = Duration::from_millis(10);
const UNLOCK_TRIES: usize = 500;
const MARK: &str = "acknowledged";

/// New values by key; none deletes.
pub(super) type Batch = HashMap<Vec<u8>, Option<Vec<u8>>>;

/// Ends of a range of keys.
pub(super) type Range = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// The open store.
pub(super) struct Disk {
    folder: PathBuf,
    tree: ::sled::Tree,
    /// The tree's owner; kept so that it is dropped last.
    database: ::sled::Db,
    log: File,
    mark: File,
    synced_blobs: Mutex<HashSet<String>>,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // sled's own form prints every page.
        f.debug_struct("Disk").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Disk {
    /// Opens or creates the store. Blocking.
    pub(super) fn open(folder: &Path) -> Result<Disk> {
        durable::create_folder(folder)?;
        remove_unfinished_snapshots(folder)?;
        let database = open_repaired(folder)?;
        let failed = |error: std::io::Error| failure::io("open the records", folder, &error);
        let tree = database.open_tree("records").map_err(|error| explain("open the records", folder, error))?;
        let mark = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(folder.join(MARK)).map_err(failed)?;
        let log = File::open(folder.join("db")).map_err(failed)?;
        let disk = Disk { folder: folder.to_owned(), tree, database, log, mark, synced_blobs: Mutex::default() };
        disk.sync()?;
        durable::sync_folder(folder)?;
        let (sequence, acknowledged) = (disk.totals()?.sequence, read_mark(&disk.mark));
        if sequence < acknowledged {
            return Err(Error::Internal(format!(
                "the log of the records in {} is damaged at its end: transactions {} to {acknowledged} were acknowledged and are \
                 missing; restore a backup, or remove the file `{MARK}` there to go on without them",
                folder.display(),
                sequence + 1
            )));
        }
        Ok(disk)
    }

    /// Where it lies.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let value = self.tree.get(key).map_err(|error| explain("read records", &self.folder, error))?;
        Ok(value.map(|bytes| bytes.to_vec()))
    }

    /// Keys and values of a range, in key order or against it.
    pub(super) fn range(&self, range: Range, descending: bool) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>)>> + '_ {
        let mut entries = self.tree.range::<Vec<u8>, Range>(range);
        std::iter::from_fn(move || if descending { entries.next_back() } else { entries.next() }).map(|entry| {
            let (key, value) = entry.map_err(|error| explain("read records", &self.folder, error))?;
            Ok((key.to_vec(), value.to_vec()))
        })
    }

    pub(super) fn totals(&self) -> Result<Totals> {
        self.get(TOTALS_KEY)?.map_or(Ok(Totals::default()), |bytes| Totals::decode(&bytes))
    }

    /// Writes all of a batch or nothing; on disk after the next `sync`.
    pub(super) fn apply(&self, changes: Batch) -> Result<()> {
        let mut batch = ::sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.tree.apply_batch(batch).map_err(|error| explain("write records", &self.folder, error))
    }

    /// Puts everything applied so far on disk, power loss included.
    pub(super) fn sync(&self) -> Result<()> {
        self.database.flush().map_err(|error| explain("write records", &self.folder, error))?;
        self.sync_blobs().and_then(|()| self.log.sync_data()).map_err(|error| failure::io("write records", &self.folder, &error))
    }

    /// Notes, after `sync`, that the transactions up to `sequence` are about to be acknowledged. Not synced: after a power
    /// cut it may be some transactions behind, never ahead of the log.
    pub(super) fn acknowledge(&self, sequence: u64) -> Result<()> {
        let number = sequence.to_le_bytes();
        let mut bytes = number.to_vec();
        bytes.extend(crc32fast::hash(&number).to_le_bytes());
        self.mark.write_all_at(&bytes, 0).map_err(|error| failure::io("write records", &self.folder, &error))
    }

    fn sync_blobs(&self) -> std::io::Result<()> {
        let folder = self.folder.join("blobs");
        let mut synced = self.synced_blobs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut present = HashSet::new();
        let mut changed = false;
        for entry in fs::read_dir(&folder)? {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            if !synced.contains(&name) {
                changed = true;
                match File::open(folder.join(&name)).and_then(|file| file.sync_all()) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                    // Not found: sled removed it meanwhile, having written its content elsewhere.
                    Ok(()) | Err(_) => {}
                }
            }
            present.insert(name);
        }
        *synced = present;
        if changed { File::open(&folder)?.sync_all() } else { Ok(()) }
    }
}

enum Fault {
    /// Something in the files is wrong; another try without one of them may succeed.
    Damaged(String),
    Other(Error),
}

fn open_repaired(folder: &Path) -> Result<::sled::Db> {
    let mut why = match open_unlocked(folder) {
        Ok(database) => return Ok(database),
        Err(Fault::Other(error)) => return Err(error),
        Err(Fault::Damaged(why)) => why,
    };
    // Both files can be made again: the snapshot from the log, the configuration from the constants above.
    for prefix in ["snap.", "conf"] {
        let aside = set_aside(folder, prefix)?;
        if aside.is_empty() {
            continue;
        }
        tracing::warn!(folder = %folder.display(), files = ?aside, %why, "set damaged record files aside and read the log anew");
        match open_unlocked(folder) {
            Ok(database) => return Ok(database),
            Err(Fault::Other(error)) => return Err(error),
            Err(Fault::Damaged(again)) => why = again,
        }
    }
    Err(Error::Internal(format!("the records in {} are damaged and cannot be opened: {why}; restore a backup", folder.display())))
}

fn open_unlocked(folder: &Path) -> Result<::sled::Db, Fault> {
    let config = ::sled::Config::new().path(folder).cache_capacity(CACHE_BYTES);
    for _ in 0..UNLOCK_TRIES {
        // sled panics on some kinds of damage.
        match catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(Ok(database)) => return Ok(database),
            Ok(Err(SledError::Io(error))) if error.to_string().contains("could not acquire lock") => std::thread::sleep(UNLOCK_PAUSE),
            Ok(Err(SledError::Io(error))) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                return Err(Fault::Other(failure::io("open the records", folder, &error)));
            }
            Ok(Err(error)) => return Err(Fault::Damaged(error.to_string())),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                return Err(Fault::Damaged(text.unwrap_or_else(|| "sled stopped".to_owned())));
            }
        }
    }
    Err(Fault::Other(Error::Unavailable(format!("the records in {} are in use by another process; stop it", folder.display()))))
}

fn names_with(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(|error| failure::io("read the records", folder, &error))?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| wanted(name)).collect())
}

fn remove_unfinished_snapshots(folder: &Path) -> Result<()> {
    for name in names_with(folder, |name| name.starts_with("snap.") && name.ends_with(".generating"))? {
        tracing::info!(folder = %folder.display(), file = name, "removed an unfinished snapshot");
        fs::remove_file(folder.join(name)).map_err(|error| failure::io("remove an unfinished snapshot", folder, &error))?;
    }
    Ok(())
}

/// Renames the files whose name begins with `prefix` to `damaged-<n>.<name>` (sled reads whatever begins with `snap.`).
fn set_aside(folder: &Path, prefix: &str) -> Result<Vec<String>> {
    let names = names_with(folder, |name| name.starts_with(prefix))?;
    for name in &names {
        let free = (1..).map(|number| folder.join(format!("damaged-{number}.{name}"))).find(|path| !path.exists());
        let free = free.unwrap_or_else(|| folder.join(format!("damaged.{name}")));
        fs::rename(folder.join(name), free).map_err(|error| failure::io("set a damaged file aside", folder, &error))?;
    }
    Ok(names)
}

fn read_mark(mark: &File) -> u64 {
    let mut bytes = [0; 12];
    // No mark, or one cut off by a power loss, proves nothing.
    if mark.read_exact_at(&mut bytes, 0).is_err() || crc32fast::hash(&bytes[..8]).to_le_bytes() != bytes[8..] {
        return 0;
    }
    bytes[..8].try_into().map(u64::from_le_bytes).unwrap_or(0)
}

fn explain(action: &str, folder: &Path, error: SledError) -> Error {
    match error {
        SledError::Io(error) => failure::io(action, folder, &error),
        SledError::Corruption { at, .. } => Error::Internal(format!(
            "cannot {action} in {}: the log is damaged{}; restore a backup",
            folder.display(),
            at.map(|place| format!(" at {place}")).unwrap_or_default()
        )),
        SledError::CollectionNotFound(_) | SledError::Unsupported(_) | SledError::ReportableBug(_) => {
            Error::Internal(format!("cannot {action} in {}: {error}", folder.display()))
        }
    }
}

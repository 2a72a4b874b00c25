//! `Records`: collections of versioned JSON records with key, secondary indexes, compare-and-swap on version, transactions
//! over several records, range scans with cursors, and a change feed. The only home of sled.
//!
//! One writer thread owns all commits: it takes the transactions that are queued, checks each against the versions it
//! names (a later one sees the earlier ones), writes those that hold as one atomic batch, syncs once, and only then answers
//! them all. Reads go straight to the store on the blocking pool; they may see a change a moment before it is synced, but
//! the answer to a commit and the change feed never come before the sync.
mod sled;
mod value;

mod backup;
mod check;
mod cursor;
mod group;
mod writer;

mod collection;
mod transaction;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use bellwether_domain::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{broadcast, mpsc, oneshot};

pub use self::collection::Collection;
pub use self::transaction::Transaction;

use self::sled::Disk;
use self::writer::{Message, Writer};
use crate::blocking;

/// Changes the feed keeps for slow readers.
const FEED_LENGTH: usize = 4096;
/// Transactions that may wait for the writer; more callers than that wait for a place.
const QUEUE_LENGTH: usize = 1024;
/// Callers of `modify` that met a conflict queue up here, so that each of them gets its turn.
const TURNS: usize = 64;
/// A commit is refused when less than this is free: sled cannot go on after a write that failed half-way.
const RESERVE_BYTES: u64 = 32 << 20;

/// A type kept as records of one collection.
pub trait Record: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The collection's name; never changes.
    const COLLECTION: &'static str;
    /// Names of the secondary indexes, each with one text per record.
    const INDEXES: &'static [&'static str] = &[];
    /// The key within the collection: UTF-8 without NUL, at most 512 bytes.
    fn key(&self) -> String;
    /// The text of each index, in the order of `INDEXES`; none leaves the record out of that index.
    fn index(&self) -> Vec<Option<String>> {
        Vec::new()
    }
}

/// A record and its version: 1 when inserted, one more at each change.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// Version that a change must name.
    pub version: u64,
    /// The record.
    pub value: T,
}

/// One page of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// Records in key order (or index order, then key).
    pub items: Vec<Versioned<T>>,
    /// Pass it to get the next page; none on the last.
    pub next: Option<String>,
}

/// One change, as seen by the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Grows by one with every transaction.
    pub sequence: u64,
    /// The collection.
    pub collection: String,
    /// The key.
    pub key: String,
}

/// The record store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Records {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// None once closed.
    disk: RwLock<Option<Arc<Disk>>>,
    writer: mpsc::Sender<Message>,
    changes: broadcast::Sender<Change>,
    turns: Vec<tokio::sync::Mutex<()>>,
}

impl Records {
    /// Opens (or creates) the store in `folder`. A damaged snapshot is set aside and rebuilt from the log; a damaged
    /// record is an error naming collection and key. Errors: `Unavailable` when another process holds the store or the disk
    /// is full; `Internal` when transactions that were acknowledged are missing from a damaged log.
    pub async fn open(folder: &Path) -> Result<Records> {
        Records::open_with_reserve(folder, RESERVE_BYTES).await
    }

    async fn open_with_reserve(folder: &Path, reserve_bytes: u64) -> Result<Records> {
        let folder = folder.to_owned();
        blocking::run("opening the records", move || {
            let disk = Arc::new(Disk::open(&folder)?);
            let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
            let (changes, _) = broadcast::channel(FEED_LENGTH);
            Writer::start(disk.clone(), receiver, changes.clone(), reserve_bytes)?;
            let turns = (0..TURNS).map(|_| tokio::sync::Mutex::new(())).collect();
            Ok(Records { inner: Arc::new(Inner { disk: RwLock::new(Some(disk)), writer: sender, changes, turns }) })
        })
        .await
    }

    /// The collection of a type.
    pub fn of<T: Record>(&self) -> Collection<T> {
        Collection::new(self.clone())
    }

    /// Applies a transaction; when this returns `Ok`, it is on disk. Concurrent commits share one sync.
    /// Errors: `Conflict` when a record has another version than named, `AlreadyExists` when an inserted key is taken
    /// (nothing is changed); `Unavailable` when the disk is (nearly) full.
    pub async fn commit(&self, transaction: Transaction) -> Result<()> {
        let operations = transaction.into_operations()?;
        if operations.is_empty() {
            return Ok(());
        }
        self.ask(|reply| Message::Commit(operations, reply)).await
    }

    /// Changes committed from now on. A slow reader loses the oldest and is told so by the channel.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// Reads every record and checks its checksum and indexes; returns how many, or the first fault. Commits wait meanwhile.
    pub async fn check(&self) -> Result<u64> {
        self.ask(Message::Check).await
    }

    /// Writes all records into one file (JSON lines, each with its checksum) at `path`, which must not exist yet; returns
    /// how many. The file shows one moment: commits wait meanwhile.
    pub async fn backup(&self, path: &Path) -> Result<u64> {
        let path = path.to_owned();
        self.ask(|reply| Message::Backup(path, reply)).await
    }

    /// Makes a new store in `folder` (absent or empty) from a backup; returns how many records it has. Versions are kept.
    pub async fn restore(folder: &Path, backup: &Path) -> Result<u64> {
        let (folder, backup) = (folder.to_owned(), backup.to_owned());
        blocking::run("restoring the records", move || backup::restore(&folder, &backup)).await
    }

    /// Writes what is pending and closes; later calls fail with `Unavailable`. Closing again changes nothing.
    pub async fn close(&self) -> Result<()> {
        // The handle goes first: no new read may begin, and sled's file is unlocked when the last one ends.
        let handle = self.inner.disk.write().unwrap_or_else(PoisonError::into_inner).take();
        match handle {
            Some(_) => self.ask(Message::Close).await,
            None => Ok(()),
        }
    }

    async fn ask<R>(&self, message: impl FnOnce(oneshot::Sender<Result<R>>) -> Message) -> Result<R> {
        let (reply, answer) = oneshot::channel();
        self.inner.writer.send(message(reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    fn disk(&self) -> Result<Arc<Disk>> {
        self.inner.disk.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(closed)
    }

    /// Runs a read on the blocking pool.
    async fn read<R: Send + 'static>(&self, work: impl FnOnce(&Disk) -> Result<R> + Send + 'static) -> Result<R> {
        let disk = self.disk()?;
        blocking::run("reading records", move || work(&disk)).await
    }
}

fn closed() -> Error {
    Error::Unavailable("the record store is closed; the host is shutting down or its disk failed, see its log".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
    struct Item(String);

    impl Record for Item {
        const COLLECTION: &'static str = "item";
        fn key(&self) -> String {
            self.0.clone()
        }
    }

    #[tokio::test]
    async fn a_nearly_full_disk_refuses_commits_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).await.unwrap();
        records.of::<Item>().insert(&Item("a".into())).await.unwrap();
        records.close().await.unwrap();
        let records = Records::open_with_reserve(folder.path(), u64::MAX).await.unwrap();
        let error = records.of::<Item>().insert(&Item("b".into())).await.expect_err("no space");
        assert!(error.code() == "unavailable" && error.to_string().starts_with("the disk is full"), "{error}");
        assert!(records.of::<Item>().get("a").await.unwrap().is_some());
        assert_eq!(records.check().await, Ok(1));
        records.close().await.unwrap();
        let records = Records::open(folder.path()).await.unwrap();
        records.of::<Item>().insert(&Item("b".into())).await.unwrap();
    }

    #[tokio::test]
    async fn a_record_of_another_shape_is_named() {
        #[derive(Debug, Clone, Serialize, serde::Deserialize)]
        struct Other {
            id: u64,
        }
        impl Record for Other {
            const COLLECTION: &'static str = "item";
            fn key(&self) -> String {
                self.id.to_string()
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).await.unwrap();
        records.of::<Item>().insert(&Item("a".into())).await.unwrap();
        let error = records.of::<Other>().get("a").await.expect_err("another shape");
        assert!(error.code() == "internal" && error.to_string().contains("record `a` of `item`"), "{error}");
    }
}

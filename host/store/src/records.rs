//! `Records`: collections of versioned JSON records with key, secondary indexes, compare-and-swap on version, transactions
//! over several records, range scans with cursors, and a change feed. The only home of sled.

use std::path::Path;

use bellwether_domain::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;

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
pub struct Records {}

/// A typed view of one collection. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Collection<T> {
    _records: Records,
    _of: std::marker::PhantomData<fn() -> T>,
}

/// Several changes that happen together or not at all, checked against the versions they name.
#[derive(Debug, Default)]
pub struct Transaction {}

impl Records {
    /// Opens (or creates) the store in `folder`. A damaged snapshot is set aside and rebuilt from the log; a damaged
    /// record is an error naming collection and key.
    pub async fn open(folder: &Path) -> Result<Records> {
        let _ = folder;
        todo!()
    }

    /// The collection of a type.
    pub fn of<T: Record>(&self) -> Collection<T> {
        todo!()
    }

    /// Applies a transaction; when this returns `Ok`, it is on disk. Concurrent commits share one sync.
    /// Errors: `Conflict` when a record has another version than named (nothing is changed).
    pub async fn commit(&self, transaction: Transaction) -> Result<()> {
        let _ = transaction;
        todo!()
    }

    /// Changes committed from now on. A slow reader loses the oldest and is told so by the channel.
    pub fn changes(&self) -> tokio::sync::broadcast::Receiver<Change> {
        todo!()
    }

    /// Reads every record and checks its checksum and indexes; returns how many, or the first fault.
    pub async fn check(&self) -> Result<u64> {
        todo!()
    }

    /// Writes what is pending and closes; later calls fail.
    pub async fn close(&self) -> Result<()> {
        todo!()
    }
}

impl Transaction {
    /// An empty one.
    pub fn new() -> Transaction {
        Transaction::default()
    }

    /// Insert; fails with `AlreadyExists` when the key is taken.
    pub fn insert<T: Record>(&mut self, value: &T) -> Result<()> {
        let _ = value;
        todo!()
    }

    /// Replace the record that was read as `version`.
    pub fn update<T: Record>(&mut self, version: u64, value: &T) -> Result<()> {
        let _ = (version, value);
        todo!()
    }

    /// Delete the record that was read as `version`.
    pub fn delete<T: Record>(&mut self, version: u64, key: &str) {
        let _ = (version, key);
        todo!()
    }
}

impl<T: Record> Collection<T> {
    /// One record.
    pub async fn get(&self, key: &str) -> Result<Option<Versioned<T>>> {
        let _ = key;
        todo!()
    }

    /// Up to `limit` records with keys (in order) that begin with `prefix`, after `cursor`; newest-first when `descending`.
    pub async fn scan(&self, prefix: &str, cursor: Option<&str>, limit: usize, descending: bool) -> Result<Page<T>> {
        let _ = (prefix, cursor, limit, descending);
        todo!()
    }

    /// Up to `limit` records whose `index` text equals `text`, in key order, after `cursor`; reversed when `descending`.
    pub async fn find(&self, index: &str, text: &str, cursor: Option<&str>, limit: usize, descending: bool) -> Result<Page<T>> {
        let _ = (index, text, cursor, limit, descending);
        todo!()
    }

    /// All records, for small collections: at most 100 000, else `Overloaded`.
    pub async fn all(&self) -> Result<Vec<Versioned<T>>> {
        todo!()
    }

    /// Insert one; see [`Transaction::insert`].
    pub async fn insert(&self, value: &T) -> Result<()> {
        let _ = value;
        todo!()
    }

    /// Read, change, write; again when somebody else was faster (at most 64 times). `change` returning an error changes nothing.
    pub async fn modify<R: Send + 'static>(&self, key: &str, change: impl FnMut(&mut T) -> Result<R> + Send) -> Result<(R, Versioned<T>)> {
        let _ = (key, change);
        todo!()
    }
}

//! A group of transactions on its way to disk: each is checked against the store and those before it, all share one batch.

use std::collections::HashMap;

use bellwether_domain::{Error, Result};

use super::Change;
use super::sled::{Batch, Disk};
use super::transaction::{Content, Kind, Operation};
use super::value::{self, Stored, TOTALS_KEY, Totals};

/// What a group writes.
pub(super) struct Group<'a> {
    disk: &'a Disk,
    batch: Batch,
    totals: Totals,
    changes: Vec<Change>,
}

/// What one transaction writes, before it is known to hold.
struct Staged {
    batch: Batch,
    totals: Totals,
}

impl<'a> Group<'a> {
    pub(super) fn new(disk: &'a Disk, totals: Totals) -> Group<'a> {
        Group { disk, batch: HashMap::new(), totals, changes: Vec::new() }
    }

    /// Adds a transaction if it holds; else the group stays as it was.
    pub(super) fn add(&mut self, operations: Vec<Operation>) -> Result<()> {
        let mut staged = Staged { batch: HashMap::new(), totals: self.totals };
        staged.totals.sequence += 1;
        let mut changes = Vec::with_capacity(operations.len());
        for operation in operations {
            let change =
                Change { sequence: staged.totals.sequence, collection: operation.collection.to_owned(), key: operation.key.clone() };
            self.stage(&mut staged, operation)?;
            changes.push(change);
        }
        self.batch.extend(staged.batch);
        self.totals = staged.totals;
        self.changes.append(&mut changes);
        Ok(())
    }

    /// The batch to write, none when no transaction held; the totals after it; and the changes to tell.
    pub(super) fn finish(mut self) -> (Option<Batch>, Totals, Vec<Change>) {
        if self.changes.is_empty() {
            return (None, self.totals, self.changes);
        }
        self.batch.insert(TOTALS_KEY.to_vec(), Some(self.totals.encode()));
        (Some(self.batch), self.totals, self.changes)
    }

    fn stage(&self, staged: &mut Staged, operation: Operation) -> Result<()> {
        let Operation { collection, key, kind } = operation;
        let place = value::record_key(collection, &key);
        let old_bytes = match staged.batch.get(&place).or_else(|| self.batch.get(&place)) {
            Some(changed) => changed.clone(),
            None => self.disk.get(&place)?,
        };
        let old = old_bytes.as_deref().map(|bytes| value::decode(&place, bytes)).transpose()?;
        let new = decide(collection, &key, old.as_ref(), kind)?;
        for (index, text) in old.iter().flat_map(|old| &old.index) {
            staged.batch.insert(value::index_key(collection, index, text, &key), None);
        }
        for (index, text) in new.iter().flat_map(|new| &new.index) {
            staged.batch.insert(value::index_key(collection, index, text, &key), Some(Vec::new()));
        }
        let new_bytes = new.map(|new| value::encode(&place, &new));
        let totals = &mut staged.totals;
        totals.count = totals.count + u64::from(new_bytes.is_some()) - u64::from(old_bytes.is_some());
        totals.sum = totals.sum.wrapping_sub(old_bytes.as_deref().map_or(0, value::fingerprint));
        totals.sum = totals.sum.wrapping_add(new_bytes.as_deref().map_or(0, value::fingerprint));
        staged.batch.insert(place, new_bytes);
        Ok(())
    }
}

/// The record after a change, none when it is deleted.
fn decide(collection: &'static str, key: &str, old: Option<&Stored>, kind: Kind) -> Result<Option<Stored>> {
    let stored = |version: u64, content: Content| Stored { version, index: content.index, json: content.json };
    match kind {
        Kind::Insert(content) => match old {
            Some(_) => Err(Error::AlreadyExists { what: collection, id: key.to_owned() }),
            None => Ok(Some(stored(1, content))),
        },
        Kind::Update(version, content) => {
            check_version(collection, key, old, version)?;
            Ok(Some(stored(version + 1, content)))
        }
        Kind::Delete(version) => check_version(collection, key, old, version).map(|()| None),
    }
}

fn check_version(collection: &str, key: &str, old: Option<&Stored>, version: u64) -> Result<()> {
    match old {
        Some(old) if old.version == version => Ok(()),
        Some(old) => Err(Error::Conflict(format!(
            "{collection} `{key}` changed meanwhile: it has version {}, not {version}; read it again",
            old.version
        ))),
        None => Err(Error::Conflict(format!("{collection} `{key}` was deleted meanwhile; version {version} is gone"))),
    }
}

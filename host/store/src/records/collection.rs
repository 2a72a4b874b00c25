//! A typed view of one collection: reads, listings, and the change of one record.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::marker::PhantomData;
use std::ops::Bound;

use bellwether_domain::{Error, Result};

use super::sled::{Disk, Range};
use super::transaction::{check_key, fault_of};
use super::value::{self, Stored, behind};
use super::{Page, Record, Records, Transaction, Versioned, cursor};

const PAGE_MAX: usize = 1000;
const ALL_MAX: usize = 100_000;
const MODIFY_TRIES: usize = 64;

/// A typed view of one collection. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Collection<T> {
    records: Records,
    of: PhantomData<fn() -> T>,
}

impl<T: Record> Collection<T> {
    pub(super) fn new(records: Records) -> Collection<T> {
        Collection { records, of: PhantomData }
    }

    /// One record. Errors: `Internal` naming collection and key when it is damaged.
    pub async fn get(&self, key: &str) -> Result<Option<Versioned<T>>> {
        check_key(T::COLLECTION, key)?;
        let place = value::record_key(T::COLLECTION, key);
        self.records
            .read(move |disk| match disk.get(&place)? {
                Some(bytes) => typed(&place, &value::decode(&place, &bytes)?).map(Some),
                None => Ok(None),
            })
            .await
    }

    /// Up to `limit` records (1 to 1000) with keys (in order) that begin with `prefix`, after `cursor`; from the last key
    /// backwards when `descending`. Records inserted meanwhile appear if they lie ahead of the cursor; none appears twice.
    /// Errors: `Invalid`, field `cursor`, when the cursor is not of this listing.
    pub async fn scan(&self, prefix: &str, cursor: Option<&str>, limit: usize, descending: bool) -> Result<Page<T>> {
        if let Some(why) = fault_of(prefix) {
            return Err(Error::invalid("prefix", why));
        }
        let listing = format!("scan\0{}\0{prefix}\0{descending}", T::COLLECTION);
        let after = cursor.map(|cursor| cursor::read(&listing, cursor)).transpose()?;
        let base = value::record_key(T::COLLECTION, prefix);
        let range = range(&base, after.map(|key| value::record_key(T::COLLECTION, &key)), descending);
        self.page(listing, limit, move |disk, take| {
            let entries = disk.range(range, descending).map(|entry| {
                let (place, bytes) = entry?;
                let record = typed(&place, &value::decode(&place, &bytes)?)?;
                Ok((value::split_record_key(&place).1, record))
            });
            entries.take(take).collect()
        })
        .await
    }

    /// Up to `limit` records (1 to 1000) whose `index` text equals `text`, in key order, after `cursor`; reversed when
    /// `descending`. Errors: `Invalid` when there is no such index, or the cursor is not of this listing.
    pub async fn find(&self, index: &str, text: &str, cursor: Option<&str>, limit: usize, descending: bool) -> Result<Page<T>> {
        if !T::INDEXES.contains(&index) {
            let known = T::INDEXES.join(", ");
            return Err(Error::invalid("index", format!("{} has no index `{index}`; it has: {known}", T::COLLECTION)));
        }
        if let Some(why) = fault_of(text) {
            return Err(Error::invalid(index, why));
        }
        let listing = format!("find\0{}\0{index}\0{text}\0{descending}", T::COLLECTION);
        let after = cursor.map(|cursor| cursor::read(&listing, cursor)).transpose()?;
        let base = value::index_key(T::COLLECTION, index, text, "");
        let range = range(&base, after.map(|key| value::index_key(T::COLLECTION, index, text, &key)), descending);
        let wanted = (index.to_owned(), text.to_owned());
        self.page(listing, limit, move |disk, take| {
            let entries = disk.range(range, descending).filter_map(|entry| match entry {
                Ok((place, _)) => indexed(disk, &place[base.len()..], &wanted).transpose(),
                Err(error) => Some(Err(error)),
            });
            entries.take(take).collect()
        })
        .await
    }

    /// All records, for small collections: at most 100 000, else `Overloaded`.
    pub async fn all(&self) -> Result<Vec<Versioned<T>>> {
        let range = range(&value::record_key(T::COLLECTION, ""), None, false);
        self.records
            .read(move |disk| {
                let mut all = Vec::new();
                for entry in disk.range(range, false) {
                    if all.len() == ALL_MAX {
                        return Err(Error::Overloaded(format!("{} has more than {ALL_MAX} records; page through them", T::COLLECTION)));
                    }
                    let (place, bytes) = entry?;
                    all.push(typed(&place, &value::decode(&place, &bytes)?)?);
                }
                Ok(all)
            })
            .await
    }

    /// Insert one; see [`Transaction::insert`].
    pub async fn insert(&self, value: &T) -> Result<()> {
        let mut transaction = Transaction::new();
        transaction.insert(value)?;
        self.records.commit(transaction).await
    }

    /// Read, change, write; again when somebody else was faster (at most 64 times). `change` returning an error changes nothing.
    /// Errors: `NotFound` when there is no such record; `Invalid` when `change` gives it another key.
    pub async fn modify<R: Send + 'static>(
        &self,
        key: &str,
        mut change: impl FnMut(&mut T) -> Result<R> + Send,
    ) -> Result<(R, Versioned<T>)> {
        // The first try is free; who met a conflict waits for a turn, so that many writers of one record all get theirs.
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((T::COLLECTION, key));
        let turns = &self.records.inner.turns;
        let turn = &turns[(hash % turns.len() as u64) as usize];
        let mut my_turn = None;
        for _ in 0..MODIFY_TRIES {
            let Versioned { version, mut value } = self.get(key).await?.ok_or_else(|| Error::not_found(T::COLLECTION, key))?;
            let result = change(&mut value)?;
            if value.key() != key {
                return Err(Error::invalid(format!("key of {}", T::COLLECTION), "a change may not give a record another key"));
            }
            let mut transaction = Transaction::new();
            transaction.update(version, &value)?;
            match self.records.commit(transaction).await {
                Err(Error::Conflict(_)) if my_turn.is_none() => my_turn = Some(turn.lock().await),
                Err(Error::Conflict(_)) => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok((result, Versioned { version: version + 1, value })),
            }
        }
        Err(Error::Conflict(format!("{} `{key}` changes too often; {MODIFY_TRIES} tries met another change each", T::COLLECTION)))
    }

    async fn page(
        &self,
        listing: String,
        limit: usize,
        read: impl FnOnce(&Disk, usize) -> Result<Vec<(String, Versioned<T>)>> + Send + 'static,
    ) -> Result<Page<T>> {
        let limit = limit.clamp(1, PAGE_MAX);
        self.records
            .read(move |disk| {
                // One more than asked for tells whether there is a next page.
                let mut entries = read(disk, limit + 1)?;
                let more = entries.len() > limit;
                entries.truncate(limit);
                let next = entries.last().filter(|_| more).map(|(key, _)| cursor::write(&listing, key));
                Ok(Page { items: entries.into_iter().map(|(_, record)| record).collect(), next })
            })
            .await
    }
}

/// Keys that begin with `base`, behind (or, descending, before) `after`.
fn range(base: &[u8], after: Option<Vec<u8>>, descending: bool) -> Range {
    match (after, descending) {
        (None, _) => (Bound::Included(base.to_vec()), Bound::Excluded(behind(base))),
        (Some(after), false) => (Bound::Excluded(after), Bound::Excluded(behind(base))),
        (Some(after), true) => (Bound::Included(base.to_vec()), Bound::Excluded(after)),
    }
}

/// The record an index entry names; none when it changed since the entry was read.
fn indexed<T: Record>(disk: &Disk, key: &[u8], wanted: &(String, String)) -> Result<Option<(String, Versioned<T>)>> {
    let key = String::from_utf8_lossy(key).into_owned();
    let place = value::record_key(T::COLLECTION, &key);
    let Some(bytes) = disk.get(&place)? else { return Ok(None) };
    let stored = value::decode(&place, &bytes)?;
    if stored.index.contains(wanted) { Ok(Some((key, typed(&place, &stored)?))) } else { Ok(None) }
}

fn typed<T: Record>(place: &[u8], stored: &Stored) -> Result<Versioned<T>> {
    let value = serde_json::from_slice(&stored.json)
        .map_err(|error| value::damaged(place, &format!("its content does not fit this version of the host ({error})")))?;
    Ok(Versioned { version: stored.version, value })
}

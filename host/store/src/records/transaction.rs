//! Several changes that happen together or not at all: collected, checked in form, and handed to the writer.

use bellwether_domain::{Error, Result};

use super::Record;
use super::value::{IndexTexts, KEY_BYTES_MAX};

/// Changes of one transaction.
const OPERATIONS_MAX: usize = 10_000;
/// JSON of one record: records are for state, bulk goes to the blobs.
const JSON_BYTES_MAX: usize = 4 << 20;

/// Several changes that happen together or not at all, checked against the versions they name. Changes of one record
/// apply in order: an `update` may name the version that an earlier change of the same transaction gave it.
#[derive(Debug, Default)]
pub struct Transaction {
    operations: Vec<Operation>,
    /// The first fault of a call that cannot return it.
    fault: Option<Error>,
}

/// One change of one record.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) collection: &'static str,
    pub(super) key: String,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Insert(Content),
    Update(u64, Content),
    Delete(u64),
}

/// What is kept of a record besides its version.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) json: Vec<u8>,
    pub(super) index: IndexTexts,
}

impl Transaction {
    /// An empty one.
    pub fn new() -> Transaction {
        Transaction::default()
    }

    /// Insert; the commit fails with `AlreadyExists` when the key is taken.
    /// Errors: `Invalid` when key or index text breaks the rules, or the record is larger than 4 MiB.
    pub fn insert<T: Record>(&mut self, value: &T) -> Result<()> {
        let content = content(value)?;
        self.push::<T>(value.key(), Kind::Insert(content))
    }

    /// Replace the record that was read as `version`.
    /// Errors: `Invalid` when key or index text breaks the rules, or the record is larger than 4 MiB.
    pub fn update<T: Record>(&mut self, version: u64, value: &T) -> Result<()> {
        let content = content(value)?;
        self.push::<T>(value.key(), Kind::Update(version, content))
    }

    /// Delete the record that was read as `version`. A key that cannot be one fails the commit.
    pub fn delete<T: Record>(&mut self, version: u64, key: &str) {
        if let Err(error) = self.push::<T>(key.to_owned(), Kind::Delete(version)) {
            self.fault.get_or_insert(error);
        }
    }

    pub(super) fn into_operations(self) -> Result<Vec<Operation>> {
        match self.fault {
            Some(error) => Err(error),
            None => Ok(self.operations),
        }
    }

    fn push<T: Record>(&mut self, key: String, kind: Kind) -> Result<()> {
        if self.operations.len() >= OPERATIONS_MAX {
            return Err(Error::Overloaded(format!("a transaction may change {OPERATIONS_MAX} records at most; split it")));
        }
        check_key(T::COLLECTION, &key)?;
        self.operations.push(Operation { collection: T::COLLECTION, key, kind });
        Ok(())
    }
}

/// Checks a key; the error names it as `key` of the collection.
pub(super) fn check_key(collection: &str, key: &str) -> Result<()> {
    let why = match key {
        "" => "it is empty; give it at least one character".to_owned(),
        _ => match fault_of(key) {
            Some(why) => why,
            None => return Ok(()),
        },
    };
    Err(Error::invalid(format!("key of {collection}"), why))
}

/// What is wrong with a key, a prefix or an index text.
pub(super) fn fault_of(text: &str) -> Option<String> {
    if text.len() > KEY_BYTES_MAX {
        Some(format!("it has {} bytes; use at most {KEY_BYTES_MAX}", text.len()))
    } else if text.contains('\0') {
        Some("it contains the character NUL; remove it".to_owned())
    } else {
        None
    }
}

fn content<T: Record>(value: &T) -> Result<Content> {
    let place = |what: &str| format!("{what} of {} `{}`", T::COLLECTION, value.key().chars().take(80).collect::<String>());
    let texts = value.index();
    if texts.len() > T::INDEXES.len() {
        return Err(Error::Internal(format!("{} gives {} index texts for {} indexes", T::COLLECTION, texts.len(), T::INDEXES.len())));
    }
    let mut index = IndexTexts::new();
    for (name, text) in T::INDEXES.iter().zip(texts) {
        let Some(text) = text else { continue };
        if let Some(why) = fault_of(&text) {
            return Err(Error::invalid(place(&format!("index {name}")), why));
        }
        index.push(((*name).to_owned(), text));
    }
    let json = serde_json::to_vec(value).map_err(|error| Error::internal(format!("{}: {error}", place("JSON"))))?;
    if json.len() > JSON_BYTES_MAX {
        return Err(Error::invalid(place("content"), format!("it has {} bytes; a record may have {JSON_BYTES_MAX}", json.len())));
    }
    Ok(Content { json, index })
}

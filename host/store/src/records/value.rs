//! How records lie in the store: keys of one ordered tree, and values with version, checksum and index texts.
//!
//! Keys: `r collection NUL key` for records, `i collection NUL index NUL text NUL key` for index entries (no value), and
//! `m` for the totals. No part contains NUL, so keys sort by their parts. A value is
//! `format (1) | version (8) | crc32 (4) | index texts | JSON`, little-endian; the checksum covers the key as well, so that
//! a value under a wrong key is noticed too. The index texts are kept in the value because the writer, which does not know
//! the types, has to remove the old entries when a record changes.

use bellwether_domain::{Error, Result};

const FORMAT: u8 = 1;
const HEADER: usize = 1 + 8 + 4;
/// Longest key and index text, in bytes.
pub(super) const KEY_BYTES_MAX: usize = 512;
/// Key of the totals.
pub(super) const TOTALS_KEY: &[u8] = b"m";

/// Texts of a record in its indexes: (index, text).
pub(super) type IndexTexts = Vec<(String, String)>;

/// A stored record, its JSON still as bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    pub(super) version: u64,
    pub(super) index: IndexTexts,
    pub(super) json: Vec<u8>,
}

/// Beginning of all record keys of a collection; a key or a prefix of keys is appended.
pub(super) fn record_key(collection: &str, key: &str) -> Vec<u8> {
    [b"r", collection.as_bytes(), b"\0", key.as_bytes()].concat()
}

/// Key of an index entry; with an empty `key`, the beginning of all entries of that text.
pub(super) fn index_key(collection: &str, index: &str, text: &str, key: &str) -> Vec<u8> {
    [b"i", collection.as_bytes(), b"\0", index.as_bytes(), b"\0", text.as_bytes(), b"\0", key.as_bytes()].concat()
}

/// The first key behind all that begin with `prefix`. Every prefix here ends in NUL or UTF-8, so its last byte can grow.
pub(super) fn behind(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

/// Collection and key of a record key, for messages and the feed.
pub(super) fn split_record_key(key: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(key.get(1..).unwrap_or_default()).into_owned();
    match text.split_once('\0') {
        Some((collection, key)) => (collection.to_owned(), key.to_owned()),
        None => (text, String::new()),
    }
}

/// The value of a record under its full key.
pub(super) fn encode(key: &[u8], stored: &Stored) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + 2 + stored.json.len() + stored.index.len() * 64);
    bytes.push(FORMAT);
    bytes.extend(stored.version.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend((stored.index.len() as u16).to_le_bytes());
    for (index, text) in &stored.index {
        for part in [index, text] {
            bytes.extend((part.len() as u16).to_le_bytes());
            bytes.extend(part.as_bytes());
        }
    }
    bytes.extend(&stored.json);
    let sum = checksum(key, &bytes);
    bytes[9..HEADER].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Reads and checks a value. Errors: `Internal` naming collection and key.
pub(super) fn decode(key: &[u8], bytes: &[u8]) -> Result<Stored> {
    parse(key, bytes).ok_or_else(|| damaged(key, "its checksum does not match"))
}

/// The error for a record that cannot be read.
pub(super) fn damaged(key: &[u8], why: &str) -> Error {
    let (collection, key) = split_record_key(key);
    Error::Internal(format!("record `{key}` of `{collection}` is damaged: {why}; restore the records from a backup"))
}

/// The checksum a value carries: it covers its key and all of its parts.
pub(super) fn checksum_of(bytes: &[u8]) -> u32 {
    let sum: [u8; 4] = bytes.get(9..HEADER).and_then(|sum| sum.try_into().ok()).unwrap_or_default();
    u32::from_le_bytes(sum)
}

/// A number per stored record; their sum over the store shows whether any is missing or stale.
pub(super) fn fingerprint(bytes: &[u8]) -> u64 {
    u64::from(checksum_of(bytes)).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn parse(key: &[u8], bytes: &[u8]) -> Option<Stored> {
    let (header, mut rest) = bytes.split_at_checked(HEADER)?;
    let sum = u32::from_le_bytes(header[9..].try_into().ok()?);
    if header[0] != FORMAT || sum != checksum(key, bytes) {
        return None;
    }
    let version = u64::from_le_bytes(header[1..9].try_into().ok()?);
    let count = take_length(&mut rest)?;
    let index = (0..count).map(|_| Some((take_text(&mut rest)?, take_text(&mut rest)?))).collect::<Option<IndexTexts>>()?;
    Some(Stored { version, index, json: rest.to_vec() })
}

fn take_length(rest: &mut &[u8]) -> Option<usize> {
    let (length, behind) = rest.split_at_checked(2)?;
    *rest = behind;
    Some(usize::from(u16::from_le_bytes(length.try_into().ok()?)))
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    let length = take_length(rest)?;
    let (text, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    String::from_utf8(text.to_vec()).ok()
}

fn checksum(key: &[u8], bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(&bytes[..9]);
    hasher.update(&bytes[HEADER..]);
    hasher.finalize()
}

/// What the whole store holds, written with every batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Transactions committed so far.
    pub(super) sequence: u64,
    /// Records there are.
    pub(super) count: u64,
    /// Sum of their fingerprints.
    pub(super) sum: u64,
}

impl Totals {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = [self.sequence, self.count, self.sum].map(u64::to_le_bytes).concat();
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Totals> {
        let wrong = || Error::Internal("the totals of the record store are damaged; restore the records from a backup".to_owned());
        let (numbers, sum) = bytes.split_at_checked(24).ok_or_else(wrong)?;
        if crc32fast::hash(numbers).to_le_bytes() != sum {
            return Err(wrong());
        }
        let number = |at: usize| numbers[at..at + 8].try_into().map(u64::from_le_bytes).map_err(|_| wrong());
        Ok(Totals { sequence: number(0)?, count: number(8)?, sum: number(16)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> Stored {
        Stored { version: 7, index: vec![("state".into(), "läuft".into())], json: br#"{"a":1}"#.to_vec() }
    }

    #[test]
    fn a_value_survives_and_any_flipped_bit_is_noticed() {
        let key = record_key("job", "j/1");
        let bytes = encode(&key, &stored());
        assert_eq!(decode(&key, &bytes).unwrap(), stored());
        for at in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            let error = decode(&key, &flipped).expect_err("flipped");
            assert!(error.to_string().contains("record `j/1` of `job` is damaged"), "{error}");
        }
        for length in 0..bytes.len() {
            assert!(decode(&key, &bytes[..length]).is_err());
        }
        assert!(decode(&record_key("job", "j/2"), &bytes).is_err(), "under another key");
    }

    #[test]
    fn keys_of_one_text_lie_together() {
        let prefix = index_key("job", "state", "run", "");
        let end = behind(&prefix);
        let inside = |key: Vec<u8>| prefix <= key && key < end;
        assert!(inside(index_key("job", "state", "run", "a")));
        assert!(inside(index_key("job", "state", "run", "\u{10ffff}")));
        assert!(!inside(index_key("job", "state", "running", "a")));
        assert!(!inside(index_key("job", "stat", "erun", "a")));
    }

    #[test]
    fn totals_survive() {
        let totals = Totals { sequence: 3, count: 2, sum: u64::MAX };
        assert_eq!(Totals::decode(&totals.encode()), Ok(totals));
        let mut wrong = totals.encode();
        wrong[0] ^= 1;
        assert!(Totals::decode(&wrong).is_err() && Totals::decode(&[]).is_err());
    }
}

//! The check of a whole store: every record readable, every index entry there and none too many, nothing missing or stale.

use std::ops::Bound;

use bellwether_domain::{Error, Result};

use super::sled::{Disk, Range};
use super::value::{self, Stored, behind, fingerprint};

/// Reads everything; returns the number of records, or the first fault. Nothing may be written meanwhile.
pub(super) fn check(disk: &Disk) -> Result<u64> {
    let totals = disk.totals()?;
    let (mut count, mut sum, mut entries) = (0, 0_u64, 0);
    each(disk, |place, bytes, stored| {
        count += 1;
        sum = sum.wrapping_add(fingerprint(bytes));
        let (collection, key) = value::split_record_key(place);
        for (index, text) in &stored.index {
            entries += 1;
            if disk.get(&value::index_key(&collection, index, text, &key))?.is_none() {
                return Err(Error::Internal(format!("index `{index}` of `{collection}` lacks record `{key}`; restore a backup")));
            }
        }
        Ok(())
    })?;
    if (count, sum) != (totals.count, totals.sum) {
        return Err(Error::Internal(format!(
            "{count} records are readable and {} were written, or some are of an old version; restore a backup",
            totals.count
        )));
    }
    let present = disk.range(beginning(b"i"), false).try_fold(0, |found, entry| entry.map(|_| found + 1))?;
    if present != entries {
        return Err(Error::Internal(format!("the indexes have {present} entries and the records {entries}; restore a backup")));
    }
    Ok(count)
}

/// Every record in key order, checked: its place, its bytes, its parts.
pub(super) fn each(disk: &Disk, mut visit: impl FnMut(&[u8], &[u8], Stored) -> Result<()>) -> Result<()> {
    for entry in disk.range(beginning(b"r"), false) {
        let (place, bytes) = entry?;
        visit(&place, &bytes, value::decode(&place, &bytes)?)?;
    }
    Ok(())
}

fn beginning(prefix: &[u8]) -> Range {
    (Bound::Included(prefix.to_vec()), Bound::Excluded(behind(prefix)))
}

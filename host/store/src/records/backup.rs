//! Backups: all records in one file of JSON lines, readable with any tool, and a new store made from such a file.
//!
//! The first line names the format, each other line is one record with its version, index texts and checksum, the last one
//! counts them: a file that was cut off is noticed.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use bellwether_domain::{Error, Result};
use serde::{Deserialize, Serialize};

use super::check::each;
use super::sled::Disk;
use super::value::{self, IndexTexts, Stored, TOTALS_KEY, Totals};
use crate::{durable, failure};

const FORMAT: &str = "bellwether-records-1";
const BATCH_LINES: usize = 1000;

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    sequence: u64,
}

#[derive(Serialize, Deserialize)]
struct Line {
    collection: String,
    key: String,
    version: u64,
    index: IndexTexts,
    crc32: u32,
    json: String,
}

#[derive(Serialize, Deserialize)]
struct Tail {
    records: u64,
}

/// Writes all records; on disk when this returns. A file that could not be finished is removed.
pub(super) fn write(disk: &Disk, path: &Path) -> Result<u64> {
    let failed = |error: io::Error| failure::io("write the backup", path, &error);
    let file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(Error::AlreadyExists { what: "backup", id: path.display().to_string() });
        }
        opened => opened.map_err(failed)?,
    };
    let written = write_lines(disk, path, &file).and_then(|records| file.sync_all().map(|()| records).map_err(failed));
    match &written {
        Ok(_) => path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(Ok(()), durable::sync_folder)?,
        Err(_) => std::fs::remove_file(path).map_err(failed)?,
    }
    written
}

fn write_lines(disk: &Disk, path: &Path, file: &File) -> Result<u64> {
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let mut records = 0;
    put(&mut out, path, &Head { format: FORMAT.to_owned(), sequence: disk.totals()?.sequence })?;
    each(disk, |place, bytes, stored| {
        let (collection, key) = value::split_record_key(place);
        let json = String::from_utf8(stored.json).map_err(|_| value::damaged(place, "it is not text"))?;
        let crc32 = value::checksum_of(bytes);
        records += 1;
        put(&mut out, path, &Line { collection, key, version: stored.version, index: stored.index, crc32, json })
    })?;
    put(&mut out, path, &Tail { records })?;
    out.flush().map_err(|error| failure::io("write the backup", path, &error))?;
    Ok(records)
}

fn put(out: &mut impl Write, path: &Path, line: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec(line).map_err(Error::internal)?;
    text.push(b'\n');
    out.write_all(&text).map_err(|error| failure::io("write the backup", path, &error))
}

/// Makes a store in `folder`, which must be absent or empty. On failure what was made is left for a look; it is no store
/// with fewer records, because a restore into it again is refused.
pub(super) fn restore(folder: &Path, backup: &Path) -> Result<u64> {
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::Conflict(format!("{} is not empty; restore into a new folder", folder.display())));
    }
    let broken = |line: u64, why: &str| Error::invalid(format!("line {line} of {}", backup.display()), why.to_owned());
    let file = File::open(backup).map_err(|error| failure::io("read the backup", backup, &error))?;
    let mut lines = (1..).zip(BufReader::with_capacity(1 << 20, file).lines());
    let mut next = || {
        lines
            .next()
            .map(|(at, line)| line.map(|line| (at, line)))
            .transpose()
            .map_err(|error| failure::io("read the backup", backup, &error))
    };
    let head = next()?.and_then(|(_, line)| serde_json::from_str::<Head>(&line).ok()).filter(|head| head.format == FORMAT);
    let head = head.ok_or_else(|| broken(1, "this is not a backup of records"))?;
    let disk = Disk::open(folder)?;
    let mut totals = Totals { sequence: head.sequence, ..Totals::default() };
    let mut batch = HashMap::new();
    loop {
        let (at, line) = next()?.ok_or_else(|| broken(totals.count + 2, "the file ends too early; take a complete backup"))?;
        if let Ok(tail) = serde_json::from_str::<Tail>(&line) {
            if tail.records != totals.count {
                return Err(broken(at, &format!("{} records were read and {} written", totals.count, tail.records)));
            }
            break;
        }
        let line: Line = serde_json::from_str(&line).map_err(|error| broken(at, &error.to_string()))?;
        for (index, text) in &line.index {
            batch.insert(value::index_key(&line.collection, index, text, &line.key), Some(Vec::new()));
        }
        let place = value::record_key(&line.collection, &line.key);
        let bytes = value::encode(&place, &Stored { version: line.version, index: line.index, json: line.json.into_bytes() });
        if value::checksum_of(&bytes) != line.crc32 {
            return Err(broken(at, "its checksum does not match"));
        }
        totals.count += 1;
        totals.sum = totals.sum.wrapping_add(value::fingerprint(&bytes));
        batch.insert(place, Some(bytes));
        if batch.len() >= BATCH_LINES {
            disk.apply(std::mem::take(&mut batch))?;
        }
    }
    batch.insert(TOTALS_KEY.to_vec(), Some(totals.encode()));
    disk.apply(batch)?;
    disk.sync()?;
    disk.acknowledge(totals.sequence)?;
    Ok(totals.count)
}

//! Damaged record files: opening either brings everything back or names the damage; nothing acknowledged goes silently.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

use bellwether_domain::Error;
use bellwether_store::{Record, Records};
use serde::{Deserialize, Serialize};

const RECORDS: usize = 400;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Item {
    key: String,
    fill: String,
}

impl Record for Item {
    const COLLECTION: &'static str = "item";
    fn key(&self) -> String {
        self.key.clone()
    }
}

fn item(number: usize) -> Item {
    Item { key: format!("k{number:05}"), fill: format!("{number} ").repeat(60) }
}

/// What is done to a file.
type Harm = fn(Vec<u8>) -> Vec<u8>;

/// A store that was opened three times, so that it has a snapshot and a log behind it.
async fn filled(folder: &Path) {
    for part in 0..3 {
        let records = Records::open(folder).await.unwrap();
        for number in (0..RECORDS).filter(|number| number % 3 == part) {
            records.of::<Item>().insert(&item(number)).await.unwrap();
        }
        records.close().await.unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let names = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    names.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix)).collect()
}

/// Opens and reads everything: all of it, or the error that says what is wrong.
async fn read_all(folder: &Path) -> Result<Vec<Item>, Error> {
    let records = Records::open(folder).await?;
    records.check().await?;
    Ok(records.of::<Item>().all().await?.into_iter().map(|item| item.value).collect())
}

fn everything() -> Vec<Item> {
    (0..RECORDS).map(item).collect()
}

fn names_damage(error: &Error, folder: &Path) {
    let text = error.to_string();
    assert_eq!(error.code(), "internal", "{text}");
    let says_where = text.contains(folder.to_str().unwrap()) || text.contains("`item`") || text.contains("record");
    assert!(says_where && text.contains("backup"), "{text}");
}

#[tokio::test]
async fn a_damaged_snapshot_is_set_aside_and_all_comes_back_from_the_log() {
    let parent = tempfile::tempdir().unwrap();
    let original = parent.path().join("original");
    filled(&original).await;
    let harms: [(&str, Harm); 4] = [
        ("empty", |_| Vec::new()),
        ("torn", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("flipped", |mut bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            bytes
        }),
        ("zeroed", |bytes| vec![0; bytes.len()]),
    ];
    for (name, harm) in harms {
        let folder = parent.path().join(name);
        copy(&original, &folder);
        let snapshots = files(&folder, "snap.");
        assert_eq!(snapshots.len(), 1);
        fs::write(&snapshots[0], harm(fs::read(&snapshots[0]).unwrap())).unwrap();
        assert_eq!(read_all(&folder).await.expect(name), everything(), "{name}");
        assert_eq!(files(&folder, "damaged-1.snap.").len(), 1, "{name}");
        assert_eq!(read_all(&folder).await.expect(name), everything(), "{name}, opened again");
    }
    // One that was never finished, as a kill leaves it: sled alone would take it for the newest and refuse.
    let folder = parent.path().join("unfinished");
    copy(&original, &folder);
    fs::write(folder.join("snap.7FFFFFFFFFFFFFFF.generating"), "half").unwrap();
    assert_eq!(read_all(&folder).await.unwrap(), everything());
    assert!(files(&folder, "damaged").is_empty());
    // And none at all.
    let folder = parent.path().join("none");
    copy(&original, &folder);
    files(&folder, "snap.").iter().for_each(|path| fs::remove_file(path).unwrap());
    assert_eq!(read_all(&folder).await.unwrap(), everything());
}

#[tokio::test]
async fn a_damaged_configuration_is_made_again() {
    let parent = tempfile::tempdir().unwrap();
    let original = parent.path().join("original");
    filled(&original).await;
    for (name, content) in [("empty", &b""[..]), ("wrong", &b"not a configuration of sled"[..])] {
        let folder = parent.path().join(name);
        copy(&original, &folder);
        fs::write(folder.join("conf"), content).unwrap();
        assert_eq!(read_all(&folder).await.expect(name), everything(), "{name}");
    }
}

#[tokio::test]
async fn a_log_cut_short_never_loses_silently() {
    let parent = tempfile::tempdir().unwrap();
    let original = parent.path().join("original");
    filled(&original).await;
    let log = fs::read(original.join("db")).unwrap();
    // The file may end in unused space: cut from behind the last byte that is written.
    let end = log.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut named = 0;
    for (number, cut) in [1, 2, 50, 300, 5_000, 40_000, end / 2, end - 1, end].into_iter().enumerate() {
        let folder = parent.path().join(format!("cut{number}"));
        copy(&original, &folder);
        fs::write(folder.join("db"), &log[..end - cut.min(end)]).unwrap();
        match read_all(&folder).await {
            Ok(items) => assert_eq!(items, everything(), "cut by {cut}"),
            Err(error) => {
                names_damage(&error, &folder);
                named += 1;
            }
        }
    }
    assert!(named >= 5, "{named} cuts were noticed");
}

#[tokio::test]
async fn flipped_bytes_in_the_log_never_pass_for_data() {
    let parent = tempfile::tempdir().unwrap();
    let original = parent.path().join("original");
    filled(&original).await;
    let log = fs::read(original.join("db")).unwrap();
    let end = log.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut named = 0;
    let places = (1..40).map(|part| end - 1 - part * part * end / 1600).chain([end - 1, end - 20, end - 200]);
    for (number, at) in places.enumerate() {
        let folder = parent.path().join(format!("flip{number}"));
        copy(&original, &folder);
        let mut bytes = log.clone();
        bytes[at] ^= 0x5A;
        fs::write(folder.join("db"), bytes).unwrap();
        match read_all(&folder).await {
            // A byte of what was overwritten later.
            Ok(items) => assert_eq!(items, everything(), "flipped {at} of {end}"),
            Err(error) => {
                names_damage(&error, &folder);
                named += 1;
            }
        }
        fs::remove_dir_all(folder).unwrap();
    }
    assert!(named >= 1, "{named} flips were noticed");
}

#[tokio::test]
async fn the_way_on_without_lost_transactions_is_the_one_the_error_names() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("records");
    filled(&folder).await;
    let log = fs::read(folder.join("db")).unwrap();
    let end = log.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    fs::write(folder.join("db"), &log[..end - 300]).unwrap();
    let error = Records::open(&folder).await.expect_err("transactions are missing");
    assert!(error.to_string().contains("were acknowledged and are missing") && error.to_string().contains("`acknowledged`"), "{error}");
    // It says so every time, until somebody decides.
    assert_eq!(Records::open(&folder).await.expect_err("still").code(), "internal");
    fs::remove_file(folder.join("acknowledged")).unwrap();
    let left = read_all(&folder).await.unwrap();
    assert!(!left.is_empty() && left.len() < RECORDS, "{} are left", left.len());
    assert!(left.iter().all(|left| everything().contains(left)));
}

//! The bar store as its callers see it: merging, months, damage, readers beside a writer.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

use bellwether_domain::Error;
use bellwether_domain::bars::{Bar, Bars, Gap};
use bellwether_domain::id::Symbol;
use bellwether_domain::time::{Interval, Timestamp};
use bellwether_store::bars::digest;
use bellwether_store::{BarStore, Ingested};

const HOUR: i64 = 3_600_000;

fn symbol() -> Symbol {
    "BTC/USDT".parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Hourly bars from `start`; `salt` changes all values.
fn bars(start: &str, count: i64, salt: f64) -> Bars {
    let mut bars = Bars::default();
    for row in 0..count {
        let open = 100.0 + salt + row as f64 / 7.0;
        let timestamp = time(start).plus_ms(row * HOUR);
        bars.push(Bar { timestamp, open, high: open + 1.0, low: open - 1.0, close: open + 0.5, volume: row as f64 });
    }
    bars
}

fn months(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("BTC%2FUSDT/1h")).unwrap();
    let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

async fn all(store: &BarStore) -> Bars {
    store.read(&symbol(), Interval::HOUR, None, None).await.unwrap()
}

#[tokio::test]
async fn sent_bars_come_back_and_sending_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = BarStore::open(folder.path()).unwrap();
    let sent = bars("2023-12-20", 24 * 60, 0.0);
    let counts = store.ingest(&symbol(), Interval::HOUR, sent.clone()).await.unwrap();
    assert_eq!(counts, Ingested { added: 24 * 60, unchanged: 0, replaced: 0 });
    let names: Vec<_> = months(folder.path()).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["2023-12.parquet", "2024-01.parquet", "2024-02.parquet"]);
    let store = BarStore::open(folder.path()).unwrap();
    assert_eq!(all(&store).await, sent);
    let before: Vec<_> = months(folder.path()).iter().map(|path| fs::metadata(path).unwrap().modified().unwrap()).collect();
    let counts = store.ingest(&symbol(), Interval::HOUR, sent.clone()).await.unwrap();
    assert_eq!(counts, Ingested { added: 0, unchanged: 24 * 60, replaced: 0 });
    let after: Vec<_> = months(folder.path()).iter().map(|path| fs::metadata(path).unwrap().modified().unwrap()).collect();
    assert_eq!(before, after, "unchanged months are not written");
    assert_eq!(store.list().await.unwrap(), [(symbol(), Interval::HOUR)]);
    assert_eq!(store.ingest(&symbol(), Interval::HOUR, Bars::default()).await.unwrap(), Ingested::default());
}

#[tokio::test]
async fn merging_adds_replaces_and_touches_only_its_months() {
    let folder = tempfile::tempdir().unwrap();
    let store = BarStore::open(folder.path()).unwrap();
    store.ingest(&symbol(), Interval::HOUR, bars("2024-01-30", 72, 0.0)).await.unwrap();
    let january = fs::metadata(&months(folder.path())[0]).unwrap().modified().unwrap();
    // From the last stored day on, with other values, and a day more.
    let counts = store.ingest(&symbol(), Interval::HOUR, bars("2024-02-01", 48, 5.0)).await.unwrap();
    assert_eq!(counts, Ingested { added: 24, unchanged: 0, replaced: 24 });
    assert_eq!(fs::metadata(&months(folder.path())[0]).unwrap().modified().unwrap(), january);
    let merged = all(&store).await;
    assert_eq!(merged.len(), 96);
    assert_eq!(merged.slice(0..48), bars("2024-01-30", 48, 0.0));
    assert_eq!(merged.slice(48..96), bars("2024-02-01", 48, 5.0));
    // Holes are filled from any side.
    let counts = store.ingest(&symbol(), Interval::HOUR, bars("2024-01-29", 30, 0.0)).await.unwrap();
    assert_eq!((counts.added, counts.replaced), (24, 6));
}

#[tokio::test]
async fn ranges_are_half_open_and_read_only_their_months() {
    let folder = tempfile::tempdir().unwrap();
    let store = BarStore::open(folder.path()).unwrap();
    let sent = bars("2024-01-01", 24 * 90, 0.0);
    store.ingest(&symbol(), Interval::HOUR, sent.clone()).await.unwrap();
    let read = async |from: &str, until: &str| {
        let edge = |text: &str| Some(text).filter(|text| !text.is_empty()).map(time);
        store.read(&symbol(), Interval::HOUR, edge(from), edge(until)).await
    };
    assert_eq!(read("2024-01-31T22:00:00Z", "2024-02-01T02:00:00Z").await.unwrap(), sent.slice(742..746));
    assert_eq!(read("", "2024-01-01T02:30:00Z").await.unwrap(), sent.slice(0..3));
    assert_eq!(read("2024-03-30T23:00:00Z", "").await.unwrap(), sent.slice(2159..2160));
    assert!(read("2025-01-01", "").await.unwrap().is_empty());
    assert!(read("2024-02-02", "2024-02-01").await.unwrap().is_empty());
    // A damaged month only hurts those who need it.
    fs::write(&months(folder.path())[2], "PAR1").unwrap();
    assert_eq!(read("", "2024-03-01").await.unwrap().len(), 24 * 60);
    let error = read("", "2024-03-01T00:00:01Z").await.expect_err("damaged");
    assert!(error.code() == "internal" && error.to_string().contains("2024-03.parquet"), "{error}");
}

#[tokio::test]
async fn describe_tells_holes_and_digest_and_follows_changes() {
    let folder = tempfile::tempdir().unwrap();
    let store = BarStore::open(folder.path()).unwrap();
    let absent = Error::not_found("series", "BTC/USDT 1h");
    assert_eq!(store.describe(&symbol(), Interval::HOUR).await, Err(absent.clone()));
    assert_eq!(store.read(&symbol(), Interval::HOUR, None, None).await, Err(absent));
    store.ingest(&symbol(), Interval::HOUR, bars("2024-01-31", 24, 0.0)).await.unwrap();
    store.ingest(&symbol(), Interval::HOUR, bars("2024-02-01T03:00:00Z", 10, 0.0)).await.unwrap();
    let info = store.describe(&symbol(), Interval::HOUR).await.unwrap();
    assert_eq!((info.rows, info.missing, info.first, info.last), (34, 3, time("2024-01-31"), time("2024-02-01T12:00:00Z")));
    let hole = Gap { after: time("2024-01-31T23:00:00Z"), before: time("2024-02-01T03:00:00Z"), missing: 3 };
    assert_eq!(info.gaps, [hole], "a hole between two months");
    assert_eq!(info.digest, digest(&all(&store).await));
    assert_eq!(store.describe(&symbol(), Interval::HOUR).await.unwrap(), info);
    // Another process writes: the remembered summary is dropped.
    let other = BarStore::open(folder.path()).unwrap();
    other.ingest(&symbol(), Interval::HOUR, bars("2024-02-01", 3, 0.0)).await.unwrap();
    let info = store.describe(&symbol(), Interval::HOUR).await.unwrap();
    assert_eq!((info.rows, info.missing, info.gaps.len()), (37, 0, 0));
}

#[test]
fn the_digest_is_that_of_the_bytes() {
    // SHA-256 of one row of 48 bytes: i64 1000, then 1.0, 2.0, 0.5, 1.5, 0.0, little-endian; made with Python's hashlib:
    // sha256(struct.pack('<q5d', 1000, 1.0, 2.0, 0.5, 1.5, 0.0))
    let mut one = Bars::default();
    one.push(Bar { timestamp: Timestamp(1000), open: 1.0, high: 2.0, low: 0.5, close: 1.5, volume: 0.0 });
    assert_eq!(digest(&one), "f98a108f269789b215375efbe412947c630a7ce4c2101558c6c78bbb972b67e3");
}

#[tokio::test]
async fn what_breaks_a_rule_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = BarStore::open(folder.path()).unwrap();
    store.ingest(&symbol(), Interval::HOUR, bars("2024-01-31T20:00:00Z", 4, 0.0)).await.unwrap();
    let before = all(&store).await;
    let check = async |sent: Bars, part: &str| {
        let error = store.ingest(&symbol(), Interval::HOUR, sent).await.expect_err(part);
        assert!(error.code() == "invalid" && error.to_string().contains(part), "{error}");
        assert_eq!(all(&store).await, before);
    };
    let mut wrong = bars("2024-01-31T20:00:00Z", 4, 1.0);
    wrong.high[2] = 0.1;
    check(wrong, "row 3").await;
    check(bars("2024-01-31T20:30:00Z", 1, 0.0), "same alignment").await;
    check(bars("2024-01-31T23:30:00Z", 5, 0.0), "same alignment").await;
    // The neighbour is in the month before, which is not sent.
    check(bars("2024-02-01T00:00:00Z", 1, 0.0).shifted(-1_000), "same alignment").await;
    let mut far = bars("2024-01-31T20:00:00Z", 1, 0.0);
    far.timestamp[0] = i64::MAX / 1000 * 1000;
    check(far, "years 1 to 9999").await;
    assert_eq!(months(folder.path()).len(), 1);
}

trait Shifted {
    fn shifted(self, milliseconds: i64) -> Self;
}

impl Shifted for Bars {
    fn shifted(mut self, milliseconds: i64) -> Bars {
        self.timestamp.iter_mut().for_each(|time| *time += milliseconds);
        self
    }
}

#[tokio::test]
async fn neighbours_in_other_months_count() {
    let folder = tempfile::tempdir().unwrap();
    let store = BarStore::open(folder.path()).unwrap();
    let half_past = bars("2024-01-31T20:30:00Z", 4, 0.0);
    store.ingest(&symbol(), Interval::HOUR, half_past.clone()).await.unwrap();
    let error = store.ingest(&symbol(), Interval::HOUR, bars("2024-02-01", 4, 0.0)).await.expect_err("too close");
    assert!(error.to_string().contains("2024-02-01T00:00:00Z would follow 2024-01-31T23:30:00Z"), "{error}");
    let aligned = bars("2024-02-01T00:30:00Z", 4, 0.0);
    store.ingest(&symbol(), Interval::HOUR, aligned).await.unwrap();
    let error = store.ingest(&symbol(), Interval::HOUR, bars("2024-01-31T18:00:00Z", 3, 0.0)).await.expect_err("too close");
    assert_eq!(error.code(), "invalid");
}

#[tokio::test]
async fn every_flipped_byte_is_noticed_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let store = BarStore::open(folder.path()).unwrap();
    let sent = bars("2024-01-01", 48, 0.0);
    store.ingest(&symbol(), Interval::HOUR, sent.clone()).await.unwrap();
    let path = months(folder.path()).remove(0);
    let good = fs::read(&path).unwrap();
    let mut noticed = 0;
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x41;
        fs::write(&path, bytes).unwrap();
        match store.read(&symbol(), Interval::HOUR, None, None).await {
            Ok(read) => assert_eq!(read, sent, "byte {at} changed the bars unnoticed"),
            Err(error) => {
                assert!(error.to_string().contains("2024-01.parquet"), "{error}");
                noticed += 1;
            }
        }
    }
    assert!(noticed > good.len() / 2, "{noticed} of {}", good.len());
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).unwrap();
        assert!(store.read(&symbol(), Interval::HOUR, None, None).await.is_err(), "cut at {length}");
    }
    // Removing it and sending again mends the series, as the error says.
    fs::remove_file(&path).unwrap();
    store.ingest(&symbol(), Interval::HOUR, sent.clone()).await.unwrap();
    assert_eq!(all(&store).await, sent);
}

#[tokio::test]
async fn leftovers_of_a_dead_writer_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = BarStore::open(folder.path()).unwrap();
    store.ingest(&symbol(), Interval::HOUR, bars("2024-01-01", 4, 0.0)).await.unwrap();
    let leftover = folder.path().join("BTC%2FUSDT/1h/.2024-01.99999-0.temp");
    fs::write(&leftover, "half").unwrap();
    assert_eq!(all(&store).await.len(), 4);
    let store = BarStore::open(folder.path()).unwrap();
    assert!(!leftover.exists());
    assert_eq!(all(&store).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_beside_a_writer_see_whole_months() {
    let folder = tempfile::tempdir().unwrap();
    let store = BarStore::open(folder.path()).unwrap();
    store.ingest(&symbol(), Interval::HOUR, bars("2024-01-01", 300, 0.0)).await.unwrap();
    let reader = BarStore::open(folder.path()).unwrap();
    let (done, finished) = tokio::sync::watch::channel(false);
    let reading = tokio::spawn(async move {
        let mut reads = 0;
        while !*finished.borrow() || reads == 0 {
            let read = all(&reader).await;
            let salt = read.open[0] - 100.0;
            assert_eq!(read.open.last().copied(), Some(100.0 + salt + 299.0 / 7.0));
            reader.describe(&symbol(), Interval::HOUR).await.unwrap();
            reads += 1;
        }
    });
    for salt in 1..40 {
        store.ingest(&symbol(), Interval::HOUR, bars("2024-01-01", 300, f64::from(salt))).await.unwrap();
    }
    done.send(true).unwrap();
    reading.await.unwrap();
    // Writers of one series take turns: each bar comes from one of the calls, none is lost.
    let calls = (0..8).map(|part| {
        let store = store.clone();
        tokio::spawn(async move { store.ingest(&symbol(), Interval::HOUR, bars("2024-03-01", 24, 0.0).shifted(part * 24 * HOUR)).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap().added, 24);
    }
    assert_eq!(all(&store).await.len(), 300 + 192);
}

//! The prediction log as its callers see it: nothing acknowledged is lost, a torn end is cut, the newest come first.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

use bellwether_domain::time::Timestamp;
use bellwether_store::{PredictionEntry, PredictionLog};

const MANY: u64 = 1 << 30;

fn entry(number: usize, model: &str) -> PredictionEntry {
    PredictionEntry {
        prediction_id: format!("0193a8f0-{number:012}"),
        at: Timestamp(1_733_400_000_000 + number as i64),
        endpoint: Some("BTC-USDT".into()),
        model_id: model.into(),
        variant: None,
        prediction: 0.1 + number as f64,
        interval: None,
        input_digest: "0123456789abcdef".into(),
        bar: Some(Timestamp(1_733_400_000_000)),
        latency_us: 250,
    }
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// What was written to a segment: the file without the zeros it grew ahead by.
fn written(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes[..end].to_vec()
}

fn ids(entries: &[PredictionEntry]) -> Vec<usize> {
    entries.iter().map(|entry| entry.prediction_id[9..].parse().unwrap()).collect()
}

#[tokio::test]
async fn appended_is_there_after_reopening_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let log = PredictionLog::open(folder.path(), MANY).await.unwrap();
    assert_eq!(log.recent(None, None, 10).await.unwrap(), []);
    for number in 0..5 {
        log.append(vec![entry(2 * number, "a"), entry(2 * number + 1, "b")]).await.unwrap();
    }
    log.append(Vec::new()).await.unwrap();
    drop(log);
    let log = PredictionLog::open(folder.path(), MANY).await.unwrap();
    let all = log.recent(None, None, 100).await.unwrap();
    assert_eq!(all, (0..10).rev().map(|number| entry(number, if number % 2 == 0 { "a" } else { "b" })).collect::<Vec<_>>());
    assert_eq!(ids(&log.recent(Some("b"), None, 2).await.unwrap()), [9, 7]);
    assert_eq!(ids(&log.recent(None, Some(&entry(4, "a").prediction_id), 3).await.unwrap()), [3, 2, 1]);
    assert_eq!(ids(&log.recent(Some("a"), Some(&entry(4, "a").prediction_id), 9).await.unwrap()), [2, 0]);
    assert_eq!(log.recent(Some("c"), None, 9).await.unwrap(), []);
    assert_eq!(log.recent(None, None, 0).await.unwrap(), []);
}

#[tokio::test]
async fn a_torn_end_is_cut_wherever_it_tears() {
    let folder = tempfile::tempdir().unwrap();
    let log = PredictionLog::open(folder.path(), MANY).await.unwrap();
    log.append((0..3).map(|number| entry(number, "a")).collect()).await.unwrap();
    drop(log);
    let path = segments(folder.path()).remove(0);
    let whole = written(&path);
    let second_end = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for length in second_end..=whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let log = PredictionLog::open(folder.path(), MANY).await.unwrap();
        let expected: &[usize] = if length == whole.len() { &[2, 1, 0] } else { &[1, 0] };
        assert_eq!(ids(&log.recent(None, None, 9).await.unwrap()), expected, "cut at {length}");
        log.append(vec![entry(7, "a")]).await.unwrap();
        assert_eq!(ids(&log.recent(None, None, 1).await.unwrap()), [7]);
    }
    // Zeros, as a file system may leave them behind a crash.
    fs::write(&path, [&whole[..], &[0; 5000]].concat()).unwrap();
    let log = PredictionLog::open(folder.path(), MANY).await.unwrap();
    assert_eq!(ids(&log.recent(None, None, 9).await.unwrap()), [2, 1, 0]);
    assert_eq!(fs::read(&path).unwrap(), whole, "cut off");
}

#[tokio::test]
async fn a_damaged_line_in_the_middle_hides_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let log = PredictionLog::open(folder.path(), MANY).await.unwrap();
    log.append((0..3).map(|number| entry(number, "a")).collect()).await.unwrap();
    drop(log);
    let path = segments(folder.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    bytes[middle] = b'!';
    fs::write(&path, bytes).unwrap();
    let log = PredictionLog::open(folder.path(), MANY).await.unwrap();
    assert_eq!(ids(&log.recent(None, None, 9).await.unwrap()), [2, 0]);
}

#[tokio::test]
async fn the_oldest_go_past_the_bound() {
    let folder = tempfile::tempdir().unwrap();
    let bound = 256 << 10;
    let log = PredictionLog::open(folder.path(), bound).await.unwrap();
    for block in 0..40 {
        log.append((0..50).map(|number| entry(block * 50 + number, "a")).collect()).await.unwrap();
        let size: u64 = segments(folder.path()).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
        assert!(size <= bound, "{size}");
    }
    let all = ids(&log.recent(None, None, 10_000).await.unwrap());
    assert!(all.len() > 500 && all.len() < 1500, "{}", all.len());
    assert_eq!(all, (2000 - all.len()..2000).rev().collect::<Vec<_>>(), "no hole");
    drop(log);
    let log = PredictionLog::open(folder.path(), bound / 2).await.unwrap();
    assert!(log.recent(None, None, 10_000).await.unwrap().len() < all.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_are_all_there_and_pages_meet() {
    let folder = tempfile::tempdir().unwrap();
    let log = PredictionLog::open(folder.path(), MANY).await.unwrap();
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let log = log.clone();
            tokio::spawn(async move { log.append(vec![entry(number, "a")]).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let mut paged = Vec::new();
    let mut before: Option<String> = None;
    loop {
        let page = log.recent(None, before.as_deref(), 37).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.prediction_id.clone());
        paged.extend(ids(&page));
    }
    assert_eq!(paged, (0..200).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = PredictionLog::open(folder.path(), MANY).await.unwrap();
    let wrong = PredictionEntry { prediction: f64::NAN, ..entry(1, "a") };
    assert_eq!(log.append(vec![wrong]).await.expect_err("NaN").code(), "invalid");
    let wrong = PredictionEntry { prediction_id: String::new(), ..entry(1, "a") };
    assert_eq!(log.append(vec![wrong]).await.expect_err("no id").code(), "invalid");
    let large = PredictionEntry { variant: Some("v".repeat(9 << 20)), ..entry(1, "a") };
    assert_eq!(log.append(vec![large]).await.expect_err("too large").code(), "overloaded");
    assert_eq!(log.recent(None, None, 9).await.unwrap(), []);
}

#[test]
fn lines_with_and_without_an_interval_read_both_ways() {
    let plain = serde_json::to_string(&entry(1, "a")).unwrap();
    assert!(!plain.contains("interval"), "an older host writes the same line: {plain}");
    assert_eq!(serde_json::from_str::<PredictionEntry>(&plain).unwrap(), entry(1, "a"));
    let interval = bellwether_domain::metrics::PredictionInterval { lower: -1.5, upper: 2.5, level: 0.9 };
    let sure = PredictionEntry { interval: Some(interval), ..entry(1, "a") };
    let line = serde_json::to_string(&sure).unwrap();
    assert_eq!(serde_json::from_str::<PredictionEntry>(&line).unwrap(), sure);
}

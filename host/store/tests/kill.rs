//! kill -9 in the middle of writing, twenty times: whatever was acknowledged is there, whole, and the store is consistent.
//!
//! The victim is this test binary, started again for one test with a variable that makes that test the victim. It says on
//! standard output what was acknowledged; the parent kills it after a number of lines, so the moment is a matter of counts.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use bellwether_domain::bars::{Bar, Bars};
use bellwether_domain::id::Symbol;
use bellwether_domain::time::{Interval, Timestamp};
use bellwether_store::{BarStore, PredictionEntry, PredictionLog, Record, Records, Transaction};
use serde::{Deserialize, Serialize};

const VICTIM: &str = "BELLWETHER_TEST_VICTIM";
const KILLS: usize = 20;
const WRITERS: usize = 8;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Item {
    key: String,
    fill: String,
}

impl Record for Item {
    const COLLECTION: &'static str = "item";
    const INDEXES: &'static [&'static str] = &["writer"];
    fn key(&self) -> String {
        self.key.clone()
    }
    fn index(&self) -> Vec<Option<String>> {
        vec![self.key.split('-').nth(1).map(str::to_owned)]
    }
}

/// Every 50th is large, so that sled's files apart from its log take part.
fn item(key: &str) -> Item {
    let number: usize = key.rsplit('-').next().unwrap().parse().unwrap();
    let size = if number % 50 == 49 { 60_000 } else { 200 };
    Item { key: key.to_owned(), fill: format!("{key}/").repeat(size / key.len()) }
}

fn entry(key: &str) -> PredictionEntry {
    PredictionEntry {
        prediction_id: key.to_owned(),
        at: Timestamp(0),
        endpoint: None,
        model_id: "m".into(),
        variant: None,
        prediction: 1.5,
        interval: None,
        input_digest: String::new(),
        bar: None,
        latency_us: 1,
    }
}

/// Starts the victim, kills it after `lines` acknowledgements, returns all it acknowledged.
fn run_victim(test: &str, folder: &Path, round: usize, lines: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(VICTIM, format!("{round}:{}", folder.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // What was written to the pipe before the kill was acknowledged too.
        if let Some(key) = line.unwrap().strip_prefix("acknowledged ") {
            acknowledged.push(key.to_owned());
        }
        if acknowledged.len() == lines {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success(), "it was killed");
    assert!(acknowledged.len() >= lines);
    acknowledged
}

/// The round and the folder, when this process is a victim.
#[expect(clippy::disallowed_methods, reason = "a test that starts itself hands over its folder by the environment")]
fn victim() -> Option<(String, String)> {
    let told = std::env::var(VICTIM).ok()?;
    told.split_once(':').map(|(round, folder)| (round.to_owned(), folder.to_owned()))
}

fn say(key: &str) {
    // One write call per line: a killed process leaves no half lines.
    use std::io::Write;
    std::io::stdout().write_all(format!("acknowledged {key}\n").as_bytes()).unwrap();
}

async fn write_records(round: &str, folder: &str) {
    let records = Records::open(Path::new(folder)).await.unwrap();
    let writers = (0..WRITERS).map(|writer| {
        let (records, round) = (records.clone(), round.to_owned());
        tokio::spawn(async move {
            for number in 0.. {
                let key = format!("{round}-{writer}-{number}");
                // Two records that belong together, and a change of an older one.
                let mut transaction = Transaction::new();
                transaction.insert(&item(&key)).unwrap();
                transaction.insert(&Item { key: format!("twin-{key}"), ..item(&key) }).unwrap();
                if number > 0 {
                    transaction.update(1, &item(&format!("{round}-{writer}-{}", number - 1))).unwrap();
                }
                records.commit(transaction).await.unwrap();
                say(&key);
            }
        })
    });
    futures_util::future::join_all(writers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_records_survive_kill_9() {
    if let Some((round, folder)) = victim() {
        return write_records(&round, &folder).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = HashSet::new();
    for round in 0..KILLS {
        acknowledged.extend(run_victim("acknowledged_records_survive_kill_9", folder.path(), round, 50 + 37 * round));
        let records = Records::open(folder.path()).await.unwrap();
        let items = records.of::<Item>();
        let all = items.all().await.unwrap();
        let present: HashSet<&str> = all.iter().map(|item| item.value.key.as_str()).collect();
        for key in &acknowledged {
            assert!(present.contains(key.as_str()), "round {round}: {key} was acknowledged and is gone");
        }
        for found in &all {
            let key = found.value.key.strip_prefix("twin-").unwrap_or(&found.value.key);
            assert_eq!(found.value.fill, item(key).fill, "round {round}");
            assert!(present.contains(key) && present.contains(format!("twin-{key}").as_str()), "round {round}: half of {key}");
        }
        assert_eq!(records.check().await.unwrap(), all.len() as u64);
        records.close().await.unwrap();
    }
    assert!(acknowledged.len() >= KILLS * 50);
}

async fn write_predictions(round: &str, folder: &str) {
    let log = PredictionLog::open(Path::new(folder), 1 << 30).await.unwrap();
    let writers = (0..WRITERS).map(|writer| {
        let (log, round) = (log.clone(), round.to_owned());
        tokio::spawn(async move {
            for number in 0.. {
                let key = format!("{round}-{writer}-{number}");
                log.append(vec![entry(&key)]).await.unwrap();
                say(&key);
            }
        })
    });
    futures_util::future::join_all(writers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_predictions_survive_kill_9() {
    if let Some((round, folder)) = victim() {
        return write_predictions(&round, &folder).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = HashSet::new();
    for round in 0..KILLS / 4 {
        acknowledged.extend(run_victim("acknowledged_predictions_survive_kill_9", folder.path(), round, 100 + 37 * round));
        let log = PredictionLog::open(folder.path(), 1 << 30).await.unwrap();
        let present: HashSet<_> = log.recent(None, None, 10_000).await.unwrap().into_iter().map(|entry| entry.prediction_id).collect();
        assert!(acknowledged.is_subset(&present), "round {round}: {:?} are gone", acknowledged.difference(&present));
    }
}

/// Three months of hourly bars, all of them telling which call they are from.
fn bars(call: usize) -> Bars {
    let mut bars = Bars::default();
    for hour in 0..24 * 90 {
        let price = (call + 1) as f64;
        let timestamp = Timestamp(1_704_067_200_000 + hour * 3_600_000);
        bars.push(Bar { timestamp, open: price, high: price, low: price, close: price, volume: hour as f64 });
    }
    bars
}

async fn write_bars(round: &str, folder: &str) {
    let store = BarStore::open(Path::new(folder)).unwrap();
    let symbol: Symbol = "BTC/USDT".parse().unwrap();
    let first = round.parse::<usize>().unwrap() * 1_000_000;
    for call in first.. {
        store.ingest(&symbol, Interval::HOUR, bars(call)).await.unwrap();
        say(&call.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bars_survive_kill_9_month_by_month() {
    if let Some((round, folder)) = victim() {
        return write_bars(&round, &folder).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let symbol: Symbol = "BTC/USDT".parse().unwrap();
    for round in 0..KILLS / 2 {
        let acknowledged = run_victim("bars_survive_kill_9_month_by_month", folder.path(), round, 3 + round);
        let last: usize = acknowledged.last().unwrap().parse().unwrap();
        let store = BarStore::open(folder.path()).unwrap();
        let read = store.read(&symbol, Interval::HOUR, None, None).await.unwrap();
        assert_eq!(read.timestamp, bars(0).timestamp);
        // Each month is whole, and from the last acknowledged call or the one the kill met.
        let (january, february) = (0..24 * 31, 24 * 31..24 * 60);
        for month in [january, february, 24 * 60..24 * 90] {
            let call = read.open[month.start] as usize - 1;
            assert!(call == last || call == last + 1, "round {round}: call {call} after {last} was acknowledged");
            assert!(read.open[month.clone()].iter().all(|open| *open as usize - 1 == call), "round {round}: half of {month:?}");
        }
        let left = std::fs::read_dir(folder.path().join("BTC%2FUSDT/1h")).unwrap().count();
        assert_eq!(left, 3, "nothing unfinished is left");
    }
}

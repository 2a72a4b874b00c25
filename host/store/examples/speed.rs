//! How fast the store is on this machine: `cargo run --release -p bellwether-store --example speed -- [bars.csv]`.
//!
//! Prints commits (one writer, 32 writers), point reads, reopening, prediction appends, and, given a CSV of hourly bars with
//! a header, ingesting, reading and describing them. Numbers are for the folder `TMPDIR` names.

use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

use bellwether_domain::bars::{Bar, Bars};
use bellwether_domain::id::Symbol;
use bellwether_domain::time::{Interval, Timestamp};
use bellwether_domain::{Error, Result};
use bellwether_store::{BarStore, Blobs, PredictionEntry, PredictionLog, Record, Records};
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct Item {
    key: String,
    fill: String,
}

impl Record for Item {
    const COLLECTION: &'static str = "item";
    const INDEXES: &'static [&'static str] = &["state"];
    fn key(&self) -> String {
        self.key.clone()
    }
    fn index(&self) -> Vec<Option<String>> {
        vec![Some("queued".to_owned())]
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir().map_err(Error::internal)?;
    records(&folder.path().join("records")).await?;
    predictions(&folder.path().join("predictions")).await?;
    blobs(&folder.path().join("blobs")).await?;
    if let Some(path) = std::env::args().nth(1) {
        bars(&folder.path().join("bars"), &path).await?;
    }
    Ok(())
}

fn report(what: &str, mut times: Vec<Duration>, wall: Duration) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let rate = times.len() as f64 / wall.as_secs_f64();
    println!("{what:<34} {rate:>9.0} /s   p50 {:>7.3} ms   p99 {:>7.3} ms", at(0.5), at(0.99));
}

/// Runs `work(task, number)` from `tasks` tasks, `each` times each.
async fn measure<F: Future<Output = Result<()>> + Send>(
    what: &str,
    tasks: usize,
    each: usize,
    work: impl Fn(usize, usize) -> F + Clone + Send + 'static,
) -> Result<()> {
    let start = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let work = work.clone();
            tokio::spawn(async move {
                let mut times = Vec::with_capacity(each);
                for number in 0..each {
                    let start = Instant::now();
                    work(task, number).await?;
                    times.push(start.elapsed());
                }
                Ok::<_, Error>(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in running {
        times.extend(task.await.map_err(Error::internal)??);
    }
    report(what, times, start.elapsed());
    Ok(())
}

async fn records(folder: &Path) -> Result<()> {
    let records = Records::open(folder).await?;
    let items = records.of::<Item>();
    for (what, tasks, each) in [("commits, one writer", 1, 2000), ("commits, 32 writers", 32, 500)] {
        let items = items.clone();
        measure(what, tasks, each, move |task, number| {
            let items = items.clone();
            let item = Item { key: format!("{tasks}-{task}-{number}"), fill: "x".repeat(500) };
            async move { items.insert(&item).await }
        })
        .await?;
    }
    let reader = items.clone();
    measure("point reads, one reader", 1, 10_000, move |_, number| {
        let reader = reader.clone();
        async move { reader.get(&format!("32-{}-{}", number % 32, number % 500)).await.map(drop) }
    })
    .await?;
    let reader = items.clone();
    measure("pages of 100", 1, 200, move |_, _| {
        let reader = reader.clone();
        async move { reader.scan("32-", None, 100, true).await.map(drop) }
    })
    .await?;
    records.close().await?;
    let start = Instant::now();
    let records = Records::open(folder).await?;
    println!("reopen                             {:>9.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    let count = records.check().await?;
    println!("check of {count} records            {:>9.1} ms", start.elapsed().as_secs_f64() * 1e3);
    records.close().await
}

async fn predictions(folder: &Path) -> Result<()> {
    let log = PredictionLog::open(folder, 1 << 30).await?;
    let entry = |id: String| PredictionEntry {
        prediction_id: id,
        at: Timestamp(1_733_400_000_000),
        endpoint: Some("BTC-USDT".into()),
        model_id: "lstm_BTC_20241205_120000".into(),
        variant: Some("stable".into()),
        prediction: 0.001_234,
        interval: None,
        input_digest: "0123456789abcdef".into(),
        bar: Some(Timestamp(1_733_400_000_000)),
        latency_us: 250,
    };
    for (what, tasks, each) in [("prediction appends, one writer", 1, 2000), ("prediction appends, 64 writers", 64, 500)] {
        let log = log.clone();
        measure(what, tasks, each, move |task, number| {
            let log = log.clone();
            let entry = entry(format!("{number:08}-{task:04}-{tasks}"));
            async move { log.append(vec![entry]).await }
        })
        .await?;
    }
    measure("newest 100 predictions", 1, 200, move |_, _| {
        let log = log.clone();
        async move { log.recent(Some("lstm_BTC_20241205_120000"), None, 100).await.map(drop) }
    })
    .await
}

async fn blobs(folder: &Path) -> Result<()> {
    let blobs = Blobs::folder(folder)?;
    let writer = blobs.clone();
    measure("blobs of 1 MiB kept", 1, 50, move |_, number| {
        let writer = writer.clone();
        async move { writer.put(vec![number as u8; 1 << 20]).await.map(drop) }
    })
    .await
}

async fn bars(folder: &Path, path: &str) -> Result<()> {
    let mut reader = csv::Reader::from_path(path).map_err(Error::internal)?;
    let mut bars = Bars::default();
    for row in reader.deserialize() {
        let bar: Bar = row.map_err(Error::internal)?;
        bars.push(bar);
    }
    let symbol: Symbol = "BTC/USDT".parse()?;
    let store = BarStore::open(folder)?;
    let start = Instant::now();
    let counts = store.ingest(&symbol, Interval::HOUR, bars.clone()).await?;
    println!("ingest of {} bars               {:>9.1} ms   {counts:?}", bars.len(), start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    store.ingest(&symbol, Interval::HOUR, bars.clone()).await?;
    println!("the same again                     {:>9.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    let read = store.read(&symbol, Interval::HOUR, None, None).await?;
    println!("read of all                        {:>9.1} ms   the same: {}", start.elapsed().as_secs_f64() * 1e3, read == bars);
    for what in ["describe", "describe again"] {
        let start = Instant::now();
        let info = store.describe(&symbol, Interval::HOUR).await?;
        println!("{what:<34} {:>9.1} ms   {} holes", start.elapsed().as_secs_f64() * 1e3, info.gaps.len());
    }
    Ok(())
}

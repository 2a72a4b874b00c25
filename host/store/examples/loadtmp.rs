//! Temporary.
use bellwether_domain::bars::{Bar, Bars};
use bellwether_domain::time::Timestamp;
use bellwether_store::BarStore;
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let store = BarStore::open(folder.path()).unwrap();
    for (name, step, rows) in [("1m", 60_000i64, 2_000_000usize), ("1h", 3_600_000, 60_000)] {
        let mut s: u64 = 1;
        let mut d = || { s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); (s >> 11) as f64 / (1u64 << 53) as f64 };
        let mut bars = Bars::default();
        let mut close = 60000.0f64;
        let c = |x: f64| (x * 100.0).round() / 100.0;
        for r in 0..rows {
            let open = c(close * (0.0002 * (d() - 0.5)).exp());
            close = c(open * (0.002 * (d() - 0.5)).exp());
            let high = c(open.max(close) * (1.0 + 0.001 * d()));
            let low = c(open.min(close) * (1.0 - 0.001 * d()));
            bars.push(Bar { timestamp: Timestamp(1_500_000_000_000 / step * step + r as i64 * step), open, high, low, close, volume: (50e6 * d()).round() / 1e6 });
        }
        let (symbol, interval) = ("BTC/USDT".parse().unwrap(), name.parse().unwrap());
        store.ingest(&symbol, interval, bars.clone()).await.unwrap();
        let mut best = f64::MAX;
        for _ in 0..10 {
            let t = std::time::Instant::now();
            let read = store.read(&symbol, interval, None, None).await.unwrap();
            best = best.min(t.elapsed().as_secs_f64());
            assert_eq!(read.len(), rows);
        }
        println!("{name}: {:.2} M bars/s best of 10", rows as f64 / best / 1e6);
    }
    let n: u64 = walk(folder.path());
    println!("{} bytes on disk", n);
    fn walk(p: &std::path::Path) -> u64 { std::fs::read_dir(p).unwrap().map(|e| { let e = e.unwrap(); if e.path().is_dir() { walk(&e.path()) } else { e.metadata().unwrap().len() } }).sum() }
}

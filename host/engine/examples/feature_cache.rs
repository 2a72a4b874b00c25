//! What keeping feature columns on disk gains: each column computed, against the same column read back and checked.
//!
//! `cargo run --release -p bellwether-engine --example feature_cache -- bars_1h.csv [repetitions]`
//!
//! The bars are laid end to end `repetitions` times, for the length of a series of minutes. Files are in the page cache, as
//! they are for the next job.

use std::time::Instant;

use bellwether_domain::bars::Bars;
use bellwether_domain::feature::Feature;
use bellwether_domain::time::Interval;
use bellwether_engine::columns::{ColumnPlace, columns};
use bellwether_engine::{csv, features};

const FEATURES: [&str; 12] = [
    "close",
    "log-return",
    "log-range",
    "realized-volatility(24)",
    "realized-volatility(720)",
    "sma-ratio(50)",
    "ema-ratio(20)",
    "rsi(14)",
    "macd(12,26,9)",
    "bollinger(20)",
    "zscore(500)",
    "hour-sin",
];

const ROUNDS: usize = 5;

/// Milliseconds of the fastest of some rounds.
fn fastest(mut work: impl FnMut()) -> f64 {
    let round = |_| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64() * 1e3
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name a CSV of hourly bars")?;
    let repetitions: usize = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let once = csv::read(&std::fs::read(path)?, Interval::HOUR)?;
    let span = once.timestamp.last().unwrap_or(&0) - once.timestamp.first().unwrap_or(&0) + Interval::HOUR.milliseconds();
    let mut bars = Bars::default();
    for repetition in 0..repetitions {
        bars.timestamp.extend(once.timestamp.iter().map(|start| start + span * repetition as i64));
        let pairs = [
            (&mut bars.open, &once.open),
            (&mut bars.high, &once.high),
            (&mut bars.low, &once.low),
            (&mut bars.close, &once.close),
            (&mut bars.volume, &once.volume),
        ];
        pairs.into_iter().for_each(|(all, one)| all.extend(one));
    }
    let folder = tempfile::tempdir()?;
    let place = ColumnPlace { folder: folder.path().to_owned(), bytes: 1 << 32 };
    println!("{} bars", bars.len());
    println!("{:<28} {:>12} {:>12}", "feature", "computed", "again");
    let wanted: Vec<Feature> = FEATURES.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let mut sums = [0.0; 2];
    for feature in &wanted {
        let one = std::slice::from_ref(feature);
        let computing = fastest(|| drop(features::compute(&bars, Interval::HOUR, one)));
        columns(Some(&place), "digest", &bars, Interval::HOUR, one);
        let mut read = 0;
        let again = fastest(|| read = columns(Some(&place), "digest", &bars, Interval::HOUR, one).1.read);
        let how = if read == 1 { "read" } else { "computed: keeping it does not pay" };
        println!("{:<28} {computing:>9.3} ms {again:>9.3} ms  {how}", feature.to_string());
        sums = [sums[0] + computing, sums[1] + again];
    }
    println!("{:<28} {:>9.3} ms {:>9.3} ms", "all", sums[0], sums[1]);
    let digest = fastest(|| drop(bellwether_engine::store::bars::digest(&bars)));
    println!("{:<28} {digest:>9.3} ms", "digest of the bars (the key)");
    Ok(())
}

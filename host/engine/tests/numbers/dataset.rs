//! Samples: what they read, what they must not know, and what is said when there are too few.

use bellwether_domain::bars::Bars;
use bellwether_domain::split::SplitConfig;
use bellwether_domain::target::{Target, TargetKind};
use bellwether_domain::time::Interval;
use bellwether_engine::dataset::{Dataset, build};

use crate::series::{Draw, HOUR_MS, feature, walk};

const NAMES: [&str; 4] = ["log-return", "realized-volatility(24)", "rsi(5)", "zscore(20)"];

fn target(kind: TargetKind, horizon: u32) -> Target {
    Target { kind, horizon }
}

fn samples(bars: &Bars, steps: u32, target: Target) -> Dataset {
    build(bars, Interval::HOUR, &NAMES.map(feature), steps, target, &SplitConfig::default(), 1).expect("dataset")
}

#[test]
fn no_sample_spans_a_hole() {
    let bars = walk(1200, 1, &[(300, 1), (301, 2), (600, 49), (900, 500)]);
    let (steps, horizon) = (12, 6);
    let found = samples(&bars, steps, target(TargetKind::Return, horizon));
    for end in &found.ends {
        let (first, last) = (end + 1 - steps as usize, end + horizon as usize);
        assert_eq!(bars.timestamp[last] - bars.timestamp[first], (last - first) as i64 * HOUR_MS, "sample ending on {end}");
    }
    // Behind a break the first bar has no one-bar return, so that the first window ends on its `steps`th successor.
    assert!(found.ends.contains(&(600 + 12)) && !found.ends.contains(&(600 + 11)));
    assert!(found.ends.contains(&(599 - 6)) && !found.ends.contains(&(600 - 6)));
    assert!(found.ends.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn targets_by_hand() {
    let bars = walk(400, 2, &[]);
    let check = |kind: TargetKind, rule: &dyn Fn(usize) -> f64, baseline: &dyn Fn(usize) -> f64, last: &dyn Fn(usize) -> f64| {
        let found = samples(&bars, 5, target(kind, 3));
        for (place, end) in found.ends.iter().enumerate() {
            assert!((found.targets[place] - rule(*end)).abs() < 1e-12, "{kind:?} {end}");
            assert!((found.baseline[place] - baseline(*end)).abs() < 1e-9, "{kind:?} {end}");
            assert!((found.last_known[place] - last(*end)).abs() < 1e-9, "{kind:?} {end}");
        }
    };
    let change = |end: usize| (bars.close[end + 3] / bars.close[end]).ln();
    let volatility = |last: usize| {
        let squares: f64 = (last - 2..=last).map(|row| (bars.close[row] / bars.close[row - 1]).ln().powi(2)).sum();
        (squares / 3.0).sqrt().ln()
    };
    check(TargetKind::Return, &change, &|_| 0.0, &|_| 0.0);
    check(TargetKind::Price, &change, &|end| bars.close[end], &|end| bars.close[end]);
    check(TargetKind::RealizedVolatility, &|end| volatility(end + 3), &volatility, &volatility);
    let found = samples(&bars, 5, target(TargetKind::Direction, 3));
    let ups = found.targets[found.split.train.clone()].iter().sum::<f64>() / found.split.train.len() as f64;
    assert!((0.2..0.8).contains(&ups) && found.baseline.iter().all(|share| *share == ups));
    assert!(found.ends.iter().zip(&found.targets).all(|(end, up)| (*up == 1.0) == (change(*end) > 0.0)));
    assert_eq!((found.target_scaler.mean[0], found.target_scaler.standard_deviation[0]), (0.0, 1.0));
}

/// Other prices from `row` on, the clock untouched.
fn rewritten(bars: &Bars, row: usize) -> Bars {
    let mut other = bars.clone();
    let mut draw = Draw::new(99);
    for row in row..bars.len() {
        let factor = 3.0 + draw.next();
        for column in [&mut other.open, &mut other.high, &mut other.low, &mut other.close] {
            column[row] *= factor;
        }
        other.volume[row] += 1000.0;
    }
    other
}

#[test]
fn training_knows_nothing_of_the_future() {
    let bars = walk(1500, 3, &[(400, 3)]);
    for kind in [TargetKind::Return, TargetKind::Direction, TargetKind::Price, TargetKind::RealizedVolatility] {
        let target = target(kind, 24);
        let before = samples(&bars, 30, target);
        let train = before.split.train.clone();
        let last_end = before.ends[train.end - 1];
        assert!(last_end + 24 <= before.ends[before.split.validation.start], "purge");
        let after = samples(&rewritten(&bars, last_end + 25), 30, target);
        assert_eq!(after.split, before.split);
        assert_eq!(after.ends, before.ends);
        assert_eq!(after.targets[train.clone()], before.targets[train.clone()], "{kind:?}");
        assert_eq!((after.scaler, after.target_scaler), (before.scaler.clone(), before.target_scaler.clone()), "{kind:?}");
        for (after, before) in after.columns.iter().zip(&before.columns) {
            assert!(after[..=last_end].iter().zip(&before[..=last_end]).all(|(one, other)| one.to_bits() == other.to_bits()));
        }
        assert_ne!(
            after.targets[before.split.test.clone()],
            before.targets[before.split.test.clone()],
            "the change is seen where it may be"
        );
        // The test can fail: one bar earlier reaches the last training target.
        let reached = samples(&rewritten(&bars, last_end + 24), 30, target);
        assert!(kind == TargetKind::Direction || reached.targets[train.clone()] != before.targets[train.clone()], "{kind:?}");
    }
}

#[test]
fn scalers_are_those_of_the_training_rows() {
    let bars = walk(600, 4, &[(200, 2)]);
    let found = samples(&bars, 10, target(TargetKind::Return, 2));
    let mut rows: Vec<usize> = found.ends[found.split.train.clone()].iter().flat_map(|end| end - 9..=*end).collect();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(found.training_rows(10), rows);
    for (place, column) in found.columns.iter().enumerate() {
        let mean = rows.iter().map(|row| column[*row]).sum::<f64>() / rows.len() as f64;
        assert!((found.scaler.mean[place] - mean).abs() < 1e-12);
    }
    let targets = &found.targets[found.split.train.clone()];
    assert!((found.target_scaler.mean[0] - targets.iter().sum::<f64>() / targets.len() as f64).abs() < 1e-12);
}

#[test]
fn errors_say_what_is_needed() {
    let check = |bars: &Bars, names: &[&str], steps: u32, horizon: u32, least: u64, expected: &str| {
        let features: Vec<_> = names.iter().map(|name| feature(name)).collect();
        let target = target(TargetKind::Return, horizon);
        let error = build(bars, Interval::HOUR, &features, steps, target, &SplitConfig::default(), least).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error} lacks {expected}");
    };
    let bars = walk(200, 5, &[]);
    check(&bars, &["close"], 10, 1, 500, "data: has 137 training samples; at least 500 are needed: 200 bars give 190 samples of 10 steps");
    check(&bars, &["close"], 300, 1, 10, "data: has 0 training samples");
    check(&walk(200, 5, &[(100, 5)]), &["close"], 150, 1, 10, "longest run without a missing bar has 100 bars");
    check(&bars, &["close", "ema-ratio(720)"], 1, 1, 1, "features: `ema-ratio(720)` needs 8");
    check(&bars, &["close"], 1, 0, 1, "target.horizon: is 0");
    check(&bars, &[], 1, 1, 1, "features: at least one feature");
    check(&bars, &["close"], 0, 1, 1, "sequence_length of at least 1");
    let mut quiet = bars.clone();
    quiet.volume.fill(0.0);
    check(&quiet, &["close", "log-volume"], 5, 1, 1, "features: `log-volume` is 0 on every row of the training part");
    check(&Bars::default(), &["close"], 5, 1, 1, "features: `close` needs 1 bars");
    let split = SplitConfig { test: 0.001, ..SplitConfig::default() };
    let error = build(&bars, Interval::HOUR, &[feature("close")], 1, target(TargetKind::Return, 1), &split, 1).expect_err("no test part");
    assert!(error.to_string().contains("leaves no sample to judge by"), "{error}");
}

//! The whole chain from file to metrics against a regression done outside, on real markets.

use bellwether_domain::metrics::Forecast;
use bellwether_domain::split::SplitConfig;
use bellwether_domain::target::{Target, TargetKind};
use bellwether_engine::dataset::{Dataset, build};
use bellwether_engine::scoring::{Judged, judge};
use bellwether_engine::{csv, features};
use serde::Deserialize;

use crate::series::feature;
use crate::shared_data::shared;

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    file: String,
    interval: String,
    horizon: u32,
    lags: Vec<u32>,
    samples: u64,
    mse: f64,
    r2_score: f64,
    baseline_mse: f64,
    accuracy: f64,
}

/// Least squares with an intercept by the normal equations, solved by elimination with pivoting.
fn least_squares(rows: &[Vec<f64>], targets: &[f64]) -> Vec<f64> {
    let width = rows[0].len() + 1;
    let mut system = vec![vec![0.0; width + 1]; width];
    for (row, target) in rows.iter().zip(targets) {
        let full: Vec<f64> = std::iter::once(1.0).chain(row.iter().copied()).chain([*target]).collect();
        for one in 0..width {
            for other in 0..=width {
                system[one][other] += full[one] * full[other];
            }
        }
    }
    for place in 0..width {
        let pivot = (place..width).max_by(|one, other| system[*one][place].abs().total_cmp(&system[*other][place].abs())).expect("rows");
        system.swap(place, pivot);
        let from = system[place].clone();
        for (other, row) in system.iter_mut().enumerate() {
            let factor = if other == place { 0.0 } else { row[place] / from[place] };
            row.iter_mut().zip(&from).for_each(|(cell, from)| *cell -= factor * from);
        }
    }
    (0..width).map(|place| system[place][width] / system[place][place]).collect()
}

fn inputs(dataset: &Dataset, samples: std::ops::Range<usize>) -> Vec<Vec<f64>> {
    dataset.ends[samples].iter().map(|end| dataset.columns.iter().map(|column| column[*end]).collect()).collect()
}

#[test]
fn volatility_regression_agrees_with_numpy() {
    let reference: Reference = serde_json::from_str(include_str!("../fixtures/har_reference.json")).expect("fixture");
    for case in reference.cases {
        let Some(path) = shared(&case.file) else { return };
        let interval = case.interval.parse().expect("interval");
        let begun = std::time::Instant::now();
        let bars = csv::read(&std::fs::read(path).expect("file"), interval).expect("bars");
        let read = begun.elapsed();
        let features: Vec<_> = case.lags.iter().map(|lag| feature(&format!("realized-volatility({lag})"))).collect();
        let target = Target { kind: TargetKind::RealizedVolatility, horizon: case.horizon };
        let split = SplitConfig { test: 0.2, validation: 0.0, ..SplitConfig::default() };
        let dataset = build(&bars, interval, &features, 1, target, &split, 100).expect("dataset");
        println!("{}: {} bars read in {read:?}, samples after {:?}", case.file, bars.len(), begun.elapsed());

        let (train, test) = (dataset.split.train.clone(), dataset.split.test.clone());
        let weights = least_squares(&inputs(&dataset, train.clone()), &dataset.targets[train]);
        let predict = |row: &Vec<f64>| weights[0] + row.iter().zip(&weights[1..]).map(|(value, weight)| value * weight).sum::<f64>();
        let forecast = |row: &Vec<f64>| Forecast { value: predict(row), distribution: None };
        let forecasts: Vec<Forecast> = inputs(&dataset, test.clone()).iter().map(forecast).collect();
        let found = judge(
            Judged {
                forecasts: &forecasts,
                actual: &dataset.targets[test.clone()],
                baseline: &dataset.baseline[test.clone()],
                last_known: &dataset.last_known[test.clone()],
                forward_return: &vec![0.0; forecasts.len()],
                ends: &dataset.ends[test],
            },
            target,
            interval,
            1.0,
        );
        println!("{}: {found:?}", case.file);
        for (name, found, expected) in [
            ("samples", found.samples.map(|samples| samples as f64), case.samples as f64),
            ("mse", found.mse, case.mse),
            ("r2_score", found.r2_score, case.r2_score),
            ("baseline_mse", found.baseline_mse, case.baseline_mse),
            ("accuracy", found.accuracy, case.accuracy),
        ] {
            let found = found.expect(name);
            assert!((found - expected).abs() <= 0.05 * expected.abs(), "{} {name}: {found} is not near {expected}", case.file);
        }
    }
}

#[test]
fn weekly_closed_markets_have_samples() {
    let Some(path) = shared("eurusd_1h.csv") else { return };
    let interval = "1h".parse().expect("interval");
    let bars = csv::read(&std::fs::read(path).expect("file"), interval).expect("bars");
    let features = ["log-return", "realized-volatility(168)", "rsi(14)"].map(feature);
    let target = Target { kind: TargetKind::Return, horizon: 24 };
    let dataset = build(&bars, interval, &features, 60, target, &SplitConfig::default(), 500).expect("dataset");
    println!("{} samples of {} bars", dataset.ends.len(), bars.len());
    let month = features::compute(&bars, interval, &[feature("realized-volatility(480)")]).pop().expect("column");
    assert_eq!(month.iter().filter(|value| value.is_finite()).count(), bars.len() - 480);
}

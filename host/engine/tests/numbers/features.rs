//! Features against TA-Lib and NumPy, and the promises of their module: causal, local, restarted, finite.

use bellwether_domain::bars::{Bar, Bars};
use bellwether_domain::feature::Feature;
use bellwether_domain::time::{Interval, Timestamp};
use bellwether_engine::features::{compute, warm_up};
use serde::Deserialize;

use crate::series::{HOUR_MS, every_feature, feature, walk};

#[derive(Deserialize)]
struct Reference {
    bars: Vec<[f64; 5]>,
    first_row: usize,
    expected: std::collections::BTreeMap<String, Vec<f64>>,
}

fn column(bars: &Bars, text: &str) -> Vec<f64> {
    compute(bars, Interval::HOUR, &[feature(text)]).pop().expect("one column")
}

fn same_bits(one: &[f64], other: &[f64]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.to_bits() == other.to_bits())
}

fn is_recursive(feature: &Feature) -> bool {
    ["rsi", "atr", "macd", "macd-histogram", "ema-ratio"].contains(&feature.name())
}

#[test]
fn agrees_with_outside_implementations() {
    let reference: Reference = serde_json::from_str(include_str!("../fixtures/features_reference.json")).expect("fixture");
    let mut bars = Bars::default();
    for (row, [open, high, low, close, volume]) in reference.bars.into_iter().enumerate() {
        bars.push(Bar { timestamp: Timestamp(row as i64 * HOUR_MS), open, high, low, close, volume });
    }
    for (name, expected) in reference.expected {
        let found = &column(&bars, &name)[reference.first_row..];
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() <= 1e-7 * expected.abs().max(1e-3), "{name}: {found} is not {expected}");
        }
        assert_eq!(found.len(), expected.len());
    }
}

#[test]
fn calendar_is_that_of_the_bars_start() {
    let mut bars = walk(3, 1, &[]);
    // 2024-12-05 was a Thursday.
    bars.timestamp = ["2024-12-05T00:00:00Z", "2024-12-08T06:00:00Z", "2024-12-09T23:00:00Z"]
        .map(|text| text.parse::<Timestamp>().expect(text).0)
        .to_vec();
    assert_eq!(column(&bars, "hour-of-day"), vec![0.0, 6.0, 23.0]);
    assert_eq!(column(&bars, "day-of-week"), vec![3.0, 6.0, 0.0]);
    assert!((column(&bars, "hour-sin")[1] - 1.0).abs() < 1e-15 && column(&bars, "hour-cos")[1].abs() < 1e-15);
}

#[test]
fn truncated_history_gives_the_same_bits() {
    let bars = walk(900, 2, &[(300, 2), (420, 49), (500, 100), (870, 1)]);
    let features = every_feature();
    let whole = compute(&bars, Interval::HOUR, &features);
    for cut in (1..=bars.len()).step_by(37).chain([bars.len()]) {
        let part = compute(&bars.slice(0..cut), Interval::HOUR, &features);
        for ((feature, whole), part) in features.iter().zip(&whole).zip(&part) {
            assert!(same_bits(&whole[..cut], part), "{feature} changed when history ended at {cut}");
        }
    }
}

#[test]
fn the_newest_bars_are_enough() {
    let bars = walk(1500, 3, &[(700, 5), (1400, 30)]);
    for feature in every_feature() {
        let whole = compute(&bars, Interval::HOUR, std::slice::from_ref(&feature)).pop().expect("column");
        let needed = warm_up(&feature);
        let tail =
            compute(&bars.slice(bars.len() - needed..bars.len()), Interval::HOUR, std::slice::from_ref(&feature)).pop().expect("column");
        let (whole, tail) = (whole[bars.len() - 1], tail[needed - 1]);
        if is_recursive(&feature) {
            assert!((whole - tail).abs() <= 1e-6 * whole.abs().max(1e-3), "{feature}: {tail} is not {whole}");
        } else {
            assert_eq!(whole.to_bits(), tail.to_bits(), "{feature}: {tail} is not {whole}");
        }
    }
}

#[test]
fn the_first_number_comes_after_the_warm_up() {
    let bars = walk(1000, 4, &[]);
    for feature in every_feature() {
        let found = compute(&bars, Interval::HOUR, std::slice::from_ref(&feature)).pop().expect("column");
        let first = found.iter().position(|value| !value.is_nan()).expect("a number");
        assert_eq!(first + 1, warm_up(&feature), "{feature}");
        assert!(found[first..].iter().all(|value| value.is_finite()), "{feature}");
    }
}

#[test]
fn breaks_are_crossed_and_long_gaps_restart() {
    let bars = walk(400, 5, &[(100, 48), (200, 71), (300, 72)]);
    let returns = column(&bars, "log-return(1)");
    let absent: Vec<usize> = (0..400).filter(|row| returns[*row].is_nan()).collect();
    assert_eq!(absent, vec![0, 100, 200, 300], "the one-bar return over a hole is absent");
    assert!((column(&bars, "log-return(2)")[100] - (bars.close[100] / bars.close[98]).ln()).abs() < 1e-15);

    let volatility = column(&bars, "realized-volatility(10)");
    let among =
        |rows: std::ops::RangeInclusive<usize>| -> Vec<f64> { rows.map(|row| returns[row]).filter(|value| !value.is_nan()).collect() };
    let expected = |returns: Vec<f64>| (returns.iter().map(|value| value * value).sum::<f64>() / returns.len() as f64).sqrt().ln();
    assert_eq!(among(96..=105).len(), 9);
    assert!((volatility[105] - expected(among(96..=105))).abs() < 1e-12);
    assert!((volatility[150] - expected(among(141..=150))).abs() < 1e-12);

    for (text, first) in
        [("sma-ratio(20)", 300 + 19), ("zscore(20)", 300 + 19), ("realized-volatility(20)", 300 + 20), ("log-return(5)", 300 + 5)]
    {
        let found = column(&bars, text);
        assert!(found[200].is_finite(), "{text} crosses a break of 72 hours between starts");
        assert!(found[300..first].iter().all(|value| value.is_nan()) && found[first].is_finite(), "{text} begins anew behind a longer one");
    }
}

#[test]
fn daily_bars_follow_each_other_over_a_closed_week() {
    let day: Interval = "1d".parse().expect("interval");
    let mut bars = walk(60, 6, &[]);
    let mut time = 0;
    for (row, timestamp) in bars.timestamp.iter_mut().enumerate() {
        time += 24
            * HOUR_MS
            * match row {
                20 => 7,
                40 => 8,
                _ if row % 5 == 0 => 3,
                _ => 1,
            };
        *timestamp = time;
    }
    let returns = compute(&bars, day, &[feature("log-return")]).pop().expect("column");
    let absent: Vec<usize> = (0..60).filter(|row| returns[*row].is_nan()).collect();
    assert_eq!(absent, vec![0, 40]);
}

#[test]
fn still_markets_give_numbers() {
    let mut bars = Bars::default();
    for row in 0..600 {
        let price = 0.1 + 0.2;
        bars.push(Bar { timestamp: Timestamp(row * HOUR_MS), open: price, high: price, low: price, close: price, volume: 0.0 });
    }
    for feature in every_feature() {
        let found = compute(&bars, Interval::HOUR, std::slice::from_ref(&feature)).pop().expect("column");
        assert!(found[warm_up(&feature) - 1..].iter().all(|value| value.is_finite()), "{feature}");
    }
    let last = |text: &str| column(&bars, text)[599];
    assert_eq!([last("rsi"), last("zscore"), last("bollinger"), last("volume-zscore"), last("atr")], [50.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(last("realized-volatility"), 1e-8_f64.ln());
}

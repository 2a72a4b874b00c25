//! Against scikit-learn, and what the test is for: columns that move together differently.

use bellwether_sdk::drift::Outcome;
use bellwether_sdk::serde_json::{self, Value, json};
use bellwether_sdk::state::Writer;
use bellwether_sdk::{DriftTest, Error, Result, random, testing};

use crate::Mmd;

fn run(reference: &[Vec<f64>], current: &[Vec<f64>], config: &Value) -> Result<Outcome> {
    let config = testing::config::<Mmd>(config)?;
    let frame = |columns: &[Vec<f64>]| {
        let named: Vec<(String, &[f64])> = columns.iter().enumerate().map(|(at, column)| (format!("c{at}"), &column[..])).collect();
        testing::frame(&named.iter().map(|(name, column)| (name.as_str(), *column)).collect::<Vec<_>>())
    };
    let baseline = Mmd::baseline(&frame(reference), &config)?;
    Mmd::test(&baseline, &frame(current), &config)
}

/// Two standard normal columns with a correlation.
fn pair(rows: usize, correlation: f64) -> Vec<Vec<f64>> {
    let (a, b) = (random::normal(rows), random::normal(rows));
    let mixed = a.iter().zip(&b).map(|(a, b)| correlation * a + (1.0 - correlation * correlation).sqrt() * b).collect();
    vec![a, mixed]
}

/// A slow series: each value is nine tenths of the one before, and noise.
fn slow(rows: usize) -> Vec<f64> {
    random::normal(rows)
        .into_iter()
        .scan(0.0, |last, noise| {
            *last = 0.9 * *last + noise;
            Some(*last)
        })
        .collect()
}

#[test]
fn the_schema_holds() {
    testing::check_schema::<Mmd>(&json!({}));
    let error = testing::config::<Mmd>(&json!({"alpha": 0.001})).unwrap_err();
    assert!(matches!(&error, Error::InvalidConfig(why) if why.contains("at least 1000")), "{error:?}");
}

#[test]
fn the_distance_is_that_of_scikit_learn() {
    let fixture: Value = serde_json::from_str(include_str!("../tests/fixtures/sklearn.json")).unwrap();
    let columns = |name: &str| -> Vec<Vec<f64>> { serde_json::from_value(fixture[name].clone()).unwrap() };
    let outcome = run(&columns("x"), &columns("y"), &json!({})).unwrap();
    let detail: Value = serde_json::from_str(&outcome.detail).unwrap();
    let near = |found: f64, expected: &Value| (found - expected.as_f64().unwrap()).abs() < 1e-12;
    assert!(near(detail["bandwidth"].as_f64().unwrap(), &fixture["bandwidth"]), "{detail}");
    assert!(near(outcome.statistic, &fixture["mmd2"]), "{outcome:?}");
}

#[test]
fn a_change_no_single_column_shows_is_found() {
    let outcome = run(&pair(2000, 0.0), &pair(500, 0.9), &json!({"block": 1})).unwrap();
    assert!(outcome.drifted && outcome.score > outcome.threshold, "{outcome:?}");
    assert_eq!((outcome.reference_count, outcome.current_count), (2000, 500));
    let quiet = run(&pair(2000, 0.5), &pair(500, 0.5), &json!({"block": 1})).unwrap();
    assert!(!quiet.drifted && quiet.p_value.unwrap() > 0.01, "{quiet:?}");
}

#[test]
fn a_series_that_remembers_is_not_taken_for_drift() {
    // Without blocks most of these comparisons are alarms; with them about the stated share is.
    let alarms = |block: usize| {
        let config = json!({"alpha": 0.05, "permutations": 100, "most_rows": 200, "block": block});
        (0..40).filter(|_| run(&[slow(200)], &[slow(200)], &config).unwrap().drifted).count()
    };
    let (single, together) = (alarms(1), alarms(40));
    assert!(single >= 15 && together <= 8, "{single} and {together} of 40");
}

#[test]
fn missing_constant_and_huge_values_have_plain_answers() {
    let mut gaps = pair(200, 0.0);
    gaps[0].iter_mut().step_by(2).for_each(|value| *value = f64::NAN);
    assert_eq!(run(&pair(200, 0.0), &gaps, &json!({})).unwrap().current_count, 100);
    let refused = |reference: &[Vec<f64>], current: &[Vec<f64>], expected: &str| {
        let error = run(reference, current, &json!({})).unwrap_err();
        assert!(matches!(&error, Error::InvalidInput(why) if why.contains(expected)), "{error:?}");
    };
    refused(&[vec![1.0; 60]], &[vec![1.0; 60]], "most rows of the reference are the same");
    refused(&pair(200, 0.0), &[vec![f64::NAN; 60], vec![0.0; 60]], "0 of 60 rows");
    refused(&pair(200, 0.0), &[vec![0.0; 60]], "the baseline was made of c0, c1");
    refused(
        &[vec![f64::MAX; 60].iter().enumerate().map(|(at, v)| if at % 2 == 0 { *v } else { -v }).collect()],
        &[vec![0.0; 60]],
        "too large",
    );
    let mut constant = pair(200, 0.0);
    constant.push(vec![3.0; 200]);
    let mut moved = pair(200, 0.0);
    moved.push(vec![1e300; 200]);
    assert!(run(&constant, &moved, &json!({})).unwrap().drifted);
}

#[test]
fn foreign_and_damaged_baselines_are_refused() {
    let config = testing::config::<Mmd>(&json!({})).unwrap();
    let values = pair(60, 0.0);
    let frame = testing::frame(&[("c0", &values[0]), ("c1", &values[1])]);
    let good = Mmd::baseline(&frame, &config).unwrap();
    let mut short = Writer::new("mmd", 1);
    short.texts(&["c0".to_owned()]);
    for bytes in [b"foreign".to_vec(), good[..good.len() - 8].to_vec(), short.finish()] {
        assert!(matches!(Mmd::test(&bytes, &frame, &config), Err(Error::InvalidInput(_))));
    }
    assert!(Mmd::test(&good, &frame, &config).is_ok());
}

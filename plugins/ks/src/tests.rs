//! The whole test against SciPy, and what it says of data that are hard to use.
use bellwether_sdk::drift::Outcome;
use bellwether_sdk::serde_json::{self, Value, json};
use bellwether_sdk::{DriftTest, Error, Result, testing};

use super::{Config, Ks, kolmogorov};

/// SplitMix64; `tests/fixtures/make.py` draws the same numbers.
fn uniform(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(|_| next()).collect()
}

fn config(given: &Value) -> Config {
    testing::config::<Ks>(given).unwrap()
}

fn run(reference: &[f64], current: &[f64], given: &Value) -> Result<Outcome> {
    let config = config(given);
    let baseline = Ks::baseline(&testing::frame(&[("x", reference)]), &config)?;
    Ks::test(&baseline, &testing::frame(&[("x", current)]), &config)
}

fn fixtures() -> Value {
    serde_json::from_str(include_str!("../tests/fixtures/scipy.json")).unwrap()
}

/// A first-order autoregression with standard normal-like steps (sums of uniforms).
fn autoregression(seed: u64, phi: f64, count: usize) -> Vec<f64> {
    let steps: Vec<f64> = uniform(seed, 12 * (count + 200)).chunks(12).map(|part| part.iter().sum::<f64>() - 6.0).collect();
    let mut value = 0.0;
    let path = steps.iter().map(|step| {
        value = phi * value + step;
        value
    });
    path.skip(200).collect()
}

#[test]
fn the_schema_holds() {
    testing::check_schema::<Ks>(&json!({}));
}

#[test]
fn two_samples_agree_with_scipy() {
    for case in fixtures()["two_samples"].as_array().unwrap() {
        let number = |name: &str| case[name].as_f64().unwrap();
        let (n, m) = (number("n") as usize, number("m") as usize);
        let mut reference = uniform(1, n);
        let mut current: Vec<f64> = uniform(2, m).iter().map(|value| value * number("scale") + number("shift")).collect();
        if number("levels") > 0.0 {
            reference.iter_mut().chain(&mut current).for_each(|value| *value = (*value * number("levels")).floor());
        }
        let outcome = run(&reference, &current, &json!({"effective": "none"})).unwrap();
        let (p, expected) = (outcome.p_value.unwrap(), number("p_value"));
        if n.max(m) <= 10_000 {
            assert_eq!(outcome.statistic.to_bits(), number("statistic").to_bits(), "{case}");
            assert!((p - expected).abs() <= 1e-12 * expected, "{case}: {p}");
        } else {
            assert!((outcome.statistic - number("statistic")).abs() < 1e-12, "{case}: {}", outcome.statistic);
            assert!((p - expected).abs() <= 1e-8 * expected, "{case}: {p}");
        }
    }
}

#[test]
fn the_one_sample_distribution_agrees_with_scipy() {
    let mut worst = (0.0_f64, 0.0_f64);
    for case in fixtures()["kstwo_sf"].as_array().unwrap() {
        let (n, d, expected) = (case[0].as_u64().unwrap(), case[1].as_f64().unwrap(), case[2].as_f64().unwrap());
        let error = (kolmogorov::sf(n, d) - expected).abs() / expected.max(f64::MIN_POSITIVE);
        let bound = if n <= 140 { 1e-10 } else { 1e-8 };
        assert!(error <= bound, "{case}: {} off by {error:e}", kolmogorov::sf(n, d));
        if n <= 140 { worst.0 = worst.0.max(error) } else { worst.1 = worst.1.max(error) }
    }
    println!("largest relative error: {:e} for n <= 140, {:e} beyond", worst.0, worst.1);
}

#[test]
fn a_process_compared_with_itself_is_quiet() {
    let mut alarms = [0, 0];
    for seed in 0..100 {
        let path = autoregression(seed, 0.9, 1000);
        for (count, given) in alarms.iter_mut().zip([json!({}), json!({"effective": "none"})]) {
            *count += i32::from(run(&path[..500], &path[500..], &given).unwrap().drifted);
        }
    }
    assert!(alarms[0] <= 5, "{} false alarms in 100 with the effective size", alarms[0]);
    assert!(alarms[1] >= 50, "without it the textbook's test must fail here, or this test tests nothing: {}", alarms[1]);
}

#[test]
fn a_shift_is_found_and_a_small_one_ignored() {
    let path = autoregression(7, 0.5, 3000);
    let moved: Vec<f64> = path[1500..].iter().map(|value| value + 1.5).collect();
    let outcome = run(&path[..1500], &moved, &json!({})).unwrap();
    assert!(outcome.drifted && outcome.score > 0.3, "{outcome:?}");
    let detail: Value = serde_json::from_str(&outcome.detail).unwrap();
    let effective = detail["effective"]["current"].as_f64().unwrap();
    assert!((350.0..700.0).contains(&effective), "{effective}");
    assert_eq!(detail["quantiles"]["reference"].as_array().unwrap().len(), 11);

    let (reference, current) = (uniform(1, 10_000), uniform(2, 10_000).iter().map(|value| value + 0.05).collect::<Vec<_>>());
    let outcome = run(&reference, &current, &json!({})).unwrap();
    assert!(!outcome.drifted && outcome.p_value.unwrap() < 1e-6 && outcome.score < 0.1, "{outcome:?}");
    assert!(run(&reference, &current, &json!({"threshold": 0.03})).unwrap().drifted);
}

#[test]
fn too_few_independent_values_give_no_verdict() {
    let slow: Vec<f64> = (0..200).map(f64::from).collect();
    let higher: Vec<f64> = slow.iter().map(|value| value + 1000.0).collect();
    let outcome = run(&slow, &higher, &json!({})).unwrap();
    assert!(!outcome.drifted && outcome.statistic == 1.0 && outcome.detail.contains("too few independent"), "{outcome:?}");
    assert!(run(&slow, &higher, &json!({"effective": "none"})).unwrap().drifted);
}

#[test]
fn hard_data_have_plain_answers() {
    let constant = run(&[2.5; 30], &[2.5; 40], &json!({})).unwrap();
    assert_eq!((constant.statistic, constant.p_value, constant.drifted), (0.0, Some(1.0), false));
    assert!(!run(&[2.5; 30], &[2.5; 40], &json!({"threshold": 0, "alpha": 0.99})).unwrap().drifted);
    assert!(run(&[2.5; 30], &[3.5; 40], &json!({})).unwrap().drifted);

    let mut holes = uniform(3, 100);
    holes[10] = f64::NAN;
    assert_eq!(run(&uniform(1, 100), &holes, &json!({})).unwrap().current_count, 99);

    let check = |reference: &[f64], current: &[f64], expected: &str| {
        let error = run(reference, current, &json!({})).unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)) && error.message().contains(expected), "{error:?}");
    };
    check(&[], &[1.0; 30], "0 present values on the reference side");
    check(&uniform(1, 30), &[f64::NAN; 30], "0 present values on the current side of 30 rows");
    let mut endless = uniform(1, 30);
    endless[3] = f64::INFINITY;
    check(&endless, &uniform(2, 30), "`x` holds inf on the reference side");
    let current = testing::frame(&[("x", &[1.0; 30])]);
    assert!(matches!(Ks::test(b"foreign", &current, &config(&json!({}))), Err(Error::InvalidInput(_))));
}

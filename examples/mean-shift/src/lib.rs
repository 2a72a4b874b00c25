//! `mean-shift`: has the mean of a column changed? Welch's t-test (1947), for unequal variances.
//!
//! A whole plugin in one file. It never reads the column: the host computes counts, means and variances natively, and the
//! plugin only compares them. The test takes values for independent; give it columns that are nearly so, such as returns.
use bellwether_sdk::data::{Frame, Moments};
use bellwether_sdk::drift::{Acceptance, Outcome};
use bellwether_sdk::serde_json::json;
use bellwether_sdk::state::{Reader, Writer};
use bellwether_sdk::{DriftTest, Error, Plugin, Result, stats};
use serde::Deserialize;

/// What the operator may set. The schema has the ranges and the defaults, so every field is always there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    alpha: f64,
    least_effect: f64,
}

/// The plugin. It has no fields: whatever must be remembered goes through the host as bytes.
pub struct MeanShift;

impl Plugin for MeanShift {
    const NAME: &'static str = "mean-shift";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Welch's t-test for a change of a column's mean.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;
}

impl DriftTest for MeanShift {
    fn accepts() -> Acceptance {
        Acceptance::univariate(30)
    }

    /// Called once, at training. What it returns is stored with the model version.
    fn baseline(reference: &Frame, _config: &Config) -> Result<Vec<u8>> {
        let side = Side::of(&reference.only_column()?.moments())?;
        let mut writer = Writer::new(Self::NAME, 1);
        writer.numbers(&[side.count, side.mean, side.variance]);
        Ok(writer.finish())
    }

    /// Called by every monitor that uses the test, with the baseline from above.
    fn test(baseline: &[u8], current: &Frame, config: &Config) -> Result<Outcome> {
        let mut reader = Reader::open(baseline, Self::NAME, 1)?;
        let numbers = reader.numbers()?;
        reader.finish()?;
        let [count, mean, variance] = numbers[..] else {
            return Err(Error::invalid_input("the `mean-shift` baseline is damaged: it has not three numbers"));
        };
        if !(count >= 2.0 && mean.is_finite() && variance >= 0.0 && variance.is_finite()) {
            return Err(Error::invalid_input("the `mean-shift` baseline is damaged: its numbers cannot be moments"));
        }
        let reference = Side { count, mean, variance };
        let current = Side::of(&current.only_column()?.moments())?;

        let (t, p_value) = welch(&reference, &current);
        let effect = effect(&reference, &current);
        Ok(Outcome {
            statistic: t,
            p_value: Some(p_value),
            score: effect,
            threshold: config.least_effect,
            drifted: p_value <= config.alpha && effect >= config.least_effect,
            reference_count: reference.count as u64,
            current_count: current.count as u64,
            detail: json!({"reference_mean": reference.mean, "current_mean": current.mean}).to_string(),
        })
    }
}

bellwether_sdk::register!(drift_test: MeanShift);

/// One side of the comparison.
struct Side {
    count: f64,
    mean: f64,
    /// Sample variance, which divides by `count - 1`.
    variance: f64,
}

impl Side {
    fn of(moments: &Moments) -> Result<Side> {
        if moments.count < 2 {
            return Err(Error::invalid_input(format!("{} present values, at least 2 are needed", moments.count)));
        }
        if !moments.mean.is_finite() || !moments.variance.is_finite() {
            return Err(Error::invalid_input("the values are infinite, or too large to have a variance"));
        }
        let count = moments.count as f64;
        Ok(Side { count, mean: moments.mean, variance: moments.variance * count / (count - 1.0) })
    }
}

/// t and its two-sided p-value.
fn welch(reference: &Side, current: &Side) -> (f64, f64) {
    let (a, b) = (reference.variance / reference.count, current.variance / current.count);
    let difference = current.mean - reference.mean;
    if a + b == 0.0 {
        // Two constants: equal, or certainly different. Not infinity: the host takes finite numbers only.
        return if difference == 0.0 { (0.0, 1.0) } else { (difference.signum() * f64::MAX, 0.0) };
    }
    let t = difference / (a + b).sqrt();
    let freedom = (a + b).powi(2) / (a * a / (reference.count - 1.0) + b * b / (current.count - 1.0));
    (t, (2.0 * stats::student_t_sf(t.abs(), freedom)).min(1.0))
}

/// How far the mean moved, in standard deviations of the reference.
fn effect(reference: &Side, current: &Side) -> f64 {
    let distance = (current.mean - reference.mean).abs();
    let deviation = reference.variance.sqrt();
    if distance == 0.0 { 0.0 } else { (distance / deviation).min(f64::MAX) }
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::drift::Outcome;
    use bellwether_sdk::serde_json::{Value, json};
    use bellwether_sdk::state::Writer;
    use bellwether_sdk::{DriftTest, Error, Result, testing};

    use super::MeanShift;

    const REFERENCE: [f64; 8] = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1];
    const CURRENT: [f64; 8] = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0];

    const EXPECTED: (f64, f64) = (2.107088368419319, 0.05866664776282224);

    fn run(reference: &[f64], current: &[f64], config: &Value) -> Result<Outcome> {
        let config = testing::config::<MeanShift>(config)?;
        let baseline = MeanShift::baseline(&testing::frame(&[("x", reference)]), &config)?;
        MeanShift::test(&baseline, &testing::frame(&[("x", current)]), &config)
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<MeanShift>(&json!({}));
    }

    #[test]
    fn the_numbers_are_those_of_scipy() {
        // scipy.stats.ttest_ind(current, reference, equal_var=False)
        let outcome = run(&REFERENCE, &CURRENT, &json!({"alpha": 0.06})).unwrap();
        assert!((outcome.statistic - EXPECTED.0).abs() < 1e-12, "{}", outcome.statistic);
        assert!((outcome.p_value.unwrap() - EXPECTED.1).abs() < 1e-9, "{:?}", outcome.p_value);
        assert!(outcome.drifted && outcome.score > 0.2);
        assert!(!run(&REFERENCE, &CURRENT, &json!({"alpha": 0.05})).unwrap().drifted);
    }

    #[test]
    fn a_significant_change_may_be_too_small_to_matter() {
        let reference: Vec<f64> = (0..20_000).map(|k| f64::from(k % 100)).collect();
        let current: Vec<f64> = reference.iter().map(|value| value + 2.0).collect();
        let outcome = run(&reference, &current, &json!({})).unwrap();
        assert!(outcome.p_value.unwrap() < 1e-6 && !outcome.drifted, "{outcome:?}");
        assert!(run(&reference, &current, &json!({"least_effect": 0.05})).unwrap().drifted);
    }

    #[test]
    fn constants_and_empty_columns_have_plain_answers() {
        let same = run(&[1.0; 40], &[1.0; 40], &json!({})).unwrap();
        assert_eq!((same.statistic, same.p_value, same.drifted), (0.0, Some(1.0), false));
        let moved = run(&[1.0; 40], &[2.0; 40], &json!({})).unwrap();
        assert!(moved.drifted && moved.statistic.is_finite() && moved.score.is_finite());
        assert!(matches!(run(&[], &[1.0; 40], &json!({})), Err(Error::InvalidInput(_))));
    }

    #[test]
    fn foreign_and_damaged_baselines_are_refused() {
        let (config, current) = (testing::config::<MeanShift>(&json!({})).unwrap(), testing::frame(&[("x", &[1.0; 40])]));
        let baseline = |numbers: &[f64]| {
            let mut writer = Writer::new("mean-shift", 1);
            writer.numbers(numbers);
            writer.finish()
        };
        for bytes in [b"foreign".to_vec(), baseline(&[1.0]), baseline(&[1.0, 0.0, 1.0]), baseline(&[9.0, f64::NAN, 1.0])] {
            assert!(matches!(MeanShift::test(&bytes, &current, &config), Err(Error::InvalidInput(_))));
        }
    }
}

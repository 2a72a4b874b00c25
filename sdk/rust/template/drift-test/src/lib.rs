//! `{{name}}`: drift when the median leaves the reference's middle half.
//!
//! Neither function reads the column: the host computes counts and quantiles natively.
use bellwether_sdk::data::Frame;
use bellwether_sdk::drift::{Acceptance, Outcome};
use bellwether_sdk::serde_json::json;
use bellwether_sdk::state::{Reader, Writer};
use bellwether_sdk::{DriftTest, Error, Plugin, Result};
use serde::Deserialize;

/// What the operator may set. The schema has the ranges and the defaults, so every field is always there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    widen: f64,
}

/// The plugin. It has no fields: whatever must be remembered goes through the host as bytes.
pub struct {{Pascal}};

impl Plugin for {{Pascal}} {
    const NAME: &'static str = "{{name}}";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Drift when the median leaves the reference's middle half.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;
}

impl DriftTest for {{Pascal}} {
    fn accepts() -> Acceptance {
        Acceptance::univariate(30)
    }

    /// Called once, at training. What it returns is stored with the model version.
    fn baseline(reference: &Frame, _config: &Config) -> Result<Vec<u8>> {
        let (count, quartiles) = quartiles(reference)?;
        let mut writer = Writer::new(Self::NAME, 1);
        writer.u64(count);
        writer.numbers(&quartiles);
        Ok(writer.finish())
    }

    /// Called by every monitor that uses the test, with the baseline from above.
    fn test(baseline: &[u8], current: &Frame, config: &Config) -> Result<Outcome> {
        let mut reader = Reader::open(baseline, Self::NAME, 1)?;
        let (reference_count, reference) = (reader.u64()?, reader.numbers()?);
        reader.finish()?;
        let [lower, median, upper] = reference[..] else {
            return Err(Error::invalid_input(
                "the baseline is damaged: it has not three quartiles",
            ));
        };
        let (current_count, [_, now, _]) = quartiles(current)?;
        let distance = (now - median).abs();
        let threshold = config.widen * (upper - lower) / 2.0;
        if !distance.is_finite() || !threshold.is_finite() {
            return Err(Error::invalid_input("the values are too large to compare"));
        }
        Ok(Outcome {
            statistic: distance,
            p_value: None,
            score: distance,
            threshold,
            drifted: distance > threshold,
            reference_count,
            current_count,
            detail: json!({"reference_median": median, "current_median": now}).to_string(),
        })
    }
}

bellwether_sdk::register!(drift_test: {{Pascal}});

/// How many values are present, and their quartiles.
fn quartiles(frame: &Frame) -> Result<(u64, [f64; 3])> {
    let column = frame.only_column()?;
    let count = column.moments().count;
    let quartiles = column.quantiles(&[0.25, 0.5, 0.75]);
    match quartiles[..] {
        [lower, median, upper] if quartiles.iter().all(|value| value.is_finite()) => {
            Ok((count, [lower, median, upper]))
        }
        _ => Err(Error::invalid_input(format!(
            "{count} present values have no finite quartiles"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::drift::Outcome;
    use bellwether_sdk::serde_json::{Value, json};
    use bellwether_sdk::{DriftTest, Error, Result, testing};

    use super::{{Pascal}};

    fn run(reference: &[f64], current: &[f64], config: &Value) -> Result<Outcome> {
        let config = testing::config::<{{Pascal}}>(config)?;
        let baseline = {{Pascal}}::baseline(&testing::frame(&[("x", reference)]), &config)?;
        {{Pascal}}::test(&baseline, &testing::frame(&[("x", current)]), &config)
    }

    fn ramp(from: i32) -> Vec<f64> {
        (from..from + 41).map(f64::from).collect()
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<{{Pascal}}>(&json!({}));
    }

    #[test]
    fn the_median_may_move_within_the_middle_half() {
        let outcome = run(&ramp(0), &ramp(10), &json!({})).unwrap();
        assert_eq!(
            (outcome.statistic, outcome.threshold, outcome.drifted),
            (10.0, 10.0, false)
        );
        assert!(run(&ramp(0), &ramp(11), &json!({})).unwrap().drifted);
        assert!(
            !run(&ramp(0), &ramp(11), &json!({"widen": 2.0}))
                .unwrap()
                .drifted
        );
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        assert!(matches!(
            run(&[], &ramp(0), &json!({})),
            Err(Error::InvalidInput(_))
        ));
        assert!(matches!(
            run(&ramp(0), &[f64::NAN; 41], &json!({})),
            Err(Error::InvalidInput(_))
        ));
        let config = testing::config::<{{Pascal}}>(&json!({})).unwrap();
        let current = testing::frame(&[("x", &[1.0; 41])]);
        let foreign = {{Pascal}}::test(b"foreign", &current, &config);
        assert!(matches!(foreign, Err(Error::InvalidInput(_))));
    }
}

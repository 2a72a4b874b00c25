//! The drift test `ks`: two-sample Kolmogorov-Smirnov on one numeric column.
//!
//! `statistic` and `score` are D, the largest distance between the two empirical distribution functions, in [0, 1].
//! A column has drifted when all three hold:
//! - D is at least `threshold`: with many rows any difference is significant, few matter;
//! - the p-value is at most `alpha`;
//! - both sides have at least `least_effective` independent values.
//!
//! The p-value of the textbook takes values for independent. Those of a trading feature are not: at an autocorrelation of
//! 0.9 it calls drift in three of four comparisons of the same process with itself. So by default a column with
//! autocorrelation r at lag 1 counts as n(1-r)/(1+r) values, which is exact for the mean of a first-order autoregression and
//! errs on the side of silence for KS (below 1 % false alarms at alpha 5 % in simulations with r from 0.6 to 0.97).
//! `effective = "none"` gives SciPy's `ks_2samp(reference, current)` to its last bits while both sides have at most
//! 10 000 values, and within 1e-8 of it, relative, up to 20 000 reference values; beyond, the reference is thinned and D may be
//! off by 1/40 000.
mod baseline;
mod exact;
mod kolmogorov;
mod sample;

use bellwether_sdk::data::Frame;
use bellwether_sdk::drift::{Acceptance, Outcome};
use bellwether_sdk::serde_json::json;
use bellwether_sdk::{DriftTest, Error, Plugin, Result};
use serde::Deserialize;

use baseline::Baseline;
use sample::Sample;

/// Least present values on either side.
const LEAST_ROWS: u32 = 20;

/// The configuration; the schema states its ranges and defaults.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    alpha: f64,
    threshold: f64,
    effective: Effective,
    least_effective: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Effective {
    Autocorrelation,
    None,
}

/// The plugin.
pub struct Ks;

impl Plugin for Ks {
    const NAME: &'static str = "ks";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Two-sample Kolmogorov-Smirnov test with an effective sample size for autocorrelated columns.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;
}

impl DriftTest for Ks {
    fn accepts() -> Acceptance {
        Acceptance::univariate(LEAST_ROWS)
    }

    fn baseline(reference: &Frame, _config: &Config) -> Result<Vec<u8>> {
        Ok(Baseline::of(&read(reference, "reference")?).write())
    }

    fn test(baseline: &[u8], current: &Frame, config: &Config) -> Result<Outcome> {
        let reference = Baseline::read(baseline)?;
        let current = read(current, "current")?;
        let (statistic, steps) = exact::distance(&reference.sorted, &current.sorted);
        let effective = |count: u64, autocorrelation: f64| match config.effective {
            Effective::Autocorrelation => sample::effective(count, autocorrelation),
            Effective::None => count as f64,
        };
        let n = effective(reference.count, reference.autocorrelation);
        let m = effective(current.count(), current.autocorrelation);
        let independent = n == reference.count as f64 && m == current.count() as f64;
        let p_value = match steps {
            // Counting paths needs the values themselves: not a thinned reference, not a fractional count of them.
            Some(steps) if independent && reference.is_whole() => {
                exact::p_value(reference.sorted.len() as u64, current.sorted.len() as u64, steps)
            }
            _ => kolmogorov::sf((n * m / (n + m)).round().max(1.0) as u64, statistic),
        };
        let enough = n.min(m) >= config.least_effective;
        let detail = json!({
            "quantiles": {
                "probabilities": sample::DECILES,
                "reference": sample::deciles(&reference.sorted),
                "current": sample::deciles(&current.sorted),
            },
            "effective": {"reference": n, "current": m},
            "autocorrelation": {"reference": reference.autocorrelation, "current": current.autocorrelation},
            "reason": if enough { None } else { Some("too few independent values for a verdict") },
        });
        Ok(Outcome {
            statistic,
            p_value: Some(p_value),
            score: statistic,
            threshold: config.threshold,
            drifted: enough && statistic > 0.0 && statistic >= config.threshold && p_value <= config.alpha,
            reference_count: reference.count,
            current_count: current.count(),
            detail: detail.to_string(),
        })
    }
}

bellwether_sdk::register!(drift_test: Ks);

fn read(frame: &Frame, side: &str) -> Result<Sample> {
    let column = frame.only_column()?;
    let sample = Sample::of(column.present());
    if sample.count() < u64::from(LEAST_ROWS) {
        return Err(Error::invalid_input(format!(
            "`{}` has {} present values on the {side} side of {} rows, {LEAST_ROWS} are needed",
            column.name(),
            sample.count(),
            column.len()
        )));
    }
    match sample.sorted.iter().find(|value| value.is_infinite()) {
        Some(value) => Err(Error::invalid_input(format!("`{}` holds {value} on the {side} side: repair the data first", column.name()))),
        None => Ok(sample),
    }
}

#[cfg(test)]
mod tests;

//! Chronological splits: the past trains, the future judges, and nothing that knows both lies between.
//!
//! Whatever the scheme, the newest samples are held out and judged once, by the final model. The folds of a scheme lie
//! before them and only say how the recipe fares in other periods.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

mod folds;

pub use folds::{Fold, FoldWindow, Scheme, folds};

/// How samples are divided, in time order: train, validation, test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SplitConfig {
    /// Share of samples held out at the end; metrics and gates read only these. In (0, 0.9].
    pub test: f64,
    /// Share of the remaining samples, at their end, that steers early stopping. In [0, 0.9].
    pub validation: f64,
    /// Rows left out at each boundary beyond the purge of `horizon` rows.
    pub embargo: u32,
    /// What is judged before the test part: nothing more (`holdout`), or folds in the samples before it.
    #[serde(skip_serializing_if = "Scheme::is_holdout")]
    pub scheme: Scheme,
}

impl Default for SplitConfig {
    fn default() -> Self {
        SplitConfig { test: 0.2, validation: 0.1, embargo: 0, scheme: Scheme::Holdout {} }
    }
}

/// Which samples (by place in time order) fall where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Fit on these.
    pub train: Range<usize>,
    /// Stop early by these.
    pub validation: Range<usize>,
    /// Judge on these.
    pub test: Range<usize>,
}

impl SplitConfig {
    /// Checks the shares and the scheme.
    pub fn check(&self) -> Result<()> {
        if !(self.test > 0.0 && self.test <= 0.9) {
            return Err(Error::invalid("split.test", format!("is {}; it must be above 0 and at most 0.9", self.test)));
        }
        if !(0.0..=0.9).contains(&self.validation) {
            return Err(Error::invalid("split.validation", format!("is {}; it must be 0 to 0.9", self.validation)));
        }
        self.scheme.check()
    }
}

/// Divides samples whose last input bars are `ends` (bar rows, ascending) so that no label of an earlier part reaches
/// into the rows of a later one: a sample is dropped when `end + horizon + embargo` is not before the later part's first
/// `end`. Rows are bar rows of one series, so a gap only widens the distance.
///
/// Source: López de Prado, *Advances in Financial Machine Learning* (2018), ch. 7: purge the overlap, then embargo.
pub fn chronological(ends: &[usize], horizon: u32, config: &SplitConfig) -> Result<Split> {
    config.check()?;
    let samples = ends.len();
    let test_first = samples - ((samples as f64) * config.test).round() as usize;
    let reach = horizon as usize + config.embargo as usize;
    let before = |first: usize, limit: usize| -> usize {
        let Some(bound) = ends.get(first) else { return limit };
        ends[..limit].partition_point(|end| end + reach <= *bound)
    };
    let learn = before(test_first, test_first);
    let validation_first = learn - ((learn as f64) * config.validation).round() as usize;
    let train = if validation_first == learn { learn } else { before(validation_first, validation_first) };
    Ok(Split { train: 0..train, validation: validation_first..learn, test: test_first..samples })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_never_reach_into_the_next_part() {
        for (samples, horizon, embargo, test, validation) in
            [(100, 1, 0, 0.2, 0.1), (1000, 24, 0, 0.2, 0.1), (1000, 24, 10, 0.3, 0.0), (50, 24, 100, 0.2, 0.1), (3, 1, 0, 0.5, 0.5)]
        {
            let ends: Vec<usize> = (0..samples).map(|sample| 59 + sample + sample / 40 * 7).collect();
            let split = chronological(&ends, horizon, &SplitConfig { test, validation, embargo, ..SplitConfig::default() }).expect("split");
            assert_eq!(split.test.end, samples);
            let reach = (horizon + embargo) as usize;
            for (early, late) in [(&split.train, &split.validation), (&split.validation, &split.test), (&split.train, &split.test)] {
                if !early.is_empty() && !late.is_empty() {
                    assert!(ends[early.end - 1] + reach <= ends[late.start], "{split:?}");
                }
            }
        }
    }

    #[test]
    fn bad_shares_are_named() {
        for (test, validation, field) in [(0.0, 0.1, "split.test"), (f64::NAN, 0.1, "split.test"), (0.2, 1.0, "split.validation")] {
            let error = chronological(&[1, 2], 1, &SplitConfig { test, validation, ..SplitConfig::default() }).expect_err(field);
            assert!(error.to_string().starts_with(field));
        }
    }
}

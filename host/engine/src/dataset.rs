//! From bars to samples: features, target, windows that span no gap, a chronological split with purge, a scaler from the
//! training part only.
//!
//! A sample ends on a bar t. Its window is the rows t − steps + 1 ..= t, its target reads t + 1 ..= t + h. With bars shorter
//! than a day no two neighbours among all of those have a missing bar between them; with longer bars a sample may span a
//! break between sessions (see `features`). Every feature must have a number on every row of the window, and the baseline
//! model one at t.
//!
//! Nothing of a later part reaches an earlier one: `split::chronological` drops samples whose target reads into the next
//! part's windows' ends, and both scalers are learned from training samples alone.

use bellwether_domain::bars::Bars;
use bellwether_domain::feature::Feature;
use bellwether_domain::scaler::Scaler;
use bellwether_domain::split::{Split, SplitConfig, chronological};
use bellwether_domain::target::{Target, TargetKind, Task};
use bellwether_domain::time::Interval;
use bellwether_domain::{Error, Result};

use crate::features;

/// Samples ready to fit and to judge.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Raw features, one column each, as long as the bars.
    pub columns: Vec<Vec<f64>>,
    /// Last bar row of each sample's window, ascending.
    pub ends: Vec<usize>,
    /// Target of each sample, in its own unit (price: as the network learns it, a log ratio).
    pub targets: Vec<f64>,
    /// What the baseline model says for each sample, in the target's unit: the last known value of the same quantity
    /// (realized-volatility: over the h bars up to now; return: 0; price: the last close; direction: the share of ups in training).
    pub baseline: Vec<f64>,
    /// Last known value behind each sample, for signs: for realized-volatility the present one, for price the last close, else 0 (0.5 for direction).
    pub last_known: Vec<f64>,
    /// How they are divided.
    pub split: Split,
    /// From the rows the training windows read, each once.
    pub scaler: Scaler,
    /// From the training targets; the identity for a binary task.
    pub target_scaler: Scaler,
}

/// Builds samples. `least` is the least number of training samples. Errors are `Invalid` with field `data` when there are
/// too few samples (with what is needed and what there is) or `features` when one is constant or empty over the training part.
pub fn build(
    bars: &Bars,
    interval: Interval,
    features: &[Feature],
    steps: u32,
    target: Target,
    split: &SplitConfig,
    least: u64,
) -> Result<Dataset> {
    let columns = features::compute(bars, interval, features);
    build_on(columns, bars, interval, features, steps, target, split, least)
}

/// The same on columns that are computed already: those that [`features::compute`] gives for these features.
#[expect(clippy::too_many_arguments, reason = "the columns, and what `build` takes")]
pub fn build_on(
    columns: Vec<Vec<f64>>,
    bars: &Bars,
    interval: Interval,
    features: &[Feature],
    steps: u32,
    target: Target,
    split: &SplitConfig,
    least: u64,
) -> Result<Dataset> {
    target.check()?;
    if features.is_empty() || steps == 0 {
        return Err(Error::invalid("features", "at least one feature and a sequence_length of at least 1 are needed"));
    }
    every_feature_exists(bars, interval, features, &columns)?;
    let walk = Walk { bars, interval, steps: steps as usize, target };
    let present = walk.present_values();
    let ends = walk.ends(&columns, present.as_deref());
    let targets: Vec<f64> = ends.iter().map(|end| target_of(bars, *end, target)).collect();
    let split = chronological(&ends, target.horizon, split)?;
    enough(&split, least, || walk.describe(&ends))?;

    let rows = rows_read(&ends[split.train.clone()], steps as usize, bars.len());
    every_feature_varies(features, &columns, &rows)?;
    let scaler = Scaler::fit(&columns, rows.iter().copied());
    let target_scaler = match target.task() {
        Task::Binary => Scaler { mean: vec![0.0], standard_deviation: vec![1.0] },
        Task::Regression => Scaler::fit(std::slice::from_ref(&targets), split.train.clone()),
    };
    let ups = targets[split.train.clone()].iter().sum::<f64>() / split.train.len() as f64;
    let known = |end: &usize| match target.kind {
        TargetKind::Return => (0.0, 0.0),
        TargetKind::Direction => (ups, 0.5),
        TargetKind::Price => (bars.close[*end], bars.close[*end]),
        TargetKind::RealizedVolatility => present.as_deref().map_or((f64::NAN, f64::NAN), |present| (present[*end], present[*end])),
    };
    let (baseline, last_known) = ends.iter().map(known).unzip();
    Ok(Dataset { columns, ends, targets, baseline, last_known, split, scaler, target_scaler })
}

impl Dataset {
    /// Rows that windows of training samples read, ascending.
    pub fn training_rows(&self, steps: u32) -> Vec<usize> {
        rows_read(&self.ends[self.split.train.clone()], steps as usize, self.columns.first().map_or(0, Vec::len))
    }
}

/// The target of the sample that ends on `end`; the bars up to `end + horizon` must exist.
pub(crate) fn target_of(bars: &Bars, end: usize, target: Target) -> f64 {
    let last = end + target.horizon as usize;
    let change = || (bars.close[last] / bars.close[end]).ln();
    match target.kind {
        TargetKind::Return | TargetKind::Price => change(),
        TargetKind::Direction => f64::from(u8::from(bars.close[last] > bars.close[end])),
        TargetKind::RealizedVolatility => {
            let squares: f64 = bars.close[end..=last].windows(2).map(|pair| (pair[1] / pair[0]).ln().powi(2)).sum();
            features::volatility(squares, target.horizon as usize)
        }
    }
}

/// What decides which bars end a sample.
struct Walk<'a> {
    bars: &'a Bars,
    interval: Interval,
    steps: usize,
    target: Target,
}

impl Walk<'_> {
    /// The target's quantity over the h bars up to each row, where the baseline model needs it.
    fn present_values(&self) -> Option<Vec<f64>> {
        if self.target.kind != TargetKind::RealizedVolatility {
            return None;
        }
        let feature: Feature = format!("realized-volatility({})", self.target.horizon).parse().ok()?;
        features::compute(self.bars, self.interval, &[feature]).pop()
    }

    fn ends(&self, columns: &[Vec<f64>], present: Option<&[f64]>) -> Vec<usize> {
        let horizon = self.target.horizon as usize;
        let mut ends = Vec::new();
        for run in features::runs(self.bars, features::step_max_ms(self.interval)) {
            let mut whole_rows = 0;
            for row in run.clone() {
                let whole = columns.iter().all(|column| column[row].is_finite());
                whole_rows = if whole { whole_rows + 1 } else { 0 };
                let known = present.is_none_or(|present| present[row].is_finite());
                if whole_rows >= self.steps && known && row + horizon < run.end {
                    ends.push(row);
                }
            }
        }
        ends
    }

    /// Why there are no more samples, for an error.
    fn describe(&self, ends: &[usize]) -> String {
        let longest = features::runs(self.bars, features::step_max_ms(self.interval)).iter().map(|run| run.len()).max().unwrap_or(0);
        format!(
            "{} bars give {} samples of {} steps and {} bars ahead (the longest run without a missing bar has {longest} bars)",
            self.bars.len(),
            ends.len(),
            self.steps,
            self.target.horizon
        )
    }
}

/// Rows in any of the windows, ascending.
fn rows_read(ends: &[usize], steps: usize, rows: usize) -> Vec<usize> {
    let mut read = vec![false; rows];
    for end in ends {
        read[end + 1 - steps..=*end].fill(true);
    }
    read.iter().enumerate().filter(|(_, read)| **read).map(|(row, _)| row).collect()
}

fn enough(split: &Split, least: u64, describe: impl Fn() -> String) -> Result<()> {
    let least = least.max(2);
    let has = split.train.len() as u64;
    if has < least {
        let why = format!("has {has} training samples; at least {least} are needed: {}; add bars or shorten sequence_length", describe());
        return Err(Error::invalid("data", why));
    }
    if split.test.is_empty() {
        return Err(Error::invalid("data", format!("leaves no sample to judge by: {}; raise split.test or add bars", describe())));
    }
    Ok(())
}

fn every_feature_exists(bars: &Bars, interval: Interval, features: &[Feature], columns: &[Vec<f64>]) -> Result<()> {
    let Some((feature, _)) = features.iter().zip(columns).find(|(_, column)| !column.iter().any(|value| value.is_finite())) else {
        return Ok(());
    };
    let longest = features::runs(bars, features::break_max_ms(interval)).iter().map(|run| run.len()).max().unwrap_or(0);
    let needs = features::warm_up(feature);
    let why = format!("`{feature}` needs {needs} bars without a long gap before its first number; the longest stretch has {longest}");
    Err(Error::invalid("features", why))
}

fn every_feature_varies(features: &[Feature], columns: &[Vec<f64>], rows: &[usize]) -> Result<()> {
    let stands = |column: &Vec<f64>| rows.iter().all(|row| column[*row] == column[rows[0]]);
    match features.iter().zip(columns).find(|(_, column)| stands(column)) {
        Some((feature, column)) => {
            let why = format!("`{feature}` is {} on every row of the training part; leave it out", column[rows[0]]);
            Err(Error::invalid("features", why))
        }
        None => Ok(()),
    }
}

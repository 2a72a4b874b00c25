//! Which samples one fit learns from, stops by and is judged on, with what is learned from the training samples alone:
//! both scalers, the share of ups, the weights.
//!
//! The final model has the dataset's own split; folds have theirs. Nothing here reads a sample that is not in its lists.

use std::ops::Range;

use bellwether_domain::bars::Bars;
use bellwether_domain::job::TrainingRequest;
use bellwether_domain::scaler::Scaler;
use bellwether_domain::split::Fold;
use bellwether_domain::target::{Target, Task};
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};

use crate::dataset::Dataset;

/// Samples by place in the dataset, ascending.
pub(crate) struct Division {
    pub(crate) train: Vec<usize>,
    pub(crate) validation: Vec<usize>,
    pub(crate) judged: Range<usize>,
    /// Of every column, from the rows the training windows read, each once.
    pub(crate) scaler: Scaler,
    /// From the training targets; the identity for a binary task.
    pub(crate) target_scaler: Scaler,
    /// Mean training target: for `direction` the share of ups, which is its baseline model.
    pub(crate) mean_target: f64,
    /// How much each training sample counts.
    pub(crate) weights: Option<Vec<f32>>,
    /// Places of columns that do not vary on the training rows.
    pub(crate) constant: Vec<usize>,
}

impl Division {
    /// The final model's.
    pub(crate) fn whole(dataset: &Dataset, bars: &Bars, steps: u32, request: &TrainingRequest) -> Result<Division> {
        let split = &dataset.split;
        let (train, validation) = (split.train.clone().collect(), split.validation.clone().collect());
        Division::of(dataset, bars, steps, request, (train, validation, split.test.clone()))
    }

    /// A fold's.
    pub(crate) fn fold(dataset: &Dataset, bars: &Bars, steps: u32, request: &TrainingRequest, fold: Fold) -> Result<Division> {
        Division::of(dataset, bars, steps, request, (fold.train, fold.validation, fold.judged))
    }

    fn of(
        dataset: &Dataset,
        bars: &Bars,
        steps: u32,
        request: &TrainingRequest,
        (train, validation, judged): (Vec<usize>, Vec<usize>, Range<usize>),
    ) -> Result<Division> {
        every_target_counts(dataset, bars, request.target, &train, &validation)?;
        let rows = rows_read(dataset, &train, steps);
        let scaler = Scaler::fit(&dataset.columns, rows.iter().copied());
        let target_scaler = match request.target.task() {
            Task::Binary => Scaler { mean: vec![0.0], standard_deviation: vec![1.0] },
            Task::Regression => Scaler::fit(std::slice::from_ref(&dataset.targets), train.iter().copied()),
        };
        let stands = |column: &Vec<f64>| rows.iter().all(|row| column[*row] == column[rows[0]]);
        let constant = (0..dataset.columns.len()).filter(|place| stands(&dataset.columns[*place])).collect();
        let mean_target = train.iter().map(|place| dataset.targets[*place]).sum::<f64>() / train.len().max(1) as f64;
        let times: Vec<Timestamp> = train.iter().map(|place| Timestamp(bars.timestamp[dataset.ends[*place]])).collect();
        let weights = request.sample_weights.of(&times);
        Ok(Division { train, validation, judged, scaler, target_scaler, mean_target, weights, constant })
    }

    /// Samples trained on, validated on, judged on.
    pub(crate) fn counts(&self) -> [u64; 3] {
        [self.train.len(), self.validation.len(), self.judged.len()].map(|count| count as u64)
    }
}

/// Rows that the windows of these samples read, ascending.
fn rows_read(dataset: &Dataset, samples: &[usize], steps: u32) -> Vec<usize> {
    let mut read = vec![false; dataset.columns.first().map_or(0, Vec::len)];
    for end in samples.iter().map(|place| dataset.ends[*place]) {
        read[end + 1 - steps as usize..=end].fill(true);
    }
    read.iter().enumerate().filter(|(_, read)| **read).map(|(row, _)| row).collect()
}

/// Every target is a number, and there are two classes to tell apart.
fn every_target_counts(dataset: &Dataset, bars: &Bars, target: Target, train: &[usize], validation: &[usize]) -> Result<()> {
    if let Some(place) = train.iter().chain(validation).find(|place| !dataset.targets[**place].is_finite()) {
        let bar = Timestamp(bars.timestamp[dataset.ends[*place]]);
        let why = format!("the target {target} after the bar of {bar} is {}; look at the closes from there on", dataset.targets[*place]);
        return Err(Error::invalid("data", why));
    }
    let first = train.first().map(|place| dataset.targets[*place]);
    let same = first.is_some_and(|first| train.iter().all(|place| dataset.targets[*place] == first));
    match (target.task(), first) {
        (Task::Binary, Some(first)) if same => {
            let class = if first > 0.5 { "up" } else { "not up" };
            let why =
                format!("every one of the {} training targets is `{class}`: there is nothing to tell apart; use more bars", train.len());
            Err(Error::invalid("data", why))
        }
        (Task::Binary | Task::Regression, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use bellwether_domain::bars::Bar;
    use bellwether_domain::split;
    use serde_json::json;

    use super::*;
    use crate::dataset;

    const STEPS: u32 = 6;

    /// A market with two holes; from `changed` on another one, for as many rows.
    fn bars(changed: Range<usize>) -> Bars {
        let mut bars = Bars::default();
        let (mut noise, mut hour) = (3_u64, 0_i64);
        for row in 0..1200 {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let draw = (noise >> 40) as f64 / f64::from(1 << 24);
            hour += match row {
                300 => 5,
                700 => 50,
                _ => 1,
            };
            let factor = if changed.contains(&row) { 2.0 + draw } else { 1.0 };
            let close = (100.0 + 10.0 * (row as f64 / 50.0).sin() + draw) * factor;
            let timestamp = Timestamp(hour * 3_600_000);
            bars.push(Bar { timestamp, open: close, high: close * (1.0 + 0.01 * draw * factor), low: close, close, volume: factor * draw });
        }
        bars
    }

    #[test]
    fn a_fold_learns_nothing_under_the_labels_that_judge_it() {
        for (scheme, horizon, embargo) in [
            (json!({"kind": "purged-k-fold", "folds": 5}), 4, 0),
            (json!({"kind": "purged-k-fold", "folds": 3}), 12, 7),
            (json!({"kind": "walk-forward", "folds": 4}), 4, 3),
            (json!({"kind": "walk-forward", "folds": 4, "window": "rolling"}), 1, 0),
        ] {
            let request: TrainingRequest = serde_json::from_value(json!({
                "model_type": "m", "symbol": "X", "target": {"kind": "return", "horizon": horizon},
                "split": {"scheme": scheme, "embargo": embargo}, "sample_weights": {"kind": "exponential", "half_life_days": 9},
            }))
            .expect("request");
            // Features of a row alone, so that what they read is what their row is.
            let features = ["log-range", "volume"].map(|name| name.parse().expect("feature"));
            let of = |bars: &Bars| {
                dataset::build(bars, request.interval, &features, STEPS, request.target, &request.split, 10).expect("dataset")
            };
            let plain = bars(0..0);
            let before = of(&plain);
            let known = &before.ends[..before.split.validation.end];
            let folds = split::folds(known, horizon, STEPS, &request.split).expect("folds");
            assert!(folds.len() >= 3);
            for fold in folds {
                let (first, last) = (before.ends[fold.judged.start], before.ends[fold.judged.end - 1]);
                let other = bars(first + 1..last + horizon as usize + 1);
                let after = of(&other);
                assert_eq!(after.ends, before.ends);
                let made = |dataset: &Dataset, bars: &Bars| Division::fold(dataset, bars, STEPS, &request, fold.clone()).expect("division");
                let (one, two) = (made(&before, &plain), made(&after, &other));
                assert_eq!((&one.scaler, &one.target_scaler, &one.weights), (&two.scaler, &two.target_scaler, &two.weights), "{scheme}");
                for place in fold.train.iter().chain(&fold.validation) {
                    assert_eq!(before.targets[*place].to_bits(), after.targets[*place].to_bits(), "{scheme}: the label of {place}");
                    let rows = before.ends[*place] + 1 - STEPS as usize..before.ends[*place] + 1;
                    assert!(rows.clone().all(|row| before.columns[1][row] == after.columns[1][row]), "{scheme}: the window of {place}");
                }
                assert_ne!(before.targets[fold.judged.clone()], after.targets[fold.judged.clone()], "the change is seen where it may be");
                assert_eq!(one.weights.as_ref().map(Vec::len), Some(one.train.len()));
            }
        }
    }

    #[test]
    fn a_target_that_is_no_number_is_named() {
        let request: TrainingRequest =
            serde_json::from_value(json!({"model_type": "m", "symbol": "X", "target": {"kind": "return"}})).expect("request");
        let bars = bars(0..0);
        let features = ["log-range".parse().expect("feature")];
        let mut dataset = dataset::build(&bars, request.interval, &features, STEPS, request.target, &request.split, 10).expect("dataset");
        dataset.targets[17] = f64::NAN;
        let Err(error) = Division::whole(&dataset, &bars, STEPS, &request) else { panic!("a target is NaN") };
        let bar = Timestamp(bars.timestamp[dataset.ends[17]]);
        assert_eq!(
            error.to_string(),
            format!("data: the target return(1) after the bar of {bar} is NaN; look at the closes from there on")
        );
    }
}

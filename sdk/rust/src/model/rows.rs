//! Windows as rows of a table, for model types that are no networks: which numbers of a window a row holds, and the checks
//! every such model needs of its features and targets.
//!
//! Rows are handed out one by one from what the host lends in large pieces, so a model decides what it holds.
use serde::Deserialize;

use super::Task;
use crate::data::Windows;
use crate::{Error, Result};

/// Which numbers of a window [steps, features] make its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// The last step: one number per feature.
    LastStep,
    /// Per feature its last value, then mean, standard deviation, least, most and change from first to last over the window.
    Summary,
    /// Every number of the window, step by step.
    Flatten,
}

/// Numbers per feature of a summary.
const SUMMARY: usize = 6;

impl Rows {
    /// Numbers of a row.
    pub fn width(self, steps: u32, features: usize) -> usize {
        match self {
            Rows::LastStep => features,
            Rows::Summary => features * SUMMARY,
            Rows::Flatten => features * steps as usize,
        }
    }

    /// Names of a row's numbers: `body`, in a summary also `body mean` and so on, flattened `body -3` for three steps before
    /// the last.
    pub fn names(self, steps: u32, features: &[String]) -> Vec<String> {
        let each = |suffixes: &[&str]| -> Vec<String> {
            features.iter().flat_map(|name| suffixes.iter().map(move |suffix| format!("{name}{suffix}"))).collect()
        };
        match self {
            Rows::LastStep => features.to_vec(),
            Rows::Summary => each(&["", " mean", " deviation", " least", " most", " change"]),
            Rows::Flatten => {
                let name = |step: u32, feature: &String| match steps - 1 - step {
                    0 => feature.clone(),
                    before => format!("{feature} -{before}"),
                };
                (0..steps).flat_map(|step| features.iter().map(move |feature| name(step, feature))).collect()
            }
        }
    }

    /// Calls `f` with the place of each sample and its row. Errors: [`Error::InvalidInput`] naming feature and sample for a
    /// number that is not finite.
    pub fn for_each(self, windows: &Windows, mut f: impl FnMut(u64, &[f64])) -> Result<()> {
        let features = windows.features();
        let mut summary = vec![0.0; self.width(windows.steps(), features.len())];
        let mut chunk_of = |chunk: crate::data::Chunk| -> Result<()> {
            if let Some(place) = chunk.values.iter().position(|value| !value.is_finite()) {
                let (sample, feature) = (chunk.first + (place / chunk.width) as u64, &features[place % features.len()]);
                return Err(Error::invalid_input(format!("`{feature}` of sample {sample} is {}: it must be finite", chunk.values[place])));
            }
            for (sample, window) in (chunk.first..).zip(chunk.samples()) {
                match self {
                    Rows::Summary => {
                        summarise(window, features.len(), &mut summary);
                        f(sample, &summary);
                    }
                    Rows::LastStep | Rows::Flatten => f(sample, window),
                }
            }
            Ok(())
        };
        match self {
            Rows::LastStep => windows.last_rows().try_for_each(&mut chunk_of),
            Rows::Summary | Rows::Flatten => windows.chunks().try_for_each(&mut chunk_of),
        }
    }
}

/// The summary of one window, feature after feature, in the order of [`Rows::Summary`].
fn summarise(window: &[f64], features: usize, summary: &mut [f64]) {
    let steps = (window.len() / features) as f64;
    for (feature, out) in summary.chunks_exact_mut(SUMMARY).enumerate() {
        let column = || window.iter().skip(feature).step_by(features).copied();
        let (first, last) = (window[feature], window[window.len() - features + feature]);
        let (mut sum, mut least, mut most) = (0.0, first, first);
        for value in column() {
            sum += value;
            least = if value < least { value } else { least };
            most = if value > most { value } else { most };
        }
        let mean = sum / steps;
        let variance = column().map(|value| (value - mean) * (value - mean)).sum::<f64>() / steps;
        out.copy_from_slice(&[last, mean, variance.sqrt(), least, most, last - first]);
    }
}

/// The targets of a part of the data (`part` names it in errors), one finite number per sample. Errors:
/// [`Error::InvalidInput`].
pub fn read_targets(windows: &Windows, part: &str) -> Result<Vec<f64>> {
    let targets = windows.targets();
    if targets.len() as u64 != windows.samples() {
        return Err(Error::invalid_input(format!("the {part} part has {} targets for {} samples", targets.len(), windows.samples())));
    }
    match targets.iter().position(|target| !target.is_finite()) {
        None => Ok(targets),
        Some(sample) => {
            Err(Error::invalid_input(format!("the target of {part} sample {sample} is {}: it must be finite", targets[sample])))
        }
    }
}

/// What targets ask for: a probability when each is 0 or 1, else a real number. Errors: [`Error::InvalidInput`] when all are
/// the same, for then there is nothing to learn.
pub fn task_of(targets: &[f64]) -> Result<Task> {
    let first = targets.first().copied().unwrap_or(f64::NAN);
    if targets.iter().all(|target| *target == first) {
        let many = targets.len();
        return Err(Error::invalid_input(format!("all {many} training targets are {first}: there is nothing to learn from one value")));
    }
    let binary = targets.iter().all(|target| *target == 0.0 || *target == 1.0);
    Ok(if binary { Task::Binary } else { Task::Regression })
}

/// Checks that windows have the features and the steps a model learned from. Steps do not matter to a row of the last one.
/// Errors: [`Error::InvalidInput`] with both.
pub fn check_features(rows: Rows, learned: &[String], steps: u32, given: &Windows) -> Result<()> {
    if given.features() != learned {
        let (learned, given) = (learned.join(", "), given.features().join(", "));
        return Err(Error::invalid_input(format!("the model learned from [{learned}] and is given [{given}]")));
    }
    if rows != Rows::LastStep && given.steps() != steps {
        return Err(Error::invalid_input(format!("the model learned from windows of {steps} steps and is given {}", given.steps())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Rows, Task, check_features, read_targets, task_of};
    use crate::testing::windows;

    fn rows(shape: Rows, values: &[f64]) -> Vec<Vec<f64>> {
        let mut found = Vec::new();
        shape.for_each(&windows(&["a", "b"], 2, values, &[]), |_, row| found.push(row.to_vec())).unwrap();
        found
    }

    #[test]
    fn a_window_becomes_a_row() {
        let values = [1.0, 10.0, 3.0, 30.0, 5.0, 50.0, 5.0, 20.0];
        assert_eq!(rows(Rows::LastStep, &values), [[3.0, 30.0], [5.0, 20.0]]);
        assert_eq!(rows(Rows::Flatten, &values), [[1.0, 10.0, 3.0, 30.0], [5.0, 50.0, 5.0, 20.0]]);
        let summary = rows(Rows::Summary, &values);
        assert_eq!(summary[0], [3.0, 2.0, 1.0, 1.0, 3.0, 2.0, 30.0, 20.0, 10.0, 10.0, 30.0, 20.0]);
        assert_eq!(summary[1], [5.0, 5.0, 0.0, 5.0, 5.0, 0.0, 20.0, 35.0, 15.0, 20.0, 50.0, -30.0]);
    }

    #[test]
    fn names_are_as_many_as_numbers() {
        let names = ["a".to_owned(), "b".to_owned()];
        assert_eq!(Rows::Flatten.names(2, &names), ["a -1", "b -1", "a", "b"]);
        assert_eq!(Rows::Summary.names(2, &names)[5], "a change");
        for shape in [Rows::LastStep, Rows::Summary, Rows::Flatten] {
            assert_eq!(shape.names(7, &names).len(), shape.width(7, 2));
        }
    }

    #[test]
    fn what_cannot_be_learned_from_is_refused() {
        let check = |result: crate::Result<()>, expected: &str| {
            let error = result.unwrap_err();
            assert!(error.message().contains(expected), "{error:?}");
        };
        let holes = windows(&["a", "b"], 2, &[1.0, 2.0, 3.0, f64::NAN], &[f64::NAN]);
        check(Rows::Flatten.for_each(&holes, |_, _| ()), "`b` of sample 0 is NaN");
        check(Rows::LastStep.for_each(&holes, |_, _| ()), "`b` of sample 0 is NaN");
        check(read_targets(&holes, "training").map(|_| ()), "target of training sample 0 is NaN");
        check(read_targets(&windows(&["a"], 1, &[1.0], &[]), "training").map(|_| ()), "0 targets for 1 samples");
        check(task_of(&[1.0, 1.0]).map(|_| ()), "all 2 training targets are 1");
        check(task_of(&[]).map(|_| ()), "all 0 training targets");
        assert_eq!(task_of(&[0.0, 1.0]).unwrap(), Task::Binary);
        assert_eq!(task_of(&[0.0, 1.5]).unwrap(), Task::Regression);
        let learned = ["a".to_owned(), "b".to_owned()];
        check(check_features(Rows::Flatten, &learned, 3, &holes), "windows of 3 steps and is given 2");
        check(check_features(Rows::LastStep, &learned[..1], 2, &holes), "learned from [a] and is given [a, b]");
        assert!(check_features(Rows::LastStep, &learned, 3, &holes).is_ok());
    }
}

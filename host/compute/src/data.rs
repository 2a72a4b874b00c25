//! Samples for fitting without building windows: rows of features, and the row each window ends on.

use bellwether_domain::network::Loss;
use bellwether_domain::{Error, Result};

use crate::plan::Plan;

/// Samples that share their rows: sample i is rows `ends[i] + 1 - steps ..= ends[i]`, so overlapping windows cost nothing.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// Scaled features, row-major [row, feature].
    pub rows: &'a [f32],
    /// Features per row.
    pub features: usize,
    /// Rows per window.
    pub steps: usize,
    /// Last row of each window.
    pub ends: &'a [usize],
    /// Scaled target of each window; as long as `ends`.
    pub targets: &'a [f32],
    /// How much each window counts in the loss, not negative, one above 0; as long as `ends`. Absent: all the same.
    pub weights: Option<&'a [f32]>,
}

impl Samples<'_> {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Every window lies within the rows, every number is finite and every target suits every loss.
    /// Errors are `Invalid` with field `<what>.rows`, `<what>.ends`, `<what>.targets` or `<what>.weights`.
    pub(crate) fn check(&self, what: &str, plan: &Plan) -> Result<()> {
        let fault = |part: &str, why: String| Err(Error::invalid(format!("{what}.{part}"), why));
        if self.is_empty() {
            return Ok(());
        }
        if self.features == 0 || !self.rows.len().is_multiple_of(self.features) {
            return fault("rows", format!("{} numbers are not whole rows of {} features", self.rows.len(), self.features));
        }
        let rows = self.rows.len() / self.features;
        if let Some(place) = self.rows.iter().position(|value| !value.is_finite()) {
            return fault("rows", format!("feature {} of row {} is not a finite number", place % self.features, place / self.features));
        }
        if let Some(end) = self.ends.iter().find(|end| **end >= rows || **end + 1 < self.steps) {
            return fault("ends", format!("a window of {} rows cannot end on row {end} of {rows}", self.steps));
        }
        if self.targets.len() != self.ends.len() {
            return fault("targets", format!("there are {} targets for {} windows", self.targets.len(), self.ends.len()));
        }
        if let Some(weights) = self.weights {
            if weights.len() != self.ends.len() {
                return fault("weights", format!("there are {} weights for {} windows", weights.len(), self.ends.len()));
            }
            if let Some(place) = weights.iter().position(|weight| !(*weight >= 0.0 && weight.is_finite())) {
                return fault("weights", format!("weight {place} is {}; it must be finite and not negative", weights[place]));
            }
            if weights.iter().all(|weight| *weight == 0.0) {
                return fault("weights", "all are 0; at least one sample must count".to_owned());
            }
        }
        for table in &plan.tables {
            for column in table.columns(self.features) {
                let values = self.rows.iter().skip(column).step_by(self.features);
                if let Some((row, value)) = values.enumerate().find(|(_, value)| !table.holds(**value)) {
                    return fault("rows", format!("feature {column} of row {row} is {value}; {}", table.wanted()));
                }
            }
        }
        for (place, target) in self.targets.iter().enumerate() {
            for (output, head) in plan.outputs.iter().zip(&plan.heads) {
                let width = plan.steps[*head].shape.last().copied().unwrap_or(0);
                if let Some(right) = target_fault(*target, &output.loss, width) {
                    return fault("targets", format!("target {place} is {target}; output `{}` wants {right}", output.name));
                }
            }
        }
        Ok(())
    }

    /// Writes the windows of the chosen samples, [sample, step, feature].
    pub(crate) fn gather(&self, chosen: impl Iterator<Item = usize>, windows: &mut [f32]) {
        for (sample, to) in chosen.zip(windows.chunks_exact_mut(self.steps * self.features)) {
            let end = self.ends[sample] + 1;
            to.copy_from_slice(&self.rows[(end - self.steps) * self.features..end * self.features]);
        }
    }
}

fn target_fault(target: f32, loss: &Loss, classes: usize) -> Option<String> {
    let (fits, right) = match loss {
        Loss::Bce => ((0.0..=1.0).contains(&target), "0 or 1 (or a probability)".to_owned()),
        Loss::CrossEntropy(_) => (
            target >= 0.0 && target.fract() == 0.0 && (target as usize) < classes,
            format!("a class from 0 to {}", classes.saturating_sub(1)),
        ),
        Loss::Mse | Loss::Mae | Loss::Huber(_) | Loss::Quantile(_) | Loss::GaussianNll => {
            (target.is_finite(), "a finite number".to_owned())
        }
    };
    (!fits).then_some(right)
}

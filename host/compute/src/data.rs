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
    /// Errors are `Invalid` with field `<what>.rows`, `<what>.ends` or `<what>.targets`.
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

    /// Appends the windows of the chosen samples, [sample, step, feature], and their targets.
    pub(crate) fn gather(&self, chosen: &[usize], windows: &mut Vec<f32>, targets: &mut Vec<f32>) {
        for &sample in chosen {
            let end = self.ends[sample] + 1;
            windows.extend_from_slice(&self.rows[(end - self.steps) * self.features..end * self.features]);
            targets.push(self.targets[sample]);
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

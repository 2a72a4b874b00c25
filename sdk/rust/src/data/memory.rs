//! Columns and windows in memory, for tests off WebAssembly. They answer as the host's do.
use std::rc::Rc;

use super::{ColumnKind, Moments};

/// What one call gives at most.
const LIMIT: usize = 131_072;

/// A column.
#[derive(Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    pub(crate) values: Rc<[f64]>,
}

impl Column {
    pub(crate) fn name(&self) -> String {
        self.name.clone()
    }

    pub(crate) fn kind(&self) -> ColumnKind {
        self.kind
    }

    pub(crate) fn len(&self) -> u64 {
        self.values.len() as u64
    }

    pub(crate) fn read(&self, offset: u64, count: u32) -> Vec<f64> {
        part(&self.values, offset, (count as usize).min(LIMIT), 1)
    }

    pub(crate) fn moments(&self) -> Moments {
        let present = self.present();
        let count = present.len() as f64;
        let mean = present.iter().sum::<f64>() / count;
        let bound = |pick: fn(f64, f64) -> f64| present.iter().copied().fold(f64::NAN, pick);
        Moments {
            count: present.len() as u64,
            missing: (self.values.len() - present.len()) as u64,
            mean,
            variance: present.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count,
            minimum: bound(f64::min),
            maximum: bound(f64::max),
        }
    }

    pub(crate) fn quantiles(&self, probabilities: &[f64]) -> Vec<f64> {
        let sorted = self.present();
        let quantile = |probability: &f64| {
            if sorted.is_empty() || !(0.0..=1.0).contains(probability) {
                return f64::NAN;
            }
            let place = probability * (sorted.len() - 1) as f64;
            let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        probabilities.iter().map(quantile).collect()
    }

    pub(crate) fn histogram(&self, edges: &[f64]) -> Vec<u64> {
        let mut counts = vec![0; edges.len() + 1];
        for value in self.present() {
            counts[edges.partition_point(|edge| *edge <= value)] += 1;
        }
        counts
    }

    /// The present values, ascending.
    fn present(&self) -> Vec<f64> {
        let mut present: Vec<f64> = self.values.iter().copied().filter(|value| !value.is_nan()).collect();
        present.sort_by(f64::total_cmp);
        present
    }
}

/// Windows.
pub(crate) struct Windows {
    pub(crate) features: Vec<String>,
    pub(crate) steps: u32,
    pub(crate) values: Vec<f64>,
    pub(crate) targets: Vec<f64>,
}

impl Windows {
    fn width(&self) -> usize {
        self.steps as usize * self.features.len()
    }

    pub(crate) fn samples(&self) -> u64 {
        self.values.len().checked_div(self.width()).unwrap_or(0) as u64
    }

    pub(crate) fn steps(&self) -> u32 {
        self.steps
    }

    pub(crate) fn features(&self) -> Vec<String> {
        self.features.clone()
    }

    pub(crate) fn read(&self, offset: u64, count: u32) -> Vec<f64> {
        part(&self.values, offset, (count as usize).min(LIMIT / self.width().max(1)), self.width())
    }

    pub(crate) fn read_last(&self, offset: u64, count: u32) -> Vec<f64> {
        let features = self.features.len().max(1);
        let last = |window: &[f64]| window[window.len() - features..].to_vec();
        let rows: Vec<f64> = self.values.chunks_exact(self.width().max(1)).flat_map(last).collect();
        part(&rows, offset, (count as usize).min(LIMIT / features), features)
    }

    pub(crate) fn targets(&self, offset: u64, count: u32) -> Vec<f64> {
        part(&self.targets, offset, (count as usize).min(LIMIT), 1)
    }
}

/// `count` groups of `width` from group `offset`, clipped to what there is.
fn part(values: &[f64], offset: u64, count: usize, width: usize) -> Vec<f64> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).saturating_mul(width).min(values.len());
    let end = start.saturating_add(count.saturating_mul(width)).min(values.len());
    values[start..end].to_vec()
}

//! From bars to samples: features, target, windows that span no gap, a chronological split with purge, a scaler from the
//! training part only.

use bellwether_domain::Result;
use bellwether_domain::bars::Bars;
use bellwether_domain::feature::Feature;
use bellwether_domain::scaler::Scaler;
use bellwether_domain::split::{Split, SplitConfig};
use bellwether_domain::target::Target;
use bellwether_domain::time::Interval;

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
    /// (realized-volatility: over the h bars up to now; return and price: no change; direction: the share of ups in training).
    pub baseline: Vec<f64>,
    /// Last known value behind each sample, for signs: for realized-volatility the present one, for price the last close, else 0 (0.5 for direction).
    pub last_known: Vec<f64>,
    /// How they are divided.
    pub split: Split,
    /// From the rows the training windows read.
    pub scaler: Scaler,
    /// From the training targets; the identity for a binary task.
    pub target_scaler: Scaler,
}

/// Builds samples. Errors are `Invalid` with field `data` when there are too few samples (with what is needed and what
/// there is) or `features` when one is constant or empty over the training part.
pub fn build(
    bars: &Bars,
    interval: Interval,
    features: &[Feature],
    steps: u32,
    target: Target,
    split: &SplitConfig,
    least: u64,
) -> Result<Dataset> {
    let _ = (bars, interval, features, steps, target, split, least);
    todo!()
}

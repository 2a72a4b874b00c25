//! The training loop: shuffled batches, loss, backward, clip, step; validation and early stopping per epoch.

use bellwether_domain::Result;
use bellwether_domain::network::{Network, Training};

use crate::{Device, Model, Samples};

/// How to fit.
#[derive(Debug, Clone)]
pub struct FitSettings {
    /// Epochs, batch size, optimiser and so on.
    pub training: Training,
    /// Seeds initial weights, shuffles and dropout.
    pub seed: u64,
    /// Threads that compute.
    pub threads: usize,
}

/// Where the fit is, reported a few times per second at most and at each epoch's end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Epochs finished.
    pub epoch: u32,
    /// Share of the current epoch done; 0 at an epoch's end.
    pub epoch_share: f64,
    /// Mean training loss of the last finished epoch.
    pub train_loss: Option<f64>,
    /// Validation loss after it.
    pub validation_loss: Option<f64>,
    /// Training samples per second so far.
    pub samples_per_second: f64,
}

/// What the caller wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Stop now and return the best weights so far.
    Stop,
}

/// How a fit went.
#[derive(Debug, Clone, PartialEq)]
pub struct FitReport {
    /// Epochs finished.
    pub epochs: u32,
    /// The epoch whose weights were kept, from 1.
    pub best_epoch: u32,
    /// Training loss per epoch.
    pub train_loss: Vec<f64>,
    /// Validation loss per epoch; empty without validation samples.
    pub validation_loss: Vec<f64>,
    /// The caller stopped it.
    pub stopped: bool,
}

/// Fits `network` to `train`, watching `validation` (which may have no samples).
/// The same seed, thread count and machine give the same bits.
/// Errors: `Invalid` for a network or settings that do not check; `Internal` when a loss is not finite (with the epoch).
pub fn fit(
    network: &Network,
    train: Samples<'_>,
    validation: Samples<'_>,
    settings: &FitSettings,
    device: &Device,
    report: &mut dyn FnMut(Step) -> Control,
) -> Result<(Model, FitReport)> {
    let _ = (network, train, validation, settings, device, report);
    todo!()
}

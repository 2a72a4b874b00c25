//! The training loop: shuffled batches, loss, backward, clip, step; validation and early stopping per epoch.
//!
//! Three ChaCha8 streams of one seed draw the first weights, the shuffles and the dropout, so that changing one leaves the
//! others as they were.

mod optimizer;
mod progress;
mod schedule;
mod trainer;

use std::time::Duration;

use bellwether_domain::network::{Network, Training};
use bellwether_domain::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::fit::progress::{Progress, Watch};
use crate::fit::schedule::Rate;
use crate::fit::trainer::Trainer;
use crate::plan::Plan;
use crate::{Device, Model, Samples, initial};

/// Environment for a process that fits, so that candle adds no spinning threads of its own; they slow a fit of this size down.
pub const ENVIRONMENT: [(&str, &str); 2] = [("CANDLE_NUM_THREADS", "1"), ("RAYON_NUM_THREADS", "1")];

/// How to fit. See also [`ENVIRONMENT`].
#[derive(Debug, Clone)]
pub struct FitSettings {
    /// Epochs, batch size, optimiser and so on.
    pub training: Training,
    /// Seeds initial weights, shuffles and dropout.
    pub seed: u64,
    /// Threads that share each batch, 1 to 64. The same seed, thread count and processor give the same bits.
    pub threads: usize,
}

/// Where the fit is, reported a few times per second at most and at each epoch's end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Epochs finished.
    pub epoch: u32,
    /// Share of the current epoch done; 0 at an epoch's end.
    pub epoch_share: f64,
    /// Batches of the current epoch done; 0 at an epoch's end.
    pub batch: u32,
    /// Batches of an epoch.
    pub batches: u32,
    /// Mean training loss of the current epoch so far, of the last one at an epoch's end.
    pub running_loss: Option<f64>,
    /// Mean training loss of the last finished epoch.
    pub train_loss: Option<f64>,
    /// Validation loss after it.
    pub validation_loss: Option<f64>,
    /// Training samples per second so far.
    pub samples_per_second: f64,
    /// Seconds left if every epoch is run at this pace; early stopping makes it less.
    pub remaining_seconds: Option<f64>,
}

/// Saving a fit under way, so that a killed process goes on where it was, to the same bits.
pub struct Checkpoints<'a> {
    /// Time between checkpoints; one more is saved at the end of each epoch when this much has passed.
    pub every: Duration,
    /// Keeps the bytes durably; an error ends the fit.
    pub save: &'a mut dyn FnMut(&[u8]) -> Result<()>,
    /// Go on from these bytes. Errors: `Invalid` with field `checkpoint` for bytes that are damaged or of another network,
    /// other settings, samples or threads.
    pub resume: Option<&'a [u8]>,
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
    /// The epoch whose weights were kept, from 1; one more than `epochs` for weights of an epoch stopped half way.
    pub best_epoch: u32,
    /// Training loss per epoch, with dropout, as the weights were moving.
    pub train_loss: Vec<f64>,
    /// Validation loss per epoch; empty without validation samples.
    pub validation_loss: Vec<f64>,
    /// The caller stopped it.
    pub stopped: bool,
}

/// Fits `network` to `train`, watching `validation` (which may have no samples; then nothing stops early).
///
/// The weights returned are the best epoch's if early stopping says `restore_best`, or if the caller stopped it and there
/// are validation samples; else the last. The same seed and machine give the same bits.
/// Errors: `Invalid` for a network, settings or samples that do not check; `Internal` when a loss is not finite (with the epoch).
pub fn fit(
    network: &Network,
    train: Samples<'_>,
    validation: Samples<'_>,
    settings: &FitSettings,
    device: &Device,
    report: &mut dyn FnMut(Step) -> Control,
    checkpoints: Option<Checkpoints<'_>>,
) -> Result<(Model, FitReport)> {
    let training = &settings.training;
    training.check()?;
    let plan = Plan::compile(network, train.steps, train.features)?;
    crate::plan::refuse_new(&plan, network)?;
    check_samples(&plan, &train, &validation)?;
    let mut weights = vec![0.0; plan.weights_len()];
    let mut random = stream(settings.seed, 0);
    for (weight, place) in plan.weights.iter().zip(&plan.places) {
        initial::fill(weight, &mut weights[place.clone()], &mut random);
    }
    let _ = checkpoints;
    let trainer = Trainer::new(&plan, weights, training, device, stream(settings.seed, 2));
    let order = (0..train.len()).collect();
    let batches = train.len().div_ceil(training.batch_size as usize);
    let (rate, progress, watch) = (Rate::new(training, batches), Progress::new(report), Watch::new(training.early_stopping));
    let mut fitting =
        Fitting { trainer, train, validation, training, order, shuffles: stream(settings.seed, 1), rate, progress, watch, step: 0 };
    let (weights, report) = fitting.run()?;
    Ok((Model::new(plan, weights), report))
}

fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    random
}

fn check_samples(plan: &Plan, train: &Samples<'_>, validation: &Samples<'_>) -> Result<()> {
    if train.is_empty() {
        return Err(Error::invalid("train", "there are no samples to fit to"));
    }
    if plan.weights.is_empty() {
        return Err(Error::invalid("network", "it has no weights, so there is nothing to fit"));
    }
    if !validation.is_empty() && (validation.steps, validation.features) != (train.steps, train.features) {
        let shape = |samples: &Samples<'_>| [samples.steps, samples.features];
        let why = format!("its windows have shape {:?}, those of the training samples {:?}", shape(validation), shape(train));
        return Err(Error::invalid("validation", why));
    }
    train.check("train", plan)?;
    validation.check("validation", plan)
}

/// A fit under way.
struct Fitting<'a> {
    trainer: Trainer<'a>,
    train: Samples<'a>,
    validation: Samples<'a>,
    training: &'a Training,
    order: Vec<usize>,
    shuffles: ChaCha8Rng,
    rate: Rate,
    progress: Progress<'a>,
    watch: Watch,
    step: usize,
}

impl Fitting<'_> {
    /// All epochs; the answer is the weights to keep.
    fn run(&mut self) -> Result<(Vec<f32>, FitReport)> {
        let mut report = FitReport { epochs: 0, best_epoch: 1, train_loss: vec![], validation_loss: vec![], stopped: false };
        let watched = !self.validation.is_empty();
        while report.epochs < self.training.epochs {
            let Some(train_loss) = self.epoch(report.epochs + 1)? else {
                report.stopped = true;
                break;
            };
            report.epochs += 1;
            report.train_loss.push(train_loss);
            let mut patience_left = true;
            if watched {
                let loss = self.trainer.evaluate(&self.validation, self.training.batch_size as usize)?;
                if !loss.is_finite() {
                    return Err(diverged(report.epochs, "validation loss"));
                }
                report.validation_loss.push(loss);
                patience_left = self.watch.see(loss, report.epochs, &self.trainer.weights);
            }
            let judged = report.validation_loss.last().copied();
            self.rate.epoch_ended(judged.unwrap_or(train_loss));
            report.stopped = self.progress.epoch_ended(train_loss, judged) == Control::Stop;
            if report.stopped || !patience_left {
                break;
            }
        }
        let half_way = report.stopped && self.progress.within_epoch();
        report.best_epoch = report.epochs + u32::from(half_way);
        let mut weights = std::mem::take(&mut self.trainer.weights);
        if let Some((epoch, best)) = self.watch.best(report.stopped) {
            (report.best_epoch, weights) = (epoch, best);
        }
        Ok((weights, report))
    }

    /// One pass over the shuffled samples; its mean loss, or none when the caller stopped it.
    fn epoch(&mut self, epoch: u32) -> Result<Option<f64>> {
        self.order.shuffle(&mut self.shuffles);
        let (mut sum, mut seen) = (0.0, 0);
        for chosen in self.order.chunks(self.training.batch_size as usize) {
            let loss = self.trainer.step(&self.train, chosen, self.rate.at(self.step))?;
            sum += loss.ok_or_else(|| diverged(epoch, "training loss or its gradient"))? * chosen.len() as f64;
            self.step += 1;
            seen += chosen.len();
            if seen < self.order.len() && self.progress.samples_done(chosen.len(), seen as f64 / self.order.len() as f64) == Control::Stop {
                return Ok(None);
            }
            if seen == self.order.len() {
                self.progress.count(chosen.len());
            }
        }
        Ok(Some(sum / self.order.len() as f64))
    }
}

fn diverged(epoch: u32, what: &str) -> Error {
    let fix = "lower `learning_rate`, set `clip_norm`, or look for outliers in the data";
    Error::Internal(format!("the fit diverged: the {what} is not finite in epoch {epoch}; {fix}"))
}

#[cfg(test)]
mod tests;

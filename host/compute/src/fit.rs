//! The training loop: shuffled batches, loss, backward, clip, step; validation, early stopping and checkpoints per epoch.
//!
//! Two ChaCha8 streams of one seed draw the first weights and the shuffles; dropouts draw from the seed and the step's
//! number. So changing one leaves the others as they were, and a fit that goes on from a checkpoint meets the same numbers.
mod checkpoint;
pub(crate) mod optimizer;
mod progress;
mod schedule;
pub(crate) mod trainer;

use std::time::Duration;

use bellwether_domain::job::Precision;
use bellwether_domain::network::{Network, Training};
use bellwether_domain::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::backend::Backend;
use crate::fit::checkpoint::{Checkpoint, Saver};
use crate::fit::progress::{Progress, Watch};
use crate::fit::schedule::Rate;
use crate::fit::trainer::Trainer;
use crate::plan::Plan;
use crate::{Device, Model, Samples, initial, precision, tensors};

/// Environment for a process that fits, so that candle adds no spinning threads of its own; they slow a fit of this size down.
pub const ENVIRONMENT: [(&str, &str); 2] = [("CANDLE_NUM_THREADS", "1"), ("RAYON_NUM_THREADS", "1")];

/// Most threads of a fit.
const THREADS_MAX: usize = 64;

/// How to fit. See also [`ENVIRONMENT`].
#[derive(Debug, Clone)]
pub struct FitSettings {
    /// Epochs, batch size, optimiser and so on.
    pub training: Training,
    /// Seeds initial weights, shuffles and dropout.
    pub seed: u64,
    /// Threads that share each batch, 1 to 64. The same seed, thread count and processor give the same bits.
    pub threads: usize,
    /// Of the products of matrices while training, forwards and backwards: of dense layers, of attention with its weights, of
    /// convolutions. Everything else has 32 bits: recurrent layers, scores and contexts of attention, weights, optimiser,
    /// validation and the model. See [`crate::precision`].
    pub precision: Precision,
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
    /// Training samples per second in this process so far.
    pub samples_per_second: f64,
    /// Seconds left if every epoch is run at this pace; early stopping makes it less.
    pub remaining_seconds: Option<f64>,
}

/// Saving a fit under way, so that a killed process goes on where it was, to the same bits.
pub struct Checkpoints<'a> {
    /// Least time between checkpoints; looked at after each batch.
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
    /// The epoch in which a loss or a weight was not finite any more; the weights are those of the best epoch before.
    pub diverged: Option<u32>,
}

/// Fits `network` to `train`, watching `validation` (which may have no samples; then nothing stops early).
///
/// The weights returned are the best epoch's if early stopping says `restore_best`, or if the caller stopped it and there
/// are validation samples, or if it diverged; else the last. The same seed, thread count and machine give the same bits.
/// Errors: `Invalid` for a network, settings or samples that do not check, with field `precision` where the processor has no
/// bf16, and with field `network.training` when a loss is not finite in the first epoch already.
pub fn fit(
    network: &Network,
    train: Samples<'_>,
    validation: Samples<'_>,
    settings: &FitSettings,
    device: &Device,
    report: &mut dyn FnMut(Step) -> Control,
    checkpoints: Option<Checkpoints<'_>>,
) -> Result<(Model, FitReport)> {
    precision::check(settings.precision, !matches!(device.0, candle_core::Device::Cpu))?;
    fit_anywhere(network, train, validation, settings, device, report, checkpoints)
}

/// [`fit`] on whatever processor; one without bf16 computes the same numbers, but slowly.
fn fit_anywhere(
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
    if !(1..=THREADS_MAX).contains(&settings.threads) {
        return Err(Error::invalid("threads", format!("{} is not possible; use 1 to {THREADS_MAX}", settings.threads)));
    }
    let plan = Plan::compile(network, train.steps, train.features)?;
    check_samples(&plan, &train, &validation)?;
    let mut weights = vec![0.0; plan.weights_len()];
    let mut random = stream(settings.seed, 0);
    for (weight, place) in plan.weights.iter().zip(&plan.places) {
        initial::fill(weight, &mut weights[place.clone()], &mut random);
    }
    let trainer: Box<dyn Backend> = match device.0 {
        candle_core::Device::Cpu => Box::new(Trainer::new(&plan, weights, training, settings.threads, settings.seed, settings.precision)?),
        candle_core::Device::Cuda(_) | candle_core::Device::Metal(_) => {
            Box::new(tensors::trainer::Trainer::new(&plan, &weights, training, &device.0, settings.seed)?)
        }
    };
    let batches = train.len().div_ceil(training.batch_size as usize);
    let mut fitting = Fitting {
        trainer,
        train,
        validation,
        training,
        order: (0..train.len()).collect(),
        shuffles: stream(settings.seed, 1),
        rate: Rate::new(training, batches),
        progress: Progress::new(report, training.epochs, train.len(), batches),
        watch: Watch::new(training.early_stopping),
        saver: None,
        at: Place::default(),
        report: FitReport { epochs: 0, best_epoch: 1, train_loss: vec![], validation_loss: vec![], stopped: false, diverged: None },
    };
    if let Some(Checkpoints { every, save, resume }) = checkpoints {
        let saver = Saver::new(every, save, checkpoint::fingerprint(network, settings, &train, &validation)?);
        if let Some(bytes) = resume {
            let checkpoint = Checkpoint::read(bytes, &saver.fingerprint, fitting.watch.clone())?;
            fitting.resume(checkpoint)?;
        }
        fitting.saver = Some(saver);
    }
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
    if let Some((output, _)) = plan.outputs.iter().zip(&plan.heads).find(|(_, head)| !plan.steps[**head].learns) {
        let why = format!("no weight acts on output `{}`, so there is nothing to fit: put a layer with weights before it", output.name);
        return Err(Error::invalid("network.outputs", why));
    }
    if !validation.is_empty() && (validation.steps, validation.features) != (train.steps, train.features) {
        let shape = |samples: &Samples<'_>| [samples.steps, samples.features];
        let why = format!("its windows have shape {:?}, those of the training samples {:?}", shape(validation), shape(train));
        return Err(Error::invalid("validation", why));
    }
    train.check("train", plan)?;
    validation.check("validation", plan)
}

/// Where in the training the loop is.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Place {
    /// Steps made.
    step: u64,
    /// Samples of the current epoch seen; 0 between epochs.
    seen: usize,
    /// Sum of their losses.
    sum: f64,
}

/// A fit under way.
struct Fitting<'a> {
    trainer: Box<dyn Backend + 'a>,
    train: Samples<'a>,
    validation: Samples<'a>,
    training: &'a Training,
    order: Vec<usize>,
    shuffles: ChaCha8Rng,
    rate: Rate,
    progress: Progress<'a>,
    watch: Watch,
    saver: Option<Saver<'a>>,
    at: Place,
    report: FitReport,
}

/// How an epoch ended.
enum Epoch {
    Done(f64),
    Stopped,
    Diverged(&'static str),
}

impl Fitting<'_> {
    /// All epochs; the answer is the weights to keep.
    fn run(mut self) -> Result<(Vec<f32>, FitReport)> {
        while self.report.epochs < self.training.epochs {
            let train_loss = match self.epoch()? {
                Epoch::Done(loss) => loss,
                Epoch::Stopped => {
                    self.report.stopped = true;
                    break;
                }
                Epoch::Diverged(what) => {
                    self.diverged(what)?;
                    break;
                }
            };
            let loss = if self.validation.is_empty() { train_loss } else { self.trainer.evaluate(&self.validation)? };
            if !loss.is_finite() {
                self.diverged("the validation loss")?;
                break;
            }
            // A weight no loss depends on may have gone alone.
            let Some(weights) = self.weights()? else {
                self.diverged("a weight")?;
                break;
            };
            if !self.epoch_ended(train_loss, loss, weights)? {
                break;
            }
        }
        let half_way = self.report.stopped && self.at.seen > 0;
        let last = self.weights()?;
        if last.is_none() && self.report.diverged.is_none() {
            self.diverged("a weight")?;
        }
        self.report.best_epoch = self.report.epochs + u32::from(half_way);
        let best = self.report.diverged.is_some()
            || (!self.validation.is_empty() && (self.report.stopped || self.training.early_stopping.is_some_and(|rule| rule.restore_best)));
        if let Some((epoch, weights)) = self.watch.into_best().filter(|_| best) {
            self.report.best_epoch = epoch;
            return Ok((weights, self.report));
        }
        let last = last.ok_or_else(|| Error::internal("a fit that diverged had no epoch before"))?;
        Ok((last, self.report))
    }

    /// The weights as they are now; none when one of them is not finite.
    fn weights(&self) -> Result<Option<Vec<f32>>> {
        Ok(Some(self.trainer.weights()?).filter(|weights| weights.iter().all(|weight| weight.is_finite())))
    }

    /// One pass over the shuffled samples, or the rest of one that a checkpoint had begun.
    fn epoch(&mut self) -> Result<Epoch> {
        if self.at.seen == 0 {
            self.order.shuffle(&mut self.shuffles);
        }
        let count = self.order.len();
        while self.at.seen < count {
            let last = (self.at.seen + self.training.batch_size as usize).min(count);
            let chosen = &self.order[self.at.seen..last];
            let loss = self.trainer.step(&self.train, chosen, self.rate.at(self.at.step), self.at.step)?;
            let Some(loss) = loss else { return Ok(Epoch::Diverged("the training loss or its gradient")) };
            self.at = Place { step: self.at.step + 1, seen: last, sum: self.at.sum + loss * chosen.len() as f64 };
            if last < count {
                let running = self.at.sum / last as f64;
                if self.progress.batch_done(chosen.len(), last as f64 / count as f64, running) == Control::Stop {
                    return Ok(Epoch::Stopped);
                }
                self.save()?;
            } else {
                self.progress.count(chosen.len());
            }
        }
        Ok(Epoch::Done(self.at.sum / count as f64))
    }

    /// Notes the losses of a whole epoch and tells them; `loss` is the one it is judged by, `weights` are those after it. False:
    /// stop here.
    fn epoch_ended(&mut self, train_loss: f64, loss: f64, weights: Vec<f32>) -> Result<bool> {
        let validated = (!self.validation.is_empty()).then_some(loss);
        self.report.epochs += 1;
        self.report.train_loss.push(train_loss);
        self.report.validation_loss.extend(validated);
        let patient = self.watch.see(loss, self.report.epochs, weights) || validated.is_none();
        self.rate.epoch_ended(loss);
        (self.at.seen, self.at.sum) = (0, 0.0);
        self.report.stopped = self.progress.epoch_ended(train_loss, validated) == Control::Stop;
        let more = patient && !self.report.stopped;
        if more {
            self.save()?;
        }
        Ok(more)
    }

    /// Ends well where an epoch before was good, else with an error.
    fn diverged(&mut self, what: &str) -> Result<()> {
        let epoch = self.report.epochs + 1;
        if self.report.epochs == 0 {
            let fix = "lower `learning_rate`, set `clip_norm`, or look for outliers in the data";
            return Err(Error::invalid("network.training", format!("the fit diverged: {what} is not finite in epoch {epoch}; {fix}")));
        }
        self.report.diverged = Some(epoch);
        Ok(())
    }

    /// Saves a checkpoint if it is time.
    fn save(&mut self) -> Result<()> {
        if !self.saver.as_ref().is_some_and(Saver::is_due) {
            return Ok(());
        }
        let checkpoint = Checkpoint {
            at: self.at,
            order: self.order.clone(),
            shuffles: self.shuffles.get_word_pos(),
            rate: self.rate.state(),
            watch: self.watch.clone(),
            report: self.report.clone(),
            state: self.trainer.state()?,
        };
        self.saver.as_mut().map_or(Ok(()), |saver| saver.save(&checkpoint))
    }

    /// Takes up where a checkpoint was made.
    fn resume(&mut self, checkpoint: Checkpoint) -> Result<()> {
        let now = self.trainer.state()?;
        checkpoint.check(self.train.len(), now.weights.len(), now.moments.len())?;
        let Checkpoint { at, order, shuffles, rate, watch, report, state } = checkpoint;
        (self.at, self.order, self.watch, self.report) = (at, order, watch, report);
        self.shuffles.set_word_pos(shuffles);
        self.rate.restore(rate);
        let batch = self.at.seen.div_ceil(self.training.batch_size as usize);
        self.progress.resume(self.report.epochs, self.at.seen, u32::try_from(batch).unwrap_or(u32::MAX));
        self.trainer.restore(state)
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod torch;

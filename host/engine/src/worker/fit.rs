//! Fitting one model: a network in this process, or a guest through its plugin, with progress and a way to stop.
//!
//! Fitting runs beside the task that speaks: steps come over a channel, the word to stop goes back in a flag. Rows that
//! no window reads (warm-up, behind gaps) are handed over as 0, for the core wants finite numbers; a part is handed only
//! the rows up to its own last window.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_compute::{Control, Device, FitReport, FitSettings, Samples, Step};
use bellwether_domain::model::Body;
use bellwether_domain::network::{Network, Training};
use bellwether_domain::scaler::Scaler;
use bellwether_domain::{Error, Result};
use bellwether_plugin::{GuestProgress, Windows};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::dataset::Dataset;
use crate::worker::Order;
use crate::worker::checkpoint::Slots;
use crate::worker::division::Division;
use crate::worker::recipe::{Learner, Single};
use crate::worker::turns::Turn;
use crate::worker::voice::Voice;

/// What a fit is made with.
pub(crate) struct Bench<'a> {
    pub(crate) order: &'a Order,
    pub(crate) dataset: &'a Dataset,
    pub(crate) division: &'a Division,
    pub(crate) slots: &'a Slots,
}

/// A fitted model: what the artifact says of its body, the body, and the standardisation of the inputs it read.
pub(crate) struct Made {
    pub(crate) body: Body,
    pub(crate) bytes: Vec<u8>,
    pub(crate) scaler: Scaler,
}

/// Fits one model to the training samples of a division.
pub(crate) async fn fit(bench: &Bench<'_>, learner: &Learner, turn: &Turn, voice: &mut Voice<'_>) -> Result<Made> {
    let mut scaler = bench.division.scaler.at(&learner.columns);
    match &learner.plan {
        Single::Network { network, embedded } => {
            // What an embedding looks up must stay a whole number.
            for place in (0..embedded.len()).filter(|place| embedded[*place]) {
                (scaler.mean[place], scaler.standard_deviation[place]) = (0.0, 1.0);
            }
            let bytes = fit_network(network, bench, learner, &scaler, turn, voice).await?;
            Ok(Made { body: Body::Network { network: (**network).clone() }, bytes, scaler })
        }
        Single::Guest { scaled } => {
            let bytes = fit_guest(scaled.then_some(&scaler), bench, learner, turn, voice).await?;
            Ok(Made { body: Body::Guest { plugin: learner.stamp.clone(), scaled: *scaled }, bytes, scaler })
        }
    }
}

/// Row-major [row, feature] of the learner's columns up to `rows`, scaled if there is a scaler.
fn matrix<'a>(dataset: &'a Dataset, columns: &'a [usize], rows: usize, scaler: Option<&'a Scaler>) -> impl Iterator<Item = f64> + 'a {
    (0..rows).flat_map(move |row| {
        columns.iter().enumerate().map(move |(place, column)| match dataset.columns[*column][row] {
            value if !value.is_finite() => 0.0,
            value => scaler.map_or(value, |scaler| scaler.scale(place, value)),
        })
    })
}

/// Rows that some samples may see.
fn rows_until(dataset: &Dataset, samples: &[usize]) -> usize {
    samples.last().map_or(0, |last| dataset.ends[*last] + 1)
}

/// Samples of one part, for the core.
struct Part {
    ends: Vec<usize>,
    targets: Vec<f32>,
    weights: Option<Vec<f32>>,
}

impl Part {
    fn of(bench: &Bench<'_>, samples: &[usize], weights: Option<Vec<f32>>) -> Part {
        let (dataset, scaler) = (bench.dataset, &bench.division.target_scaler);
        Part {
            ends: samples.iter().map(|place| dataset.ends[*place]).collect(),
            targets: samples.iter().map(|place| scaler.scale(0, dataset.targets[*place]) as f32).collect(),
            weights,
        }
    }

    fn samples<'a>(&'a self, rows: &'a [f32], features: usize, steps: usize) -> Samples<'a> {
        Samples { rows, features, steps, ends: &self.ends, targets: &self.targets, weights: self.weights.as_deref() }
    }
}

async fn fit_network(
    network: &Network,
    bench: &Bench<'_>,
    learner: &Learner,
    scaler: &Scaler,
    turn: &Turn,
    voice: &mut Voice<'_>,
) -> Result<Vec<u8>> {
    let Bench { order, dataset, division, slots } = bench;
    let (steps, features) = (learner.steps as usize, learner.columns.len());
    let training = fitting_batch(network.training, division.train.len(), voice)?;
    let estimate = bellwether_compute::estimate(network, steps, features, training.batch_size as usize, 1, order.precision)?;
    let mebibytes = estimate.memory_bytes as f64 / f64::from(1 << 20);
    let batch = training.batch_size;
    voice.log(format!("{} parameters, about {mebibytes:.1} MiB while training in batches of {batch}", estimate.parameters))?;
    if let Some(warning) = bellwether_compute::precision::warning(order.precision) {
        voice.log(warning)?;
    }
    let device = Device::named(&order.device)?;
    let settings = FitSettings { training, seed: learner.seed, threads: order.threads as usize, precision: order.precision };

    let until = rows_until(dataset, &division.train).max(rows_until(dataset, &division.validation));
    let rows: Vec<f32> = matrix(dataset, &learner.columns, until, Some(scaler)).map(|value| value as f32).collect();
    let train = Part::of(bench, &division.train, division.weights.clone());
    let validation = Part::of(bench, &division.validation, None);

    let (send, receive) = unbounded_channel();
    let stop = Arc::new(AtomicBool::new(false));
    let (network, wanted) = (network.clone(), stop.clone());
    let decides = (learner.seed, learner.steps, &learner.columns, &division.train, &division.validation);
    let mut slot = slots.slot(&turn.slot, &network, &decides, voice)?;
    voice.fit_begins(turn.number, turn.of, turn.name.as_deref(), training.epochs)?;
    let fitting = tokio::task::spawn_blocking(move || {
        let mut report = |step: Step| {
            let heard = send.send(step).is_ok() && !wanted.load(Ordering::Relaxed);
            if heard { Control::Continue } else { Control::Stop }
        };
        let (train, validation) = (train.samples(&rows, features, steps), validation.samples(&rows, features, steps));
        let fitted = slot.fit(&network, train, validation, &settings, &device, &mut report)?;
        Ok::<_, Error>((fitted, slot.notes()))
    });
    let heard = follow(receive, voice).await;
    stop.store(heard.is_err(), Ordering::Relaxed);
    let fitted = fitting.await.map_err(Error::internal)?;
    heard?;
    let (fitted, notes) = fitted?;
    notes.into_iter().try_for_each(|note| voice.log(note))?;
    voice.log(summary(&fitted.report))?;
    Ok(fitted.weights)
}

/// A batch no larger than the training part.
fn fitting_batch(training: Training, samples: usize, voice: &mut Voice<'_>) -> Result<Training> {
    let most = u32::try_from(samples).unwrap_or(u32::MAX).max(1);
    if training.batch_size <= most {
        return Ok(training);
    }
    voice.log(format!("there are {samples} training samples: one batch of {most} instead of {}", training.batch_size))?;
    Ok(Training { batch_size: most, ..training })
}

/// Passes steps on until the fit is over or nobody listens any more.
async fn follow(mut steps: UnboundedReceiver<Step>, voice: &mut Voice<'_>) -> Result<()> {
    while let Some(step) = steps.recv().await {
        voice.step(&step)?;
    }
    Ok(())
}

fn summary(report: &FitReport) -> String {
    let kept = report.best_epoch.checked_sub(1).and_then(|place| report.validation_loss.get(place as usize));
    let loss = kept.map(|loss| format!(" with validation loss {loss:.6}")).unwrap_or_default();
    format!("{} epochs; kept the weights of epoch {}{loss}", report.epochs, report.best_epoch)
}

async fn fit_guest(scaler: Option<&Scaler>, bench: &Bench<'_>, learner: &Learner, turn: &Turn, voice: &mut Voice<'_>) -> Result<Vec<u8>> {
    let (dataset, division) = (bench.dataset, bench.division);
    let names: Arc<[String]> = learner.features.iter().map(ToString::to_string).collect();
    let part = |samples: &[usize]| Windows {
        features: names.clone(),
        steps: learner.steps,
        rows: matrix(dataset, &learner.columns, rows_until(dataset, samples), scaler).collect(),
        ends: samples.iter().map(|place| dataset.ends[*place]).collect(),
        targets: samples.iter().map(|place| dataset.targets[*place]).collect(),
    };
    let (send, mut receive) = unbounded_channel();
    let stop = Arc::new(AtomicBool::new(false));
    let wanted = stop.clone();
    let progress: GuestProgress = Box::new(move |done, total, train_loss, validation_loss| {
        send.send((done, total, train_loss, validation_loss)).is_ok() && !wanted.load(Ordering::Relaxed)
    });
    voice.fit_begins(turn.number, turn.of, turn.name.as_deref(), 0)?;
    let fitting = learner.plugin.fit(&learner.config, part(&division.train), part(&division.validation), learner.seed, progress);
    tokio::pin!(fitting);
    let mut heard = Ok(());
    let state = loop {
        tokio::select! {
            Some((done, total, train_loss, validation_loss)) = receive.recv(), if heard.is_ok() => {
                heard = voice.guest_step(done, total, train_loss, validation_loss);
                stop.store(heard.is_err(), Ordering::Relaxed);
            }
            state = &mut fitting => break state,
        }
    };
    heard?;
    let state = state?;
    voice.log(format!("fitted; its state has {} bytes", state.len()))?;
    Ok(state)
}

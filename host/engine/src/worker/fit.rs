//! Fitting: a network in this process, or a guest through its plugin, with progress and a way to stop.
//!
//! Fitting runs beside the task that speaks: steps come over a channel, the word to stop goes back in a flag. Rows that
//! no window reads (warm-up, behind gaps) are handed over as 0, for the core wants finite numbers; a part is handed only
//! the rows up to its own last window.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_compute::{Control, Device, FitReport, FitSettings, Samples, Step};
use bellwether_domain::job::Stage;
use bellwether_domain::model::Body;
use bellwether_domain::network::Network;
use bellwether_domain::{Error, Result};
use bellwether_plugin::{GuestProgress, Plan, Windows};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::dataset::Dataset;
use crate::worker::Order;
use crate::worker::recipe::Recipe;
use crate::worker::voice::Voice;

/// Fits what the recipe plans. Returns what the artifact says of its body, and the body.
pub(crate) async fn fit(order: &Order, recipe: &Recipe, dataset: &Dataset, voice: &mut Voice<'_>) -> Result<(Body, Vec<u8>)> {
    match &recipe.plan {
        Plan::Network(network) => {
            let weights = fit_network(network, order, recipe, dataset, voice).await?;
            Ok((Body::Network { network: network.clone() }, weights))
        }
        Plan::Guest { scaled, .. } => {
            let state = fit_guest(*scaled, order, recipe, dataset, voice).await?;
            Ok((Body::Guest { plugin: recipe.stamp.clone(), scaled: *scaled }, state))
        }
        Plan::Members(..) => Err(Error::invalid("model_type", "an ensemble cannot be fitted here")),
    }
}

/// Row-major [row, feature] up to `rows`, scaled if asked.
fn matrix(dataset: &Dataset, rows: usize, scaled: bool) -> impl Iterator<Item = f64> + '_ {
    (0..rows).flat_map(move |row| {
        dataset.columns.iter().enumerate().map(move |(place, column)| match column[row] {
            value if !value.is_finite() => 0.0,
            value if scaled => dataset.scaler.scale(place, value),
            value => value,
        })
    })
}

/// Rows that a part of the samples may see.
fn rows_until(dataset: &Dataset, part: &std::ops::Range<usize>) -> usize {
    if part.is_empty() { 0 } else { dataset.ends[part.end - 1] + 1 }
}

async fn fit_network(network: &Network, order: &Order, recipe: &Recipe, dataset: &Dataset, voice: &mut Voice<'_>) -> Result<Vec<u8>> {
    let (steps, features, training) = (recipe.steps as usize, recipe.features.len(), network.training);
    let estimate = bellwether_compute::estimate(network, steps, features, training.batch_size as usize)?;
    let mebibytes = estimate.memory_bytes as f64 / f64::from(1 << 20);
    let batch = training.batch_size;
    voice.log(format!("{} parameters, about {mebibytes:.1} MiB while training in batches of {batch}", estimate.parameters))?;
    let device = Device::named(&order.device)?;
    let settings = FitSettings { training, seed: order.request.seed, threads: 1 };

    let (train, validation) = (dataset.split.train.clone(), dataset.split.validation.clone());
    let until = rows_until(dataset, &train).max(rows_until(dataset, &validation));
    let rows: Vec<f32> = matrix(dataset, until, true).map(|value| value as f32).collect();
    let ends = dataset.ends[..validation.end].to_vec();
    let targets: Vec<f32> = dataset.targets[..validation.end].iter().map(|target| dataset.target_scaler.scale(0, *target) as f32).collect();

    let (send, receive) = unbounded_channel();
    let stop = Arc::new(AtomicBool::new(false));
    let (network, wanted) = (network.clone(), stop.clone());
    let fitting = tokio::task::spawn_blocking(move || {
        let part = |samples: std::ops::Range<usize>| Samples {
            rows: &rows,
            features,
            steps,
            ends: &ends[samples.clone()],
            targets: &targets[samples],
            weights: None,
        };
        let mut report = |step: Step| {
            let heard = send.send(step).is_ok() && !wanted.load(Ordering::Relaxed);
            if heard { Control::Continue } else { Control::Stop }
        };
        let (model, report) = bellwether_compute::fit(&network, part(train), part(validation), &settings, &device, &mut report, None)?;
        Ok::<_, Error>((model.weights()?, report))
    });
    let heard = follow(receive, training.epochs, voice).await;
    stop.store(heard.is_err(), Ordering::Relaxed);
    let fitted = fitting.await.map_err(Error::internal)?;
    heard?;
    let (weights, report) = fitted?;
    voice.log(summary(&report))?;
    Ok(weights)
}

/// Passes steps on until the fit is over or nobody listens any more.
async fn follow(mut steps: UnboundedReceiver<Step>, epochs: u32, voice: &mut Voice<'_>) -> Result<()> {
    voice.progress(|progress| (progress.stage, progress.epochs) = (Stage::Fitting, epochs))?;
    let mut told = 0;
    while let Some(step) = steps.recv().await {
        voice.progress(|progress| {
            progress.epoch = step.epoch;
            progress.epoch_share = step.epoch_share;
            progress.train_loss = step.train_loss;
            progress.validation_loss = step.validation_loss;
            progress.samples_per_second = Some(step.samples_per_second);
            let losses = [progress.best_loss, step.validation_loss];
            progress.best_loss = losses.into_iter().flatten().min_by(f64::total_cmp);
        })?;
        if step.epoch > told {
            told = step.epoch;
            let loss = |name: &str, loss: Option<f64>| loss.map(|loss| format!(", {name} loss {loss:.6}")).unwrap_or_default();
            let losses = loss("training", step.train_loss) + &loss("validation", step.validation_loss);
            voice.log(format!("epoch {told} of {epochs}{losses}, {:.0} samples/s", step.samples_per_second))?;
        }
    }
    Ok(())
}

fn summary(report: &FitReport) -> String {
    let kept = report.best_epoch.checked_sub(1).and_then(|place| report.validation_loss.get(place as usize));
    let loss = kept.map(|loss| format!(" with validation loss {loss:.6}")).unwrap_or_default();
    format!("{} epochs; kept the weights of epoch {}{loss}", report.epochs, report.best_epoch)
}

async fn fit_guest(scaled: bool, order: &Order, recipe: &Recipe, dataset: &Dataset, voice: &mut Voice<'_>) -> Result<Vec<u8>> {
    let names: Arc<[String]> = recipe.features.iter().map(ToString::to_string).collect();
    let part = |samples: std::ops::Range<usize>| Windows {
        features: names.clone(),
        steps: recipe.steps,
        rows: matrix(dataset, rows_until(dataset, &samples), scaled).collect(),
        ends: dataset.ends[samples.clone()].into(),
        targets: dataset.targets[samples].into(),
    };
    let (send, mut receive) = unbounded_channel();
    let stop = Arc::new(AtomicBool::new(false));
    let wanted = stop.clone();
    let progress: GuestProgress = Box::new(move |done, total, train_loss, validation_loss| {
        send.send((done, total, train_loss, validation_loss)).is_ok() && !wanted.load(Ordering::Relaxed)
    });
    voice.stage(Stage::Fitting)?;
    let (train, validation) = (part(dataset.split.train.clone()), part(dataset.split.validation.clone()));
    let fitting = recipe.plugin.fit(&recipe.config, train, validation, order.request.seed, progress);
    tokio::pin!(fitting);
    let mut heard = Ok(());
    let state = loop {
        tokio::select! {
            Some((done, total, train_loss, validation_loss)) = receive.recv(), if heard.is_ok() => {
                heard = voice.progress(|progress| {
                    (progress.epoch, progress.epochs) = (done, total);
                    progress.train_loss = Some(train_loss).filter(|loss| loss.is_finite());
                    progress.validation_loss = Some(validation_loss).filter(|loss| loss.is_finite());
                });
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

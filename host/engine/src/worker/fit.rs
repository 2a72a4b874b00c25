//! Fitting: a network in this process, or a guest through its plugin, with progress and a way to stop.
//!
//! Fitting runs beside the task that speaks: steps come over a channel, the word to stop goes back in a flag. Rows that
//! no window reads (warm-up, behind gaps) are handed over as 0, for the core wants finite numbers; a part is handed only
//! the rows up to its own last window.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_compute::{Control, Device, FitReport, FitSettings, Samples, Step};
use bellwether_domain::model::Body;
use bellwether_domain::network::Network;
use bellwether_domain::{Error, Result};
use bellwether_plugin::{GuestProgress, Plan, Windows};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::dataset::Dataset;
use crate::worker::Order;
use crate::worker::checkpoint::Slots;
use crate::worker::recipe::Recipe;
use crate::worker::voice::Voice;

/// Fits what the recipe plans. Returns what the artifact says of its body, and the body.
pub(crate) async fn fit(
    order: &Order,
    recipe: &Recipe,
    dataset: &Dataset,
    slots: &Slots,
    voice: &mut Voice<'_>,
) -> Result<(Body, Vec<u8>)> {
    match &recipe.plan {
        Plan::Network(network) => {
            let weights = fit_network(network, order, recipe, dataset, slots, voice).await?;
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

async fn fit_network(
    network: &Network,
    order: &Order,
    recipe: &Recipe,
    dataset: &Dataset,
    slots: &Slots,
    voice: &mut Voice<'_>,
) -> Result<Vec<u8>> {
    let (steps, features, training) = (recipe.steps as usize, recipe.features.len(), network.training);
    let estimate = bellwether_compute::estimate(network, steps, features, training.batch_size as usize)?;
    let mebibytes = estimate.memory_bytes as f64 / f64::from(1 << 20);
    let batch = training.batch_size;
    voice.log(format!("{} parameters, about {mebibytes:.1} MiB while training in batches of {batch}", estimate.parameters))?;
    let device = Device::named(&order.device)?;
    let settings = FitSettings { training, seed: order.request.seed, threads: order.threads as usize };

    let (train, validation) = (dataset.split.train.clone(), dataset.split.validation.clone());
    let until = rows_until(dataset, &train).max(rows_until(dataset, &validation));
    let rows: Vec<f32> = matrix(dataset, until, true).map(|value| value as f32).collect();
    let ends = dataset.ends[..validation.end].to_vec();
    let targets: Vec<f32> = dataset.targets[..validation.end].iter().map(|target| dataset.target_scaler.scale(0, *target) as f32).collect();

    voice.fit_begins(0, 0, None, training.epochs)?;
    let mut slot = slots.slot("fit", network, &(), voice)?;
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
        let fitted = slot.fit(&network, part(train), part(validation), &settings, &device, &mut report)?;
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
    voice.fit_begins(0, 0, None, 0)?;
    let (train, validation) = (part(dataset.split.train.clone()), part(dataset.split.validation.clone()));
    let fitting = recipe.plugin.fit(&recipe.config, train, validation, order.request.seed, progress);
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

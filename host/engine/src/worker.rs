//! The training worker: the child process behind `bellwether train-worker`. Reads one order, streams events, writes one artifact.
//!
//! It opens no record store and registers nothing: a worker that dies leaves a file nobody knows. It judges with the very
//! `Predictor` that will serve, loaded from the artifact it is about to write.

use std::path::PathBuf;

use bellwether_domain::bars::Bars;
use bellwether_domain::job::{EpochLoss, Precision, Progress, Stage, TrainingEstimate, TrainingRequest};
use bellwether_domain::metrics::ModelMetrics;
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};
use bellwether_plugin::{Bundled, PluginHost, PluginsConfig};
use bellwether_store::BarStore;
use serde::{Deserialize, Serialize};

use crate::artifact;
use crate::columns::{self, Reuse};
use crate::dataset;
use crate::predictor::Predictor;
use crate::worker::checkpoint::Slots;
use crate::worker::division::Division;
use crate::worker::recipe::Recipe;
use crate::worker::turns::Turns;
use crate::worker::version::Work;
use crate::worker::voice::Voice;

mod baselines;
mod categorical;
mod checkpoint;
mod combine;
mod division;
mod fit;
mod folds;
mod heldout;
mod output;
mod recipe;
mod turns;
mod version;
mod voice;

pub use crate::columns::ColumnPlace;
pub use checkpoint::CheckpointPlace;
pub(crate) use recipe::of_member;

/// What a worker is to do; one JSON document on its standard input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The job.
    pub job_id: String,
    /// What to train.
    pub request: TrainingRequest,
    /// Folder of the bar store.
    pub bars: PathBuf,
    /// Where the artifact goes; written whole or not at all.
    pub output: PathBuf,
    /// Folder of compiled components.
    pub plugin_cache: PathBuf,
    /// The operator's plugin settings.
    pub plugins: PluginsConfig,
    /// Drift tests whose baselines go into the artifact.
    pub drift_tests: Vec<String>,
    /// Least bars.
    pub min_data_points: u64,
    /// Where to compute.
    pub device: String,
    /// Of the products of matrices while training.
    pub precision: Precision,
    /// Threads that share each batch; part of what decides the bits.
    pub threads: u32,
    /// What it is expected to take, for the log.
    pub estimate: Option<TrainingEstimate>,
    /// Where fits under way are saved; none: nowhere.
    pub checkpoints: Option<CheckpointPlace>,
    /// Where computed feature columns are kept; none: nowhere.
    pub columns: Option<ColumnPlace>,
}

/// What a worker says; one JSON document per line on its standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// Where it is.
    Progress(Progress),
    /// The losses of an epoch that ended.
    Epoch(EpochLoss),
    /// A line for the job's log.
    Log {
        /// The line.
        message: String,
    },
    /// The artifact is written.
    Done {
        /// Its SHA-256, in hex.
        digest: String,
        /// Its size.
        bytes: u64,
        /// Metrics on the held-out part.
        metrics: Box<ModelMetrics>,
    },
    /// It ended with an error.
    Failed {
        /// `Error::code`.
        code: String,
        /// The field, if the input was wrong.
        field: Option<String>,
        /// For a person.
        message: String,
    },
}

/// Carries out an order. `emit` must not block for long; after it returns false the worker stops soon (cancelled).
/// The last event is `Done` or `Failed`; an error is both emitted as `Failed` and returned.
pub async fn perform(order: Order, bundled: &[Bundled], emit: &mut (dyn FnMut(Event) -> bool + Send)) -> Result<()> {
    let mut voice = Voice::new(emit);
    match train(&order, bundled, &mut voice).await {
        Ok(done) => {
            voice.last(done);
            Ok(())
        }
        Err(error) => {
            let field = if let Error::Invalid { field, .. } = &error { Some(field.clone()) } else { None };
            voice.last(Event::Failed { code: error.code().to_owned(), field, message: error.to_string() });
            Err(error)
        }
    }
}

async fn train(order: &Order, bundled: &[Bundled], voice: &mut Voice<'_>) -> Result<Event> {
    let request = &order.request;
    voice.stage(Stage::Preparing)?;
    check(request)?;
    let bars = read_bars(order, voice).await?;
    let only = std::iter::once(&request.model_type).chain(&order.drift_tests).cloned().collect();
    let plugins = open_plugins(order, bundled, only).await?;
    let tests = baselines::find(&plugins, &order.drift_tests).await?;
    let recipe = Recipe::make(order, bundled, &plugins, voice).await?;
    let digest = bellwether_store::bars::digest(&bars);
    let columns = make_columns(order, &recipe, &bars, &digest, voice)?;
    let (interval, target) = (request.interval, request.target);
    let dataset =
        dataset::build_on(columns, &bars, interval, &recipe.features, recipe.steps, target, &request.split, recipe.least_samples)?;
    let division = Division::whole(&dataset, &bars, recipe.steps, request)?;
    let [train, validation, test] = division.counts();
    voice.log(format!("{train} samples to train on, {validation} to validate by, {test} to judge by"))?;

    if let Some(estimate) = &order.estimate {
        voice.log(estimate.in_words(order.threads))?;
    }
    let slots = Slots::open(order, &digest, &recipe.stamps())?;
    let work = Work { order, recipe: &recipe, dataset: &dataset, bars: &bars, data_digest: &digest, slots: &slots };
    let mut turns = Turns::new(request.split.scheme.folds(), recipe.learners.len());
    let cross_validation = folds::validate(&work, &mut turns, voice).await?;
    let mut artifact = version::make(&work, &division, None, &mut turns, voice).await?;
    artifact.spec.cross_validation = cross_validation;
    voice.stage(Stage::Evaluating)?;
    let predictor = Predictor::load(artifact.clone(), &recipe.plugins)?;
    let metrics = heldout::judge(&predictor, &work, &division, "held out", voice).await?;
    drop(predictor);
    artifact.spec.metrics = metrics.clone();
    baselines::make(&tests, &recipe, &dataset, &mut artifact, voice).await?;

    voice.stage(Stage::Registering)?;
    let bytes = artifact.pack()?;
    output::write_whole("the artifact", &order.output, &bytes)?;
    recipe.plugins.close().await;
    plugins.close().await;
    Ok(Event::Done { digest: artifact::digest(&bytes), bytes: bytes.len() as u64, metrics: Box::new(metrics) })
}

fn check(request: &TrainingRequest) -> Result<()> {
    request.target.check()?;
    request.split.check()?;
    request.sample_weights.check()?;
    if request.cost_bps.is_finite() && request.cost_bps >= 0.0 {
        Ok(())
    } else {
        Err(Error::invalid("cost_bps", format!("is {}; it must be 0 or more", request.cost_bps)))
    }
}

async fn read_bars(order: &Order, voice: &mut Voice<'_>) -> Result<Bars> {
    let request = &order.request;
    let bars = BarStore::open(&order.bars)?.read(&request.symbol, request.interval, request.from, request.until).await?;
    let (has, least) = (bars.len() as u64, order.min_data_points.max(2));
    if has < least {
        let why =
            format!("{} {} has {has} bars in this period; at least {least} are needed (min_data_points)", request.symbol, request.interval);
        return Err(Error::invalid("data", why));
    }
    let gaps = bars.gaps(request.interval);
    let missing: u64 = gaps.iter().map(|gap| gap.missing).sum();
    let (first, last) = (Timestamp(bars.timestamp[0]), Timestamp(bars.timestamp[bars.len() - 1]));
    voice.log(format!("{has} bars of {} from {first} to {last}, {} holes with {missing} bars missing", request.symbol, gaps.len()))?;
    Ok(bars)
}

fn make_columns(order: &Order, recipe: &Recipe, bars: &Bars, digest: &str, voice: &mut Voice<'_>) -> Result<Vec<Vec<f64>>> {
    let (columns, reuse) = columns::columns(order.columns.as_ref(), digest, bars, order.request.interval, &recipe.features);
    let Reuse { read, computed, damaged, kept } = reuse;
    if read + damaged + kept > 0 {
        let damaged = if damaged > 0 { format!(" ({damaged} of them because what was kept is damaged)") } else { String::new() };
        voice.log(format!("feature columns: {read} read from the cache, {computed} computed{damaged}, {kept} of those kept"))?;
    }
    Ok(columns)
}

/// A host of the named plugins, or of all when none is named.
async fn open_plugins(order: &Order, bundled: &[Bundled], only: Vec<String>) -> Result<PluginHost> {
    PluginHost::open(PluginsConfig { only, cache: order.plugin_cache.clone(), ..order.plugins.clone() }, bundled).await
}

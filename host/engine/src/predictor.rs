//! A version ready to answer: windows of raw features, or raw bars, in; numbers in the target's unit out.
//!
//! Training judges with the same code that serves, so that what was measured is what is served. What a network or guest
//! says passes through the same steps either way: back from the target's scale (networks), a probability from a logit
//! (networks for `direction`), a price from a log ratio (`price`, of networks and guests alike).

use std::sync::Arc;

use bellwether_compute::{Device, Model};
use bellwether_domain::bars::Bars;
use bellwether_domain::error::PluginFault;
use bellwether_domain::model::{Body, ModelSpec, PluginStamp};
use bellwether_domain::network::{Loss, Network};
use bellwether_domain::target::{TargetKind, Task};
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};
use bellwether_plugin::{ModelPlugin, PluginHost, Windows};

use crate::artifact::Artifact;
use crate::features;

/// Numbers scaled or sent to a guest at once; more windows are taken in turns.
const VALUES_AT_ONCE: usize = 1 << 20;

/// A loaded version. Shared between requests.
#[derive(Debug)]
pub struct Predictor {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    spec: ModelSpec,
    body: Loaded,
}

#[derive(Debug)]
enum Loaded {
    Network { model: Model, place: usize, width: usize },
    Guest { plugin: Arc<ModelPlugin>, state: Vec<u8>, names: Arc<[String]>, scaled: bool },
}

/// Raw features of several windows.
#[derive(Debug, Clone, PartialEq)]
pub struct RawWindows {
    /// Row-major [window, step, feature].
    pub values: Vec<f64>,
    /// Number of windows.
    pub count: usize,
    /// Last close before each prediction, needed for the target `price` only.
    pub last_close: Option<Vec<f64>>,
}

impl Predictor {
    /// Compiles the network or finds the guest's plugin. Errors: `Invalid` for an artifact that does not fit together;
    /// `Unavailable` when the guest's plugin is not loaded; a plugin of another version is accepted, of another name not.
    pub fn load(artifact: Artifact, plugins: &PluginHost) -> Result<Predictor> {
        let Artifact { spec, body, .. } = artifact;
        let (steps, features) = (spec.sequence_length as usize, spec.features.len());
        spec.scaler.check(features)?;
        spec.target_scaler.check(1)?;
        spec.target.check()?;
        let loaded = match &spec.body {
            Body::Network { network } => {
                let (place, width) = readout(network, spec.target.task())?;
                let model = Model::load(network, steps, features, &body, &Device::named("cpu")?)?;
                Loaded::Network { model, place, width }
            }
            Body::Guest { plugin, scaled } => Loaded::Guest {
                plugin: guest(plugins, &spec.model_type, plugin)?,
                state: body,
                names: spec.features.iter().map(ToString::to_string).collect(),
                scaled: *scaled,
            },
            Body::Members { .. } => return Err(Error::invalid("body", "ensembles are not served yet")),
        };
        Ok(Predictor { inner: Arc::new(Inner { spec, body: loaded }) })
    }

    /// What it is.
    pub fn spec(&self) -> &ModelSpec {
        &self.inner.spec
    }

    /// Bytes of memory it takes.
    pub fn size_bytes(&self) -> usize {
        let body = match &self.inner.body {
            Loaded::Network { model, .. } => model.size_bytes(),
            Loaded::Guest { state, .. } => state.len(),
        };
        body + size_of::<Inner>() + 256 * self.inner.spec.features.len()
    }

    /// A window such as the version saw in training: around each feature's mean, within two standard deviations, another
    /// one for every number. The first is the mean itself.
    pub fn probe_window(&self, number: u32) -> RawWindows {
        let spec = self.spec();
        let (steps, features) = (spec.sequence_length as usize, spec.features.len());
        let mut values = Vec::with_capacity(steps * features);
        for step in 0..steps {
            for feature in 0..features {
                let phase = (step + 1) as f64 * 0.37 + feature as f64 * 1.3;
                let offset = 2.0 * (phase * f64::from(number)).sin();
                values.push(spec.scaler.mean[feature] + offset * spec.scaler.standard_deviation[feature]);
            }
        }
        RawWindows { values, count: 1, last_close: Some(vec![1.0]) }
    }

    /// Bars `predict_bars` needs for one prediction: window and warm-up of the features.
    pub fn bars_needed(&self) -> usize {
        let warm_up = self.spec().features.iter().map(features::warm_up).max().unwrap_or(1);
        warm_up + self.spec().sequence_length as usize - 1
    }

    /// True when predicting blocks on CPU work in this process (a network) rather than waiting for a plugin.
    pub fn is_native(&self) -> bool {
        matches!(self.inner.body, Loaded::Network { .. })
    }

    /// Predicts windows of raw features: a number each, in the target's unit (direction: a probability). Every answer is
    /// finite, else `Internal`. Errors: `Invalid` with field `windows` for a wrong shape (wanted and got) or a value that is
    /// not finite, with field `last_close` where the target `price` lacks it.
    pub async fn predict(&self, windows: RawWindows) -> Result<Vec<f64>> {
        let inner = self.inner.clone();
        match &self.inner.body {
            Loaded::Network { .. } => tokio::task::spawn_blocking(move || inner.predict_native(&windows)).await.map_err(Error::internal)?,
            Loaded::Guest { .. } => inner.predict_guest(&windows).await,
        }
    }

    /// The same for networks, on the calling thread. Errors: `Conflict` when it is not native.
    pub fn predict_native(&self, windows: &RawWindows) -> Result<Vec<f64>> {
        self.inner.predict_native(windows)
    }

    /// The raw window that ends at the last bar, and that bar's time; only the newest [`Self::bars_needed`] bars are read.
    /// Errors: `Invalid` with field `bars`: too few (needs and has), a gap inside, bars that break the rules.
    pub fn window_of(&self, bars: &Bars) -> Result<(RawWindows, Timestamp)> {
        let (spec, needed) = (self.spec(), self.bars_needed());
        let steps = spec.sequence_length as usize;
        if bars.len() < needed {
            let before = needed - steps;
            let why =
                format!("there are {}; {needed} are needed: {steps} for the window and {before} before it for its features", bars.len());
            return Err(Error::invalid("bars", why));
        }
        let bars = bars.slice(bars.len() - needed..bars.len());
        bars.check(spec.interval).map_err(|error| Error::invalid("bars", error.to_string()))?;
        let first = needed - steps;
        for row in first + 1..needed {
            let (before, after) = (Timestamp(bars.timestamp[row - 1]), Timestamp(bars.timestamp[row]));
            if after.since(before) > features::step_max_ms(spec.interval) {
                let why = format!("there is a gap from {before} to {after} inside the window of {steps} steps; it must have none");
                return Err(Error::invalid("bars", why));
            }
        }
        let columns = features::compute(&bars, spec.interval, &spec.features);
        let mut values = Vec::with_capacity(steps * columns.len());
        for row in first..needed {
            values.extend(columns.iter().map(|column| column[row]));
        }
        if let Some(place) = values.iter().position(|value| !value.is_finite()) {
            let (feature, row) = (&spec.features[place % columns.len()], first + place / columns.len());
            let why = format!("`{feature}` has no number at {}: there is a gap too close before it", Timestamp(bars.timestamp[row]));
            return Err(Error::invalid("bars", why));
        }
        let last_close = (spec.target.kind == TargetKind::Price).then(|| vec![bars.close[needed - 1]]);
        Ok((RawWindows { values, count: 1, last_close }, Timestamp(bars.timestamp[needed - 1])))
    }
}

impl Inner {
    fn predict_native(&self, windows: &RawWindows) -> Result<Vec<f64>> {
        let Loaded::Network { model, place, width } = &self.body else {
            return Err(Error::Conflict(format!("`{}` is predicted by its plugin, not on this thread", self.spec.model_type)));
        };
        self.check(windows)?;
        let features = self.spec.features.len();
        let mut predictions = Vec::with_capacity(windows.count);
        let mut scaled: Vec<f32> = Vec::with_capacity(windows.values.len().min(VALUES_AT_ONCE));
        for values in windows.values.chunks(self.turn() * self.window_len()) {
            scaled.clear();
            for row in values.chunks_exact(features) {
                scaled.extend(row.iter().enumerate().map(|(place, value)| self.spec.scaler.scale(place, *value) as f32));
            }
            let answers = model.predict(&scaled, values.len() / self.window_len())?;
            predictions.extend(answers.chunks_exact(*width).map(|answer| f64::from(answer[*place])));
        }
        for (window, prediction) in predictions.iter_mut().enumerate() {
            let value = match self.spec.target.task() {
                Task::Binary => 1.0 / (1.0 + (-*prediction).exp()),
                Task::Regression => self.spec.target_scaler.unscale(0, *prediction),
            };
            *prediction = self.in_unit(value, windows, window)?;
        }
        Ok(predictions)
    }

    async fn predict_guest(&self, windows: &RawWindows) -> Result<Vec<f64>> {
        let Loaded::Guest { plugin, state, names, scaled } = &self.body else {
            return Err(Error::internal("a network was asked to predict as a guest"));
        };
        self.check(windows)?;
        let (steps, features) = (self.spec.sequence_length as usize, self.spec.features.len());
        let mut predictions = Vec::with_capacity(windows.count);
        for values in windows.values.chunks(self.turn() * self.window_len()) {
            let scale = |(place, value): (usize, &f64)| if *scaled { self.spec.scaler.scale(place % features, *value) } else { *value };
            let inputs = Windows {
                features: names.clone(),
                steps: self.spec.sequence_length,
                rows: values.iter().enumerate().map(scale).collect(),
                ends: (1..=values.len() / self.window_len()).map(|window| window * steps - 1).collect(),
                targets: Arc::new([]),
            };
            for value in plugin.predict(&self.spec.config, state, inputs).await? {
                if self.spec.target.task() == Task::Binary && !(0.0..=1.0).contains(&value) {
                    let fault = PluginFault::BadAnswer(format!("{value} is no probability"));
                    return Err(Error::Plugin { plugin: plugin.name().to_owned(), function: "predict".to_owned(), fault });
                }
                predictions.push(self.in_unit(value, windows, predictions.len())?);
            }
        }
        Ok(predictions)
    }

    /// Numbers in one window.
    fn window_len(&self) -> usize {
        self.spec.sequence_length as usize * self.spec.features.len()
    }

    /// Windows taken in one turn.
    fn turn(&self) -> usize {
        (VALUES_AT_ONCE / self.window_len()).max(1)
    }

    fn check(&self, windows: &RawWindows) -> Result<()> {
        let (steps, features) = (self.spec.sequence_length, self.spec.features.len());
        if windows.count.checked_mul(self.window_len()) != Some(windows.values.len()) {
            let why =
                format!("{} numbers are not {} windows of {steps} steps and {features} features", windows.values.len(), windows.count);
            return Err(Error::invalid("windows", why));
        }
        if let Some(place) = windows.values.iter().position(|value| !value.is_finite()) {
            let (window, step) = (place / self.window_len(), place % self.window_len() / features);
            let feature = &self.spec.features[place % features];
            let why = format!("`{feature}` at step {step} of window {window} is {}; every value must be finite", windows.values[place]);
            return Err(Error::invalid("windows", why));
        }
        if self.spec.target.kind != TargetKind::Price {
            return Ok(());
        }
        let closes = windows.last_close.as_deref().unwrap_or_default();
        if closes.len() == windows.count && closes.iter().all(|close| close.is_finite() && *close > 0.0) {
            Ok(())
        } else {
            let why =
                format!("a price needs the last close before each of {} windows, above zero; there are {}", windows.count, closes.len());
            Err(Error::invalid("last_close", why))
        }
    }

    /// A prediction in the target's unit.
    fn in_unit(&self, value: f64, windows: &RawWindows, window: usize) -> Result<f64> {
        let value = match (self.spec.target.kind, &windows.last_close) {
            (TargetKind::Price, Some(closes)) => closes[window] * value.exp(),
            _ => value,
        };
        if value.is_finite() { Ok(value) } else { Err(Error::internal(format!("the prediction of window {window} is {value}"))) }
    }
}

/// Place and width of the prediction in the network's first output: the median of quantiles, the mean of a distribution.
fn readout(network: &Network, task: Task) -> Result<(usize, usize)> {
    let output = network.outputs.first().ok_or_else(|| Error::invalid("network", "has no output"))?;
    let unfit = |what: &str| Err(Error::invalid(format!("network.{}", output.name), format!("its loss does not fit: {what}")));
    match (&output.loss, task) {
        (Loss::Bce, Task::Binary) => Ok((0, 1)),
        (_, Task::Binary) => unfit("a binary target needs `bce`"),
        (Loss::Mse | Loss::Mae | Loss::Huber(_), Task::Regression) => Ok((0, 1)),
        (Loss::GaussianNll, Task::Regression) => Ok((0, 2)),
        (Loss::Quantile(probabilities), Task::Regression) => {
            let from_half = |place: &usize| (probabilities[*place] - 0.5).abs();
            let median = (0..probabilities.len()).min_by(|one, other| from_half(one).total_cmp(&from_half(other)));
            median.map_or_else(|| unfit("it names no quantile"), |place| Ok((place, probabilities.len())))
        }
        (Loss::Bce | Loss::CrossEntropy(_), Task::Regression) => {
            unfit("a real-valued target needs mse, mae, huber, quantile or gaussian-nll")
        }
    }
}

/// The loaded plugin behind a guest model: the instance it was trained with, else the plugin itself.
fn guest(plugins: &PluginHost, model_type: &str, stamp: &PluginStamp) -> Result<Arc<ModelPlugin>> {
    for name in [model_type, &stamp.name] {
        if plugins.stamp(name).is_ok_and(|loaded| loaded.name == stamp.name) {
            return plugins.model(name);
        }
    }
    Err(Error::Unavailable(format!("the plugin `{}` that made this version is not loaded", stamp.name)))
}

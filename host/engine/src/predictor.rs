//! A version ready to answer: windows of raw features, or raw bars, in; numbers in the target's unit out.
//!
//! Training judges with the same code that serves, so that what was measured is what is served. What a network or guest
//! says passes through the same steps either way: back from the target's scale (networks), a probability from a logit
//! (networks for `direction`), together with the other members (ensembles), a price from a log ratio (`price`, of networks
//! and guests alike).

use std::sync::Arc;

use bellwether_domain::bars::Bars;
use bellwether_domain::metrics::{Distribution, Forecast};
use bellwether_domain::model::{Body, Combination, ModelSpec};
use bellwether_domain::target::{TargetKind, Task};
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};
use bellwether_plugin::PluginHost;

use crate::artifact::Artifact;
use crate::features;
use crate::predictor::learner::Learner;

mod learner;
mod reading;

/// A loaded version. Shared between requests.
#[derive(Debug)]
pub struct Predictor {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    spec: ModelSpec,
    /// One, or the members of an ensemble.
    learners: Vec<Learner>,
    combination: Option<Combination>,
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
        let Artifact { spec, body, members: bodies, .. } = artifact;
        let features = spec.features.len();
        spec.scaler.check(features)?;
        spec.target_scaler.check(1)?;
        spec.target.check()?;
        spec.body.check(features, spec.sequence_length)?;
        let (learners, combination) = match &spec.body {
            Body::Network { .. } | Body::Guest { .. } => (vec![Learner::single(&spec, body, plugins)?], None),
            Body::Members { members, combination } => {
                if members.len() != bodies.len() {
                    return Err(Error::invalid("members", format!("there are {} for {} bodies", members.len(), bodies.len())));
                }
                let load = |(member, body)| Learner::member(&spec, member, body, plugins);
                (members.iter().zip(bodies).map(load).collect::<Result<_>>()?, Some(combination.clone()))
            }
        };
        Ok(Predictor { inner: Arc::new(Inner { spec, learners, combination }) })
    }

    /// What it is.
    pub fn spec(&self) -> &ModelSpec {
        &self.inner.spec
    }

    /// Bytes of memory it takes.
    pub fn size_bytes(&self) -> usize {
        let body: usize = self.inner.learners.iter().map(Learner::size_bytes).sum();
        body + size_of::<Inner>() + 256 * self.inner.spec.features.len()
    }

    /// A window such as the version saw in training: around each feature's mean, within two standard deviations, another
    /// one for every number. The first is the mean itself. Hours and days are hours and days.
    pub fn probe_window(&self, number: u32) -> RawWindows {
        let spec = self.spec();
        let (steps, features) = (spec.sequence_length as usize, spec.features.len());
        let mut values = Vec::with_capacity(steps * features);
        for step in 0..steps {
            for feature in 0..features {
                let phase = (step + 1) as f64 * 0.37 + feature as f64 * 1.3;
                let offset = 2.0 * (phase * f64::from(number)).sin();
                let wandering = spec.scaler.mean[feature] + offset * spec.scaler.standard_deviation[feature];
                let category = |categories: u32| ((step as u32).wrapping_add(number) % categories).into();
                values.push(spec.features[feature].categories().map_or(wandering, category));
            }
        }
        RawWindows { values, count: 1, last_close: Some(vec![1.0]) }
    }

    /// Bars `predict_bars` needs for one prediction: window and warm-up of the features.
    pub fn bars_needed(&self) -> usize {
        let warm_up = self.spec().features.iter().map(features::warm_up).max().unwrap_or(1);
        warm_up + self.spec().sequence_length as usize - 1
    }

    /// True when predicting blocks on CPU work in this process (networks only) rather than waiting for a plugin.
    pub fn is_native(&self) -> bool {
        self.inner.learners.iter().all(Learner::is_native)
    }

    /// Predicts windows of raw features: a number each, in the target's unit (direction: a probability). Every answer is
    /// finite, else `Internal`. Errors: `Invalid` with field `windows` for a wrong shape (wanted and got) or a value that is
    /// not finite, with field `last_close` where the target `price` lacks it.
    pub async fn predict(&self, windows: RawWindows) -> Result<Vec<f64>> {
        Ok(self.forecast(windows).await?.into_iter().map(|forecast| forecast.value).collect())
    }

    /// The same with what the model says of its spread.
    pub async fn forecast(&self, windows: RawWindows) -> Result<Vec<Forecast>> {
        let windows = Arc::new(windows);
        let said = self.inner.clone().answers(windows.clone()).await?;
        self.inner.together(said, &windows)
    }

    /// The same as [`Self::predict`] for networks, on the calling thread. Errors: `Conflict` when it is not native.
    pub fn predict_native(&self, windows: &RawWindows) -> Result<Vec<f64>> {
        Ok(self.forecast_native(windows)?.into_iter().map(|forecast| forecast.value).collect())
    }

    /// The same as [`Self::forecast`] for networks, on the calling thread. Errors: `Conflict` when it is not native.
    pub fn forecast_native(&self, windows: &RawWindows) -> Result<Vec<Forecast>> {
        let inner = &self.inner;
        if !self.is_native() {
            return Err(Error::Conflict(format!("`{}` is predicted by its plugin, not on this thread", inner.spec.model_type)));
        }
        inner.check(windows)?;
        let said = inner.learners.iter().map(|learner| learner.answer_native(&windows.values)).collect::<Result<_>>()?;
        inner.together(said, windows)
    }

    /// What each member says of each window, in the unit it learned in; one member where there is no ensemble.
    pub(crate) async fn members(&self, windows: RawWindows) -> Result<Vec<Vec<f64>>> {
        let said = self.inner.clone().answers(Arc::new(windows)).await?;
        Ok(said.into_iter().map(|said| said.into_iter().map(|forecast| forecast.value).collect()).collect())
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
    /// What each learner says: networks off this thread, guests through their plugins, all at once.
    async fn answers(self: Arc<Self>, windows: Arc<RawWindows>) -> Result<Vec<Vec<Forecast>>> {
        self.check(&windows)?;
        let natives = || self.learners.iter().filter(|learner| learner.is_native());
        let computing = (natives().count() > 0).then(|| {
            let (inner, windows) = (self.clone(), windows.clone());
            tokio::task::spawn_blocking(move || {
                let natives = inner.learners.iter().filter(|learner| learner.is_native());
                natives.map(|learner| learner.answer_native(&windows.values)).collect::<Result<Vec<_>>>()
            })
        });
        let guests = self.learners.iter().filter(|learner| !learner.is_native()).map(|learner| learner.answer_guest(&windows.values));
        let guests = futures_util::future::try_join_all(guests).await;
        let computed = match computing {
            Some(computing) => computing.await.map_err(Error::internal)??,
            None => Vec::new(),
        };
        let (mut computed, mut guests) = (computed.into_iter(), guests?.into_iter());
        let next = |learner: &Learner| if learner.is_native() { computed.next() } else { guests.next() };
        Ok(self.learners.iter().filter_map(next).collect())
    }

    /// One forecast per window, in the target's unit.
    fn together(&self, said: Vec<Vec<Forecast>>, windows: &RawWindows) -> Result<Vec<Forecast>> {
        let Some(combination) = &self.combination else {
            let only = said.into_iter().next().unwrap_or_default();
            return only.into_iter().enumerate().map(|(window, said)| self.in_unit(said, windows, window)).collect();
        };
        let mut values = vec![0.0; said.len()];
        let one = |window: usize| {
            values.iter_mut().zip(&said).for_each(|(value, said)| *value = said[window].value);
            let value = combination.combine(&mut values);
            let value = if self.spec.target.task() == Task::Binary { value.clamp(0.0, 1.0) } else { value };
            self.in_unit(Forecast { value, distribution: None }, windows, window)
        };
        (0..windows.count).map(one).collect()
    }

    /// Numbers in one window.
    fn window_len(&self) -> usize {
        self.spec.sequence_length as usize * self.spec.features.len()
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

    /// A forecast in the target's unit: a price is made of a log ratio, a normal becomes a log-normal.
    fn in_unit(&self, said: Forecast, windows: &RawWindows, window: usize) -> Result<Forecast> {
        let said = match (self.spec.target.kind, &windows.last_close) {
            (TargetKind::Price, Some(closes)) => priced(said, closes[window]),
            _ => said,
        };
        let ends = said.interval().map_or([0.0; 2], |interval| [interval.lower, interval.upper]);
        match [said.value, ends[0], ends[1]].into_iter().find(|value| !value.is_finite()) {
            None => Ok(said),
            Some(value) => Err(Error::internal(format!("the prediction of window {window} is {value}"))),
        }
    }
}

fn priced(said: Forecast, close: f64) -> Forecast {
    let price = |ratio: f64| close * ratio.exp();
    let distribution = said.distribution.map(|distribution| match distribution {
        Distribution::Quantiles(quantiles) => {
            Distribution::Quantiles(quantiles.into_iter().map(|(probability, ratio)| (probability, price(ratio))).collect())
        }
        Distribution::Normal { mean, deviation } | Distribution::LogNormal { mean, deviation } => {
            Distribution::LogNormal { mean: close.ln() + mean, deviation }
        }
    });
    Forecast { value: price(said.value), distribution }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_made_of_log_ratios_and_so_are_their_intervals() {
        let said = Forecast { value: 0.0, distribution: Some(Distribution::Normal { mean: 0.0, deviation: 0.1 }) };
        let price = priced(said, 200.0);
        let interval = price.interval().expect("interval");
        assert!((price.value - 200.0).abs() < 1e-9);
        assert!((interval.upper - 200.0 * 0.164_485_36_f64.exp()).abs() < 1e-4 && (interval.lower * interval.upper - 4e4).abs() < 1e-6);
        let quantiles = Distribution::Quantiles(vec![(0.1, -0.5), (0.9, 0.5)]);
        let interval = priced(Forecast { value: 0.0, distribution: Some(quantiles) }, 100.0).interval().expect("interval");
        assert!((interval.lower - 100.0 * (-0.5_f64).exp()).abs() < 1e-9 && (interval.upper - 100.0 * 0.5_f64.exp()).abs() < 1e-9);
    }
}

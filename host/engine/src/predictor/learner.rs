//! One loaded model: a network or a guest, with the columns and steps it reads of a version's windows.
//!
//! It answers in the unit it learned in: a probability for a binary task, a log ratio for the target `price`.

use std::sync::Arc;

use bellwether_compute::{Device, Model};
use bellwether_domain::error::PluginFault;
use bellwether_domain::metrics::Forecast;
use bellwether_domain::model::{Body, MemberSpec, ModelSpec, PluginStamp};
use bellwether_domain::scaler::Scaler;
use bellwether_domain::target::Task;
use bellwether_domain::{Error, Result};
use bellwether_plugin::{ModelPlugin, PluginHost, Windows};
use serde_json::Value;

use crate::predictor::reading::Reading;

/// Numbers scaled or sent to a guest at once; more windows are taken in turns.
const VALUES_AT_ONCE: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Learner {
    shape: Slice,
    scaler: Scaler,
    target_scaler: Scaler,
    task: Task,
    kind: Kind,
}

/// What a model reads of a version's windows.
#[derive(Debug)]
struct Slice {
    /// Features of a row of the version's window.
    features: usize,
    /// Steps of the version's window.
    steps: usize,
    /// Places of the model's features among them.
    columns: Vec<usize>,
    /// The model's steps: the last ones.
    last: usize,
}

#[derive(Debug)]
enum Kind {
    Network { model: Box<Model>, reading: Reading },
    Guest { plugin: Arc<ModelPlugin>, config: Value, state: Vec<u8>, names: Arc<[String]>, scaled: bool },
}

impl Learner {
    /// The only model of a version.
    pub(super) fn single(spec: &ModelSpec, bytes: Vec<u8>, plugins: &PluginHost) -> Result<Learner> {
        let columns = (0..spec.features.len()).collect();
        let shape =
            Slice { features: spec.features.len(), steps: spec.sequence_length as usize, columns, last: spec.sequence_length as usize };
        let kind = Kind::load(&spec.body, &spec.model_type, &spec.config, spec, &shape, bytes, plugins)?;
        Ok(Learner { shape, scaler: spec.scaler.clone(), target_scaler: spec.target_scaler.clone(), task: spec.target.task(), kind })
    }

    /// A member of an ensemble.
    pub(super) fn member(spec: &ModelSpec, member: &MemberSpec, bytes: Vec<u8>, plugins: &PluginHost) -> Result<Learner> {
        let columns = member.features.iter().map(|place| *place as usize).collect();
        let (steps, last) = (spec.sequence_length as usize, member.sequence_length as usize);
        let shape = Slice { features: spec.features.len(), steps, columns, last };
        let kind = Kind::load(&member.body, &member.model_type, &member.config, spec, &shape, bytes, plugins)?;
        Ok(Learner { shape, scaler: member.scaler.clone(), target_scaler: spec.target_scaler.clone(), task: spec.target.task(), kind })
    }

    /// It computes on the calling thread.
    pub(super) fn is_native(&self) -> bool {
        matches!(self.kind, Kind::Network { .. })
    }

    pub(super) fn size_bytes(&self) -> usize {
        match &self.kind {
            Kind::Network { model, .. } => model.size_bytes(),
            Kind::Guest { state, .. } => state.len(),
        }
    }

    /// One answer per window of the version, on the calling thread. Errors: `Conflict` for a guest.
    pub(super) fn answer_native(&self, windows: &[f64]) -> Result<Vec<Forecast>> {
        let Kind::Network { model, reading } = &self.kind else {
            return Err(Error::Conflict("a guest is predicted by its plugin, not on this thread".to_owned()));
        };
        let whole = self.shape.features * self.shape.steps;
        let mut said = Vec::with_capacity(windows.len() / whole);
        let mut scaled: Vec<f32> = Vec::with_capacity(windows.len().min(VALUES_AT_ONCE));
        for windows in windows.chunks(self.shape.turn() * whole) {
            scaled.clear();
            for row in self.shape.rows(windows) {
                scaled.extend(self.shape.columns.iter().enumerate().map(|(place, column)| self.scaler.scale(place, row[*column]) as f32));
            }
            let answers = model.predict(&scaled, windows.len() / whole)?;
            said.extend(answers.chunks_exact(reading.width()).map(|answer| reading.read(answer, &self.target_scaler)));
        }
        Ok(said)
    }

    /// The same for a guest, through its plugin. Errors: those of the plugin; `BadAnswer` for a probability that is none.
    pub(super) async fn answer_guest(&self, windows: &[f64]) -> Result<Vec<Forecast>> {
        let Kind::Guest { plugin, config, state, names, scaled } = &self.kind else {
            return Err(Error::internal("a network was asked to predict as a guest"));
        };
        let whole = self.shape.features * self.shape.steps;
        let mut said = Vec::with_capacity(windows.len() / whole);
        for windows in windows.chunks(self.shape.turn() * whole) {
            let number = |(place, value): (usize, f64)| if *scaled { self.scaler.scale(place, value) } else { value };
            let numbers = self.shape.rows(windows).flat_map(|row| self.shape.columns.iter().map(|column| row[*column]).enumerate());
            let inputs = Windows {
                features: names.clone(),
                steps: self.shape.last as u32,
                rows: numbers.map(number).collect(),
                ends: (1..=windows.len() / whole).map(|window| window * self.shape.last - 1).collect(),
                targets: Arc::new([]),
            };
            for value in plugin.predict(config, state, inputs).await? {
                if self.task == Task::Binary && !(0.0..=1.0).contains(&value) {
                    let fault = PluginFault::BadAnswer(format!("{value} is no probability"));
                    return Err(Error::Plugin { plugin: plugin.name().to_owned(), function: "predict".to_owned(), fault });
                }
                said.push(Forecast { value, distribution: None });
            }
        }
        Ok(said)
    }
}

impl Slice {
    /// The rows of whole windows that the model reads.
    fn rows<'a>(&'a self, windows: &'a [f64]) -> impl Iterator<Item = &'a [f64]> {
        let skipped = (self.steps - self.last) * self.features;
        windows.chunks_exact(self.steps * self.features).flat_map(move |window| window[skipped..].chunks_exact(self.features))
    }

    /// Windows taken in one turn.
    fn turn(&self) -> usize {
        (VALUES_AT_ONCE / (self.steps * self.features)).max(1)
    }
}

impl Kind {
    fn load(
        body: &Body,
        model_type: &str,
        config: &Value,
        spec: &ModelSpec,
        shape: &Slice,
        bytes: Vec<u8>,
        plugins: &PluginHost,
    ) -> Result<Kind> {
        match body {
            Body::Network { network } => {
                let reading = Reading::of(network, spec.target.task())?;
                let model = Model::load(network, shape.last, shape.columns.len(), &bytes, &Device::named("cpu")?)?;
                Ok(Kind::Network { model: Box::new(model), reading })
            }
            Body::Guest { plugin, scaled } => Ok(Kind::Guest {
                plugin: guest(plugins, model_type, plugin)?,
                config: config.clone(),
                state: bytes,
                names: shape.columns.iter().map(|column| spec.features[*column].to_string()).collect(),
                scaled: *scaled,
            }),
            Body::Members { .. } => Err(Error::invalid("members", "an ensemble is no member; members are single models")),
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

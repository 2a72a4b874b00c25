//! Models trained elsewhere and exported as ONNX: read, compared with a sample, made an artifact, registered.
//!
//! The file knows a network and nothing else; what it is fed and what it predicts is the caller's word, as are the scalers.
//! From the artifact on it is an upload like any other: the same trial window, the same gates, the same record. Nothing is
//! stored before the sample agrees.

use std::collections::BTreeMap;

use bellwether_compute::{Device, Model};
use bellwether_domain::feature::Feature;
use bellwether_domain::id::Symbol;
use bellwether_domain::metrics::ModelMetrics;
use bellwether_domain::model::{Body, Lineage, ModelSpec, ModelVersion};
use bellwether_domain::scaler::Scaler;
use bellwether_domain::target::{Target, Task};
use bellwether_domain::time::Interval;
use bellwether_domain::{Error, Result};
use bellwether_onnx::{Imported, Options};
use serde_json::{Map, Value, json};

use crate::Host;
use crate::artifact::{self, Artifact};
use crate::registry::Registration;

/// Most windows of a sample.
pub const SAMPLE_MAX: usize = 10_000;

/// How far a prediction may lie from the sample's, absolutely below 1 and relatively above.
pub const TOLERANCE: f64 = 1e-5;

/// A model to import.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The ONNX file.
    pub model: Vec<u8>,
    /// The recipe it is registered as.
    pub model_type: String,
    /// The instrument.
    pub symbol: Symbol,
    /// Bar interval.
    pub interval: Interval,
    /// What it predicts. For `price` the network gives ln(close[t + h] / close[t]), for `direction` a logit or a sigmoid.
    pub target: Target,
    /// Its inputs, in order.
    pub features: Vec<Feature>,
    /// Steps per window; needed where the file leaves them open.
    pub sequence_length: Option<u32>,
    /// Standardisation of the features; none where the file does it itself or needs none.
    pub scaler: Option<Scaler>,
    /// Standardisation of the target, one entry; none where the network answers in the target's unit.
    pub target_scaler: Option<Scaler>,
    /// What the model answered where it was trained.
    pub sample: Option<Sample>,
    /// Metrics the caller vouches for.
    pub metrics: ModelMetrics,
    /// The caller's own notes.
    pub metadata: Map<String, Value>,
    /// The same key and content give the same version.
    pub idempotency_key: Option<String>,
}

/// Windows as the network reads them, already scaled, and its own answers, before any scaling back.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Windows, each row-major [step, feature].
    pub inputs: Vec<Vec<f64>>,
    /// One answer for each.
    pub outputs: Vec<f64>,
}

/// An imported version.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedVersion {
    /// The version.
    pub model: ModelVersion,
    /// What a person should know of the translation.
    pub notes: Vec<String>,
    /// Largest difference from the sample, relative where the answer is above 1; none without a sample.
    pub largest_difference: Option<f64>,
}

impl Host {
    /// Imports an ONNX model. Errors: `Invalid` with field `model` or `model.<node>` for the file, `sample` where the outputs
    /// differ by more than [`TOLERANCE`], `scaler` and `target_scaler` for scalers that do not fit, and those of
    /// [`Host::register_model`].
    pub async fn import_model(&self, import: Import) -> Result<ImportedVersion> {
        let (registration, notes, largest_difference) =
            tokio::task::spawn_blocking(move || translate(import)).await.map_err(Error::internal)??;
        let model = self.register_model(registration).await?;
        Ok(ImportedVersion { model, notes, largest_difference })
    }
}

/// From the file to the artifact.
fn translate(import: Import) -> Result<(Registration, Vec<String>, Option<f64>)> {
    import.target.check()?;
    let features = import.features.len();
    if features == 0 {
        return Err(Error::invalid("features", "is empty; name the inputs of the model in order"));
    }
    let scaler = import.scaler.unwrap_or_else(|| identity(features));
    scaler.check(features)?;
    let target_scaler = import.target_scaler.unwrap_or_else(|| identity(1));
    target_scaler.check(1).map_err(|error| Error::invalid("target_scaler", error.to_string()))?;
    let binary = import.target.task() == Task::Binary;
    if binary && target_scaler != identity(1) {
        return Err(Error::invalid("target_scaler", "is not possible for a direction, which is a probability"));
    }
    let options = Options { steps: import.sequence_length, features: u32::try_from(features).ok(), binary, loss: None };
    let imported = bellwether_onnx::read(&import.model, &options)?;
    let largest_difference = import.sample.map(|sample| compare(&imported, &sample)).transpose()?;
    let Imported { network, steps, weights, notes, .. } = imported;
    let spec = ModelSpec {
        format: artifact::FORMAT,
        model_type: import.model_type.clone(),
        config: json!({}),
        symbol: import.symbol.clone(),
        interval: import.interval,
        target: import.target,
        features: import.features,
        sequence_length: u32::try_from(steps).map_err(Error::internal)?,
        scaler,
        target_scaler,
        body: Body::Network { network },
        metrics: ModelMetrics::default(),
        cross_validation: None,
        lineage: Lineage { host_version: Some(env!("CARGO_PKG_VERSION").to_owned()), ..Lineage::default() },
        baselines: Vec::new(),
        files: BTreeMap::new(),
    };
    let artifact = Artifact { spec, body: weights, members: Vec::new(), baselines: BTreeMap::new() }.pack()?;
    let registration = Registration {
        model_type: import.model_type,
        symbol: import.symbol,
        artifact,
        metrics: import.metrics,
        metadata: import.metadata,
        idempotency_key: import.idempotency_key,
    };
    Ok((registration, notes, largest_difference))
}

fn identity(columns: usize) -> Scaler {
    Scaler { mean: vec![0.0; columns], standard_deviation: vec![1.0; columns] }
}

/// The largest difference between the network's answers and the sample's.
fn compare(imported: &Imported, sample: &Sample) -> Result<f64> {
    let (count, length) = (sample.inputs.len(), imported.steps * imported.features);
    if count == 0 || count > SAMPLE_MAX || sample.outputs.len() != count {
        let why = format!("has {count} windows and {} answers; give 1 to {SAMPLE_MAX} of each", sample.outputs.len());
        return Err(Error::invalid("sample", why));
    }
    if let Some((place, window)) = sample.inputs.iter().enumerate().find(|(_, window)| window.len() != length) {
        let why =
            format!("has {} numbers; a window of {} steps and {} features has {length}", window.len(), imported.steps, imported.features);
        return Err(Error::invalid(format!("sample.inputs[{place}]"), why));
    }
    if let Some(place) = sample.outputs.iter().position(|output| !output.is_finite()) {
        return Err(Error::invalid(format!("sample.outputs[{place}]"), "is not a finite number"));
    }
    let model = Model::load(&imported.network, imported.steps, imported.features, &imported.weights, &Device::named("cpu")?)?;
    let windows: Vec<f32> = sample.inputs.iter().flatten().map(|value| *value as f32).collect();
    let given = model.predict(&windows, count).map_err(|error| Error::invalid("sample.inputs", error.to_string()))?;
    let answer = |value: f32| if imported.probability { 1.0 / (1.0 + (-f64::from(value)).exp()) } else { f64::from(value) };
    let mut largest = 0.0;
    for (place, (given, wanted)) in given.iter().map(|value| answer(*value)).zip(&sample.outputs).enumerate() {
        let difference = (given - wanted).abs() / wanted.abs().max(1.0);
        if difference.is_nan() || difference > TOLERANCE {
            let why = format!(
                "the imported network answers {given} where the sample has {wanted}, a difference of {difference:.1e}; at most {TOLERANCE:.0e} is accepted"
            );
            return Err(Error::invalid(format!("sample.outputs[{place}]"), why));
        }
        largest = f64::max(largest, difference);
    }
    Ok(largest)
}

//! Models trained elsewhere, over REST.

use bellwether_domain::feature::Feature;
use bellwether_domain::id::Symbol;
use bellwether_domain::scaler::Scaler;
use bellwether_domain::time::Interval;
use bellwether_engine::import;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::metrics::Metrics;
use super::models::{Model, PredictionTarget, same_fields};

/// A model exported as ONNX, and what the file does not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// The ONNX file, in base64. Its first output is one number for each window.
    #[schema(content_encoding = "base64")]
    pub model: String,
    /// The recipe it is registered as; `onnx` when absent.
    #[serde(default = "onnx")]
    #[schema(required = false, default = "onnx")]
    pub model_type: String,
    /// The instrument.
    #[schema(value_type = String, example = "BTC/USDT")]
    pub symbol: Symbol,
    /// Bar interval.
    #[schema(value_type = String, example = "1h")]
    pub interval: Interval,
    /// What it predicts. For `price` the network gives the log ratio to the last close, for `direction` a logit, or a
    /// probability by a sigmoid at its end.
    pub target: PredictionTarget,
    /// Its inputs, in the order of the file's features.
    #[schema(value_type = Vec<String>, example = json!(["log-return(1)", "rsi(14)"]))]
    pub features: Vec<Feature>,
    /// Steps per window; needed where the file leaves them open.
    #[serde(default)]
    #[schema(minimum = 1)]
    pub sequence_length: Option<u32>,
    /// Standardisation of the features before the network reads them; none when absent.
    #[serde(default)]
    pub scaler: Option<Standardisation>,
    /// Standardisation of the target that the network learned, one entry; none when absent.
    #[serde(default)]
    pub target_scaler: Option<Standardisation>,
    /// What the model answered where it was trained; outputs that differ by more than 1e-5 refuse the import.
    #[serde(default)]
    pub sample: Option<ModelSample>,
    /// Metrics the caller vouches for.
    #[serde(default)]
    #[schema(required = false)]
    pub metrics: Metrics,
    /// The caller's own notes.
    #[serde(default)]
    #[schema(required = false)]
    pub metadata: Map<String, Value>,
}

fn onnx() -> String {
    "onnx".to_owned()
}

/// Means and standard deviations: (x − mean) / standard deviation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Standardisation {
    /// Means, in the order of the features.
    pub mean: Vec<f64>,
    /// Standard deviations, above 0, in the same order.
    pub standard_deviation: Vec<f64>,
}

same_fields!(Standardisation, Scaler, { mean, standard_deviation });

/// Windows and the network's own answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSample {
    /// Windows as the network reads them, already scaled: each its rows one after the other, [step, feature].
    pub inputs: Vec<Vec<f64>>,
    /// The network's answer to each, before any scaling back.
    pub outputs: Vec<f64>,
}

same_fields!(ModelSample, import::Sample, { inputs, outputs });

/// An imported version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportedModel {
    /// The version.
    pub model: Model,
    /// What a person should know of the translation, as in constants that were narrowed.
    pub notes: Vec<String>,
    /// Largest difference from the sample, relative where the answer is above 1; null without a sample.
    pub largest_difference: Option<f64>,
}

impl From<import::ImportedVersion> for ImportedModel {
    fn from(from: import::ImportedVersion) -> Self {
        let import::ImportedVersion { model, notes, largest_difference } = from;
        ImportedModel { model: model.into(), notes, largest_difference }
    }
}

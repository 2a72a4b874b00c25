//! Predictions: endpoint → variant → loaded version → answer → prediction log.

use bellwether_domain::Result;
use bellwether_domain::bars::Bar;
use bellwether_domain::rollout::Endpoint;
use bellwether_domain::time::Timestamp;
use bellwether_store::PredictionEntry;
use serde::Serialize;

use crate::Host;

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// An endpoint, by name (a symbol is turned into its endpoint's name).
    Endpoint(String),
    /// One version, deployed or not.
    Model(String),
}

/// What it is asked about.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Windows of raw features: [window][step][feature], features in the version's order.
    Windows(Vec<Vec<Vec<f64>>>),
    /// Raw bars, of which the host makes the window that ends at the last one.
    Bars(Vec<Bar>),
    /// The newest bars of the version's own series in the store.
    Latest,
}

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictRequest {
    /// Who is asked.
    pub asked: Asked,
    /// About what.
    pub input: Input,
    /// Keeps one unit (an account, a strategy) on one variant while weights stay.
    pub unit_id: Option<String>,
    /// Last closes before each window, for the target `price` with windows of features.
    pub last_close: Option<Vec<f64>>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// Its id in the prediction log.
    pub prediction_id: String,
    /// The value in the target's unit (direction: a probability).
    pub prediction: f64,
}

/// The answers to one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The version that answered.
    pub model_id: String,
    /// The endpoint, if one was asked.
    pub endpoint: Option<String>,
    /// The variant, if an endpoint was asked.
    pub variant: Option<String>,
    /// What is predicted, for example `realized-volatility`.
    pub target: String,
    /// Bars ahead.
    pub horizon: u32,
    /// Last bar of the window when the host made it.
    pub bar: Option<Timestamp>,
    /// One per window, in order.
    pub predictions: Vec<Prediction>,
    /// Time it took, in milliseconds.
    pub latency_ms: f64,
}

impl Host {
    /// Answers a question; when this returns `Ok` the answers are in the log on disk.
    pub async fn predict(&self, request: PredictRequest) -> Result<Answer> {
        let _ = request;
        todo!()
    }

    /// Endpoints, by name.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>> {
        todo!()
    }

    /// One endpoint. Errors: `NotFound` with the near match.
    pub async fn endpoint(&self, name: &str) -> Result<Endpoint> {
        let _ = name;
        todo!()
    }

    /// Answered predictions, newest first, older than the id `before`.
    pub async fn predictions(&self, model_id: Option<&str>, before: Option<&str>, limit: usize) -> Result<Vec<PredictionEntry>> {
        let _ = (model_id, before, limit);
        todo!()
    }
}

//! Predictions over REST.

use bellwether_domain::id::Symbol;
use bellwether_domain::metrics;
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};
use bellwether_engine::{serving, store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::data::Bar;
use super::models::same_fields;

/// A question. Exactly one of `endpoint`, `symbol`, `model_id` says who is asked; exactly one of `latest`, `bars`, `window`,
/// `windows` says about what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PredictRequest {
    /// An endpoint, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "BTC-USDT")]
    pub endpoint: Option<String>,
    /// The endpoint of an instrument.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub symbol: Option<Symbol>,
    /// One version, deployed or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// True: the newest bars of the version's own series in the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<bool>,
    /// Raw bars, of which the host makes the window that ends at the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bars: Option<Vec<Bar>>,
    /// One window of raw features: `[step][feature]`, features in the version's order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Vec<Vec<f64>>>,
    /// Windows of raw features: `[window][step][feature]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<Vec<Vec<Vec<f64>>>>,
    /// Keeps one unit (an account, a strategy) on one variant while weights stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_id: Option<String>,
    /// Last closes before each window, for the target `price` with windows of features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_close: Option<Vec<f64>>,
}

impl TryFrom<PredictRequest> for serving::PredictRequest {
    type Error = Error;

    fn try_from(from: PredictRequest) -> Result<Self> {
        let PredictRequest { endpoint, symbol, model_id, latest, bars, window, windows, unit_id, last_close } = from;
        let asked = [
            endpoint.map(serving::Asked::Endpoint),
            symbol.map(|symbol| serving::Asked::Endpoint(symbol.slug())),
            model_id.map(serving::Asked::Model),
        ];
        let asked = only_one(asked, "endpoint", "endpoint, symbol, model_id")?;
        let input = [
            latest.filter(|wanted| *wanted).map(|_| serving::Input::Latest),
            bars.map(|bars| serving::Input::Bars(bars.into_iter().map(Into::into).collect())),
            window.map(|window| serving::Input::Windows(vec![window])),
            windows.map(serving::Input::Windows),
        ];
        let input = only_one(input, "windows", "latest (as true), bars, window, windows")?;
        Ok(serving::PredictRequest { asked, input, unit_id, last_close })
    }
}

fn only_one<T>(given: impl IntoIterator<Item = Option<T>>, field: &str, names: &str) -> Result<T> {
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Error::invalid(field, format!("is missing; give one of {names}"))),
        (Some(_), Some(_)) => Err(Error::invalid(field, format!("is given in two ways; give only one of {names}"))),
    }
}

/// Where the true value should lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictionInterval {
    /// Lower end, in the target's unit.
    pub lower: f64,
    /// Upper end, in the target's unit.
    pub upper: f64,
    /// Share of true values that it should hold, as in 0.9.
    #[schema(example = 0.9)]
    pub level: f64,
}

same_fields!(PredictionInterval, metrics::PredictionInterval, { lower, upper, level });

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Prediction {
    /// Its id in the prediction log.
    pub prediction_id: String,
    /// The value in the target's unit (direction: a probability).
    pub prediction: f64,
    /// Where the true value should lie; absent when the version does not say. Quantile models span their outermost
    /// quantiles, Gaussian ones the central 90 %.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interval: Option<PredictionInterval>,
}

impl From<serving::Prediction> for Prediction {
    fn from(from: serving::Prediction) -> Self {
        let serving::Prediction { prediction_id, prediction, interval } = from;
        Prediction { prediction_id, prediction, interval: interval.map(Into::into) }
    }
}

/// The answers to one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictResponse {
    /// The version that answered.
    pub model_id: String,
    /// The endpoint, if one was asked.
    pub endpoint: Option<String>,
    /// The variant, if an endpoint was asked.
    pub variant: Option<String>,
    /// What is predicted.
    #[schema(example = "realized-volatility")]
    pub target: String,
    /// Bars ahead.
    pub horizon: u32,
    /// Last bar of the window when the host made it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub bar: Option<Timestamp>,
    /// One per window, in order.
    pub predictions: Vec<Prediction>,
    /// Time it took, in milliseconds.
    pub latency_ms: f64,
}

impl From<serving::Answer> for PredictResponse {
    fn from(from: serving::Answer) -> Self {
        let serving::Answer { model_id, endpoint, variant, target, horizon, bar, predictions, latency_ms } = from;
        let predictions = predictions.into_iter().map(Into::into).collect();
        PredictResponse { model_id, endpoint, variant, target, horizon, bar, predictions, latency_ms }
    }
}

/// One answered prediction in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LoggedPrediction {
    /// Its id, ordered by time.
    pub prediction_id: String,
    /// When it was answered.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The endpoint asked, if it was asked by endpoint.
    pub endpoint: Option<String>,
    /// The version that answered.
    pub model_id: String,
    /// The variant.
    pub variant: Option<String>,
    /// The answer, in the target's unit.
    pub prediction: f64,
    /// Where the true value should lie; absent when the version did not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interval: Option<PredictionInterval>,
    /// First 16 hex characters of the SHA-256 of the input window.
    pub input_digest: String,
    /// Last bar of the input when the host computed the features.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub bar: Option<Timestamp>,
    /// Time it took, in microseconds.
    pub latency_us: u64,
}

impl From<store::PredictionEntry> for LoggedPrediction {
    fn from(from: store::PredictionEntry) -> Self {
        let store::PredictionEntry { prediction_id, at, endpoint, model_id, variant, prediction, interval, input_digest, bar, latency_us } =
            from;
        let interval = interval.map(Into::into);
        LoggedPrediction { prediction_id, at, endpoint, model_id, variant, prediction, interval, input_digest, bar, latency_us }
    }
}

/// A page of the prediction log, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictionPage {
    /// The predictions.
    pub predictions: Vec<LoggedPrediction>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

/// Which predictions to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PredictionQuery {
    /// Of one version.
    #[param(required = false)]
    pub model_id: Option<String>,
    /// Items at most, 1 to 1000; 100 when absent.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[param(required = false)]
    pub cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_has_one_subject_and_one_input() {
        let check = |body: &str, expected: &str| {
            let request: PredictRequest = serde_json::from_str(body).unwrap();
            let shown = match serving::PredictRequest::try_from(request) {
                Ok(request) => format!("{:?} {:?}", request.asked, request.input),
                Err(error) => error.to_string(),
            };
            assert!(shown.starts_with(expected), "{body}: {shown}");
        };
        check(r#"{"symbol":"BTC/USDT","latest":true}"#, r#"Endpoint("BTC-USDT") Latest"#);
        check(r#"{"model_id":"m","window":[[1.0]]}"#, r#"Model("m") Windows([[[1.0]]])"#);
        check(r#"{"latest":true}"#, "endpoint: is missing");
        check(r#"{"model_id":"m","symbol":"X","latest":true}"#, "endpoint: is given in two ways");
        check(r#"{"model_id":"m","latest":false}"#, "windows: is missing");
        check(r#"{"model_id":"m","latest":true,"windows":[]}"#, "windows: is given in two ways");
    }
}

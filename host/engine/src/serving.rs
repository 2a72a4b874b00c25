//! Predictions: endpoint → variant → loaded version → answer → prediction log.
//!
//! The hot path reads one table that is swapped whole; loaded versions that serve are pinned in it, others live in a cache
//! bounded in bytes. Networks compute off the async threads, within a bound.

use std::time::Instant;

use bellwether_domain::bars::{Bar, Bars};
use bellwether_domain::metrics::{Forecast, PredictionInterval};
use bellwether_domain::rollout::{Endpoint, Variant};
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};
use bellwether_store::PredictionEntry;
use serde::Serialize;
use uuid::Uuid;

use crate::Host;
use crate::predictor::{Predictor, RawWindows};

mod measure;
mod table;

pub(crate) use table::Serving;

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
    /// Windows of raw features: `[window][step][feature]`, features in the version's order.
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
    /// Where the true value should lie, if the version says so.
    pub interval: Option<PredictionInterval>,
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

/// Who answers a question.
struct Route {
    model_id: String,
    endpoint: Option<String>,
    variant: Option<String>,
    shadows: Vec<Variant>,
}

impl Host {
    /// Answers a question; when this returns `Ok` the answers are in the log on disk.
    pub async fn predict(&self, request: PredictRequest) -> Result<Answer> {
        let started = Instant::now();
        let route = self.route(&request)?;
        let outcome = self.answer(&route, request, started).await;
        if let Some(endpoint) = &route.endpoint {
            self.inner.serving.measured(endpoint, &route.model_id, started.elapsed(), outcome.is_ok());
        }
        outcome
    }

    async fn answer(&self, route: &Route, request: PredictRequest, started: Instant) -> Result<Answer> {
        let predictor = self.predictor(&route.model_id).await?;
        let (windows, bar) = self.windows(&predictor, request.input, request.last_close).await?;
        let digest = input_digest(&windows);
        let shadow_input = (!route.shadows.is_empty()).then(|| windows.clone());
        let forecasts = self.forecast(&predictor, windows).await?;
        let at = self.clock().now();
        let latency_us = started.elapsed().as_micros() as u64;
        let answer =
            |said: &Forecast| Prediction { prediction_id: Uuid::now_v7().to_string(), prediction: said.value, interval: said.interval() };
        let predictions: Vec<Prediction> = forecasts.iter().map(answer).collect();
        let entries = predictions
            .iter()
            .map(|answer| PredictionEntry {
                prediction_id: answer.prediction_id.clone(),
                at,
                endpoint: route.endpoint.clone(),
                model_id: route.model_id.clone(),
                variant: route.variant.clone(),
                prediction: answer.prediction,
                interval: answer.interval,
                input_digest: digest.clone(),
                bar,
                latency_us,
            })
            .collect();
        self.inner.predictions.append(entries).await?;
        if let Some(windows) = shadow_input {
            self.score_shadows(route, &windows);
        }
        let target = predictor.spec().target;
        Ok(Answer {
            model_id: route.model_id.clone(),
            endpoint: route.endpoint.clone(),
            variant: route.variant.clone(),
            target: target.kind.name().to_owned(),
            horizon: target.horizon,
            bar,
            predictions,
            latency_ms: started.elapsed().as_secs_f64() * 1e3,
        })
    }

    fn route(&self, request: &PredictRequest) -> Result<Route> {
        let name = match &request.asked {
            Asked::Model(model_id) => {
                return Ok(Route { model_id: model_id.clone(), endpoint: None, variant: None, shadows: Vec::new() });
            }
            Asked::Endpoint(name) => name,
        };
        let table = self.inner.serving.table();
        let Some(endpoint) = table.endpoint(name) else {
            return Err(Error::unknown("endpoint", name, table.names()));
        };
        let draw = table::draw(name, request.unit_id.as_deref());
        let variant = table::pick(&endpoint.variants, draw)
            .ok_or_else(|| Error::Unavailable(format!("endpoint `{name}` has no version that answers; deploy one")))?;
        let shadows = endpoint.variants.iter().filter(|other| other.model_id != variant.model_id && draw < other.shadow).cloned().collect();
        Ok(Route { model_id: variant.model_id.clone(), endpoint: Some(name.clone()), variant: Some(variant.name.clone()), shadows })
    }

    /// Shows the input to shadows, off the reply path; where too much waits, shadows go without.
    fn score_shadows(&self, route: &Route, windows: &RawWindows) {
        let Some(endpoint) = route.endpoint.clone() else { return };
        for shadow in &route.shadows {
            let (host, endpoint, windows, model_id) = (self.clone(), endpoint.clone(), windows.clone(), shadow.model_id.clone());
            self.inner.tasks.spawn("shadow", async move {
                let started = Instant::now();
                let outcome = async { host.compute(&host.predictor(&model_id).await?, windows).await }.await;
                if !matches!(outcome, Err(Error::Overloaded(_))) {
                    host.inner.serving.measured(&endpoint, &model_id, started.elapsed(), outcome.is_ok());
                }
            });
        }
    }

    /// The raw windows of an input, with the last bar when the host made them.
    async fn windows(
        &self,
        predictor: &std::sync::Arc<Predictor>,
        input: Input,
        last_close: Option<Vec<f64>>,
    ) -> Result<(RawWindows, Option<Timestamp>)> {
        let bars = match input {
            Input::Windows(windows) => {
                let spec = predictor.spec();
                let most = self.config().serving.max_windows;
                let windows = table::flatten(windows, spec.sequence_length as usize, spec.features.len(), most, last_close)?;
                return Ok((windows, None));
            }
            Input::Bars(rows) => {
                let mut bars = Bars::default();
                rows.into_iter().for_each(|bar| bars.push(bar));
                bars.check(predictor.spec().interval)?;
                bars
            }
            Input::Latest => self.latest_bars(predictor).await?,
        };
        let predictor = predictor.clone();
        let (windows, last) = tokio::task::spawn_blocking(move || predictor.window_of(&bars)).await.map_err(Error::internal)??;
        Ok((windows, Some(last)))
    }

    /// Enough of the newest bars of a version's own series.
    async fn latest_bars(&self, predictor: &Predictor) -> Result<Bars> {
        let spec = predictor.spec();
        let last = self.describe_series(&spec.symbol, spec.interval).await?.last;
        let needed = predictor.bars_needed() as i64;
        // Markets close: read back far enough that nights, weekends and holidays do not leave too few bars.
        let mut reach = needed.saturating_mul(3).saturating_mul(spec.interval.milliseconds());
        loop {
            let from = Timestamp(last.0.saturating_sub(reach));
            let bars = self.inner.bars.read(&spec.symbol, spec.interval, Some(from), None).await?;
            if bars.len() as i64 >= needed {
                let first = bars.len() - needed as usize;
                return Ok(bars.slice(first..bars.len()));
            }
            let all = self.inner.bars.read(&spec.symbol, spec.interval, None, None).await?;
            if all.len() == bars.len() || all.len() < needed as usize {
                return Ok(all);
            }
            reach = reach.saturating_mul(4);
        }
    }

    /// Predicts within the bounds of this host.
    pub(crate) async fn compute(&self, predictor: &std::sync::Arc<Predictor>, windows: RawWindows) -> Result<Vec<f64>> {
        Ok(self.forecast(predictor, windows).await?.into_iter().map(|forecast| forecast.value).collect())
    }

    /// The same with what the version says of its spread.
    async fn forecast(&self, predictor: &std::sync::Arc<Predictor>, windows: RawWindows) -> Result<Vec<Forecast>> {
        let permit = self.inner.serving.admit().await?;
        if !predictor.is_native() {
            return predictor.forecast(windows).await;
        }
        let predictor = predictor.clone();
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            predictor.forecast_native(&windows)
        })
        .await
        .map_err(Error::internal)?
    }

    /// A loaded version.
    pub(crate) async fn predictor(&self, model_id: &str) -> Result<std::sync::Arc<Predictor>> {
        if let Some(pinned) = self.inner.serving.table().pinned(model_id) {
            return Ok(pinned);
        }
        self.inner
            .serving
            .cached(model_id, async {
                let artifact = self.artifact(model_id).await?;
                let plugins = self.plugins().clone();
                tokio::task::spawn_blocking(move || Predictor::load(artifact, &plugins)).await.map_err(Error::internal)?
            })
            .await
    }

    /// Endpoints, by name.
    #[expect(clippy::unused_async, reason = "with several hosts the table is asked of the store")]
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>> {
        Ok(self.inner.serving.table().endpoints())
    }

    /// One endpoint. Errors: `NotFound` with the near match.
    #[expect(clippy::unused_async, reason = "with several hosts the table is asked of the store")]
    pub async fn endpoint(&self, name: &str) -> Result<Endpoint> {
        let table = self.inner.serving.table();
        table.endpoint(name).cloned().ok_or_else(|| Error::unknown("endpoint", name, table.names()))
    }

    /// Answered predictions, newest first, older than the id `before`.
    pub async fn predictions(&self, model_id: Option<&str>, before: Option<&str>, limit: usize) -> Result<Vec<PredictionEntry>> {
        let limit = crate::PageRequest { limit: Some(limit), cursor: None }.limit()?;
        self.inner.predictions.recent(model_id, before, limit).await
    }
}

/// First 16 characters of the SHA-256 of the numbers, in hex.
fn input_digest(windows: &RawWindows) -> String {
    use sha2::Digest;
    let mut hash = sha2::Sha256::new();
    windows.values.iter().for_each(|value| hash.update(value.to_le_bytes()));
    hex::encode(&hash.finalize()[..8])
}

//! Drift in the demo: the calm and the turbulent part of the sample against what the version learned from, and the alert.
//!
//! The calm part is a month, of which the host computes the features itself. The turbulent part is the hours with the most
//! turbulent day behind them, wherever they lie, sent as rows of features: in 2017 no single month of EUR/USD differs
//! enough from the rest for an honest test to call it drift.

use std::collections::BTreeMap;
use std::time::Duration;

use bellwether_domain::time::Interval;
use bellwether_engine::features;
use serde_json::{Value, json};

use super::receiver::Receiver;
use super::sample;
use super::story::Story;
use super::waited;
use crate::cli::output::{DIM, NAME, number, styled};
use crate::cli::{Failure, drift};
use crate::client::Client;
use crate::wire::models::Model;
use crate::wire::monitoring::{DriftOfBarsRequest, DriftReport, DriftRequest};

/// Hours of the turbulent part.
const TURBULENT_HOURS: usize = 400;

/// Longest wait for the alert.
const ALERT_LIMIT: Duration = Duration::from_secs(20);

/// Checks both parts; an alert has to arrive.
pub(crate) async fn check(story: &mut Story, client: &Client, receiver: &Receiver, model: &Model) -> Result<(), Failure> {
    story.step("Check the calm and the turbulent part for drift");
    let calm = check_calm(story, client, model).await?;
    let turbulent = check_turbulent(story, client, model).await?;
    story.expect(!calm.drift_detected && calm.alert_id.is_none(), "the calm month is no drift");
    story.expect(turbulent.drift_detected && turbulent.alert_id.is_some(), "the turbulent hours are drift and fire an alert");
    story.fact("drift", json!({"calm": calm, "turbulent": turbulent}));

    story.step("Receive the alert");
    let alert = tokio::time::timeout(ALERT_LIMIT, receiver.next()).await.map_err(|_| waited("the alert's arrival", ALERT_LIMIT))?;
    let alert = alert.unwrap_or(Value::Null);
    let text = |name: &str| alert.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    story.line(format!("POST {}: {} {}", receiver.url(), text("severity"), text("condition")));
    story.line(styled(DIM, text("summary")));
    story.expect(text("model_id") == model.model_id, "the local receiver has it, posted by the webhook plugin through its grant");
    story.fact("alert", alert);
    Ok(())
}

/// The calmest month, by its bars in the host's store.
async fn check_calm(story: &Story, client: &Client, model: &Model) -> Result<DriftReport, Failure> {
    let months = sample::months_by_volatility(&sample::bars()?);
    let month = months.first().ok_or_else(|| Failure::Failed("the sample has no whole month".to_owned()))?;
    let request = DriftOfBarsRequest { model_id: model.model_id.clone(), from: Some(month.from), until: Some(month.until) };
    let report = client.post::<DriftReport>("/monitoring/drift/bars", &request).await?.value;
    let part = format!("the calmest month, {month}: {:.1} bp an hour", month.volatility * 1e4);
    tell(story, "calm", &part, &report);
    Ok(report)
}

/// The most turbulent hours, as rows of the version's raw features.
async fn check_turbulent(story: &Story, client: &Client, model: &Model) -> Result<DriftReport, Failure> {
    let bars = sample::bars()?;
    let columns = features::compute(&bars, Interval::HOUR, &model.features);
    let day = features::compute(&bars, Interval::HOUR, &["realized-volatility(24)".parse()?]).swap_remove(0);
    // Hours at which the model could be asked: every feature is known.
    let mut hours: Vec<usize> =
        (0..bars.len()).filter(|row| day[*row].is_finite() && columns.iter().all(|column| column[*row].is_finite())).collect();
    hours.sort_by(|one, other| day[*other].total_cmp(&day[*one]));
    hours.truncate(TURBULENT_HOURS);
    // Back in time order: a test reads from it how far values hang together.
    hours.sort_unstable();
    let volatility = (hours.iter().map(|row| (2.0 * day[*row]).exp()).sum::<f64>() / hours.len().max(1) as f64).sqrt();
    let named = |row: &usize| -> BTreeMap<String, Option<f64>> {
        model.features.iter().zip(&columns).map(|(feature, column)| (feature.to_string(), Some(column[*row]))).collect()
    };
    let request = DriftRequest { model_id: model.model_id.clone(), data: hours.iter().map(named).collect() };
    let report = client.post::<DriftReport>("/monitoring/drift", &request).await?.value;
    let part = format!("the {} hours with the most turbulent day behind them: {:.1} bp an hour", hours.len(), volatility * 1e4);
    tell(story, "turbulent", &part, &report);
    Ok(report)
}

fn tell(story: &Story, name: &str, part: &str, report: &DriftReport) {
    let (style, word) = drift::words(report.recommendation);
    story.line(format!("{} {part}", styled(NAME, format!("{name:<9}"))));
    story.line(format!("          {}  score {}  {}", styled(style, word), number(report.drift_score), styled(DIM, &report.reason)));
}

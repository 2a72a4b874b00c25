//! Rolling out and predicting in the demo.

use std::time::{Duration, Instant};

use bellwether_domain::rollout::RolloutPhase;
use bellwether_domain::time::Interval;
use bellwether_engine::features;
use serde_json::json;

use super::sample::{self, SYMBOL};
use super::story::Story;
use super::waited;
use crate::cli::output::{DIM, NAME, number, styled};
use crate::cli::{Failure, deploy as rollout, deployments};
use crate::client::Client;
use crate::wire::data::Bar;
use crate::wire::deployments::Deployment;
use crate::wire::models::Model;
use crate::wire::serving::{PredictRequest, PredictResponse};

/// Longest wait for the rollout.
const ROLLOUT_LIMIT: Duration = Duration::from_secs(60);

/// Bars sent with a question: more than any feature of the candidates looks back.
const BARS_SENT: usize = 1500;

/// Predictions asked one after the other for the latency.
const ASKED: usize = 200;

/// Answers to the same question may differ by rounding only.
const SAME: f64 = 1e-9;

/// Rolls a version out under `blue_green`.
pub(crate) async fn deploy(story: &mut Story, client: &Client, model: &Model) -> Result<(), Failure> {
    story.step("Deploy the better one blue-green");
    let wish = json!({"model_id": model.model_id, "deployment_strategy": "blue_green"});
    let begun = client.post_once::<Deployment>("/models/deploy", &wish, Some("demo-rollout")).await?.value;
    let watched = tokio::time::timeout(ROLLOUT_LIMIT, rollout::watch(client, &begun.deployment_id)).await;
    let ended = watched.map_err(|_| waited("the end of the rollout", ROLLOUT_LIMIT))??.value;
    for step in &ended.steps {
        let kind = step.action.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default();
        story.line(format!("{kind:<13} {}", styled(DIM, &step.reason)));
    }
    if let Some(health) = &ended.health {
        story.line(format!("health check: {} probes, slowest {:.2} ms", health.probes, health.slowest_ms));
    }
    let phase = deployments::phase_text(ended.phase);
    story.line(format!("endpoint {}: {} is {phase}", styled(NAME, &ended.endpoint), ended.candidate));
    story.expect(ended.phase == RolloutPhase::Promoted, "the candidate passes its health check and is promoted");
    story.fact("deployment", json!(ended));
    Ok(())
}

/// Asks for the same prediction in three ways, then often.
pub(crate) async fn predict(story: &mut Story, client: &Client, model: &Model) -> Result<(), Failure> {
    story.step("Answer predictions over HTTP");
    let symbol = Some(SYMBOL.parse()?);
    let base = PredictRequest { symbol, ..PredictRequest::default() };
    let latest = ask(client, &PredictRequest { latest: Some(true), ..base.clone() }).await?;
    let at = latest.bar.map(|bar| bar.to_string()).unwrap_or_default();
    let sigma = first(&latest)?.exp() * 1e4;
    story.line(format!(
        "latest bar {at}: log volatility {} over the next {} bars, {sigma:.1} bp an hour",
        number(first(&latest)?),
        latest.horizon
    ));

    let all = sample::bars()?;
    let recent = all.len().saturating_sub(BARS_SENT)..all.len();
    let bars = recent.map(|row| Bar::from(all.bar(row))).collect();
    let of_bars = ask(client, &PredictRequest { bars: Some(bars), ..base.clone() }).await?;
    let columns = features::compute(&all, Interval::HOUR, &model.features);
    let rows = all.len() - model.sequence_length as usize..all.len();
    let window = rows.map(|row| columns.iter().map(|column| column[row]).collect()).collect();
    let question = PredictRequest { window: Some(window), ..base };
    let of_window = ask(client, &question).await?;
    let (one, two, three) = (first(&latest)?, first(&of_bars)?, first(&of_window)?);
    story.line(format!("from raw bars sent along: {}; from a window of features: {}", number(two), number(three)));
    story.expect((one - two).abs() < SAME && (one - three).abs() < SAME, "all three ways give the same prediction");

    let mut times = Vec::with_capacity(ASKED);
    for _ in 0..ASKED {
        let began = Instant::now();
        ask(client, &question).await?;
        times.push(began.elapsed());
    }
    times.sort();
    let milliseconds = |share: f64| times[((ASKED - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    story.line(format!("{ASKED} more, each logged on disk: p50 {:.2} ms, p99 {:.2} ms", milliseconds(0.5), milliseconds(0.99)));
    story.fact("predictions", json!({"latest": latest, "asked": ASKED, "p50_ms": milliseconds(0.5), "p99_ms": milliseconds(0.99)}));
    Ok(())
}

async fn ask(client: &Client, question: &PredictRequest) -> Result<PredictResponse, Failure> {
    Ok(client.post::<PredictResponse>("/predict", question).await?.value)
}

fn first(answer: &PredictResponse) -> Result<f64, Failure> {
    let first = answer.predictions.first().map(|prediction| prediction.prediction);
    first.ok_or_else(|| Failure::Failed("the host answered without a prediction".to_owned()))
}

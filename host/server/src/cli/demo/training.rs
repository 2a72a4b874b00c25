//! Training in the demo: two candidates beside the naive baseline, and one that must not pass.

use bellwether_domain::job::JobState;
use bellwether_domain::model::ModelStatus;
use bellwether_domain::target::TargetKind;
use serde_json::{Value, json};

use super::sample::SYMBOL;
use super::story::Story;
use crate::cli::output::{self, BAD, DIM, GOOD, NAME, maybe, number, styled};
use crate::cli::{Failure, jobs};
use crate::client::{CallError, Client, Reply};
use crate::wire::deployments::Deployment;
use crate::wire::jobs::TrainingJob;
use crate::wire::models::Model;

/// Bars ahead: a day.
const HORIZON: u32 = 24;

/// The accuracy that the last candidate has to reach, as in `MIN_MODEL_ACCURACY=0.6`.
const MIN_ACCURACY: f64 = 0.6;

/// Trains `har` and `lstm`, shows both beside the baseline, and returns the better one that passed its gates.
pub(crate) async fn train_and_judge(story: &mut Story, client: &Client) -> Result<Model, Failure> {
    story.step("Train har and lstm on realized-volatility(24)");
    let target = json!({"kind": TargetKind::RealizedVolatility, "horizon": HORIZON});
    let lstm = json!({"lstm_units": [32], "epochs": 12, "batch_size": 64, "dropout_rate": 0.1});
    story.line(styled(
        DIM,
        format!("lstm is kept small for the demo: {lstm}, sequence_length 24; its own default is 128/64/32 over 60 steps"),
    ));
    let har = create(client, json!({"model_type": "har", "symbol": SYMBOL, "target": target})).await?;
    let lstm =
        create(client, json!({"model_type": "lstm", "symbol": SYMBOL, "target": target, "sequence_length": 24, "config": lstm})).await?;
    let (har, lstm) = (finished(story, client, &har).await?, finished(story, client, &lstm).await?);
    story.step("Judge both on the held-out fifth, beside the naive baseline");
    let header = ["model", "mse", "mse naive", "skill", "mae", "R²", "accuracy (sign)", "hours judged"];
    story.lines(&output::table(&header, &[1, 2, 3, 4, 5, 6, 7], [row(&lstm), row(&har)]));
    story.line(styled(DIM, "naive says: the next day will be as the last. skill = 1 - mse / mse naive. A window spans no weekend, so a"));
    story.line(styled(DIM, "longer one is judged on fewer hours. R² compares with the mean of the held-out part, which nobody knew."));
    for model in [&lstm, &har] {
        story.line(format!("{:<4} {}", styled(NAME, &model.model_type), gates(model)));
    }
    story.fact("models", json!([lstm, har]));
    let mut passed: Vec<Model> = [lstm, har].into_iter().filter(|model| model.status == ModelStatus::Registered).collect();
    passed.sort_by(|one, other| skill(other).total_cmp(&skill(one)));
    story.expect(!passed.is_empty(), "a candidate beats the naive baseline and passes its gates");
    match passed.into_iter().next() {
        Some(best) => {
            story.line(format!("the better one is {}", styled(NAME, &best.model_id)));
            Ok(best)
        }
        None => Err(Failure::Failed("no candidate passed its gates, so there is nothing to deploy".to_owned())),
    }
}

/// Trains a candidate on the next hour's direction and shows it being turned away.
pub(crate) async fn reject(story: &mut Story, client: &Client) -> Result<(), Failure> {
    story.step("Train a candidate on direction that has to reach MIN_MODEL_ACCURACY=0.6");
    let job = create(
        client,
        json!({
            "model_type": "lstm",
            "symbol": SYMBOL,
            "target": {"kind": TargetKind::Direction},
            "sequence_length": 24,
            "config": {"lstm_units": [16], "epochs": 4, "batch_size": 64},
            "gates": {"min_model_accuracy": MIN_ACCURACY},
        }),
    )
    .await?;
    let model = finished(story, client, &job).await?;
    story.line(gates(&model));
    story.fact("rejected", json!(model));
    let accuracy = maybe(model.metrics.accuracy);
    if model.status != ModelStatus::Rejected {
        // It may happen on other data; then the demo shows something else than it says.
        story.expect(false, format!("hourly direction is near a coin toss and is rejected (it came out at {accuracy} and passed)"));
        return Ok(());
    }
    story.expect(true, format!("it is rejected: {accuracy} right is near a coin toss, as hourly direction honestly is"));
    match client.post::<Deployment>("/models/deploy", &json!({"model_id": model.model_id, "deployment_strategy": "blue_green"})).await {
        Err(CallError::Refused(problem)) => {
            story.line(styled(DIM, &problem.detail));
            story.expect(problem.status == 409, "a rejected version cannot be deployed");
        }
        Err(other) => return Err(other.into()),
        Ok(_) => story.expect(false, "a rejected version cannot be deployed"),
    }
    Ok(())
}

async fn create(client: &Client, request: Value) -> Result<String, Failure> {
    let job: Reply<TrainingJob> = client.post("/training/jobs", &request).await?;
    Ok(job.value.job_id)
}

async fn finished(story: &mut Story, client: &Client, job_id: &str) -> Result<Model, Failure> {
    let job = jobs::watch(client, job_id, story.is_told()).await?.value;
    jobs::outcome(&job)?;
    let seconds = job.started_at.zip(job.finished_at).map(|(started, finished)| finished.since(started) as f64 / 1000.0);
    let took = format!("{} is trained: {:.1} s in a process of its own", job.request.model_type, seconds.unwrap_or_default());
    story.expect(job.state == JobState::Succeeded, took);
    let model_id = job.model_id.ok_or_else(|| Failure::Failed(format!("job {job_id} succeeded without a version")))?;
    Ok(client.get::<Model>(&format!("/models/{model_id}")).await?.value)
}

fn skill(model: &Model) -> f64 {
    model.metrics.skill.unwrap_or(f64::NEG_INFINITY)
}

fn row(model: &Model) -> Vec<String> {
    let metrics = &model.metrics;
    let numbers = [metrics.mse, metrics.baseline_mse, metrics.skill, metrics.mae, metrics.r2_score, metrics.accuracy];
    let samples = metrics.samples.map_or_else(|| "–".to_owned(), |samples| samples.to_string());
    std::iter::once(model.model_type.clone()).chain(numbers.into_iter().map(maybe)).chain([samples]).collect()
}

fn gates(model: &Model) -> String {
    let verdicts = model.gates.iter().map(|gate| {
        let (style, mark) = if gate.passed { (GOOD, "✓") } else { (BAD, "✗") };
        format!("{} {} {} {}", styled(style, mark), gate.gate, maybe(gate.value), styled(DIM, format!("(line {})", number(gate.threshold))))
    });
    format!("{} – {}", model.status.name(), verdicts.collect::<Vec<_>>().join(", "))
}

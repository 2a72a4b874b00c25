//! Plays a case on the plugin: the calls a host would make for it, and their answer as JSON.

use std::collections::BTreeMap;

use bellwether_domain::{Error, Result};
use serde_json::{Value, json};

use super::format::{Answer, Given, ModelCase};
use super::receiver::Receiver;
use crate::config::Grant;
use crate::frame::ColumnKind;
use crate::grant::{CONFIGURED, Granted};
use crate::instance::Active;
use crate::manifest::Wants;
use crate::model::{InputShape, ModelPlugin, Plan};
use crate::workpiece::Workpiece;
use crate::{DriftDetector, DriftTest};

/// The time for plugins that ask for it: noon of 6 December 2024 UTC, so that a case says the same tomorrow.
const NOON: fn() -> i64 = || 1_733_486_400_000;

/// What the plugin answers to a case.
pub(super) async fn play(plugin: &Workpiece, settings: &Value, given: &Given, receiver: &Receiver) -> Result<Value> {
    let granted = match given {
        Given::AlertHandler { answer, secrets, .. } => granted(plugin, receiver, answer, secrets)?,
        _ => Granted::default(),
    };
    let active = Active::new(&plugin.loaded.worlds, &plugin.unit(granted, Some(NOON)), settings);
    match (&active, given) {
        (Active::DriftTest(test), Given::DriftTest { reference, current }) => {
            let numeric = test.accepts().await?.kinds.contains(&ColumnKind::Numeric);
            drift_test(test, settings, reference.frame(numeric), current.frame(numeric)).await
        }
        (Active::DriftDetector(detector), Given::DriftDetector(values)) => drift_detector(detector, settings, values).await,
        (Active::DeploymentStrategy(strategy), Given::DeploymentStrategy(view)) => {
            let decision = strategy.next(view, settings).await?;
            Ok(json!({"action": decision.action, "reason": decision.reason, "state": decision.state}))
        }
        (Active::AlertHandler(handler), Given::AlertHandler { alert, idempotency_key, .. }) => {
            handler.handle(alert, idempotency_key).await.map(|()| json!({}))
        }
        (Active::Model(model), Given::Model(case)) => model_type(model, settings, case).await,
        _ => Err(Error::internal("a case was read for another kind than it is played on")),
    }
}

/// The receiver and the case's secrets, as far as the manifest wants such; the grant ends with the case.
fn granted(plugin: &Workpiece, receiver: &Receiver, answer: &Answer, secrets: &BTreeMap<String, String>) -> Result<Granted> {
    receiver.answer_with(answer);
    let wants = &plugin.manifest.wants;
    let http = !wants.http.is_empty();
    let grant = Grant {
        http: if http { vec![receiver.origin()] } else { Vec::new() },
        secrets: secrets.keys().map(|name| (name.clone(), format!("env:{name}"))).collect(),
        clock: wants.clock,
    };
    // The receiver stands in for whatever origin the manifest names.
    let wants = Wants { http: if http { vec![CONFIGURED.to_owned()] } else { Vec::new() }, ..wants.clone() };
    Granted::of("the case", &wants, &grant, secrets)
}

async fn drift_test(test: &DriftTest, settings: &Value, reference: crate::Frame, current: crate::Frame) -> Result<Value> {
    let baseline = test.baseline(reference, settings).await?;
    let outcome = test.test(&baseline, current, settings).await?;
    Ok(json!({
        "statistic": outcome.statistic, "p_value": outcome.p_value, "score": outcome.score, "threshold": outcome.threshold,
        "drifted": outcome.drifted, "reference_count": outcome.reference_count, "current_count": outcome.current_count,
        "detail": outcome.detail,
    }))
}

async fn drift_detector(detector: &DriftDetector, settings: &Value, values: &[f64]) -> Result<Value> {
    let start = detector.start(settings).await?;
    let (_, events) = detector.update(&start, values, settings).await?;
    let event = |event: &crate::DriftEvent| json!({"index": event.index, "severity": if event.drift { "drift" } else { "warning" }, "statistic": event.statistic});
    Ok(json!({"events": events.iter().map(event).collect::<Vec<_>>()}))
}

async fn model_type(model: &ModelPlugin, settings: &Value, case: &ModelCase) -> Result<Value> {
    if let Some((train, validation, inputs)) = &case.samples {
        let progress = Box::new(|_, _, _, _| true);
        let state = model.fit(settings, train.clone(), validation.clone(), case.seed, progress).await?;
        let predictions = model.predict(settings, &state, inputs.clone()).await?;
        return Ok(json!({"predictions": predictions}));
    }
    let needs = model.requirements(settings).await?;
    let shape = InputShape { sequence_length: case.steps.unwrap_or(needs.sequence_length), features: case.features.clone() };
    let plan = match model.plan(settings, &shape, case.target).await? {
        Plan::Network(network) => json!({"kind": "network", "network": network}),
        Plan::Members(members, combine) => {
            let member =
                |(model_type, config, weight): &(String, Value, f64)| json!({"model_type": model_type, "config": config, "weight": weight});
            json!({"kind": "members", "members": members.iter().map(member).collect::<Vec<_>>(), "combine": combine})
        }
        Plan::Guest { scaled, last_step_only } => json!({"kind": "guest", "scaled": scaled, "last_step_only": last_step_only}),
    };
    Ok(json!({"plan": plan}))
}

//! Trials per kind.

use bellwether_domain::network::Network;
use bellwether_domain::network::shape::infer;
use bellwether_domain::target::{Target, TargetKind};
use serde_json::Value;

use super::{Findings, input};
use crate::instance::Active;
use crate::{DriftDetector, DriftTest, InputShape, ModelPlugin, Plan, Strategy};

pub(super) async fn run(findings: &mut Findings, active: &Active, config: &Value) {
    match active {
        Active::Model(model) => model_type(findings, model, config).await,
        Active::DriftTest(test) => drift_test(findings, test, config).await,
        Active::DriftDetector(detector) => drift_detector(findings, detector, config).await,
        Active::DeploymentStrategy(strategy) => deployment_strategy(findings, strategy, config).await,
        Active::AlertHandler(handler) => {
            // Where it leads to a receiver, one is really told; without a grant it must say that it could not.
            findings.hostile("handle: an alert", handler.handle(&input::alert(10), "plugin-check-1").await);
            findings.hostile("handle: a summary of 200 000 letters", handler.handle(&input::alert(200_000), "plugin-check-2").await);
        }
    }
}

async fn drift_test(findings: &mut Findings, test: &DriftTest, config: &Value) {
    let Some(accepts) = findings.ordinary("accepts", test.accepts().await) else { return };
    findings.same("accepts: pure", &accepts, test.accepts().await);
    let reference = input::frame(&accepts, |place| input::numbers(place, 0.0));
    let Some(baseline) = findings.ordinary("baseline", test.baseline(reference.clone(), config).await) else { return };
    findings.same("baseline: pure", &baseline, test.baseline(reference, config).await);
    let alike = input::frame(&accepts, |place| input::numbers(place + 100, 0.0));
    let moved = input::frame(&accepts, |place| input::numbers(place + 100, 3.0));
    let first = findings.ordinary("test: data alike", test.test(&baseline, alike.clone(), config).await);
    let second = findings.ordinary("test: data three deviations away", test.test(&baseline, moved, config).await);
    if let (Some(alike_outcome), Some(moved_outcome)) = (first, second) {
        findings.same("test: pure", &alike_outcome, test.test(&baseline, alike, config).await);
        let further = moved_outcome.score >= alike_outcome.score;
        findings.add("test: further data score higher", further, format!("{} against {}", moved_outcome.score, alike_outcome.score));
    }
    for (name, values) in input::hostile(500) {
        let frame = input::frame(&accepts, |_| values.clone());
        findings.hostile(&format!("baseline: {name}"), test.baseline(frame.clone(), config).await);
        findings.hostile(&format!("test: {name}"), test.test(&baseline, frame, config).await);
    }
    let current = input::frame(&accepts, |place| input::numbers(place, 0.0));
    for (name, foreign) in foreign(&baseline) {
        findings.hostile(&format!("test: {name}"), test.test(&foreign, current.clone(), config).await);
    }
}

/// Bytes that are not what the plugin made.
fn foreign(own: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("an empty state", Vec::new()),
        ("a foreign state", b"this was never made by this plugin".to_vec()),
        ("half of its state", own[..own.len() / 2].to_vec()),
        ("a state of ones", vec![0xff; own.len().max(8)]),
    ]
}

async fn drift_detector(findings: &mut Findings, detector: &DriftDetector, config: &Value) {
    let Some(start) = findings.ordinary("start", detector.start(config).await) else { return };
    findings.same("start: pure", &start, detector.start(config).await);
    let mut values = input::numbers(1, 0.0);
    values.extend(input::numbers(2, 5.0));
    let Some(whole) = findings.ordinary("update", detector.update(&start, &values, config).await) else { return };
    findings.same("update: pure", &whole, detector.update(&start, &values, config).await);
    let cut = values.len() / 3;
    let parts = async {
        let (state, mut events) = detector.update(&start, &values[..cut], config).await?;
        let (_, rest) = detector.update(&state, &values[cut..], config).await?;
        events.extend(rest.into_iter().map(|event| crate::DriftEvent { index: event.index + cut as u32, ..event }));
        Ok(events)
    };
    findings.same("update: split in two gives the same events", &whole.1, parts.await);
    for (name, values) in input::hostile(500) {
        findings.hostile(&format!("update: {name}"), detector.update(&start, &values, config).await);
    }
    for (name, foreign) in foreign(&whole.0) {
        findings.hostile(&format!("update: {name}"), detector.update(&foreign, &[1.0, 2.0], config).await);
    }
}

async fn deployment_strategy(findings: &mut Findings, strategy: &Strategy, config: &Value) {
    let view = input::rollout();
    let Some(first) = findings.ordinary("next: a fresh rollout", strategy.next(&view, config).await) else { return };
    findings.same("next: pure", &first, strategy.next(&view, config).await);
    for (name, view) in input::hostile_rollouts() {
        findings.hostile(&format!("next: {name}"), strategy.next(&view, config).await);
    }
}

async fn model_type(findings: &mut Findings, model: &ModelPlugin, config: &Value) {
    let space = findings.ordinary("search-space", model.search_space().await);
    let Some(needs) = findings.ordinary("requires", model.requirements(config).await) else { return };
    findings.same("requires: pure", &needs, model.requirements(config).await);
    let mut features: Vec<String> = needs.features.iter().map(ToString::to_string).collect();
    if features.is_empty() {
        features = vec!["log-return".to_owned(), "volume-zscore(20)".to_owned()];
    }
    let shape = InputShape { sequence_length: needs.sequence_length, features: features.clone() };
    let target = |kind| Target { kind, horizon: 1 };
    let plan = findings.ordinary("plan: return", model.plan(config, &shape, target(TargetKind::Return)).await);
    findings.hostile("plan: direction", model.plan(config, &shape, target(TargetKind::Direction)).await);
    findings.hostile("plan: one step, one feature", {
        let least = InputShape { sequence_length: 1, features: features[..1].to_vec() };
        model.plan(config, &least, target(TargetKind::Return)).await
    });
    let none = InputShape { sequence_length: 0, features: Vec::new() };
    findings.hostile("plan: no step, no feature", model.plan(config, &none, target(TargetKind::Return)).await);
    let Some(plan) = plan else { return };
    findings.same("plan: pure", &plan, model.plan(config, &shape, target(TargetKind::Return)).await);
    if let Some(space) = space {
        tunable(findings, &space, config);
    }
    match plan {
        Plan::Network(network) => shapes(findings, &network, &shape),
        Plan::Members(..) => {}
        Plan::Guest { last_step_only, .. } => {
            let steps = if last_step_only { 1 } else { needs.sequence_length };
            estimator(findings, model, config, &features, steps).await;
        }
    }
}

/// Settings to tune must be settings there are.
fn tunable(findings: &mut Findings, space: &Value, config: &Value) {
    let names = space.as_array().into_iter().flatten().filter_map(|parameter| parameter["name"].as_str());
    let unknown: Vec<&str> = names.filter(|name| config.get(name).is_none()).collect();
    let detail =
        if unknown.is_empty() { "each is a setting with a default".to_owned() } else { format!("no such setting: {}", unknown.join(", ")) };
    findings.add("search-space names settings", unknown.is_empty(), detail);
}

/// The network must be one the host can build for the input it was planned for.
fn shapes(findings: &mut Findings, network: &Network, input: &InputShape) {
    let what = "plan: the network's shapes fit together";
    match infer(network, input.sequence_length as usize, input.features.len()) {
        Ok(_) => findings.add(what, true, format!("{} nodes, {} outputs", network.nodes.len(), network.outputs.len())),
        Err(error) => findings.add(what, false, error.to_string()),
    }
}

async fn estimator(findings: &mut Findings, model: &ModelPlugin, config: &Value, features: &[String], steps: u32) {
    let windows = |value, with_targets| input::windows(features, steps, value, with_targets);
    let fit = async |value, seed| model.fit(config, windows(value, true), windows(value, true), seed, Box::new(|_, _, _, _| true)).await;
    let Some(state) = findings.ordinary("fit", fit(None, 1).await) else { return };
    findings.same("fit: pure for one seed", &state, fit(None, 1).await);
    let stopped = model.fit(config, windows(None, true), windows(None, true), 1, Box::new(|_, _, _, _| false)).await;
    findings.hostile("fit: asked to stop at once", stopped);
    let Some(first) = findings.ordinary("predict", model.predict(config, &state, windows(None, false)).await) else { return };
    findings.same("predict: pure", &first, model.predict(config, &state, windows(None, false)).await);
    for (name, value) in [("a constant", 1.0), ("only missing values", f64::NAN), ("huge values", f64::MAX)] {
        findings.hostile(&format!("fit: {name}"), fit(Some(value), 1).await);
        findings.hostile(&format!("predict: {name}"), model.predict(config, &state, windows(Some(value), false)).await);
    }
    for (name, foreign) in foreign(&state) {
        findings.hostile(&format!("predict: {name}"), model.predict(config, &foreign, windows(None, false)).await);
    }
}

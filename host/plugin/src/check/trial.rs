//! Trials per kind.

use bellwether_domain::network::Network;
use bellwether_domain::network::shape::infer;
use bellwether_domain::target::{Target, TargetKind};
use serde_json::{Value, json};

use super::again::Twice;
use super::finding::{Findings, Topic};
use super::{estimator, handler, input};
use crate::cases::receiver::Receiver;
use crate::instance::Active;
use crate::schema::Schema;
use crate::{Acceptance, DriftDetector, DriftTest, InputShape, ModelPlugin, Plan, Strategy};

/// Rows of a column in the trial of limits.
const MANY_ROWS: usize = 1_000_000;

/// Values given to a detector at once in the trial of limits.
const MANY_VALUES: usize = 50_000;

pub(super) async fn run(findings: &mut Findings, active: &Active, schema: &Schema, twice: Twice<'_>, receiver: Option<&Receiver>) {
    match active {
        Active::Model(model) => model_type(findings, model, schema, twice).await,
        Active::DriftTest(test) => drift_test(findings, test, twice).await,
        Active::DriftDetector(detector) => drift_detector(findings, detector, twice).await,
        Active::DeploymentStrategy(strategy) => deployment_strategy(findings, strategy, twice).await,
        Active::AlertHandler(handler) => match receiver {
            Some(receiver) => handler::received(findings, handler, receiver).await,
            None => handler::told(findings, handler).await,
        },
    }
}

async fn drift_test(findings: &mut Findings, test: &DriftTest, twice: Twice<'_>) {
    let config = twice.config;
    let Some(accepts) = findings.ordinary(Topic::Answers, "accepts", test.accepts().await) else { return };
    findings.same("accepts: pure", &accepts, test.accepts().await);
    let reference = input::frame(&accepts, |place| input::numbers(place, 0.0));
    let made = test.baseline(reference.clone(), config).await;
    let Some(baseline) = findings.ordinary(Topic::Answers, "baseline", made) else { return };
    findings.same("baseline: pure", &baseline, test.baseline(reference.clone(), config).await);
    let alike = input::frame(&accepts, |place| input::numbers(place + 100, 0.0));
    let moved = input::frame(&accepts, |place| input::numbers(place + 100, 3.0));
    let first = findings.ordinary(Topic::Answers, "test: data alike", test.test(&baseline, alike.clone(), config).await);
    let outcome = test.test(&baseline, moved, config).await;
    let second = findings.ordinary(Topic::Answers, "test: data three deviations away", outcome);
    if let (Some(alike_outcome), Some(moved_outcome)) = (first, second) {
        findings.same("test: pure", &alike_outcome, test.test(&baseline, alike.clone(), config).await);
        let further = moved_outcome.score >= alike_outcome.score;
        let detail = format!("{} against {}", moved_outcome.score, alike_outcome.score);
        findings.add(Topic::Answers, "test: further data score higher", further, detail);
    }
    if let Some(same) = twice.drift_test(reference, alike).await.transpose() {
        findings.again("baseline and test", same);
    }
    hostile_frames(findings, test, config, &accepts, &baseline).await;
    let current = input::frame(&accepts, |place| input::numbers(place, 0.0));
    for (name, foreign) in foreign(&baseline) {
        findings.hostile(Topic::ForeignState, &format!("test: {name}"), test.test(&foreign, current.clone(), config).await);
    }
    let numbers = input::numbers(1, 0.0);
    let many = input::frame(&accepts, |_| numbers.iter().copied().cycle().take(MANY_ROWS).collect());
    findings.hostile(Topic::Limits, "baseline: a million rows", test.baseline(many.clone(), config).await);
    findings.hostile(Topic::Limits, "test: a million rows", test.test(&baseline, many, config).await);
}

async fn hostile_frames(findings: &mut Findings, test: &DriftTest, config: &Value, accepts: &Acceptance, baseline: &[u8]) {
    for (name, values) in input::hostile(500) {
        let frame = input::frame(accepts, |_| values.clone());
        let made = test.baseline(frame.clone(), config).await;
        // What it made of odd data, it must be able to read.
        if let Ok(made) = &made {
            let outcome = test.test(made, frame.clone(), config).await;
            findings.hostile(Topic::HostileInput, &format!("test: {name} against itself"), outcome);
        }
        findings.hostile(Topic::HostileInput, &format!("baseline: {name}"), made);
        findings.hostile(Topic::HostileInput, &format!("test: {name}"), test.test(baseline, frame, config).await);
    }
}

/// Bytes that are not what the plugin made.
pub(super) fn foreign(own: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("an empty state", Vec::new()),
        ("a foreign state", b"this was never made by this plugin".to_vec()),
        ("half of its state", own[..own.len() / 2].to_vec()),
        ("a state of ones", vec![0xff; own.len().max(8)]),
    ]
}

async fn drift_detector(findings: &mut Findings, detector: &DriftDetector, twice: Twice<'_>) {
    let config = twice.config;
    let Some(start) = findings.ordinary(Topic::Answers, "start", detector.start(config).await) else { return };
    findings.same("start: pure", &start, detector.start(config).await);
    let mut values = input::numbers(1, 0.0);
    values.extend(input::numbers(2, 5.0));
    let outcome = detector.update(&start, &values, config).await;
    let Some(whole) = findings.ordinary(Topic::Answers, "update", outcome) else { return };
    findings.same("update: pure", &whole, detector.update(&start, &values, config).await);
    if let Some(same) = twice.drift_detector(values.clone()).await.transpose() {
        findings.again("start and update", same);
    }
    let two = in_parts(detector, config, &start, &values, values.len() / 3).await;
    findings.same("update: split in two gives the same events", &whole.1, two);
    let many = in_parts(detector, config, &start, &values, 37).await;
    findings.same("update: split in many gives the same events", &whole.1, many);
    let few = &values[..100];
    if let Ok((_, events)) = detector.update(&start, few, config).await {
        findings.same("update: value by value gives the same events", &events, in_parts(detector, config, &start, few, 1).await);
    }
    for (name, values) in input::hostile(500) {
        findings.hostile(Topic::HostileInput, &format!("update: {name}"), detector.update(&start, &values, config).await);
        // The state after ordinary values meets odd ones, too.
        findings.hostile(
            Topic::HostileInput,
            &format!("update: {name}, after ordinary ones"),
            detector.update(&whole.0, &values, config).await,
        );
    }
    for (name, foreign) in foreign(&whole.0) {
        findings.hostile(Topic::ForeignState, &format!("update: {name}"), detector.update(&foreign, &[1.0, 2.0], config).await);
    }
    let much: Vec<f64> = values.iter().copied().cycle().take(MANY_VALUES).collect();
    findings.hostile(Topic::Limits, &format!("update: {MANY_VALUES} values"), detector.update(&start, &much, config).await);
}

/// The events of values given in parts of this size.
async fn in_parts(
    detector: &DriftDetector,
    config: &Value,
    start: &[u8],
    values: &[f64],
    size: usize,
) -> bellwether_domain::Result<Vec<crate::DriftEvent>> {
    let (mut state, mut events, mut before) = (start.to_vec(), Vec::new(), 0);
    for part in values.chunks(size) {
        let (next, found) = detector.update(&state, part, config).await?;
        events.extend(found.into_iter().map(|event| crate::DriftEvent { index: event.index + before, ..event }));
        state = next;
        before += u32::try_from(part.len()).unwrap_or(u32::MAX);
    }
    Ok(events)
}

async fn deployment_strategy(findings: &mut Findings, strategy: &Strategy, twice: Twice<'_>) {
    let config = twice.config;
    let view = input::rollout();
    let decided = strategy.next(&view, config).await;
    let Some(first) = findings.ordinary(Topic::Answers, "next: a fresh rollout", decided) else { return };
    findings.same("next: pure", &first, strategy.next(&view, config).await);
    if let Some(same) = twice.strategy(&view).await.transpose() {
        findings.again("next", same);
    }
    for (name, view) in input::hostile_rollouts() {
        findings.hostile(Topic::HostileInput, &format!("next: {name}"), strategy.next(&view, config).await);
    }
    for (name, state) in foreign(&first.state) {
        let view = bellwether_domain::rollout::RolloutView { state, ..view.clone() };
        findings.hostile(Topic::ForeignState, &format!("next: {name}"), strategy.next(&view, config).await);
    }
}

async fn model_type(findings: &mut Findings, model: &ModelPlugin, schema: &Schema, twice: Twice<'_>) {
    let config = twice.config;
    let space = findings.ordinary(Topic::Answers, "search-space", model.search_space().await);
    let Some(needs) = findings.ordinary(Topic::Answers, "requires", model.requirements(config).await) else { return };
    findings.same("requires: pure", &needs, model.requirements(config).await);
    let mut features: Vec<String> = needs.features.iter().map(ToString::to_string).collect();
    if features.is_empty() {
        features = vec!["log-return".to_owned(), "volume-zscore(20)".to_owned()];
    }
    let shape = InputShape { sequence_length: needs.sequence_length, features: features.clone() };
    let target = |kind| Target { kind, horizon: 1 };
    let planned = model.plan(config, &shape, target(TargetKind::Return)).await;
    let plan = findings.ordinary(Topic::Answers, "plan: return", planned);
    let hostile = [
        ("direction", target(TargetKind::Direction), shape.clone()),
        ("one step, one feature", target(TargetKind::Return), InputShape { sequence_length: 1, features: features[..1].to_vec() }),
        ("no step, no feature", target(TargetKind::Return), InputShape { sequence_length: 0, features: Vec::new() }),
        ("four thousand million steps", target(TargetKind::Return), InputShape { sequence_length: u32::MAX, features: features.clone() }),
        ("ten thousand bars ahead", Target { kind: TargetKind::Return, horizon: 10_000 }, shape.clone()),
    ];
    for (name, target, shape) in hostile {
        findings.hostile(Topic::HostileInput, &format!("plan: {name}"), model.plan(config, &shape, target).await);
    }
    let Some(plan) = plan else { return };
    findings.same("plan: pure", &plan, model.plan(config, &shape, target(TargetKind::Return)).await);
    if let Some(space) = space {
        tunable(findings, &space, schema, config);
    }
    match plan {
        Plan::Network(network) => shapes(findings, &network, &shape),
        Plan::Members(..) => {}
        Plan::Guest { last_step_only, .. } => {
            let steps = if last_step_only { 1 } else { needs.sequence_length };
            estimator::run(findings, model, twice, &features, steps).await;
        }
    }
}

/// Settings to tune must be settings there are, and the bounds of their ranges such as the schema takes.
fn tunable(findings: &mut Findings, space: &Value, schema: &Schema, config: &Value) {
    let parameters = || space.as_array().into_iter().flatten();
    let names = parameters().filter_map(|parameter| parameter["name"].as_str());
    let unknown: Vec<&str> = names.filter(|name| config.get(name).is_none()).collect();
    let detail =
        if unknown.is_empty() { "each is a setting with a default".to_owned() } else { format!("no such setting: {}", unknown.join(", ")) };
    findings.add(Topic::Description, "search-space names settings", unknown.is_empty(), detail);
    let bounds = parameters().flat_map(|parameter| {
        let range = &parameter["range"];
        let values = match range["values"].as_array() {
            Some(values) => values.clone(),
            None => vec![range["low"].clone(), range["high"].clone()],
        };
        values.into_iter().map(|value| json!({ parameter["name"].as_str().unwrap_or_default(): value }))
    });
    let refused = bounds.filter_map(|bound| schema.fill("config", &[config, &bound]).err()).map(|error| error.to_string()).next();
    let detail = refused.clone().unwrap_or_else(|| "the schema takes every bound and choice".to_owned());
    findings.add(Topic::Description, "search-space stays within the schema", refused.is_none(), detail);
}

/// The network must be one the host can build for the input it was planned for.
fn shapes(findings: &mut Findings, network: &Network, input: &InputShape) {
    let what = "plan: the network's shapes fit together";
    match infer(network, input.sequence_length as usize, input.features.len()) {
        Ok(_) => findings.add(Topic::Answers, what, true, format!("{} nodes, {} outputs", network.nodes.len(), network.outputs.len())),
        Err(error) => findings.add(Topic::Answers, what, false, error.to_string()),
    }
}

//! What a case looks like, by kind. Members that are missing get plain defaults; unknown ones are errors with a suggestion.
//!
//! | kind | members besides `about`, `config`, `tolerance`, `expect` |
//! |---|---|
//! | `drift-test` | `reference` and `current`, columns by name; `categorical`, names of columns that are; null is a missing value |
//! | `drift-detector` | `values` |
//! | `deployment-strategy` | `rollout`, as the host's JSON has it |
//! | `alert-handler` | `alert`, `answer` of the receiver `{{receiver}}` stands for, `secrets` by name |
//! | `model` | `features`, `target`, `seed`; `train`, `validation` and `inputs`, each `{steps, windows, targets}`; without `train` only the plan is made |

use std::collections::BTreeMap;

use bellwether_domain::alert::Alert;
use bellwether_domain::rollout::RolloutView;
use bellwether_domain::suggest;
use bellwether_domain::target::{Target, TargetKind};
use bellwether_domain::time::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::frame::{Column, ColumnKind, Frame, Windows};
use crate::manifest::Kind;

/// Numbers are compared within this part of their size unless the case says otherwise.
const TOLERANCE: f64 = 1e-9;

/// One case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) config: Value,
    pub(super) given: Given,
    pub(super) tolerance: f64,
    pub(super) expect: Value,
}

/// The input of a case.
#[derive(Debug)]
pub(super) enum Given {
    DriftTest { reference: Table, current: Table },
    DriftDetector(Vec<f64>),
    DeploymentStrategy(Box<RolloutView>),
    AlertHandler { alert: Box<Alert>, idempotency_key: String, answer: Answer, secrets: BTreeMap<String, String> },
    Model(Box<ModelCase>),
}

/// Columns by name, and which of them are categorical.
#[derive(Debug)]
pub(super) struct Table {
    columns: BTreeMap<String, Vec<Option<f64>>>,
    categorical: Vec<String>,
}

/// How the local receiver answers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    body: Value,
}

/// A model's case.
#[derive(Debug)]
pub(super) struct ModelCase {
    pub(super) features: Vec<String>,
    pub(super) steps: Option<u32>,
    pub(super) target: Target,
    pub(super) seed: u64,
    /// Training, validation and input windows; none when only the plan is asked for.
    pub(super) samples: Option<(Windows, Windows, Windows)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DriftTestMembers {
    reference: BTreeMap<String, Vec<Option<f64>>>,
    current: BTreeMap<String, Vec<Option<f64>>>,
    #[serde(default)]
    categorical: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DetectorMembers {
    values: Vec<Option<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrategyMembers {
    #[serde(default)]
    rollout: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandlerMembers {
    #[serde(default)]
    alert: Map<String, Value>,
    #[serde(default)]
    answer: Answer,
    #[serde(default)]
    secrets: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelMembers {
    features: Vec<String>,
    #[serde(default)]
    steps: Option<u32>,
    #[serde(default)]
    target: Option<Target>,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    train: Option<Samples>,
    #[serde(default)]
    validation: Option<Samples>,
    #[serde(default)]
    inputs: Option<Samples>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Samples {
    #[serde(default)]
    steps: Option<u32>,
    windows: Vec<Vec<Vec<Option<f64>>>>,
    #[serde(default)]
    targets: Vec<Option<f64>>,
}

impl Default for Answer {
    fn default() -> Answer {
        Answer { status: 200, headers: BTreeMap::new(), body: Value::Null }
    }
}

impl Answer {
    /// An answer of this status.
    pub(crate) fn status(status: u16) -> Answer {
        Answer { status, ..Answer::default() }
    }

    /// An answer that sends the caller on.
    pub(crate) fn redirect(location: &str) -> Answer {
        Answer { status: 307, headers: BTreeMap::from([("location".to_owned(), location.to_owned())]), body: Value::Null }
    }

    /// An answer that takes it, with a body.
    pub(crate) fn with_body(body: Value) -> Answer {
        Answer { body, ..Answer::default() }
    }

    /// The body: a text as it is, anything else as JSON.
    pub(super) fn body_text(&self) -> String {
        match &self.body {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    fn check(&self) -> Result<(), String> {
        if !(200..=599).contains(&self.status) {
            return Err(format!("answer.status: is {}; a receiver answers with 200 to 599", self.status));
        }
        let good = |(name, value): (&String, &String)| {
            http::HeaderName::try_from(name.as_str()).is_ok() && http::HeaderValue::try_from(value.as_str()).is_ok()
        };
        if self.headers.iter().all(good) { Ok(()) } else { Err("answer.headers: holds what is no HTTP header".to_owned()) }
    }
}

impl Case {
    /// Reads a case for a plugin of this kind. The error names the member and the fix.
    pub(super) fn read(kind: Kind, text: &str) -> Result<Case, String> {
        let mut members: Map<String, Value> = serde_json::from_str(text).map_err(|error| format!("it is not a JSON object: {error}"))?;
        members.remove("about");
        let config = members.remove("config").unwrap_or_else(|| json!({}));
        let tolerance = match members.remove("tolerance") {
            None => TOLERANCE,
            Some(value) => value.as_f64().filter(|tolerance| *tolerance >= 0.0).ok_or("tolerance: must be a number, 0 or more")?,
        };
        let expect = members.remove("expect").filter(Value::is_object).ok_or("expect: must be an object with what must come out")?;
        let given = match kind {
            Kind::DriftTest => {
                let DriftTestMembers { reference, current, categorical } = parsed(members)?;
                Given::DriftTest {
                    reference: Table { columns: reference, categorical: categorical.clone() },
                    current: Table { columns: current, categorical },
                }
            }
            Kind::DriftDetector => Given::DriftDetector(numbers(parsed::<DetectorMembers>(members)?.values)),
            Kind::DeploymentStrategy => Given::DeploymentStrategy(Box::new(rollout(parsed::<StrategyMembers>(members)?.rollout)?)),
            Kind::AlertHandler => {
                let HandlerMembers { alert: given, answer, secrets } = parsed(members)?;
                answer.check()?;
                let (alert, idempotency_key) = alert(given)?;
                Given::AlertHandler { alert: Box::new(alert), idempotency_key, answer, secrets }
            }
            Kind::Model => Given::Model(Box::new(model(parsed(members)?)?)),
        };
        Ok(Case { config, given, tolerance, expect })
    }
}

impl Table {
    /// The columns, by name; `numeric` says what the plugin takes a column for that the case does not call categorical.
    pub(super) fn frame(&self, numeric: bool) -> Frame {
        let column = |(name, values): (&String, &Vec<Option<f64>>)| {
            let categorical = !numeric || self.categorical.contains(name);
            let kind = if categorical { ColumnKind::Categorical } else { ColumnKind::Numeric };
            Column { name: name.as_str().into(), kind, values: numbers(values.clone()).into() }
        };
        Frame { columns: self.columns.iter().map(column).collect() }
    }
}

/// Null stands for NaN.
fn numbers(values: Vec<Option<f64>>) -> Vec<f64> {
    values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect()
}

fn parsed<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(members)).map_err(|error| explain(&error.to_string()))
}

/// What is wrong with a member, with the near match for an unknown one.
fn explain(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field `")
        && let Some((name, known)) = rest.split_once('`')
    {
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let near = suggest::nearest(name, known).unwrap_or_default();
        return format!("{name}: is no member of a case of this kind; {near}");
    }
    if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return format!("{name}: is missing");
    }
    message.to_owned()
}

/// Lays `given` over an object of defaults; members that are not there are errors.
fn over(mut plain: Value, given: Map<String, Value>, what: &str) -> Result<Value, String> {
    for (name, value) in given {
        match plain.get_mut(&name) {
            Some(there) => *there = value,
            None => {
                let known = plain.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
                let near = suggest::nearest(&name, known).unwrap_or_default();
                return Err(format!("{what}.{name}: is no member of it; {near}"));
            }
        }
    }
    Ok(plain)
}

fn rollout(mut given: Map<String, Value>) -> Result<RolloutView, String> {
    if let Some(now) = given.remove("now_ms") {
        given.insert("now".to_owned(), moment("rollout.now_ms", &now)?);
    }
    let side = |model_id: &str, share: f64| json!({"model_id": model_id, "share": share, "shadow": 0.0, "measured": {}});
    for (name, plain) in [("stable", side("stable", 1.0)), ("candidate", side("candidate", 0.0))] {
        match given.remove(name) {
            None => drop(given.insert(name.to_owned(), plain)),
            Some(Value::Object(members)) => {
                let whole = over(plain, members, &format!("rollout.{name}"))?;
                given.insert(name.to_owned(), whole);
            }
            Some(other) => drop(given.insert(name.to_owned(), other)),
        }
    }
    let plain = json!({
        "id": "rollout-1", "endpoint": "BTC-USDT", "stable": null, "candidate": null, "steps": [], "elapsed_seconds": 0.0,
        "now": Timestamp(0), "health": null, "analysis": null, "approved": false, "state": [],
    });
    serde_json::from_value(over(plain, given, "rollout")?).map_err(|error| format!("rollout: {error}"))
}

fn alert(mut given: Map<String, Value>) -> Result<(Alert, String), String> {
    if let Some(started) = given.remove("started_at_ms") {
        given.insert("started_at".to_owned(), moment("alert.started_at_ms", &started)?);
    }
    // Pairs as the contract has them, or an object.
    if let Some(Value::Array(pairs)) = given.get("labels") {
        let pairs: Vec<(String, String)> =
            serde_json::from_value(Value::Array(pairs.clone())).map_err(|error| format!("alert.labels: {error}"))?;
        given.insert("labels".to_owned(), json!(pairs.into_iter().collect::<BTreeMap<String, String>>()));
    }
    let key = match given.remove("idempotency_key") {
        None => "alert-1:firing:1".to_owned(),
        Some(Value::String(key)) => key,
        Some(_) => return Err("alert.idempotency_key: must be a text".to_owned()),
    };
    let plain = json!({
        "id": "alert-1", "condition": "data-drift", "severity": "warning", "phase": "firing", "summary": "", "model_id": null,
        "symbol": null, "started_at": Timestamp(0), "labels": {}, "detail": {},
    });
    let mut whole = over(plain, given, "alert")?;
    whole["resolved_at"] = Value::Null;
    whole["deliveries"] = json!([]);
    Ok((serde_json::from_value(whole).map_err(|error| format!("alert: {error}"))?, key))
}

/// Milliseconds as the time they mean.
fn moment(name: &str, milliseconds: &Value) -> Result<Value, String> {
    let milliseconds = milliseconds.as_i64().ok_or_else(|| format!("{name}: must be whole milliseconds since 1970-01-01T00:00:00Z"))?;
    Ok(json!(Timestamp(milliseconds)))
}

fn model(members: ModelMembers) -> Result<ModelCase, String> {
    if members.features.is_empty() {
        return Err("features: is empty; name at least one".to_owned());
    }
    let windows = |name: &str, samples: Samples| windows(name, &members.features, samples);
    let samples = match (members.train, members.inputs) {
        (None, None) => None,
        (Some(train), Some(inputs)) => {
            let validation = members.validation.unwrap_or_else(|| train.clone());
            Some((windows("train", train)?, windows("validation", validation)?, windows("inputs", inputs)?))
        }
        (None, Some(_)) => return Err("train: is missing; without it only the plan is made, and `inputs` has no use".to_owned()),
        (Some(_), None) => return Err("inputs: is missing; give the windows to predict".to_owned()),
    };
    let target = members.target.unwrap_or(Target { kind: TargetKind::Return, horizon: 1 });
    Ok(ModelCase { features: members.features, steps: members.steps, target, seed: members.seed, samples })
}

/// Windows [sample][step][feature] as rows that no two of them share.
fn windows(name: &str, features: &[String], samples: Samples) -> Result<Windows, String> {
    let first = samples.windows.first().map(|window| u32::try_from(window.len()).unwrap_or(u32::MAX));
    let steps = samples.steps.or(first).unwrap_or(1);
    let mut rows = Vec::new();
    for (place, window) in samples.windows.iter().enumerate() {
        if window.len() != steps as usize {
            return Err(format!("{name}.windows[{place}]: has {} steps; each window has {steps}", window.len()));
        }
        for (step, row) in window.iter().enumerate() {
            if row.len() != features.len() {
                return Err(format!("{name}.windows[{place}][{step}]: has {} numbers for {} features", row.len(), features.len()));
            }
            rows.extend(row.iter().map(|value| value.unwrap_or(f64::NAN)));
        }
    }
    if !samples.targets.is_empty() && samples.targets.len() != samples.windows.len() {
        return Err(format!("{name}.targets: has {} numbers for {} windows", samples.targets.len(), samples.windows.len()));
    }
    let ends: Vec<usize> = (1..=samples.windows.len()).map(|sample| sample * steps as usize - 1).collect();
    Ok(Windows { features: features.into(), steps, rows: rows.into(), ends: ends.into(), targets: numbers(samples.targets).into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, case: &Value) -> Result<Given, String> {
        Case::read(kind, &case.to_string()).map(|case| case.given)
    }

    #[test]
    fn mistakes_name_the_member() {
        let check = |kind, case: Value, expected: &str| {
            let why = read(kind, &case).expect_err(expected);
            assert!(why.contains(expected), "{case}: {why}");
        };
        let test = Kind::DriftTest;
        check(test, json!([]), "not a JSON object");
        check(test, json!({"reference": {}, "current": {}}), "expect: must be an object");
        check(
            test,
            json!({"refrence": {}, "current": {}, "expect": {}}),
            "refrence: is no member of a case of this kind; did you mean `reference`?",
        );
        check(test, json!({"current": {}, "expect": {}}), "reference: is missing");
        check(test, json!({"reference": {}, "current": {}, "expect": {}, "tolerance": -1}), "tolerance: must be a number");
        check(Kind::DriftDetector, json!({"values": ["a"], "expect": {}}), "invalid type");
        let strategy = Kind::DeploymentStrategy;
        check(strategy, json!({"rollout": {"elapsed": 1}, "expect": {}}), "rollout.elapsed: is no member of it");
        check(strategy, json!({"rollout": {"candidate": {"shares": 1}}, "expect": {}}), "did you mean `share`?");
        check(strategy, json!({"rollout": {"now_ms": "noon"}, "expect": {}}), "rollout.now_ms: must be whole milliseconds");
        let handler = Kind::AlertHandler;
        check(handler, json!({"alert": {"sumary": ""}, "expect": {}}), "did you mean `summary`?");
        check(handler, json!({"answer": {"status": 99}, "expect": {}}), "answer.status: is 99");
        check(handler, json!({"answer": {"headers": {"a b": "c"}}, "expect": {}}), "answer.headers");
        let model = Kind::Model;
        check(model, json!({"features": [], "expect": {}}), "features: is empty");
        check(model, json!({"features": ["a"], "train": {"windows": []}, "expect": {}}), "inputs: is missing");
        let inputs = |windows: Value| json!({"features": ["a"], "train": {"windows": []}, "inputs": {"windows": windows}, "expect": {}});
        check(model, inputs(json!([[[1]], [[1], [2]]])), "inputs.windows[1]: has 2 steps; each window has 1");
        check(model, inputs(json!([[[1, 2]]])), "inputs.windows[0][0]: has 2 numbers for 1 features");
        let targets = json!({"features": ["a"], "train": {"windows": [[[1]]], "targets": [1, 2]}, "inputs": {"windows": []}, "expect": {}});
        check(model, targets, "train.targets: has 2 numbers for 1 windows");
    }

    #[test]
    fn missing_members_are_plain() {
        let Ok(Given::DeploymentStrategy(view)) = read(Kind::DeploymentStrategy, &json!({"expect": {}})) else { panic!("a rollout") };
        assert_eq!((view.stable.expect("one").share, view.candidate.share, view.now), (1.0, 0.0, Timestamp(0)));
        let given = json!({"rollout": {"stable": null, "now_ms": 5, "health": {"passed": true}, "state": [1]}, "expect": {}});
        let Ok(Given::DeploymentStrategy(view)) = read(Kind::DeploymentStrategy, &given) else { panic!("a rollout") };
        assert_eq!((view.stable, view.now, view.health.expect("one").passed, view.state), (None, Timestamp(5), true, vec![1]));

        let given = json!({"alert": {"labels": [["a", "b"]], "started_at_ms": 7, "idempotency_key": "k"}, "expect": {}});
        let Ok(Given::AlertHandler { alert, idempotency_key, answer, .. }) = read(Kind::AlertHandler, &given) else { panic!("an alert") };
        assert_eq!((alert.labels["a"].as_str(), alert.started_at, idempotency_key.as_str()), ("b", Timestamp(7), "k"));
        assert_eq!((answer.status, answer.body_text()), (200, String::new()));
    }

    #[test]
    fn windows_do_not_share_rows() {
        let given = json!({
            "features": ["a", "b"], "expect": {},
            "train": {"windows": [[[1, 2], [3, 4]], [[5, 6], [7, null]]], "targets": [1, null]}, "inputs": {"steps": 2, "windows": []},
        });
        let Ok(Given::Model(case)) = read(Kind::Model, &given) else { panic!("a model") };
        let (train, validation, inputs) = case.samples.expect("samples");
        assert_eq!((train.steps, &train.ends[..], &train.rows[..7]), (2, &[1, 3][..], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0][..]));
        assert!(train.rows[7].is_nan() && train.targets[1].is_nan());
        assert_eq!((validation.ends.len(), inputs.ends.len(), inputs.steps), (2, 0, 2));
        train.check().expect("whole");
        inputs.check().expect("empty is whole");
    }
}

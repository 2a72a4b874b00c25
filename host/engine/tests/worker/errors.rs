//! Orders that end otherwise: refused, failed, cancelled. None leaves a file.

use bellwether_domain::job::Stage;
use bellwether_engine::worker::Event;
use serde_json::{Value, json};

use crate::bench::{Bench, failure};

fn request(changes: Value) -> Value {
    let mut request = json!({
        "model_type": "lstm",
        "target": { "kind": "return", "horizon": 1 },
        "features": ["log-return", "realized-volatility(24)"],
        "sequence_length": 6,
        "config": { "lstm_units": [4], "epochs": 2 },
    });
    let (Some(request_fields), Value::Object(changes)) = (request.as_object_mut(), changes) else { panic!("objects") };
    request_fields.extend(changes);
    request
}

#[tokio::test]
async fn refusals_name_the_setting() {
    let bench = Bench::new(1200).await;
    let check = async |changes: Value, field: Option<&str>, expected: &str| {
        let (result, events) = bench.run(bench.order(request(changes)), |_| true).await;
        let (error, named, message) = failure(result, &events);
        assert_eq!(named.as_deref(), field, "{message}");
        assert!(message.contains(expected) && error.to_string() == message, "{message} lacks {expected}");
        assert!(!bench.output().exists());
    };
    check(json!({ "symbol": "ETH/USDT" }), None, "does not exist").await;
    check(json!({ "until": "1970-01-01" }), Some("data"), "has 0 bars in this period; at least 1000 are needed").await;
    check(json!({ "model_type": "ltsm" }), None, "`ltsm` does not exist").await;
    check(json!({ "sequence_length": 0 }), Some("sequence_length"), "must be 1 to 10000").await;
    check(json!({ "sequence_length": 700 }), Some("data"), "training samples").await;
    check(json!({ "features": [] }), Some("features"), "there are 0").await;
    check(json!({ "features": ["rsi", "rsi(14)"] }), Some("features"), "`rsi(14)` is named twice").await;
    check(json!({ "features": ["ema-ratio(200)"] }), Some("features"), "`ema-ratio(200)` needs").await;
    check(json!({ "target": { "kind": "return", "horizon": 0 } }), Some("target.horizon"), "must be 1 to 10000").await;
    check(json!({ "split": { "test": 0.0 } }), Some("split.test"), "above 0").await;
    check(json!({ "cost_bps": -1.0 }), Some("cost_bps"), "0 or more").await;
    check(json!({ "config": { "lstm_units": [4], "epochs": 0 } }), Some("config.epochs"), "").await;
    check(json!({ "model_type": "har", "config": {}, "target": { "kind": "direction" } }), None, "har predicts real numbers").await;
}

#[tokio::test]
async fn an_unknown_drift_test_costs_no_training() {
    let bench = Bench::new(1200).await;
    let mut order = bench.order(request(json!({})));
    order.drift_tests = vec!["kss".to_owned()];
    let (result, events) = bench.run(order, |_| true).await;
    let (error, ..) = failure(result, &events);
    assert_eq!(error.code(), "not_found");
    assert!(!events.iter().any(|event| matches!(event, Event::Progress(progress) if progress.stage == Stage::Fitting)));
}

#[tokio::test]
async fn a_cancelled_training_stops_and_leaves_nothing() {
    let bench = Bench::new(1500).await;
    for stage in [Stage::Preparing, Stage::Fitting, Stage::Evaluating, Stage::Registering] {
        let long = json!({ "config": { "lstm_units": [4], "epochs": if stage == Stage::Fitting { 10_000 } else { 1 }, "patience": 0 } });
        let mut fitted = 0;
        let listen = |event: &Event| match event {
            Event::Progress(progress) if progress.stage == stage => {
                fitted += 1;
                // A fit is left to run for a moment first.
                stage == Stage::Fitting && fitted < 3
            }
            _ => true,
        };
        let (result, events) = bench.run(bench.order(request(long)), listen).await;
        let (error, _, message) = failure(result, &events);
        assert_eq!((error.code(), message.as_str()), ("conflict", "the training was cancelled"), "{stage:?}");
        assert!(!bench.output().exists());
        let after = events.iter().rev().take_while(|event| !matches!(event, Event::Progress(_))).count();
        assert_eq!(after, 1, "nothing but the failure is said after the word to stop");
    }
}

#[tokio::test]
async fn an_output_that_cannot_be_written_is_said() {
    let bench = Bench::new(1200).await;
    let mut order = bench.order(request(json!({})));
    order.output = bench.output().join("no such folder").join("out.tar");
    let (result, events) = bench.run(order, |_| true).await;
    let (error, _, message) = failure(result, &events);
    assert!(error.code() == "unavailable" && message.contains("could not be written"), "{message}");
}

#[test]
fn orders_and_events_are_lines_of_json() {
    let events = [
        (Event::Log { message: "two\nlines".to_owned() }, r#"{"event":"log","message":"two\nlines"}"#),
        (
            Event::Failed { code: "invalid".to_owned(), field: None, message: "no".to_owned() },
            r#"{"event":"failed","code":"invalid","field":null,"message":"no"}"#,
        ),
    ];
    for (event, expected) in events {
        let line = serde_json::to_string(&event).expect("json");
        assert_eq!(line, expected);
        assert_eq!(serde_json::from_str::<Event>(&line).expect("event"), event);
    }
}

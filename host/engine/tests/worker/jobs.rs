//! Orders that end in an artifact.

use bellwether_domain::job::Stage;
use bellwether_domain::metrics::ModelMetrics;
use bellwether_domain::model::Body;
use bellwether_domain::time::{Interval, Timestamp};
use bellwether_engine::features;
use bellwether_engine::predictor::{Predictor, RawWindows};
use bellwether_engine::worker::Event;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::bench::Bench;

fn har() -> Value {
    let features = ["realized-volatility(6)", "realized-volatility(24)", "realized-volatility(72)"];
    json!({ "model_type": "har", "target": { "kind": "realized-volatility", "horizon": 12 }, "features": features })
}

fn lstm(kind: &str, horizon: u32) -> Value {
    json!({
        "model_type": "lstm",
        "target": { "kind": kind, "horizon": horizon },
        "features": ["log-return", "realized-volatility(24)", "rsi(5)"],
        "sequence_length": 8,
        "seed": 7,
        "config": { "lstm_units": [4], "epochs": 3, "batch_size": 64, "dropout_rate": 0.1 },
    })
}

fn done(events: &[Event]) -> (String, u64, ModelMetrics) {
    match events.last() {
        Some(Event::Done { digest, bytes, metrics }) => (digest.clone(), *bytes, (**metrics).clone()),
        other => panic!("it ended with {other:?}"),
    }
}

fn stages(events: &[Event]) -> Vec<Stage> {
    let mut stages: Vec<Stage> =
        events.iter().filter_map(|event| if let Event::Progress(progress) = event { Some(progress.stage) } else { None }).collect();
    stages.dedup();
    stages
}

#[tokio::test]
async fn a_guest_is_trained_judged_and_packed() {
    let bench = Bench::new(1600).await;
    let (events, artifact, predictor) = bench.train(har()).await;
    let (digest, bytes, metrics) = done(&events);
    let file = std::fs::read(bench.output()).expect("output");
    assert_eq!((digest, bytes), (hex::encode(Sha256::digest(&file)), file.len() as u64));
    assert_eq!(stages(&events), [Stage::Preparing, Stage::Fitting, Stage::Evaluating, Stage::Registering, Stage::Done]);
    assert_eq!(metrics, artifact.spec.metrics);
    assert!(metrics.skill.expect("skill") > 0.05, "a regression forecasts a wandering volatility better than its last value: {metrics:?}");
    assert_eq!((metrics.sharpe_ratio, metrics.samples), (None, artifact.spec.lineage.samples.map(|samples| samples[2])));

    let lineage = &artifact.spec.lineage;
    assert_eq!((lineage.rows, lineage.seed, lineage.job_id.as_deref()), (Some(1600), Some(0), Some("job_1")));
    assert_eq!(lineage.data_digest, Some(bellwether_engine::store::bars::digest(&bench.bars)));
    assert_eq!(lineage.last_bar, bench.bars.timestamp.last().copied().map(Timestamp));
    assert!(lineage.plugin.as_ref().is_some_and(|plugin| plugin.name == "har" && plugin.digest.len() == 64));
    assert!(matches!(&artifact.spec.body, Body::Guest { scaled: false, .. }));
    assert_eq!((artifact.spec.sequence_length, predictor.bars_needed(), predictor.is_native()), (1, 73, false));
    assert_eq!(artifact.baselines["ks"].len(), 3);
    assert!(artifact.baselines["ks"].iter().all(|baseline| !baseline.is_empty()));
    let rows = artifact.spec.baselines[0].rows;
    assert!(rows > 1000 && rows < 1300, "baselines read the training rows only: {rows}");
}

#[tokio::test]
async fn a_network_is_trained_alike_for_the_same_seed() {
    let bench = Bench::new(1500).await;
    let (events, artifact, predictor) = bench.train(lstm("return", 4)).await;
    let (digest, _, metrics) = done(&events);
    assert!(predictor.is_native() && predictor.size_bytes() > 1000);
    for value in [metrics.mse, metrics.mae, metrics.accuracy, metrics.skill, metrics.sharpe_ratio, metrics.max_drawdown] {
        assert!(value.is_some_and(f64::is_finite), "{metrics:?}");
    }
    let epochs = events.iter().filter(|event| matches!(event, Event::Log { message } if message.starts_with("epoch "))).count();
    assert_eq!(epochs, 3);
    let (again, ..) = bench.train(lstm("return", 4)).await;
    assert_eq!(done(&again).0, digest, "same seed, same bytes");
    let mut other = lstm("return", 4);
    other["seed"] = json!(8);
    let (other, other_artifact, _) = bench.train(other).await;
    assert_ne!(done(&other).0, digest);
    assert_ne!(other_artifact.body, artifact.body);
}

/// The window over `bars` that ends on `end`, from features over all of them, as training makes it.
fn training_window(predictor: &Predictor, bench: &Bench, end: usize) -> Vec<f64> {
    let spec = predictor.spec();
    let columns = features::compute(&bench.bars, Interval::HOUR, &spec.features);
    (end + 1 - spec.sequence_length as usize..=end).flat_map(|row| columns.iter().map(move |column| column[row])).collect()
}

#[tokio::test]
async fn bars_give_the_windows_of_training() {
    let bench = Bench::new(1500).await;
    let (_, _, predictor) = bench.train(lstm("price", 2)).await;
    for end in [499, 700, 899, 1200, 1499] {
        let (window, at) = predictor.window_of(&bench.bars.slice(0..end + 1)).expect("window");
        assert_eq!(at, Timestamp(bench.bars.timestamp[end]));
        for (place, (found, expected)) in window.values.iter().zip(training_window(&predictor, &bench, end)).enumerate() {
            // The third feature is recursive; its start has faded below what matters.
            let same = if place % 3 == 2 { (found - expected).abs() < 1e-6 } else { found.to_bits() == expected.to_bits() };
            assert!(same, "{place} of the window ending on {end}: {found} is not {expected}");
        }
        let close = bench.bars.close[end];
        assert_eq!(window.last_close, Some(vec![close]));
        let price = predictor.predict_native(&window).expect("prediction")[0];
        assert!((price / close - 1.0).abs() < 0.2, "{price} after {close}");
        assert_eq!(predictor.predict(window).await.expect("prediction"), vec![price]);
    }
    let refused = |rows: std::ops::Range<usize>, expected: &str| {
        let error = predictor.window_of(&bench.bars.slice(rows)).expect_err(expected).to_string();
        assert!(error.starts_with("bars: ") && error.contains(expected), "{error} lacks {expected}");
    };
    let needed = predictor.bars_needed();
    refused(0..needed - 1, &format!("there are {}; {needed} are needed: 8 for the window and {} before it", needed - 1, needed - 8));
    refused(0..503, "there is a gap from");
    refused(0..508, "`log-return(1)` has no number at");
}

#[tokio::test]
async fn direction_gives_probabilities() {
    let bench = Bench::new(1500).await;
    let (events, artifact, predictor) = bench.train(lstm("direction", 1)).await;
    assert_eq!((artifact.spec.target_scaler.mean[0], artifact.spec.target_scaler.standard_deviation[0]), (0.0, 1.0));
    let (_, _, metrics) = done(&events);
    assert!(metrics.baseline_mse.is_some_and(|brier| (0.2..0.3).contains(&brier)), "{metrics:?}");
    let windows: Vec<f64> = [600, 700, 800].into_iter().flat_map(|end| training_window(&predictor, &bench, end)).collect();
    let together = predictor.predict_native(&RawWindows { values: windows.clone(), count: 3, last_close: None }).expect("predictions");
    assert!(together.iter().all(|probability| (0.0..=1.0).contains(probability)) && together.len() == 3);
    let alone = predictor.predict_native(&RawWindows { values: windows[24..48].to_vec(), count: 1, last_close: None }).expect("prediction");
    assert_eq!(alone[0].to_bits(), together[1].to_bits(), "a window's answer does not depend on its neighbours");
}

#[tokio::test]
async fn wrong_windows_are_named() {
    let bench = Bench::new(1500).await;
    let (_, _, network) = bench.train(lstm("price", 1)).await;
    let (_, _, guest) = bench.train(har()).await;
    let check = async |predictor: &Predictor, values: Vec<f64>, count: usize, last_close: Option<Vec<f64>>, expected: &str| {
        let error = predictor.predict(RawWindows { values, count, last_close }).await.expect_err(expected).to_string();
        assert!(error.contains(expected), "{error} lacks {expected}");
    };
    check(&network, vec![0.0; 23], 1, Some(vec![1.0]), "windows: 23 numbers are not 1 windows of 8 steps and 3 features").await;
    check(&network, vec![0.0; 24], usize::MAX, Some(vec![1.0]), "windows: 24 numbers are not").await;
    let mut hole = vec![0.0; 48];
    hole[24 + 4] = f64::NAN;
    check(&network, hole, 2, Some(vec![1.0; 2]), "windows: `realized-volatility(24)` at step 1 of window 1 is NaN").await;
    check(&network, vec![0.0; 24], 1, None, "last_close: a price needs the last close").await;
    check(&network, vec![0.0; 24], 1, Some(vec![-1.0]), "last_close: ").await;
    check(&guest, vec![0.0; 4], 1, None, "windows: 4 numbers are not 1 windows of 1 steps and 3 features").await;
    let values = RawWindows { values: vec![0.0; 3], count: 1, last_close: None };
    assert_eq!(guest.predict_native(&values).expect_err("a guest").code(), "conflict");
    assert_eq!(guest.predict(RawWindows { values: vec![], count: 0, last_close: None }).await.expect("nothing"), Vec::<f64>::new());
}

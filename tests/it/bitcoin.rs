//! Eight years of hourly BTC/USDT, when they lie beside the repository: `har` agrees with a regression computed elsewhere,
//! and an `lstm` beats it.

use std::path::PathBuf;

use bellwether_tests::{Home, Running, repository};
use serde_json::{Value, json};

use crate::shared::ingest;

/// Ordinary least squares on the same bars, computed outside (chronological 80/20, log scale, lags 6, 24, 168, 720 h).
const OUTSIDE_R2: f64 = 0.33;
const OUTSIDE_ACCURACY: f64 = 0.68;
const TOLERANCE: f64 = 0.05;

fn bars() -> Option<PathBuf> {
    let path = repository().parent()?.join("shared/data/btcusdt_1h.csv");
    path.is_file().then_some(path)
}

fn har() -> Value {
    json!({
        "model_type": "har",
        "symbol": "BTC/USDT",
        "target": {"kind": "realized-volatility", "horizon": 24},
        "features": ["realized-volatility(6)", "realized-volatility(24)", "realized-volatility(168)", "realized-volatility(720)"],
    })
}

/// A network that does better than the regression; its settings were chosen by validation loss.
fn lstm() -> Value {
    json!({
        "model_type": "lstm",
        "symbol": "BTC/USDT",
        "target": {"kind": "realized-volatility", "horizon": 24},
        "features": [
            "realized-volatility(6)", "realized-volatility(24)", "realized-volatility(168)", "realized-volatility(720)",
            "log-range", "log-return",
        ],
        "sequence_length": 24,
        "seed": 1,
        "config": {"lstm_units": [32], "dropout_rate": 0.1, "learning_rate": 0.001, "batch_size": 128, "epochs": 12, "patience": 4},
    })
}

fn metrics(host: &Running, request: &Value) -> Value {
    let job = crate::shared::id(&host.client.post("/mlops/api/training/jobs", request).expect(201), "job_id");
    let ended = host.until("the job ended", std::time::Duration::from_secs(400), &format!("/mlops/api/training/jobs/{job}"), |job| {
        (job["state"] != "queued" && job["state"] != "running").then(|| job.clone())
    });
    assert_eq!(ended["state"], "succeeded", "{ended}");
    host.client.get(&format!("/mlops/api/models/{}", ended["model_id"].as_str().unwrap())).expect(200)["metrics"].clone()
}

#[test]
fn har_is_the_regression_and_lstm_beats_it() {
    let Some(path) = bars() else {
        return println!("skipped: shared/data/btcusdt_1h.csv does not lie beside the repository");
    };
    let home = Home::default();
    let host = home.start();
    ingest(&host.client, "BTC/USDT", fs_err::read(path).unwrap()).expect(200);
    let har = metrics(&host, &har());
    let number = |metrics: &Value, name: &str| metrics[name].as_f64().unwrap_or_else(|| panic!("no {name} in {metrics}"));
    println!("har: {har}");
    for (name, outside) in [("r2_score", OUTSIDE_R2), ("accuracy", OUTSIDE_ACCURACY)] {
        let here = number(&har, name);
        assert!((here - outside).abs() <= TOLERANCE * outside, "{name} is {here}; outside it is {outside}");
    }
    let lstm = metrics(&host, &lstm());
    println!("lstm: {lstm}");
    // Windows of 24 steps lose a few samples behind gaps, so that the two held-out sets differ a little: skill counts, too.
    assert!(number(&lstm, "mse") < number(&har, "mse") && number(&lstm, "skill") > number(&har, "skill"), "lstm {lstm}\nhar {har}");
}

//! Forecasts the volatility of a market's next day with a regression (`har`) and with a network (`lstm`), and judges both
//! on the newest fifth of the bars.
//!
//! `cargo run --release -p bellwether-engine --example volatility -- bars_1h.csv ['{"config": {"epochs": 5}}']`
//!
//! The second argument lays other settings over the network's request. Settings were chosen by the validation loss in the
//! log; the held-out metrics are for reporting.

use std::time::Instant;

use bellwether_domain::job::{Precision, TrainingRequest};
use bellwether_engine::csv;
use bellwether_engine::plugin::{Bundled, PluginsConfig};
use bellwether_engine::store::BarStore;
use bellwether_engine::worker::{Event, Order, perform};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Both models see the same bars, the same held-out part and the same features.
fn requests() -> [Value; 2] {
    let common = json!({ "symbol": "BTC/USDT", "interval": "1h", "target": { "kind": "realized-volatility", "horizon": 24 } });
    let har = json!({ "model_type": "har" });
    let lstm = json!({
        "model_type": "lstm",
        "features": ["realized-volatility(6)", "realized-volatility(24)", "realized-volatility(168)", "realized-volatility(720)", "log-range", "log-return"],
        "sequence_length": 24,
        "seed": 1,
        "config": { "lstm_units": [32], "dropout_rate": 0.1, "learning_rate": 0.001, "batch_size": 128, "epochs": 12, "patience": 4 },
    });
    [har, lstm].map(|request| over(common.clone(), request))
}

/// One object laid over another, objects inside alike.
fn over(mut below: Value, above: Value) -> Value {
    match (below.as_object_mut(), above) {
        (Some(fields), Value::Object(above)) => {
            for (name, value) in above {
                let before = fields.remove(&name).unwrap_or(Value::Null);
                fields.insert(name, if before.is_object() { over(before, value) } else { value });
            }
            below
        }
        (_, above) => above,
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name a CSV file of hourly bars")?;
    let settings: Value = arguments.next().map_or(Ok(json!({})), |text| serde_json::from_str(&text))?;
    let bundled: Vec<Bundled> = bellwether_bundle::PLUGINS.iter().map(|(manifest, component)| Bundled { manifest, component }).collect();
    let folder = tempfile::tempdir()?;
    let [har, lstm] = requests();
    for request in [har, over(lstm, settings)] {
        let request: TrainingRequest = serde_json::from_value(request)?;
        let bars = csv::read(&std::fs::read(&path)?, request.interval)?;
        BarStore::open(&folder.path().join("bars"))?.ingest(&request.symbol, request.interval, bars).await?;
        let model_type = request.model_type.clone();
        let order = Order {
            job_id: model_type.clone(),
            request,
            bars: folder.path().join("bars"),
            output: folder.path().join("artifact.tar"),
            plugin_cache: folder.path().join("plugin-cache"),
            plugins: PluginsConfig::default(),
            drift_tests: vec!["ks".to_owned()],
            min_data_points: 1000,
            device: "cpu".to_owned(),
            precision: Precision::F32,
            threads: 1,
            estimate: None,
            checkpoints: None,
            columns: None,
        };
        let begun = Instant::now();
        let mut tell = |event: Event| {
            match event {
                Event::Log { message } => println!("{model_type} {:7.1} s  {message}", begun.elapsed().as_secs_f64()),
                Event::Done { bytes, .. } => println!("{model_type} {:7.1} s  done: {bytes} bytes", begun.elapsed().as_secs_f64()),
                Event::Progress(_) | Event::Epoch(_) | Event::Failed { .. } => {}
            }
            true
        };
        perform(order, &bundled, &mut tell).await?;
    }
    Ok(())
}

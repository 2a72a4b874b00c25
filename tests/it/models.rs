//! Every model type learns EUR/USD through the API, passes or fails its gates, is deployed and answers.

use bellwether_tests::{Home, sample};
use serde_json::{Value, json};

use crate::shared::{id, ingest, promoted, train};

/// Small networks: what is tested is the way, not the skill.
fn quick(own: Value) -> Value {
    let mut config = json!({"epochs": 2, "batch_size": 64, "learning_rate": 0.001});
    let (config_map, own) = (config.as_object_mut().unwrap(), own.as_object().unwrap().clone());
    config_map.extend(own);
    config
}

#[test]
fn every_model_type_trains_serves_and_keeps_its_interval() {
    let home = Home::new("[training]\nmax_concurrent_jobs = 2\n");
    let host = home.start();
    ingest(&host.client, "EURUSD", sample::eurusd()).expect(200);
    let members = json!([
        {"model_type": "mlp", "config": quick(json!({"hidden_units": [8]}))},
        {"model_type": "linear", "config": {}},
    ]);
    let quantiles = json!({"loss": "quantile", "quantiles": [0.1, 0.5, 0.9]});
    let with = |mut own: Value| {
        own.as_object_mut().unwrap().extend(quantiles.as_object().unwrap().clone());
        quick(own)
    };
    let types = [
        ("lstm", with(json!({"lstm_units": [8], "bidirectional": true}))),
        ("gru", quick(json!({"gru_units": [8], "loss": "gaussian"}))),
        ("transformer", with(json!({"embed_dim": 8, "num_heads": 2, "ff_dim": 16, "num_layers": 1}))),
        ("tcn", quick(json!({"channels": [8, 8], "norm": "batch"}))),
        ("mlp", quick(json!({"hidden_units": [8], "schedule": "one-cycle"}))),
        ("ensemble", json!({"members": members, "combine": "stacking"})),
        ("har", json!({})),
        ("linear", json!({"penalty": "elastic-net"})),
        ("gbdt", json!({"trees": 20})),
    ];
    for (name, config) in types {
        let interval = config["loss"] == "quantile" || config["loss"] == "gaussian";
        let endpoint = format!("eurusd-{name}");
        let job = train(
            &host,
            &json!({
                "model_type": name, "symbol": "EURUSD", "target": {"kind": "realized-volatility", "horizon": 24}, "config": config,
                "sequence_length": 12, "seed": 3, "gates": {"min_skill": null, "max_mse_vs_champion": null},
                "deployment_config": {"auto_deploy": true, "endpoint": endpoint},
            }),
        );
        promoted(&host, &id(&job, "deployment_id"));
        let version = host.client.get(&format!("/mlops/api/models/{}", id(&job, "model_id"))).expect(200);
        assert!(version["metrics"]["mse"].as_f64().is_some_and(|mse| mse > 0.0 && mse.is_finite()), "{name}: {version}");
        let answer = host.client.post("/mlops/api/predict", &json!({"endpoint": endpoint, "latest": true})).expect(200);
        let answer = &answer["predictions"][0];
        let value = answer["prediction"].as_f64().unwrap_or_else(|| panic!("{name}: no prediction in {answer}"));
        assert!(value.is_finite(), "{name}: {answer}");
        if interval {
            let bound = |side: &str| answer["interval"][side].as_f64().unwrap_or_else(|| panic!("{name}: no interval in {answer}"));
            assert!(bound("lower") <= value && value <= bound("upper"), "{name}: {answer}");
        } else {
            assert!(answer["interval"].is_null(), "{name}: {answer}");
        }
    }
}

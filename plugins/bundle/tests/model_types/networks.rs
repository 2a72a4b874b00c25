//! Plans of networks, over settings and losses, through the host's own shape rules.
use bellwether_domain::network::shape::infer;
use bellwether_domain::network::{Loss, Network};
use bellwether_domain::target::TargetKind;
use bellwether_plugin::{InputShape, Plan, PluginHost};
use serde_json::{Value, json};

use crate::{NETWORKS, host, target};

async fn plan(host: &PluginHost, name: &str, given: &Value, steps: u32, kind: TargetKind) -> Network {
    let config = host.configure(name, given).expect("settings the schema takes");
    let features = ["log-return", "body", "rsi(14)"].map(str::to_owned).to_vec();
    let shape = InputShape { sequence_length: steps, features };
    match host.model(name).expect("a model type").plan(&config, &shape, target(kind)).await.expect("a plan") {
        Plan::Network(network) => network,
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_setting_of_every_network_has_shapes_that_fit() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path(), &NETWORKS).await;
    let settings = [
        ("lstm", json!({"lstm_units": [8, 4], "bidirectional": true, "dropout_rate": 0})),
        ("gru", json!({"gru_units": [8]})),
        ("gru", json!({"gru_units": [8, 4], "bidirectional": true})),
        ("tcn", json!({"channels": [8, 8, 4], "norm": "batch", "pooling": "attention"})),
        ("tcn", json!({"channels": [3], "norm": "none", "kernel_size": 9, "pooling": "mean", "dropout_rate": 0})),
        ("transformer", json!({"embed_dim": 12, "num_heads": 3, "norm": "pre", "positions": "learned", "pooling": "attention"})),
        ("transformer", json!({"embed_dim": 7, "num_heads": 7, "num_layers": 1, "causal": true, "pooling": "last", "activation": "gelu"})),
        ("mlp", json!({"window": "last-step", "norm": "layer"})),
        ("mlp", json!({"hidden_units": [4], "norm": "batch", "dropout_rate": 0})),
    ];
    for (name, given) in NETWORKS.map(|name| (name, json!({}))).iter().chain(&settings) {
        for (loss, width) in [("mse", 1), ("huber", 1), ("quantile", 3), ("gaussian", 2)] {
            let mut given = given.clone();
            given["loss"] = json!(loss);
            for steps in [1, 5, 60] {
                let network = plan(&host, name, &given, steps, TargetKind::Return).await;
                let shapes = infer(&network, steps as usize, 3).unwrap_or_else(|error| panic!("{name} {given}: {error}"));
                assert_eq!(shapes.nodes.last().unwrap(), &[width], "{name} {given}");
                let binary = plan(&host, name, &given, steps, TargetKind::Direction).await;
                assert_eq!(infer(&binary, steps as usize, 3).unwrap().nodes.last().unwrap(), &[1], "{name} {given}");
                assert_eq!(binary.outputs[0].loss, Loss::Bce);
            }
        }
    }
}

/// Trained numbers of the defaults, by hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_defaults_have_the_size_they_should() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path(), &NETWORKS).await;
    let recurrent = |gates: usize, biases: usize| {
        let layer = |inputs: usize, units: usize| gates * units * (inputs + units) + biases * units;
        layer(3, 128) + layer(128, 64) + layer(64, 32) + 33
    };
    let layer = 4 * (128 * 128 + 128) + (128 * 256 + 256) + (256 * 128 + 128) + 4 * 128;
    let check = async |name: &str, steps: usize, expected: usize| {
        let network = plan(&host, name, &json!({}), steps as u32, TargetKind::Return).await;
        let parameters: usize = infer(&network, steps, 3).unwrap().parameters.iter().sum();
        assert_eq!(parameters, expected, "{name}");
    };
    check("lstm", 60, recurrent(4, 4)).await;
    // A bias per gate, and one of the candidate's recurrent product.
    check("gru", 60, recurrent(3, 4)).await;
    check("transformer", 100, (3 * 128 + 128) + 4 * layer + 129).await;
    check("mlp", 24, 72 * 128 + 128 + 128 * 64 + 64 + 65).await;
    let block = |inputs: usize| 3 * 64 * (inputs + 64) + 4 * 64;
    check("tcn", 60, block(3) + 3 * block(64) + (3 * 64 + 64) + 65).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path(), &NETWORKS).await;
    let check = |name: &str, given: Value, expected: &str| {
        let error = host.configure(name, &given).unwrap_err().to_string();
        assert!(error.contains(expected), "{name} {given}: {error}");
    };
    for name in NETWORKS {
        check(name, json!({"learning_rate": 0}), "config.learning_rate");
        check(name, json!({"schedule": "warmup"}), "did you mean `warm-up`?");
        check(name, json!({"quantiles": [0.5, 1.0]}), "config.quantiles.1");
        check(name, json!({"batchsize": 8}), "did you mean `batch_size`?");
    }
    check("transformer", json!({"positions": "sine"}), "config.positions");
    check("tcn", json!({"kernel_size": 1}), "config.kernel_size");
    // What no schema can say, the plugin does.
    let refused = async |name: &str, given: Value, expected: &str| {
        let config = host.configure(name, &given).unwrap();
        let error = host.model(name).unwrap().requirements(&config).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{name} {given}: {error}");
    };
    refused("transformer", json!({"num_heads": 7}), "does not divide `embed_dim` 128").await;
    refused("gru", json!({"quantiles": [0.1, 0.9]}), "lacks 0.5").await;
}

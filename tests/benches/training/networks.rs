//! The two default networks as descriptions, node names included: `tests/bench/peer_torch.py` writes weights under them.
//!
//! - lstm: 60 steps of 5 features, units 128/64/32 with dropout 0.2 after each, dense 1;
//! - transformer: 100 steps of 7 features, embedded in 128, learned positions, 4 layers of 8 heads and 256 wide with dropout
//!   0.1 where PyTorch's encoder layer has it, normalised after each residual, mean over time, dense 1.
//!
//! `-plain` behind the name leaves out dropout, for comparing losses.

use anyhow::{Context, Result};
use bellwether_domain::network::Network;
use serde_json::{Value, json};

/// A network and the windows it reads.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) network: Network,
    pub(crate) steps: usize,
    pub(crate) features: usize,
    /// Batches of 32 in an epoch of the training benchmark: about half a second of work.
    pub(crate) batches: usize,
}

pub(crate) fn named(name: &str) -> Result<Subject> {
    let (base, drops) = name.strip_suffix("-plain").map_or((name, true), |base| (base, false));
    let mut nodes = Nodes { list: vec![json!({"name": "x", "operation": {"op": "input"}, "inputs": []})], drops };
    let (steps, features, batches, rate) = match base {
        "lstm" => (60, 5, 16, 1e-3),
        "transformer" => (100, 7, 2, 1e-4),
        _ => anyhow::bail!("`{name}` is not a network here; there are lstm and transformer"),
    };
    let last = if base == "lstm" { lstm(&mut nodes) } else { transformer(&mut nodes) };
    let head = nodes.dense("head", last, 1);
    let adam = json!({"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0});
    let description = json!({
        "nodes": nodes.list,
        "outputs": [{"name": "prediction", "node": head, "loss": {"kind": "mse"}, "weight": 1.0}],
        "training": {"epochs": 1_000_000, "batch_size": 32, "learning_rate": rate, "optimizer": {"kind": "adam", "with": adam},
            "schedule": {"kind": "constant"}, "clip_norm": null, "early_stopping": null},
    });
    let network = serde_json::from_value(description).context("the description of the network")?;
    Ok(Subject { network, steps, features, batches })
}

/// A product of [rows, width] and [width, columns], as a network: pooling picks the last row and costs nothing beside it.
pub(crate) fn product(columns: usize) -> Result<Network> {
    let mut nodes = Nodes { list: vec![json!({"name": "x", "operation": {"op": "input"}, "inputs": []})], drops: false };
    let dense = nodes.dense("product", 0, columns);
    let last = nodes.push("last", json!({"op": "time-pooling", "with": "mean"}), &[dense]);
    let mut network = named("lstm")?.network;
    network.nodes = serde_json::from_value(json!(nodes.list))?;
    network.outputs[0].node = u32::try_from(last)?;
    network.outputs[0].loss = serde_json::from_value(json!({"kind": "quantile", "with": vec![0.5; columns]}))?;
    Ok(network)
}

struct Nodes {
    list: Vec<Value>,
    drops: bool,
}

impl Nodes {
    fn push(&mut self, name: &str, operation: Value, inputs: &[usize]) -> usize {
        self.list.push(json!({"name": name, "operation": operation, "inputs": inputs}));
        self.list.len() - 1
    }

    fn dense(&mut self, name: &str, input: usize, units: usize) -> usize {
        self.push(name, json!({"op": "dense", "with": {"units": units, "bias": true, "kernel": {"kind": "standard"}}}), &[input])
    }

    fn dropout(&mut self, name: &str, input: usize, share: f64) -> usize {
        if self.drops { self.push(name, json!({"op": "dropout", "with": share}), &[input]) } else { input }
    }

    /// norm(input + dropout(value))
    fn residual(&mut self, name: &str, input: usize, value: usize) -> usize {
        let value = self.dropout(&format!("{name}-dropout"), value, 0.1);
        let sum = self.push(&format!("{name}-sum"), json!({"op": "add"}), &[input, value]);
        self.push(&format!("{name}-norm"), json!({"op": "layer-norm", "with": 1e-5}), &[sum])
    }
}

fn lstm(nodes: &mut Nodes) -> usize {
    let mut last = 0;
    for (place, units) in [128, 64, 32].into_iter().enumerate() {
        let with = json!({"units": units, "layers": 1, "bidirectional": false, "return_sequences": place < 2,
            "kernel": {"kind": "standard"}, "recurrent_kernel": {"kind": "standard"}});
        last = nodes.push(&format!("lstm{place}"), json!({"op": "lstm", "with": with}), &[last]);
        last = nodes.dropout(&format!("dropout{place}"), last, 0.2);
    }
    last
}

fn transformer(nodes: &mut Nodes) -> usize {
    let embedded = nodes.dense("embed", 0, 128);
    let mut last = nodes.push("place", json!({"op": "positional-encoding", "with": "learned"}), &[embedded]);
    let attention_dropout = if nodes.drops { 0.1 } else { 0.0 };
    for layer in 0..4 {
        let name = |part: &str| format!("{part}{layer}");
        let with = json!({"heads": 8, "causal": false, "dropout": attention_dropout});
        let seen = nodes.push(&name("attention"), json!({"op": "attention", "with": with}), &[last]);
        last = nodes.residual(&name("attention"), last, seen);
        let wide = nodes.dense(&name("wide"), last, 256);
        let active = nodes.push(&name("relu"), json!({"op": "activation", "with": "relu"}), &[wide]);
        let active = nodes.dropout(&name("relu-dropout"), active, 0.1);
        let narrow = nodes.dense(&name("narrow"), active, 128);
        last = nodes.residual(&name("feed"), last, narrow);
    }
    nodes.push("pool", json!({"op": "time-pooling", "with": "mean"}), &[last])
}

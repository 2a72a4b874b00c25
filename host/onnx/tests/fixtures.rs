//! Models exported by PyTorch's two exporters predict what PyTorch predicted, to 1e-5.
//!
//! The files and samples are made by `tests/fixtures/onnx/make.py`, which states its versions.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

#[path = "fixtures/naive.rs"]
mod naive;

use std::path::PathBuf;

use bellwether_compute::{Device, Model};
use bellwether_domain::network::weight;
use bellwether_domain::network::{Operation, TimePooling, shape};
use bellwether_onnx::{Imported, Options, read};
use safetensors::tensor::SafeTensors;

const TOLERANCE: f64 = 1e-5;

fn fixture(name: &str) -> Vec<u8> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/onnx").join(name);
    std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn import(name: &str) -> Imported {
    let options = Options { features: Some(5), ..Options::default() };
    read(&fixture(&format!("{name}.onnx")), &options).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn rows(value: &serde_json::Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(|row| row.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()).collect()
}

/// Imports a file, checks its weights against the network's own list, and compares predictions with the sample.
fn check(case: &str, kind: &str) -> Imported {
    let name = format!("{case}_{kind}");
    let imported = import(&name);
    assert_eq!((imported.steps, imported.features), (12, 5), "{name}");
    let shapes = shape::infer(&imported.network, 12, 5).unwrap();
    let tensors = SafeTensors::deserialize(&imported.weights).unwrap();
    let wanted = weight::weights(&imported.network, &shapes);
    assert_eq!(wanted.len(), tensors.len(), "{name}");
    for weight in &wanted {
        assert_eq!(tensors.tensor(&weight.name).unwrap().shape(), weight.shape, "{name}: {}", weight.name);
    }
    let sample: serde_json::Value = serde_json::from_slice(&fixture(&format!("{case}.json"))).unwrap();
    let (inputs, outputs) = (rows(&sample["inputs"]), rows(&sample["outputs"]));
    let close = |given: f64, wanted: f64| (given - wanted).abs() <= TOLERANCE * wanted.abs().max(1.0);
    for (window, wanted) in inputs.iter().zip(outputs.iter()) {
        let given = naive::predict(&imported.network, &imported.weights, window, 5);
        assert_eq!(given.len(), wanted.len(), "{name}");
        assert!(close(given[0], wanted[0]), "{name}: by definition {} is not {}", given[0], wanted[0]);
    }
    let windows: Vec<f32> = inputs.iter().flatten().map(|value| *value as f32).collect();
    let device = Device::named("cpu").unwrap();
    let model = Model::load(&imported.network, 12, 5, &imported.weights, &device).unwrap_or_else(|error| panic!("{name}: {error}"));
    let given = model.predict(&windows, inputs.len()).unwrap();
    assert_eq!(given.len(), outputs.len(), "{name}");
    for (given, wanted) in given.iter().zip(outputs.iter().flatten()) {
        assert!(close(f64::from(*given), *wanted), "{name}: {given} is not {wanted}");
    }
    let spread = outputs.iter().flatten().fold(f64::MIN, |a, b| a.max(*b)) - outputs.iter().flatten().fold(f64::MAX, |a, b| a.min(*b));
    assert!(spread > 100.0 * TOLERANCE, "{name}: the sample's outputs are all alike and test nothing");
    imported
}

fn count(imported: &Imported, wanted: fn(&Operation) -> bool) -> usize {
    imported.network.nodes.iter().filter(|node| wanted(&node.operation)).count()
}

#[test]
fn stacked_lstms_become_three_nodes_and_a_head() {
    for kind in ["ts", "dynamo", "one"] {
        let imported = check("lstm", kind);
        let names: Vec<&str> = imported.network.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["input", "lstm-1", "lstm-2", "lstm-3", "dense-1"], "{kind}");
        let Operation::Lstm(last) = &imported.network.nodes[3].operation else { panic!("{kind}") };
        assert!(!last.return_sequences, "{kind}: the last step alone is computed");
    }
}

#[test]
fn bidirectional_lstms() {
    for kind in ["ts", "dynamo"] {
        check("bilstm", kind);
        check("bilstm_hidden", kind);
    }
}

#[test]
fn a_stack_read_by_its_hidden_state() {
    for kind in ["ts", "dynamo"] {
        let imported = check("lstm_stacked", kind);
        assert_eq!(imported.network.nodes.len(), 4, "{kind}: {:?}", imported.network.nodes);
    }
}

#[test]
fn grus() {
    for kind in ["ts", "dynamo"] {
        check("gru", kind);
        check("gru_stacked", kind);
    }
}

#[test]
fn a_multilayer_perceptron_with_written_out_activations() {
    for kind in ["ts", "dynamo"] {
        let imported = check("mlp", kind);
        assert_eq!(count(&imported, |operation| matches!(operation, Operation::Activation(_))), 3, "{kind}");
        assert_eq!(count(&imported, |operation| matches!(operation, Operation::Multiply)), 0, "{kind}");
    }
}

#[test]
fn causal_convolutions() {
    for kind in ["ts", "dynamo"] {
        let imported = check("tcn", kind);
        let causal = |operation: &Operation| matches!(operation, Operation::Conv1d(conv) if conv.causal);
        assert_eq!(count(&imported, causal), 3, "{kind}");
        assert_eq!(count(&imported, |operation| matches!(operation, Operation::TimePooling(TimePooling::Max))), 1, "{kind}");
        assert_eq!(count(&check("tcn_chomp", kind), causal), 3, "{kind}");
    }
}

#[test]
fn transformer_encoders() {
    for (case, kinds, causal) in [
        ("transformer_last", &["ts", "dynamo", "one"][..], false),
        ("transformer_mean", &["ts", "dynamo"], false),
        ("transformer_causal", &["ts", "dynamo"], true),
    ] {
        for kind in kinds {
            let imported = check(case, kind);
            let heads = imported.network.nodes.iter().filter_map(|node| match &node.operation {
                Operation::Attention(attention) => Some((attention.heads, attention.causal)),
                _ => None,
            });
            assert_eq!(heads.collect::<Vec<_>>(), [(4, causal), (4, causal)], "{case}_{kind}");
            assert_eq!(count(&imported, |operation| matches!(operation, Operation::PositionalEncoding(_))), 1, "{case}_{kind}");
        }
    }
}

#[test]
fn attention_written_out_by_hand() {
    for kind in ["ts", "dynamo"] {
        let imported = check("attention", kind);
        assert_eq!(count(&imported, |operation| matches!(operation, Operation::Attention(_))), 1, "{kind}");
        let imported = check("attention_fused", kind);
        assert_eq!(count(&imported, |operation| matches!(operation, Operation::Attention(attention) if attention.causal)), 1, "{kind}");
    }
}

#[test]
fn weight_norm_stacked_directions_and_gates() {
    for kind in ["ts", "dynamo"] {
        let imported = check("mixture", kind);
        assert_eq!(count(&imported, |operation| matches!(operation, Operation::Gru(layer) if layer.bidirectional)), 2, "{kind}");
        assert_eq!(count(&imported, |operation| matches!(operation, Operation::Conv1d(conv) if conv.causal)), 1, "{kind}");
    }
}

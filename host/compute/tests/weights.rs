//! Weights files: values of an outside LSTM, round trips, and every way a file can be wrong.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use bellwether_compute::{Device, Model};
use bellwether_domain::Error;
use bellwether_domain::network::Network;
use safetensors::Dtype;
use safetensors::tensor::{SafeTensors, TensorView, serialize};
use serde_json::{Value, json};

struct Reference {
    json: Value,
    network: Network,
    steps: usize,
    features: usize,
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
}

impl Reference {
    fn read() -> Reference {
        let json: Value = serde_json::from_str(include_str!("fixtures/lstm_reference.json")).unwrap();
        let lstm = |place: usize, input: u32, all: bool| {
            let with = json!({"units": json["units"][place], "layers": 1, "bidirectional": false, "return_sequences": all,
                "kernel": {"kind": "standard"}, "recurrent_kernel": {"kind": "standard"}});
            json!({"name": format!("lstm{}", place + 1), "operation": {"op": "lstm", "with": with}, "inputs": [input]})
        };
        let dense = json!({"units": 1, "bias": true, "kernel": {"kind": "standard"}});
        let nodes = json!([
            {"name": "x", "operation": {"op": "input"}, "inputs": []},
            lstm(0, 0, true),
            {"name": "drop", "operation": {"op": "dropout", "with": 0.2}, "inputs": [1]},
            lstm(1, 2, false),
            {"name": "head", "operation": {"op": "dense", "with": dense}, "inputs": [3]},
        ]);
        let training = json!({"epochs": 1, "batch_size": 32, "learning_rate": 0.001, "optimizer": {"kind": "sgd",
            "with": {"momentum": 0.0, "nesterov": false, "weight_decay": 0.0}}, "schedule": {"kind": "constant"},
            "clip_norm": null, "early_stopping": null});
        let outputs = json!([{"name": "prediction", "node": 4, "loss": {"kind": "mse"}, "weight": 1.0}]);
        let network = serde_json::from_value(json!({"nodes": nodes, "outputs": outputs, "training": training})).unwrap();
        let tensors = json["tensors"].as_object().unwrap().iter().map(|(name, tensor)| {
            let shape = tensor["shape"].as_array().unwrap().iter().map(|axis| axis.as_u64().unwrap() as usize).collect();
            (name.clone(), shape, floats(&tensor["values"]))
        });
        let number = |name: &str| json[name].as_u64().unwrap() as usize;
        Reference { network, steps: number("steps"), features: number("features"), tensors: tensors.collect(), json }
    }

    fn load(&self, bytes: &[u8]) -> bellwether_domain::Result<Model> {
        Model::load(&self.network, self.steps, self.features, bytes, &Device::named("cpu").unwrap())
    }
}

fn floats(values: &Value) -> Vec<f32> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect()
}

fn file(tensors: &[(String, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|(_, _, values)| values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views =
        tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    serialize(views, None).unwrap()
}

#[test]
fn predictions_are_those_of_the_textbook_equations() {
    let reference = Reference::read();
    let model = reference.load(&file(&reference.tensors)).unwrap();
    let windows: Vec<f32> = reference.json["inputs"].as_array().unwrap().iter().flat_map(floats).collect();
    let wanted = floats(&reference.json["outputs"]);
    let given = model.predict(&windows, wanted.len()).unwrap();
    for (given, wanted) in given.iter().zip(&wanted) {
        assert!((given - wanted).abs() < 2e-6, "{given} is not {wanted}");
    }
    assert!(model.size_bytes() > 4 * reference.tensors.iter().map(|(_, _, values)| values.len()).sum::<usize>());
}

#[test]
fn saving_and_loading_keeps_every_bit() {
    let reference = Reference::read();
    let bytes = reference.load(&file(&reference.tensors)).unwrap().weights().unwrap();
    assert_eq!(reference.load(&bytes).unwrap().weights().unwrap(), bytes);
    let read = SafeTensors::deserialize(&bytes).unwrap();
    for (name, shape, values) in &reference.tensors {
        let view = read.tensor(name).unwrap();
        let given: Vec<f32> = view.data().chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
        assert_eq!((view.shape(), &given), (&shape[..], values), "{name}");
    }
}

#[test]
fn a_wrong_file_names_the_tensor_and_both_shapes() {
    type Change = fn(&mut Vec<(String, Vec<usize>, Vec<f32>)>);
    let cases: Vec<(Change, &[&str])> = vec![
        (|t| t.retain(|(name, _, _)| name != "lstm2.bias-0"), &["`lstm2.bias-0` of shape [16] is missing"]),
        (|t| t.push(("other.kernel".to_owned(), vec![2], vec![0.0; 2])), &["`other.kernel` of shape [2] belongs to no node"]),
        (
            |t| t.iter_mut().filter(|(name, _, _)| name == "head.kernel").for_each(|t| t.1 = vec![1, 4]),
            &["`head.kernel`", "[1, 4]", "[4, 1]"],
        ),
        (|t| t.iter_mut().filter(|(name, _, _)| name == "head.bias").for_each(|t| t.2[0] = f32::NAN), &["number 0 of tensor `head.bias`"]),
        (
            |t| t.iter_mut().filter(|(name, _, _)| name == "lstm1.bias-0").for_each(|t| t.2[9] = f32::INFINITY),
            &["number 9", "`lstm1.bias-0`"],
        ),
        (|t| t.clear(), &["is missing"]),
    ];
    let reference = Reference::read();
    for (change, texts) in cases {
        let mut tensors = reference.tensors.clone();
        change(&mut tensors);
        check_refused(&reference, &file(&tensors), texts);
    }
    let whole = file(&reference.tensors);
    for length in [0, 7, 8, 100, whole.len() - 1] {
        check_refused(&reference, &whole[..length], &["not a whole safetensors file"]);
    }
    let mut long = whole.clone();
    long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    check_refused(&reference, &long, &["not a whole safetensors file"]);
    let doubles = TensorView::new(Dtype::F64, vec![1], &[0; 8]).unwrap();
    let read = SafeTensors::deserialize(&whole).unwrap();
    let mut views: Vec<(&str, TensorView<'_>)> = read.iter().collect();
    views.iter_mut().filter(|(name, _)| *name == "head.bias").for_each(|(_, view)| *view = doubles.clone());
    check_refused(&reference, &serialize(views, None).unwrap(), &["`head.bias` has type F64; weights are F32"]);
}

fn check_refused(reference: &Reference, bytes: &[u8], texts: &[&str]) {
    let error = reference.load(bytes).expect_err(texts[0]);
    let Error::Invalid { field, why } = &error else { panic!("{error:?}") };
    assert_eq!(field, "artifact.weights");
    assert!(texts.iter().all(|text| why.contains(text)), "`{why}` does not say {texts:?}");
}

#[test]
fn windows_that_do_not_fit_are_refused() {
    let reference = Reference::read();
    let model = reference.load(&file(&reference.tensors)).unwrap();
    let window = reference.steps * reference.features;
    for (windows, count, text) in [
        (vec![0.0; window], 2, "36 numbers are not 2 windows of shape [12, 3]"),
        (vec![0.0; window - 1], 1, "35 numbers"),
        (vec![0.0; window], usize::MAX, "36 numbers"),
        ((0..2 * window).map(|k| if k == window + 4 { f32::NAN } else { 0.0 }).collect(), 2, "feature 1 of step 1 of window 1"),
    ] {
        let error = model.predict(&windows, count).unwrap_err().to_string();
        assert!(error.starts_with("windows: ") && error.contains(text), "{error}");
    }
    assert_eq!(model.predict(&[], 0).unwrap(), Vec::<f32>::new());
}

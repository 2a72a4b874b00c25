//! Handmade files: what each kind of wrong one is told, and forms that the exporters of the fixtures do not write.

use bellwether_domain::network::{Loss, Network, Operation, TimePooling};
use bellwether_domain::{Error, Result};
use prost::Message;

use crate::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TensorTypeProto,
    TypeProto, ValueInfoProto,
};
use crate::{Imported, Options, read};

fn node(kind: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    let owned = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    NodeProto { op_type: kind.to_owned(), input: owned(inputs), output: owned(outputs), ..NodeProto::default() }
}

fn with(mut node: NodeProto, name: &str, value: i64) -> NodeProto {
    node.attribute.push(AttributeProto { name: name.to_owned(), i: value, ..AttributeProto::default() });
    node
}

fn list(mut node: NodeProto, name: &str, values: &[i64]) -> NodeProto {
    node.attribute.push(AttributeProto { name: name.to_owned(), ints: values.to_vec(), ..AttributeProto::default() });
    node
}

fn text(mut node: NodeProto, name: &str, value: &str) -> NodeProto {
    node.attribute.push(AttributeProto { name: name.to_owned(), s: value.into(), ..AttributeProto::default() });
    node
}

fn floats(name: &str, dims: &[i64], values: Vec<f32>) -> TensorProto {
    TensorProto { name: name.to_owned(), dims: dims.to_vec(), data_type: 1, float_data: values, ..TensorProto::default() }
}

fn ramp(name: &str, dims: &[i64]) -> TensorProto {
    let count: i64 = dims.iter().product();
    floats(name, dims, (0..count).map(|at| (at % 7) as f32 * 0.1 - 0.3).collect())
}

fn integers(name: &str, values: &[i64]) -> TensorProto {
    let count = i64::try_from(values.len()).unwrap();
    TensorProto { name: name.to_owned(), dims: vec![count], data_type: 7, int64_data: values.to_vec(), ..TensorProto::default() }
}

/// An axis that is negative is left open.
fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim =
        dims.iter().map(|size| DimensionProto { dim_value: (*size >= 0).then_some(*size), dim_param: (*size < 0).then(|| "n".to_owned()) });
    let shape = Some(TensorShapeProto { dim: dim.collect() });
    ValueInfoProto { name: name.to_owned(), kind: Some(TypeProto { tensor_type: Some(TensorTypeProto { elem_type: 1, shape }) }) }
}

/// A file that reads `x` [n, 4, 3] and gives `y`.
fn graph(node: Vec<NodeProto>, initializer: Vec<TensorProto>) -> GraphProto {
    GraphProto { node, initializer, input: vec![value("x", &[-1, 4, 3])], output: vec![value("y", &[-1, 1])] }
}

fn file(graph: GraphProto) -> Vec<u8> {
    ModelProto { graph: Some(graph), opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 17 }] }.encode_to_vec()
}

fn imported(graph: GraphProto) -> Result<Imported> {
    read(&file(graph), &Options::default())
}

/// A refusal whose field and text hold these.
#[track_caller]
fn refused(graph: GraphProto, field: &str, texts: &[&str]) {
    check_refused(imported(graph), field, texts);
}

#[track_caller]
fn check_refused(result: Result<Imported>, field: &str, texts: &[&str]) {
    match result {
        Err(Error::Invalid { field: given, why }) => {
            assert_eq!(given, field, "{why}");
            assert!(texts.iter().all(|text| why.contains(text)), "`{why}` does not say {texts:?}");
        }
        other => panic!("{other:?}"),
    }
}

fn operations(network: &Network) -> Vec<&Operation> {
    network.nodes.iter().map(|node| &node.operation).collect()
}

fn last_and_dense(mut nodes: Vec<NodeProto>, from: &str) -> Vec<NodeProto> {
    nodes.push(with(node("Gather", &[from, "minus-one"], &["end"]), "axis", 1));
    nodes.push(node("Gemm", &["end", "w", "b"], &["y"]));
    nodes
}

fn head(width: i64) -> Vec<TensorProto> {
    let last = TensorProto { name: "minus-one".to_owned(), data_type: 7, int64_data: vec![-1], ..TensorProto::default() };
    vec![ramp("w", &[width, 1]), ramp("b", &[1]), last]
}

#[test]
fn a_small_file_reads() {
    let network = imported(graph(last_and_dense(vec![], "x"), head(3))).unwrap().network;
    assert_eq!(operations(&network)[1], &Operation::TimePooling(TimePooling::Last));
    assert_eq!(network.nodes.len(), 3);
    assert_eq!(network.outputs[0].loss, Loss::Mse);
}

#[test]
fn the_first_operator_without_a_counterpart_is_named() {
    let mut odd = node("InstanceNormalization", &["x", "w", "b"], &["odd"]);
    odd.name = "/block/norm".to_owned();
    refused(graph(last_and_dense(vec![odd], "odd"), head(3)), "model./block/norm", &["InstanceNormalization", "cannot be mapped"]);
    let foreign = NodeProto { domain: "com.microsoft".to_owned(), ..node("FusedGelu", &["x"], &["g"]) };
    refused(graph(last_and_dense(vec![foreign], "g"), head(3)), "model.g", &["FusedGelu", "com.microsoft"]);
    let branch = node("If", &["x"], &["g"]);
    refused(graph(last_and_dense(vec![branch], "g"), head(3)), "model.g", &["If", "control flow"]);
}

#[test]
fn graphs_that_are_none() {
    let cycle = vec![node("Relu", &["b1"], &["a1"]), node("Tanh", &["a1"], &["b1"]), node("Add", &["a1", "x"], &["y"])];
    refused(graph(cycle, vec![]), "model.b1", &["Tanh", "cycle"]);
    refused(graph(vec![node("Add", &["x", "y"], &["y"])], vec![]), "model.y", &["cycle"]);
    refused(graph(vec![node("Relu", &["nowhere"], &["y"])], vec![]), "model.y", &["`nowhere`, which nothing in the file makes"]);
    refused(graph(vec![], vec![]), "model.y", &["no node makes"]);
    let twice = vec![node("Relu", &["x"], &["y"]), node("Tanh", &["x"], &["y"])];
    refused(graph(twice, vec![]), "model.y", &["exists already"]);
    refused(graph(vec![node("Identity", &["w"], &["y"])], head(3)), "model.y", &["constant"]);
    let second =
        GraphProto { input: vec![value("x", &[-1, 4, 3]), value("z", &[-1, 2])], ..graph(vec![node("Relu", &["x"], &["y"])], vec![]) };
    refused(second, "model.z", &["second input"]);
    let none = GraphProto { input: vec![], ..graph(vec![node("Relu", &["x"], &["y"])], vec![]) };
    refused(none, "model", &["no input"]);
    check_refused(read(&ModelProto::default().encode_to_vec(), &Options::default()), "model", &["empty"]);
    let later = ModelProto {
        graph: Some(graph(vec![node("Relu", &["x"], &["y"])], vec![])),
        opset_import: vec![OperatorSetIdProto { domain: "ai.onnx".to_owned(), version: 99 }],
    };
    check_refused(read(&later.encode_to_vec(), &Options::default()), "model", &["version 99", "9 to 25"]);
}

#[test]
fn deep_chains_do_not_reach_for_the_stack() {
    let count = 30_000;
    let name = |at: usize| if at == 0 { "x".to_owned() } else { format!("v{at}") };
    let chain = (0..count).map(|at| node("Relu", &[&name(at)], &[&name(at + 1)])).collect();
    refused(graph(last_and_dense(chain, &name(count)), head(3)), "model", &["30003 nodes", "10000"]);
}

#[test]
fn tensors_that_lie() {
    let using = |tensor: TensorProto| {
        let mut tensors = head(3);
        tensors[0] = tensor;
        graph(last_and_dense(vec![], "x"), tensors)
    };
    let huge = TensorProto { dims: vec![i64::MAX, i64::MAX], ..ramp("w", &[3, 1]) };
    refused(using(huge), "model.w", &["no memory holds"]);
    refused(using(TensorProto { dims: vec![1 << 40, 1], ..ramp("w", &[3, 1]) }), "model.w", &["[1099511627776, 1]", "3 values"]);
    refused(using(TensorProto { dims: vec![-3, 1], ..ramp("w", &[3, 1]) }), "model.w", &["negative"]);
    refused(using(TensorProto { dims: vec![3, 2], ..ramp("w", &[3, 1]) }), "model.w", &["6 numbers, and 3 values"]);
    refused(using(TensorProto { raw_data: vec![0; 11], ..ramp("w", &[3, 1]) }), "model.w", &["11 bytes"]);
    refused(using(TensorProto { data_location: 1, ..ramp("w", &[3, 1]) }), "model.w", &["another file", "external_data=False"]);
    refused(using(TensorProto { data_type: 10, ..ramp("w", &[3, 1]) }), "model.w", &["float16"]);
    let infinite = floats("w", &[3, 1], vec![1.0, f32::INFINITY, 0.0]);
    refused(using(infinite), "model.y", &["Gemm", "not a finite"]);
    let double = TensorProto { data_type: 11, float_data: vec![], double_data: vec![0.1, 0.2, 0.3], ..ramp("w", &[3, 1]) };
    assert!(imported(using(double)).unwrap().notes[0].contains("narrowed"));
}

#[test]
fn constants_cannot_be_blown_up() {
    let shape = integers("shape", &[1 << 20, 1 << 20]);
    let blown = vec![node("Expand", &["w", "shape"], &["big"]), node("Add", &["x", "big"], &["y"])];
    let tensors = vec![floats("w", &[1], vec![1.0]), shape];
    refused(graph(blown, tensors), "model.big", &["Expand", "more than a file of this size justifies"]);
    let ranged = vec![node("Range", &["zero", "end", "one"], &["big"]), node("Add", &["x", "big"], &["y"])];
    let tensors = vec![integers("zero", &[0]), integers("end", &[i64::MAX]), integers("one", &[1])];
    refused(graph(ranged, tensors), "model.big", &["Range", "justifies"]);
    // Doubling by concatenation: sixty of these would be 2⁶⁰ features.
    let name = |at: usize| if at == 0 { "x".to_owned() } else { format!("v{at}") };
    let doubled = (0..60).map(|at| with(node("Concat", &[&name(at), &name(at)], &[&name(at + 1)]), "axis", 2)).collect();
    let result = imported(graph(last_and_dense(doubled, &name(60)), head(3)));
    assert!(matches!(result, Err(Error::Invalid { why, .. }) if why.contains("more than 1073741824 numbers")));
}

#[test]
fn windows_must_be_known() {
    let with_input = |dims: &[i64]| GraphProto { input: vec![value("x", dims)], ..graph(last_and_dense(vec![], "x"), head(3)) };
    refused(with_input(&[-1, -1, 3]), "model.x", &["steps", "open"]);
    let options = Options { steps: Some(9), ..Options::default() };
    assert_eq!(read(&file(with_input(&[-1, -1, 3])), &options).unwrap().steps, 9);
    check_refused(read(&file(with_input(&[-1, 4, 3])), &options), "model.x", &["4 steps; 9"]);
    refused(with_input(&[-1, 0, 3]), "model.x", &["0 elements"]);
    refused(with_input(&[-1, i64::MAX, 3]), "model.x", &["elements"]);
    refused(with_input(&[-1, 1 << 31, 1 << 31]), "model.x", &["window"]);
    refused(with_input(&[-1, 4, 3, 2]), "model.x", &["4 axes"]);
    let flat =
        GraphProto { input: vec![value("x", &[-1, 12])], ..graph(vec![node("MatMul", &["x", "w"], &["y"])], vec![ramp("w", &[12, 1])]) };
    let options = Options { features: Some(3), ..Options::default() };
    let read_flat = read(&file(flat.clone()), &options).unwrap();
    assert_eq!((read_flat.steps, read_flat.features), (4, 3));
    let options = Options { features: Some(5), ..Options::default() };
    check_refused(read(&file(flat), &options), "model.x", &["12 numbers"]);
}

#[test]
fn what_our_recurrent_layers_do_not_compute_is_refused() {
    let cell = |kind: &str, gates: i64| {
        let nodes = vec![
            list(node("Transpose", &["x"], &["t"]), "perm", &[1, 0, 2]),
            node(kind, &["t", "k", "r", "c"], &["seq", "hidden", "cell"]),
            node("Squeeze", &["hidden", "zero"], &["state"]),
            node("Gemm", &["state", "w", "b"], &["y"]),
        ];
        let mut tensors = head(2);
        tensors.extend([ramp("k", &[1, 2 * gates, 3]), ramp("r", &[1, 2 * gates, 2]), ramp("c", &[1, 4 * gates]), integers("zero", &[0])]);
        graph(nodes, tensors)
    };
    let network = imported(cell("LSTM", 4)).unwrap().network;
    assert!(matches!(operations(&network)[1], Operation::Lstm(layer) if layer.units == 2 && !layer.return_sequences));
    refused(cell("GRU", 3), "model.seq", &["linear_before_reset = 0", "another formula"]);
    let changed = |change: fn(&mut GraphProto)| {
        let mut graph = cell("LSTM", 4);
        change(&mut graph);
        graph
    };
    let reads_cell = changed(|graph| graph.node[2].input[0] = "cell".to_owned());
    refused(reads_cell, "model.state", &["cell state"]);
    let reversed = changed(|graph| graph.node[1] = text(graph.node[1].clone(), "direction", "reverse"));
    refused(reversed, "model.seq", &["`reverse`"]);
    let clipped = changed(|graph| graph.node[1] = with(graph.node[1].clone(), "clip", 1));
    refused(clipped, "model.seq", &["clips"]);
    let begun = changed(|graph| {
        graph.node[1].input.extend([String::new(), "begin".to_owned()]);
        graph.initializer.push(floats("begin", &[1, 1, 2], vec![0.0, 0.5]));
    });
    refused(begun, "model.seq", &["initial hidden state"]);
    let narrow = changed(|graph| graph.initializer[3] = ramp("k", &[1, 8, 2]));
    refused(narrow, "model.seq", &["[1, 8, 2]", "[1, 8, 3]"]);
    // Batch first where the operator wants time first: [4, n, 3] and [n, 4, 3] cannot be confused.
    let untransposed = changed(|graph| graph.node[1].input[0] = "x".to_owned());
    refused(untransposed, "model.seq", &["[batch, 4, 3]", "[time, batch, features]"]);
}

#[test]
fn halves_of_operations_are_named() {
    let erf = vec![node("Erf", &["x"], &["e"])];
    refused(graph(last_and_dense(erf, "e"), head(3)), "model.e", &["Erf", "gelu"]);
    let scores = vec![list(node("Transpose", &["x"], &["t"]), "perm", &[0, 2, 1]), node("MatMul", &["x", "t"], &["s"])];
    refused(graph(last_and_dense(scores, "s"), head(4)), "model.s", &["attention scores"]);
    let turned = vec![list(node("Transpose", &["x"], &["t"]), "perm", &[0, 2, 1]), node("MatMul", &["t", "m"], &["mixed"])];
    let mut tensors = head(3);
    tensors.push(ramp("m", &[4, 4]));
    refused(graph(last_and_dense(turned, "mixed"), tensors), "model.mixed", &["turned round"]);
    let steps = vec![node("MatMul", &["x", "w"], &["y"])];
    refused(graph(steps, head(3)), "model.y", &["4 numbers", "one is served"]);
    let parts = vec![node("Relu", &["x"], &["y"])];
    refused(graph(parts, vec![]), "model.y", &["[batch, 4, 3]"]);
}

#[test]
fn a_classifier_gives_its_logit() {
    let mut nodes = last_and_dense(vec![], "x");
    nodes[1].output[0] = "logit".to_owned();
    nodes.push(node("Sigmoid", &["logit"], &["y"]));
    let options = Options { binary: true, ..Options::default() };
    let sigmoid = read(&file(graph(nodes, head(3))), &options).unwrap();
    assert_eq!(sigmoid.network.outputs[0].loss, Loss::Bce);
    assert!(!operations(&sigmoid.network).iter().any(|operation| matches!(operation, Operation::Activation(_))));
    assert!(sigmoid.notes[0].contains("logit") && sigmoid.probability);
    let classes = |count: i64| {
        let nodes = vec![
            with(node("Gather", &["x", "minus-one"], &["end"]), "axis", 1),
            node("MatMul", &["end", "w"], &["z"]),
            node("Softmax", &["z"], &["p"]),
            with(node("Gather", &["p", "one"], &["y"]), "axis", 1),
        ];
        let mut tensors = head(3);
        tensors[0] = ramp("w", &[3, count]);
        tensors.push(integers("one", &[1]));
        file(graph(nodes, tensors))
    };
    let two = read(&classes(2), &options).unwrap();
    assert!(two.probability && two.network.nodes.len() == 4, "{:?}", two.network.nodes);
    check_refused(read(&classes(3), &options), "model.y", &["several classes"]);
}

//! Shapes and refusals of every operation, one row each.

use super::*;
use crate::network::weight::weights;
use crate::network::{
    Adam, BatchNorm, CustomOperation, Dense, EarlyStopping, Loss, Optimizer, Output, Position, Schedule, Sgd, TimePooling, Training,
};

const STEPS: usize = 60;
const FEATURES: usize = 5;

fn training() -> Training {
    let adam = Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
    Training {
        epochs: 10,
        batch_size: 32,
        learning_rate: 1e-3,
        optimizer: Optimizer::Adam(adam),
        schedule: Schedule::Constant,
        clip_norm: Some(1.0),
        early_stopping: Some(EarlyStopping { patience: 5, min_delta: 0.0, restore_best: true }),
    }
}

fn node(name: &str, operation: Operation, inputs: &[u32]) -> Node {
    Node { name: name.to_owned(), operation, inputs: inputs.to_vec() }
}

fn dense(units: u32) -> Operation {
    Operation::Dense(Dense { units, bias: true, kernel: Initializer::Standard })
}

fn recurrent(units: u32, layers: u32, bidirectional: bool, return_sequences: bool) -> Recurrent {
    let kernel = Initializer::Standard;
    Recurrent { units, layers, bidirectional, return_sequences, kernel, recurrent_kernel: kernel }
}

fn conv(kernel_size: u32, stride: u32, dilation: u32, causal: bool) -> Operation {
    Operation::Conv1d(Conv1d { filters: 8, kernel_size, stride, dilation, causal, bias: true, kernel: Initializer::Standard })
}

/// `x` is the window, `last` its last step, `op` the operation under test (reading `reads`), `out` a fitting head.
fn around(operation: Operation, reads: &[u32]) -> Network {
    let nodes = vec![
        node("x", Operation::Input, &[]),
        node("last", Operation::TimePooling(TimePooling::Last), &[0]),
        node("scalar-step", Operation::Slice(Slice { axis: 0, start: 0, length: 1 }), &[1]),
        node("scalar", Operation::Reshape(vec![]), &[2]),
        node("op", operation, reads),
        node("out", dense(1), &[1]),
    ];
    let output = Output { name: "prediction".to_owned(), node: 5, loss: Loss::Mse, weight: 1.0 };
    Network { nodes, outputs: vec![output], training: training() }
}

#[test]
fn every_operation_has_its_shape_and_parameters() {
    let lstm = |units, layers, both, all| Operation::Lstm(recurrent(units, layers, both, all));
    let attention = |heads| Operation::Attention(Attention { heads, causal: true, dropout: 0.1 });
    let slice = |axis, start, length| Operation::Slice(Slice { axis, start, length });
    let table = || Operation::Embedding(Embedding { categories: 7, width: 3 });
    let cases: Vec<(Operation, &[u32], &[usize], usize)> = vec![
        (dense(7), &[0], &[60, 7], 42),
        (dense(7), &[1], &[7], 42),
        (lstm(4, 1, false, true), &[0], &[60, 4], 4 * 4 * (5 + 4 + 1)),
        (lstm(4, 2, true, false), &[0], &[8], 2 * 16 * (5 + 4 + 1) + 2 * 16 * (8 + 4 + 1)),
        (Operation::Gru(recurrent(4, 1, false, false)), &[0], &[4], 3 * 4 * (5 + 4 + 1) + 4),
        (conv(3, 1, 1, false), &[0], &[58, 8], 3 * 5 * 8 + 8),
        (conv(3, 2, 4, false), &[0], &[26, 8], 128),
        (conv(3, 7, 9, true), &[0], &[9, 8], 128),
        (Operation::LayerNorm(1e-5), &[0], &[60, 5], 10),
        (Operation::BatchNorm(BatchNorm { epsilon: 1e-3, momentum: 0.9 }), &[1], &[5], 10),
        (attention(5), &[0], &[60, 5], 4 * 30),
        (Operation::PositionalEncoding(Position::Sinusoidal), &[0], &[60, 5], 0),
        (Operation::PositionalEncoding(Position::Learned), &[0], &[60, 5], 300),
        (table(), &[1], &[5, 3], 21),
        (table(), &[3], &[3], 21),
        (Operation::Dropout(0.5), &[0], &[60, 5], 0),
        (Operation::Activation(Activation::Softmax), &[1], &[5], 0),
        (Operation::Activation(Activation::Relu), &[3], &[], 0),
        (Operation::Add, &[0, 0, 0], &[60, 5], 0),
        (Operation::Multiply, &[1, 1], &[5], 0),
        (Operation::Concat(0), &[0, 0], &[120, 5], 0),
        (Operation::Concat(1), &[0, 0, 0], &[60, 15], 0),
        (slice(0, 50, 10), &[0], &[10, 5], 0),
        (slice(1, 4, 1), &[0], &[60, 1], 0),
        (Operation::Reshape(vec![300]), &[0], &[300], 0),
        (Operation::Reshape(vec![2, 30, 5]), &[0], &[2, 30, 5], 0),
        (Operation::TimePooling(TimePooling::Mean), &[0], &[5], 0),
        (Operation::TimePooling(TimePooling::Attention), &[0], &[5], 5),
    ];
    for (operation, reads, shape, parameters) in cases {
        let network = around(operation.clone(), reads);
        let shapes = infer(&network, STEPS, FEATURES).unwrap();
        assert_eq!(shapes.nodes[4], shape, "{operation:?}");
        assert_eq!(shapes.parameters[4], parameters, "{operation:?}");
        let listed: usize = weights(&network, &shapes).iter().filter(|w| w.trained).map(|w| w.len()).sum();
        assert_eq!(listed, shapes.parameters.iter().sum::<usize>(), "{operation:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused_at_its_node() {
    let lstm = |layer| Operation::Lstm(layer);
    let kernel = |kernel| Operation::Dense(Dense { units: 2, bias: false, kernel });
    let attention = |heads, dropout| Operation::Attention(Attention { heads, causal: false, dropout });
    let slice = |axis, start, length| Operation::Slice(Slice { axis, start, length });
    let custom = Operation::Custom(CustomOperation { name: "warp".to_owned(), attributes: "{}".to_owned() });
    let cases: Vec<(Operation, &[u32], &str)> = vec![
        (dense(0), &[0], "units is 0"),
        (dense(2), &[3], "needs a last axis"),
        (dense(2), &[], "it reads 0 values; this operation reads 1"),
        (dense(2), &[4], "may read earlier ones only"),
        (dense(2), &[5], "may read earlier ones only"),
        (dense(2), &[u32::MAX], "may read earlier ones only"),
        (dense(u32::MAX), &[0], "too large"),
        (Operation::Reshape(vec![u32::MAX; 6]), &[0], "[60, 5] holds 300"),
        (kernel(Initializer::Constant(f64::NAN)), &[0], "finite"),
        (kernel(Initializer::Uniform(-1.0)), &[0], "not negative"),
        (kernel(Initializer::Normal(1e300)), &[0], "finite in 32 bits"),
        (lstm(recurrent(0, 1, false, false)), &[0], "units is 0"),
        (lstm(recurrent(4, 0, false, false)), &[0], "layers is 0; it must be 1 to 64"),
        (lstm(recurrent(4, 65, false, false)), &[0], "layers is 65"),
        (lstm(recurrent(4, 1, false, false)), &[1], "its input has shape [5]; it reads a sequence"),
        (lstm(recurrent(60_000, 1, false, false)), &[0], "parameters"),
        (Operation::Gru(recurrent(4, 1, false, false)), &[1], "shape [5]"),
        (conv(61, 1, 1, false), &[0], "spans 61 steps and its input has shape [60, 5]"),
        (conv(u32::MAX, 1, u32::MAX, false), &[0], "spans"),
        (conv(0, 1, 1, true), &[0], "kernel-size is 0"),
        (conv(1, 0, 1, true), &[0], "stride is 0"),
        (conv(1, 1, 0, true), &[0], "dilation is 0"),
        (Operation::LayerNorm(0.0), &[0], "epsilon is 0"),
        (Operation::LayerNorm(f64::NAN), &[0], "epsilon is NaN"),
        (Operation::BatchNorm(BatchNorm { epsilon: 1e-3, momentum: 1.0 }), &[0], "momentum is 1"),
        (attention(2, 0.0), &[0], "2 heads do not divide the width 5"),
        (attention(0, 0.0), &[0], "heads is 0"),
        (attention(5, 1.0), &[0], "dropout is 1"),
        (attention(5, 0.0), &[1], "shape [5]"),
        (Operation::PositionalEncoding(Position::Learned), &[1], "shape [5]"),
        (Operation::Embedding(Embedding { categories: 3, width: 2 }), &[0], "[60, 5]; an embedding reads [time] or []"),
        (Operation::Embedding(Embedding { categories: 0, width: 2 }), &[1], "categories is 0"),
        (Operation::Dropout(1.0), &[0], "dropout is 1; it must be in [0, 1)"),
        (Operation::Dropout(-0.1), &[0], "dropout is -0.1"),
        (Operation::Activation(Activation::Softmax), &[3], "needs a last axis"),
        (Operation::Add, &[0, 1], "shapes [60, 5] and [5]"),
        (Operation::Multiply, &[0], "it reads 1 values; this operation reads 2 to 256"),
        (Operation::Concat(2), &[0, 0], "axis 2 does not exist"),
        (Operation::Concat(0), &[0, 1], "joins shapes [60, 5] and [5]"),
        (slice(2, 0, 1), &[0], "axis 2 does not exist"),
        (slice(0, 0, 0), &[0], "length is 0"),
        (slice(0, 59, 2), &[0], "takes 59..61 of axis 0, and its input of shape [60, 5] has only 60"),
        (slice(0, u32::MAX, u32::MAX), &[0], "has only 60"),
        (Operation::Reshape(vec![7]), &[0], "[60, 5] holds 300 numbers and the new shape [7] holds 7"),
        (Operation::Reshape(vec![1; 7]), &[3], "7 axes"),
        (Operation::TimePooling(TimePooling::Max), &[1], "shape [5]"),
        (Operation::Input, &[0], "it reads 1 values; this operation reads 0"),
        (Operation::Input, &[], "`x` is an `input` already"),
        (custom, &[0], "`warp` is not known"),
    ];
    for (operation, reads, text) in cases {
        let error = infer(&around(operation.clone(), reads), STEPS, FEATURES).expect_err(text);
        let Error::Invalid { field, why } = &error else { panic!("{operation:?}: {error}") };
        assert_eq!(field, "network.op", "{operation:?}: {why}");
        assert!(why.contains(text), "{operation:?}: `{why}` does not say `{text}`");
    }
}

#[test]
fn what_is_wrong_around_the_nodes_names_its_field() {
    type Change = fn(&mut Network);
    let cases: Vec<(Change, &str, &str)> = vec![
        (|n| n.nodes.clear(), "network.nodes", "0 nodes"),
        (|n| n.nodes = vec![n.nodes[1].clone(); NODES_MAX + 1], "network.nodes", "10001 nodes"),
        (|n| n.nodes[4].name = "x".to_owned(), "network.nodes[4].name", "used twice"),
        (|n| n.nodes[4].name = "Ä".to_owned(), "network.nodes[4].name", "lower-case"),
        (|n| n.nodes[4].name.clear(), "network.nodes[4].name", "lower-case"),
        (|n| n.nodes[4].name = "a".repeat(101), "network.nodes[4].name", "1 to 100"),
        (|n| n.outputs.clear(), "network.outputs", "at least one"),
        (|n| n.outputs.push(n.outputs[0].clone()), "network.outputs[1].name", "used twice"),
        (|n| n.outputs[0].node = 9, "network.outputs.prediction", "6 nodes"),
        (|n| n.outputs[0].node = 0, "network.outputs.prediction", "[60, 5]"),
        (|n| n.outputs[0].node = 1, "network.outputs.prediction", "has shape [5]; mse wants [1]"),
        (|n| n.outputs[0].weight = 0.0, "network.outputs.prediction", "weight is 0"),
        (|n| n.outputs[0].loss = Loss::Huber(0.0), "network.outputs.prediction", "delta is 0"),
        (|n| n.outputs[0].loss = Loss::GaussianNll, "network.outputs.prediction", "wants [2]"),
        (
            |n| n.outputs[0].loss = Loss::Quantile(vec![0.1, 0.9]),
            "network.outputs.prediction",
            "[1]; quantile (one per probability) wants [2]",
        ),
        (|n| n.outputs[0].loss = Loss::Quantile(vec![1.0]), "network.outputs.prediction", "in (0, 1)"),
        (|n| n.outputs[0].loss = Loss::CrossEntropy(vec![]), "network.outputs.prediction", "at least 2"),
        (|n| (n.outputs[0].node, n.outputs[0].loss) = (1, Loss::CrossEntropy(vec![1.0; 4])), "network.outputs.prediction", "[5]"),
        (|n| (n.outputs[0].node, n.outputs[0].loss) = (1, Loss::CrossEntropy(vec![0.0; 5])), "network.outputs.prediction", "one above 0"),
        (|n| n.training.epochs = 0, "network.training.epochs", "at least 1"),
        (|n| n.training.batch_size = 0, "network.training.batch_size", "at least 1"),
        (|n| n.training.learning_rate = f64::INFINITY, "network.training.learning_rate", "finite"),
        (|n| n.training.clip_norm = Some(0.0), "network.training.clip_norm", "above 0"),
        (|n| n.training.schedule = Schedule::Step(0, 0.5), "network.training.schedule.epochs", "at least 1"),
        (|n| n.training.schedule = Schedule::Step(1, 1.5), "network.training.schedule.factor", "in (0, 1]"),
        (|n| n.training.schedule = Schedule::Cosine(1.5), "network.training.schedule.share", "in [0, 1]"),
        (|n| n.training.schedule = Schedule::WarmUp(0), "network.training.schedule.steps", "at least 1"),
        (|n| n.training.schedule = Schedule::OneCycle(1.0), "network.training.schedule.share", "in (0, 1)"),
        (|n| n.training.schedule = Schedule::ReduceOnPlateau(3, 1.0), "network.training.schedule.factor", "in (0, 1)"),
        (
            |n| n.training.early_stopping = Some(EarlyStopping { patience: 0, min_delta: 0.0, restore_best: true }),
            "network.training.early_stopping.patience",
            "at least 1",
        ),
        (
            |n| n.training.optimizer = Optimizer::Sgd(Sgd { momentum: 0.0, nesterov: true, weight_decay: 0.0 }),
            "network.training.optimizer.momentum",
            "look ahead",
        ),
        (
            |n| n.training.optimizer = Optimizer::Adamw(Adam { beta1: 0.9, beta2: 1.0, epsilon: 1e-8, weight_decay: 0.0 }),
            "network.training.optimizer.beta2",
            "in [0, 1)",
        ),
    ];
    for (change, field, text) in cases {
        let mut network = around(Operation::Dropout(0.0), &[0]);
        change(&mut network);
        let error = infer(&network, STEPS, FEATURES).expect_err(field);
        let Error::Invalid { field: named, why } = &error else { panic!("{field}: {error}") };
        assert_eq!(named, field, "{why}");
        assert!(why.contains(text), "{field}: `{why}` does not say `{text}`");
    }
    let network = around(Operation::Dropout(0.0), &[0]);
    assert!(infer(&network, 0, FEATURES).is_err() && infer(&network, STEPS, 0).is_err());
}

#[test]
fn no_input_node_is_refused() {
    let mut network = around(Operation::Dropout(0.0), &[0]);
    network.nodes = vec![node("lonely", dense(1), &[0])];
    let error = infer(&network, STEPS, FEATURES).unwrap_err().to_string();
    assert!(error.contains("network.lonely"), "{error}");
}

#[test]
fn weights_are_named_by_node_and_parameter() {
    let network = around(Operation::Lstm(recurrent(4, 2, true, false)), &[0]);
    let shapes = infer(&network, STEPS, FEATURES).unwrap();
    let list = weights(&network, &shapes);
    let names: Vec<&str> = list.iter().map(|weight| weight.name.as_str()).collect();
    assert_eq!(names[..4], ["op.kernel-0", "op.recurrent-kernel-0", "op.bias-0", "op.kernel-0-reverse"]);
    assert_eq!(names[12..], ["out.kernel", "out.bias"]);
    assert_eq!((list[6].name.as_str(), &list[6].shape[..]), ("op.kernel-1", &[8, 16][..]));
    assert_eq!(list[6].fans(), (8, 16));
}

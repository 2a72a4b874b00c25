//! The formulas against finite differences, and our layers against the formulas.
//!
//! In 64 bits a central difference is good to eight digits, so it vouches for candle's gradient of each formula; that
//! gradient, in 64 bits, then vouches for the hand-written one in 32. Random small graphs do the same for what lies between.

use bellwether_domain::job::Precision;
use bellwether_domain::network::{
    Activation, Attention, BatchNorm, Conv1d, Embedding, Initializer, Loss, Network, Node, Operation, Output, Position, Recurrent, Slice,
    TimePooling, Training,
};
use candle_core::{DType, Device, Tensor, Var};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::Samples;
use crate::fit::trainer::Trainer;
use crate::program::tests::{FEATURES, STEPS, chain, dense, drawn, numbers, pool, sequence, training};

const ROWS: usize = 5;

fn recurrent(units: u32, layers: u32, bidirectional: bool, return_sequences: bool) -> Recurrent {
    let kernel = Initializer::Standard;
    Recurrent { units, layers, bidirectional, return_sequences, kernel, recurrent_kernel: kernel }
}

fn conv(filters: u32, kernel_size: u32, stride: u32, dilation: u32, causal: bool, bias: bool) -> Operation {
    Operation::Conv1d(Conv1d { filters, kernel_size, stride, dilation, causal, bias, kernel: Initializer::Standard })
}

fn attention(heads: u32, causal: bool) -> Operation {
    Operation::Attention(Attention { heads, causal, dropout: 0.3 })
}

/// The first feature of each step looked up in a table.
fn embedded() -> Vec<Operation> {
    let column = Operation::Slice(Slice { axis: 1, start: 0, length: 1 });
    vec![column, Operation::Reshape(vec![STEPS as u32]), Operation::Embedding(Embedding { categories: 7, width: 3 })]
}

/// Networks that together hold every operation.
fn networks() -> Vec<Network> {
    use Activation::{Gelu, Relu, Sigmoid, Silu, Softmax, Softplus, Tanh};
    let lstm = |units, layers, both, all| Operation::Lstm(recurrent(units, layers, both, all));
    let gru = |units, layers, both, all| Operation::Gru(recurrent(units, layers, both, all));
    let mut list = vec![
        chain(vec![lstm(5, 1, false, false)]),
        chain(vec![lstm(17, 1, false, true), pool(TimePooling::Last)]),
        chain(vec![lstm(3, 2, true, true), pool(TimePooling::Attention)]),
        chain(vec![dense(4), lstm(16, 2, true, false)]),
        chain(vec![gru(5, 1, false, false)]),
        chain(vec![gru(17, 1, false, true), pool(TimePooling::Last)]),
        chain(vec![gru(3, 2, true, true), pool(TimePooling::Attention)]),
        chain(vec![dense(4), gru(16, 2, true, false)]),
        chain(vec![dense(4), Operation::LayerNorm(1e-3), pool(TimePooling::Max)]),
        sequence(vec![dense(4), Operation::BatchNorm(BatchNorm { epsilon: 1e-3, momentum: 0.9 }), dense(3)]),
        chain(vec![pool(TimePooling::Last), dense(4), Operation::BatchNorm(BatchNorm { epsilon: 1e-3, momentum: 0.9 })]),
        sequence(vec![conv(4, 3, 1, 1, true, true), conv(3, 2, 1, 4, true, false)]),
        sequence(vec![conv(4, 3, 1, 2, false, true)]),
        sequence(vec![conv(17, 2, 2, 1, true, true), conv(3, 2, 2, 1, false, true)]),
        sequence(vec![dense(8), attention(2, false)]),
        sequence(vec![dense(6), attention(1, true), attention(3, true), dense(2)]),
        sequence(vec![dense(4), Operation::PositionalEncoding(Position::Sinusoidal), dense(3)]),
        sequence(vec![dense(5), Operation::PositionalEncoding(Position::Learned), dense(3)]),
        sequence(vec![dense(4), Operation::Slice(Slice { axis: 0, start: 1, length: 4 })]),
        sequence(vec![dense(4), Operation::Slice(Slice { axis: 1, start: 1, length: 2 })]),
        sequence(vec![dense(4), Operation::Concat(0), Operation::Concat(1)]),
        sequence(vec![dense(4), Operation::Add, dense(2), Operation::Multiply]),
        chain(vec![dense(4), Operation::Reshape(vec![24])]),
        sequence(embedded()),
    ];
    for activation in [Relu, Gelu, Silu, Tanh, Sigmoid, Softplus, Softmax] {
        list.push(sequence(vec![dense(4), Operation::Activation(activation), dense(3)]));
    }
    list
}

/// Windows whose first feature is a category.
fn windows() -> Vec<f32> {
    let mut values = numbers(ROWS * STEPS * FEATURES, 5);
    values.iter_mut().step_by(FEATURES).enumerate().for_each(|(place, value)| *value = (place * 5 % 7) as f32);
    values
}

/// Loss and gradient of every weight by candle, in 64 bits.
fn differentiated(plan: &Plan, weights: &[f64], windows: &[f32], targets: &[f32], counts: &[f32]) -> (f64, Vec<f64>) {
    let cpu = Device::Cpu;
    let wide = |values: &[f32], shape: &[usize]| Tensor::from_slice(values, shape, &cpu).unwrap().to_dtype(DType::F64).unwrap();
    let leaves: Vec<Tensor> = plan
        .weights
        .iter()
        .zip(&plan.places)
        .map(|(weight, place)| Var::from_slice(&weights[place.clone()], &weight.shape[..], &cpu).unwrap().into_inner())
        .collect();
    let windows = wide(windows, &[targets.len(), STEPS, FEATURES]);
    let values = forward(plan, &leaves, &windows, Mode::Plain).unwrap();
    let loss = total(plan, &values, &wide(targets, &[targets.len()]), &wide(counts, &[counts.len()])).unwrap();
    let slopes = loss.backward().unwrap();
    let mut gradient = vec![0.0; weights.len()];
    for (leaf, place) in leaves.iter().zip(&plan.places) {
        if let Some(slope) = slopes.get(leaf) {
            gradient[place.clone()].copy_from_slice(&slope.flatten_all().unwrap().to_vec1::<f64>().unwrap());
        }
    }
    (loss.to_scalar().unwrap(), gradient)
}

/// The formula's gradient agrees with differences, and our layers' loss and gradient with the formula's.
fn check(network: &Network, targets: &[f32], counts: &[f32]) {
    let windows = windows();
    let (plan, weights) = drawn(network);
    let wide: Vec<f64> = weights.iter().map(|value| f64::from(*value)).collect();
    let (loss, gradient) = differentiated(&plan, &wide, &windows, targets, counts);
    let about = |at: usize| {
        let weight = plan.places.iter().position(|place| place.contains(&at)).unwrap();
        format!("{}[{}] of {:?}", plan.weights[weight].name, at - plan.places[weight].start, network.outputs[0].loss)
    };
    let mut moved = wide.clone();
    for (weight, place) in plan.weights.iter().zip(&plan.places).filter(|(weight, _)| weight.trained) {
        let scale = gradient[place.clone()].iter().fold(1e-2f64, |most, slope| most.max(slope.abs()));
        for at in place.clone().step_by(weight.len().div_ceil(6)) {
            let mut loss = |width: f64| {
                moved[at] = wide[at] + width;
                let loss = differentiated(&plan, &moved, &windows, targets, counts).0;
                moved[at] = wide[at];
                loss
            };
            let slope = (loss(1e-5) - loss(-1e-5)) / 2e-5;
            assert!((slope - gradient[at]).abs() < 1e-6 * scale, "{}: {slope} by differences, {} by candle", about(at), gradient[at]);
        }
    }

    let ends: Vec<usize> = (1..=ROWS).map(|row| row * STEPS - 1).collect();
    let samples = Samples { rows: &windows, features: FEATURES, steps: STEPS, ends: &ends, targets, weights: Some(counts) };
    for threads in [1, 3] {
        let mut trainer =
            Trainer::new(&plan, weights.clone(), &Training { batch_size: ROWS as u32, ..training() }, threads, 0, Precision::F32).unwrap();
        let ours = trainer.differentiate(&samples, &[0, 1, 2, 3, 4], None);
        assert!((ours - loss).abs() < 1e-5 * loss.abs().max(1.0), "{:?}: loss {ours}, by the formula {loss}", network.outputs[0].loss);
        for (weight, place) in plan.weights.iter().zip(&plan.places).filter(|(weight, _)| weight.trained) {
            let scale = gradient[place.clone()].iter().fold(1e-2f64, |most, slope| most.max(slope.abs()));
            for at in place.clone() {
                let difference = (f64::from(trainer.gradient[at]) - gradient[at]).abs();
                assert!(
                    difference < 2e-5 * scale,
                    "{} ({}): ours {}, the formula's {}",
                    about(at),
                    weight.name,
                    trainer.gradient[at],
                    gradient[at]
                );
            }
        }
    }
}

#[test]
fn every_operation_agrees_with_its_formula_and_with_differences() {
    for network in networks() {
        check(&network, &numbers(ROWS, 6), &[1.0; ROWS]);
    }
}

#[test]
fn every_loss_agrees_with_its_formula_and_with_differences() {
    let class = |width: f32| numbers(ROWS, 6).iter().map(|target| ((target + 1.0) * 0.5 * width).floor()).collect::<Vec<f32>>();
    let real = || numbers(ROWS, 6).iter().map(|target| target * 2.0).collect::<Vec<f32>>();
    for (loss, targets) in [
        (Loss::Mse, real()),
        (Loss::Mae, real()),
        (Loss::Huber(0.5), real()),
        (Loss::Quantile(vec![0.1, 0.5, 0.9]), real()),
        (Loss::GaussianNll, real()),
        (Loss::Bce, class(2.0)),
        (Loss::CrossEntropy(vec![]), class(3.0)),
        (Loss::CrossEntropy(vec![0.5, 1.0, 2.0]), class(3.0)),
    ] {
        let width = match &loss {
            Loss::Quantile(_) | Loss::CrossEntropy(_) => 3,
            Loss::GaussianNll => 2,
            Loss::Mse | Loss::Mae | Loss::Huber(_) | Loss::Bce => 1,
        };
        let mut network = chain(vec![pool(TimePooling::Mean), dense(4), Operation::Activation(Activation::Tanh)]);
        let last = network.nodes.len() - 1;
        network.nodes[last].operation = dense(width);
        network.outputs[0].loss = loss;
        for counts in [[1.0; ROWS], [0.5, 2.0, 0.0, 1.0, 3.0]] {
            check(&network, &targets, &counts);
        }
    }
}

/// A graph of up to twelve nodes over values of one or two axes, with two heads that may share a node.
fn random_graph(random: &mut ChaCha8Rng) -> Network {
    let node = |name: String, operation, inputs: Vec<usize>| Node { name, operation, inputs: inputs.iter().map(|at| *at as u32).collect() };
    let mut nodes = vec![node("x".to_owned(), Operation::Input, vec![])];
    // Shapes of what there is so far, worked out beside a head that reads the window.
    let shapes = |nodes: &[Node]| {
        let mut nodes = nodes.to_vec();
        nodes.push(node("pooled".to_owned(), pool(TimePooling::Last), vec![0]));
        nodes.push(node("any".to_owned(), dense(1), vec![nodes.len() - 1]));
        let output = Output { name: "y".to_owned(), node: nodes.len() as u32 - 1, loss: Loss::Mse, weight: 1.0 };
        let whole = Network { nodes, outputs: vec![output], training: training() };
        bellwether_domain::network::shape::infer(&whole, STEPS, FEATURES).unwrap().nodes
    };
    for place in 1..random.random_range(4..12) {
        let known = shapes(&nodes);
        let one = random.random_range(0..nodes.len());
        let shape = known[one].clone();
        let partners: Vec<usize> = (0..nodes.len()).filter(|other| known[*other] == shape).collect();
        let other = *partners.choose(random).unwrap();
        let is_sequence = shape.len() == 2;
        let recurrent =
            Recurrent { layers: random.random_range(1..3), ..recurrent(random.random_range(1..5), 1, random.random(), random.random()) };
        let (operation, inputs) = match random.random_range(0..12) {
            0 if is_sequence => (Operation::Lstm(recurrent), vec![one]),
            1 if is_sequence => (Operation::Gru(recurrent), vec![one]),
            2 if is_sequence => (conv(3, 2, 1, 2, true, true), vec![one]),
            3 if is_sequence => (attention(1, random.random()), vec![one]),
            4 if is_sequence => (pool(*[TimePooling::Last, TimePooling::Mean, TimePooling::Attention].choose(random).unwrap()), vec![one]),
            5 => (Operation::LayerNorm(1e-2), vec![one]),
            6 => (Operation::Add, vec![one, other]),
            7 => (Operation::Multiply, vec![one, other]),
            8 => (Operation::Concat(shape.len() as u32 - 1), vec![one, other, one]),
            9 => (Operation::Activation(*[Activation::Tanh, Activation::Silu, Activation::Softmax].choose(random).unwrap()), vec![one]),
            10 => (Operation::Reshape(vec![shape.iter().product::<usize>() as u32]), vec![one]),
            _ => (dense(random.random_range(1..6)), vec![one]),
        };
        nodes.push(node(format!("n{place}"), operation, inputs));
    }
    let mut heads = vec![];
    for name in ["a", "b"] {
        let known = shapes(&nodes);
        let read = random.random_range(0..nodes.len());
        let flat = known[read].iter().product::<usize>() as u32;
        nodes.push(node(format!("flat-{name}"), Operation::Reshape(vec![flat]), vec![read]));
        nodes.push(node(format!("head-{name}"), dense(1), vec![nodes.len() - 1]));
        heads.push(nodes.len() as u32 - 1);
    }
    let output = |(place, loss): (usize, Loss)| Output {
        name: format!("y{place}"),
        node: heads[place % heads.len()],
        loss,
        weight: 0.5 + place as f64,
    };
    let outputs = [Loss::Mse, Loss::Huber(1.0), Loss::Mae].into_iter().enumerate().map(output).collect();
    Network { nodes, outputs, training: training() }
}

#[test]
fn random_graphs_agree_with_their_formulas() {
    let mut random = ChaCha8Rng::seed_from_u64(17);
    for _ in 0..60 {
        check(&random_graph(&mut random), &numbers(ROWS, 6), &[1.0, 0.5, 2.0, 1.0, 0.0]);
    }
}

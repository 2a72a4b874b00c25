//! Every layer against finite differences, against itself in other company, and serving against training.
//!
//! [`check`] is what a new layer is put through; the networks it is called with together hold every operation.

use bellwether_domain::job::Precision;
use bellwether_domain::network::weight::Start;
use bellwether_domain::network::{
    Activation, Adam, Attention, Conv1d, Dense, Initializer, Loss, Network, Node, Operation, Optimizer, Output, Schedule, TimePooling,
    Training,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::layer::Purpose;
use crate::plan::{Op, Plan};
use crate::program::Program;

pub(crate) const STEPS: usize = 6;
pub(crate) const FEATURES: usize = 3;
const ROWS: usize = 5;

/// Numbers in ±1.
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| random.random::<f32>() * 2.0 - 1.0).collect()
}

pub(crate) fn training() -> Training {
    let adam = Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
    let (optimizer, schedule) = (Optimizer::Adam(adam), Schedule::Constant);
    Training { epochs: 3, batch_size: 4, learning_rate: 0.01, optimizer, schedule, clip_norm: Some(1.0), early_stopping: None }
}

pub(crate) fn dense(units: u32) -> Operation {
    Operation::Dense(Dense { units, bias: true, kernel: Initializer::Standard })
}

pub(crate) fn pool(pooling: TimePooling) -> Operation {
    Operation::TimePooling(pooling)
}

/// The operations one after the other; what reads two values reads the last two of the same shape, or the last twice. The
/// last operation must give a vector; a dense layer of two outputs follows it.
pub(crate) fn chain(operations: Vec<Operation>) -> Network {
    let mut nodes = vec![Node { name: "x".to_owned(), operation: Operation::Input, inputs: vec![] }];
    for operation in operations.into_iter().chain([dense(2)]) {
        let last = nodes.len() as u32 - 1;
        let two = matches!(operation, Operation::Add | Operation::Multiply | Operation::Concat(_));
        nodes.push(Node { name: format!("n{}", nodes.len()), operation, inputs: if two { vec![last, last] } else { vec![last] } });
    }
    let output = Output { name: "prediction".to_owned(), node: nodes.len() as u32 - 1, loss: Loss::GaussianNll, weight: 1.0 };
    Network { nodes, outputs: vec![output], training: training() }
}

/// [`chain`] for operations that leave a sequence: their mean over time is taken.
pub(crate) fn sequence(mut operations: Vec<Operation>) -> Network {
    operations.push(pool(TimePooling::Mean));
    chain(operations)
}

/// A network with every layer that training may compute in bf16.
pub(crate) fn mixed() -> Network {
    let conv = Conv1d { filters: 37, kernel_size: 3, stride: 1, dilation: 1, causal: true, bias: true, kernel: Initializer::Standard };
    let narrow = Conv1d { filters: 5, kernel_size: 2, stride: 2, causal: false, ..conv.clone() };
    let attention = Operation::Attention(Attention { heads: 3, causal: false, dropout: 0.0 });
    let bend = || Operation::Activation(Activation::Tanh);
    sequence(vec![dense(33), bend(), attention, Operation::Conv1d(conv), bend(), Operation::Conv1d(narrow)])
}

/// [`check_on`] with windows of numbers in ±1.
pub(crate) fn check(network: &Network) {
    check_on(network, &numbers(ROWS * STEPS * FEATURES, 5));
}

/// Puts a network through everything, on windows [rows, steps, features].
pub(crate) fn check_on(network: &Network, windows: &[f32]) {
    let (plan, weights) = drawn(network);
    let rows = windows.len() / (STEPS * FEATURES);
    let whole = Bench::new(&plan, &weights, Purpose::Train, rows);
    check_gradient(network, &plan, whole, &weights, windows);
    if plan.steps.iter().any(|step| matches!(step.op, Op::BatchNorm(_))) {
        return;
    }
    let mut served = Bench::new(&plan, &weights, Purpose::Serve, rows);
    let mut trained = Bench::new(&plan, &weights, Purpose::Train, rows + 3);
    let together = served.outputs(&weights, windows, Purpose::Serve);
    let tape = trained.outputs(&weights, windows, Purpose::Train);
    let about = &network.nodes[1].operation;
    assert_eq!(bits(&together), bits(&tape), "{about:?}: serving differs from training");
    let width = together.len() / rows;
    for (row, window) in windows.chunks_exact(STEPS * FEATURES).enumerate() {
        let alone = served.outputs(&weights, window, Purpose::Serve);
        assert_eq!(bits(&alone), bits(&together[row * width..][..width]), "{about:?}: row {row} depends on its company");
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// A plan with weights that leave no gradient at a special point: scales and shifts are drawn, too.
pub(crate) fn drawn(network: &Network) -> (Plan, Vec<f32>) {
    let plan = Plan::compile(network, STEPS, FEATURES).unwrap();
    let mut weights = numbers(plan.weights_len(), 8);
    for (weight, place) in plan.weights.iter().zip(&plan.places) {
        let around = if weight.start == Start::Initializer(Initializer::Ones) { 1.0 } else { 0.0 };
        weights[place.clone()].iter_mut().for_each(|value| *value = around + 0.6 * *value);
    }
    (plan, weights)
}

/// A program with memory and packed weights.
struct Bench<'a> {
    plan: &'a Plan,
    program: Program,
    memory: crate::program::Memory,
    packed: crate::arena::Arena,
}

impl<'a> Bench<'a> {
    fn new(plan: &'a Plan, weights: &[f32], purpose: Purpose, rows: usize) -> Bench<'a> {
        Bench::of(plan, Program::new(plan, purpose, Precision::F32), weights, rows)
    }

    fn of(plan: &'a Plan, program: Program, weights: &[f32], rows: usize) -> Bench<'a> {
        let (mut memory, mut packed) = (program.memory(plan, rows), program.packed());
        // Whatever memory holds before must not matter.
        memory.soil();
        program.pack(weights, &mut packed);
        Bench { plan, program, memory, packed }
    }

    fn outputs(&mut self, weights: &[f32], windows: &[f32], purpose: Purpose) -> Vec<f32> {
        let rows = windows.len() / (STEPS * FEATURES);
        self.program.input(self.plan, &mut self.memory, rows).copy_from_slice(windows);
        self.program.forward(weights, &self.packed, &mut self.memory, rows, purpose, None);
        self.program.value(&self.memory, self.plan.heads[0], rows).to_vec()
    }

    /// Gradient of Σ part · output.
    fn gradient(&mut self, weights: &[f32], windows: &[f32], parts: &[f32]) -> Vec<f32> {
        let rows = windows.len() / (STEPS * FEATURES);
        self.outputs(weights, windows, Purpose::Train);
        self.program.rewind(&mut self.memory);
        self.program.begin(&mut self.memory, self.plan.heads[0], rows, |_, slope| slope.copy_from_slice(parts));
        self.program.backward(weights, &self.packed, &mut self.memory, rows, None);
        self.memory.gradient.to_vec()
    }

    /// Σ part · output, computed again with the weights as they are.
    fn loss(&mut self, weights: &[f32], windows: &[f32], parts: &[f32]) -> f64 {
        self.program.pack(weights, &mut self.packed);
        self.outputs(weights, windows, Purpose::Train).iter().zip(parts).map(|(y, part)| f64::from(*y) * f64::from(*part)).sum()
    }
}

/// Central differences in every weight, or in 40 of each tensor.
fn check_gradient(network: &Network, plan: &Plan, mut bench: Bench<'_>, weights: &[f32], windows: &[f32]) {
    let parts = numbers(bench.outputs(weights, windows, Purpose::Train).len(), 11);
    let gradient = bench.gradient(weights, windows, &parts);
    let mut moved = weights.to_vec();
    for (weight, place) in plan.weights.iter().zip(&plan.places).filter(|(weight, _)| weight.trained) {
        let scale = gradient[place.clone()].iter().fold(1e-2f32, |most, slope| most.max(slope.abs()));
        for at in place.clone().step_by(place.len().div_ceil(40)) {
            let (value, width) = (weights[at], 4e-3);
            let mut loss = |value: f32| {
                moved[at] = value;
                bench.loss(&moved, windows, &parts)
            };
            let slope = (loss(value + width) - loss(value - width)) / f64::from(2.0 * width);
            moved[at] = value;
            let difference = (slope - f64::from(gradient[at])).abs();
            let (name, kind) = (&weight.name, &network.nodes[weight.node].operation);
            assert!(
                difference < 0.01 * f64::from(scale),
                "{name}[{}] of {kind:?}: {slope} by differences, {} by hand",
                at - place.start,
                gradient[at]
            );
        }
    }
}

#[test]
fn layers_pass_every_check() {
    use Activation::{Gelu, Relu, Sigmoid, Silu, Softmax, Softplus, Tanh};
    for activation in [Relu, Gelu, Silu, Tanh, Sigmoid, Softplus, Softmax] {
        check(&chain(vec![Operation::Reshape(vec![18]), dense(5), Operation::Activation(activation), dense(3)]));
    }
    check(&chain(vec![dense(4), Operation::Reshape(vec![24]), Operation::Dropout(0.5)]));
    check(&chain(vec![Operation::Reshape(vec![2, 3, 3]), dense(17), Operation::Reshape(vec![102])]));
}

/// Distance of two vectors in units of the second.
fn apart(values: &[f32], wanted: &[f32]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let difference = norm(&mut values.iter().zip(wanted).map(|(a, b)| f64::from(a - b)));
    difference / norm(&mut wanted.iter().map(|value| f64::from(*value)))
}

#[test]
fn bf16_changes_training_a_little_and_evaluation_not_at_all() {
    let network = mixed();
    let (plan, weights) = drawn(&network);
    let windows = numbers(ROWS * STEPS * FEATURES, 5);
    let [mut wide, mut half] = Precision::ALL.map(|precision| {
        // More memory than rows, as the last batch of an epoch has.
        Bench::of(&plan, Program::new(&plan, Purpose::Train, precision), &weights, ROWS + 2)
    });
    let [exact, near] = [&mut wide, &mut half].map(|bench| bench.outputs(&weights, &windows, Purpose::Train));
    let served = half.outputs(&weights, &windows, Purpose::Serve);
    assert_eq!(bits(&served), bits(&exact), "evaluation has 32 bits");
    let parts = numbers(exact.len(), 11);
    let [exact_slope, near_slope] = [&mut wide, &mut half].map(|bench| bench.gradient(&weights, &windows, &parts));
    let (value, slope) = (apart(&near, &exact), apart(&near_slope, &exact_slope));
    // A rounding moves a factor by 2⁻⁸ of itself at most, and here six products follow each other in each direction.
    assert!((1e-5..1e-2).contains(&value) && (1e-4..2e-2).contains(&slope), "outputs are off by {value}, gradients by {slope}");
    for (weight, place) in plan.weights.iter().zip(&plan.places) {
        let (near, exact) = (&near_slope[place.clone()], &exact_slope[place.clone()]);
        let largest = exact.iter().fold(0.0f32, |most, slope| most.max(slope.abs()));
        let off = near.iter().zip(exact).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(off <= 0.03 * largest, "{}: off by {off} of {largest}", weight.name);
    }
}

//! Gradients against finite differences, serving against the tape, reproducibility, stopping, weights files.

use bellwether_domain::network::weight::Start;
use bellwether_domain::network::{
    Activation, Adam, Dense, EarlyStopping, Initializer, Loss, Node, Operation, Optimizer, Output, Recurrent, Schedule, Slice, TimePooling,
};
use candle_core::Tensor;
use rand::Rng;

use super::*;
use crate::graph::Graph;

const STEPS: usize = 6;
const FEATURES: usize = 3;

fn training() -> Training {
    let adam = Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
    let (optimizer, schedule) = (Optimizer::Adam(adam), Schedule::Constant);
    Training { epochs: 3, batch_size: 4, learning_rate: 0.01, optimizer, schedule, clip_norm: Some(1.0), early_stopping: None }
}

fn settings(seed: u64) -> FitSettings {
    FitSettings { training: training(), seed, threads: 1 }
}

fn dense(units: u32) -> Operation {
    Operation::Dense(Dense { units, bias: true, kernel: Initializer::Standard })
}

fn lstm(units: u32, layers: u32, bidirectional: bool, return_sequences: bool) -> Operation {
    let kernel = Initializer::Standard;
    Operation::Lstm(Recurrent { units, layers, bidirectional, return_sequences, kernel, recurrent_kernel: kernel })
}

fn pool(pooling: TimePooling) -> Operation {
    Operation::TimePooling(pooling)
}

/// The operations in a row (what reads two reads the last twice), with a dense head as wide as the loss wants.
fn chain(operations: Vec<Operation>, loss: Loss) -> Network {
    let width = match &loss {
        Loss::GaussianNll => 2,
        Loss::Quantile(levels) => levels.len(),
        Loss::CrossEntropy(_) => 3,
        Loss::Mse | Loss::Mae | Loss::Huber(_) | Loss::Bce => 1,
    };
    let mut nodes = vec![Node { name: "x".to_owned(), operation: Operation::Input, inputs: vec![] }];
    for operation in operations.into_iter().chain([dense(width as u32)]) {
        let last = nodes.len() as u32 - 1;
        let two = matches!(operation, Operation::Add | Operation::Multiply | Operation::Concat(_));
        nodes.push(Node { name: format!("n{}", nodes.len()), operation, inputs: if two { vec![last, last] } else { vec![last] } });
    }
    let output = Output { name: "prediction".to_owned(), node: nodes.len() as u32 - 1, loss, weight: 1.0 };
    Network { nodes, outputs: vec![output], training: training() }
}

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut random = stream(seed, 9);
    (0..count).map(|_| random.random::<f32>() * 2.0 - 1.0).collect()
}

struct Data {
    rows: Vec<f32>,
    ends: Vec<usize>,
    targets: Vec<f32>,
}

impl Data {
    fn new(count: usize, target: impl Fn(f32) -> f32) -> Data {
        let rows = numbers((count + STEPS - 1) * FEATURES, 5);
        let targets = numbers(count, 6).into_iter().map(target).collect();
        Data { rows, ends: (STEPS - 1..count + STEPS - 1).collect(), targets }
    }

    fn samples(&self) -> Samples<'_> {
        Samples { rows: &self.rows, features: FEATURES, steps: STEPS, ends: &self.ends, targets: &self.targets, weights: None }
    }

    fn windows(&self) -> Vec<f32> {
        let (mut windows, mut targets) = (vec![], vec![]);
        self.samples().gather(&(0..self.ends.len()).collect::<Vec<_>>(), &mut windows, &mut targets);
        windows
    }
}

fn none() -> Samples<'static> {
    Samples { rows: &[], features: FEATURES, steps: STEPS, ends: &[], targets: &[], weights: None }
}

/// A plan with weights that leave no gradient at a special point: scales and shifts are drawn, too.
fn drawn(network: &Network) -> (Plan, Vec<f32>) {
    let plan = Plan::compile(network, STEPS, FEATURES).unwrap();
    let mut weights = numbers(plan.weights_len(), 8);
    for (weight, place) in plan.weights.iter().zip(&plan.places) {
        let around = if weight.start == Start::Initializer(Initializer::Ones) { 1.0 } else { 0.0 };
        weights[place.clone()].iter_mut().for_each(|value| *value = around + 0.6 * *value);
    }
    (plan, weights)
}

/// Networks that together hold every operation this core runs.
fn networks() -> Vec<Network> {
    let on_sequence = |operations: Vec<Operation>| chain([operations, vec![pool(TimePooling::Mean)]].concat(), Loss::Mse);
    let mut list = vec![
        chain(vec![lstm(5, 1, false, false)], Loss::Mse),
        chain(vec![lstm(17, 1, false, true), pool(TimePooling::Last)], Loss::Mse),
        chain(vec![lstm(3, 2, true, true), pool(TimePooling::Attention)], Loss::Mse),
        chain(vec![lstm(4, 2, true, false)], Loss::Mse),
        chain(vec![dense(4), lstm(4, 1, false, false), Operation::LayerNorm(1e-3)], Loss::Mse),
        chain(vec![dense(4), Operation::LayerNorm(1e-3), pool(TimePooling::Max)], Loss::Mse),
        on_sequence(vec![dense(4), Operation::Slice(Slice { axis: 0, start: 1, length: 4 })]),
        on_sequence(vec![dense(4), Operation::Slice(Slice { axis: 1, start: 1, length: 2 })]),
        on_sequence(vec![dense(4), Operation::Concat(0), Operation::Concat(1)]),
        on_sequence(vec![dense(4), Operation::Add, dense(2), Operation::Multiply]),
        on_sequence(vec![Operation::Dropout(0.5), dense(2)]),
        chain(vec![dense(4), Operation::Reshape(vec![24])], Loss::Mse),
        chain(vec![Operation::Reshape(vec![2, 3, 3]), dense(2), Operation::Reshape(vec![12])], Loss::Mse),
    ];
    use Activation::{Gelu, Relu, Sigmoid, Silu, Softmax, Softplus, Tanh};
    for activation in [Relu, Gelu, Silu, Tanh, Sigmoid, Softplus, Softmax] {
        list.push(on_sequence(vec![dense(4), Operation::Activation(activation), dense(3)]));
    }
    list
}

/// Central differences of the loss of the tape in every weight, or in 40 of each tensor.
fn check_gradient(network: &Network, data: &Data) {
    let (plan, weights) = drawn(network);
    let device = Device::named("cpu").unwrap();
    let mut trainer = Trainer::new(&plan, weights, &network.training, &device, stream(0, 2));
    let chosen: Vec<usize> = (0..data.ends.len()).collect();
    trainer.differentiate(&data.samples(), &chosen, false).unwrap();
    let gradient = trainer.gradient.clone();
    for (weight, place) in plan.weights.iter().zip(&plan.places) {
        let scale = gradient[place.clone()].iter().fold(1e-2f32, |most, slope| most.max(slope.abs()));
        for at in place.clone().step_by(place.len().div_ceil(40)) {
            let (value, width) = (trainer.weights[at], 4e-3);
            let mut loss = |value: f32| {
                trainer.weights[at] = value;
                trainer.evaluate(&data.samples(), chosen.len()).unwrap()
            };
            let slope = (loss(value + width) - loss(value - width)) / f64::from(2.0 * width);
            loss(value);
            let difference = (slope - f64::from(gradient[at])).abs();
            let (name, kind) = (&weight.name, &network.nodes[weight.node].operation);
            let at = at - place.start;
            assert!(
                difference < 0.01 * f64::from(scale),
                "{name}[{at}] of {kind:?}: {slope} by differences, {} by hand",
                gradient[at + place.start]
            );
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences_for_every_operation() {
    let data = Data::new(7, |target| target);
    networks().iter().for_each(|network| check_gradient(network, &data));
}

#[test]
fn gradients_agree_with_finite_differences_for_every_loss() {
    let layers = || vec![lstm(4, 1, false, false)];
    for loss in [Loss::Mse, Loss::Mae, Loss::Huber(0.5), Loss::Quantile(vec![0.1, 0.5, 0.9]), Loss::GaussianNll] {
        check_gradient(&chain(layers(), loss), &Data::new(7, |target| 2.0 * target));
    }
    check_gradient(&chain(layers(), Loss::Bce), &Data::new(7, |target| f32::from(target > 0.0)));
    let class = |target: f32| if target > 0.3 { 2.0 } else { f32::from(target > -0.3) };
    for weights in [vec![], vec![0.5, 1.0, 2.0]] {
        check_gradient(&chain(layers(), Loss::CrossEntropy(weights)), &Data::new(7, class));
    }
}

#[test]
fn losses_are_those_of_their_definitions() {
    // One output y = 0.5 (logits 0.5, -1, 2; mean 0.5 and log-variance -1), target 2 (bce: 1).
    let cases = [
        (Loss::Mse, vec![0.5], 2.0, 2.25),
        (Loss::Mae, vec![0.5], 2.0, 1.5),
        (Loss::Huber(1.0), vec![0.5], 2.0, 1.0),
        (Loss::Huber(2.0), vec![0.5], 2.0, 1.125),
        (Loss::Quantile(vec![0.1, 0.9]), vec![0.5, 3.0], 2.0, 0.125),
        (Loss::GaussianNll, vec![0.5, -1.0], 2.0, 0.5 * (-1.0 + 2.25 * 1f64.exp())),
        (Loss::Bce, vec![0.5], 1.0, (1.0 + (-0.5f64).exp()).ln()),
        (
            Loss::CrossEntropy(vec![1.0, 1.0, 3.0]),
            vec![0.5, -1.0, 2.0],
            2.0,
            3.0 * ((0.5f64.exp() + (-1f64).exp() + 2f64.exp()).ln() - 2.0),
        ),
    ];
    for (loss, output, target, wanted) in cases {
        let output =
            Tensor::from_slice(&output, (1, output.len()), &candle_core::Device::Cpu).unwrap().to_dtype(candle_core::DType::F32).unwrap();
        let given = crate::graph::loss::loss(&loss, &output, &[target]).unwrap().to_scalar::<f32>().unwrap();
        assert!((f64::from(given) - wanted).abs() < 1e-5, "{loss:?}: {given} is not {wanted}");
    }
}

#[test]
fn serving_gives_what_the_tape_gives_alone_or_in_company() {
    let data = Data::new(70, |target| target);
    for network in networks() {
        let (plan, weights) = drawn(&network);
        let tensors: Vec<Tensor> = plan
            .weights
            .iter()
            .zip(&plan.places)
            .map(|(weight, place)| Tensor::from_slice(&weights[place.clone()], weight.shape.clone(), &candle_core::Device::Cpu).unwrap())
            .collect();
        let windows = data.windows();
        let tape = Tensor::from_slice(&windows, (70, STEPS, FEATURES), &candle_core::Device::Cpu).unwrap();
        let tape = Graph::new(&plan).forward(&plan, &tensors, &tape, None).unwrap()[0].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let model = Model::new(plan, weights);
        let served = model.predict(&windows, 70).unwrap();
        assert_eq!(served.len(), 70);
        for (window, (served, tape)) in served.iter().zip(&tape).enumerate() {
            assert!((served - tape).abs() < 2e-5, "{:?}: {served} served, {tape} on the tape", network.nodes[1].operation);
            let alone = model.predict(&windows[window * STEPS * FEATURES..][..STEPS * FEATURES], 1).unwrap();
            assert_eq!(alone[0].to_bits(), served.to_bits(), "{:?}: window {window} depends on its company", network.nodes[1].operation);
        }
    }
}

fn quiet(_: Step) -> Control {
    Control::Continue
}

fn fitted(network: &Network, data: &Data, validation: Samples<'_>, settings: &FitSettings) -> (Model, FitReport) {
    fit(network, data.samples(), validation, settings, &Device::named("cpu").unwrap(), &mut quiet, None).unwrap()
}

#[test]
fn a_seed_decides_every_bit() {
    let network = chain(vec![lstm(6, 2, true, true), Operation::Dropout(0.3), lstm(4, 1, false, false)], Loss::Mse);
    let data = Data::new(30, |target| target);
    let bits = |seed| fitted(&network, &data, data.samples(), &settings(seed)).0.weights().unwrap();
    assert_eq!(bits(1), bits(1));
    assert_ne!(bits(1), bits(2));
}

#[test]
fn a_small_problem_is_learned_by_heart() {
    let data = Data::new(16, |target| target);
    let network = chain(vec![lstm(12, 1, false, true), lstm(8, 1, false, false)], Loss::Mse);
    for optimizer in [
        network.training.optimizer,
        Optimizer::Adamw(Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay: 1e-4 }),
        Optimizer::Sgd(bellwether_domain::network::Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.0 }),
    ] {
        let rate = if matches!(optimizer, Optimizer::Sgd(_)) { 0.1 } else { 0.02 };
        let training = Training { epochs: 400, optimizer, learning_rate: rate, batch_size: 8, ..training() };
        let (model, report) = fitted(&network, &data, none(), &FitSettings { training, seed: 3, threads: 1 });
        let (first, last) = (report.train_loss[0], report.train_loss[399]);
        assert!(last < 0.01 && first > 0.1, "{optimizer:?}: loss from {first} to {last}");
        let predicted = model.predict(&data.windows(), 16).unwrap();
        let error: f32 = predicted.iter().zip(&data.targets).map(|(y, t)| (y - t).powi(2)).sum::<f32>() / 16.0;
        assert!(error < 0.01, "{optimizer:?}: served error {error}");
        assert_eq!((report.epochs, report.best_epoch, report.stopped), (400, 400, false));
    }
}

#[test]
fn the_best_epoch_is_restored_when_patience_ends() {
    let (data, other) = (Data::new(16, |target| target), Data::new(40, |target| -target));
    let network = chain(vec![lstm(8, 1, false, false)], Loss::Mse);
    let early_stopping = Some(EarlyStopping { patience: 3, min_delta: 0.0, restore_best: true });
    let settings = FitSettings { training: Training { epochs: 200, learning_rate: 0.05, early_stopping, ..training() }, seed: 1, threads: 1 };
    let validation = Samples { ends: &other.ends[20..], targets: &other.targets[20..], ..other.samples() };
    let (model, report) = fitted(&network, &data, validation, &settings);
    let losses = &report.validation_loss;
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(report.epochs, report.best_epoch + 3, "{report:?}");
    assert_eq!(losses[report.best_epoch as usize - 1], best);
    let windows = &other.windows()[20 * STEPS * FEATURES..];
    let predicted = model.predict(windows, 20).unwrap();
    let error = predicted.iter().zip(validation.targets).map(|(y, t)| f64::from(y - t).powi(2)).sum::<f64>() / 20.0;
    assert!((error - best).abs() < 1e-5, "the weights returned score {error}, the best epoch {best}");
}

#[test]
fn the_caller_can_stop_and_sees_every_epoch() {
    let data = Data::new(16, |target| target);
    let network = chain(vec![lstm(4, 1, false, false)], Loss::Mse);
    let mut seen = vec![];
    let mut report = |step: Step| {
        seen.push(step);
        if step.epoch == 2 { Control::Stop } else { Control::Continue }
    };
    let settings = FitSettings { training: Training { epochs: 50, ..training() }, seed: 1, threads: 1 };
    let (_, report) = fit(&network, data.samples(), data.samples(), &settings, &Device::named("cpu").unwrap(), &mut report, None).unwrap();
    assert_eq!((report.epochs, report.stopped, report.train_loss.len(), report.validation_loss.len()), (2, true, 2, 2));
    let ends: Vec<&Step> = seen.iter().filter(|step| step.epoch_share == 0.0).collect();
    assert_eq!(ends.iter().map(|step| step.epoch).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(ends[1].train_loss, Some(report.train_loss[1]));
    assert!(ends.iter().all(|step| step.validation_loss.is_some() && step.samples_per_second > 0.0));
}

#[test]
fn a_fit_that_diverges_says_when() {
    let data = Data::new(16, |target| target);
    let network = chain(vec![dense(8), pool(TimePooling::Last)], Loss::Mse);
    let optimizer = Optimizer::Sgd(bellwether_domain::network::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 });
    let training = Training { epochs: 100, learning_rate: 1e6, optimizer, clip_norm: None, ..training() };
    let settings = FitSettings { training, seed: 1, threads: 1 };
    let error = fit(&network, data.samples(), none(), &settings, &Device::named("cpu").unwrap(), &mut quiet, None).unwrap_err();
    let Error::Internal(text) = &error else { panic!("{error:?}") };
    assert!(text.contains("not finite in epoch ") && text.contains("learning_rate"), "{text}");
}

#[test]
fn what_cannot_be_fitted_names_its_field() {
    let data = Data::new(8, |target| target);
    let network = chain(vec![lstm(4, 1, false, false)], Loss::Mse);
    let spoiled: Vec<f32> = data.rows.iter().enumerate().map(|(at, value)| if at == 7 { f32::NAN } else { *value }).collect();
    let good = data.samples();
    let plain = settings(1);
    let no_epochs = FitSettings { training: Training { epochs: 0, ..training() }, ..plain.clone() };
    let gru = Operation::Gru(Recurrent {
        units: 2,
        layers: 1,
        bidirectional: false,
        return_sequences: false,
        kernel: Initializer::Standard,
        recurrent_kernel: Initializer::Standard,
    });
    let cases = [
        (network.clone(), none(), &plain, "train", "no samples"),
        (network.clone(), Samples { rows: &spoiled, ..good }, &plain, "train.rows", "feature 1 of row 2"),
        (network.clone(), Samples { rows: &data.rows[1..], ..good }, &plain, "train.rows", "whole rows of 3"),
        (network.clone(), Samples { ends: &[STEPS - 2], targets: &[0.0], ..good }, &plain, "train.ends", "cannot end on row 4"),
        (network.clone(), Samples { ends: &[1000], targets: &[0.0], ..good }, &plain, "train.ends", "cannot end on row 1000"),
        (network.clone(), Samples { targets: &[0.0], ..good }, &plain, "train.targets", "1 targets for 8"),
        (network.clone(), good, &no_epochs, "network.training.epochs", "at least 1"),
        (chain(vec![lstm(4, 1, false, false)], Loss::Bce), good, &plain, "train.targets", "wants 0 or 1"),
        (chain(vec![lstm(4, 1, false, false)], Loss::CrossEntropy(vec![])), good, &plain, "train.targets", "a class from 0 to 2"),
        (chain(vec![gru], Loss::Mse), good, &plain, "network.n1", "does not run it"),
    ];
    for (network, samples, settings, field, text) in cases {
        let error = fit(&network, samples, none(), settings, &Device::named("cpu").unwrap(), &mut quiet, None).expect_err(text);
        let Error::Invalid { field: named, why } = &error else { panic!("{error:?}") };
        assert!(named == field && why.contains(text), "{field}: {error}");
    }
}

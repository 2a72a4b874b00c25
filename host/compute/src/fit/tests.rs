//! The loop: reproducibility, learning, stopping, diverging, checkpoints, and what it refuses.

use bellwether_domain::network::{Adam, EarlyStopping, Initializer, Loss, Operation, Optimizer, Recurrent, Schedule, Sgd, TimePooling};

use super::*;
use crate::program::tests::{FEATURES, STEPS, chain, dense, mixed, numbers, pool, training};

pub(crate) fn settings(seed: u64) -> FitSettings {
    FitSettings { training: training(), seed, threads: 1, precision: Precision::F32 }
}

fn lstm(units: u32, layers: u32, bidirectional: bool, return_sequences: bool) -> Operation {
    let kernel = Initializer::Standard;
    Operation::Lstm(Recurrent { units, layers, bidirectional, return_sequences, kernel, recurrent_kernel: kernel })
}

/// The operations in a row with a dense head of one output.
fn headed(operations: Vec<Operation>, loss: Loss) -> Network {
    let mut network = chain(operations);
    let last = network.nodes.len() - 1;
    network.nodes[last].operation = dense(if matches!(loss, Loss::CrossEntropy(_)) { 3 } else { 1 });
    network.outputs[0].loss = loss;
    network
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
        let mut windows = vec![0.0; self.ends.len() * STEPS * FEATURES];
        self.samples().gather(0..self.ends.len(), &mut windows);
        windows
    }
}

fn none() -> Samples<'static> {
    Samples { rows: &[], features: FEATURES, steps: STEPS, ends: &[], targets: &[], weights: None }
}

fn cpu() -> Device {
    Device::named("cpu").unwrap()
}

fn quiet(_: Step) -> Control {
    Control::Continue
}

fn fitted(network: &Network, data: &Data, validation: Samples<'_>, settings: &FitSettings) -> (Model, FitReport) {
    fit_anywhere(network, data.samples(), validation, settings, &cpu(), &mut quiet, None).unwrap()
}

#[test]
fn a_seed_decides_every_bit() {
    let network = headed(vec![lstm(6, 2, true, true), Operation::Dropout(0.3), lstm(4, 1, false, false)], Loss::Mse);
    let data = Data::new(30, |target| target);
    let bits = |seed| fitted(&network, &data, data.samples(), &settings(seed)).0.weights().unwrap();
    assert_eq!(bits(1), bits(1));
    assert_ne!(bits(1), bits(2));
}

#[test]
fn a_small_problem_is_learned_by_heart() {
    let data = Data::new(16, |target| target);
    let network = headed(vec![lstm(12, 1, false, true), lstm(8, 1, false, false)], Loss::Mse);
    for optimizer in [
        network.training.optimizer,
        Optimizer::Adamw(Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay: 1e-4 }),
        Optimizer::Sgd(Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.0 }),
    ] {
        let rate = if matches!(optimizer, Optimizer::Sgd(_)) { 0.1 } else { 0.02 };
        let training = Training { epochs: 400, optimizer, learning_rate: rate, batch_size: 8, ..training() };
        let (model, report) = fitted(&network, &data, none(), &FitSettings { training, seed: 3, threads: 1, precision: Precision::F32 });
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
    let network = headed(vec![lstm(8, 1, false, false)], Loss::Mse);
    let early_stopping = Some(EarlyStopping { patience: 3, min_delta: 0.0, restore_best: true });
    let settings = FitSettings {
        training: Training { epochs: 200, learning_rate: 0.05, early_stopping, ..training() },
        seed: 1,
        threads: 1,
        precision: Precision::F32,
    };
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
    let network = headed(vec![lstm(4, 1, false, false)], Loss::Mse);
    let mut seen = vec![];
    let mut report = |step: Step| {
        seen.push(step);
        if step.epoch == 2 { Control::Stop } else { Control::Continue }
    };
    let settings = FitSettings { training: Training { epochs: 50, ..training() }, seed: 1, threads: 1, precision: Precision::F32 };
    let (_, report) = fit(&network, data.samples(), data.samples(), &settings, &cpu(), &mut report, None).unwrap();
    assert_eq!((report.epochs, report.stopped, report.train_loss.len(), report.validation_loss.len()), (2, true, 2, 2));
    let ends: Vec<&Step> = seen.iter().filter(|step| step.epoch_share == 0.0).collect();
    assert_eq!(ends.iter().map(|step| step.epoch).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(ends[1].train_loss, Some(report.train_loss[1]));
    assert!(ends.iter().all(|step| step.validation_loss.is_some() && step.samples_per_second > 0.0));
}

#[test]
fn a_fit_that_diverges_says_when() {
    let data = Data::new(16, |target| target);
    let network = headed(vec![dense(8), pool(TimePooling::Last)], Loss::Mse);
    let optimizer = Optimizer::Sgd(Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 });
    let training = Training { epochs: 100, learning_rate: 1e6, optimizer, clip_norm: None, ..training() };
    let settings = FitSettings { training, seed: 1, threads: 1, precision: Precision::F32 };
    let error = fit(&network, data.samples(), none(), &settings, &cpu(), &mut quiet, None).unwrap_err();
    let Error::Invalid { field, why } = &error else { panic!("{error:?}") };
    assert!(field == "network.training" && why.contains("not finite in epoch 1") && why.contains("learning_rate"), "{field}: {why}");
}

/// The only batch's loss is finite; the step after it is not.
#[test]
fn weights_that_diverge_are_not_handed_out() {
    let data = Data::new(16, |target| target);
    let network = headed(vec![dense(8), pool(TimePooling::Last)], Loss::Mse);
    let optimizer = Optimizer::Sgd(Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 });
    let training = Training { epochs: 1, batch_size: 16, learning_rate: 1e39, optimizer, clip_norm: None, ..training() };
    let settings = FitSettings { training, seed: 1, threads: 1, precision: Precision::F32 };
    let none = Samples { ends: &[], targets: &[], ..data.samples() };
    let error = fit(&network, data.samples(), none, &settings, &cpu(), &mut quiet, None).unwrap_err().to_string();
    assert!(error.contains("a weight is not finite in epoch 1"), "{error}");
}

#[test]
fn what_cannot_be_fitted_names_its_field() {
    let data = Data::new(8, |target| target);
    let network = headed(vec![lstm(4, 1, false, false)], Loss::Mse);
    let spoiled: Vec<f32> = data.rows.iter().enumerate().map(|(at, value)| if at == 7 { f32::NAN } else { *value }).collect();
    let good = data.samples();
    let plain = settings(1);
    // Its weights act on a node no output reads.
    let mut aside = headed(vec![Operation::TimePooling(TimePooling::Mean)], Loss::Quantile(vec![0.1, 0.5, 0.9]));
    aside.outputs[0].node = 1;
    let no_epochs = FitSettings { training: Training { epochs: 0, ..training() }, ..plain.clone() };
    let cases = [
        (network.clone(), none(), &plain, "train", "no samples"),
        (network.clone(), Samples { rows: &spoiled, ..good }, &plain, "train.rows", "feature 1 of row 2"),
        (network.clone(), Samples { rows: &data.rows[1..], ..good }, &plain, "train.rows", "whole rows of 3"),
        (network.clone(), Samples { ends: &[STEPS - 2], targets: &[0.0], ..good }, &plain, "train.ends", "cannot end on row 4"),
        (network.clone(), Samples { ends: &[1000], targets: &[0.0], ..good }, &plain, "train.ends", "cannot end on row 1000"),
        (network.clone(), Samples { targets: &[0.0], ..good }, &plain, "train.targets", "1 targets for 8"),
        (network.clone(), good, &no_epochs, "network.training.epochs", "at least 1"),
        (aside, good, &plain, "network.outputs", "no weight acts on output"),
        (headed(vec![lstm(4, 1, false, false)], Loss::Bce), good, &plain, "train.targets", "wants 0 or 1"),
        (headed(vec![lstm(4, 1, false, false)], Loss::CrossEntropy(vec![])), good, &plain, "train.targets", "a class from 0 to 2"),
    ];
    for (network, samples, settings, field, text) in cases {
        let error = fit(&network, samples, none(), settings, &cpu(), &mut quiet, None).expect_err(text);
        let Error::Invalid { field: named, why } = &error else { panic!("{error:?}") };
        assert!(named == field && why.contains(text), "{field}: {error}");
    }
}

/// Saves a checkpoint after every batch and stops after `batches` of them; the answer is the last one.
fn interrupted(network: &Network, data: &Data, settings: &FitSettings, batches: usize, resume: Option<&[u8]>) -> Vec<u8> {
    let mut saved = vec![];
    let mut count = 0;
    let mut save = |bytes: &[u8]| {
        count += 1;
        saved = bytes.to_vec();
        if count == batches { Err(Error::Internal("the process was killed".to_owned())) } else { Ok(()) }
    };
    let checkpoints = Checkpoints { every: Duration::ZERO, save: &mut save, resume };
    let ended = fit_anywhere(network, data.samples(), data.samples(), settings, &cpu(), &mut quiet, Some(checkpoints));
    assert!(ended.is_err_and(|error| error.to_string().contains("killed")));
    saved
}

#[test]
fn a_killed_fit_goes_on_to_the_same_bits() {
    let network = headed(vec![dense(6), lstm(6, 1, false, true), Operation::Dropout(0.3), lstm(4, 1, false, false)], Loss::Mse);
    let data = Data::new(30, |target| target);
    let early_stopping = Some(EarlyStopping { patience: 20, min_delta: 0.0, restore_best: true });
    for (optimizer, schedule) in [
        (training().optimizer, Schedule::OneCycle(0.3)),
        (Optimizer::Sgd(Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 }), Schedule::ReduceOnPlateau(1, 0.5)),
    ] {
        let training = Training { epochs: 6, optimizer, schedule, early_stopping, ..training() };
        for (threads, precision) in [(1, Precision::F32), (2, Precision::F32), (2, Precision::Bf16)] {
            let settings = FitSettings { training, seed: 4, threads, precision };
            let (whole, report) = fitted(&network, &data, data.samples(), &settings);
            for batches in [1, 8, 13, 40] {
                let first = interrupted(&network, &data, &settings, batches, None);
                // Killed again two batches later, before it comes to an end.
                let second = interrupted(&network, &data, &settings, 2, Some(&first));
                let mut save = |_: &[u8]| Ok(());
                let checkpoints = Checkpoints { every: Duration::MAX, save: &mut save, resume: Some(&second) };
                let (resumed, told) =
                    fit_anywhere(&network, data.samples(), data.samples(), &settings, &cpu(), &mut quiet, Some(checkpoints)).unwrap();
                assert_eq!(resumed.weights().unwrap(), whole.weights().unwrap(), "after {batches} batches, {settings:?}");
                assert_eq!(told, report);
            }
        }
    }
}

#[test]
fn a_checkpoint_of_anything_else_is_refused() {
    let network = headed(vec![lstm(4, 1, false, false)], Loss::Mse);
    let (data, other) = (Data::new(30, |target| target), Data::new(30, |target| -target));
    let bytes = interrupted(&network, &data, &settings(1), 3, None);
    let check = |data: &Data, settings: &FitSettings, bytes: &[u8], text: &str| {
        let mut save = |_: &[u8]| Ok(());
        let checkpoints = Checkpoints { every: Duration::MAX, save: &mut save, resume: Some(bytes) };
        let error =
            fit_anywhere(&network, data.samples(), data.samples(), settings, &cpu(), &mut quiet, Some(checkpoints)).expect_err(text);
        let Error::Invalid { field, why } = &error else { panic!("{error:?}") };
        assert!(field == "checkpoint" && why.contains(text), "{error}");
    };
    check(&other, &settings(1), &bytes, "other samples");
    check(&data, &settings(2), &bytes, "other settings");
    check(&data, &FitSettings { threads: 2, ..settings(1) }, &bytes, "other settings");
    check(&data, &FitSettings { precision: Precision::Bf16, ..settings(1) }, &bytes, "other settings");
    for length in (0..bytes.len()).step_by(97) {
        check(&data, &settings(1), &bytes[..length], if length < 12 { "" } else { "damaged or cut short" });
    }
    for place in (12..bytes.len()).step_by(211) {
        let mut spoiled = bytes.clone();
        spoiled[place] ^= 1;
        check(&data, &settings(1), &spoiled, "damaged");
    }
}

#[test]
fn a_fit_that_diverges_late_keeps_its_best_epoch() {
    let data = Data::new(16, |target| target);
    let network = headed(vec![dense(8), pool(TimePooling::Last)], Loss::Mse);
    let optimizer = Optimizer::Sgd(Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 });
    let training = Training { epochs: 200, learning_rate: 2.5, optimizer, clip_norm: None, ..training() };
    let (model, report) =
        fitted(&network, &data, data.samples(), &FitSettings { training, seed: 1, threads: 1, precision: Precision::F32 });
    let diverged = report.diverged.expect("a rate of 2.5 is too high for this problem");
    assert!(diverged > 1 && report.epochs == diverged - 1 && report.best_epoch <= report.epochs, "{report:?}");
    let error = model.predict(&data.windows(), 16).unwrap().iter().zip(&data.targets).map(|(y, t)| f64::from(y - t).powi(2)).sum::<f64>();
    let best = report.validation_loss[report.best_epoch as usize - 1];
    assert!((error / 16.0 - best).abs() < 1e-4 * best, "{error} is not sixteen times {best}");
}

#[test]
fn samples_that_count_more_are_fitted_better() {
    let data = Data::new(16, |target| target);
    let network = headed(vec![pool(TimePooling::Last)], Loss::Mse);
    let training = Training { epochs: 300, learning_rate: 0.05, batch_size: 16, ..training() };
    let settings = FitSettings { training, seed: 1, threads: 1, precision: Precision::F32 };
    let weights: Vec<f32> = (0..16).map(|place| if place < 8 { 1.0 } else { 0.0 }).collect();
    let fit_with = |weights: Option<&[f32]>| {
        let samples = Samples { weights, ..data.samples() };
        let model = fit(&network, samples, none(), &settings, &cpu(), &mut quiet, None).unwrap().0;
        let predicted = model.predict(&data.windows(), 16).unwrap();
        predicted.iter().zip(&data.targets).take(8).map(|(y, t)| (y - t).powi(2)).sum::<f32>()
    };
    let (plain, weighted) = (fit_with(None), fit_with(Some(&weights)));
    assert!(weighted < 0.7 * plain, "{weighted} on the samples that count, {plain} when all do");
    let bad = Samples { weights: Some(&weights[1..]), ..data.samples() };
    let error = fit(&network, bad, none(), &settings, &cpu(), &mut quiet, None).unwrap_err().to_string();
    assert!(error.contains("train.weights: there are 15 weights for 16 windows"), "{error}");
}

#[test]
fn products_in_bf16_learn_as_well_and_twice_the_same() {
    let data = Data::new(64, |target| target);
    let mut network = mixed();
    network.nodes.last_mut().unwrap().operation = dense(1);
    network.outputs[0].loss = Loss::Mse;
    let training = Training { epochs: 40, learning_rate: 3e-3, batch_size: 16, ..training() };
    let run = |precision, threads| {
        let settings = FitSettings { training, seed: 2, threads, precision };
        let (model, report) = fitted(&network, &data, data.samples(), &settings);
        let predicted = model.predict(&data.windows(), 64).unwrap();
        let served = predicted.iter().zip(&data.targets).map(|(y, t)| f64::from(y - t).powi(2)).sum::<f64>() / 64.0;
        let last = *report.validation_loss.last().unwrap();
        assert!((served / last - 1.0).abs() < 1e-5, "a fit in {precision:?} is validated at {last} and served at {served}");
        (model.weights().unwrap(), report.validation_loss)
    };
    let (wide, half) = (run(Precision::F32, 2), run(Precision::Bf16, 2));
    assert_eq!(half, run(Precision::Bf16, 2));
    assert_ne!(half.0, wide.0);
    let (first, [wide, half]) = (wide.1[0], [wide.1, half.1].map(|losses| losses[39]));
    assert!(wide < 0.7 * first, "from {first} to {wide}");
    assert!((half / wide - 1.0).abs() < 0.02, "{half} in bf16, {wide} in 32 bits");
}

#[test]
fn bf16_is_refused_where_it_is_not() {
    let (network, data) = (headed(vec![pool(TimePooling::Last)], Loss::Mse), Data::new(8, |target| target));
    let half = FitSettings { precision: Precision::Bf16, ..settings(1) };
    let fitted = fit(&network, data.samples(), none(), &half, &cpu(), &mut quiet, None);
    match crate::kernel::raw::without_pairs() {
        Some(why) => assert!(fitted.unwrap_err().to_string().contains(why)),
        None => assert_eq!(fitted.unwrap().1.epochs, 3),
    }
}

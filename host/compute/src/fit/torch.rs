//! Fifty steps of training are PyTorch's: every layer, loss, optimiser and schedule, from the same weights over the same
//! batches, to a hundred-thousandth of PyTorch's run in 64 bits.
//!
//! tests/fixtures/torch/make.py wrote the files. Losses are compared each by itself, weights with the largest of their tensor.
//! PyTorch's own run in 32 bits is up to 2e-6 away. Both backends are held to it: our layers, and candle's tensors, on the
//! processor and in a build with CUDA on the first GPU, where there is one.

use std::collections::BTreeMap;

use bellwether_domain::job::Precision;
use bellwether_domain::network::{Network, Training};
use serde::Deserialize;

use crate::Samples;
use crate::fit::Backend;
use crate::fit::schedule::Rate;
use crate::fit::trainer::Trainer;
use crate::plan::Plan;
use crate::tensors;

const STEPS: usize = 7;
const FEATURES: usize = 4;
const COUNT: usize = 40;
/// Most relative distance from PyTorch on the processor, and on a GPU.
const NEAR: f64 = 1e-5;
const NEAR_GPU: f64 = 1e-4;

#[derive(Deserialize)]
struct Data {
    rows: Vec<i32>,
    real: Vec<i32>,
    wide: Vec<i32>,
    binary: Vec<i32>,
    class: Vec<i32>,
    weights: Vec<i32>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    network: Network,
    targets: String,
    weighted: bool,
    start: BTreeMap<String, Vec<i32>>,
    end: BTreeMap<String, Vec<f64>>,
    losses: Vec<f64>,
    rates: Vec<f64>,
}

fn shares(values: &[i32], whole: f32) -> Vec<f32> {
    values.iter().map(|value| *value as f32 / whole).collect()
}

/// What trains.
#[derive(Debug, Clone)]
enum Place {
    /// Our layers on so many threads.
    Threads(usize),
    /// Candle's tensors.
    Tensors(candle_core::Device),
}

impl Place {
    fn backend<'a>(&self, plan: &'a Plan, weights: Vec<f32>, training: &Training) -> Box<dyn Backend + 'a> {
        match self {
            Place::Threads(threads) => Box::new(Trainer::new(plan, weights, training, *threads, 1, Precision::F32).unwrap()),
            Place::Tensors(device) => Box::new(tensors::trainer::Trainer::new(plan, &weights, training, device, 1).unwrap()),
        }
    }

    /// Most relative distance from PyTorch. A GPU chooses the order of its sums.
    fn near(&self) -> f64 {
        match self {
            Place::Tensors(device) if !device.is_cpu() => NEAR_GPU,
            Place::Threads(_) | Place::Tensors(_) => NEAR,
        }
    }
}

/// One thread, three that share each batch, candle's tensors here and on a GPU.
fn places() -> Vec<Place> {
    let mut places = vec![Place::Threads(1), Place::Threads(3), Place::Tensors(candle_core::Device::Cpu)];
    if cfg!(feature = "cuda") {
        match candle_core::Device::new_cuda(0) {
            Ok(device) => places.push(Place::Tensors(device)),
            Err(cause) => println!("not tried on a GPU: {cause}"),
        }
    }
    places
}

/// Trains as PyTorch did, and compares; the answer is the worst distance of losses and of weights.
fn check(case: &Case, data: &Data, on: &Place) -> [f64; 2] {
    let plan = Plan::compile(&case.network, STEPS, FEATURES).unwrap();
    let mut weights = vec![f32::NAN; plan.weights_len()];
    assert_eq!(plan.weights.len(), case.start.len(), "{}: other weights", case.name);
    for (weight, place) in plan.weights.iter().zip(&plan.places) {
        weights[place.clone()].copy_from_slice(&shares(&case.start[&weight.name], 1024.0));
    }
    let targets = match &case.targets[..] {
        "real" => &data.real,
        "wide" => &data.wide,
        "binary" => &data.binary,
        _ => &data.class,
    };
    let (rows, targets, counts) = (shares(&data.rows, 128.0), shares(targets, 128.0), shares(&data.weights, 128.0));
    let ends: Vec<usize> = (STEPS - 1..STEPS - 1 + COUNT).collect();
    let counts = case.weighted.then_some(&counts[..]);
    let samples = Samples { rows: &rows, features: FEATURES, steps: STEPS, ends: &ends, targets: &targets, weights: counts };
    samples.check("train", &plan).unwrap();
    let training = &case.network.training;
    let order: Vec<usize> = (0..COUNT).collect();
    let batches: Vec<&[usize]> = order.chunks(training.batch_size as usize).collect();
    let (mut trainer, near) = (on.backend(&plan, weights, training), on.near());
    let mut rate = Rate::new(training, batches.len());
    let (mut worst, mut epoch_loss) = ([0.0f64; 2], 0.0);
    for (step, wanted) in case.losses.iter().enumerate() {
        let now = rate.at(step as u64);
        let of_torch = case.rates.get(step).copied().unwrap_or(training.learning_rate);
        assert!((now / of_torch - 1.0).abs() < 1e-12, "{}: the rate of step {step} is {now}, not {of_torch}", case.name);
        let place = step % batches.len();
        let loss = trainer.step(&samples, batches[place], now, step as u64).unwrap().expect("a finite loss");
        worst[0] = worst[0].max((loss - wanted).abs() / wanted.abs());
        epoch_loss += loss;
        if place + 1 == batches.len() {
            rate.epoch_ended(epoch_loss / batches.len() as f64);
            epoch_loss = 0.0;
        }
    }
    let trained = trainer.weights().unwrap();
    for (weight, place) in plan.weights.iter().zip(&plan.places) {
        let wanted = &case.end[&weight.name];
        let given = &trained[place.clone()];
        assert_eq!(wanted.len(), given.len(), "{}: {}", case.name, weight.name);
        let most = wanted.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        let apart = given.iter().zip(wanted).fold(0.0f64, |worst, (given, wanted)| worst.max((f64::from(*given) - wanted).abs()));
        assert!(apart <= near * most, "{} on {on:?}: {} is off by {apart} of {most}", case.name, weight.name);
        worst[1] = worst[1].max(apart / most);
    }
    assert!(worst[0] <= near, "{} on {on:?}: a loss is off by {} of itself", case.name, worst[0]);
    worst
}

/// Every case of a file, in every place.
fn check_all(cases: &str, count: usize) {
    let data: Data = serde_json::from_str(include_str!("../../tests/fixtures/torch/data.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    assert_eq!(cases.len(), count);
    let places = places();
    for case in &cases {
        assert_eq!(case.losses.len(), 50);
        for place in &places {
            let [losses, weights] = check(case, &data, place);
            println!("{}, {place:?}: losses {losses:.1e}, weights {weights:.1e}", case.name);
        }
    }
}

#[test]
fn layers_train_as_in_pytorch() {
    check_all(include_str!("../../tests/fixtures/torch/layers.json"), 32);
}

#[test]
fn losses_train_as_in_pytorch() {
    check_all(include_str!("../../tests/fixtures/torch/losses.json"), 17);
}

#[test]
fn optimisers_train_as_in_pytorch() {
    check_all(include_str!("../../tests/fixtures/torch/optimizers.json"), 11);
}

#[test]
fn schedules_train_as_in_pytorch() {
    check_all(include_str!("../../tests/fixtures/torch/schedules.json"), 7);
}

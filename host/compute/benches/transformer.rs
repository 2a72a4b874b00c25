//! The default transformer (100 steps of 7 features, width 128, 8 heads, 256 inside, 4 layers, dropout 0.1): training by one
//! and two threads in 32 bits and in bf16, predictions by one, and what bf16 changes in 52 steps.
//!
//! Prints the best of many repetitions, as other work on the machine only ever makes one slower, beside the GFLOP/s of the
//! matrix products (125.5 MFLOP a window forwards, three times that in training), and where the system says it, samples per
//! second of processor time over all of them. Arguments choose by name, for example
//! `cargo bench -p bellwether-compute --bench transformer -- predict`.

use std::hint::black_box;
use std::time::Instant;

use bellwether_compute::{Control, Device, FitReport, FitSettings, Model, Samples, fit, precision};
use bellwether_domain::job::Precision;
use bellwether_domain::network::Network;
use serde_json::{Value, json};

const STEPS: usize = 100;
const FEATURES: usize = 7;
const SAMPLES: usize = 4 * 32;
const FORWARD_FLOP: f64 = 125.5e6;

fn network() -> Network {
    let mut nodes = vec![json!({"name": "x", "operation": {"op": "input"}, "inputs": []})];
    let mut push = |operation: Value, inputs: &[usize]| {
        nodes.push(json!({"name": format!("n{}", nodes.len()), "operation": operation, "inputs": inputs}));
        nodes.len() - 1
    };
    let dense = |units: usize| json!({"op": "dense", "with": {"units": units, "bias": true, "kernel": {"kind": "standard"}}});
    let drop = || json!({"op": "dropout", "with": 0.1});
    let inner = push(dense(128), &[0]);
    let mut last = push(json!({"op": "positional-encoding", "with": "learned"}), &[inner]);
    for _ in 0..4 {
        let attention = push(json!({"op": "attention", "with": {"heads": 8, "causal": false, "dropout": 0.1}}), &[last]);
        let dropped = push(drop(), &[attention]);
        let sum = push(json!({"op": "add"}), &[last, dropped]);
        let normal = push(json!({"op": "layer-norm", "with": 1e-5}), &[sum]);
        let wide = push(dense(256), &[normal]);
        let bent = push(json!({"op": "activation", "with": "relu"}), &[wide]);
        let dropped = push(drop(), &[bent]);
        let narrow = push(dense(128), &[dropped]);
        let dropped = push(drop(), &[narrow]);
        let sum = push(json!({"op": "add"}), &[normal, dropped]);
        last = push(json!({"op": "layer-norm", "with": 1e-5}), &[sum]);
    }
    let pooled = push(json!({"op": "time-pooling", "with": "mean"}), &[last]);
    let head = push(dense(1), &[pooled]);
    let training = json!({"epochs": 12, "batch_size": 32, "learning_rate": 1e-4, "optimizer": {"kind": "adam",
        "with": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}}, "schedule": {"kind": "constant"},
        "clip_norm": null, "early_stopping": null});
    let outputs = json!([{"name": "prediction", "node": head, "loss": {"kind": "mse"}, "weight": 1.0}]);
    serde_json::from_value(json!({"nodes": nodes, "outputs": outputs, "training": training})).expect("the description is whole")
}

/// Seconds of processor time this process has taken, where Linux tells it (proc(5): fields 14 and 15, hundredths).
fn processor_seconds() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = status.rsplit(')').next()?.split_whitespace().collect();
    let hundredths = |place: usize| fields.get(place)?.parse::<f64>().ok();
    Some((hundredths(11)? + hundredths(12)?) / 100.0)
}

/// Measures `run`, which computes `samples` samples `repeats` times and answers with the seconds of the fastest.
fn tell(what: &str, samples: usize, repeats: usize, flop: f64, run: impl FnOnce() -> f64) {
    let before = processor_seconds();
    let seconds = run();
    let rate = samples as f64 / seconds;
    print!("{what:<24} {:9.3} ms {rate:9.1} samples/s {:7.1} GFLOP/s", seconds * 1e3, rate * flop / 1e9);
    match before.zip(processor_seconds()) {
        Some((before, after)) => println!(" {:9.1} per processor second", (samples * repeats) as f64 / (after - before)),
        None => println!(),
    }
}

/// Seconds of the fastest epoch, validation included.
fn train(network: &Network, threads: usize, epochs: u32, precision: Precision, validate: bool) -> (f64, Model, FitReport) {
    let rows: Vec<f32> = (0..(2 * SAMPLES + STEPS) * FEATURES).map(|k| ((k * 7919 % 1000) as f32 / 500.0) - 1.0).collect();
    let ends: Vec<usize> = (STEPS..2 * SAMPLES + STEPS).collect();
    let targets: Vec<f32> = ends.iter().map(|end| rows[end * FEATURES]).collect();
    let all = Samples { rows: &rows, features: FEATURES, steps: STEPS, ends: &ends, targets: &targets, weights: None };
    let train = Samples { ends: &ends[..SAMPLES], targets: &targets[..SAMPLES], ..all };
    let later = if validate { SAMPLES.. } else { 2 * SAMPLES.. };
    let validation = Samples { ends: &ends[later.clone()], targets: &targets[later], ..all };
    let mut settings = FitSettings { training: network.training, seed: 1, threads, precision };
    settings.training.epochs = epochs;
    let device = Device::named("cpu").expect("the processor is there");
    let (mut best, mut before, mut done) = (f64::INFINITY, Instant::now(), 0);
    let mut report = |step: bellwether_compute::Step| {
        if step.epoch > done {
            (done, best) = (step.epoch, before.elapsed().as_secs_f64().min(best));
            before = Instant::now();
        }
        Control::Continue
    };
    let (model, report) = fit(network, train, validation, &settings, &device, &mut report, None).expect("it fits");
    (best, model, report)
}

/// Trains 52 steps in both precisions and tells how far the losses come apart.
fn compare(network: &Network) {
    let [wide, half] = Precision::ALL.map(|precision| train(network, 2, 13, precision, true).2);
    let apart = |wide: &[f64], half: &[f64]| wide.iter().zip(half).map(|(wide, half)| (half / wide - 1.0).abs()).fold(0.0, f64::max);
    println!("bf16 beside f32 over 13 epochs of 4 steps: training losses at most {:.2e} apart", apart(&wide.train_loss, &half.train_loss));
    println!("validation losses at most {:.2e} apart, at the end:", apart(&wide.validation_loss, &half.validation_loss));
    for (what, report) in [("f32", wide), ("bf16", half)] {
        println!("{what:<5} {:.6} trained, {:.6} validated", report.train_loss[12], report.validation_loss[12]);
    }
}

fn main() {
    let network = network();
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |what: &str| chosen.is_empty() || chosen.iter().any(|choice| what.contains(&choice[..]));
    let possible = |precision| match precision::check(precision, false) {
        Ok(()) => true,
        Err(why) => {
            println!("left out: {why}");
            false
        }
    };
    for precision in Precision::ALL.into_iter().filter(|precision| possible(*precision)) {
        for threads in [1, 2] {
            let what = format!("train in {}, {threads} threads", precision.name());
            if wanted(&what) {
                tell(&what, SAMPLES, 12, 3.0 * FORWARD_FLOP, || train(&network, threads, 12, precision, false).0);
            }
        }
        if precision == Precision::Bf16 && wanted("compare") {
            compare(&network);
        }
    }
    let model = train(&network, 1, 1, Precision::F32, false).1;
    for (count, repeats) in [(1, 400), (32, 25), (256, 5)] {
        let what = format!("predict, {count} windows");
        if wanted(&what) {
            let windows: Vec<f32> = (0..count * STEPS * FEATURES).map(|k| ((k * 7919 % 1000) as f32 / 500.0) - 1.0).collect();
            let once = |_| {
                let start = Instant::now();
                black_box(model.predict(black_box(&windows), count).expect("it predicts"));
                start.elapsed().as_secs_f64()
            };
            tell(&what, count, repeats, FORWARD_FLOP, || (0..repeats).map(once).fold(f64::INFINITY, f64::min));
        }
    }
}

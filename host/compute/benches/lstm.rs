//! The default LSTM (60 steps of 5 features, 128, 64 and 32 units, dropout 0.2): training by one and two threads and
//! predictions by one, the same with GRUs, and what the processor gives for single products of matrices, in
//! 32 bits and in bf16.
//!
//! Prints the best of many repetitions, as other work on the machine only ever makes one slower, beside the GFLOP/s of the
//! matrix products (15.5 MFLOP a window forwards, three times that in training; three quarters of both for GRUs), and where
//! the system says it, samples per second of processor time over all of them. Arguments choose by name, for example
//! `cargo bench -p bellwether-compute --bench lstm -- train`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bellwether_compute::{Control, Device, FitSettings, Model, Samples, fit, precision, product_rate};
use bellwether_domain::job::Precision;
use bellwether_domain::network::Network;
use serde_json::json;

const STEPS: usize = 60;
const FEATURES: usize = 5;
const SAMPLES: usize = 8 * 32;
const FORWARD_FLOP: f64 = 15.54e6;

/// Sizes of products: a recurrent step of 32 and of 16 rows, all steps' input, the largest.
const PRODUCTS: [[usize; 3]; 5] = [[32, 128, 512], [16, 128, 512], [32, 64, 256], [1920, 128, 256], [1024, 1024, 1024]];
/// Gradients of weights.
const FLIPPED: [[usize; 3]; 2] = [[128, 1920, 512], [128, 3200, 128]];

fn network(cell: &str) -> Network {
    let standard = json!({"kind": "standard"});
    let mut nodes = vec![json!({"name": "x", "operation": {"op": "input"}, "inputs": []})];
    let mut push = |name: String, operation: serde_json::Value| {
        nodes.push(json!({"name": name, "operation": operation, "inputs": [nodes.len() - 1]}));
    };
    for (place, units) in [128, 64, 32].into_iter().enumerate() {
        let with = json!({"units": units, "layers": 1, "bidirectional": false, "return_sequences": place < 2,
            "kernel": standard, "recurrent_kernel": standard});
        push(format!("cell{place}"), json!({"op": cell, "with": with}));
        push(format!("drop{place}"), json!({"op": "dropout", "with": 0.2}));
    }
    push("head".to_owned(), json!({"op": "dense", "with": {"units": 1, "bias": true, "kernel": standard}}));
    let training = json!({"epochs": 1, "batch_size": 32, "learning_rate": 0.001, "optimizer": {"kind": "adam",
        "with": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}}, "schedule": {"kind": "constant"},
        "clip_norm": null, "early_stopping": null});
    let outputs = json!([{"name": "prediction", "node": 7, "loss": {"kind": "mse"}, "weight": 1.0}]);
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

/// Seconds of the fastest epoch.
fn train(network: &Network, threads: usize, epochs: u32) -> (f64, Model) {
    let rows: Vec<f32> = (0..(SAMPLES + STEPS) * FEATURES).map(|k| ((k * 7919 % 1000) as f32 / 500.0) - 1.0).collect();
    let ends: Vec<usize> = (STEPS..SAMPLES + STEPS).collect();
    let targets: Vec<f32> = ends.iter().map(|end| rows[end * FEATURES]).collect();
    let train = Samples { rows: &rows, features: FEATURES, steps: STEPS, ends: &ends, targets: &targets, weights: None };
    let none = Samples { ends: &[], targets: &[], ..train };
    let mut settings = FitSettings { training: network.training, seed: 1, threads, precision: Precision::F32 };
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
    let model = fit(network, train, none, &settings, &device, &mut report, None).expect("it fits").0;
    (best, model)
}

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |what: &str| chosen.is_empty() || chosen.iter().any(|choice| what.contains(&choice[..]));
    for (sizes, flipped) in PRODUCTS.map(|sizes| (sizes, false)).into_iter().chain(FLIPPED.map(|sizes| (sizes, true))) {
        let [m, k, n] = sizes;
        let what = format!("product {m} x {k} x {n}{}", if flipped { ", flipped" } else { "" });
        if wanted(&what) {
            let rate = |precision| product_rate(sizes, flipped, precision, Duration::from_millis(300)) / 1e9;
            print!("{what:<36} {:7.1} GFLOP/s", rate(Precision::F32));
            match precision::check(Precision::Bf16, false) {
                Ok(()) => println!(" {:7.1} in bf16", rate(Precision::Bf16)),
                Err(_) => println!(", no bf16 here"),
            }
        }
    }
    for (cell, flop) in [("lstm", FORWARD_FLOP), ("gru", 0.75 * FORWARD_FLOP)] {
        let network = network(cell);
        for threads in [1, 2] {
            let what = format!("{cell}, train, {threads} threads");
            if wanted(&what) {
                tell(&what, SAMPLES, 20, 3.0 * flop, || train(&network, threads, 20).0);
            }
        }
        let model = train(&network, 1, 1).1;
        for (count, repeats) in [(1, 2000), (32, 150), (256, 20)] {
            let what = format!("{cell}, predict, {count} windows");
            if wanted(&what) {
                let windows: Vec<f32> = (0..count * STEPS * FEATURES).map(|k| ((k * 7919 % 1000) as f32 / 500.0) - 1.0).collect();
                let once = |_| {
                    let start = Instant::now();
                    black_box(model.predict(black_box(&windows), count).expect("it predicts"));
                    start.elapsed().as_secs_f64()
                };
                tell(&what, count, repeats, flop, || (0..repeats).map(once).fold(f64::INFINITY, f64::min));
            }
        }
    }
}

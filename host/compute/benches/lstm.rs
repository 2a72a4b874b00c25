//! The default LSTM (128, 64, 32 units, dropout 0.2, 60 steps of 5 features): a training epoch and single predictions.
//!
//! One epoch is 8 batches of 32, so a batch takes an eighth of `fit`. For comparison: candle's own operations take 85 ms a
//! batch on one thread. Run with
//! `CANDLE_NUM_THREADS=1 cargo bench -p bellwether-compute`, as the processes that train are.

use std::hint::black_box;

use bellwether_compute::{Control, Device, FitSettings, Model, Samples, fit};
use bellwether_domain::network::Network;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;

const STEPS: usize = 60;
const FEATURES: usize = 5;
const SAMPLES: usize = 8 * 32;

fn network() -> Network {
    let standard = json!({"kind": "standard"});
    let mut nodes = vec![json!({"name": "x", "operation": {"op": "input"}, "inputs": []})];
    let mut push = |name: String, operation: serde_json::Value| {
        nodes.push(json!({"name": name, "operation": operation, "inputs": [nodes.len() - 1]}));
    };
    for (place, units) in [128, 64, 32].into_iter().enumerate() {
        let with = json!({"units": units, "layers": 1, "bidirectional": false, "return_sequences": place < 2,
            "kernel": standard, "recurrent_kernel": standard});
        push(format!("lstm{place}"), json!({"op": "lstm", "with": with}));
        push(format!("drop{place}"), json!({"op": "dropout", "with": 0.2}));
    }
    push("head".to_owned(), json!({"op": "dense", "with": {"units": 1, "bias": true, "kernel": standard}}));
    let training = json!({"epochs": 1, "batch_size": 32, "learning_rate": 0.001, "optimizer": {"kind": "adam",
        "with": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}}, "schedule": {"kind": "constant"},
        "clip_norm": 1.0, "early_stopping": null});
    let outputs = json!([{"name": "prediction", "node": 7, "loss": {"kind": "mse"}, "weight": 1.0}]);
    serde_json::from_value(json!({"nodes": nodes, "outputs": outputs, "training": training})).expect("the description is whole")
}

fn lstm(criterion: &mut Criterion) {
    let network = network();
    let rows: Vec<f32> = (0..(SAMPLES + STEPS) * FEATURES).map(|k| ((k * 7919 % 1000) as f32 / 500.0) - 1.0).collect();
    let ends: Vec<usize> = (STEPS..SAMPLES + STEPS).collect();
    let targets: Vec<f32> = ends.iter().map(|end| rows[end * FEATURES]).collect();
    let train = Samples { rows: &rows, features: FEATURES, steps: STEPS, ends: &ends, targets: &targets, weights: None };
    let none = Samples { ends: &[], targets: &[], ..train };
    let settings = FitSettings { training: network.training, seed: 1, threads: 1 };
    let device = Device::named("cpu").expect("the processor is there");
    let train_once = || fit(&network, train, none, &settings, &device, &mut |_| Control::Continue, None).expect("it fits").0;
    let model: Model = train_once();

    let mut group = criterion.benchmark_group("lstm");
    group.sample_size(10);
    group.throughput(Throughput::Elements(SAMPLES as u64));
    group.bench_function("fit: 8x32", |bencher| bencher.iter(|| black_box(train_once())));
    for count in [1, 32] {
        let windows = &rows.repeat(8)[..count * STEPS * FEATURES];
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("predict: {count}"), |bencher| {
            bencher.iter(|| model.predict(black_box(windows), count).expect("it predicts"))
        });
    }
    group.finish();
}

criterion_group!(benches, lstm);
criterion_main!(benches);

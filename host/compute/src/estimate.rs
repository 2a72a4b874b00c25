//! What a network costs, stated before it is trained.

use std::time::{Duration, Instant};

use bellwether_domain::Result;
use bellwether_domain::job::Precision;
use bellwether_domain::network::Network;

use crate::kernel::matmul::{Matrix, Start, multiply, packed_len};
use crate::layer::Purpose;
use crate::plan::Plan;
use crate::program::Program;

/// Sizes and work of training a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Trained numbers.
    pub parameters: usize,
    /// Bytes that training in batches of the given size takes, without the samples: exactly what the fit allocates.
    pub memory_bytes: usize,
    /// Floating-point operations to train on one sample once: forward and backward. Predicting takes about a third.
    pub flops_per_sample: u64,
}

/// Copies of the weights beside the programs': the weights, the gradient, two moments, the best so far, and the copy taken
/// of them at an epoch's end.
const WEIGHT_COPIES: usize = 6;

/// Estimates the cost of `network` for windows of `[steps, features]`, trained in batches of `batch` by `threads` threads
/// with products of this precision. Errors are those of compiling it.
pub fn estimate(network: &Network, steps: usize, features: usize, batch: usize, threads: usize, precision: Precision) -> Result<Estimate> {
    let plan = Plan::compile(network, steps, features)?;
    let program = Program::new(&plan, Purpose::Train, precision);
    let shards = if plan.whole_batch() { 1 } else { threads.clamp(1, batch.max(1)) };
    let shard = program.memory_bytes(&plan, batch.max(1).div_ceil(shards));
    let weights = plan.weights_len().saturating_mul(WEIGHT_COPIES * size_of::<f32>());
    Ok(Estimate {
        parameters: plan.weights.iter().filter(|weight| weight.trained).map(|weight| weight.len()).sum(),
        memory_bytes: shard.saturating_mul(shards).saturating_add(weights).saturating_add(program.packed_bytes()),
        // A backward pass multiplies twice as much: once for the weights, once for what lies below.
        flops_per_sample: program.products().saturating_mul(2 * 3),
    })
}

/// Share of the pace of large matrix products that training reaches; measured on the default LSTM and Transformer.
const SHARE: f64 = 0.5;

/// Floating-point operations per second that one thread of this machine reaches in training, by a measurement of some
/// milliseconds. Good to a factor of two: it knows nothing of what else the machine does.
pub fn pace() -> f64 {
    const SIZE: usize = 256;
    let (a, b) = (vec![0.5; SIZE * SIZE], vec![0.25; packed_len(SIZE, SIZE)]);
    let mut c = vec![0.0; SIZE * SIZE];
    let (began, mut products) = (Instant::now(), 0u32);
    while products < 2 || began.elapsed() < Duration::from_millis(5) {
        multiply(&a, SIZE, SIZE, Matrix { depth: SIZE, columns: SIZE, values: &b }, Start::Zero, &mut c, SIZE);
        products += 1;
    }
    SHARE * 2.0 * (SIZE * SIZE * SIZE) as f64 * f64::from(products) / began.elapsed().as_secs_f64().max(1e-9)
}
#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fit::trainer::Trainer;
    use crate::program::tests;

    #[test]
    fn the_default_lstm_costs_what_its_formulas_say() {
        let standard = json!({"kind": "standard"});
        let lstm = |units: u32, all: bool| {
            json!({"op": "lstm", "with": {"units": units, "layers": 1, "bidirectional": false, "return_sequences": all,
                "kernel": standard, "recurrent_kernel": standard}})
        };
        let dense = json!({"op": "dense", "with": {"units": 1, "bias": true, "kernel": standard}});
        let operations = [json!({"op": "input"}), lstm(128, true), lstm(64, true), lstm(32, false), dense];
        let node = |(place, operation)| json!({"name": format!("n{place}"), "operation": operation, "inputs": if place == 0 { vec![] } else { vec![place - 1] }});
        let nodes: Vec<_> = operations.into_iter().enumerate().map(node).collect();
        let training = json!({"epochs": 1, "batch_size": 32, "learning_rate": 0.1, "optimizer": {"kind": "sgd", "with":
            {"momentum": 0.0, "nesterov": false, "weight_decay": 0.0}}, "schedule": {"kind": "constant"}, "clip_norm": null, "early_stopping": null});
        let outputs = json!([{"name": "y", "node": 4, "loss": {"kind": "mse"}, "weight": 1.0}]);
        let network: Network = serde_json::from_value(json!({"nodes": nodes, "outputs": outputs, "training": training})).unwrap();
        let estimate = estimate(&network, 60, 5, 32, 1, Precision::F32).unwrap();
        assert_eq!(estimate.parameters, 134 * 512 + 193 * 256 + 97 * 128 + 33);
        let products = 60.0 * f64::from(133 * 512 + 192 * 256 + 96 * 128);
        assert!((estimate.flops_per_sample as f64 / (6.0 * products) - 1.0).abs() < 0.01, "{estimate:?}");
        let (lstm, mixed) = (network, tests::mixed());
        for (network, steps, features, threads, precision) in [
            (&lstm, 60, 5, 1, Precision::F32),
            (&lstm, 60, 5, 2, Precision::Bf16),
            (&lstm, 60, 5, 3, Precision::F32),
            (&mixed, tests::STEPS, tests::FEATURES, 2, Precision::F32),
            (&mixed, tests::STEPS, tests::FEATURES, 1, Precision::Bf16),
        ] {
            let plan = Plan::compile(network, steps, features).unwrap();
            let (weights, training) = (vec![0.0; plan.weights_len()], tests::training());
            let trainer = Trainer::new(&plan, weights, &training, threads, 0, precision).unwrap();
            // Beside what the trainer holds: two moments, the best weights so far and the copy at an epoch's end.
            let held = trainer.size_bytes() + 4 * plan.weights_len() * size_of::<f32>();
            let batch = training.batch_size as usize;
            let estimated = super::estimate(network, steps, features, batch, threads, precision).unwrap().memory_bytes;
            assert!(
                (estimated as f64 / held as f64 - 1.0).abs() < 0.01,
                "{threads} threads, {precision:?}: {estimated} estimated, {held} held"
            );
        }
    }
}

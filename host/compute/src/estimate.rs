//! What a network costs, stated before it is trained.

use bellwether_domain::Result;
use bellwether_domain::network::Network;

use crate::plan::{Op, Plan};

/// Sizes and work of training a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Trained numbers.
    pub parameters: usize,
    /// Bytes that training in batches of the given size takes at its peak, without the samples. An estimate, not a bound.
    pub memory_bytes: usize,
    /// Floating-point operations to train on one sample once: forward and backward. Predicting takes about a third.
    pub flops_per_sample: u64,
}

/// Copies of the weights alive at once: the weights, their tensors, packed forward and back, the gradient, its tensor,
/// two moments, and the best so far.
const WEIGHT_COPIES: usize = 9;
/// Copies of a step's value: the value, its gradient, and a sum under way.
const VALUE_COPIES: usize = 3;

/// Estimates the cost of `network` for windows of `[steps, features]`. Errors are those of compiling it.
pub fn estimate(network: &Network, steps: usize, features: usize, batch: usize) -> Result<Estimate> {
    let plan = Plan::compile(network, steps, features)?;
    let (mut products, mut values) = (0u64, 0usize);
    for step in plan.steps.iter().filter(|step| step.live) {
        let size = step.shape.iter().product::<usize>();
        values = values.saturating_add(size.saturating_mul(VALUE_COPIES));
        let kernels = step.weights.clone().map(|place| &plan.weights[place]).filter(|weight| weight.shape.len() == 2);
        let numbers: usize = kernels.map(|weight| weight.len()).sum();
        let times = if let Op::Lstm(layer) = &step.op {
            let time = plan.steps[step.inputs[0]].shape[0];
            let cells = step.weights.len() / 3;
            // Gates, cell, its tanh, the state before and the layer's own output, per step and unit.
            values = values.saturating_add(time.saturating_mul(layer.units as usize).saturating_mul(cells * 8));
            time
        } else {
            size / step.shape.last().copied().unwrap_or(1).max(1)
        };
        products = products.saturating_add((numbers as u64).saturating_mul(times as u64)).saturating_add(size as u64);
    }
    let parameters = plan.weights.iter().filter(|weight| weight.trained).map(|weight| weight.len()).sum();
    let numbers = plan.weights_len().saturating_mul(WEIGHT_COPIES).saturating_add(values.saturating_mul(batch));
    Ok(Estimate { parameters, memory_bytes: numbers.saturating_mul(size_of::<f32>()), flops_per_sample: products.saturating_mul(2 * 3) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        let network = serde_json::from_value(json!({"nodes": nodes, "outputs": outputs, "training": training})).unwrap();
        let estimate = estimate(&network, 60, 5, 32).unwrap();
        assert_eq!(estimate.parameters, 134 * 512 + 193 * 256 + 97 * 128 + 33);
        let products = 60.0 * f64::from(133 * 512 + 192 * 256 + 96 * 128);
        assert!((estimate.flops_per_sample as f64 / (6.0 * products) - 1.0).abs() < 0.01, "{estimate:?}");
        assert!((10_000_000..40_000_000).contains(&estimate.memory_bytes), "{estimate:?}");
    }
}

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
        let times = match &step.op {
            Op::Dense { .. } => size / step.shape.last().copied().unwrap_or(1).max(1),
            Op::Lstm(layer) => {
                let time = plan.steps[step.inputs[0]].shape[0];
                let cells = step.weights.len() / 3;
                // Gates, cell, its tanh, the state before and the layer's own output, per step and unit.
                values = values.saturating_add(time.saturating_mul(layer.units as usize).saturating_mul(cells * 8));
                time
            }
            _ => 0,
        };
        products = products.saturating_add((numbers as u64).saturating_mul(times as u64)).saturating_add(size as u64);
    }
    let parameters = plan.weights.iter().filter(|weight| weight.trained).map(|weight| weight.len()).sum();
    let numbers = plan.weights_len().saturating_mul(WEIGHT_COPIES).saturating_add(values.saturating_mul(batch));
    Ok(Estimate { parameters, memory_bytes: numbers.saturating_mul(size_of::<f32>()), flops_per_sample: products.saturating_mul(2 * 3) })
}

//! The same network in candle's tensors: one plain formula per operation, differentiated by candle, on any device.
//!
//! This is how a network runs on a GPU. On the processor it is the reference that our own layers are held against, in 64
//! bits: slow, obvious, and written without them. Values are [batch, ..shape of the node].
mod layer;
mod loss;
mod optimizer;
pub(crate) mod trainer;

use candle_core::{DType, Result, Tensor};

use crate::plan::{Plan, Step};

/// Values of one pass.
#[derive(Debug)]
pub(crate) struct Values {
    /// Of the outputs, in their order.
    pub(crate) outputs: Vec<Tensor>,
    /// New values of the kept weights (running statistics), by place in the plan's list.
    pub(crate) kept: Vec<(usize, Tensor)>,
}

/// How a pass is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Running statistics, nothing dropped.
    Serve,
    /// Statistics of the batch, nothing dropped: what gradients are checked on.
    #[cfg(test)]
    Plain,
    /// Statistics of the batch, values dropped by the device's random numbers.
    Train,
}

/// Runs windows [batch, time, features] through the network; `weights` are the plan's, of any float type.
pub(crate) fn forward(plan: &Plan, weights: &[Tensor], windows: &Tensor, mode: Mode) -> Result<Values> {
    let mut values: Vec<Option<Tensor>> = Vec::with_capacity(plan.steps.len());
    let mut kept = vec![];
    for step in &plan.steps {
        let inputs: Vec<&Tensor> = step.inputs.iter().filter_map(|input| values[*input].as_ref()).collect();
        let value = match inputs.first() {
            _ if !step.live => None,
            None => Some(windows.clone()),
            Some(_) => Some(layer::apply(step, &inputs, &weights[step.weights.clone()], mode, &mut kept)?),
        };
        values.push(value);
    }
    let missing = || candle_core::Error::Msg("an output was not computed".to_owned());
    let outputs = plan.heads.iter().map(|head| values[*head].clone().ok_or_else(missing)).collect::<Result<_>>()?;
    Ok(Values { outputs, kept })
}

/// Total loss of a batch: `counts` are the samples' weights.
pub(crate) fn total(plan: &Plan, values: &Values, targets: &Tensor, counts: &Tensor) -> Result<Tensor> {
    let mut sum = Tensor::zeros((), targets.dtype(), targets.device())?;
    for (output, value) in plan.outputs.iter().zip(&values.outputs) {
        sum = (sum + (loss::mean(&output.loss, value, targets, counts)? * output.weight)?)?;
    }
    Ok(sum)
}

/// The plan's weights as tensors of their shapes, cut from the array of all.
pub(crate) fn weights(plan: &Plan, all: &[f32], dtype: DType, device: &candle_core::Device) -> Result<Vec<Tensor>> {
    let pairs = plan.weights.iter().zip(&plan.places);
    pairs.map(|(weight, place)| Tensor::from_slice(&all[place.clone()], &weight.shape[..], device)?.to_dtype(dtype)).collect()
}

/// Numbers per sample and time step, as the layers read them.
fn last(step: &Step) -> usize {
    step.shape.last().copied().unwrap_or(1)
}

#[cfg(test)]
mod tests;

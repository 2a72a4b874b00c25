//! The forward pass for training, on candle tensors: candle keeps the tape and differentiates it.
//!
//! Dense, LSTM and dropout are fused operations of ours with hand-written gradients; they run our kernels on the calling
//! thread. Everything else is a few tensor operations of candle's, which uses its own threads for large ones unless the
//! process was started with [`crate::fit::ENVIRONMENT`]; the numbers are the same either way.
//! Values are [batch, ..shape of the node].
pub(crate) mod dense;
pub(crate) mod dropout;
pub(crate) mod loss;
pub(crate) mod lstm;
mod storage;

pub(crate) use storage::read;

use bellwether_domain::network::{Activation, TimePooling};
use candle_core::{D, Result, Tensor};
use rand_chacha::ChaCha8Rng;

use crate::plan::{Op, Plan, Step};

/// The tape builder of one network; keeps the memory of its fused operations between batches.
#[derive(Debug)]
pub(crate) struct Graph {
    memories: Vec<lstm::Memory>,
}

impl Graph {
    pub(crate) fn new(plan: &Plan) -> Graph {
        Graph { memories: plan.weights.iter().map(|_| lstm::Memory::default()).collect() }
    }

    /// Values of the outputs, in their order, for windows [batch, time, features]. `noise` draws dropout; none: no dropout.
    pub(crate) fn forward(
        &self,
        plan: &Plan,
        weights: &[Tensor],
        windows: &Tensor,
        mut noise: Option<&mut ChaCha8Rng>,
    ) -> Result<Vec<Tensor>> {
        let mut values: Vec<Option<Tensor>> = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            let inputs: Vec<&Tensor> = step.inputs.iter().filter_map(|input| values[*input].as_ref()).collect();
            let value = match inputs.first() {
                _ if !step.live => None,
                None => Some(windows.clone()),
                Some(input) => Some(self.step(plan, step, input, &inputs, weights, noise.as_deref_mut())?),
            };
            values.push(value);
        }
        plan.heads
            .iter()
            .map(|head| values[*head].clone().ok_or_else(|| candle_core::Error::Msg("an output was not computed".to_owned())))
            .collect()
    }

    fn step(
        &self,
        plan: &Plan,
        step: &Step,
        input: &Tensor,
        inputs: &[&Tensor],
        weights: &[Tensor],
        noise: Option<&mut ChaCha8Rng>,
    ) -> Result<Tensor> {
        let own = &weights[step.weights.clone()];
        match &step.op {
            Op::Input => Ok(input.clone()),
            Op::Dense { bias } => dense::apply(input, own, *bias, below_learns(plan, step)),
            Op::Lstm(layer) => lstm::apply(input, own, &self.memories[step.weights.clone()], layer, below_learns(plan, step)),
            Op::LayerNorm(epsilon) => {
                let centred = input.broadcast_sub(&input.mean_keepdim(D::Minus1)?)?;
                let spread = (centred.sqr()?.mean_keepdim(D::Minus1)? + *epsilon)?.sqrt()?;
                centred.broadcast_div(&spread)?.broadcast_mul(&own[0])?.broadcast_add(&own[1])
            }
            Op::Gru(_) | Op::Conv1d(_) | Op::BatchNorm(_) | Op::Attention(_) | Op::Position(_) | Op::Embedding(_) => {
                Err(candle_core::Error::Msg("refused before".to_owned()))
            }
            Op::Dropout(share) => match noise {
                Some(noise) if *share > 0.0 => dropout::apply(input, *share, noise),
                _ => Ok(input.clone()),
            },
            Op::Activation(activation) => activate(*activation, input),
            Op::Add => inputs.iter().skip(1).try_fold(input.clone(), |sum, other| sum.add(other)),
            Op::Multiply => inputs.iter().skip(1).try_fold(input.clone(), |product, other| product.mul(other)),
            Op::Concat(axis) => Tensor::cat(inputs, axis + 1),
            Op::Slice { axis, start, length } => input.narrow(axis + 1, *start, *length),
            Op::Reshape => {
                let mut shape = vec![input.dim(0)?];
                shape.extend(&step.shape);
                input.reshape(shape)
            }
            Op::Pool(pooling) => pool(*pooling, input, own),
        }
    }
}

fn below_learns(plan: &Plan, step: &Step) -> bool {
    step.inputs.iter().any(|input| plan.steps[*input].learns)
}

fn activate(activation: Activation, x: &Tensor) -> Result<Tensor> {
    match activation {
        Activation::Relu => x.relu(),
        Activation::Gelu => x.gelu_erf(),
        Activation::Silu => x.silu(),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => (x.neg()?.exp()? + 1.0)?.recip(),
        Activation::Softplus => softplus(x),
        Activation::Softmax => softmax(x, D::Minus1),
    }
}

/// ln(1 + eˣ) without overflow.
pub(crate) fn softplus(x: &Tensor) -> Result<Tensor> {
    x.relu()?.add(&(x.abs()?.neg()?.exp()? + 1.0)?.log()?)
}

/// The row maximum is a constant to the gradient: it cancels.
fn softmax(x: &Tensor, axis: impl candle_core::shape::Dim + Copy) -> Result<Tensor> {
    let powers = x.broadcast_sub(&x.max_keepdim(axis)?.detach())?.exp()?;
    powers.broadcast_div(&powers.sum_keepdim(axis)?)
}

fn pool(pooling: TimePooling, x: &Tensor, own: &[Tensor]) -> Result<Tensor> {
    match pooling {
        TimePooling::Last => x.narrow(1, x.dim(1)? - 1, 1)?.squeeze(1),
        TimePooling::Mean => x.mean(1),
        TimePooling::Max => x.max(1),
        TimePooling::Attention => {
            let parts = softmax(&x.broadcast_mul(&own[0])?.sum_keepdim(2)?, 1)?;
            x.broadcast_mul(&parts)?.sum(1)
        }
    }
}

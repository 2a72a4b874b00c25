//! What training makes small, on the tape: outputs [batch, width] and targets [batch] to one number, the mean over the batch.
//!
//! With e = target - y: mse e²; mae |e|; huber e²/2 within ±δ, δ·(|e| - δ/2) beyond (Huber 1964); quantile the mean over the
//! probabilities p of max(p·e, (p-1)·e); gaussian-nll (v + e²·exp(-v))/2 with y = (mean, v); bce softplus(y) - target·y;
//! cross-entropy weight[class]·(ln Σ exp(y) - y[class]).

use bellwether_domain::network::Loss;
use candle_core::{D, Result, Tensor};

use crate::graph::softplus;

/// The loss of one output.
pub(crate) fn loss(kind: &Loss, output: &Tensor, targets: &[f32]) -> Result<Tensor> {
    let device = output.device();
    let target = Tensor::from_slice(targets, (targets.len(), 1), device)?;
    let error = || target.sub(output);
    match kind {
        Loss::Mse => error()?.sqr()?.mean_all(),
        Loss::Mae => error()?.abs()?.mean_all(),
        Loss::Huber(delta) => {
            let size = error()?.abs()?;
            let within = size.minimum(*delta)?;
            within.mul(&size.sub(&(&within * 0.5)?)?)?.mean_all()
        }
        Loss::Bce => softplus(output)?.sub(&target.mul(output)?)?.mean_all(),
        Loss::Quantile(levels) => {
            let error = target.broadcast_sub(output)?;
            let levels: Vec<f32> = levels.iter().map(|level| *level as f32).collect();
            let below = Tensor::from_slice(&levels, levels.len(), device)?;
            let above = (&below - 1.0)?;
            error.broadcast_mul(&below)?.maximum(&error.broadcast_mul(&above)?)?.mean_all()
        }
        Loss::GaussianNll => {
            let (mean, log_variance) = (output.narrow(1, 0, 1)?, output.narrow(1, 1, 1)?);
            let square = target.sub(&mean)?.sqr()?.mul(&log_variance.neg()?.exp()?)?;
            (log_variance.add(&square)?.mean_all()? * 0.5)?.contiguous()
        }
        Loss::CrossEntropy(weights) => cross_entropy(output, targets, weights),
    }
}

fn cross_entropy(output: &Tensor, targets: &[f32], weights: &[f64]) -> Result<Tensor> {
    let (count, classes) = output.dims2()?;
    let (mut chosen, mut factors) = (vec![0.0f32; count * classes], Vec::with_capacity(count));
    for (row, target) in targets.iter().enumerate() {
        let class = *target as usize;
        chosen[row * classes + class] = 1.0;
        factors.push(weights.get(class).map_or(1.0, |weight| *weight as f32));
    }
    let chosen = Tensor::from_vec(chosen, (count, classes), output.device())?;
    let factors = Tensor::from_vec(factors, count, output.device())?;
    let shifted = output.broadcast_sub(&output.max_keepdim(D::Minus1)?.detach())?;
    let whole = shifted.exp()?.sum(D::Minus1)?.log()?;
    whole.sub(&shifted.mul(&chosen)?.sum(D::Minus1)?)?.mul(&factors)?.mean_all()
}

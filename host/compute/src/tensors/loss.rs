//! Losses as formulas on tensors; the definitions are those of [`crate::loss`].

use bellwether_domain::network::Loss;
use candle_core::{D, Result, Tensor};

use crate::tensors::layer::softplus;

/// Mean loss of output [batch, width] for targets [batch], each counted as `counts` says.
pub(super) fn mean(kind: &Loss, output: &Tensor, targets: &Tensor, counts: &Tensor) -> Result<Tensor> {
    let target = targets.unsqueeze(1)?;
    let error = || target.broadcast_sub(output);
    let each = match kind {
        Loss::Mse => error()?.sqr()?,
        Loss::Mae => error()?.abs()?,
        Loss::Huber(delta) => {
            let size = error()?.abs()?;
            let within = size.minimum(*delta)?;
            within.mul(&size.sub(&(&within * 0.5)?)?)?
        }
        Loss::Bce => softplus(output)?.sub(&target.mul(output)?)?,
        Loss::Quantile(levels) => {
            let levels = Tensor::new(&levels[..], output.device())?.to_dtype(output.dtype())?;
            let error = error()?;
            let sides = (error.broadcast_mul(&levels)?, error.broadcast_mul(&(&levels - 1.0)?)?);
            sides.0.maximum(&sides.1)?.mean_keepdim(1)?
        }
        Loss::GaussianNll => {
            let (mean, log_variance) = (output.narrow(1, 0, 1)?, output.narrow(1, 1, 1)?);
            let square = target.sub(&mean)?.sqr()?.mul(&log_variance.neg()?.exp()?)?;
            (log_variance.add(&square)? * 0.5)?
        }
        Loss::CrossEntropy(classes) => return cross_entropy(output, targets, counts, classes),
    };
    each.squeeze(1)?.mul(counts)?.sum_all()?.div(&counts.sum_all()?)
}

fn cross_entropy(output: &Tensor, targets: &Tensor, counts: &Tensor, classes: &[f64]) -> Result<Tensor> {
    let width = output.dim(1)?;
    let numbers = Tensor::arange(0u32, width as u32, output.device())?.to_dtype(targets.dtype())?.unsqueeze(0)?;
    let chosen = targets.unsqueeze(1)?.broadcast_eq(&numbers)?.to_dtype(output.dtype())?;
    let factors = if classes.is_empty() { vec![1.0; width] } else { classes.to_vec() };
    let factors = Tensor::new(&factors[..], output.device())?.to_dtype(output.dtype())?;
    let counts = chosen.broadcast_mul(&factors)?.sum(1)?.mul(counts)?;
    let shifted = output.broadcast_sub(&output.max_keepdim(D::Minus1)?.detach())?;
    let each = shifted.exp()?.sum(D::Minus1)?.log()?.sub(&shifted.mul(&chosen)?.sum(D::Minus1)?)?;
    each.mul(&counts)?.sum_all()?.div(&counts.sum_all()?)
}

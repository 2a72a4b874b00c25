//! One formula per operation; the definitions are those of `wit/nn/nn.wit`.

use bellwether_domain::network::{Activation, Attention, BatchNorm, Conv1d, Position, Recurrent, TimePooling};
use candle_core::{D, DType, Device, Result, Tensor};

use crate::plan::{Op, Step};
use crate::tensors::{Mode, last};

/// The value of a step from the values it reads.
pub(super) fn apply(step: &Step, inputs: &[&Tensor], own: &[Tensor], mode: Mode, kept: &mut Vec<(usize, Tensor)>) -> Result<Tensor> {
    let x = inputs[0];
    match &step.op {
        Op::Input => Ok(x.clone()),
        Op::Dense { .. } => dense(x, &own[0], own.get(1)),
        Op::Lstm(layer) => recurrent(x, own, layer, 3, lstm),
        Op::Gru(layer) => recurrent(x, own, layer, 4, gru),
        Op::Conv1d(layer) => convolution(x, own, layer, step.shape[0]),
        Op::LayerNorm(epsilon) => {
            let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
            let spread = (centred.sqr()?.mean_keepdim(D::Minus1)? + *epsilon)?.sqrt()?;
            centred.broadcast_div(&spread)?.broadcast_mul(&own[0])?.broadcast_add(&own[1])
        }
        Op::BatchNorm(norm) => batch_norm(x, own, norm, step, mode, kept),
        Op::Attention(attention) => self_attention(x, own, attention, mode),
        Op::Position(Position::Learned) => x.broadcast_add(&own[0]),
        Op::Position(Position::Sinusoidal) => x.broadcast_add(&waves(step.shape[0], step.shape[1], x.dtype(), x.device())?),
        Op::Embedding(_) => {
            let rows = own[0].index_select(&x.flatten_all()?.to_dtype(DType::U32)?, 0)?;
            rows.reshape([&[x.dim(0)?], &step.shape[..]].concat())
        }
        Op::Dropout(share) => dropped(x, *share, mode),
        Op::Activation(activation) => activate(*activation, x),
        Op::Add => inputs.iter().skip(1).try_fold(x.clone(), |sum, other| sum.add(other)),
        Op::Multiply => inputs.iter().skip(1).try_fold(x.clone(), |product, other| product.mul(other)),
        Op::Concat(axis) => Tensor::cat(inputs, axis + 1),
        Op::Slice { axis, start, length } => x.narrow(axis + 1, *start, *length),
        Op::Reshape => x.reshape([&[x.dim(0)?], &step.shape[..]].concat()),
        Op::Pool(pooling) => pool(*pooling, x, own),
    }
}

fn dense(x: &Tensor, kernel: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (width, units) = kernel.dims2()?;
    let y = x.contiguous()?.reshape(((), width))?.matmul(kernel)?;
    let y = if let Some(bias) = bias { y.broadcast_add(bias)? } else { y };
    let mut shape = x.dims().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = units;
    }
    y.reshape(shape)
}

/// Layers and directions of a recurrent node with `parts` weights each; `run` takes projected inputs step by step and gives
/// the state after each.
fn recurrent(
    x: &Tensor,
    own: &[Tensor],
    layer: &Recurrent,
    parts: usize,
    run: fn(&[Tensor], &[Tensor]) -> Result<Vec<Tensor>>,
) -> Result<Tensor> {
    let (directions, steps) = (if layer.bidirectional { 2 } else { 1 }, x.dim(1)?);
    let levels = own.chunks_exact(parts * directions);
    let top = levels.len() - 1;
    let mut value = x.clone();
    for (level, weights) in levels.enumerate() {
        let mut sides = Vec::with_capacity(directions);
        for (direction, weights) in weights.chunks_exact(parts).enumerate() {
            let projected = dense(&value, &weights[0], Some(&weights[2]))?;
            let mut times = (0..steps).map(|time| projected.narrow(1, time, 1)?.squeeze(1)).collect::<Result<Vec<_>>>()?;
            if direction == 1 {
                times.reverse();
            }
            let mut states = run(&times, weights)?;
            if level == top && !layer.return_sequences {
                sides.push(states.swap_remove(steps - 1));
                continue;
            }
            if direction == 1 {
                states.reverse();
            }
            sides.push(Tensor::stack(&states, 1)?);
        }
        value = Tensor::cat(&sides, D::Minus1)?;
    }
    Ok(value)
}

fn sigmoid(x: &Tensor) -> Result<Tensor> {
    (x.neg()?.exp()? + 1.0)?.recip()
}

/// i, f, g, o from x·W + b + h·R; c = f·c + i·g; h = o·tanh(c).
fn lstm(times: &[Tensor], weights: &[Tensor]) -> Result<Vec<Tensor>> {
    let (units, batch) = (weights[1].dim(0)?, times[0].dim(0)?);
    let mut hidden = Tensor::zeros((batch, units), times[0].dtype(), times[0].device())?;
    let mut cell = hidden.clone();
    let mut states = Vec::with_capacity(times.len());
    for x in times {
        let sums = x.add(&hidden.matmul(&weights[1])?)?;
        let gate = |place: usize| sums.narrow(1, place * units, units);
        let fresh = sigmoid(&gate(0)?)?.mul(&gate(2)?.tanh()?)?;
        cell = sigmoid(&gate(1)?)?.mul(&cell)?.add(&fresh)?;
        hidden = sigmoid(&gate(3)?)?.mul(&cell.tanh()?)?;
        states.push(hidden.clone());
    }
    Ok(states)
}

/// r, z = σ(x·W + b + h·R); n = tanh(x·W + b + r·(h·R + c)); h = (1 - z)·n + z·h.
fn gru(times: &[Tensor], weights: &[Tensor]) -> Result<Vec<Tensor>> {
    let (units, batch) = (weights[1].dim(0)?, times[0].dim(0)?);
    let mut hidden = Tensor::zeros((batch, units), times[0].dtype(), times[0].device())?;
    let mut states = Vec::with_capacity(times.len());
    for x in times {
        let again = hidden.matmul(&weights[1])?;
        let part = |from: &Tensor, place: usize| from.narrow(1, place * units, units);
        let reset = sigmoid(&part(x, 0)?.add(&part(&again, 0)?)?)?;
        let keep = sigmoid(&part(x, 1)?.add(&part(&again, 1)?)?)?;
        let inner = part(&again, 2)?.broadcast_add(&weights[3])?;
        let fresh = part(x, 2)?.add(&reset.mul(&inner)?)?.tanh()?;
        hidden = fresh.add(&keep.mul(&hidden.sub(&fresh)?)?)?;
        states.push(hidden.clone());
    }
    Ok(states)
}

/// Tap by tap: y[t] = b + Σ_k x[t · stride + k · dilation - padding] · W[k].
fn convolution(x: &Tensor, own: &[Tensor], layer: &Conv1d, times: usize) -> Result<Tensor> {
    let index = |number: u32| number as usize;
    let (taps, stride, dilation) = (index(layer.kernel_size), index(layer.stride), index(layer.dilation));
    let before = if layer.causal { (taps - 1) * dilation } else { 0 };
    let padded = x.pad_with_zeros(1, before, 0)?;
    let mut sum: Option<Tensor> = None;
    for tap in 0..taps {
        let rows: Vec<u32> = (0..times).map(|time| (time * stride + tap * dilation) as u32).collect();
        let read = padded.index_select(&Tensor::new(&rows[..], x.device())?, 1)?;
        let product = dense(&read, &own[0].get(tap)?, None)?;
        sum = Some(if let Some(sum) = sum { sum.add(&product)? } else { product });
    }
    let sum = sum.ok_or_else(|| candle_core::Error::Msg("a convolution has at least one tap".to_owned()))?;
    own.get(1).map_or(Ok(sum.clone()), |bias| sum.broadcast_add(bias))
}

/// Over the batch and, in a sequence, over time. Variance is that of the batch; the running one is unbiased, as PyTorch's.
fn batch_norm(x: &Tensor, own: &[Tensor], norm: &BatchNorm, step: &Step, mode: Mode, kept: &mut Vec<(usize, Tensor)>) -> Result<Tensor> {
    let rows = x.reshape(((), last(step)))?;
    let (mean, variance) = if mode == Mode::Serve {
        (own[2].clone(), own[3].clone())
    } else {
        let mean = rows.mean(0)?;
        let variance = rows.broadcast_sub(&mean)?.sqr()?.mean(0)?;
        let count = rows.dim(0)? as f64;
        let blend = |old: &Tensor, new: Tensor| (old * norm.momentum)? + (new.detach() * (1.0 - norm.momentum))?;
        kept.push((step.weights.start + 2, blend(&own[2], mean.clone())?));
        kept.push((step.weights.start + 3, blend(&own[3], (variance.clone() * (count / (count - 1.0).max(1.0)))?)?));
        (mean, variance)
    };
    let scaled = rows.broadcast_sub(&mean)?.broadcast_div(&(variance + norm.epsilon)?.sqrt()?)?;
    scaled.broadcast_mul(&own[0])?.broadcast_add(&own[1])?.reshape(x.shape())
}

fn self_attention(x: &Tensor, own: &[Tensor], attention: &Attention, mode: Mode) -> Result<Tensor> {
    let (batch, steps, width) = x.dims3()?;
    let heads = attention.heads as usize;
    let depth = width / heads;
    let split = |place: usize| -> Result<Tensor> {
        let all = dense(x, &own[2 * place], Some(&own[2 * place + 1]))?;
        all.reshape((batch, steps, heads, depth))?.transpose(1, 2)?.contiguous()
    };
    let (query, key, value) = (split(0)?, split(1)?, split(2)?);
    let mut scores = (query.matmul(&key.transpose(2, 3)?.contiguous()?)? * (depth as f64).sqrt().recip())?;
    if attention.causal {
        // A large number and not infinity: its gradient is a number.
        let mask: Vec<f32> = (0..steps * steps).map(|at| if at % steps > at / steps { -1e30 } else { 0.0 }).collect();
        scores = scores.broadcast_add(&Tensor::from_vec(mask, (steps, steps), x.device())?.to_dtype(x.dtype())?)?;
    }
    let parts = dropped(&softmax(&scores, D::Minus1)?, attention.dropout, mode)?;
    let joined = parts.matmul(&value)?.transpose(1, 2)?.contiguous()?.reshape((batch, steps, width))?;
    dense(&joined, &own[6], Some(&own[7]))
}

/// sin and cos of time / 10000^(2i / width), in turns.
fn waves(steps: usize, width: usize, dtype: DType, device: &Device) -> Result<Tensor> {
    let value = |at: usize| {
        let (time, column) = ((at / width) as f64, at % width);
        let angle = time / 10_000f64.powf((column - column % 2) as f64 / width as f64);
        if column % 2 == 0 { angle.sin() } else { angle.cos() }
    };
    let values: Vec<f64> = (0..steps * width).map(value).collect();
    Tensor::from_vec(values, (steps, width), &Device::Cpu)?.to_dtype(dtype)?.to_device(device)
}

fn dropped(x: &Tensor, share: f64, mode: Mode) -> Result<Tensor> {
    if mode != Mode::Train || share == 0.0 {
        return Ok(x.clone());
    }
    let drawn = Tensor::rand(0f32, 1f32, x.shape(), x.device())?;
    let factors = (drawn.ge(share as f32)?.to_dtype(x.dtype())? * (1.0 / (1.0 - share)))?;
    x.mul(&factors)
}

fn activate(activation: Activation, x: &Tensor) -> Result<Tensor> {
    match activation {
        Activation::Relu => x.relu(),
        Activation::Gelu => x.gelu_erf(),
        Activation::Silu => x.mul(&sigmoid(x)?),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => sigmoid(x),
        Activation::Softplus => softplus(x),
        Activation::Softmax => softmax(x, D::Minus1),
    }
}

/// ln(1 + eˣ) without overflow.
pub(super) fn softplus(x: &Tensor) -> Result<Tensor> {
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

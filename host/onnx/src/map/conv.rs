//! Convolutions over time.
//!
//! ONNX convolves [batch, channels, time] with weights [filters, channels / groups, taps]; ours are [taps, channels,
//! filters] over [time, channels]. Causal convolutions are exported in three ways: zeros put before the sequence by `Pad`,
//! `pads` on the left only, or the same `pads` on both sides with the right end cut off again by a `Slice`. The last one
//! becomes a `Wide` piece that waits for its cut.

use bellwether_domain::network::{Conv1d, Dense, Initializer, Operation};

use super::{Call, Mapped, Mapper, one};
use crate::fold;
use crate::graph::{Attributes, shown};
use crate::layout::{Signal, whole};
use crate::pieces::{Op, Parameter};
use crate::proto::NodeProto;
use crate::tensor::Constant;

/// Attributes of a one-dimensional convolution.
struct Window {
    stride: usize,
    dilation: usize,
    groups: usize,
    left: usize,
    right: usize,
}

impl Mapper {
    pub(super) fn pad(&mut self, call: &Call<'_>) -> Mapped {
        let (node, signal) = (call.node, call.signal(0)?.clone());
        let amounts = match call.constant(1)? {
            Some(amounts) => amounts.as_integers()?,
            None => node.integers("pads").unwrap_or(&[]).to_vec(),
        };
        let rank = signal.dims.len();
        let axes: Vec<usize> = match call.constant(3)? {
            Some(axes) => axes.as_integers()?.iter().map(|axis| signal.axis(*axis)).collect::<Mapped<_>>()?,
            None => (0..rank).collect(),
        };
        if amounts.len() != 2 * axes.len() {
            return Err(format!("has {} amounts for {} axes", amounts.len(), axes.len()));
        }
        let mut padded: Option<(usize, i64)> = None;
        for (at, axis) in axes.iter().enumerate() {
            let (before, after) = (amounts[at], amounts[axes.len() + at]);
            if (before, after) == (0, 0) {
                continue;
            }
            if before < 0 || after != 0 || padded.replace((*axis, before)).is_some() {
                return Err("pads more than the start of the sequence; only causal padding is mapped".to_owned());
            }
        }
        let Some((axis, before)) = padded else { return one(signal) };
        let value = call.constant(2)?.map_or(Some(node.real("value", 0.0)), Constant::scalar);
        if node.text("mode", "constant") != "constant" || value != Some(0.0) {
            return Err("pads with something else than zeros".to_owned());
        }
        let [steps, width] = self.pieces[signal.piece].shape[..] else { return Err("pads a value that is not a sequence".to_owned()) };
        if steps < 2 || signal.dims[axis] != whole(0, steps) {
            return Err("pads another axis than time".to_owned());
        }
        let left = usize::try_from(before).unwrap_or(usize::MAX);
        let piece = self.add(Op::Padded(left), &[signal.piece], &[steps.saturating_add(left), width], vec![])?;
        let mut dims = signal.dims;
        dims[axis] = whole(0, steps + left);
        one(Signal { piece, dims })
    }

    pub(super) fn conv(&mut self, call: &Call<'_>) -> Mapped {
        let weights = call.weights(1, "weights")?;
        let [filters, per_group, taps] = weights.shape[..] else {
            return Err(format!("has weights of shape {:?}; convolutions over one axis are mapped", weights.shape));
        };
        let window = window(call.node, taps)?;
        let mut source = self.sequence(call.signal(0)?, 2, 1)?;
        let mut left = window.left;
        if let Op::Padded(more) = self.pieces[source].op {
            (left, source) = (left.saturating_add(more), self.pieces[source].inputs[0]);
        }
        let [steps, channels] = self.pieces[source].shape[..] else { return Err("reads a value that is not a sequence".to_owned()) };
        if per_group.checked_mul(window.groups) != Some(channels) || filters % window.groups != 0 || filters == 0 {
            return Err(format!("has weights of shape {:?} in {} group(s) for {channels} channels", weights.shape, window.groups));
        }
        let mut list = vec![Parameter::new("kernel", &[taps, channels, filters], self.kernel(weights, channels, &window)?)];
        if let Some(bias) = call.constant(2)? {
            if bias.len() != filters {
                return Err(format!("has a bias of shape {:?} for {filters} filters", bias.shape));
            }
            list.push(Parameter::new("bias", &[filters], bias.as_floats()?));
        }
        let span = (taps - 1).checked_mul(window.dilation).ok_or("has a dilation without end")?;
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let bias = list.len() > 1;
        let mut layer = Conv1d {
            filters: number(filters),
            kernel_size: number(taps),
            stride: number(window.stride),
            dilation: number(window.dilation),
            causal: left > 0,
            bias,
            kernel: Initializer::Standard,
        };
        let (op, length) = match (left, window.right) {
            (0, 0) if taps == 1 && window.stride == 1 => {
                list[0].shape = vec![channels, filters];
                (Op::Ours(Operation::Dense(Dense { units: number(filters), bias, kernel: Initializer::Standard })), steps)
            }
            (0, 0) if span < steps => (Op::Ours(Operation::Conv1d(layer)), (steps - span - 1) / window.stride + 1),
            (0, 0) => return Err(format!("spans {} steps of a sequence that has {steps}", span + 1)),
            (left, 0) if left == span => (Op::Ours(Operation::Conv1d(layer)), steps.div_ceil(window.stride)),
            (left, right) if left == span && window.stride == 1 => {
                layer.causal = true;
                (Op::Wide(layer), steps.saturating_add(right))
            }
            (left, right) => {
                return Err(format!(
                    "pads {left} steps before and {right} after the sequence; without padding, or causally with {span} before and none after, it could be mapped"
                ));
            }
        };
        let piece = self.add(op, &[source], &[length, filters], list)?;
        one(Signal { piece, dims: vec![self.batch_dim(), whole(1, filters), whole(0, length)] })
    }

    /// [filters, channels / groups, taps] as [taps, channels, filters]; other groups' channels get zeros.
    fn kernel(&self, weights: &Constant, channels: usize, window: &Window) -> Mapped<Vec<f32>> {
        let [filters, per_group, taps] = weights.shape[..] else { return Err("has no weights".to_owned()) };
        let count = fold::product(&[taps, channels, filters]).ok_or("has weights that no memory holds")?;
        self.budget.take(count)?;
        let values = weights.as_floats()?;
        let mut kernel = vec![0.0; count];
        for filter in 0..filters {
            let first = filter / (filters / window.groups) * per_group;
            for channel in 0..per_group {
                for tap in 0..taps {
                    kernel[(tap * channels + first + channel) * filters + filter] = values[(filter * per_group + channel) * taps + tap];
                }
            }
        }
        Ok(kernel)
    }

    /// The first `length` steps of a wide convolution: a causal one.
    pub(super) fn cut(&mut self, piece: usize, start: usize, length: usize) -> Mapped<Option<usize>> {
        let wide = self.pieces[piece].clone();
        let Op::Wide(layer) = wide.op else { return Ok(None) };
        let steps = self.pieces[wide.inputs[0]].shape[0];
        if start != 0 || length != steps {
            return Err(format!(
                "keeps {length} steps from step {start} of a convolution padded on both sides; the first {steps} would be causal"
            ));
        }
        self.add(Op::Ours(Operation::Conv1d(layer)), &wide.inputs, &[steps, wide.shape[1]], wide.weights).map(Some)
    }
}

fn window(node: &NodeProto, taps: usize) -> Mapped<Window> {
    let first = |name: &str, default: i64, least: i64| match node.integers(name) {
        None | Some([]) => Ok(default),
        Some([value, ..]) if (least..=i64::from(u32::MAX)).contains(value) => Ok(*value),
        Some(other) => Err(format!("has {name} {:?}", &other[..other.len().min(4)])),
    };
    let size = |value: i64| usize::try_from(value).unwrap_or(0);
    let automatic = node.text("auto_pad", "NOTSET");
    if !(automatic == "NOTSET" || automatic == "VALID" || taps == 1) {
        return Err(format!("pads by `{}`; without padding, or causally, it could be mapped", shown(&automatic)));
    }
    let (left, right) = match node.integers("pads") {
        None | Some([]) => (0, 0),
        Some([left, right]) if *left >= 0 && *right >= 0 && automatic == "NOTSET" => (size(*left), size(*right)),
        Some(_) => return Err("has paddings that do not fit one axis".to_owned()),
    };
    if taps == 0 || size(first("kernel_shape", 1, 1)?) != taps && node.integers("kernel_shape").is_some() {
        return Err(format!("has a kernel_shape that does not fit weights of {taps} taps"));
    }
    let groups = size(node.integer("group", 1));
    if groups == 0 {
        return Err("has no groups".to_owned());
    }
    Ok(Window { stride: size(first("strides", 1, 1)?), dilation: size(first("dilations", 1, 1)?), groups, left, right })
}

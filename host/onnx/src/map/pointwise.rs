//! Element by element: activations, sums and products of values and constants.
//!
//! A constant with one number, or one per feature, becomes an affine piece, which `finish` folds into the layer before it.
//! A constant per step and feature that is added is a learned positional encoding.

use std::rc::Rc;

use bellwether_domain::network::{Activation, Operation, Position};

use super::{Call, Mapped, Mapper, Value, one};
use crate::fold::{self, Known};
use crate::graph::{Attributes, shown};
use crate::layout::Signal;
use crate::pieces::{Op, Parameter};
use crate::tensor::Constant;

impl Mapper {
    pub(super) fn activation(&mut self, call: &Call<'_>, activation: Activation) -> Mapped {
        let signal = call.signal(0)?.clone();
        one(self.over(&signal, Op::Ours(Operation::Activation(activation)))?)
    }

    pub(super) fn gelu(&mut self, call: &Call<'_>) -> Mapped {
        match call.node.text("approximate", "none").as_str() {
            "none" => self.activation(call, Activation::Gelu),
            other => Err(format!("approximates by `{}`; the exact gelu is mapped", shown(other))),
        }
    }

    pub(super) fn simple(&mut self, call: &Call<'_>) -> Mapped {
        let signal = call.signal(0)?.clone();
        one(match call.node.op_type.as_str() {
            "Erf" => self.over(&signal, Op::Erf)?,
            _ => self.scaled(&signal, -1.0, 0.0)?,
        })
    }

    pub(super) fn passed(&mut self, call: &Call<'_>) -> Mapped {
        let signal = call.signal(0)?.clone();
        let to = call.node.integer("to", 1);
        let mask = Value::Closed("reads the mask of a dropout, which serving does not draw");
        match (call.node.op_type.as_str(), to) {
            ("Cast", 1 | 11) => {
                // To whole numbers and back would round; only what stayed real passes.
                one(signal)
            }
            ("Cast", 6 | 7) => one(self.over(&signal, Op::Whole)?),
            ("Cast", other) => Err(format!("makes values of type {}", crate::tensor::type_name(i32::try_from(other).unwrap_or(-1)))),
            ("Dropout", _) => Ok(vec![Value::Signal(signal), mask]),
            _ => one(signal),
        }
    }

    pub(super) fn softmax(&mut self, call: &Call<'_>) -> Mapped {
        let signal = call.signal(0)?.clone();
        let axis = signal.axis(call.node.integer("axis", if self.opset < 13 { 1 } else { -1 }))?;
        if axis + 1 != signal.dims.len() {
            return Err("works along another axis than the last".to_owned());
        }
        if let Op::Scores(_) = self.pieces[signal.piece].op {
            return one(self.shares(&signal)?);
        }
        let seen = self.by_last_axis(&signal)?;
        one(self.over(&seen, Op::Ours(Operation::Activation(Activation::Softmax)))?)
    }

    pub(super) fn arithmetic(&mut self, call: &Call<'_>) -> Mapped {
        let kind = call.node.op_type.as_str();
        let (Some(Some(left)), Some(Some(right))) = (call.inputs.first(), call.inputs.get(1)) else {
            return Err("lacks an input".to_owned());
        };
        match (left, right) {
            (Value::Signal(left), Value::Signal(right)) => one(self.together(kind, left, right)?),
            (Value::Signal(signal), Value::Known(Known::Constant(constant))) => one(self.with_constant(kind, signal, constant, false)?),
            (Value::Known(Known::Constant(constant)), Value::Signal(signal)) => one(self.with_constant(kind, signal, constant, true)?),
            _ => Err("computes with a constant whose shape holds the batch size".to_owned()),
        }
    }

    /// Signal and constant; `turned` when the constant comes first.
    fn with_constant(&mut self, kind: &str, signal: &Signal, constant: &Constant, turned: bool) -> Mapped<Signal> {
        if kind == "Div" && turned {
            return Err("divides by a value computed from the window".to_owned());
        }
        let (constant, signal) = match (kind, turned) {
            ("Sub", true) => (constant.clone(), self.scaled(signal, -1.0, 0.0)?),
            ("Sub", false) => (mapped(constant, |x| -x)?, signal.clone()),
            ("Div", _) => (mapped(constant, f32::recip)?, signal.clone()),
            _ => (constant.clone(), signal.clone()),
        };
        let product = matches!(kind, "Mul" | "Div");
        if let (Op::Scores(_), false) = (&self.pieces[signal.piece].op, product) {
            return self.masked(&signal, &constant);
        }
        if let Some(value) = constant.scalar() {
            self.fits(&signal, &constant)?;
            return if product { self.product_with(&signal, value) } else { self.scaled(&signal, 1.0, value) };
        }
        let values = self.per_element(&signal, &constant)?;
        let shape = self.pieces[signal.piece].shape.clone();
        match values {
            PerElement::Feature(values) => {
                let op = if product { Op::Affine(values, vec![0.0].into()) } else { Op::Affine(vec![1.0].into(), values) };
                self.over(&signal, op)
            }
            PerElement::All(values) if !product => {
                let op = Op::Ours(Operation::PositionalEncoding(Position::Learned));
                let piece = self.add(op, &[signal.piece], &shape, vec![Parameter::new("positions", &shape, values)])?;
                Ok(Signal { piece, dims: signal.dims.clone() })
            }
            PerElement::All(_) => Err(format!("multiplies a value of shape {} by a constant per step", signal.shape_text())),
        }
    }

    /// x · scale + shift with one number each.
    pub(super) fn scaled(&mut self, signal: &Signal, scale: f32, shift: f32) -> Mapped<Signal> {
        self.over(signal, Op::Affine(vec![scale].into(), vec![shift].into()))
    }

    /// A constant may not have more axes than the value, and its axes must be those of the value or have one element.
    fn fits(&self, signal: &Signal, constant: &Constant) -> Mapped<()> {
        if constant.shape.len() > signal.dims.len() {
            return Err(format!("spreads a value of shape {} over a constant of shape {:?}", signal.shape_text(), constant.shape));
        }
        Ok(())
    }

    /// The constant's number for every feature, or for every element, of the signal's piece.
    fn per_element(&self, signal: &Signal, constant: &Constant) -> Mapped<PerElement> {
        self.fits(signal, constant)?;
        let shape = &self.pieces[signal.piece].shape;
        let apart = || format!("combines a value of shape {} with a constant of shape {:?}", signal.shape_text(), constant.shape);
        let last = shape.len().checked_sub(1).ok_or_else(apart)?;
        let skipped = signal.dims.len() - constant.shape.len();
        let steps = fold::spread(&constant.shape, &constant.shape);
        // (axis, size, stride on the axis, step in the constant) of every run that the constant follows.
        let mut runs = Vec::new();
        for (at, size) in constant.shape.iter().enumerate().filter(|(_, size)| **size != 1) {
            let dim = &signal.dims[skipped + at];
            if Mapper::length(dim).ok() != Some(*size) {
                return Err(apart());
            }
            let mut step = steps[at];
            for atom in dim.iter().rev() {
                let (Some(axis), Some(length)) = (atom.axis, atom.size.size()) else { return Err(apart()) };
                runs.push((axis, length, atom.stride, step));
                step = step.saturating_mul(i64::try_from(length).unwrap_or(i64::MAX));
            }
        }
        let values = constant.as_floats()?;
        let over_features = runs.iter().all(|(axis, ..)| *axis == last);
        let sizes = if over_features { &shape[last..] } else { &shape[..] };
        let count = fold::product(sizes).ok_or_else(apart)?;
        self.budget.take(count)?;
        let at = |element: usize| {
            let on_axis = |axis: usize| element / shape[axis + 1..].iter().product::<usize>() % shape[axis];
            let place = runs.iter().map(|(axis, length, stride, step)| {
                let index = on_axis(*axis) / stride % length;
                usize::try_from(*step).unwrap_or(0).saturating_mul(index)
            });
            place.fold(0_usize, usize::saturating_add)
        };
        let list = (0..count).map(|element| values.get(at(element)).copied()).collect::<Option<Vec<f32>>>().ok_or_else(apart)?;
        Ok(if over_features { PerElement::Feature(list.into()) } else { PerElement::All(list.into()) })
    }

    fn together(&mut self, kind: &str, left: &Signal, right: &Signal) -> Mapped<Signal> {
        let (a, b) = self.aligned(left, right)?;
        match kind {
            "Add" => self.joined(Operation::Add, &a, &b),
            "Sub" => {
                let b = self.scaled(&b, -1.0, 0.0)?;
                self.joined(Operation::Add, &a, &b)
            }
            "Mul" => self.multiplied(&a, &b),
            _ => Err("divides by a value computed from the window".to_owned()),
        }
    }

    pub(super) fn joined(&mut self, operation: Operation, a: &Signal, b: &Signal) -> Mapped<Signal> {
        let shape = self.pieces[a.piece].shape.clone();
        let piece = self.add(Op::Ours(operation), &[a.piece, b.piece], &shape, vec![])?;
        Ok(Signal { piece, dims: a.dims.clone() })
    }

    /// Two signals of one shape over pieces of one shape in one layout.
    fn aligned(&mut self, left: &Signal, right: &Signal) -> Mapped<(Signal, Signal)> {
        let rank = left.dims.len().max(right.dims.len());
        let deep = |signal: &Signal| {
            let mut dims = vec![vec![]; rank - signal.dims.len()];
            dims.extend(signal.dims.iter().cloned());
            Signal { piece: signal.piece, dims }
        };
        let (a, b) = (deep(left), deep(right));
        if a.sizes() != b.sizes() {
            return Err(format!("combines values of shapes {} and {}; they must be the same", left.shape_text(), right.shape_text()));
        }
        if a.dims == b.dims && self.pieces[a.piece].shape == self.pieces[b.piece].shape {
            return Ok((a, b));
        }
        let (a, b) = (self.spread_out(&a, false)?, self.spread_out(&b, false)?);
        if a.dims == b.dims && self.pieces[a.piece].shape == self.pieces[b.piece].shape {
            Ok((a, b))
        } else {
            Err(format!("combines values of shape {} that lie in different order", left.shape_text()))
        }
    }
}

/// A constant laid over a piece.
enum PerElement {
    /// One number per feature.
    Feature(Rc<[f32]>),
    /// One per element of the piece.
    All(Rc<[f32]>),
}

fn mapped(constant: &Constant, of: fn(f32) -> f32) -> Mapped<Constant> {
    Ok(Constant::floats(constant.shape.clone(), constant.as_floats()?.iter().map(|value| of(*value)).collect()))
}

//! Gemm and MatMul with a constant: dense layers.
//!
//! ONNX stores a Gemm's weights as [units, in] (transB) or [in, units]; ours are [in, units]. A window flattened in another
//! order than ours (channels before time) is no obstacle: the rows of the kernel are put into our order instead.

use std::rc::Rc;

use bellwether_domain::network::{Dense, Initializer, Operation};

use super::{Call, Mapped, Mapper, Value, one};
use crate::fold;
use crate::graph::Attributes;
use crate::layout::{Signal, part};
use crate::pieces::{Op, Parameter};

impl Mapper {
    pub(super) fn gemm(&mut self, call: &Call<'_>) -> Mapped {
        let node = call.node;
        let signal = call.signal(0)?.clone();
        let weights = call.weights(1, "weights")?;
        let [rows, columns] = weights.shape[..] else {
            return Err(format!("has weights of shape {:?}; [in, units] is expected", weights.shape));
        };
        if node.integer("transA", 0) != 0 || signal.dims.len() != 2 {
            return Err(format!("multiplies a value of shape {} turned round", signal.shape_text()));
        }
        let (alpha, beta) = (node.real("alpha", 1.0), node.real("beta", 1.0));
        let values = weights.as_floats()?;
        let turned = node.integer("transB", 0) != 0;
        let (inputs, units) = if turned { (columns, rows) } else { (rows, columns) };
        self.budget.take(values.len())?;
        let at = |row: usize, unit: usize| if turned { values[unit * columns + row] } else { values[row * columns + unit] };
        let kernel: Vec<f32> =
            (0..inputs).flat_map(|row| (0..units).map(move |unit| (row, unit))).map(|(row, unit)| alpha * at(row, unit)).collect();
        let bias = match call.constant(2)? {
            None => None,
            Some(bias) if bias.len() == units || bias.len() == 1 => {
                let values = bias.as_floats()?;
                Some((0..units).map(|unit| beta * values[unit % values.len()]).collect::<Vec<f32>>())
            }
            Some(bias) => return Err(format!("has a bias of shape {:?} for {units} units", bias.shape)),
        };
        one(self.dense(&signal, kernel.into(), inputs, units, bias)?)
    }

    pub(super) fn matmul(&mut self, call: &Call<'_>) -> Mapped {
        let (Some(Some(left)), Some(Some(right))) = (call.inputs.first(), call.inputs.get(1)) else {
            return Err("lacks an input".to_owned());
        };
        let (signal, weights) = match (left, right) {
            (Value::Signal(left), Value::Signal(right)) => return one(self.product(left, right)?),
            (Value::Signal(left), Value::Known(_)) => (left, call.weights(1, "weights")?),
            _ => return Err("multiplies a constant with a value; the constant must come second, as a layer's weights do".to_owned()),
        };
        let values = weights.as_floats()?;
        match weights.shape[..] {
            [inputs] => {
                let mut result = self.dense(signal, values, inputs, 1, None)?;
                result.dims.pop();
                one(result)
            }
            [ref ones @ .., inputs, units] if ones.iter().all(|axis| *axis == 1) && ones.len() + 2 <= signal.dims.len().max(2) => {
                one(self.dense(signal, values, inputs, units, None)?)
            }
            _ => Err(format!("multiplies with weights of shape {:?}; [in, units] is expected", weights.shape)),
        }
    }

    /// A dense layer over the last axis of a signal.
    fn dense(&mut self, signal: &Signal, kernel: Rc<[f32]>, inputs: usize, units: usize, bias: Option<Vec<f32>>) -> Mapped<Signal> {
        let last = signal.dims.last().ok_or("reads a single number")?;
        if Mapper::length(last)? != inputs || units == 0 || inputs == 0 {
            return Err(format!("reads a value of shape {} with weights [{inputs}, {units}]", signal.shape_text()));
        }
        let alone = signal.dims[..signal.dims.len() - 1].iter().flatten().all(|atom| atom.axis.is_none());
        let (seen, kernel) = match self.by_last_axis(signal) {
            Ok(seen) => (seen, kernel),
            Err(why) if !alone => return Err(why),
            Err(_) => self.flattened(signal, &kernel, units)?,
        };
        let rank = self.pieces[seen.piece].shape.len();
        let mut shape = self.pieces[seen.piece].shape.clone();
        shape[rank - 1] = units;
        let mut weights = vec![Parameter::new("kernel", &[inputs, units], kernel)];
        weights.extend(bias.map(|bias| Parameter::new("bias", &[units], bias)));
        let layer = Dense { units: u32::try_from(units).unwrap_or(u32::MAX), bias: weights.len() > 1, kernel: Initializer::Standard };
        let piece = self.add(Op::Ours(Operation::Dense(layer)), &[seen.piece], &shape, weights)?;
        let mut dims = seen.dims;
        dims.pop();
        dims.push(part(rank - 1, units, 1));
        Ok(Signal { piece, dims })
    }

    /// All numbers of a window as one vector in our order, with the kernel's rows put into that order.
    fn flattened(&mut self, signal: &Signal, kernel: &[f32], units: usize) -> Mapped<(Signal, Rc<[f32]>)> {
        let shape = self.pieces[signal.piece].shape.clone();
        let count: usize = shape.iter().product();
        let last = signal.dims.last().ok_or("reads a single number")?;
        let (mut sizes, mut steps) = (Vec::new(), Vec::new());
        for atom in last {
            let (Some(axis), Some(size)) = (atom.axis, atom.size.size()) else { return Err("works along the batch".to_owned()) };
            sizes.push(size);
            steps.push(i64::try_from(atom.stride * shape[axis + 1..].iter().product::<usize>()).unwrap_or(i64::MAX));
        }
        // Row r of the file's kernel meets number places[r] of our vector.
        let places = fold::places(&sizes, &steps, 0, &self.budget)?;
        if places.len() != count {
            return Err(format!("reads a part of a value of shape {} as if it were the whole", signal.shape_text()));
        }
        self.budget.take(kernel.len())?;
        let mut turned = vec![0.0; kernel.len()];
        for (row, place) in places.iter().enumerate() {
            turned[place * units..(place + 1) * units].copy_from_slice(&kernel[row * units..(row + 1) * units]);
        }
        let mut piece = signal.piece;
        if shape.len() != 1 {
            piece = self.add(Op::Ours(Operation::Reshape(vec![u32::try_from(count).unwrap_or(u32::MAX)])), &[piece], &[count], vec![])?;
        }
        let mut dims = signal.dims.clone();
        dims.pop();
        dims.push(part(0, count, 1));
        Ok((Signal { piece, dims }, turned.into()))
    }
}

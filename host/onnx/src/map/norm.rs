//! Layer and batch normalisation.

use bellwether_domain::network::{BatchNorm, Operation};

use super::{Call, Mapped, Mapper, Value, one};
use crate::graph::Attributes;
use crate::layout::{Signal, whole};
use crate::pieces::{Op, Parameter};
use crate::tensor::Constant;

impl Mapper {
    pub(super) fn layer_norm(&mut self, call: &Call<'_>) -> Mapped {
        let (node, signal) = (call.node, call.signal(0)?.clone());
        if signal.axis(node.integer("axis", -1))? + 1 != signal.dims.len() {
            return Err("normalises over more than the last axis".to_owned());
        }
        let seen = self.by_last_axis(&signal)?;
        let shape = self.pieces[seen.piece].shape.clone();
        let width = shape.last().copied().unwrap_or(1);
        let scale = call.weights(1, "scale")?;
        let scale = Parameter::new("scale", &[width], per_feature(scale, width)?);
        let shift = match call.constant(2)? {
            Some(shift) => per_feature(shift, width)?,
            None => vec![0.0; width].into(),
        };
        let op = Op::Ours(Operation::LayerNorm(f64::from(node.real("epsilon", 1e-5))));
        let piece = self.add(op, &[seen.piece], &shape, vec![scale, Parameter::new("shift", &[width], shift)])?;
        let closed = "reads what a normalisation measured, which a network description does not give";
        Ok(vec![Value::Signal(Signal { piece, dims: seen.dims }), Value::Closed(closed), Value::Closed(closed)])
    }

    pub(super) fn batch_norm(&mut self, call: &Call<'_>) -> Mapped {
        let (node, signal) = (call.node, call.signal(0)?.clone());
        if node.integer("training_mode", 0) != 0 {
            return Err("was exported while training; call `model.eval()` before the export".to_owned());
        }
        let seen = if signal.dims.len() == 2 { self.by_last_axis(&signal)? } else { signal };
        let shape = self.pieces[seen.piece].shape.clone();
        let width = shape.last().copied().unwrap_or(1);
        if seen.dims.get(1) != Some(&whole(shape.len().saturating_sub(1), width)) {
            return Err(format!("normalises axis 1 of a value of shape {}, which is not the features", seen.shape_text()));
        }
        let names = ["scale", "shift", "mean", "variance"];
        let read = |(at, name): (usize, &&str)| {
            let values = per_feature(call.weights(at + 1, name)?, width)?;
            Ok(Parameter::new(*name, &[width], values))
        };
        let weights = names.iter().enumerate().map(read).collect::<Mapped<Vec<Parameter>>>()?;
        if weights[3].values.iter().any(|variance| *variance < 0.0) {
            return Err("has a negative variance".to_owned());
        }
        // ONNX and we both mean the share of the old statistics.
        let momentum = f64::from(node.real("momentum", 0.9));
        let momentum = if (0.0..1.0).contains(&momentum) { momentum } else { 0.9 };
        let op = Op::Ours(Operation::BatchNorm(BatchNorm { epsilon: f64::from(node.real("epsilon", 1e-5)), momentum }));
        let piece = self.add(op, &[seen.piece], &shape, weights)?;
        one(Signal { piece, dims: seen.dims })
    }
}

fn per_feature(constant: &Constant, width: usize) -> Mapped<std::rc::Rc<[f32]>> {
    if constant.len() == width {
        constant.as_floats()
    } else {
        Err(format!("has weights of shape {:?} for {width} features", constant.shape))
    }
}

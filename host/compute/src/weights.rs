//! Weights as safetensors bytes: written from, and checked into, the plan's array.
//!
//! The header is checked against the length of the bytes and against the plan before anything is allocated.

use std::collections::HashMap;

use bellwether_domain::{Error, Result};
use safetensors::Dtype;
use safetensors::tensor::{SafeTensors, TensorView, serialize};

use crate::plan::Plan;

const FIELD: &str = "artifact.weights";

/// The bytes of all weights; tensors lie in an order that depends on their names alone.
pub(crate) fn write(plan: &Plan, values: &[f32]) -> Result<Vec<u8>> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut tensors = Vec::with_capacity(plan.weights.len());
    for (weight, place) in plan.weights.iter().zip(&plan.places) {
        let part = &bytes[place.start * size_of::<f32>()..place.end * size_of::<f32>()];
        let view = TensorView::new(Dtype::F32, weight.shape.clone(), part).map_err(Error::internal)?;
        tensors.push((weight.name.as_str(), view));
    }
    serialize(tensors, None).map_err(Error::internal)
}

/// All weights from bytes. Errors are `Invalid` with field `artifact.weights`, naming the tensor and both shapes.
pub(crate) fn read(plan: &Plan, bytes: &[u8]) -> Result<Vec<f32>> {
    let fault = |why: String| Error::invalid(FIELD, why);
    let tensors = SafeTensors::deserialize(bytes).map_err(|cause| fault(format!("not a whole safetensors file: {cause}")))?;
    let mut found: HashMap<&str, TensorView<'_>> = tensors.iter().collect();
    let mut views = Vec::with_capacity(plan.weights.len());
    for weight in &plan.weights {
        let name = &weight.name;
        let view = found.remove(name.as_str()).ok_or_else(|| fault(format!("tensor `{name}` of shape {:?} is missing", weight.shape)))?;
        if view.shape() != weight.shape {
            return Err(fault(format!("tensor `{name}` has shape {:?}; the network wants {:?}", view.shape(), weight.shape)));
        }
        if view.dtype() != Dtype::F32 {
            return Err(fault(format!("tensor `{name}` has type {:?}; weights are F32", view.dtype())));
        }
        views.push((name, view));
    }
    if let Some(foreign) = found.keys().min() {
        return Err(fault(format!("tensor `{foreign}` of shape {:?} belongs to no node of the network", found[foreign].shape())));
    }
    let mut values = Vec::with_capacity(plan.weights_len());
    for (name, view) in views {
        let numbers = view.data().chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        let first = values.len();
        values.extend(numbers);
        if let Some(at) = values[first..].iter().position(|value| !value.is_finite()) {
            return Err(fault(format!("number {at} of tensor `{name}` is not finite")));
        }
    }
    Ok(values)
}

//! The model's input as a feature window.
//!
//! Three axes are batch, time and features (time may come first when the second axis is the open one); two are a flattened
//! window. An axis without a number is open: the batch always may be, the steps when the caller says how many there are.

use bellwether_domain::network::shape::VALUES_MAX;
use bellwether_domain::{Error, Result};

use crate::Options;
use crate::graph::shown;
use crate::layout::{Dim, Signal, batch, whole};
use crate::proto::{DimensionProto, ValueInfoProto};
use crate::tensor::{Number, type_name};

/// The window and how the file sees it.
pub(crate) struct Window {
    pub(crate) steps: usize,
    pub(crate) features: usize,
    pub(crate) batch: Number,
    pub(crate) signal: Signal,
}

/// Reads the input's type.
pub(crate) fn read(input: &ValueInfoProto, options: &Options) -> Result<Window> {
    let fault = |why: String| Error::invalid(format!("model.{}", shown(&input.name)), why);
    let kind = input
        .kind
        .as_ref()
        .and_then(|kind| kind.tensor_type.as_ref())
        .ok_or_else(|| fault("is an input without a tensor type".to_owned()))?;
    if !matches!(kind.elem_type, 1 | 11) {
        return Err(fault(format!("is an input of type {}; a feature window is float32", type_name(kind.elem_type))));
    }
    let dims = kind.shape.as_ref().map(|shape| shape.dim.as_slice()).unwrap_or_default();
    let sizes = dims.iter().take(4).map(|dim| size(dim).map_err(fault)).collect::<Result<Vec<Option<usize>>>>()?;
    let given = |number: Option<u32>| number.and_then(|number| usize::try_from(number).ok());
    let (steps, features) = (given(options.steps), given(options.features));
    let (first, time, values) = match (dims.len(), &sizes[..]) {
        (3, [Some(time), None, values]) | (3, [Some(time), Some(1), values]) if *time != 1 => (1, Some(*time), *values),
        (3, [_, time, values]) => (0, *time, *values),
        (2, [_, Some(all)]) => {
            let (time, values) = flat(*all, steps, features).map_err(fault)?;
            return window(sizes[0], time, values, 2, 0).map_err(fault);
        }
        (2, _) => return Err(fault("is a flattened window of open width; fix its width when exporting".to_owned())),
        (count, _) => {
            return Err(fault(format!("has {count} axes; a window has three [batch, steps, features] or two [batch, steps · features]")));
        }
    };
    let agreed = |own: Option<usize>, given: Option<usize>, what: &str| match (own, given) {
        (Some(own), Some(given)) if own != given => Err(fault(format!("has {own} {what}; {given} are asked for"))),
        (Some(size), _) | (None, Some(size)) => Ok(size),
        (None, None) => Err(fault(format!("leaves the number of {what} open; say how many there are"))),
    };
    let time = agreed(time, steps, "steps")?;
    let values = agreed(values, features, "features")?;
    window(sizes[first], time, values, 3, first).map_err(fault)
}

fn size(dim: &DimensionProto) -> Result<Option<usize>, String> {
    match dim.dim_value {
        None => Ok(None),
        Some(value) if (1..=i64::from(u32::MAX)).contains(&value) => Ok(usize::try_from(value).ok()),
        Some(value) => Err(format!("has an axis of {value} elements")),
    }
}

fn flat(all: usize, steps: Option<usize>, features: Option<usize>) -> Result<(usize, usize), String> {
    match (steps, features) {
        (Some(steps), Some(features)) if steps.checked_mul(features) == Some(all) => Ok((steps, features)),
        (Some(steps), Some(features)) => Err(format!("reads {all} numbers; {steps} steps of {features} features are asked for")),
        (None, Some(features)) if features > 0 && all.is_multiple_of(features) => Ok((all / features, features)),
        (None, Some(features)) => Err(format!("reads {all} numbers, which are no whole number of steps of {features} features")),
        (Some(steps), None) if steps > 0 && all.is_multiple_of(steps) => Ok((steps, all / steps)),
        (Some(steps), None) => Err(format!("reads {all} numbers, which do not divide into {steps} steps")),
        (None, None) => Ok((1, all)),
    }
}

/// `first` is the place of the batch among `axes` axes.
fn window(size: Option<usize>, steps: usize, features: usize, axes: usize, first: usize) -> Result<Window, String> {
    if steps == 0 || features == 0 || steps.checked_mul(features).is_none_or(|numbers| numbers > VALUES_MAX) {
        return Err(format!("is a window of {steps} steps and {features} features; it may hold 1 to {VALUES_MAX} numbers"));
    }
    let number = size.map_or(Number::BATCH, Number::of);
    let mut dims: Vec<Dim> = vec![whole(0, steps), whole(1, features)];
    if axes == 2 {
        dims = vec![crate::layout::merged(&dims.concat())];
    }
    dims.insert(first, batch(number));
    Ok(Window { steps, features, batch: number, signal: Signal { piece: 0, dims } })
}

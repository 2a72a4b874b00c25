//! Operators whose inputs are all known: the shape arithmetic and the masks that exporters leave in a graph.
//!
//! The results are those of the ONNX operators; a number may hold the open batch size where that stays a plain product.
//! An operator that is not here is refused by name. Splats whose shape holds the batch (initial states of zeros) have no
//! shape of their own: they stay splats through everything that only moves values.

mod arrange;
mod elementwise;

use crate::graph::Attributes;
use crate::layout;
use crate::proto::NodeProto;
use crate::tensor::{Budget, Constant, Data, Number};

pub(crate) use arrange::{permutation_of, places, slices, spread};

/// A value that does not depend on the window.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Constant(Constant),
    /// One number everywhere, in a shape that holds the batch.
    Splat(f32),
}

/// What an operator read: none where an optional input is left out.
pub(crate) type Inputs<'a> = [Option<&'a Known>];

/// The results of a node.
pub(crate) fn fold(node: &NodeProto, inputs: &Inputs<'_>, opset: i64, budget: &Budget) -> Result<Vec<Known>, String> {
    let kind = node.op_type.as_str();
    if let Some(Known::Splat(value)) = inputs.iter().flatten().find(|input| matches!(input, Known::Splat(_))) {
        return match kind {
            "Slice" | "Gather" | "Squeeze" | "Unsqueeze" | "Transpose" | "Reshape" | "Expand" | "Identity" | "Cast" => {
                Ok(vec![Known::Splat(*value)])
            }
            _ => Err("computes with a constant whose shape holds the batch size".to_owned()),
        };
    }
    let constants: Vec<Option<&Constant>> = inputs
        .iter()
        .map(|input| match input {
            Some(Known::Constant(constant)) => Some(constant),
            _ => None,
        })
        .collect();
    let first = constants.first().copied().flatten();
    let one = |constant: Constant| Ok(vec![Known::Constant(constant)]);
    let need = || first.ok_or_else(|| "lacks its first input".to_owned());
    match kind {
        "Identity" | "Dropout" => one(need()?.clone()),
        "Cast" => one(elementwise::cast(need()?, node.integer("to", 0))?),
        "Shape" => one(shape(node, &need()?.shape.iter().map(|size| Number::of(*size)).collect::<Vec<_>>())?),
        "Expand" | "ConstantOfShape" => filled(node, kind, &constants, budget),
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => {
            let constant = need()?;
            let sizes: Vec<Number> = constant.shape.iter().map(|size| Number::of(*size)).collect();
            let sizes = new_shape(node, kind, &sizes, constants.get(1).copied().flatten(), opset)?;
            let shape = sizes.iter().map(|size| size.size()).collect::<Option<Vec<usize>>>();
            let shape = shape.filter(|shape| product(shape) == Some(constant.len()));
            let shape = shape.ok_or_else(|| format!("cannot give {} numbers the shape {}", constant.len(), layout::text(&sizes)))?;
            one(Constant { shape, data: constant.data.clone() })
        }
        "Transpose" => one(arrange::transpose(need()?, node.integers("perm"), budget)?),
        "Slice" => one(arrange::slice(need()?, node, &constants, budget)?),
        "Gather" => {
            let indices = constants.get(1).copied().flatten().ok_or("lacks its indices")?;
            one(arrange::gather(need()?, indices, node.integer("axis", 0), budget)?)
        }
        "Concat" => one(arrange::concat(&constants, node.integer("axis", 0), budget)?),
        "Trilu" => {
            let diagonal = match constants.get(1).copied().flatten() {
                Some(by) => by.as_integers()?.first().copied().unwrap_or(0),
                None => 0,
            };
            one(arrange::triangle(need()?, node.integer("upper", 1) != 0, diagonal, budget)?)
        }
        "ReduceL2" | "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceProd" => {
            let axes = match constants.get(1).copied().flatten() {
                Some(axes) => Some(axes.as_integers()?),
                None => node.integers("axes").map(<[i64]>::to_vec),
            };
            one(arrange::reduce(kind, need()?, axes, node.integer("keepdims", 1) != 0, budget)?)
        }
        "Range" => one(arrange::range(&constants, budget)?),
        "Where" => {
            let [Some(condition), Some(yes), Some(no)] = constants[..] else { return Err("wants three inputs".to_owned()) };
            one(elementwise::choose(condition, yes, no, budget)?)
        }
        _ => match constants[..] {
            [Some(a)] => one(elementwise::unary(kind, a, budget)?),
            [Some(a), Some(b)] => one(elementwise::binary(kind, a, b, budget)?),
            _ => Err("is an operator that cannot be worked out from constants here".to_owned()),
        },
    }
}

/// The result of `Shape`, with its `start` and `end`.
pub(crate) fn shape(node: &NodeProto, sizes: &[Number]) -> Result<Constant, String> {
    let count = i64::try_from(sizes.len()).unwrap_or(i64::MAX);
    let bound = |value: i64| usize::try_from(if value < 0 { value.saturating_add(count) } else { value }.clamp(0, count)).unwrap_or(0);
    let (start, end) = (bound(node.integer("start", 0)), bound(node.integer("end", i64::MAX)));
    let part = sizes.get(start..end.max(start)).unwrap_or(&[]).to_vec();
    Ok(Constant::numbers(vec![part.len()], part))
}

/// The shape that a node of the reshape family gives a value of these sizes.
pub(crate) fn new_shape(
    node: &NodeProto,
    kind: &str,
    sizes: &[Number],
    second: Option<&Constant>,
    opset: i64,
) -> Result<Vec<Number>, String> {
    let axes = || match (second, node.integers("axes")) {
        (Some(axes), _) => axes.as_integers().map(Some),
        (None, axes) => Ok(axes.map(<[i64]>::to_vec)),
    };
    let out_of_range = |axis: i64| format!("names axis {axis} of a value of shape {}", layout::text(sizes));
    match kind {
        "Reshape" => {
            let shape = second.ok_or("lacks the new shape")?.as_numbers()?;
            if shape.len() > 16 {
                return Err(format!("wants {} axes; at most 16 are read", shape.len()));
            }
            layout::resolve(&shape, sizes, opset >= 14 && node.integer("allowzero", 0) != 0)
        }
        "Flatten" => {
            let axis = node.integer("axis", 1);
            let count = i64::try_from(sizes.len()).unwrap_or(0);
            let at = if axis < 0 { axis.saturating_add(count) } else { axis };
            let at = usize::try_from(at).ok().filter(|at| *at <= sizes.len()).ok_or_else(|| out_of_range(axis))?;
            let product = |list: &[Number]| list.iter().try_fold(Number::known(1), |product, size| product.times(*size));
            let (left, right) = (product(&sizes[..at]), product(&sizes[at..]));
            left.zip(right).map(|(left, right)| vec![left, right]).ok_or_else(|| "makes a shape without end".to_owned())
        }
        "Squeeze" => {
            let Some(axes) = axes()? else { return Ok(sizes.iter().filter(|size| !size.is_one()).copied().collect()) };
            let drop = axes
                .iter()
                .map(|axis| layout::place(*axis, sizes.len()).ok_or_else(|| out_of_range(*axis)))
                .collect::<Result<Vec<_>, _>>()?;
            if let Some(place) = drop.iter().find(|place| !sizes[**place].is_one()) {
                return Err(format!("squeezes axis {place} of a value of shape {}", layout::text(sizes)));
            }
            Ok(sizes.iter().enumerate().filter(|(place, _)| !drop.contains(place)).map(|(_, size)| *size).collect())
        }
        _ => {
            let axes = axes()?.ok_or("lacks its axes")?;
            let count = sizes.len().saturating_add(axes.len());
            if count > 16 {
                return Err(format!("makes {count} axes; at most 16 are read"));
            }
            let add =
                axes.iter().map(|axis| layout::place(*axis, count).ok_or_else(|| out_of_range(*axis))).collect::<Result<Vec<_>, _>>()?;
            let mut rest = sizes.iter();
            let shape: Vec<Number> = (0..count)
                .map(|place| if add.contains(&place) { Number::known(1) } else { rest.next().copied().unwrap_or(Number::known(1)) })
                .collect();
            if rest.next().is_some() { Err("names an axis twice".to_owned()) } else { Ok(shape) }
        }
    }
}

fn filled(node: &NodeProto, kind: &str, constants: &[Option<&Constant>], budget: &Budget) -> Result<Vec<Known>, String> {
    let zero = Constant::floats(vec![1], vec![0.0]);
    let (value, shape) = match (kind, constants) {
        ("Expand", [Some(value), Some(shape)]) => ((*value).clone(), shape.as_numbers()?),
        ("ConstantOfShape", [Some(shape)]) => {
            let value = node.attribute("value").and_then(|value| value.t.as_ref());
            let value = value.map(|value| crate::tensor::decode(value, budget, &std::cell::Cell::new(false))).transpose()?;
            (value.unwrap_or(zero), shape.as_numbers()?)
        }
        _ => return Err("lacks an input".to_owned()),
    };
    if shape.iter().any(|size| size.batch) {
        let first = value.as_floats()?.first().copied();
        let same = value.as_floats()?.iter().all(|other| Some(*other) == first);
        return match (same, first) {
            (true, Some(first)) => Ok(vec![Known::Splat(first)]),
            _ => Err("spreads a constant over the batch".to_owned()),
        };
    }
    let wanted = shape.iter().map(|size| size.size()).collect::<Option<Vec<usize>>>().ok_or("wants a negative size")?;
    arrange::expand(&value, &wanted, kind == "Expand", budget).map(|constant| vec![Known::Constant(constant)])
}

/// Numbers in a shape.
pub(crate) fn product(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, axis| product.checked_mul(*axis))
}

/// The values at these places, in this order.
fn pick(from: &Constant, shape: Vec<usize>, places: &[usize]) -> Result<Constant, String> {
    let data = match &from.data {
        Data::Floats(values) => Data::Floats(taken(values, places)?.into()),
        Data::Numbers(values) => Data::Numbers(taken(values, places)?.into()),
    };
    Ok(Constant { shape, data })
}

fn taken<T: Copy>(values: &[T], places: &[usize]) -> Result<Vec<T>, String> {
    let found: Option<Vec<T>> = places.iter().map(|place| values.get(*place).copied()).collect();
    found.ok_or_else(|| "reads beyond the end of a constant".to_owned())
}

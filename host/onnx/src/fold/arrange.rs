//! Constants rearranged: every operator here lists the places its result takes from its input.

use crate::graph::Attributes;
use crate::layout::place;
use crate::proto::NodeProto;
use crate::tensor::{Budget, Constant, Data, Number};

use super::{pick, product};

/// A range of one axis, for `Slice`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) axis: usize,
    pub(crate) start: i64,
    pub(crate) step: i64,
    pub(crate) length: usize,
}

/// The ranges a `Slice` takes of axes of these sizes. An axis that is taken whole is left out.
pub(crate) fn slices(node: &NodeProto, constants: &[Option<&Constant>], sizes: &[Number]) -> Result<Vec<Range>, String> {
    let list = |at: usize, name: &str| match constants.get(at).copied().flatten() {
        Some(constant) => constant.as_integers().map(Some),
        None => Ok(node.integers(name).map(<[i64]>::to_vec)),
    };
    let starts = list(1, "starts")?.ok_or("lacks its starts")?;
    let ends = list(2, "ends")?.ok_or("lacks its ends")?;
    let axes = list(3, "axes")?.unwrap_or_else(|| (0..).take(starts.len()).collect());
    let steps = list(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() || starts.len() > sizes.len() {
        return Err(format!("has {} starts, {} ends and {} axes for {} axes", starts.len(), ends.len(), axes.len(), sizes.len()));
    }
    let mut ranges = Vec::new();
    for (at, axis) in axes.iter().enumerate() {
        let axis = place(*axis, sizes.len()).ok_or_else(|| format!("names axis {axis} of {}", sizes.len()))?;
        let (start, end, step) = (starts[at], ends[at], steps[at]);
        let Some(size) = sizes[axis].value() else {
            if start == 0 && step == 1 && end >= i64::from(i32::MAX) {
                continue;
            }
            return Err("takes a part of the batch".to_owned());
        };
        let from_end = |value: i64| if value < 0 { value.saturating_add(size) } else { value };
        let (start, length) = match step {
            0 => return Err("steps by 0".to_owned()),
            1.. => {
                let (start, end) = (from_end(start).clamp(0, size), from_end(end).clamp(0, size));
                (start, (end - start).max(0).div_euclid(step) + i64::from((end - start).max(0).rem_euclid(step) > 0))
            }
            _ => {
                let (start, end) = (from_end(start).clamp(-1, size - 1), from_end(end).clamp(-1, size - 1));
                let (span, step) = ((start - end).max(0), step.checked_neg().unwrap_or(i64::MAX));
                (start, span.div_euclid(step) + i64::from(span.rem_euclid(step) > 0))
            }
        };
        if (start, step, length) != (0, 1, size) {
            ranges.push(Range { axis, start, step, length: usize::try_from(length).unwrap_or(0) });
        }
    }
    Ok(ranges)
}

pub(super) fn slice(from: &Constant, node: &NodeProto, constants: &[Option<&Constant>], budget: &Budget) -> Result<Constant, String> {
    let sizes: Vec<Number> = from.shape.iter().map(|size| Number::of(*size)).collect();
    let mut shape = from.shape.clone();
    let mut steps = strides(&from.shape);
    let mut first = 0;
    for range in slices(node, constants, &sizes)? {
        let step = steps[range.axis];
        shape[range.axis] = range.length;
        first = range.start.saturating_mul(step).saturating_add(first);
        steps[range.axis] = step.checked_mul(range.step).unwrap_or(0);
    }
    walk(from, shape, &steps, first, budget)
}

pub(super) fn transpose(from: &Constant, permutation: Option<&[i64]>, budget: &Budget) -> Result<Constant, String> {
    let permutation = permutation_of(permutation, from.shape.len())?;
    let steps = strides(&from.shape);
    let shape = permutation.iter().map(|axis| from.shape[*axis]).collect();
    walk(from, shape, &permutation.iter().map(|axis| steps[*axis]).collect::<Vec<_>>(), 0, budget)
}

/// Checks a permutation of so many axes; none reverses them.
pub(crate) fn permutation_of(given: Option<&[i64]>, count: usize) -> Result<Vec<usize>, String> {
    let Some(given) = given else { return Ok((0..count).rev().collect()) };
    let places = given.iter().map(|axis| place(*axis, count)).collect::<Option<Vec<usize>>>();
    let places = places.filter(|places| places.len() == count && (0..count).all(|axis| places.contains(&axis)));
    places.ok_or_else(|| format!("has a permutation that does not name each of {count} axes once"))
}

pub(super) fn expand(from: &Constant, wanted: &[usize], both_ways: bool, budget: &Budget) -> Result<Constant, String> {
    let shape = if both_ways { broadcast(&from.shape, wanted)? } else { wanted.to_vec() };
    let steps = spread(&from.shape, &shape);
    walk(from, shape, &steps, 0, budget)
}

/// The shape that two shapes make together.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, String> {
    let count = a.len().max(b.len());
    let at = |shape: &[usize], place: usize| (place + shape.len()).checked_sub(count).map_or(1, |place| shape[place]);
    (0..count)
        .map(|place| match (at(a, place), at(b, place)) {
            (left, right) if left == right => Ok(left),
            (1, other) | (other, 1) => Ok(other),
            _ => Err(format!("reads constants of shapes {a:?} and {b:?}, which do not fit together")),
        })
        .collect()
}

/// Strides that spread a constant of shape `from` over `shape`: 0 where it has one element.
pub(crate) fn spread(from: &[usize], shape: &[usize]) -> Vec<i64> {
    let own = strides(from);
    (0..shape.len())
        .map(|place| match (place + from.len()).checked_sub(shape.len()) {
            Some(inner) if from[inner] != 1 => own[inner],
            _ => 0,
        })
        .collect()
}

pub(super) fn gather(from: &Constant, indices: &Constant, axis: i64, budget: &Budget) -> Result<Constant, String> {
    let axis = place(axis, from.shape.len()).ok_or("names an axis that its constant has not")?;
    let size = from.shape[axis];
    let chosen = indices.as_integers()?;
    let chosen = chosen.iter().map(|index| place(*index, size)).collect::<Option<Vec<usize>>>();
    let chosen = chosen.ok_or_else(|| format!("takes an element that axis {axis} of shape {:?} has not", from.shape))?;
    let (outer, inner) = (product(&from.shape[..axis]).unwrap_or(0), product(&from.shape[axis + 1..]).unwrap_or(0));
    let count = product(&[outer, chosen.len(), inner]).ok_or("makes a constant that no memory holds")?;
    budget.take(count.saturating_mul(3))?;
    let mut places = Vec::with_capacity(count);
    for block in 0..outer {
        for index in &chosen {
            let first = (block * size + index) * inner;
            places.extend(first..first + inner);
        }
    }
    let shape = [&from.shape[..axis], &indices.shape, &from.shape[axis + 1..]].concat();
    if shape.len() > 16 {
        return Err(format!("makes a constant of {} axes; at most 16 are read", shape.len()));
    }
    pick(from, shape, &places)
}

pub(super) fn concat(parts: &[Option<&Constant>], axis: i64, budget: &Budget) -> Result<Constant, String> {
    let parts = parts.iter().copied().collect::<Option<Vec<&Constant>>>().ok_or("lacks an input")?;
    let first = parts.first().ok_or("joins nothing")?;
    let axis = place(axis, first.shape.len()).ok_or("names an axis that its constants have not")?;
    let mut shape = first.shape.clone();
    shape[axis] = 0;
    for part in &parts {
        let agrees = part.shape.len() == shape.len() && part.shape.iter().zip(&shape).enumerate().all(|(at, (a, b))| at == axis || a == b);
        if !agrees {
            return Err(format!("joins constants of shapes {:?} and {:?}", first.shape, part.shape));
        }
        shape[axis] = shape[axis].saturating_add(part.shape[axis]);
    }
    budget.take(product(&shape).ok_or("makes a constant that no memory holds")?)?;
    let outer = product(&shape[..axis]).unwrap_or(0);
    let data = if parts.iter().all(|part| matches!(part.data, Data::Numbers(_))) {
        let lists = parts.iter().map(|part| part.as_numbers()).collect::<Result<Vec<_>, _>>()?;
        Data::Numbers(joined(&lists, outer).into())
    } else {
        let lists = parts.iter().map(|part| part.as_floats()).collect::<Result<Vec<_>, _>>()?;
        Data::Floats(joined(&lists, outer).into())
    };
    Ok(Constant { shape, data })
}

fn joined<T: Copy>(lists: &[std::rc::Rc<[T]>], outer: usize) -> Vec<T> {
    let mut values = Vec::new();
    for block in 0..outer {
        for list in lists {
            let run = list.len() / outer;
            values.extend_from_slice(&list[block * run..(block + 1) * run]);
        }
    }
    values
}

/// Sum, mean, norm, product or extreme over some axes; all of them where none is named.
pub(super) fn reduce(kind: &str, from: &Constant, axes: Option<Vec<i64>>, keep: bool, budget: &Budget) -> Result<Constant, String> {
    let rank = from.shape.len();
    let axes = match axes.filter(|axes| !axes.is_empty()) {
        None => (0..rank).collect::<Vec<usize>>(),
        Some(axes) => axes.iter().map(|axis| place(*axis, rank)).collect::<Option<_>>().ok_or("names an axis that its constant has not")?,
    };
    let kept: Vec<usize> = (0..rank).map(|axis| if axes.contains(&axis) { 1 } else { from.shape[axis] }).collect();
    let targets = places(&from.shape, &spread(&kept, &from.shape), 0, budget)?;
    let count = product(&kept).ok_or("makes a constant that no memory holds")?;
    budget.take(count)?;
    let (begin, with): (f64, fn(f64, f64) -> f64) = match kind {
        "ReduceL2" => (0.0, |sum, value| sum + value * value),
        "ReduceMax" => (f64::NEG_INFINITY, f64::max),
        "ReduceMin" => (f64::INFINITY, f64::min),
        "ReduceProd" => (1.0, |product, value| product * value),
        _ => (0.0, |sum, value| sum + value),
    };
    let mut results = vec![begin; count];
    for (value, target) in from.as_floats()?.iter().zip(&targets) {
        results[*target] = with(results[*target], f64::from(*value));
    }
    let each = from.len() / count.max(1);
    let last = |value: f64| match kind {
        "ReduceL2" => value.sqrt(),
        "ReduceMean" => value / each as f64,
        _ => value,
    };
    let values: Vec<f64> = results.into_iter().map(last).collect();
    let shape = if keep { kept } else { (0..rank).filter(|axis| !axes.contains(axis)).map(|axis| from.shape[axis]).collect() };
    match from.data {
        // The product of a shape: whole numbers stay whole.
        Data::Numbers(_) => Ok(Constant::numbers(shape, values.iter().map(|value| Number::known(*value as i64)).collect())),
        Data::Floats(_) => Ok(Constant::floats(shape, values.iter().map(|value| *value as f32).collect())),
    }
}

/// One triangle of the last two axes, the other zero.
pub(super) fn triangle(from: &Constant, upper: bool, diagonal: i64, budget: &Budget) -> Result<Constant, String> {
    let [.., rows, columns] = from.shape[..] else { return Err("wants a constant with at least two axes".to_owned()) };
    budget.take(from.len())?;
    let kept = |at: usize| {
        let (row, column) = (Number::of(at / columns % rows).factor, Number::of(at % columns).factor);
        if upper { column - row >= diagonal } else { column - row <= diagonal }
    };
    let data = match &from.data {
        Data::Floats(values) => Data::Floats(values.iter().enumerate().map(|(at, value)| if kept(at) { *value } else { 0.0 }).collect()),
        Data::Numbers(values) => {
            Data::Numbers(values.iter().enumerate().map(|(at, value)| if kept(at) { *value } else { Number::known(0) }).collect())
        }
    };
    Ok(Constant { shape: from.shape.clone(), data })
}

pub(super) fn range(constants: &[Option<&Constant>], budget: &Budget) -> Result<Constant, String> {
    let [Some(start), Some(end), Some(step)] = constants else { return Err("wants three inputs".to_owned()) };
    let one = |constant: &Constant| constant.as_integers().ok().and_then(|values| values.first().copied());
    let (Some(start), Some(end), Some(step)) = (one(start), one(end), one(step)) else {
        return Err("counts with real numbers or with the batch; only fixed whole numbers are worked out".to_owned());
    };
    if step == 0 {
        return Err("steps by 0".to_owned());
    }
    let span = if step > 0 { end.checked_sub(start) } else { start.checked_sub(end) }.unwrap_or(i64::MAX).max(0);
    let step_size = step.checked_abs().unwrap_or(i64::MAX);
    let count = usize::try_from(span.div_euclid(step_size) + i64::from(span.rem_euclid(step_size) > 0)).unwrap_or(usize::MAX);
    budget.take(count)?;
    let values = (0..count).map(|at| Number::known(start.saturating_add(step.saturating_mul(Number::of(at).factor)))).collect();
    Ok(Constant::numbers(vec![count], values))
}

fn strides(shape: &[usize]) -> Vec<i64> {
    let mut steps = vec![1; shape.len()];
    for place in (1..shape.len()).rev() {
        steps[place - 1] = Number::of(shape[place]).factor.saturating_mul(steps[place]);
    }
    steps
}

/// The values met when walking `shape` with these strides from `first`.
fn walk(from: &Constant, shape: Vec<usize>, steps: &[i64], first: i64, budget: &Budget) -> Result<Constant, String> {
    let places = places(&shape, steps, first, budget)?;
    pick(from, shape, &places)
}

/// Places met when walking `shape` with these strides from `first`.
pub(crate) fn places(shape: &[usize], steps: &[i64], first: i64, budget: &Budget) -> Result<Vec<usize>, String> {
    let count = product(shape).ok_or("makes a constant that no memory holds")?;
    budget.take(count.saturating_mul(3))?;
    let mut places = Vec::with_capacity(count);
    let mut counter = vec![0_usize; shape.len()];
    let mut at = first;
    for _ in 0..count {
        places.push(usize::try_from(at).map_err(|_| "reads before the start of a constant".to_owned())?);
        for axis in (0..shape.len()).rev() {
            counter[axis] += 1;
            at = at.wrapping_add(steps[axis]);
            if counter[axis] < shape[axis] {
                break;
            }
            at = at.wrapping_sub(steps[axis].wrapping_mul(Number::of(shape[axis]).factor));
            counter[axis] = 0;
        }
    }
    Ok(places)
}

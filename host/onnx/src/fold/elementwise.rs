//! Arithmetic on constants, element by element, with ONNX's broadcasting.

use crate::tensor::{Budget, Constant, Data, Number};

use super::arrange::{broadcast, places, spread};
use super::product;

/// Real numbers become whole ones towards zero and back.
pub(super) fn cast(from: &Constant, to: i64) -> Result<Constant, String> {
    let data = match to {
        1 | 10 | 11 | 16 => match &from.data {
            // A whole number that holds the batch stays one: it is only read as a shape later.
            Data::Numbers(values) if values.iter().any(|number| number.value().is_none()) => Data::Numbers(values.clone()),
            _ => Data::Floats(from.as_floats()?),
        },
        6 | 7 => match &from.data {
            Data::Numbers(values) => Data::Numbers(values.clone()),
            Data::Floats(values) => Data::Numbers(values.iter().map(|value| Number::known(*value as i64)).collect()),
        },
        9 => match &from.data {
            Data::Numbers(values) => Data::Numbers(values.iter().map(|value| truth(value.factor != 0)).collect()),
            Data::Floats(values) => Data::Numbers(values.iter().map(|value| truth(*value != 0.0)).collect()),
        },
        other => return Err(format!("makes values of type {}", crate::tensor::type_name(i32::try_from(other).unwrap_or(-1)))),
    };
    Ok(Constant { shape: from.shape.clone(), data })
}

fn truth(value: bool) -> Number {
    Number::known(i64::from(value))
}

pub(super) fn unary(kind: &str, a: &Constant, budget: &Budget) -> Result<Constant, String> {
    budget.take(a.len())?;
    if let (Data::Numbers(values), "Neg" | "Abs" | "Not") = (&a.data, kind) {
        let of = |number: &Number| match kind {
            "Neg" => number.factor.checked_neg().map(|factor| Number { factor, ..*number }),
            "Abs" => number.factor.checked_abs().map(|factor| Number { factor, ..*number }),
            _ => Some(truth(number.factor == 0)),
        };
        let values = values.iter().map(of).collect::<Option<Vec<_>>>().ok_or("overflows")?;
        return Ok(Constant::numbers(a.shape.clone(), values));
    }
    let of: fn(f32) -> f32 = match kind {
        "Neg" => |x| -x,
        "Abs" => f32::abs,
        "Sqrt" => f32::sqrt,
        "Floor" => f32::floor,
        "Ceil" => f32::ceil,
        "Exp" => f32::exp,
        "Log" => f32::ln,
        "Sin" => f32::sin,
        "Cos" => f32::cos,
        "Reciprocal" => f32::recip,
        _ => return Err("is an operator that is not worked out on constants here".to_owned()),
    };
    Ok(Constant::floats(a.shape.clone(), a.as_floats()?.iter().map(|value| of(*value)).collect()))
}

pub(super) fn binary(kind: &str, a: &Constant, b: &Constant, budget: &Budget) -> Result<Constant, String> {
    let (shape, at_a, at_b) = together(a, b, budget)?;
    if let (Data::Numbers(left), Data::Numbers(right)) = (&a.data, &b.data) {
        let pairs = at_a.iter().zip(&at_b);
        let values = pairs.map(|(i, j)| whole(kind, *left.get(*i)?, *right.get(*j)?)).collect::<Option<Vec<Number>>>();
        let values = values.ok_or("does arithmetic with the batch size, or overflows, in a way that is not worked out here")?;
        return Ok(Constant::numbers(shape, values));
    }
    let (left, right) = (a.as_floats()?, b.as_floats()?);
    let pairs = at_a.iter().zip(&at_b).map(|(i, j)| (left[*i], right[*j]));
    let compared: Option<fn(f32, f32) -> bool> = match kind {
        "Equal" => Some(|x, y| x == y),
        "Less" => Some(|x, y| x < y),
        "LessOrEqual" => Some(|x, y| x <= y),
        "Greater" => Some(|x, y| x > y),
        "GreaterOrEqual" => Some(|x, y| x >= y),
        _ => None,
    };
    if let Some(holds) = compared {
        return Ok(Constant::numbers(shape, pairs.map(|(x, y)| truth(holds(x, y))).collect()));
    }
    let of: fn(f32, f32) -> f32 = match kind {
        "Add" => |x, y| x + y,
        "Sub" => |x, y| x - y,
        "Mul" => |x, y| x * y,
        "Div" => |x, y| x / y,
        "Pow" => f32::powf,
        "Min" => f32::min,
        "Max" => f32::max,
        _ => return Err("is an operator that is not worked out on constants here".to_owned()),
    };
    Ok(Constant::floats(shape, pairs.map(|(x, y)| of(x, y)).collect()))
}

fn whole(kind: &str, a: Number, b: Number) -> Option<Number> {
    let both = |of: fn(i64, i64) -> Option<i64>| a.value().zip(b.value()).and_then(|(x, y)| of(x, y)).map(Number::known);
    match kind {
        "Add" | "Sub" => {
            let (batch, fits) = (a.batch || b.batch, a.batch == b.batch || a.factor == 0 || b.factor == 0);
            let factor = if kind == "Add" { a.factor.checked_add(b.factor) } else { a.factor.checked_sub(b.factor) };
            factor.filter(|_| fits).map(|factor| Number { factor, batch })
        }
        "Mul" => a.times(b),
        "Div" => a.over(b).or_else(|| both(i64::checked_div)),
        "Mod" => both(i64::checked_rem_euclid),
        "Min" => both(|x, y| Some(x.min(y))),
        "Max" => both(|x, y| Some(x.max(y))),
        "Equal" => Some(truth(a == b)),
        "Less" => both(|x, y| Some(i64::from(x < y))),
        "LessOrEqual" => both(|x, y| Some(i64::from(x <= y))),
        "Greater" => both(|x, y| Some(i64::from(x > y))),
        "GreaterOrEqual" => both(|x, y| Some(i64::from(x >= y))),
        "And" => both(|x, y| Some(i64::from(x != 0 && y != 0))),
        "Or" => both(|x, y| Some(i64::from(x != 0 || y != 0))),
        _ => None,
    }
}

pub(super) fn choose(condition: &Constant, yes: &Constant, no: &Constant, budget: &Budget) -> Result<Constant, String> {
    let shape = broadcast(&broadcast(&condition.shape, &yes.shape)?, &no.shape)?;
    let at = |constant: &Constant| places(&shape, &spread(&constant.shape, &shape), 0, budget);
    let (which, at_yes, at_no) = (at(condition)?, at(yes)?, at(no)?);
    let condition = condition.as_numbers()?;
    let holds = which.iter().map(|place| condition.get(*place).is_some_and(|number| number.factor != 0));
    match (&yes.data, &no.data) {
        (Data::Numbers(yes), Data::Numbers(no)) => {
            let values = holds.zip(at_yes.iter().zip(&at_no)).map(|(holds, (i, j))| if holds { yes[*i] } else { no[*j] }).collect();
            Ok(Constant::numbers(shape.clone(), values))
        }
        _ => {
            let (yes, no) = (yes.as_floats()?, no.as_floats()?);
            let values = holds.zip(at_yes.iter().zip(&at_no)).map(|(holds, (i, j))| if holds { yes[*i] } else { no[*j] }).collect();
            Ok(Constant::floats(shape.clone(), values))
        }
    }
}

/// A common shape, and the places of two constants' elements over it.
type Together = (Vec<usize>, Vec<usize>, Vec<usize>);

/// The common shape of two constants, and which element of each falls on each place of it.
fn together(a: &Constant, b: &Constant, budget: &Budget) -> Result<Together, String> {
    let shape = broadcast(&a.shape, &b.shape)?;
    product(&shape).ok_or("makes a constant that no memory holds")?;
    let at = |constant: &Constant| places(&shape, &spread(&constant.shape, &shape), 0, budget);
    let (at_a, at_b) = (at(a)?, at(b)?);
    Ok((shape, at_a, at_b))
}

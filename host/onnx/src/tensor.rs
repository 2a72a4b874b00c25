//! Known tensors: initialisers, constants, and the shape arithmetic that exporters write around them.
//!
//! A whole number may be a multiple of the batch size, which a file usually leaves open: `Number` is c or c · batch. That
//! is all that exported shape arithmetic needs. Every allocation is charged to a `Budget` that grows with the file.

use std::cell::Cell;
use std::rc::Rc;

use crate::proto::TensorProto;

/// c, or c · batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) factor: i64,
    pub(crate) batch: bool,
}

impl Number {
    pub(crate) const BATCH: Number = Number { factor: 1, batch: true };

    pub(crate) fn known(factor: i64) -> Number {
        Number { factor, batch: false }
    }

    pub(crate) fn of(size: usize) -> Number {
        Number::known(i64::try_from(size).unwrap_or(i64::MAX))
    }

    /// The number, if the batch is not in it.
    pub(crate) fn value(self) -> Option<i64> {
        (!self.batch || self.factor == 0).then_some(self.factor)
    }

    /// A size, if the batch is not in it.
    pub(crate) fn size(self) -> Option<usize> {
        self.value().and_then(|value| usize::try_from(value).ok())
    }

    pub(crate) fn is_one(self) -> bool {
        self == Number::known(1)
    }

    /// None for batch² and on overflow.
    pub(crate) fn times(self, other: Number) -> Option<Number> {
        if self.batch && other.batch {
            return None;
        }
        Some(Number { factor: self.factor.checked_mul(other.factor)?, batch: self.batch || other.batch })
    }

    /// None where it does not divide without a rest.
    pub(crate) fn over(self, other: Number) -> Option<Number> {
        if other.batch && !self.batch || other.factor == 0 || self.factor.checked_rem(other.factor)? != 0 {
            return None;
        }
        Some(Number { factor: self.factor.checked_div(other.factor)?, batch: self.batch && !other.batch })
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.batch, self.factor) {
            (true, 1) => write!(f, "batch"),
            (true, factor) => write!(f, "{factor}·batch"),
            (false, factor) => write!(f, "{factor}"),
        }
    }
}

/// What may still be allocated, in numbers.
#[derive(Debug)]
pub(crate) struct Budget(Cell<usize>);

impl Budget {
    /// Four numbers per byte of the file, and some for small files with a mask.
    pub(crate) fn for_file(bytes: usize) -> Budget {
        Budget(Cell::new(bytes.saturating_mul(4).saturating_add(1 << 16)))
    }

    pub(crate) fn take(&self, numbers: usize) -> Result<(), String> {
        match self.0.get().checked_sub(numbers) {
            Some(left) => {
                self.0.set(left);
                Ok(())
            }
            None => Err(format!("needs {numbers} numbers of memory here, more than a file of this size justifies")),
        }
    }
}

/// Values of a tensor; truth values are the numbers 0 and 1.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    Floats(Rc<[f32]>),
    Numbers(Rc<[Number]>),
}

/// A tensor whose values are known.
#[derive(Debug, Clone)]
pub(crate) struct Constant {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Data,
}

impl Constant {
    pub(crate) fn floats(shape: Vec<usize>, values: Vec<f32>) -> Constant {
        Constant { shape, data: Data::Floats(values.into()) }
    }

    pub(crate) fn numbers(shape: Vec<usize>, values: Vec<Number>) -> Constant {
        Constant { shape, data: Data::Numbers(values.into()) }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.data {
            Data::Floats(values) => values.len(),
            Data::Numbers(values) => values.len(),
        }
    }

    /// The values as floats; whole numbers are converted.
    pub(crate) fn as_floats(&self) -> Result<Rc<[f32]>, String> {
        match &self.data {
            Data::Floats(values) => Ok(values.clone()),
            Data::Numbers(values) => values
                .iter()
                .map(|number| number.value().map(|value| value as f32))
                .collect::<Option<Vec<f32>>>()
                .map(Into::into)
                .ok_or_else(|| "reads the batch size as a real number; the batch must not change a prediction".to_owned()),
        }
    }

    /// The one value of a tensor that has one.
    pub(crate) fn scalar(&self) -> Option<f32> {
        if self.len() == 1 { self.as_floats().ok()?.first().copied() } else { None }
    }

    /// The values as whole numbers that may hold the batch.
    pub(crate) fn as_numbers(&self) -> Result<Rc<[Number]>, String> {
        match &self.data {
            Data::Numbers(values) => Ok(values.clone()),
            Data::Floats(_) => Err("wants whole numbers and reads real ones".to_owned()),
        }
    }

    /// The values as whole numbers without the batch.
    pub(crate) fn as_integers(&self) -> Result<Vec<i64>, String> {
        let known: Option<Vec<i64>> = self.as_numbers()?.iter().map(|number| number.value()).collect();
        known.ok_or_else(|| "depends on the batch size where a fixed number is needed".to_owned())
    }
}

/// Reads a tensor of the file. `narrowed` is set when float64 became float32.
pub(crate) fn decode(tensor: &TensorProto, budget: &Budget, narrowed: &Cell<bool>) -> Result<Constant, String> {
    if tensor.data_location != 0 {
        let fix = "export with `external_data=False`, or join the files with `onnx.save_model(..., save_as_external_data=False)`";
        return Err(format!("its values lie in another file; {fix}"));
    }
    let shape = tensor.dims.iter().map(|dim| usize::try_from(*dim)).collect::<Result<Vec<usize>, _>>();
    let shape = shape.map_err(|_| format!("has the shape {:?}; no axis may be negative", short(&tensor.dims)))?;
    let count = shape.iter().try_fold(1_usize, |product, axis| product.checked_mul(*axis));
    let count = count.ok_or_else(|| format!("has the shape {:?}, which no memory holds", short(&tensor.dims)))?;
    if shape.len() > 16 {
        return Err(format!("has {} axes; at most 16 are read", shape.len()));
    }
    let raw = &tensor.raw_data;
    let wrong = |found: usize, unit: &str| format!("has the shape {shape:?} for {count} numbers, and {found} {unit}");
    let typed = |found: usize| if found == count { budget.take(count) } else { Err(wrong(found, "values")) };
    let packed = |width: usize| {
        if count.checked_mul(width) == Some(raw.len()) { budget.take(count) } else { Err(wrong(raw.len(), "bytes of data")) }
    };
    let whole = |values: &mut dyn Iterator<Item = i64>| Constant::numbers(shape.clone(), values.map(Number::known).collect());
    match (tensor.data_type, raw.is_empty() && count > 0) {
        (1, true) => typed(tensor.float_data.len()).map(|()| Constant::floats(shape.clone(), tensor.float_data.clone())),
        (1, false) => packed(4).map(|()| Constant::floats(shape.clone(), chunks(raw).map(f32::from_le_bytes).collect())),
        (11, inline) => {
            narrowed.set(true);
            let narrow = |value: f64| value as f32;
            if inline {
                typed(tensor.double_data.len())?;
                return Ok(Constant::floats(shape.clone(), tensor.double_data.iter().copied().map(narrow).collect()));
            }
            packed(8).map(|()| Constant::floats(shape.clone(), chunks(raw).map(f64::from_le_bytes).map(narrow).collect()))
        }
        (7, true) => typed(tensor.int64_data.len()).map(|()| whole(&mut tensor.int64_data.iter().copied())),
        (7, false) => packed(8).map(|()| whole(&mut chunks(raw).map(i64::from_le_bytes))),
        (6 | 9, true) => typed(tensor.int32_data.len()).map(|()| whole(&mut tensor.int32_data.iter().map(|value| i64::from(*value)))),
        (6, false) => packed(4).map(|()| whole(&mut chunks(raw).map(i32::from_le_bytes).map(i64::from))),
        (9, false) => packed(1).map(|()| whole(&mut raw.iter().map(|value| i64::from(*value)))),
        (other, _) => Err(format!("has values of type {}; float32, float64, int32, int64 and bool are read", type_name(other))),
    }
}

fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.chunks_exact(N).map(|chunk| <[u8; N]>::try_from(chunk).unwrap_or([0; N]))
}

fn short<T: Clone>(list: &[T]) -> Vec<T> {
    list.iter().take(16).cloned().collect()
}

/// Names of onnx.proto3's element types.
pub(crate) fn type_name(number: i32) -> String {
    let names = ["undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "float64"];
    let known = usize::try_from(number).ok().and_then(|number| names.get(number));
    known.map_or_else(|| if number == 16 { "bfloat16".to_owned() } else { format!("number {number}") }, |name| (*name).to_owned())
}

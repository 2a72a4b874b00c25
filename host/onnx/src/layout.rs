//! How an ONNX value lies over the value of one of our nodes.
//!
//! Our values are [time, features] or [features], without the batch. Exported graphs move axes about all the time: time
//! first for recurrent layers, channels first for convolutions, heads split off and merged for attention. Here an axis of
//! the ONNX value is a list of *atoms*, outermost first; an atom is the batch, or a run over one axis of our value with a
//! size and a stride. Transposing permutes the lists, reshaping regroups the atoms, and only where an operator reads the
//! value is it asked which axis is which. So transposes that cancel out cost nothing and are never searched for.
//! An axis of one element is an empty list.

use crate::tensor::Number;

/// A run over one axis of the piece (or over the batch).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Atom {
    /// The piece's axis; none for the batch.
    pub(crate) axis: Option<usize>,
    pub(crate) size: Number,
    /// Elements of that axis between two of this atom.
    pub(crate) stride: usize,
}

/// One axis of an ONNX value.
pub(crate) type Dim = Vec<Atom>;

/// A value computed from the window: a piece of the network, seen with these axes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signal {
    /// Place in the builder.
    pub(crate) piece: usize,
    pub(crate) dims: Vec<Dim>,
}

/// The axis of a whole piece axis `axis` of `size`.
pub(crate) fn whole(axis: usize, size: usize) -> Dim {
    part(axis, size, 1)
}

/// An axis of `size` elements, `stride` apart on the piece's axis.
pub(crate) fn part(axis: usize, size: usize, stride: usize) -> Dim {
    if size == 1 { vec![] } else { vec![Atom { axis: Some(axis), size: Number::of(size), stride }] }
}

/// The batch's axis.
pub(crate) fn batch(size: Number) -> Dim {
    if size.is_one() { vec![] } else { vec![Atom { axis: None, size, stride: 1 }] }
}

/// Elements of an axis.
pub(crate) fn size(dim: &Dim) -> Number {
    let product = dim.iter().try_fold(Number::known(1), |product, atom| product.times(atom.size));
    product.unwrap_or(Number { factor: i64::MAX, batch: true })
}

/// Neighbouring atoms that are one run become one.
pub(crate) fn merged(dim: &[Atom]) -> Dim {
    let mut list: Dim = Vec::with_capacity(dim.len());
    for atom in dim {
        let inner = atom.size.size().and_then(|size| size.checked_mul(atom.stride));
        match list.last_mut() {
            Some(last) if atom.axis.is_some() && last.axis == atom.axis && Some(last.stride) == inner => {
                if let Some(size) = last.size.times(atom.size) {
                    *last = Atom { axis: atom.axis, size, stride: atom.stride };
                }
            }
            _ => list.push(*atom),
        }
    }
    list
}

impl Signal {
    /// Sizes as ONNX sees them.
    pub(crate) fn sizes(&self) -> Vec<Number> {
        self.dims.iter().map(size).collect()
    }

    /// Sizes as text.
    pub(crate) fn shape_text(&self) -> String {
        text(&self.sizes())
    }

    /// An axis counted from either end. Errors: out of range.
    pub(crate) fn axis(&self, axis: i64) -> Result<usize, String> {
        place(axis, self.dims.len()).ok_or_else(|| format!("names axis {axis} of a value of shape {}", self.shape_text()))
    }

    pub(crate) fn transposed(&self, permutation: &[usize]) -> Signal {
        Signal { piece: self.piece, dims: permutation.iter().map(|place| self.dims[*place].clone()).collect() }
    }

    /// The same elements in the same order under another shape.
    pub(crate) fn reshaped(&self, shape: &[Number]) -> Result<Signal, String> {
        let cannot = || format!("turns the shape {} into {}, which does not go element by element", self.shape_text(), text(shape));
        let mut atoms: Vec<Atom> = self.dims.iter().flatten().rev().copied().collect();
        let mut dims = Vec::with_capacity(shape.len());
        for wanted in shape {
            let (mut rest, mut dim) = (*wanted, Vec::new());
            while !rest.is_one() {
                let atom = atoms.pop().ok_or_else(cannot)?;
                if let Some(left) = rest.over(atom.size) {
                    rest = left;
                    dim.push(atom);
                    continue;
                }
                // The atom is larger than what is wanted: its outer part goes here, its inner part to the next axes.
                let (outer, inner) = (rest.size(), atom.size.over(rest).and_then(Number::size));
                let (Some(_), Some(inner), Some(axis)) = (outer, inner, atom.axis) else { return Err(cannot()) };
                let stride = atom.stride.checked_mul(inner).ok_or_else(cannot)?;
                dim.push(Atom { axis: Some(axis), size: rest, stride });
                atoms.push(Atom { axis: Some(axis), size: Number::of(inner), stride: atom.stride });
                rest = Number::known(1);
            }
            dims.push(merged(&dim));
        }
        if atoms.is_empty() { Ok(Signal { piece: self.piece, dims }) } else { Err(cannot()) }
    }

    /// The axes without the batch and without axes of one element.
    pub(crate) fn inner_dims(&self) -> Vec<Dim> {
        let inner = |dim: &Dim| dim.iter().filter(|atom| atom.axis.is_some()).copied().collect::<Dim>();
        self.dims.iter().map(inner).filter(|dim| !dim.is_empty()).map(|dim| merged(&dim)).collect()
    }
}

/// Resolves 0 (copy) and −1 (the rest) in the shape that `Reshape` reads.
pub(crate) fn resolve(shape: &[Number], from: &[Number], keep_zero: bool) -> Result<Vec<Number>, String> {
    let mut open = None;
    let mut sizes = Vec::with_capacity(shape.len());
    for (place, number) in shape.iter().enumerate() {
        match number.value() {
            Some(0) if !keep_zero => {
                sizes.push(*from.get(place).ok_or_else(|| format!("copies axis {place} of a value that has {} axes", from.len()))?);
            }
            Some(-1) if open.replace(place).is_none() => sizes.push(Number::known(1)),
            Some(value) if value < 1 => return Err(format!("wants the impossible shape {}", text(shape))),
            _ => sizes.push(*number),
        }
    }
    if let Some(place) = open {
        let product = |list: &[Number]| list.iter().try_fold(Number::known(1), |product, size| product.times(*size));
        let rest = product(from).zip(product(&sizes)).and_then(|(all, given)| all.over(given));
        sizes[place] = rest.ok_or_else(|| format!("cannot turn the shape {} into {}", text(from), text(shape)))?;
    }
    Ok(sizes)
}

/// A place counted from either end.
pub(crate) fn place(axis: i64, count: usize) -> Option<usize> {
    let count = i64::try_from(count).ok()?;
    let place = if axis < 0 { axis.checked_add(count)? } else { axis };
    if (0..count).contains(&place) { usize::try_from(place).ok() } else { None }
}

/// A shape as text, as in [batch, 60, 5].
pub(crate) fn text(sizes: &[Number]) -> String {
    let shown: Vec<String> = sizes.iter().take(16).map(ToString::to_string).collect();
    format!("[{}{}]", shown.join(", "), if sizes.len() > 16 { ", …" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::{Atom, Signal, batch, part, resolve, whole};
    use crate::tensor::Number;

    fn sequence() -> Signal {
        Signal { piece: 0, dims: vec![batch(Number::BATCH), whole(0, 12), whole(1, 48)] }
    }

    fn known(shape: &[i64]) -> Vec<Number> {
        shape.iter().map(|size| Number::known(*size)).collect()
    }

    #[test]
    fn splitting_and_merging_heads_comes_back_to_the_same_axes() {
        let start = sequence().transposed(&[1, 0, 2]);
        let shape = resolve(&known(&[12, -1, 3, 16]), &start.sizes(), true).unwrap();
        let split = start.reshaped(&shape).unwrap();
        assert_eq!(split.dims[2], part(1, 3, 16));
        assert_eq!(split.dims[3], part(1, 16, 1));
        let heads = resolve(&known(&[12, -1, 4]), &split.sizes(), true).unwrap();
        let heads = split.reshaped(&heads).unwrap();
        assert_eq!(heads.dims[1].len(), 2, "batch and heads share an axis: {heads:?}");
        let back = heads.reshaped(&[Number::known(12), Number::BATCH, Number::known(48)]).unwrap().transposed(&[1, 0, 2]);
        assert_eq!(back, sequence());
    }

    #[test]
    fn what_is_not_element_by_element_is_refused() {
        let turned = sequence().transposed(&[0, 2, 1]);
        assert!(turned.reshaped(&[Number::BATCH, Number::known(7), Number::known(2)]).unwrap_err().contains("[batch, 48, 12]"));
        let across = turned.reshaped(&[Number::BATCH, Number::known(24), Number::known(24)]).unwrap();
        assert_eq!(across.dims[1], part(1, 24, 2));
        assert_eq!(across.dims[2].len(), 2);
        assert!(resolve(&known(&[-1, -1]), &sequence().sizes(), false).is_err());
        assert!(resolve(&known(&[-1, 7]), &sequence().sizes(), false).is_err());
        assert!(resolve(&known(&[0, 0, 0, 0]), &sequence().sizes(), false).is_err());
        let atom = Atom { axis: None, size: Number::BATCH, stride: 1 };
        assert_eq!(resolve(&known(&[0, -1]), &sequence().sizes(), false).unwrap()[0], atom.size);
    }
}

//! Parts of a signal and signals joined: Slice, Gather, Split, Concat.

use bellwether_domain::network::{Embedding, Operation, Slice, TimePooling};

use super::pooling::without_time;
use super::{Call, Mapped, Mapper, Value, one};
use crate::fold;
use crate::graph::Attributes;
use crate::layout::{Atom, Signal, part, place, whole};
use crate::pieces::{Op, Parameter};
use crate::tensor::Constant;

impl Mapper {
    pub(super) fn slice(&mut self, call: &Call<'_>) -> Mapped {
        let constants = (0..call.inputs.len())
            .map(|at| if at == 0 { Ok(None) } else { call.constant(at) })
            .collect::<Mapped<Vec<Option<&Constant>>>>()?;
        let mut signal = call.signal(0)?.clone();
        for range in fold::slices(call.node, &constants, &signal.sizes())? {
            if range.step != 1 {
                return Err(format!("takes every {}th element; a network description takes ranges only", range.step));
            }
            signal = self.narrow(&signal, range.axis, usize::try_from(range.start).unwrap_or(0), range.length)?;
        }
        one(signal)
    }

    pub(super) fn gather(&mut self, call: &Call<'_>) -> Mapped {
        if let Some(Some(Value::Known(_))) = call.inputs.first() {
            return self.embedding(call);
        }
        let (signal, indices) = (call.signal(0)?.clone(), call.weights(1, "indices")?);
        let axis = signal.axis(call.node.integer("axis", 0))?;
        let size = Mapper::length(&signal.dims[axis])?;
        let chosen = indices.as_integers()?;
        let chosen = chosen.iter().map(|index| place(*index, size)).collect::<Option<Vec<usize>>>();
        let chosen = chosen
            .filter(|chosen| !chosen.is_empty())
            .ok_or_else(|| format!("takes an element that axis {axis} of shape {} has not", signal.shape_text()))?;
        if chosen.iter().enumerate().any(|(at, index)| *index != chosen[0] + at) || indices.shape.len() > 1 {
            return Err("takes elements that do not lie side by side; a network description takes ranges only".to_owned());
        }
        let mut narrow = self.narrow(&signal, axis, chosen[0], chosen.len())?;
        if indices.shape.is_empty() {
            narrow.dims.remove(axis);
        }
        one(narrow)
    }

    pub(super) fn split(&mut self, call: &Call<'_>) -> Mapped {
        let signal = call.signal(0)?.clone();
        let axis = signal.axis(call.node.integer("axis", 0))?;
        let (size, count) = (Mapper::length(&signal.dims[axis])?, call.node.output.len());
        let lengths: Vec<i64> = match (call.constant(1)?, call.node.integers("split")) {
            (Some(lengths), _) => lengths.as_integers()?,
            (None, Some(lengths)) => lengths.to_vec(),
            (None, None) => {
                let each = size.div_ceil(count.max(1));
                (0..count).map(|at| i64::try_from(size.saturating_sub(at * each).min(each)).unwrap_or(0)).collect()
            }
        };
        let lengths =
            lengths.iter().map(|length| usize::try_from(*length).ok().filter(|length| *length > 0)).collect::<Option<Vec<usize>>>();
        let lengths = lengths
            .filter(|lengths| lengths.len() == count && lengths.iter().fold(0_usize, |sum, length| sum.saturating_add(*length)) == size);
        let lengths = lengths.ok_or_else(|| format!("splits {size} elements into {count} parts that do not add up"))?;
        let mut start = 0;
        let mut parts = Vec::with_capacity(count);
        for length in lengths {
            parts.push(Value::Signal(self.narrow(&signal, axis, start, length)?));
            start += length;
        }
        Ok(parts)
    }

    /// Elements start .. start + length of one axis.
    pub(super) fn narrow(&mut self, signal: &Signal, axis: usize, start: usize, length: usize) -> Mapped<Signal> {
        let size = Mapper::length(&signal.dims[axis])?;
        if length == 0 || start.saturating_add(length) > size {
            return Err(format!(
                "takes {start}..{} of axis {axis} of a value of shape {}",
                start.saturating_add(length),
                signal.shape_text()
            ));
        }
        if length == size {
            return Ok(signal.clone());
        }
        let shape = self.pieces[signal.piece].shape.clone();
        let run = match signal.dims[axis][..] {
            [Atom { axis: Some(run), stride, .. }] if stride * size == shape[run] => (run, stride),
            _ => {
                return Err(format!(
                    "takes a part of axis {axis} of a value of shape {}, which does not lie in one piece",
                    signal.shape_text()
                ));
            }
        };
        let (run, stride) = run;
        if run == 0
            && let Some(piece) = self.cut(signal.piece, start, length)?
        {
            let mut dims = signal.dims.clone();
            dims[axis] = whole(0, length);
            return Ok(Signal { piece, dims });
        }
        if (run, shape.len(), stride, length, start + 1) == (0, 2, 1, 1, size) {
            let piece = self.add(Op::Ours(Operation::TimePooling(TimePooling::Last)), &[signal.piece], &shape[1..], vec![])?;
            return Ok(without_time(signal, piece, axis, true));
        }
        let piece = self.range(signal.piece, run, start * stride, length * stride)?;
        let mut dims = signal.dims.clone();
        dims[axis] = part(run, length, stride);
        Ok(Signal { piece, dims })
    }

    /// A range of a piece's axis; a range of a join that is one of its parts is that part.
    fn range(&mut self, piece: usize, axis: usize, start: usize, length: usize) -> Mapped<usize> {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        if let Op::Ours(Operation::Concat(along)) = self.pieces[piece].op
            && along == number(axis)
        {
            let mut at = 0;
            for part in self.pieces[piece].inputs.clone() {
                let size = self.pieces[part].shape[axis];
                if (at, size) == (start, length) {
                    return Ok(part);
                }
                at += size;
            }
        }
        let mut shape = self.pieces[piece].shape.clone();
        shape[axis] = length;
        let slice = Slice { axis: number(axis), start: number(start), length: number(length) };
        self.add(Op::Ours(Operation::Slice(slice)), &[piece], &shape, vec![])
    }

    pub(super) fn concat(&mut self, call: &Call<'_>) -> Mapped {
        let signals = (0..call.inputs.len()).map(|at| call.signal(at).cloned()).collect::<Mapped<Vec<Signal>>>()?;
        let first = signals.first().ok_or("joins nothing")?.clone();
        if signals.len() == 1 {
            return one(first);
        }
        if signals.len() > bellwether_domain::network::shape::INPUTS_MAX {
            return Err(format!("joins {} values at once", signals.len()));
        }
        let axis = first.axis(call.node.integer("axis", 0))?;
        let others =
            |signal: &Signal| signal.dims.iter().enumerate().filter(|(at, _)| *at != axis).map(|(_, dim)| dim.clone()).collect::<Vec<_>>();
        let shapes: Vec<Vec<usize>> = signals.iter().map(|signal| self.pieces[signal.piece].shape.clone()).collect();
        let rank = shapes[0].len();
        if signals.iter().any(|signal| signal.dims.len() != first.dims.len()) || shapes.iter().any(|shape| shape.len() != rank) || rank == 0
        {
            return Err("joins values of different make".to_owned());
        }
        // What is joined must be the outer run of one axis in every piece; one element alone is a run over the last axis.
        let outer = |signal: &Signal, shape: &Vec<usize>| match signal.dims[axis][..] {
            [] => Some((rank - 1, 1, shape[rank - 1])),
            [Atom { axis: Some(run), size, stride }] => {
                size.size().filter(|size| size * stride == shape[run]).map(|size| (run, size, stride))
            }
            _ => None,
        };
        let runs = signals.iter().zip(&shapes).map(|(signal, shape)| outer(signal, shape)).collect::<Option<Vec<_>>>();
        let runs = runs.filter(|runs| runs.iter().all(|(run, _, stride)| (*run, *stride) == (runs[0].0, runs[0].2)));
        let runs = runs
            .ok_or_else(|| format!("joins axis {axis} of values that lie in different order, the first of shape {}", first.shape_text()))?;
        let (run, stride) = (runs[0].0, runs[0].2);
        let joined = part(run, runs.iter().fold(0_usize, |sum, (_, size, _)| sum.saturating_add(*size)), stride);
        let fits = signals.iter().zip(&shapes).all(|(signal, shape)| {
            others(signal) == others(&first) && shape.iter().zip(&shapes[0]).enumerate().all(|(at, (a, b))| at == run || a == b)
        });
        if !fits {
            return Err(format!("joins values of shapes {} and others that differ beside axis {axis}", first.shape_text()));
        }
        let total = shapes.iter().fold(0_usize, |sum, shape| sum.saturating_add(shape[run]));
        let parts: Vec<usize> = signals.iter().map(|signal| signal.piece).collect();
        let mut shape = shapes[0].clone();
        shape[run] = total;
        let piece = match self.rejoined(&parts, run, total) {
            Some(piece) => piece,
            None => self.add(Op::Ours(Operation::Concat(u32::try_from(run).unwrap_or(u32::MAX))), &parts, &shape, vec![])?,
        };
        let mut dims = first.dims;
        dims[axis] = joined;
        one(Signal { piece, dims })
    }

    /// The piece whose neighbouring ranges these are, if they are all of it.
    fn rejoined(&self, parts: &[usize], axis: usize, total: usize) -> Option<usize> {
        let mut next = 0;
        let mut whole = None;
        for part in parts {
            let piece = &self.pieces[*part];
            let Op::Ours(Operation::Slice(slice)) = &piece.op else { return None };
            let from = *piece.inputs.first()?;
            let fits = usize::try_from(slice.axis) == Ok(axis) && usize::try_from(slice.start) == Ok(next);
            if !fits || *whole.get_or_insert(from) != from {
                return None;
            }
            next += piece.shape.get(axis)?;
        }
        whole.filter(|whole| self.pieces[*whole].shape.get(axis) == Some(&total))
    }

    /// Rows of a constant table chosen by a value: an embedding.
    fn embedding(&mut self, call: &Call<'_>) -> Mapped {
        let (table, signal) = (call.weights(0, "table")?, call.signal(1)?.clone());
        let [categories, width] = table.shape[..] else {
            return Err(format!("looks up rows of a constant of shape {:?}; [categories, width] is expected", table.shape));
        };
        if call.node.integer("axis", 0) != 0 {
            return Err("looks up columns of a table".to_owned());
        }
        let Op::Whole = self.pieces[signal.piece].op else {
            return Err("looks up rows by numbers that were not cast to whole ones".to_owned());
        };
        let whole_numbers = Signal { piece: self.pieces[signal.piece].inputs[0], dims: signal.dims.clone() };
        let seen = self.spread_out(&whole_numbers, false)?;
        let mut shape = self.pieces[seen.piece].shape.clone();
        if shape.len() > 1 {
            return Err(format!("looks up rows for a value of shape {}; an embedding reads one feature", signal.shape_text()));
        }
        shape.push(width);
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let op = Operation::Embedding(Embedding { categories: number(categories), width: number(width) });
        let piece =
            self.add(Op::Ours(op), &[seen.piece], &shape, vec![Parameter::new("vectors", &[categories, width], table.as_floats()?)])?;
        let mut dims = seen.dims;
        dims.push(whole(shape.len() - 1, width));
        one(Signal { piece, dims })
    }
}

//! Scaled dot-product attention, put together from its parts.
//!
//! In a file it is a product of queries and keys per head, a factor, perhaps a mask, a softmax, and a product with the
//! values; the projections before it and after it are dense layers that may be packed into one, sliced and scaled. The
//! parts are recognised by what they compute and over which axes, not by the nodes that move axes between them: so the
//! forms of both PyTorch exporters and a hand-written one are the same thing here. Ours is
//! softmax(q·kᵀ / √d)·v per head of width d, with q, k, v and the result each projected by a square matrix.

use std::rc::Rc;

use bellwether_domain::network::{Attention, Dense, Operation};

use super::{Mapped, Mapper};
use crate::fold;
use crate::layout::{Atom, Dim, Signal, part, whole};
use crate::pieces::{Op, Parameter, Piece, Scores};
use crate::tensor::{Budget, Constant};

/// Most slices and factors between a projection and its use.
const CHAIN_MAX: usize = 64;

/// A mask this low leaves nothing of a share in 32 bits.
const MASKED: f32 = -1e4;

impl Mapper {
    /// MatMul of two signals.
    pub(super) fn product(&mut self, left: &Signal, right: &Signal) -> Mapped<Signal> {
        let count = left.dims.len();
        if count != right.dims.len() || count < 2 {
            return Err(format!("multiplies values of shapes {} and {}", left.shape_text(), right.shape_text()));
        }
        if let Op::Shares(scores) = self.pieces[left.piece].op { self.mixed(left, right, scores) } else { self.scores(left, right) }
    }

    fn scores(&mut self, query: &Signal, key: &Signal) -> Mapped<Signal> {
        let shape = self.pieces[query.piece].shape.clone();
        let count = query.dims.len();
        let why = || {
            format!(
                "multiplies two values of shapes {} and {} that are not queries and keys of self-attention; other products of computed values are not mapped",
                query.shape_text(),
                key.shape_text()
            )
        };
        let [steps, width] = shape[..] else { return Err(why()) };
        let inner = Mapper::length(&query.dims[count - 1])?;
        let heads = width.checked_div(inner).filter(|heads| heads * inner == width).ok_or_else(why)?;
        let (lead, lead_key) = (&query.dims[..count - 2], &key.dims[..count - 2]);
        let fits = shape == self.pieces[key.piece].shape
            && query.dims[count - 2] == whole(0, steps)
            && key.dims[count - 1] == whole(0, steps)
            && query.dims[count - 1] == part(1, inner, 1)
            && key.dims[count - 2] == query.dims[count - 1]
            && lead == lead_key
            && self.is_head(lead, heads, inner);
        if !fits {
            return Err(why());
        }
        let mut dims = retold(lead, |_| Atom { axis: Some(0), size: crate::tensor::Number::of(heads), stride: 1 });
        dims.extend([whole(1, steps), whole(2, steps)]);
        let op = Op::Scores(Scores { heads, scale: 1.0, causal: false });
        let piece = self.add(op, &[query.piece, key.piece], &[heads, steps, steps], vec![])?;
        Ok(Signal { piece, dims })
    }

    /// The axes are the batch and the heads, in either order, together or apart.
    fn is_head(&self, lead: &[Dim], heads: usize, inner: usize) -> bool {
        let atoms: Vec<Atom> = lead.iter().flatten().copied().collect();
        let mut wanted = self.batch_dim();
        wanted.extend(part(1, heads, inner));
        atoms.len() == wanted.len() && wanted.iter().all(|atom| atoms.contains(atom))
    }

    /// A number or mask added to scores.
    pub(super) fn masked(&mut self, signal: &Signal, mask: &Constant) -> Mapped<Signal> {
        let values = mask.as_floats()?;
        if values.iter().all(|value| *value == 0.0) && mask.shape.len() <= signal.dims.len() {
            return Ok(signal.clone());
        }
        let hidden = |row: usize, column: usize, columns: usize| match values[row * columns + column] {
            0.0 => Some(false),
            value if value <= MASKED => Some(true),
            _ => None,
        };
        self.causal(signal, mask, hidden)
    }

    /// Scores replaced where a mask says so; `keep` is the truth value that keeps them.
    pub(super) fn filled(&mut self, signal: &Signal, mask: &Constant, filled: &Constant, keep: bool) -> Mapped<Signal> {
        if !matches!(self.pieces[signal.piece].op, Op::Scores(_)) || filled.scalar().is_none_or(|value| value > MASKED) {
            return Err("replaces parts of a value by a constant; only attention masks are mapped".to_owned());
        }
        let values = mask.as_numbers()?;
        self.causal(signal, mask, |row, column, columns| Some((values[row * columns + column].factor != 0) != keep))
    }

    /// Scores times a number.
    pub(super) fn rescaled(&mut self, signal: &Signal, scores: Scores, by: f32) -> Mapped<Signal> {
        if scores.causal && by <= 0.0 {
            return Err(format!("multiplies masked attention scores by {by}"));
        }
        let found = self.pieces[signal.piece].clone();
        let op = Op::Scores(Scores { scale: scores.scale * f64::from(by), ..scores });
        let piece = self.add(op, &found.inputs, &found.shape, vec![])?;
        Ok(Signal { piece, dims: signal.dims.clone() })
    }

    fn causal(&mut self, signal: &Signal, mask: &Constant, hidden: impl Fn(usize, usize, usize) -> Option<bool>) -> Mapped<Signal> {
        let why =
            || format!("has an attention mask of shape {:?} that is neither absent nor causal (no step sees a later one)", mask.shape);
        let Op::Scores(scores) = self.pieces[signal.piece].op else { return Err(why()) };
        let steps = self.pieces[signal.piece].shape[1];
        let count = signal.dims.len();
        let placed = count >= 2 && signal.dims[count - 2] == whole(1, steps) && signal.dims[count - 1] == whole(2, steps);
        let [ref ones @ .., rows, columns] = mask.shape[..] else { return Err(why()) };
        if !placed || rows != steps || columns != steps || ones.iter().any(|one| *one != 1) || mask.shape.len() > count {
            return Err(why());
        }
        let wanted = (0..rows).all(|row| (0..columns).all(|column| hidden(row, column, columns) == Some(column > row)));
        if !wanted {
            return Err(why());
        }
        let shape = self.pieces[signal.piece].shape.clone();
        let inputs = self.pieces[signal.piece].inputs.clone();
        let piece = self.add(Op::Scores(Scores { causal: true, ..scores }), &inputs, &shape, vec![])?;
        Ok(Signal { piece, dims: signal.dims.clone() })
    }

    /// Softmax of scores over the keys.
    pub(super) fn shares(&mut self, signal: &Signal) -> Mapped<Signal> {
        let found = self.pieces[signal.piece].clone();
        let Op::Scores(scores) = found.op else { return Err("is not over attention scores".to_owned()) };
        if signal.dims.last() != Some(&whole(2, found.shape[2])) {
            return Err("works over the queries of an attention, not the keys".to_owned());
        }
        let piece = self.add(Op::Shares(scores), &found.inputs, &found.shape, vec![])?;
        Ok(Signal { piece, dims: signal.dims.clone() })
    }

    fn mixed(&mut self, shares: &Signal, value: &Signal, scores: Scores) -> Mapped<Signal> {
        let count = shares.dims.len();
        let (found, steps) = (self.pieces[shares.piece].inputs.clone(), self.pieces[shares.piece].shape[1]);
        let shape = self.pieces[found[0]].shape.clone();
        let inner = shape[1] / scores.heads;
        let head = |_: &Atom| Atom { axis: Some(1), size: crate::tensor::Number::of(scores.heads), stride: inner };
        let lead = retold(&shares.dims[..count - 2], head);
        let fits = self.pieces[value.piece].shape == shape
            && shares.dims[count - 2] == whole(1, steps)
            && shares.dims[count - 1] == whole(2, steps)
            && value.dims[..count - 2] == lead[..]
            && value.dims[count - 2] == whole(0, steps)
            && value.dims[count - 1] == part(1, inner, 1);
        if !fits {
            return Err(format!("mixes values of shape {} by attention shares of shape {}", value.shape_text(), shares.shape_text()));
        }
        let piece = self.add(Op::Mixed(scores), &[found[0], found[1], value.piece], &shape, vec![])?;
        let mut dims = lead;
        dims.extend([whole(0, steps), part(1, inner, 1)]);
        Ok(Signal { piece, dims })
    }
}

/// The same axes with every run that is not the batch told anew.
fn retold(dims: &[Dim], head: impl Fn(&Atom) -> Atom) -> Vec<Dim> {
    dims.iter().map(|dim| dim.iter().map(|atom| if atom.axis.is_some() { head(atom) } else { *atom }).collect()).collect()
}

/// A value as a projection of another: value = source · kernel + bias.
struct View {
    source: usize,
    kernel: Vec<f32>,
    bias: Vec<f32>,
}

/// The attention of a `Mixed` piece whose result is projected by `output` (none: not at all).
pub(crate) fn attend(pieces: &[Piece], mixed: &Piece, output: Option<&Piece>, budget: &Budget) -> Mapped<Piece> {
    let Op::Mixed(scores) = mixed.op else { return Err("is no attention".to_owned()) };
    let width = mixed.width();
    let [query, key, value] = mixed.inputs[..] else { return Err("is no attention".to_owned()) };
    // All three must be projections of one value: the one they are computed from, or that they are themselves.
    let through: Vec<Option<View>> = [query, key, value].iter().map(|piece| view(pieces, *piece, true, budget)).collect::<Mapped<_>>()?;
    let plain = |piece: usize| view(pieces, piece, false, budget);
    let candidates: Vec<usize> = through.iter().flatten().map(|view| view.source).chain([query, key, value]).collect();
    let mut found = None;
    for source in candidates {
        let mut views = Vec::new();
        for (piece, view) in [query, key, value].into_iter().zip(&through) {
            match view {
                Some(view) if view.source == source => views.push(View { source, kernel: view.kernel.clone(), bias: view.bias.clone() }),
                _ => views.extend(plain(piece)?.filter(|view| view.source == source)),
            }
        }
        if views.len() == 3 {
            found = Some(views);
            break;
        }
    }
    let mut views = found.ok_or("attends from one value to another, or with projections that are not square; queries, keys and values must be square projections of one sequence")?;
    let inner = (width / scores.heads) as f64;
    let factor = scores.scale * inner.sqrt();
    let View { kernel, bias, .. } = &mut views[0];
    kernel.iter_mut().chain(bias).for_each(|value| *value = (f64::from(*value) * factor) as f32);
    let mut weights = Vec::new();
    let source = views[0].source;
    for (name, view) in ["query", "key", "value"].into_iter().zip(views) {
        weights.push(Parameter::new(name, &[width, width], view.kernel));
        weights.push(Parameter::new(format!("{name}-bias"), &[width], view.bias));
    }
    let given = output
        .map(|output| (output.weight("kernel").map(|kernel| kernel.values.clone()), output.weight("bias").map(|bias| bias.values.clone())));
    let (kernel, bias) = given.unwrap_or((None, None));
    let kernel = match kernel {
        Some(kernel) => kernel,
        None => identity(width, budget)?.into(),
    };
    weights.push(Parameter::new("output", &[width, width], kernel));
    weights.push(Parameter::new("output-bias", &[width], bias.unwrap_or_else(|| vec![0.0; width].into())));
    let heads = u32::try_from(scores.heads).unwrap_or(u32::MAX);
    let op = Op::Ours(Operation::Attention(Attention { heads, causal: scores.causal, dropout: 0.0 }));
    let origin = output.map_or_else(|| mixed.origin.clone(), |output| output.origin.clone());
    Ok(Piece { op, inputs: vec![source], shape: mixed.shape.clone(), weights, origin })
}

/// A piece as a square projection: of what its dense layer reads (`through`), or of what stands behind its slices and
/// factors alone.
fn view(pieces: &[Piece], piece: usize, through: bool, budget: &Budget) -> Mapped<Option<View>> {
    let width = pieces[piece].width();
    // From the outside in: factors and shifts of the columns, and where the columns lie in the piece looked at.
    let (mut scale, mut shift, mut first, mut at) = (vec![1.0_f32; width], vec![0.0_f32; width], 0, piece);
    for _ in 0..CHAIN_MAX {
        let found = &pieces[at];
        match &found.op {
            Op::Affine(by, plus) => {
                let pick = |list: &Rc<[f32]>, column: usize| if list.len() == 1 { list[0] } else { list[first + column] };
                for column in 0..width {
                    shift[column] += scale[column] * pick(plus, column);
                    scale[column] *= pick(by, column);
                }
            }
            Op::Ours(Operation::Slice(slice)) if slice.axis == 1 => first += usize::try_from(slice.start).unwrap_or(0),
            Op::Ours(Operation::Dense(Dense { .. })) if through => {
                let (Some(kernel), inputs) = (found.weight("kernel"), pieces[found.inputs[0]].width()) else { return Ok(None) };
                if inputs != width || pieces[found.inputs[0]].shape.len() != 2 {
                    return Ok(None);
                }
                budget.take(fold::product(&[inputs, width]).unwrap_or(usize::MAX))?;
                let units = found.width();
                let value = |row: usize, column: usize| kernel.values[row * units + first + column] * scale[column];
                let kernel = (0..inputs)
                    .flat_map(|row| (0..width).map(move |column| (row, column)))
                    .map(|(row, column)| value(row, column))
                    .collect();
                let own = |column: usize| found.weight("bias").map_or(0.0, |bias| bias.values[first + column]);
                let bias = (0..width).map(|column| own(column) * scale[column] + shift[column]).collect();
                return Ok(Some(View { source: found.inputs[0], kernel, bias }));
            }
            _ if !through && first == 0 && found.width() == width => {
                let mut kernel = identity(width, budget)?;
                kernel.iter_mut().step_by(width + 1).zip(&scale).for_each(|(one, scale)| *one = *scale);
                return Ok(Some(View { source: at, kernel, bias: shift }));
            }
            _ => return Ok(None),
        }
        at = found.inputs[0];
    }
    Ok(None)
}

fn identity(width: usize, budget: &Budget) -> Mapped<Vec<f32>> {
    let count = fold::product(&[width, width]).ok_or("makes a projection that no memory holds")?;
    budget.take(count)?;
    let mut kernel = vec![0.0; count];
    kernel.iter_mut().step_by(width + 1).for_each(|one| *one = 1.0);
    Ok(kernel)
}

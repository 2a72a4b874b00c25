//! Activations that exporters write out, recognised when their last step is met.
//!
//! Gelu is 0.5 · x · (1 + erf(x / √2)), silu x · sigmoid(x), and the dynamo exporter's softplus chooses x itself where eˣ
//! would overflow. The halves stay in the list of pieces, where nobody reads them any more.

use bellwether_domain::network::{Activation, Operation};

use super::{Call, Mapped, Mapper, Value, one};
use crate::fold::Known;
use crate::layout::Signal;
use crate::pieces::Op;

/// How far the constants of a written-out activation may lie from the exact ones.
const CLOSE: f32 = 1e-5;

impl Mapper {
    /// A product of two signals, or the activation that it completes.
    pub(super) fn multiplied(&mut self, a: &Signal, b: &Signal) -> Mapped<Signal> {
        for (x, y) in [(a, b), (b, a)] {
            let gate = &self.pieces[y.piece];
            if let (Op::Ours(Operation::Activation(Activation::Sigmoid)), true) = (&gate.op, gate.inputs == [x.piece]) {
                return self.over(x, Op::Ours(Operation::Activation(Activation::Silu)));
            }
        }
        let product = self.joined(Operation::Multiply, a, b)?;
        self.completed(product)
    }

    /// A signal times one number, or the activation that it completes.
    pub(super) fn product_with(&mut self, signal: &Signal, value: f32) -> Mapped<Signal> {
        if let Op::Scores(scores) = self.pieces[signal.piece].op {
            return self.rescaled(signal, scores, value);
        }
        let product = self.scaled(signal, value, 0.0)?;
        self.completed(product)
    }

    /// Gelu, if this product is its last step.
    fn completed(&mut self, product: Signal) -> Mapped<Signal> {
        let mut factors = Vec::new();
        let coefficient = self.factors(product.piece, 4, &mut factors);
        if (coefficient - 0.5).abs() > CLOSE || factors.len() != 2 {
            return Ok(product);
        }
        let found = [(factors[0], factors[1]), (factors[1], factors[0])].into_iter().find(|(x, y)| self.is_one_plus_erf(*x, *y));
        match found {
            Some((x, _)) => self.over(&Signal { piece: x, dims: product.dims }, Op::Ours(Operation::Activation(Activation::Gelu))),
            None => Ok(product),
        }
    }

    /// The factors of a product, and the number before them.
    fn factors(&self, piece: usize, depth: usize, list: &mut Vec<usize>) -> f32 {
        let found = &self.pieces[piece];
        match &found.op {
            Op::Affine(scale, shift) if depth > 0 && scale.len() == 1 && **shift == [0.0] => {
                scale[0] * self.factors(found.inputs[0], depth - 1, list)
            }
            Op::Ours(Operation::Multiply) if depth > 0 => found.inputs.iter().map(|input| self.factors(*input, depth - 1, list)).product(),
            _ => {
                list.push(piece);
                1.0
            }
        }
    }

    /// `y` is 1 + erf(x / √2).
    fn is_one_plus_erf(&self, x: usize, y: usize) -> bool {
        let [sum, erf] = [y, self.pieces[y].inputs.first().copied().unwrap_or(0)].map(|piece| &self.pieces[piece]);
        let (Op::Affine(scale, shift), Op::Erf) = (&sum.op, &erf.op) else { return false };
        let inner = &self.pieces[erf.inputs[0]];
        let Op::Affine(inner_scale, inner_shift) = &inner.op else { return false };
        let half = std::f32::consts::FRAC_1_SQRT_2;
        **scale == [1.0]
            && **shift == [1.0]
            && inner.inputs == [x]
            && **inner_shift == [0.0]
            && inner_scale.len() == 1
            && (inner_scale[0] - half).abs() < CLOSE
    }

    pub(super) fn above(&mut self, call: &Call<'_>) -> Mapped {
        let signal = call.signal(0)?.clone();
        let bound = call.weights(1, "bound")?.scalar().ok_or("compares with more than one number")?;
        one(self.over(&signal, Op::Above(bound))?)
    }

    /// `Where`: a mask on scores, or the softplus that falls back to x where eˣ would overflow.
    pub(super) fn choose(&mut self, call: &Call<'_>) -> Mapped {
        match (call.inputs.first(), call.inputs.get(1), call.inputs.get(2)) {
            (Some(Some(Value::Signal(test))), Some(Some(Value::Signal(yes))), Some(Some(Value::Signal(no)))) => {
                let (above, soft) = (&self.pieces[test.piece], &self.pieces[no.piece]);
                let softplus = matches!(above.op, Op::Above(bound) if bound >= 15.0)
                    && above.inputs == [yes.piece]
                    && soft.inputs == [yes.piece]
                    && matches!(soft.op, Op::Ours(Operation::Activation(Activation::Softplus)))
                    && yes.dims == no.dims
                    && yes.dims == test.dims;
                if softplus { one(no.clone()) } else { Err("chooses between values computed from the window".to_owned()) }
            }
            (Some(Some(Value::Known(Known::Constant(test)))), Some(Some(yes)), Some(Some(no))) => match (yes, no) {
                (Value::Signal(signal), Value::Known(Known::Constant(filled))) => one(self.filled(signal, test, filled, true)?),
                (Value::Known(Known::Constant(filled)), Value::Signal(signal)) => one(self.filled(signal, test, filled, false)?),
                _ => Err("chooses between values computed from the window".to_owned()),
            },
            _ => Err("chooses by a value computed from the window".to_owned()),
        }
    }
}

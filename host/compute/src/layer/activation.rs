//! Element-wise functions, and softmax over the last axis.
//!
//! The backward pass starts from the output where the derivative can be had from it (relu, tanh, sigmoid, softmax), else
//! from the input. gelu is x·Φ(x) with the normal distribution's Φ, not its tanh approximation.

use bellwether_domain::network::Activation as Kind;

use crate::kernel::rows::activate;
use crate::layer::{Backward, Forward, Layer};

/// An activation.
#[derive(Debug)]
pub(crate) struct Activation {
    kind: Kind,
    /// Length of the last axis.
    width: usize,
}

impl Activation {
    pub(crate) fn new(kind: Kind, width: usize) -> Activation {
        Activation { kind, width }
    }
}

impl Layer for Activation {
    fn forward(&self, pass: Forward<'_>) {
        pass.output.copy_from_slice(pass.inputs.get(0));
        activate(self.kind, pass.output, self.width);
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { inputs, output, above, mut below, .. } = pass;
        let x = inputs.get(0);
        below.fill(0, |to| slope(self.kind, self.width, x, output, above, to));
    }
}

/// Gradient of the input from input, output and the gradient of the output.
fn slope(kind: Kind, width: usize, x: &[f32], y: &[f32], above: &[f32], to: &mut [f32]) {
    let fill = |to: &mut [f32], rate: fn(f32, f32) -> f32| {
        for (((to, above), x), y) in to.iter_mut().zip(above).zip(x).zip(y) {
            *to = above * rate(*x, *y);
        }
    };
    match kind {
        Kind::Relu => fill(to, |x, _| if x > 0.0 { 1.0 } else { 0.0 }),
        Kind::Tanh => fill(to, |_, y| 1.0 - y * y),
        Kind::Sigmoid => fill(to, |_, y| y * (1.0 - y)),
        Kind::Softplus => fill(to, |x, _| 1.0 / (1.0 + (-x).exp())),
        Kind::Silu => fill(to, |x, _| {
            let s = 1.0 / (1.0 + (-x).exp());
            s * (1.0 + x * (1.0 - s))
        }),
        Kind::Gelu => fill(to, |x, _| {
            let whole = 0.5 * (1.0 + candle_core::cpu::erf::erf_f32(x * std::f32::consts::FRAC_1_SQRT_2));
            whole + x * (-0.5 * x * x).exp() * (0.5 * std::f32::consts::FRAC_2_SQRT_PI * std::f32::consts::FRAC_1_SQRT_2)
        }),
        Kind::Softmax => {
            for ((to, above), y) in to.chunks_exact_mut(width).zip(above.chunks_exact(width)).zip(y.chunks_exact(width)) {
                let along: f32 = above.iter().zip(y).map(|(above, y)| above * y).sum();
                to.iter_mut().zip(above).zip(y).for_each(|((to, above), y)| *to = y * (above - along));
            }
        }
    }
}

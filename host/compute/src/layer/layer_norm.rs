//! Layer normalisation (Ba et al. 2016) over the last axis, with learned scale and shift. See [`crate::kernel::norm`].

use crate::kernel::norm::{Affine, normalize, normalize_back};
use crate::layer::{Backward, Forward, Layer, Purpose};

/// Normalises lines of `width` numbers.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    width: usize,
    /// Lines per row.
    lines: usize,
    epsilon: f32,
}

impl LayerNorm {
    pub(crate) fn new(shape: &[usize], epsilon: f64) -> LayerNorm {
        let width = shape.last().copied().unwrap_or(1);
        LayerNorm { width, lines: shape.iter().product::<usize>() / width, epsilon: epsilon as f32 }
    }
}

impl Layer for LayerNorm {
    fn scratch(&self, rows: usize, purpose: Purpose) -> usize {
        if purpose == Purpose::Train { 2 * rows * self.lines } else { 0 }
    }

    fn forward(&self, pass: Forward<'_>) {
        let (scale, shift) = pass.weights.split_at(self.width);
        let kept = if pass.purpose == Purpose::Train { &mut pass.scratch[..2 * pass.rows * self.lines] } else { &mut [] };
        normalize(pass.inputs.get(0), scale, shift, self.epsilon, pass.output, kept);
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { rows, inputs, weights, above, scratch, gradient, mut below, .. } = pass;
        let (x, kept) = (inputs.get(0), &scratch[..2 * rows * self.lines]);
        let (scale, shift) = gradient.split_at_mut(self.width);
        let slopes = Affine { scale, shift };
        if below.wanted(0) {
            below.fill(0, |to| normalize_back(x, &weights[..self.width], kept, above, slopes, to));
        } else {
            normalize_back(x, &weights[..self.width], kept, above, slopes, &mut []);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn dbg() {
        use super::*;
        let x = crate::program::tests::numbers(37*2, 1); let w = crate::program::tests::numbers(74, 2); let parts = crate::program::tests::numbers(74,3);
        let run = |x: &[f32]| { let mut y = vec![0.0; 74]; let mut kept = vec![0.0; 4]; normalize(x, &w[..37], &w[37..], 1e-5, &mut y, &mut kept); (y, kept) };
        let (_, kept) = run(&x);
        let mut to = vec![0.0; 74]; let (mut a, mut b) = (vec![0.0; 37], vec![0.0; 37]);
        normalize_back(&x, &w[..37], &kept, &parts, Affine { scale: &mut a, shift: &mut b }, &mut to);
        for i in 0..74 { let f = |d: f32| { let mut z = x.clone(); z[i] += d; run(&z).0.iter().zip(&parts).map(|(y,p)| (*y as f64)*(*p as f64)).sum::<f64>() };
            println!("{i} {} {}", (f(4e-3)-f(-4e-3))/8e-3, to[i]); }
    }
    use bellwether_domain::network::Operation;

    use crate::program::tests::{chain, check, dense, sequence};

    #[test]
    fn layer_norm_passes_every_check() {
        check(&chain(vec![Operation::Reshape(vec![18]), dense(37), Operation::LayerNorm(1e-5), dense(3)]));
        check(&sequence(vec![Operation::LayerNorm(1e-3), dense(16), Operation::LayerNorm(1e-5)]));
    }
}

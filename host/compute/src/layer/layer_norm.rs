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
    use bellwether_domain::network::Operation;

    use crate::program::tests::{chain, check, dense, sequence};

    #[test]
    fn layer_norm_passes_every_check() {
        check(&chain(vec![Operation::Reshape(vec![18]), dense(37), Operation::LayerNorm(1e-5), dense(3)]));
        check(&sequence(vec![Operation::LayerNorm(1e-3), dense(16), Operation::LayerNorm(1e-5)]));
    }
}

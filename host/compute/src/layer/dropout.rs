//! Dropout (Srivastava et al. 2014): each value is zero with probability `share`, the rest are divided by `1 - share`.
//!
//! Nothing is stored: the backward pass draws the same numbers again.

use crate::kernel::noise;
use crate::layer::{Backward, Forward, Layer};

/// Drops a share of the values while training.
#[derive(Debug)]
pub(crate) struct Dropout {
    share: f64,
    /// Numbers per row.
    size: usize,
}

impl Dropout {
    pub(crate) fn new(share: f64, size: usize) -> Dropout {
        Dropout { share, size }
    }
}

impl Layer for Dropout {
    fn forward(&self, pass: Forward<'_>) {
        let x = pass.inputs.get(0);
        match pass.noise {
            Some(noise) => noise::drop(x, pass.output, noise.key, noise.first_row * self.size, self.share),
            None => pass.output.copy_from_slice(x),
        }
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { above, mut below, noise, .. } = pass;
        below.fill(0, |to| match noise {
            Some(noise) => noise::drop(above, to, noise.key, noise.first_row * self.size, self.share),
            None => to.copy_from_slice(above),
        });
    }
}

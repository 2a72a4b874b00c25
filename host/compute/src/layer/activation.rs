//! Element-wise functions, and softmax over the last axis. See [`crate::kernel::function`].

use bellwether_domain::network::Activation as Kind;

use crate::kernel::function::{apply, slope};
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
        apply(self.kind, pass.inputs.get(0), pass.output, self.width);
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { inputs, output, above, mut below, .. } = pass;
        let x = inputs.get(0);
        below.fill(0, |to| slope(self.kind, x, output, above, to, self.width));
    }
}

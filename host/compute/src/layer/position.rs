//! Positions added to a sequence [time, width]: sines and cosines (Vaswani et al. 2017), or one learned vector per step.
//!
//! The table of step t holds sin(t / 10000^(2i / width)) at 2i and the cosine of the same at 2i + 1.

use bellwether_domain::network::Position as Kind;

use crate::kernel::rows::sum_rows;
use crate::layer::{Backward, Forward, Layer};

/// Adds positions.
#[derive(Debug)]
pub(crate) struct Position {
    /// The sinusoidal table [time, width]; none where it is learned.
    table: Option<Vec<f32>>,
}

impl Position {
    pub(crate) fn new(kind: Kind, shape: &[usize]) -> Position {
        let width = shape.last().copied().unwrap_or(1);
        let count = shape.iter().product::<usize>();
        let value = |at: usize| {
            let (time, place) = ((at / width) as f64, at % width);
            let angle = time / 10_000f64.powf((place - place % 2) as f64 / width as f64);
            (if place % 2 == 0 { angle.sin() } else { angle.cos() }) as f32
        };
        Position { table: (kind == Kind::Sinusoidal).then(|| (0..count).map(value).collect()) }
    }
}

impl Layer for Position {
    fn forward(&self, pass: Forward<'_>) {
        let table = self.table.as_deref().unwrap_or(pass.weights);
        for (to, x) in pass.output.chunks_exact_mut(table.len()).zip(pass.inputs.get(0).chunks_exact(table.len())) {
            to.iter_mut().zip(x).zip(table).for_each(|((to, x), position)| *to = x + position);
        }
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { above, gradient, mut below, .. } = pass;
        if self.table.is_none() {
            sum_rows(above, gradient);
        }
        below.fill(0, |to| to.copy_from_slice(above));
    }
}

#[cfg(test)]
mod tests {
    use bellwether_domain::network::{Activation, Operation, Position as Kind};

    use super::Position;
    use crate::program::tests::{check, dense, sequence};

    #[test]
    fn positions_pass_every_check() {
        for kind in [Kind::Sinusoidal, Kind::Learned] {
            let position = Operation::PositionalEncoding(kind);
            check(&sequence(vec![position.clone(), dense(7), position, Operation::Activation(Activation::Tanh)]));
        }
    }

    #[test]
    fn the_table_is_that_of_the_paper() {
        let table = Position::new(Kind::Sinusoidal, &[3, 5]).table.unwrap();
        let angles = [2.0, 2.0, 2.0 / 10_000f64.powf(0.4), 2.0 / 10_000f64.powf(0.4), 2.0 / 10_000f64.powf(0.8)];
        let wanted = [angles[0].sin(), angles[1].cos(), angles[2].sin(), angles[3].cos(), angles[4].sin()];
        assert!(table[10..].iter().zip(wanted).all(|(value, wanted)| (f64::from(*value) - wanted).abs() < 1e-7), "{table:?}");
        assert_eq!(table[..5], [0.0, 1.0, 0.0, 1.0, 0.0]);
    }
}

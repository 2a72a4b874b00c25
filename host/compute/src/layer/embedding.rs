//! A vector per category: [time] or [] of whole numbers -> [.., width].
//!
//! The numbers are checked before they come here (see the plan's list of categorical columns); what is no category all the
//! same reads the nearest one, so that no memory outside the table is touched, and not-a-number reads the first.

use crate::layer::{Backward, Forward, Layer};

/// A table of vectors.
#[derive(Debug)]
pub(crate) struct Embedding {
    categories: usize,
    width: usize,
}

impl Embedding {
    pub(crate) fn new(categories: u32, output: &[usize]) -> Embedding {
        Embedding { categories: categories as usize, width: output.last().copied().unwrap_or(1) }
    }

    /// Where a category's vector begins.
    fn place(&self, category: f32) -> usize {
        // The conversion takes negative numbers and not-a-number to 0.
        (category as usize).min(self.categories - 1) * self.width
    }
}

impl Layer for Embedding {
    fn forward(&self, pass: Forward<'_>) {
        for (to, category) in pass.output.chunks_exact_mut(self.width).zip(pass.inputs.get(0)) {
            to.copy_from_slice(&pass.weights[self.place(*category)..][..self.width]);
        }
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { inputs, above, gradient, mut below, .. } = pass;
        gradient.fill(0.0);
        for (above, category) in above.chunks_exact(self.width).zip(inputs.get(0)) {
            let sums = &mut gradient[self.place(*category)..][..self.width];
            sums.iter_mut().zip(above).for_each(|(sum, above)| *sum += above);
        }
        // The number of a category is no quantity: nothing flows through it.
        below.fill(0, |to| to.fill(0.0));
    }
}

#[cfg(test)]
mod tests {
    use bellwether_domain::network::{Activation, Embedding as Description, Operation, Slice};

    use super::Embedding;
    use crate::program::tests::{FEATURES, STEPS, check_on, dense, numbers, sequence};

    #[test]
    fn embeddings_pass_every_check() {
        let column = Operation::Slice(Slice { axis: 1, start: 1, length: 1 });
        let table = Operation::Embedding(Description { categories: 4, width: 5 });
        let network = sequence(vec![column, Operation::Reshape(vec![6]), table, dense(3), Operation::Activation(Activation::Tanh)]);
        let mut windows = numbers(5 * STEPS * FEATURES, 2);
        for (row, window) in windows.chunks_exact_mut(FEATURES).enumerate() {
            window[1] = (row * 7 % 4) as f32;
        }
        check_on(&network, &windows);
    }

    #[test]
    fn what_is_no_category_stays_within_the_table() {
        let layer = Embedding::new(4, &[5]);
        let places = [f32::NAN, -3.0, f32::NEG_INFINITY, 0.0, 2.0, 3.0, 4.0, f32::INFINITY].map(|category| layer.place(category));
        assert_eq!(places, [0, 0, 0, 0, 10, 15, 15, 15]);
    }
}

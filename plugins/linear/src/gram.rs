//! Sums of weighted products of columns, Σ weight · x·xᵀ, four rows at a time: one pass over the sums per four rows instead
//! of one per row is most of what a fit costs.

/// The lower triangle of the sums.
pub(crate) struct Gram {
    width: usize,
    sums: Vec<f64>,
    rows: [Vec<f64>; 4],
    weights: [f64; 4],
    held: usize,
}

impl Gram {
    /// Of rows with `width` numbers.
    pub(crate) fn new(width: usize) -> Gram {
        let rows = [(); 4].map(|()| vec![0.0; width]);
        Gram { width, sums: vec![0.0; width * width], rows, weights: [0.0; 4], held: 0 }
    }

    /// Takes a row.
    pub(crate) fn add(&mut self, row: &[f64], weight: f64) {
        self.rows[self.held].copy_from_slice(row);
        self.weights[self.held] = weight;
        self.held += 1;
        if self.held == 4 {
            self.flush();
        }
    }

    /// The sums divided by `count`, symmetric, row-major; these are empty again.
    pub(crate) fn take(&mut self, count: usize) -> Vec<f64> {
        self.flush();
        let mut means = std::mem::replace(&mut self.sums, vec![0.0; self.width * self.width]);
        let share = 1.0 / count as f64;
        for i in 0..self.width {
            for j in 0..=i {
                let mean = means[i * self.width + j] * share;
                means[i * self.width + j] = mean;
                means[j * self.width + i] = mean;
            }
        }
        means
    }

    fn flush(&mut self) {
        self.weights[self.held..].fill(0.0);
        self.held = 0;
        let [a, b, c, d] = &self.rows;
        let weights = self.weights;
        for (i, sums) in self.sums.chunks_exact_mut(self.width).enumerate() {
            let [u, v, w, x] = [weights[0] * a[i], weights[1] * b[i], weights[2] * c[i], weights[3] * d[i]];
            let columns = a[..=i].iter().zip(&b[..=i]).zip(&c[..=i]).zip(&d[..=i]);
            for (sum, (((a, b), c), d)) in sums[..=i].iter_mut().zip(columns) {
                *sum += u * a + v * b + (w * c + x * d);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Gram;

    #[test]
    fn sums_are_those_of_the_rows() {
        let rows = [[1.0, 2.0], [3.0, -1.0], [0.5, 4.0], [2.0, 2.0], [-1.0, 1.0]];
        let mut gram = Gram::new(2);
        rows.iter().for_each(|row| gram.add(row, 2.0));
        assert_eq!(gram.take(2), [15.25, 4.0, 4.0, 26.0]);
        gram.add(&rows[0], 1.0);
        assert_eq!(gram.take(1), [1.0, 2.0, 2.0, 4.0]);
    }
}

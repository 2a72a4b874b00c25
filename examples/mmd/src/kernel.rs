//! k(x, y) = exp(-‖x - y‖² / 2σ²) over all rows of both sides, and the distances that follow from it.
//!
//! MMD² = Σ k(x, x')/m(m-1) + Σ k(y, y')/n(n-1) - 2 Σ k(x, y)/mn, the first two over different rows: the unbiased estimate,
//! which may be below zero. The matrix is worked out once; a division into sides is a list of ones and zeros z, and all
//! three sums follow from K·z.

use bellwether_sdk::random;

use crate::sample::Rows;

/// The kernel of reference and current rows, in this order.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// Symmetric, zero on the diagonal.
    matrix: Vec<f64>,
    reference: usize,
    all: usize,
    total: f64,
}

impl Kernel {
    /// Of both sides, with a bandwidth above zero.
    pub(crate) fn of(reference: &Rows, current: &Rows, bandwidth: f64) -> Kernel {
        let (first, all) = (reference.count(), reference.count() + current.count());
        let side = |place: usize| if place < first { (reference, place) } else { (current, place - first) };
        let mut matrix = vec![0.0; all * all];
        for a in 0..all {
            let (left, row) = side(a);
            for b in 0..a {
                let (right, at) = side(b);
                let value = (-left.distance(row, right, at) / (2.0 * bandwidth * bandwidth)).exp();
                (matrix[a * all + b], matrix[b * all + a]) = (value, value);
            }
        }
        let total = matrix.iter().sum();
        Kernel { matrix, reference: first, all, total }
    }

    /// MMD² of the sides as they are.
    pub(crate) fn distance(&self) -> f64 {
        let order: Vec<usize> = (0..self.all).collect();
        self.divided(&order)
    }

    /// MMD² of so many random divisions in which blocks of neighbours stay together.
    pub(crate) fn permuted(&self, block: usize, divisions: u32) -> Vec<f64> {
        let blocks: Vec<(usize, usize)> = [(0, self.reference), (self.reference, self.all)]
            .into_iter()
            .flat_map(|(first, end)| (first..end).step_by(block).map(move |at| (at, (at + block).min(end))))
            .collect();
        let mut order = Vec::with_capacity(self.all);
        let one = |_| {
            let mut blocks = blocks.clone();
            shuffle(&mut blocks);
            order.clear();
            order.extend(blocks.iter().flat_map(|(first, end)| *first..*end));
            self.divided(&order)
        };
        (0..divisions).map(one).collect()
    }

    /// MMD² when the first rows of an order are the reference.
    fn divided(&self, order: &[usize]) -> f64 {
        let (own, other) = order.split_at(self.reference);
        let mut member = vec![0.0; self.all];
        own.iter().for_each(|row| member[*row] = 1.0);
        let toward = |row: &usize| -> f64 {
            let line = &self.matrix[row * self.all..][..self.all];
            line.iter().zip(&member).map(|(value, member)| value * member).sum()
        };
        let within: f64 = own.iter().map(toward).sum();
        let between: f64 = other.iter().map(toward).sum();
        let beyond = self.total - within - 2.0 * between;
        let (m, n) = (own.len() as f64, other.len() as f64);
        within / (m * (m - 1.0)) + beyond / (n * (n - 1.0)) - 2.0 * between / (m * n)
    }
}

/// Fisher–Yates, with the host's seeded numbers.
fn shuffle<T>(list: &mut [T]) {
    let draws = random::uniform(list.len());
    for (place, draw) in draws.iter().enumerate().skip(1) {
        list.swap(place, ((place + 1) as f64 * draw) as usize);
    }
}

//! Minimises ½·wᵀAw − bᵀw + strength · (ratio · Σ|w| + (1 − ratio)/2 · Σw²) for a positive semi-definite A.
//!
//! Without the sizes (ratio 0) by Cholesky; with them by cyclic coordinate descent on A (Friedman, Hastie and Tibshirani
//! 2010, "Regularization Paths for Generalized Linear Models via Coordinate Descent", §2.2, covariance updates).

/// Largest step of a sweep at which coordinate descent has arrived; columns have unit variance.
const TOLERANCE: f64 = 1e-9;

/// Most sweeps. Columns nearly alike converge slowly, and then the coefficients among them do not matter to the prediction.
const SWEEPS: usize = 5_000;

/// A penalty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Penalty {
    /// How strong, above 0.
    pub(crate) strength: f64,
    /// Share of the sum of sizes.
    pub(crate) ratio: f64,
}

impl Penalty {
    /// What it adds to the loss of these coefficients.
    pub(crate) fn of(self, w: &[f64]) -> f64 {
        let sizes: f64 = w.iter().map(|w| w.abs()).sum();
        let squares: f64 = w.iter().map(|w| w * w).sum();
        self.strength * (self.ratio * sizes + 0.5 * (1.0 - self.ratio) * squares)
    }
}

/// The minimum. The first `penalised` coordinates are; `start` is where coordinate descent begins. None when a coordinate
/// without penalty is not determined or a number is not finite.
pub(crate) fn minimum(a: &[f64], b: &[f64], penalised: usize, penalty: Penalty, start: &[f64]) -> Option<Vec<f64>> {
    let w =
        if penalty.ratio == 0.0 { cholesky(a, b, penalised, penalty.strength)? } else { descend(a, b, penalised, penalty, start.to_vec()) };
    w.iter().all(|w| w.is_finite()).then_some(w)
}

/// Solves (A + ridge·I)·w = b, the ridge on the first `penalised` of the diagonal.
fn cholesky(a: &[f64], b: &[f64], penalised: usize, ridge: f64) -> Option<Vec<f64>> {
    let n = b.len();
    let mut lower = a.to_vec();
    for i in 0..n {
        let (above, below) = lower.split_at_mut(i * n);
        for j in 0..i {
            let inner = crate::table::dot(&above[j * n..j * n + j], &below[..j]);
            below[j] = (below[j] - inner) / above[j * n + j];
        }
        let ridge = if i < penalised { ridge } else { 0.0 };
        let pivot = below[i] + ridge - below[..i].iter().map(|value| value * value).sum::<f64>();
        if !(pivot > 0.0 && pivot.is_finite()) {
            return None;
        }
        below[i] = pivot.sqrt();
    }
    let mut w = b.to_vec();
    for i in 0..n {
        w[i] = (w[i] - crate::table::dot(&lower[i * n..i * n + i], &w[..i])) / lower[i * n + i];
    }
    for i in (0..n).rev() {
        w[i] /= lower[i * n + i];
        for k in 0..i {
            w[k] -= lower[i * n + k] * w[i];
        }
    }
    Some(w)
}

fn descend(a: &[f64], b: &[f64], penalised: usize, penalty: Penalty, mut w: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    // b − A·w, kept up to date coordinate by coordinate.
    let mut left: Vec<f64> = (0..n).map(|i| b[i] - crate::table::dot(&a[i * n..(i + 1) * n], &w)).collect();
    for _ in 0..SWEEPS {
        let mut largest: f64 = 0.0;
        for i in 0..n {
            let diagonal = a[i * n + i];
            if diagonal <= 0.0 {
                continue;
            }
            let (size, square) =
                if i < penalised { (penalty.strength * penalty.ratio, penalty.strength * (1.0 - penalty.ratio)) } else { (0.0, 0.0) };
            let pull = left[i] + diagonal * w[i];
            let new = pull.signum() * (pull.abs() - size).max(0.0) / (diagonal + square);
            let step = new - w[i];
            if step != 0.0 {
                w[i] = new;
                left.iter_mut().zip(&a[i * n..(i + 1) * n]).for_each(|(left, a)| *left -= a * step);
                largest = largest.max(step.abs() * diagonal.sqrt());
            }
        }
        if largest < TOLERANCE {
            break;
        }
    }
    w
}

#[cfg(test)]
mod tests {
    use super::{Penalty, minimum};

    fn close(found: Option<Vec<f64>>, expected: &[f64]) {
        let found = found.unwrap();
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-8), "{found:?} {expected:?}");
    }

    #[test]
    fn ridge_by_hand() {
        // (A + I)·w = b with A + I = [[4, 2], [2, 3]] and b = [8, 7]: w = [1.25, 1.5].
        let ridge = |strength| Penalty { strength, ratio: 0.0 };
        close(minimum(&[3.0, 2.0, 2.0, 2.0], &[8.0, 7.0], 2, ridge(1.0), &[0.0; 2]), &[1.25, 1.5]);
        // The second coordinate free: [[4, 2], [2, 2]]·w = [8, 7], w = [0.5, 3].
        close(minimum(&[3.0, 2.0, 2.0, 2.0], &[8.0, 7.0], 1, ridge(1.0), &[0.0; 2]), &[0.5, 3.0]);
        assert_eq!(minimum(&[1.0, 0.0, 0.0, 0.0], &[1.0, 1.0], 1, ridge(1.0), &[0.0; 2]), None);
    }

    #[test]
    fn the_lasso_thresholds() {
        let lasso = |strength| Penalty { strength, ratio: 1.0 };
        // Uncorrelated columns: each coefficient moves towards 0 by the strength and stops there.
        close(minimum(&[1.0, 0.0, 0.0, 1.0], &[2.0, -0.3], 2, lasso(0.5), &[0.0; 2]), &[1.5, 0.0]);
        close(minimum(&[1.0, 0.0, 0.0, 1.0], &[2.0, -0.3], 1, lasso(0.5), &[9.0; 2]), &[1.5, -0.3]);
    }

    #[test]
    fn descent_without_sizes_finds_what_cholesky_finds() {
        let (a, b) = ([2.0, 0.9, 0.3, 0.9, 1.0, 0.4, 0.3, 0.4, 1.5], [1.0, -2.0, 0.5]);
        let exact = minimum(&a, &b, 3, Penalty { strength: 0.2, ratio: 0.0 }, &[0.0; 3]).unwrap();
        close(Some(super::descend(&a, &b, 3, Penalty { strength: 0.2, ratio: 0.0 }, vec![0.0; 3])), &exact);
    }
}

//! What training makes small: outputs [rows, width] and one target per row to one number, and its gradient.
//!
//! With e = target - y: mse e²; mae |e|; huber e²/2 within ±δ, δ·(|e| - δ/2) beyond (Huber 1964); quantile the mean over the
//! probabilities p of max(p·e, (p-1)·e); gaussian-nll (v + e²·exp(-v))/2 with y = (mean, v); bce softplus(y) - target·y;
//! cross-entropy weight[class]·(ln Σ exp(y) - y[class]). Where a loss has a corner, the middle of its slopes is taken.
//!
//! The loss of a batch is Σ weight·loss / [`mass`], over outputs of a batch that may lie in several shards: so the sum and
//! what it is divided by are apart. Arithmetic is in 64 bits, a row at a time; not-a-number stays so.

use bellwether_domain::network::Loss;

/// Σ weight·loss over the rows, not divided; writes the gradient of `scale` times that into `slope` [rows, width].
///
/// `targets` hold what [`crate::Samples`] checks: for cross-entropy classes below `width`. Without `weights` each is 1.
/// A batch of [`mass`] zero counts nothing: its scale is to be 0.
pub(crate) fn loss(
    kind: &Loss,
    output: &[f32],
    width: usize,
    targets: &[f32],
    weights: Option<&[f32]>,
    scale: f64,
    slope: &mut [f32],
) -> f64 {
    let mut sum = 0.0;
    let rows = output.chunks_exact(width).zip(slope.chunks_exact_mut(width)).zip(targets);
    for (place, ((row, slope), target)) in rows.enumerate() {
        let weight = weights.map_or(1.0, |weights| f64::from(weights[place]));
        let factor = scale * weight;
        let each = one(kind, row, f64::from(*target), |column, rate| slope[column] = (factor * rate) as f32);
        sum += weight * each;
    }
    sum
}

/// [`loss`] without its gradient.
pub(crate) fn value(kind: &Loss, output: &[f32], width: usize, targets: &[f32], weights: Option<&[f32]>) -> f64 {
    let rows = output.chunks_exact(width).zip(targets).enumerate();
    let each = |(place, (row, target)): (usize, (&[f32], &f32))| {
        let weight = weights.map_or(1.0, |weights| f64::from(weights[place]));
        weight * one(kind, row, f64::from(*target), |_, _| ())
    };
    rows.map(each).sum()
}

/// What the sum of losses is divided by for their mean: Σ weight, for cross-entropy Σ weight · weight of the class.
pub(crate) fn mass(kind: &Loss, targets: &[f32], weights: Option<&[f32]>) -> f64 {
    let weight = |place: usize| weights.map_or(1.0, |weights| f64::from(weights[place]));
    match kind {
        Loss::CrossEntropy(classes) if !classes.is_empty() => {
            targets.iter().enumerate().map(|(place, target)| weight(place) * of_class(classes, *target as usize)).sum()
        }
        Loss::CrossEntropy(_) | Loss::Mse | Loss::Mae | Loss::Huber(_) | Loss::Quantile(_) | Loss::GaussianNll | Loss::Bce => {
            (0..targets.len()).map(weight).sum()
        }
    }
}

fn of_class(classes: &[f64], class: usize) -> f64 {
    classes.get(class).copied().unwrap_or(1.0)
}

/// The loss of one row; `write(column, rate)` gets its derivative in every column.
#[inline(always)]
fn one(kind: &Loss, row: &[f32], target: f64, mut write: impl FnMut(usize, f64)) -> f64 {
    let error = target - f64::from(row[0]);
    match kind {
        Loss::Mse => {
            write(0, -2.0 * error);
            error * error
        }
        Loss::Mae => {
            write(0, slope_of_size(-error));
            error.abs()
        }
        Loss::Huber(delta) => {
            write(0, -error.clamp(-delta, *delta));
            let size = error.abs();
            let within = size.min(*delta);
            within * (size - 0.5 * within)
        }
        Loss::Bce => {
            let logit = f64::from(row[0]);
            write(0, 1.0 / (1.0 + (-logit).exp()) - target);
            logit.max(0.0) + (-logit.abs()).exp().ln_1p() - target * logit
        }
        Loss::Quantile(levels) => quantile(levels, row, target, write),
        Loss::GaussianNll => {
            let log_variance = f64::from(row[1]);
            let precise = error * (-log_variance).exp();
            write(0, -precise);
            write(1, 0.5 * (1.0 - error * precise));
            0.5 * (log_variance + error * precise)
        }
        Loss::CrossEntropy(classes) => cross_entropy(classes, row, target as usize, write),
    }
}

#[inline(always)]
fn quantile(levels: &[f64], row: &[f32], target: f64, mut write: impl FnMut(usize, f64)) -> f64 {
    let share = 1.0 / levels.len() as f64;
    let mut sum = 0.0;
    for (column, (level, y)) in levels.iter().zip(row).enumerate() {
        // max(p·e, (p-1)·e) = (p - ½)·e + ½·|e|.
        let error = target - f64::from(*y);
        write(column, share * (0.5 - level - 0.5 * slope_of_size(error)));
        sum += (level - 0.5) * error + 0.5 * error.abs();
    }
    share * sum
}

#[inline(always)]
fn cross_entropy(classes: &[f64], row: &[f32], class: usize, mut write: impl FnMut(usize, f64)) -> f64 {
    let weight = of_class(classes, class);
    let most = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let power = |logit: f32| (f64::from(logit) - most).exp();
    let whole: f64 = row.iter().map(|logit| power(*logit)).sum();
    for (column, logit) in row.iter().enumerate() {
        let chosen = if column == class { 1.0 } else { 0.0 };
        write(column, weight * (power(*logit) / whole - chosen));
    }
    weight * (whole.ln() + most - f64::from(row[class]))
}

/// Derivative of |x|: 0 at 0.
#[inline(always)]
fn slope_of_size(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_those_of_their_definitions() {
        // One output y = 0.5 (logits 0.5, -1, 2; mean 0.5 and log-variance -1), target 2 (bce: 1).
        let cases = [
            (Loss::Mse, vec![0.5], 2.0, 2.25),
            (Loss::Mae, vec![0.5], 2.0, 1.5),
            (Loss::Huber(1.0), vec![0.5], 2.0, 1.0),
            (Loss::Huber(2.0), vec![0.5], 2.0, 1.125),
            (Loss::Quantile(vec![0.1, 0.9]), vec![0.5, 3.0], 2.0, 0.125),
            (Loss::GaussianNll, vec![0.5, -1.0], 2.0, 0.5 * (-1.0 + 2.25 * 1f64.exp())),
            (Loss::Bce, vec![0.5], 1.0, (1.0 + (-0.5f64).exp()).ln()),
            (
                Loss::CrossEntropy(vec![1.0, 1.0, 3.0]),
                vec![0.5, -1.0, 2.0],
                2.0,
                3.0 * ((0.5f64.exp() + (-1f64).exp() + 2f64.exp()).ln() - 2.0),
            ),
        ];
        for (kind, output, target, wanted) in cases {
            let mut slope = vec![0.0; output.len()];
            let given = loss(&kind, &output, output.len(), &[target], None, 1.0, &mut slope);
            assert!((given - wanted).abs() < 1e-12, "{kind:?}: {given} is not {wanted}");
            assert_eq!(given.to_bits(), value(&kind, &output, output.len(), &[target], None).to_bits(), "{kind:?}");
        }
    }

    fn kinds() -> Vec<(Loss, usize, [f32; 3])> {
        let real = [0.75, -0.5, 2.0];
        vec![
            (Loss::Mse, 1, real),
            (Loss::Mae, 1, real),
            (Loss::Huber(0.5), 1, real),
            (Loss::Quantile(vec![0.1, 0.5, 0.8]), 3, real),
            (Loss::GaussianNll, 2, real),
            (Loss::Bce, 1, [0.0, 1.0, 1.0]),
            (Loss::CrossEntropy(vec![]), 3, [2.0, 0.0, 1.0]),
            (Loss::CrossEntropy(vec![0.5, 1.0, 2.0]), 3, [2.0, 0.0, 1.0]),
        ]
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let weights = [0.5, 2.0, 1.0];
        for (kind, width, targets) in kinds() {
            // Steps of a power of two are exact in 32 bits.
            let output: Vec<f32> = (0..3 * width).map(|k| ((k * 7 + 3) % 11) as f32 / 4.0 - 1.125).collect();
            let mut slope = vec![f32::NAN; output.len()];
            let sum = loss(&kind, &output, width, &targets, Some(&weights), 0.25, &mut slope);
            assert!((sum - value(&kind, &output, width, &targets, Some(&weights))).abs() < 1e-12);
            for at in 0..output.len() {
                let moved = |by: f32| {
                    let mut output = output.clone();
                    output[at] += by;
                    value(&kind, &output, width, &targets, Some(&weights))
                };
                let step = 1.0 / 4096.0;
                let wanted = 0.25 * (moved(step) - moved(-step)) / f64::from(2.0 * step);
                assert!((f64::from(slope[at]) - wanted).abs() < 1e-6, "{kind:?} at {at}: {} is not {wanted}", slope[at]);
            }
        }
    }

    #[test]
    fn a_sum_falls_apart_into_its_rows_and_the_mass_weighs_them() {
        for (kind, width, targets) in kinds() {
            let output: Vec<f32> = (0..3 * width).map(|k| (k as f32).sin()).collect();
            let weights = [0.5, 0.0, 3.0];
            let whole = value(&kind, &output, width, &targets, Some(&weights));
            let parts: f64 = (0..3)
                .map(|row| f64::from(weights[row]) * value(&kind, &output[row * width..][..width], width, &targets[row..=row], None))
                .sum();
            assert!((whole - parts).abs() < 1e-12, "{kind:?}: {whole} is not {parts}");
            let classes = if matches!(&kind, Loss::CrossEntropy(classes) if !classes.is_empty()) { [2.0, 0.5, 1.0] } else { [1.0; 3] };
            let wanted = 0.5 * classes[0] + 3.0 * classes[2];
            assert!((mass(&kind, &targets, Some(&weights)) - wanted).abs() < 1e-12, "{kind:?}");
            assert!((mass(&kind, &targets, None) - classes.iter().sum::<f64>()).abs() < 1e-12, "{kind:?}");
        }
    }

    #[test]
    fn extremes_are_finite_and_not_a_number_is_kept() {
        for (kind, output, target, wanted) in [
            (Loss::Bce, vec![1e30], 1.0, 0.0),
            (Loss::Bce, vec![-1e30], 0.0, 0.0),
            (Loss::Bce, vec![1e4], 0.0, 1e4),
            (Loss::CrossEntropy(vec![]), vec![1e30, -1e30], 0.0, 0.0),
            (Loss::CrossEntropy(vec![]), vec![-1e4, 1e4], 0.0, 2e4),
        ] {
            let mut slope = vec![0.0; output.len()];
            let given = loss(&kind, &output, output.len(), &[target], None, 1.0, &mut slope);
            assert!((given - wanted).abs() < 1e-9 && slope.iter().all(|value| value.is_finite()), "{kind:?}: {given} is not {wanted}");
        }
        for (kind, width, targets) in kinds() {
            for column in 0..width {
                let mut output = vec![0.5; width];
                output[column] = f32::NAN;
                let mut slope = vec![0.0; width];
                let given = loss(&kind, &output, width, &targets[..1], None, 1.0, &mut slope);
                assert!(given.is_nan() && slope.iter().any(|value| value.is_nan()), "{kind:?}: {given}, {slope:?}");
            }
        }
    }

    #[test]
    fn corners_have_the_middle_slope() {
        for (kind, wanted) in [(Loss::Mae, 0.0), (Loss::Quantile(vec![0.9]), -0.4), (Loss::Huber(1.0), 0.0)] {
            let mut slope = [f32::NAN];
            assert_eq!(loss(&kind, &[1.0], 1, &[1.0], None, 1.0, &mut slope), 0.0);
            assert!((slope[0] - wanted).abs() < 1e-7, "{kind:?}: {}", slope[0]);
        }
    }
}

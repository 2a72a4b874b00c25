//! Logistic regression by iteratively reweighted least squares: each step minimises the penalised quadratic that touches the
//! loss where the last one ended, halved while it would overshoot.
use bellwether_sdk::{Error, Result, progress};

use crate::gram::Gram;
use crate::solve::{Penalty, minimum};
use crate::table::{Line, Table, dot};

/// Most steps per penalty; Newton's steps need five to ten.
const STEPS: usize = 50;

/// Largest change of a coefficient at which it has arrived; the error left is about its square.
const TOLERANCE: f64 = 1e-6;

/// Least weight of a sample: one that is certain still holds the quadratic together.
const LEAST_WEIGHT: f64 = 1e-10;

/// −ln of the probability that the logit gives to `target`, 0 or 1, without overflow.
pub(crate) fn loss(logit: f64, target: f64) -> f64 {
    logit.max(0.0) - logit * target + (-logit.abs()).exp().ln_1p()
}

/// 1 / (1 + e^−x), without overflow.
pub(crate) fn probability(logit: f64) -> f64 {
    let small = (-logit.abs()).exp();
    if logit >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}

/// A line per penalty, in order; fewer when the host says stop. Errors: [`Error::InvalidInput`].
pub(crate) fn fit(table: &Table, penalties: &[Penalty]) -> Result<Vec<Line>> {
    let width = table.width();
    let mut gram = Gram::new(width + 1);
    let mut line = vec![0.0; width + 1];
    let mut lines = Vec::with_capacity(penalties.len());
    for penalty in penalties {
        let go_on = descend(table, *penalty, &mut gram, &mut line, (lines.len() as u32, penalties.len() as u32))?;
        lines.push(line.clone());
        if !go_on {
            break;
        }
    }
    Ok(lines)
}

/// Moves `line` to the minimum. False: the host said stop. `done` is for its progress.
fn descend(table: &Table, penalty: Penalty, gram: &mut Gram, line: &mut Line, done: (u32, u32)) -> Result<bool> {
    let width = table.width();
    let mut best = (f64::INFINITY, line.clone());
    for _ in 0..STEPS {
        let (here, gradient) = measure(table, line, gram)?;
        let products = gram.take(table.count());
        let objective = here + penalty.of(&line[..width]);
        if !progress::report(done.0, done.1, here, f64::NAN) {
            return Ok(false);
        }
        if objective > best.0 + 1e-12 || !objective.is_finite() {
            let half: Line = line.iter().zip(&best.1).map(|(there, back)| 0.5 * (there + back)).collect();
            if largest_change(&half, &best.1) < TOLERANCE {
                line.clone_from(&best.1);
                return Ok(true);
            }
            *line = half;
            continue;
        }
        best = (objective, line.clone());
        let right: Vec<f64> = products.chunks_exact(width + 1).zip(&gradient).map(|(row, gradient)| dot(row, line) + gradient).collect();
        let unfit = || Error::invalid_input("the features are too large or too alike to be told apart: take some out");
        let next = minimum(&products, &right, width, penalty, line).ok_or_else(unfit)?;
        let change = largest_change(&next, line);
        *line = next;
        if change < TOLERANCE {
            return Ok(true);
        }
    }
    Ok(true)
}

/// Mean loss, minus its gradient, and in `gram` its curvature.
fn measure(table: &Table, line: &Line, gram: &mut Gram) -> Result<(f64, Vec<f64>)> {
    let (width, share) = (table.width(), 1.0 / table.count() as f64);
    let (mut sum, mut gradient) = (0.0, vec![0.0; width + 1]);
    table.for_each(|row, target| {
        row[width] = 1.0;
        let logit = dot(row, line);
        let found = probability(logit);
        sum += loss(logit, target);
        gradient.iter_mut().zip(&*row).for_each(|(gradient, value)| *gradient += (target - found) * share * value);
        gram.add(row, (found * (1.0 - found)).max(LEAST_WEIGHT));
    })?;
    Ok((sum * share, gradient))
}

fn largest_change(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max)
}

//! Squared error: one pass for the products, then one solution per penalty.
use bellwether_sdk::{Error, Result, progress};

use crate::gram::Gram;
use crate::solve::{Penalty, minimum};
use crate::table::{Line, Table, dot};

/// A line per penalty, in order; fewer when the host says stop. Errors: [`Error::InvalidInput`].
pub(crate) fn fit(table: &Table, penalties: &[Penalty]) -> Result<Vec<Line>> {
    let width = table.width();
    let mut gram = Gram::new(width + 1);
    table.for_each(|row, target| {
        row[width] = target;
        gram.add(row, 1.0);
    })?;
    let products = gram.take(table.count());
    let a: Vec<f64> = products.chunks_exact(width + 1).take(width).flat_map(|row| row[..width].iter().copied()).collect();
    let b = &products[width * (width + 1)..][..width];

    let mut start = vec![0.0; width];
    let mut lines = Vec::with_capacity(penalties.len());
    for penalty in penalties {
        let unfit = || Error::invalid_input("the features are too large or too alike to be told apart: take some out");
        start = minimum(&a, b, width, *penalty, &start).ok_or_else(unfit)?;
        // Of the standardised target, whose square is 1 in the mean.
        let loss = 1.0 - 2.0 * dot(b, &start) + a.chunks_exact(width).zip(&start).map(|(row, w)| w * dot(row, &start)).sum::<f64>();
        lines.push(start.iter().copied().chain([0.0]).collect());
        if !progress::report(lines.len() as u32, penalties.len() as u32, loss, f64::NAN) {
            break;
        }
    }
    Ok(lines)
}

//! Sums over rows, as the gradient of a bias takes them.

use crate::kernel::raw::both;

both! {
    /// `to` = the sum of the rows of `from`, each as long as `to`.
    sum_rows = sum_rows_body(from: &[f32], to: &mut [f32])
}

#[inline(always)]
fn sum_rows_body<const FUSED: bool>(from: &[f32], to: &mut [f32]) {
    to.fill(0.0);
    for row in from.chunks_exact(to.len()) {
        to.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
}

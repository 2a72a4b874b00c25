//! How fast this machine multiplies matrices with the kernels of this crate: what a share of the peak is a share of.
//!
//! Measured and not looked up, as clocks and instruction sets differ. The best of many repetitions, on the calling thread.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::arena::Arena;
use crate::kernel::matmul::{Matrix, Start, multiply, pack, packed_len, transposed_product};

/// Floating-point operations per second of C [m, n] = A [m, k] · B [k, n], two per multiply-add, B packed before; with
/// `flipped` of C [m, n] = Aᵀ·B for A [k, m], which packs B as it goes. Takes about `time`.
pub fn product_rate([m, k, n]: [usize; 3], flipped: bool, time: Duration) -> f64 {
    let numbers = |count: usize| {
        let mut values = Arena::zeros(count);
        values.iter_mut().enumerate().for_each(|(i, value)| *value = (i * 7919 % 2003) as f32 / 1001.0 - 1.0);
        values
    };
    let (a, b, mut packed, mut c) = (numbers(m * k), numbers(k * n), Arena::zeros(packed_len(k, n)), numbers(m * n));
    pack(&b, k, n, &mut packed);
    let work = 2.0 * (m as f64) * (k as f64) * (n as f64);
    // Many products per look at the clock where one takes but microseconds.
    let times = ((1e7 / work) as u32).max(1);
    let (begin, mut best) = (Instant::now(), Duration::MAX);
    while begin.elapsed() < time || best == Duration::MAX {
        let start = Instant::now();
        for _ in 0..times {
            if flipped {
                transposed_product(black_box(&a), &b, &mut c, [m, k, n]);
            } else {
                multiply(black_box(&a), k, m, Matrix { depth: k, columns: n, values: &packed }, Start::Zero, &mut c, n);
            }
            black_box(&c);
        }
        best = best.min(start.elapsed());
    }
    work * f64::from(times) / best.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_rate() {
        for flipped in [false, true] {
            let rate = product_rate([32, 64, 32], flipped, Duration::from_millis(2));
            assert!((1e7..1e13).contains(&rate), "{rate}");
        }
    }
}

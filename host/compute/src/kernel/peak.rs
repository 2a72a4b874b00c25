//! How fast this machine multiplies matrices with the kernels of this crate: what a share of the peak is a share of.
//!
//! Measured and not looked up, as clocks and instruction sets differ. The best of many repetitions, on the calling thread.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bellwether_domain::job::Precision;

use crate::arena::Arena;
use crate::kernel::conv::Lines;
use crate::kernel::matmul::{self, Matrix, Start};
use crate::kernel::pairs;

/// Floating-point operations per second of C [m, n] = A [m, k] · B [k, n], two per multiply-add, B packed before; with
/// `flipped` of C [m, n] = Aᵀ·B for A [k, m], which packs B as it goes. With bf16 the time of rounding as a product goes counts.
/// Takes about `time`.
pub fn product_rate([m, k, n]: [usize; 3], flipped: bool, precision: Precision, time: Duration) -> f64 {
    let numbers = |count: usize| {
        let mut values = Arena::zeros(count);
        values.iter_mut().enumerate().for_each(|(i, value)| *value = (i * 7919 % 2003) as f32 / 1001.0 - 1.0);
        values
    };
    let (a, b, mut packed, mut c) = (numbers(m * k), numbers(k * n), Arena::zeros(matmul::packed_len(k, n)), numbers(m * n));
    match precision {
        Precision::F32 => matmul::pack(&b, k, n, &mut packed),
        Precision::Bf16 => pairs::pack(&b, k, n, &mut packed[..pairs::packed_len(k, n)]),
    }
    let matrix = Matrix { depth: k, columns: n, values: &packed };
    let lines = |values, stride| Lines { values, stride, sample: 0 };
    let work = 2.0 * (m as f64) * (k as f64) * (n as f64);
    // Many products per look at the clock where one takes but microseconds.
    let times = ((1e7 / work) as u32).max(1);
    let (begin, mut best) = (Instant::now(), Duration::MAX);
    while begin.elapsed() < time || best == Duration::MAX {
        let start = Instant::now();
        for _ in 0..times {
            match (flipped, precision) {
                (true, Precision::F32) => matmul::transposed_product(black_box(&a), &b, &mut c, [m, k, n]),
                (true, Precision::Bf16) => {
                    c.fill(0.0);
                    pairs::learn(lines(black_box(&a), m), lines(&b, n), [1, k], &mut c, [m, n]);
                }
                (false, Precision::F32) => matmul::multiply(black_box(&a), k, m, matrix, Start::Zero, &mut c, n),
                (false, Precision::Bf16) => pairs::multiply(black_box(&a), k, m, matrix, Start::Zero, &mut c, n),
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
        for (flipped, precision) in [false, true].into_iter().flat_map(|flipped| Precision::ALL.map(|precision| (flipped, precision))) {
            let rate = product_rate([32, 64, 32], flipped, precision, Duration::from_millis(2));
            assert!((1e7..1e13).contains(&rate), "{rate}");
        }
    }
}

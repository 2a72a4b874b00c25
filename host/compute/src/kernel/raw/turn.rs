//! Transposes in registers: sixteen lines of sixteen numbers.
//!
//! Four rounds, each of which interleaves line i with line i + 8: a round turns the eight bits of (line, column) by one, so
//! after four of them line and column have changed places.

use crate::kernel::raw::LANES;

/// Sixteen lines of sixteen numbers.
type Square = [[f32; LANES]; LANES];

/// `to` row d = column d of the square whose line i begins at `from[i * stride]`; rows of `to` begin `row` apart. Panics if a
/// slice is too short.
#[inline]
pub(crate) fn turn(from: &[f32], stride: usize, to: &mut [f32], row: usize) {
    assert!(from.len() >= (LANES - 1) * stride + LANES && to.len() >= (LANES - 1) * row + LANES, "the squares are inside");
    let mut square: Square = [[0.0; LANES]; LANES];
    for (i, line) in square.iter_mut().enumerate() {
        line.copy_from_slice(&from[i * stride..][..LANES]);
    }
    #[cfg(target_arch = "x86_64")]
    if crate::kernel::raw::has_widest() {
        #[expect(unsafe_code, reason = "has_widest() has just found what `widest` needs")]
        unsafe {
            widest(&mut square);
        }
    } else {
        plain(&mut square);
    }
    #[cfg(not(target_arch = "x86_64"))]
    plain(&mut square);
    for (d, line) in square.iter().enumerate() {
        to[d * row..][..LANES].copy_from_slice(line);
    }
}

fn plain(square: &mut Square) {
    let before = *square;
    for (i, line) in square.iter_mut().enumerate() {
        line.iter_mut().zip(&before).for_each(|(to, from)| *to = from[i]);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
#[inline]
fn widest(square: &mut Square) {
    use std::arch::x86_64::{__m512, _mm512_permutex2var_ps, _mm512_setr_epi32};
    let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    let high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    #[expect(unsafe_code, reason = "sixteen numbers of 32 bits are one register, whatever their bits")]
    let mut lines: [__m512; LANES] = unsafe { std::mem::transmute(*square) };
    for _ in 0..4 {
        let before = lines;
        for i in 0..LANES / 2 {
            lines[2 * i] = _mm512_permutex2var_ps(before[i], low, before[i + LANES / 2]);
            lines[2 * i + 1] = _mm512_permutex2var_ps(before[i], high, before[i + LANES / 2]);
        }
    }
    #[expect(unsafe_code, reason = "as above")]
    {
        *square = unsafe { std::mem::transmute::<[__m512; LANES], Square>(lines) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_columns() {
        let from: Vec<f32> = (0..400).map(|value| value as f32).collect();
        let mut to = vec![0.0; 16 * 48];
        turn(&from[3..], 24, &mut to[16..], 48);
        let mut square: Square = std::array::from_fn(|i| std::array::from_fn(|j| from[3 + i * 24 + j]));
        plain(&mut square);
        for d in 0..LANES {
            for i in 0..LANES {
                assert_eq!((to[16 + d * 48 + i], square[d][i]), (from[3 + i * 24 + d], from[3 + i * 24 + d]));
            }
        }
    }
}

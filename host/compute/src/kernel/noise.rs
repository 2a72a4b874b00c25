//! Random numbers for dropout that need no memory: number `i` under a key is a hash of both.
//!
//! The hash mixes 32 bits with two multiplications and three shifts (constants found by Wellons' hash prospector, bias
//! 0.17); the key's halves go in before and between. So a value's fate depends on its place in the batch, not on how many
//! threads share it, and the backward pass draws again what the forward pass drew.

use crate::kernel::raw::both;

both! {
    /// `to` = `from` with a share of the numbers zero, the others divided by `1 - share`. `first` is the number drawn for the
    /// first value.
    drop = drop_body(from: &[f32], to: &mut [f32], key: u64, first: usize, share: f64)
}

#[inline(always)]
fn drop_body<const FUSED: bool>(from: &[f32], to: &mut [f32], key: u64, first: usize, share: f64) {
    let threshold = threshold(share);
    let keep = (1.0 / (1.0 - share)) as f32;
    for (at, (to, from)) in to.iter_mut().zip(from).enumerate() {
        *to = from * factor(key, first.wrapping_add(at) as u32, threshold, keep);
    }
}

/// Below this a number is dropped.
#[inline(always)]
pub(crate) fn threshold(share: f64) -> u32 {
    (share * 4_294_967_296.0) as u32
}

/// 0 or `keep` for number `at`. A product and not a choice: vector code, and not-a-number stays so.
#[inline(always)]
pub(crate) fn factor(key: u64, at: u32, threshold: u32, keep: f32) -> f32 {
    let (low, high) = (key as u32, (key >> 32) as u32);
    let mut x = at.wrapping_mul(0x9e37_79b9) ^ low;
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d) ^ high;
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^= x >> 16;
    f32::from(u8::from(x >= threshold)) * keep
}

/// A key of its own for a node and a step of training.
pub(crate) fn key(seed: u64, step: u64, node: usize) -> u64 {
    // Steele, Lea and Flood's SplitMix64 finaliser over a sum of odd multiples.
    let mut x = seed ^ step.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (node as u64).wrapping_mul(0xd134_2543_de82_ef95);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_dropped_and_the_mean_kept() {
        let ones = vec![1.0; 100_000];
        for (share, seed) in [(0.1, 1), (0.5, 2), (0.9, 3)] {
            let mut values = vec![0.0; ones.len()];
            drop(&ones, &mut values, key(seed, 7, 3), 0, share);
            let dropped = values.iter().filter(|value| **value == 0.0).count() as f64 / 1e5;
            let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / 1e5;
            assert!((dropped - share).abs() < 0.005 && (mean - 1.0).abs() < 0.05, "{share}: {dropped}, {mean}");
            let mut part = vec![0.0; 100];
            drop(&ones[..100], &mut part, key(seed, 7, 3), 5000, share);
            assert_eq!(part, values[5000..5100], "a number depends on its place alone");
        }
    }

    #[test]
    fn nodes_and_steps_draw_apart() {
        let ones = vec![1.0; 10_000];
        let drawn = |step, node| {
            let mut values = vec![0.0; ones.len()];
            drop(&ones, &mut values, key(1, step, node), 0, 0.5);
            values
        };
        let first = drawn(0, 0);
        for (step, node) in [(0, 1), (1, 0), (1, 1)] {
            let same = first.iter().zip(drawn(step, node)).filter(|(a, b)| **a == *b).count();
            assert!((4_800..5_200).contains(&same), "{step}, {node}: {same} of 10000 agree");
        }
    }
}

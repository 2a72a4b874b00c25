//! The natural logarithm of many numbers in 64 bits, for features of prices.
//!
//! x = 2^k · m with m between √½ and √2; ln m = f − f²/2 + s·(f²/2 + R(s²)) with f = m − 1 and s = f / (2 + f), where R is the
//! least-maximum polynomial of Sun's fdlibm; k · ln 2 is added in two parts. The error is below one unit in the last place.
//! Nothing here is fused: every processor gives the same bits, so that features do not depend on where they were computed,
//! which the system's library does not promise. Zero, negative, subnormal and infinite numbers and not-a-number take the
//! library's function, block by block.

use crate::kernel::raw::both;

/// Numbers looked at together.
const BLOCK: usize = 64;
/// Bits of √½, the lower half cut off.
const ROOT: u64 = 0x3fe6_a09e << 32;
const ONE: u64 = 0x3ff0_0000 << 32;
const MANTISSA: u64 = (1 << 52) - 1;
/// 2⁵², in whose low bits a small whole number becomes one of 64 bits.
const WHOLE: u64 = 0x4330_0000 << 32;
/// ln 2 in two parts; the first has few bits, so that its multiples are exact.
const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
/// R's coefficients of s⁴, s⁸, s¹² and of s², s⁶, s¹⁰, s¹⁴.
const EVEN: [f64; 3] = [3.999_999_999_940_942e-1, 2.222_219_843_214_978_4e-1, 1.531_383_769_920_937_3e-1];
const ODD: [f64; 4] = [6.666_666_666_666_735e-1, 2.857_142_874_366_239e-1, 1.818_357_216_161_805e-1, 1.479_819_860_511_658_6e-1];

/// Each number's natural logarithm in its place.
pub fn ln_all(values: &mut [f64]) {
    ln_each(values);
}

/// ln(1 + x) of each number x ≥ 0 in its place, exact for small x too.
pub fn ln_1p_all(values: &mut [f64]) {
    ln_1p_each(values);
}

both! { ln_each = ln_body(values: &mut [f64]) }
both! { ln_1p_each = ln_1p_body(values: &mut [f64]) }

#[inline(always)]
fn ln_body<const FUSED: bool>(values: &mut [f64]) {
    for block in values.chunks_mut(BLOCK) {
        map(block, ln, f64::ln);
    }
}

/// ln u + (x − (u − 1)) / u with u = 1 + x: what rounding u lost is the second term.
#[inline(always)]
fn ln_1p_body<const FUSED: bool>(values: &mut [f64]) {
    let whole = |x: f64| {
        let u = 1.0 + x;
        ln(u) + (x - (u - 1.0)) / u
    };
    for block in values.chunks_mut(BLOCK) {
        map(block, whole, f64::ln_1p);
    }
}

/// `usual` of each number of a block that is all positive, normal and finite, else `any`.
#[inline(always)]
fn map(block: &mut [f64], usual: impl Fn(f64) -> f64, any: impl Fn(f64) -> f64) {
    // Bits of such numbers lie between; & and not &&, for vectors.
    let plain = block.iter().fold(true, |plain, value| plain & (*value >= f64::MIN_POSITIVE) & (*value <= f64::MAX));
    if plain {
        block.iter_mut().for_each(|value| *value = usual(*value));
    } else {
        for value in block {
            *value = if *value >= f64::MIN_POSITIVE && *value <= f64::MAX { usual(*value) } else { any(*value) };
        }
    }
}

/// Of a positive, normal, finite number.
#[inline(always)]
fn ln(x: f64) -> f64 {
    let bits = x.to_bits().wrapping_add(ONE - ROOT);
    let k = f64::from_bits(WHOLE | bits >> 52) - (f64::from_bits(WHOLE) + 1023.0);
    let f = f64::from_bits((bits & MANTISSA) + ROOT) - 1.0;
    let half = 0.5 * f * f;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w * (EVEN[0] + w * (EVEN[1] + w * EVEN[2]));
    let odd = z * (ODD[0] + w * (ODD[1] + w * (ODD[2] + w * ODD[3])));
    s * (half + (even + odd)) + k * LN_2[1] - half + f + k * LN_2[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers over the whole range, thickest around one.
    fn numbers() -> Vec<f64> {
        let mut state = 1_u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut found: Vec<f64> = (0..40_000).map(|_| (1400.0 * (draw() - 0.5)).exp()).collect();
        found.extend((0..40_000).map(|_| 0.5 + 1.5 * draw()));
        found.extend((0..40_000).map(|_| (1e-3 * (draw() - 0.5)).exp()));
        found
    }

    fn units_apart(found: f64, exact: f64) -> u64 {
        found.to_bits().abs_diff(exact.to_bits())
    }

    #[test]
    fn within_a_unit_of_the_library_everywhere() {
        let numbers = numbers();
        let (mut logarithms, mut more) = (numbers.clone(), numbers.clone());
        ln_all(&mut logarithms);
        ln_1p_all(&mut more);
        for ((x, logarithm), more) in numbers.iter().zip(&logarithms).zip(&more) {
            assert!(units_apart(*logarithm, x.ln()) <= 1, "ln {x:e} is {logarithm:e}");
            assert!(units_apart(*more, x.ln_1p()) <= 2, "ln(1 + {x:e}) is {more:e}");
        }
    }

    #[test]
    fn each_number_by_itself() {
        let numbers = &numbers()[39_900..40_100];
        let mut all = numbers.to_vec();
        // A block that holds a number of the other kind.
        all[70] = f64::NAN;
        ln_all(&mut all);
        for (at, (x, found)) in numbers.iter().zip(&all).enumerate().filter(|(at, _)| *at != 70) {
            let mut alone = [*x];
            ln_all(&mut alone);
            assert_eq!(alone[0].to_bits(), found.to_bits(), "{at}");
            assert_eq!(alone[0].to_bits(), ln(*x).to_bits(), "{at}");
        }
        assert!(all[70].is_nan());
    }

    #[test]
    fn edges() {
        for (x, wanted) in [(0.0, f64::NEG_INFINITY), (1.0, 0.0), (f64::INFINITY, f64::INFINITY), (5e-324, 5e-324_f64.ln())] {
            let mut found = [x];
            ln_all(&mut found);
            assert_eq!(found[0], wanted, "{x}");
        }
        let mut none = [-1.0, f64::NAN];
        ln_all(&mut none);
        assert!(none.iter().all(|value| value.is_nan()));
        let mut small = [0.0, 1e-300, 1e-17];
        ln_1p_all(&mut small);
        assert_eq!(small, [0.0, 1e-300, 1e-17]);
    }
}

//! The exponential and what is made of it, one number at a time, without branches, so that the compiler makes vectors of it.
//!
//! e^x = 2^n · e^r with |r| ≤ ln 2 / 2 and a polynomial of degree 6; below the least normal number the result is zero.
//! Polynomials are least-maximum fits. Bounds, tested over the whole range against 64 bits, in units of the result:
//! `exp` 2e-7, `exp2` 3e-7; `sigmoid`, `tanh`, `softplus` 4e-7; the normal distribution 3e-7 of its range. Not-a-number stays so.

use crate::kernel::raw::fused;

/// 1.5 · 2²³: a number that is added to it is rounded to a whole one, which its low bits then hold.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts; the first has few bits, so that its multiples are exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
const EXP: [f32; 7] = [0.001_383_684_5, 0.008_374_818, 0.041_668_225, 0.166_664_2, 0.499_999_9, 1.0, 1.0];
const EXP_2: [f32; 6] = [0.001_333_353_9, 0.009_666_245, 0.055_505_004, 0.240_223_51, std::f32::consts::LN_2, 1.0];
/// artanh(s) / s in s² up to 1/9.
const ARTANH: [f32; 5] = [0.140_891_67, 0.139_803_02, 0.200_124_55, 0.333_331_58, 1.0];
/// (tanh(x) - x) / x³ in x² up to 0.625² (Moshier's Cephes).
const TANH: [f32; 5] = [-5.704_988_7e-3, 2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1];
/// erf on ±4 is an odd over an even polynomial (the coefficients of Eigen's `perf`).
const ERF_ODD: [f32; 7] = [-2.726_142_3e-10, 2.770_681_4e-8, -2.101_024e-6, -5.692_506_6e-5, -7.349_906_4e-4, -2.954_6e-3, -1.609_603_3e-2];
const ERF_EVEN: [f32; 5] = [-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329_3e-3, -1.426_474e-2];

#[inline(always)]
fn horner<const FUSED: bool, const N: usize>(coefficients: [f32; N], x: f32) -> f32 {
    let mut sum = coefficients[0];
    for next in &coefficients[1..] {
        sum = fused::<FUSED>(sum, x, *next);
    }
    sum
}

/// 2^n of the whole number n that adding [`ROUND`] has left in `rounded`, n > -127.
#[inline(always)]
fn power(rounded: f32) -> f32 {
    f32::from_bits(rounded.to_bits().wrapping_add(127) << 23)
}

/// e^x for x ≤ 88.
#[inline(always)]
pub(crate) fn exp<const FUSED: bool>(x: f32) -> f32 {
    let rounded = fused::<FUSED>(x, std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = fused::<FUSED>(n, -LN_2[1], fused::<FUSED>(n, -LN_2[0], x));
    let value = horner::<FUSED, 7>(EXP, r) * power(rounded);
    if x < -87.3 { 0.0 } else { value }
}

/// 2^x for x ≤ 127.
#[inline(always)]
pub(crate) fn exp2<const FUSED: bool>(x: f32) -> f32 {
    let rounded = x + ROUND;
    let r = x - (rounded - ROUND);
    let value = horner::<FUSED, 6>(EXP_2, r) * power(rounded);
    if x < -126.0 { 0.0 } else { value }
}

/// 1 / (1 + e^-x), exact in both tails.
#[inline(always)]
pub(crate) fn sigmoid<const FUSED: bool>(x: f32) -> f32 {
    let e = exp::<FUSED>(-x.abs());
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

/// Hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh<const FUSED: bool>(x: f32) -> f32 {
    let (size, square) = (x.abs(), x * x);
    let e = exp::<FUSED>(-2.0 * size);
    let far = ((1.0 - e) / (1.0 + e)).copysign(x);
    let near = fused::<FUSED>(horner::<FUSED, 5>(TANH, square) * square, x, x);
    if size < 0.625 { near } else { far }
}

/// ln(1 + e^x).
#[inline(always)]
pub(crate) fn softplus<const FUSED: bool>(x: f32) -> f32 {
    let e = exp::<FUSED>(-x.abs());
    let s = e / (2.0 + e);
    let rest = 2.0 * s * horner::<FUSED, 5>(ARTANH, s * s);
    (if x < 0.0 { 0.0 } else { x }) + rest
}

/// Φ(x), the normal distribution function.
#[inline(always)]
pub(crate) fn normal<const FUSED: bool>(x: f32) -> f32 {
    let x = (x * std::f32::consts::FRAC_1_SQRT_2).clamp(-4.0, 4.0);
    let square = x * x;
    let erf = x * horner::<FUSED, 7>(ERF_ODD, square) / horner::<FUSED, 5>(ERF_EVEN, square);
    fused::<FUSED>(erf, 0.5, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest difference of `ours` from `exact` over ±`range`, relative to `unit(exact)`.
    fn worst(range: f32, ours: [fn(f32) -> f32; 2], exact: fn(f64) -> f64, unit: fn(f64) -> f64) -> f64 {
        let points = (-400_000i32..=400_000).map(|step| step as f32 / 400_000.0 * range);
        let error = |x: f32, f: fn(f32) -> f32| (f64::from(f(x)) - exact(f64::from(x))).abs() / unit(exact(f64::from(x))).max(1e-37);
        points.flat_map(|x| ours.map(|f| error(x, f))).fold(0.0, f64::max)
    }

    #[test]
    fn every_function_keeps_its_bound() {
        let own = f64::abs;
        assert!(worst(87.0, [exp::<true>, exp::<false>], f64::exp, own) < 2e-7);
        assert!(worst(125.0, [exp2::<true>, exp2::<false>], f64::exp2, own) < 3e-7);
        assert!(worst(80.0, [sigmoid::<true>, sigmoid::<false>], |x| 1.0 / (1.0 + (-x).exp()), own) < 4e-7);
        assert!(worst(12.0, [tanh::<true>, tanh::<false>], f64::tanh, own) < 4e-7);
        assert!(worst(80.0, [softplus::<true>, softplus::<false>], |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), own) < 4e-7);
        let phi = |x: f64| 0.5 * (1.0 + candle_core::cpu::erf::erf_f64(x * std::f64::consts::FRAC_1_SQRT_2));
        assert!(worst(8.0, [normal::<true>, normal::<false>], phi, |_| 1.0) < 3e-7);
    }

    #[test]
    fn the_edges_are_exact() {
        assert_eq!([exp::<true>(0.0), exp2::<true>(0.0), exp::<true>(f32::NEG_INFINITY), exp2::<true>(-127.0)], [1.0, 1.0, 0.0, 0.0]);
        assert_eq!([sigmoid::<true>(f32::INFINITY), sigmoid::<true>(f32::NEG_INFINITY), tanh::<true>(f32::NEG_INFINITY)], [1.0, 0.0, -1.0]);
        assert_eq!([softplus::<true>(f32::NEG_INFINITY), softplus::<true>(100.0)], [0.0, 100.0]);
        for function in [exp::<true>, exp2::<true>, sigmoid::<true>, tanh::<true>, softplus::<true>, normal::<true>] {
            assert!(function(f32::NAN).is_nan());
        }
    }
}

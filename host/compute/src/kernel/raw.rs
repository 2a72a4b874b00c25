//! The only unsafe code of the crate: the choice of instruction set, the inner loop of the packed product in AVX2, and the
//! call of `matrixmultiply`.
//!
//! [`both!`] compiles one safe function body twice, plain and with AVX2 + FMA, and picks at run time. The body is
//! ordinary Rust that the compiler vectorises; its constant parameter says whether a fused multiply-add is one
//! instruction (without one, `mul_add` would be a slow library call). Invariant: the two versions differ only by
//! rounding, and one machine always takes the same one.

use crate::kernel::matmul::LANES;

/// Defines `fn $name(args)` that runs `$body::<FUSED>(args)` with the best instructions this processor has.
macro_rules! both {
    ($(#[$doc:meta])* $name:ident = $body:ident($($arg:ident: $kind:ty),* $(,)?)) => {
        $(#[$doc])*
        pub(crate) fn $name($($arg: $kind),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn wide($($arg: $kind),*) {
                    $body::<true>($($arg),*);
                }
                if crate::kernel::raw::has_wide() {
                    #[expect(unsafe_code, reason = "has_wide() has just found AVX2 and FMA, all that `wide` needs")]
                    return unsafe { wide($($arg),*) };
                }
            }
            $body::<false>($($arg),*);
        }
    };
}
pub(crate) use both;

/// This processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_wide() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

/// a·b + c, fused where that is one instruction.
#[inline(always)]
pub(crate) fn fused<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// sums [row][panel][lane] += Σ_k lines[row][k] · panels[panel][k][lane], in the order of k.
///
/// With `FUSED` and AVX2 the sums stay in registers (the compiler does not find that by itself); else plain Rust.
#[inline(always)]
pub(crate) fn accumulate<const FUSED: bool, const ROWS: usize, const PANELS: usize>(
    lines: [&[f32]; ROWS],
    panels: [&[f32]; PANELS],
    sums: &mut [[[f32; LANES]; PANELS]; ROWS],
) {
    let depth = lines[0].len();
    assert!(lines.iter().all(|line| line.len() == depth) && panels.iter().all(|panel| panel.len() == depth * LANES), "lengths agree");
    #[cfg(target_arch = "x86_64")]
    if FUSED && has_wide() {
        #[expect(unsafe_code, reason = "has_wide() has just found AVX2 and FMA; the assertion above holds the lengths")]
        return unsafe { accumulate_wide(lines, panels, depth, sums) };
    }
    for k in 0..depth {
        for (line, sums) in lines.iter().zip(&mut *sums) {
            for (panel, sum) in panels.iter().zip(sums) {
                let weights = &panel[k * LANES..][..LANES];
                sum.iter_mut().zip(weights).for_each(|(sum, weight)| *sum = fused::<FUSED>(line[k], *weight, *sum));
            }
        }
    }
}

/// Needs AVX2 and FMA, lines of `depth` and panels of `depth * LANES` numbers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
#[inline]
#[expect(unsafe_code, reason = "unchecked reads at k < depth, which the caller has compared with every length")]
unsafe fn accumulate_wide<const ROWS: usize, const PANELS: usize>(
    lines: [&[f32]; ROWS],
    panels: [&[f32]; PANELS],
    depth: usize,
    sums: &mut [[[f32; LANES]; PANELS]; ROWS],
) {
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps};
    const HALF: usize = LANES / 2;
    let mut wide = [[[_mm256_setzero_ps(); 2]; PANELS]; ROWS];
    for r in 0..ROWS {
        for p in 0..PANELS {
            let sum = sums[r][p].as_ptr();
            wide[r][p] = unsafe { [_mm256_loadu_ps(sum), _mm256_loadu_ps(sum.add(HALF))] };
        }
    }
    for k in 0..depth {
        for p in 0..PANELS {
            let weights = unsafe { panels[p].as_ptr().add(k * LANES) };
            let (low, high) = unsafe { (_mm256_loadu_ps(weights), _mm256_loadu_ps(weights.add(HALF))) };
            for r in 0..ROWS {
                let value = _mm256_set1_ps(unsafe { *lines[r].get_unchecked(k) });
                wide[r][p][0] = _mm256_fmadd_ps(value, low, wide[r][p][0]);
                wide[r][p][1] = _mm256_fmadd_ps(value, high, wide[r][p][1]);
            }
        }
    }
    for r in 0..ROWS {
        for p in 0..PANELS {
            let sum = sums[r][p].as_mut_ptr();
            unsafe {
                _mm256_storeu_ps(sum, wide[r][p][0]);
                _mm256_storeu_ps(sum.add(HALF), wide[r][p][1]);
            }
        }
    }
}

/// C [m, n] = Aᵀ·B for row-major A [k, m] and B [k, n]: the gradient of a weight from its input and output gradient.
pub(crate) fn transposed_product(a: &[f32], b: &[f32], c: &mut [f32], [m, k, n]: [usize; 3]) {
    assert!(a.len() >= k * m && b.len() >= k * n && c.len() >= m * n, "the slices hold the matrices");
    let stride = |length: usize| isize::try_from(length).expect("a slice is shorter than isize::MAX");
    #[expect(unsafe_code, reason = "the assertion above keeps every row·stride + column inside its slice; c is not aliased")]
    unsafe {
        let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
        matrixmultiply::sgemm(m, k, n, 1.0, a, 1, stride(m), b, stride(n), 1, 0.0, c, stride(n), 1);
    }
}

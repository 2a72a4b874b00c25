//! The only unsafe code of the crate, here and in the folder of this name: the choice of instruction set, the register tile
//! every product of matrices is made of, and the square that transposes in registers.
//!
//! [`both!`] compiles one safe function body for AVX-512, for AVX2 with FMA and plain, and picks at run time. The body is
//! ordinary Rust that the compiler vectorises; its constant parameter says whether a fused multiply-add is one
//! instruction (without one, `mul_add` would be a slow library call). A [`Tile`] is written out for each width, since the
//! compiler does not keep its sums in registers by itself. Invariant: every version does the same operations on each
//! number in the same order; with fused multiply-adds the bits agree, without them rounding differs. One machine always
//! takes the same version.

mod tile;
pub(crate) mod turn;

#[cfg(test)]
pub(crate) use tile::halves;
pub(crate) use tile::{Left, Origin, PANELS, Panels, Repeat, Right, Tile, most_rows, pair, tiles};

/// Columns per panel: one register of AVX-512, two of AVX2.
pub(crate) const LANES: usize = 16;

/// Without AVX: AArch64 always has a fused multiply-add.
pub(crate) const PLAIN_FUSED: bool = cfg!(target_arch = "aarch64");

/// Defines `fn $name(args)` that runs `$body::<FUSED>(args)` with the best instructions this processor has.
macro_rules! both {
    ($(#[$doc:meta])* $name:ident = $body:ident($($arg:ident: $kind:ty),* $(,)?)) => {
        $(#[$doc])*
        pub(crate) fn $name($($arg: $kind),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
                fn widest($($arg: $kind),*) {
                    $body::<true>($($arg),*);
                }
                #[target_feature(enable = "avx2,fma")]
                fn wide($($arg: $kind),*) {
                    $body::<true>($($arg),*);
                }
                if crate::kernel::raw::has_widest() {
                    #[expect(unsafe_code, reason = "has_widest() has just found all that `widest` needs")]
                    return unsafe { widest($($arg),*) };
                }
                if crate::kernel::raw::has_wide() {
                    #[expect(unsafe_code, reason = "has_wide() has just found AVX2 and FMA, all that `wide` needs")]
                    return unsafe { wide($($arg),*) };
                }
            }
            $body::<{ crate::kernel::raw::PLAIN_FUSED }>($($arg),*);
        }
    };
}
pub(crate) use both;

pub(crate) use crate::kernel::matmul::transposed_product;

/// This processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn has_wide() -> bool {
    level() >= 2
}

/// This processor has the parts of AVX-512 that all but the first processors with it have.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn has_widest() -> bool {
    level() >= 3
}

/// This processor has AVX-512's products of bf16 as well.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn has_pairs() -> bool {
    level() >= 4
}

/// Why this processor has no products of bf16, for a person; none: it has.
pub(crate) fn without_pairs() -> Option<&'static str> {
    #[cfg(target_arch = "x86_64")]
    return (!has_pairs()).then_some("this processor lacks AVX512-BF16");
    #[cfg(not(target_arch = "x86_64"))]
    Some("this processor lacks AVX512-BF16, which only x86-64 has")
}

/// 1 plain, 2 AVX2, 3 AVX-512, 4 with BF16. Asked before every tile, so the answer of the seven questions is kept.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn level() -> u8 {
    use std::sync::atomic::{AtomicU8, Ordering};
    static KNOWN: AtomicU8 = AtomicU8::new(0);
    #[cold]
    fn ask() -> u8 {
        use std::arch::is_x86_feature_detected as has;
        let wide = has!("avx2") && has!("fma");
        let widest = wide && has!("avx512f") && has!("avx512vl") && has!("avx512bw") && has!("avx512dq");
        let pairs = widest && has!("avx512bf16");
        let level = 1 + u8::from(wide) + u8::from(widest) + u8::from(pairs);
        KNOWN.store(level, Ordering::Relaxed);
        level
    }
    match KNOWN.load(Ordering::Relaxed) {
        0 => ask(),
        known => known,
    }
}

/// a·b + c, fused where that is one instruction.
#[inline(always)]
pub(crate) fn fused<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Asks for values to be brought to the second cache, so that reading them soon need not wait.
#[inline]
pub(crate) fn prefetch(values: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in values.chunks(LANES) {
        #[expect(unsafe_code, reason = "a prefetch reads nothing the program can see, and SSE is part of x86-64")]
        unsafe {
            std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(line.as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}

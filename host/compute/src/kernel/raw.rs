//! The only unsafe code of the crate: the choice of instruction set, and the call of `matrixmultiply`.
//!
//! [`both!`] compiles one safe function body twice, plain and with AVX2 + FMA, and picks at run time. The body is
//! ordinary Rust that the compiler vectorises; its constant parameter says whether a fused multiply-add is one
//! instruction (without one, `mul_add` would be a slow library call). Invariant: the two versions differ only by
//! rounding, and one machine always takes the same one.

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

//! The time, for plugins that were granted one (`wants.clock`). Prefer times passed as arguments: they can be replayed.

/// Milliseconds since 1970-01-01T00:00:00Z. Natively what `testing::set_now_ms` set, else 0.
pub fn now_ms() -> i64 {
    #[cfg(target_family = "wasm")]
    return crate::bindings::shared::bellwether::host::clock::now_ms();
    #[cfg(not(target_family = "wasm"))]
    return crate::testing::now_ms();
}

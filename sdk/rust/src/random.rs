//! Seeded randomness (ChaCha8). The host seeds it per call, from the job's seed: the same call draws the same numbers.
//!
//! Natively another generator with a fixed seed per thread: good for tests of a plugin's logic, not the host's numbers.

/// Numbers drawn in one call.
const LIMIT: usize = 131_072;

/// `count` numbers uniform in [0, 1).
pub fn uniform(count: usize) -> Vec<f64> {
    draw(count, source::uniform)
}

/// `count` standard normal numbers.
pub fn normal(count: usize) -> Vec<f64> {
    draw(count, source::normal)
}

fn draw(count: usize, source: fn(u32) -> Vec<f64>) -> Vec<f64> {
    let mut numbers = Vec::with_capacity(count);
    while numbers.len() < count {
        let part = (count - numbers.len()).min(LIMIT);
        numbers.extend(source(part as u32));
    }
    numbers
}

#[cfg(target_family = "wasm")]
use crate::bindings::shared::bellwether::host::random as source;

#[cfg(not(target_family = "wasm"))]
mod source {
    //! SplitMix64 (Steele, Lea and Flood 2014) and Box-Muller.
    use std::cell::Cell;

    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(42) };
    }

    fn next() -> f64 {
        let state = STATE.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        STATE.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(super) fn uniform(count: u32) -> Vec<f64> {
        (0..count).map(|_| next()).collect()
    }

    pub(super) fn normal(count: u32) -> Vec<f64> {
        (0..count).map(|_| (-2.0 * (1.0 - next()).ln()).sqrt() * (std::f64::consts::TAU * next()).cos()).collect()
    }
}

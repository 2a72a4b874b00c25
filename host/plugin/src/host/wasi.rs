//! The WASI of guests that import one: nothing in it. No files, arguments, environment, network or standard streams; the
//! civil time stands still unless the clock was granted; the other clock counts how often it was read, unless HTTP was
//! granted, for which waiting times must be real; randomness comes from the call's seed, so that a guest whose
//! language draws some for its hash maps still gives the same answer to the same arguments.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wasmtime_wasi::random::Deterministic;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx};

/// Bytes of seeded randomness before it repeats. What needs more has `bellwether:host/random`.
const RANDOM: usize = 4 << 10;

/// Most random bytes a guest is given at once.
const RANDOM_AT_ONCE: u64 = 64 << 10;

/// The host's clock, or one that stands at 1970-01-01T00:00:00Z.
struct CivilTime(Option<fn() -> i64>);

impl HostWallClock for CivilTime {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.map_or(0, |now| u64::try_from(now()).unwrap_or(0)))
    }
}

/// A clock that goes on by a microsecond with each reading: it never stands still, and every call sees the same times.
#[derive(Default)]
struct Readings(AtomicU64);

impl HostMonotonicClock for Readings {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        self.0.fetch_add(1_000, Ordering::Relaxed)
    }
}

/// WASI for one call; `now_ms` is the clock if it was granted; `real_waits` gives it the time that waiting takes.
pub(crate) fn empty(seed: u64, now_ms: Option<fn() -> i64>, real_waits: bool) -> WasiCtx {
    let bytes = |stream: u64| {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        dice.set_stream(stream);
        let mut bytes = vec![0; RANDOM];
        dice.fill_bytes(&mut bytes);
        bytes
    };
    let mut builder = WasiCtx::builder();
    if !real_waits {
        builder.monotonic_clock(Readings::default());
    }
    builder
        .wall_clock(CivilTime(now_ms))
        .secure_random(Deterministic::new(bytes(1)))
        .insecure_random(Deterministic::new(bytes(2)))
        .insecure_random_seed(u128::from(seed))
        .max_random_size(RANDOM_AT_ONCE)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_without_a_grant_counts_its_readings() {
        let clock = Readings::default();
        assert_eq!([clock.now(), clock.now(), clock.now()], [0, 1_000, 2_000]);
    }

    #[test]
    fn the_time_stands_still_unless_granted() {
        assert_eq!(CivilTime(None).now(), Duration::ZERO);
        assert_eq!(CivilTime(Some(|| 1_733_400_000_000)).now(), Duration::from_secs(1_733_400_000));
        assert_eq!(CivilTime(Some(|| -5)).now(), Duration::ZERO);
    }
}

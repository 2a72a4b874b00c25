//! Waiting for something to become true, with a bound: the one place where tests pause.

use std::thread;
use std::time::{Duration, Instant};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until `look` gives something, and returns it.
///
/// # Panics
/// When `limit` has passed; the message is `what`.
#[track_caller]
pub fn eventually<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < limit, "{what}: not within {limit:?}");
        breathe();
    }
}

/// Leaves the processor to whoever is being waited for.
pub(crate) fn breathe() {
    thread::sleep(PAUSE);
}

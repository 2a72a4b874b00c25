//! The circuit breaker of one plugin instance: after so many faults in a row its calls are refused for a while.
//!
//! Pauses double from one second to five minutes. When one is over, a single call may try (half-open): if it succeeds the
//! breaker closes, if it fails the next pause is twice as long. Only faults of the plugin count (trap, time-out, limit,
//! bad answer); an error the guest answered is an answer. All state is atomics: it sits on every call's path.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const FIRST_PAUSE_MS: u64 = 1_000;
const LONGEST_PAUSE_MS: u64 = 300_000;

/// Counts faults in a row and pauses.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// Faults in a row that open it.
    bound: u32,
    /// Milliseconds below are since this instant.
    epoch: Instant,
    in_a_row: AtomicU32,
    /// End of the pause; 0 while closed.
    until_ms: AtomicU64,
    /// Pauses since the last success.
    pauses: AtomicU32,
    /// A call is trying whether the plugin has recovered.
    probing: AtomicBool,
}

/// Leave to make one call. Dropped without a verdict (the call was cancelled), it only gives the probe back.
#[derive(Debug)]
pub(crate) struct Leave {
    breaker: Arc<Breaker>,
    probe: bool,
}

impl Breaker {
    pub(crate) fn new(bound: u32) -> Arc<Breaker> {
        Arc::new(Breaker {
            bound,
            epoch: Instant::now(),
            in_a_row: AtomicU32::new(0),
            until_ms: AtomicU64::new(0),
            pauses: AtomicU32::new(0),
            probing: AtomicBool::new(false),
        })
    }

    /// Leave for a call at `now`; else the seconds still to wait, at least 1.
    pub(crate) fn admit(self: &Arc<Self>, now: Instant) -> Result<Leave, u64> {
        let until = self.until_ms.load(Ordering::Acquire);
        if until == 0 {
            return Ok(Leave { breaker: self.clone(), probe: false });
        }
        let now = self.since_epoch(now);
        if now < until {
            return Err((until - now).div_ceil(1_000));
        }
        if self.probing.swap(true, Ordering::AcqRel) { Err(1) } else { Ok(Leave { breaker: self.clone(), probe: true }) }
    }

    /// Seconds of pause left at `now`; none when calls are admitted.
    pub(crate) fn paused(&self, now: Instant) -> Option<u64> {
        let until = self.until_ms.load(Ordering::Acquire);
        let now = self.since_epoch(now);
        (now < until).then(|| (until - now).div_ceil(1_000))
    }

    fn since_epoch(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.epoch).as_millis()).unwrap_or(u64::MAX)
    }

    fn open(&self, now: Instant) {
        let pauses = self.pauses.fetch_add(1, Ordering::AcqRel);
        let pause = FIRST_PAUSE_MS.saturating_mul(1 << pauses.min(20)).min(LONGEST_PAUSE_MS);
        self.in_a_row.store(0, Ordering::Release);
        self.until_ms.store(self.since_epoch(now + Duration::from_millis(pause)).max(1), Ordering::Release);
    }
}

impl Leave {
    /// The call did what it should, or answered an error of its own.
    pub(crate) fn succeeded(self) {
        self.breaker.in_a_row.store(0, Ordering::Release);
        if self.probe {
            self.breaker.pauses.store(0, Ordering::Release);
            self.breaker.until_ms.store(0, Ordering::Release);
        }
    }

    /// The plugin was at fault. True when that opened the breaker.
    pub(crate) fn failed(self, now: Instant) -> bool {
        let in_a_row = self.breaker.in_a_row.fetch_add(1, Ordering::AcqRel) + 1;
        // Calls admitted before the breaker opened may fail after it: they must not lengthen the pause.
        if self.probe || (in_a_row >= self.breaker.bound && self.breaker.paused(now).is_none()) {
            self.breaker.open(now);
            return true;
        }
        false
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.probing.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_after_faults_in_a_row_and_doubles() {
        let breaker = Breaker::new(3);
        let at = |ms: u64| breaker.epoch + Duration::from_millis(ms);
        for _ in 0..2 {
            assert!(!breaker.admit(at(0)).expect("closed").failed(at(0)));
        }
        breaker.admit(at(0)).expect("closed").succeeded();
        let opened: Vec<bool> = (0..3).map(|_| breaker.admit(at(0)).expect("a success starts the count anew").failed(at(0))).collect();
        assert_eq!(opened, [false, false, true]);
        assert_eq!(breaker.admit(at(1)).expect_err("open"), 1);
        assert_eq!(breaker.paused(at(1)), Some(1));

        let probe = breaker.admit(at(1_000)).expect("half-open");
        assert_eq!(breaker.admit(at(1_000)).expect_err("one probe at a time"), 1);
        probe.failed(at(1_000));
        assert_eq!(breaker.admit(at(1_000)).expect_err("twice as long"), 2);

        drop(breaker.admit(at(3_000)).expect("half-open"));
        breaker.admit(at(3_000)).expect("a cancelled probe is given back").succeeded();
        breaker.admit(at(3_000)).expect("closed").succeeded();
    }

    #[test]
    fn a_pause_never_exceeds_five_minutes() {
        let breaker = Breaker::new(1);
        let mut now = breaker.epoch;
        for _ in 0..40 {
            breaker.admit(now).expect("pause is over").failed(now);
            let wait = breaker.paused(now).expect("paused");
            assert!(wait <= 300, "{wait}");
            now += Duration::from_secs(wait);
        }
        assert_eq!(breaker.paused(now), None);
    }

    #[test]
    fn stragglers_do_not_lengthen_a_pause() {
        let breaker = Breaker::new(1);
        let now = breaker.epoch;
        let (first, second) = (breaker.admit(now).expect("closed"), breaker.admit(now).expect("closed"));
        first.failed(now);
        second.failed(now);
        assert_eq!(breaker.paused(now), Some(1));
    }
}

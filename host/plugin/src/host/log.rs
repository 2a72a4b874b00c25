//! `bellwether:host/log`: a guest's lines in the host's log, under the plugin's name, so many a second and no more.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use crate::bindings::base::bellwether::host::log::{Host, Level};
use crate::state::State;
use crate::text::{cut, printable};

/// Longest line, in bytes.
const LINE: usize = 4 << 10;

/// Counts lines per second; the seconds are those since the instance was loaded.
#[derive(Debug)]
pub(crate) struct LogGate {
    bound: u32,
    epoch: Instant,
    second: AtomicU64,
    lines: AtomicU32,
    dropped: AtomicU64,
}

impl LogGate {
    pub(crate) fn new(bound: u32) -> LogGate {
        LogGate { bound, epoch: Instant::now(), second: AtomicU64::new(0), lines: AtomicU32::new(0), dropped: AtomicU64::new(0) }
    }

    /// Whether a line may pass at `now`; with it, how many were dropped since the last that passed.
    fn pass(&self, now: Instant) -> Option<u64> {
        let second = now.saturating_duration_since(self.epoch).as_secs();
        if self.second.swap(second, Ordering::AcqRel) != second {
            self.lines.store(0, Ordering::Release);
        }
        if self.lines.fetch_add(1, Ordering::AcqRel) < self.bound {
            return Some(self.dropped.swap(0, Ordering::AcqRel));
        }
        self.dropped.fetch_add(1, Ordering::AcqRel);
        None
    }
}

impl Host for State {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.host_calls.one_more()?;
        let line = printable(&cut(&message, LINE));
        let name = self.identity.name.as_str();
        if let Some(dropped) = self.identity.log.pass(Instant::now()) {
            if dropped > 0 {
                tracing::warn!(plugin.name = name, "{dropped} log lines above the limit were dropped");
            }
            match level {
                Level::Trace => tracing::trace!(plugin.name = name, "{line}"),
                Level::Debug => tracing::debug!(plugin.name = name, "{line}"),
                Level::Info => tracing::info!(plugin.name = name, "{line}"),
                Level::Warn => tracing::warn!(plugin.name = name, "{line}"),
                Level::Error => tracing::error!(plugin.name = name, "{line}"),
            }
        }
        if level == Level::Error {
            self.last_words = Some(line);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn lines_above_the_bound_are_counted_and_dropped() {
        let gate = LogGate::new(2);
        let at = |ms| gate.epoch + Duration::from_millis(ms);
        assert_eq!((gate.pass(at(0)), gate.pass(at(1)), gate.pass(at(2)), gate.pass(at(999))), (Some(0), Some(0), None, None));
        assert_eq!((gate.pass(at(1_000)), gate.pass(at(1_001))), (Some(2), Some(0)));
    }
}

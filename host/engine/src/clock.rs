//! The clock of the house: the one place that reads the time. Tests inject their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bellwether_domain::time::Timestamp;

/// Tells the time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Clock {
        Clock(Source::System)
    }

    /// A clock that stands until [`Clock::advance_ms`] moves it.
    pub fn standing_at(start: Timestamp) -> Clock {
        Clock(Source::Set(Arc::new(AtomicI64::new(start.0))))
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp(system_ms()),
            Source::Set(milliseconds) => Timestamp(milliseconds.load(Ordering::SeqCst)),
        }
    }

    /// Moves a standing clock; a system clock does not move.
    pub fn advance_ms(&self, by: i64) {
        if let Source::Set(milliseconds) = &self.0 {
            milliseconds.fetch_add(by, Ordering::SeqCst);
        }
    }
}

/// Milliseconds since 1970 by the system's clock.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn system_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

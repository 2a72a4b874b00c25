//! What the calls of one instance came to: how many and how long, by function and outcome, and the last errors.
//!
//! Counting is a few atomic additions, because it lies on every call's path. Times fall into buckets that double, so that a
//! quantile is known to a factor of two from a microsecond to half a minute. An instance keeps its meter when its plugin is
//! loaded anew.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bellwether_domain::error::PluginFault;
use serde::Serialize;

use crate::text::{cut, printable};

/// Functions that are called, in every kind of plugin.
const FUNCTIONS: [&str; 13] =
    ["describe", "accepts", "baseline", "test", "start", "update", "handle", "next", "requires", "plan", "search-space", "fit", "predict"];

/// Upper ends of the buckets: 8 µs, 16 µs, ... 33.6 s; what lasts longer falls into one more.
const SHORTEST_US: u64 = 8;
const BUCKETS: usize = 23;

/// Errors that are remembered.
const ERRORS: usize = 20;

/// Longest message remembered, in bytes.
const MESSAGE: usize = 1 << 10;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// With an answer.
    Ok,
    /// With an error of the contract, or an answer that breaks it.
    Error,
    /// With a trap.
    Trap,
    /// At the end of its time.
    TimeOut,
    /// At a limit: memory, bytes, host calls.
    Limit,
    /// Before it began: the plugin is paused, or its queue is full.
    Refused,
}

/// One thing that went wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallError {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The function that was called.
    pub function: String,
    /// How the call ended.
    pub outcome: Outcome,
    /// What happened.
    pub message: String,
}

/// The calls of one function that ended in one way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallSeries {
    /// The function.
    pub function: String,
    /// How they ended.
    pub outcome: Outcome,
    /// How many.
    pub count: u64,
    /// Their time together.
    pub seconds: f64,
    /// Calls by time: (upper end in seconds, calls that took no longer), ascending; longer ones are in `count` alone.
    pub buckets: Vec<(f64, u64)>,
}

/// What the calls of one instance came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PluginMetrics {
    /// Calls that ended, by function and outcome; only what happened.
    pub calls: Vec<CallSeries>,
    /// Calls under way.
    pub running: u32,
    /// Calls that wait.
    pub waiting: u32,
    /// The last errors, newest first.
    pub errors: Vec<CallError>,
}

/// The newest call's share in [`Meter::usual`]: one part in so many.
const NEWEST: u64 = 8;

/// Counts of one function.
#[derive(Debug, Default)]
struct Function {
    outcomes: [Times; 6],
    /// Moving mean of how long calls ran, in nanoseconds; 0 before the first.
    usual_ns: AtomicU64,
}

#[derive(Debug, Default)]
struct Times {
    count: AtomicU64,
    microseconds: AtomicU64,
    buckets: [AtomicU64; BUCKETS],
}

/// Counts of one instance.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    functions: [OnceLock<Box<Function>>; FUNCTIONS.len()],
    calls: AtomicU64,
    faults: AtomicU64,
    running: AtomicU32,
    errors: Mutex<VecDeque<CallError>>,
}

impl Outcome {
    const ALL: [Outcome; 6] = [Outcome::Ok, Outcome::Error, Outcome::Trap, Outcome::TimeOut, Outcome::Limit, Outcome::Refused];

    /// As written in answers and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Error => "error",
            Outcome::Trap => "trap",
            Outcome::TimeOut => "time-out",
            Outcome::Limit => "limit",
            Outcome::Refused => "refused",
        }
    }

    pub(crate) fn of(fault: &PluginFault) -> Outcome {
        match fault {
            PluginFault::Trapped(_) => Outcome::Trap,
            PluginFault::TimedOut(_) => Outcome::TimeOut,
            PluginFault::OutOfMemory(_) | PluginFault::TooLarge(_) | PluginFault::TooManyCalls(_) | PluginFault::OutOfTables(_) => {
                Outcome::Limit
            }
            PluginFault::Paused(_) => Outcome::Refused,
            _ => Outcome::Error,
        }
    }
}

impl Meter {
    /// A call begins.
    pub(crate) fn began(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
    }

    /// A call that began is over, however it ended.
    pub(crate) fn left(&self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts a call that ended after `time`.
    pub(crate) fn count(&self, function: &str, outcome: Outcome, time: Duration) {
        let Some(place) = place(function) else { return };
        let function = self.functions[place].get_or_init(Box::default);
        let times = &function.outcomes[outcome as usize];
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        times.count.fetch_add(1, Ordering::Relaxed);
        times.microseconds.fetch_add(microseconds, Ordering::Relaxed);
        if let Some(bucket) = times.buckets.get(bucket(microseconds)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        if matches!(outcome, Outcome::Trap | Outcome::TimeOut | Outcome::Limit) {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A call of the function ran for `time`, waits before it not counted.
    pub(crate) fn took(&self, function: &str, time: Duration) {
        let Some(place) = place(function) else { return };
        let usual_ns = &self.functions[place].get_or_init(Box::default).usual_ns;
        let newest = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(NEWEST);
        // Two calls that end at once may lose one of their shares: it is only a mean.
        let before = usual_ns.load(Ordering::Relaxed);
        usual_ns.store(if before == 0 { newest } else { before - before / NEWEST + newest / NEWEST }, Ordering::Relaxed);
    }

    /// What a call of the function takes of late; none before the first.
    pub(crate) fn usual(&self, function: &str) -> Option<Duration> {
        let usual = self.functions[place(function)?].get()?.usual_ns.load(Ordering::Relaxed);
        (usual > 0).then(|| Duration::from_nanos(usual))
    }

    /// Counts a fault that is none of those that [`Meter::count`] knows by the outcome: an answer that breaks the contract.
    pub(crate) fn bad_answer(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
    }

    /// Remembers an error.
    pub(crate) fn remember(&self, at_ms: i64, function: &str, outcome: Outcome, message: &str) {
        let error = CallError { at_ms, function: function.to_owned(), outcome, message: cut(&printable(message), MESSAGE) };
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.push_front(error);
        errors.truncate(ERRORS);
    }

    /// Calls and faults so far.
    pub(crate) fn totals(&self) -> (u64, u64) {
        (self.calls.load(Ordering::Relaxed), self.faults.load(Ordering::Relaxed))
    }

    /// Everything that was counted; `waiting` is known elsewhere.
    pub(crate) fn read(&self, waiting: u32) -> PluginMetrics {
        let mut calls = Vec::new();
        for (name, function) in FUNCTIONS.iter().zip(&self.functions) {
            let Some(function) = function.get() else { continue };
            for (outcome, times) in Outcome::ALL.iter().zip(&function.outcomes) {
                calls.extend(times.read(name, *outcome));
            }
        }
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        PluginMetrics { calls, running: self.running.load(Ordering::Relaxed), waiting, errors }
    }
}

impl Times {
    fn read(&self, function: &str, outcome: Outcome) -> Option<CallSeries> {
        let count = self.count.load(Ordering::Relaxed);
        let mut so_far = 0;
        let upper = |place: usize| (SHORTEST_US << place) as f64 / 1e6;
        let buckets = self.buckets.iter().enumerate().map(|(place, calls)| {
            so_far += calls.load(Ordering::Relaxed);
            (upper(place), so_far)
        });
        let seconds = self.microseconds.load(Ordering::Relaxed) as f64 / 1e6;
        (count > 0).then(|| CallSeries { function: function.to_owned(), outcome, count, seconds, buckets: buckets.collect() })
    }
}

fn place(function: &str) -> Option<usize> {
    FUNCTIONS.iter().position(|known| *known == function)
}

/// The bucket of a time: the first whose upper end is not below it.
fn bucket(microseconds: u64) -> usize {
    let ends = microseconds.div_ceil(SHORTEST_US).max(1);
    (u64::BITS - (ends - 1).leading_zeros()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_buckets_that_double() {
        for (microseconds, expected) in [(0, 0), (8, 0), (9, 1), (16, 1), (17, 2), (32, 2), (33_554_432, 22), (33_554_433, 23)] {
            assert_eq!(bucket(microseconds), expected, "{microseconds} µs");
        }
        assert!(bucket(u64::MAX) >= BUCKETS);
    }

    #[test]
    fn calls_are_counted_by_function_and_outcome() {
        let meter = Meter::default();
        meter.began();
        meter.count("test", Outcome::Ok, Duration::from_micros(10));
        meter.count("test", Outcome::Ok, Duration::from_secs(60));
        meter.count("test", Outcome::Trap, Duration::from_micros(1));
        meter.count("no such function", Outcome::Ok, Duration::ZERO);
        let metrics = meter.read(3);
        assert_eq!((metrics.calls.len(), metrics.running, metrics.waiting, meter.totals()), (2, 1, 3, (1, 1)));
        let ok = &metrics.calls[0];
        assert_eq!((ok.function.as_str(), ok.outcome, ok.count), ("test", Outcome::Ok, 2));
        assert_eq!((ok.buckets[0], ok.buckets[1], ok.buckets[22].1), ((8e-6, 0), (16e-6, 1), 1), "a minute is beyond all buckets");
        assert!((ok.seconds - 60.000_01).abs() < 1e-9);
        meter.left();
        assert_eq!(meter.read(0).running, 0);
    }

    #[test]
    fn what_is_usual_follows_the_calls() {
        let meter = Meter::default();
        assert_eq!((meter.usual("test"), meter.usual("no such function")), (None, None));
        meter.took("test", Duration::from_micros(8));
        assert_eq!(meter.usual("test"), Some(Duration::from_micros(8)));
        // One that never ends is no longer quick; ten ordinary ones later it still is not.
        meter.took("test", Duration::from_secs(2));
        let usual = |meter: &Meter| meter.usual("test").expect("calls");
        assert!(usual(&meter) > Duration::from_millis(200), "{:?}", usual(&meter));
        (0..10).for_each(|_| meter.took("test", Duration::from_micros(8)));
        assert!(usual(&meter) > Duration::from_millis(1), "{:?}", usual(&meter));
        (0..100).for_each(|_| meter.took("test", Duration::from_micros(8)));
        assert!(usual(&meter) < Duration::from_micros(10), "{:?}", usual(&meter));
    }

    #[test]
    fn the_last_errors_are_remembered_and_cut() {
        let meter = Meter::default();
        for place in 0..50 {
            meter.remember(place, "handle", Outcome::Error, &"x".repeat(10_000));
        }
        let errors = meter.read(0).errors;
        assert_eq!((errors.len(), errors[0].at_ms, errors[19].at_ms), (20, 49, 30));
        assert!(errors[0].message.len() <= MESSAGE);
    }

    #[test]
    fn faults_have_their_outcome() {
        for (fault, expected) in [
            (PluginFault::Trapped(String::new()), Outcome::Trap),
            (PluginFault::TimedOut(1), Outcome::TimeOut),
            (PluginFault::OutOfMemory(1), Outcome::Limit),
            (PluginFault::TooManyCalls(1), Outcome::Limit),
            (PluginFault::Paused(1), Outcome::Refused),
            (PluginFault::BadAnswer(String::new()), Outcome::Error),
            (PluginFault::Answered(String::new(), String::new()), Outcome::Error),
        ] {
            assert_eq!(Outcome::of(&fault), expected, "{fault:?}");
        }
    }
}

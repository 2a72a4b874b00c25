//! Bounds in force for one plugin instance, and the store's own accountant for memory and tables.
//!
//! The accountant counts all memories of a store together (wasmtime's own counts each alone) and remembers what was
//! refused, so that a failed call is named by its cause and not by the trap that followed.

use std::time::Duration;

use bellwether_domain::{Error, Result};
use wasmtime::ResourceLimiter;

use crate::config::Ceiling;
use crate::manifest::WantedLimits;
use crate::size::{ByteSize, Span};

/// What one instance may use.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limits {
    /// Bytes of linear memory of one call.
    pub(crate) memory: u64,
    /// Time of one call.
    pub(crate) call_timeout: Duration,
    /// Time of one fit.
    pub(crate) fit_timeout: Duration,
    /// Bytes of one answer and of what one host call carries.
    pub(crate) output: u64,
    /// Calls at once.
    pub(crate) concurrency: u32,
    /// Calls that wait.
    pub(crate) queue: u32,
    /// Log lines a second.
    pub(crate) log_lines: u32,
    /// Calls of host functions in one call.
    pub(crate) host_calls: u64,
    /// Elements of all tables of one call together.
    pub(crate) table_elements: u32,
    /// Faults in a row before a pause.
    pub(crate) faults: u32,
}

impl Limits {
    /// The operator's word, else the author's wish, never above the ceiling.
    pub(crate) fn effective(ceiling: &Ceiling, wished: &WantedLimits, said: &WantedLimits) -> Limits {
        let memory = said.memory.or(wished.memory).unwrap_or(ceiling.memory).min(ceiling.memory);
        let call_timeout = said.call_timeout.or(wished.call_timeout).unwrap_or(ceiling.call_timeout).min(ceiling.call_timeout);
        let output = said.output.or(wished.output).unwrap_or(ceiling.output).min(ceiling.output);
        let concurrency = said.concurrency.or(wished.concurrency).unwrap_or(ceiling.concurrency).min(ceiling.concurrency);
        let queue = said.queue.or(wished.queue).unwrap_or(ceiling.queue).min(ceiling.queue);
        let log_lines = said.log_lines.or(wished.log_lines).unwrap_or(ceiling.log_lines).min(ceiling.log_lines);
        let host_calls = said.host_calls.or(wished.host_calls).unwrap_or(ceiling.host_calls).min(ceiling.host_calls);
        Limits {
            memory: memory.0,
            call_timeout: call_timeout.0,
            fit_timeout: ceiling.fit_timeout.0,
            output: output.0,
            concurrency: concurrency.max(1),
            queue,
            log_lines,
            host_calls,
            table_elements: ceiling.table_elements,
            faults: ceiling.faults,
        }
    }

    /// Calls of host functions in a call that may take `timeout`: as many times more as it has more time.
    pub(crate) fn host_calls_in(&self, timeout: Duration) -> u64 {
        let share = timeout.as_secs_f64() / self.call_timeout.as_secs_f64().max(1e-3);
        if share <= 1.0 { self.host_calls } else { (self.host_calls as f64 * share) as u64 }
    }

    /// For people.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "memory": ByteSize(self.memory).to_string(),
            "call_timeout": Span(self.call_timeout).to_string(),
            "fit_timeout": Span(self.fit_timeout).to_string(),
            "output": ByteSize(self.output).to_string(),
            "concurrency": self.concurrency,
            "queue": self.queue,
            "log_lines": self.log_lines,
            "host_calls": self.host_calls,
            "table_elements": self.table_elements,
            "faults": self.faults,
        })
    }
}

/// Refuses a ceiling under which nothing could run.
pub(crate) fn check_ceiling(ceiling: &Ceiling) -> Result<()> {
    let least = |name: &str, good: bool, why: &str| {
        if good { Ok(()) } else { Err(Error::invalid(format!("plugins.ceiling.{name}"), why)) }
    };
    least("memory", ceiling.memory.0 >= 1 << 20, "must be at least 1 MiB")?;
    least("memory", ceiling.memory.0 <= 4 << 30, "must be at most 4 GiB, the most a 32-bit component can address")?;
    least("call_timeout", !ceiling.call_timeout.0.is_zero(), "must be longer than zero")?;
    least("fit_timeout", !ceiling.fit_timeout.0.is_zero(), "must be longer than zero")?;
    least("output", ceiling.output.0 >= 64 << 10, "must be at least 64 KiB")?;
    least("concurrency", ceiling.concurrency >= 1, "must be at least 1")?;
    least("instances", (1..=4096).contains(&ceiling.instances), "must be 1 to 4096")?;
    least("host_calls", ceiling.host_calls >= 1_000, "must be at least 1000")?;
    least("table_elements", ceiling.table_elements >= 1_000, "must be at least 1000")?;
    least("compile_timeout", !ceiling.compile_timeout.0.is_zero(), "must be longer than zero")?;
    least("faults", ceiling.faults >= 1, "must be at least 1")
}

/// Counts what a store's guest has been given.
#[derive(Debug)]
pub(crate) struct Accountant {
    memory_bound: usize,
    memory: usize,
    tables_bound: usize,
    tables: usize,
    /// A growth of memory was refused.
    pub(crate) out_of_memory: bool,
    /// A growth of tables was refused.
    pub(crate) out_of_tables: bool,
}

impl Accountant {
    pub(crate) fn new(memory_bound: u64, tables_bound: u32) -> Accountant {
        Accountant {
            memory_bound: usize::try_from(memory_bound).unwrap_or(usize::MAX),
            memory: 0,
            tables_bound: tables_bound as usize,
            tables: 0,
            out_of_memory: false,
            out_of_tables: false,
        }
    }
}

impl Accountant {
    /// Bytes of memory the store's guest was given.
    pub(crate) fn memory(&self) -> u64 {
        self.memory as u64
    }
}

impl ResourceLimiter for Accountant {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let after = self.memory.saturating_add(desired.saturating_sub(current));
        // A growth past the memory's own declared maximum fails in the guest's own terms.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if after > self.memory_bound {
            self.out_of_memory = true;
            return Err(wasmtime::Error::msg(format!("memory of {after} bytes is above the limit of {} bytes", self.memory_bound)));
        }
        self.memory = after;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let after = self.tables.saturating_add(desired.saturating_sub(current));
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if after > self.tables_bound {
            self.out_of_tables = true;
            return Err(wasmtime::Error::msg(format!("tables of {after} elements are above the limit of {}", self.tables_bound)));
        }
        self.tables = after;
        Ok(true)
    }

    fn instances(&self) -> usize {
        256
    }

    fn tables(&self) -> usize {
        256
    }

    fn memories(&self) -> usize {
        16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effective_limits_stay_below_the_ceiling() {
        let ceiling = Ceiling::default();
        let wish = WantedLimits { memory: Some(ByteSize(1 << 40)), concurrency: Some(2), ..WantedLimits::default() };
        let said = WantedLimits { memory: None, output: Some(ByteSize(1 << 20)), ..WantedLimits::default() };
        let limits = Limits::effective(&ceiling, &wish, &said);
        assert_eq!(limits.memory, ceiling.memory.0);
        assert_eq!((limits.concurrency, limits.output), (2, 1 << 20));
        assert_eq!(limits.call_timeout, ceiling.call_timeout.0);
    }

    #[test]
    fn all_memories_count_together() {
        let mut accountant = Accountant::new(100, 10);
        assert!(accountant.memory_growing(0, 60, None).expect("fits"));
        assert!(!accountant.memory_growing(60, 90, Some(80)).expect("the guest's own maximum"));
        assert!(!accountant.out_of_memory);
        accountant.memory_growing(0, 60, None).expect_err("120 in all");
        assert!(accountant.out_of_memory);
        assert!(accountant.table_growing(0, 6, None).expect("fits"));
        assert!(!accountant.table_growing(6, 9, Some(8)).expect("the guest's own maximum"));
        assert!(!accountant.out_of_tables);
        accountant.table_growing(0, 6, None).expect_err("12 in all");
        assert!(accountant.out_of_tables);
    }

    #[test]
    fn a_longer_call_may_ask_the_host_more_often() {
        let limits = Limits::effective(&Ceiling::default(), &WantedLimits::default(), &WantedLimits::default());
        assert_eq!(limits.host_calls_in(limits.call_timeout), 10_000_000);
        assert_eq!(limits.host_calls_in(Duration::from_secs(5)), 10_000_000);
        assert_eq!(limits.host_calls_in(limits.fit_timeout), 3_600_000_000);
    }

    #[test]
    fn a_ceiling_of_nothing_is_refused() {
        let ceiling = Ceiling { concurrency: 0, ..Ceiling::default() };
        assert!(check_ceiling(&ceiling).expect_err("zero").to_string().contains("plugins.ceiling.concurrency"));
        check_ceiling(&Ceiling::default()).expect("the defaults hold");
    }
}

//! What all training may take together: slots, threads, memory.
//!
//! Training has what serving leaves: workers run at a lower priority, and the threads they share are counted, so that two
//! jobs on two cores have one thread each instead of two that fight.

use crate::config::TrainingConfig;

/// Most threads of one job: what the core takes.
pub(crate) const THREADS_MAX: u32 = 64;

/// The bounds in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Jobs at once.
    pub(crate) slots: usize,
    /// Threads of all of them.
    pub(crate) threads: usize,
    /// Bytes of all of them; none where the machine's memory is not known.
    pub(crate) memory: Option<u64>,
}

impl Budget {
    /// The settings, and the machine's own where they are silent.
    pub(crate) fn of(config: &TrainingConfig) -> Budget {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Budget {
            slots: config.max_concurrent_jobs,
            threads: config.threads.unwrap_or_else(cores),
            memory: config.memory_limit.map(|limit| limit.0).or_else(|| machine_memory().map(|bytes| bytes / 4 * 3)),
        }
    }

    /// Threads of one job when `sharing` jobs run.
    pub(crate) fn share(&self, sharing: usize) -> u32 {
        (self.threads / sharing.max(1)).clamp(1, THREADS_MAX as usize) as u32
    }
}

/// Bytes of memory of this machine, as Linux says.
fn machine_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_thread_and_nobody_more_than_the_core_takes() {
        let check = |threads: usize, sharing: usize, expected: u32| {
            assert_eq!(Budget { slots: 8, threads, memory: None }.share(sharing), expected, "{threads} for {sharing}");
        };
        check(2, 1, 2);
        check(2, 2, 1);
        check(2, 3, 1);
        check(8, 3, 2);
        check(1000, 1, 64);
        check(4, 0, 4);
    }

    #[test]
    fn settings_stand_above_the_machine() {
        use bellwether_plugin::size::ByteSize;
        let config = TrainingConfig { threads: Some(7), memory_limit: Some(ByteSize(1 << 30)), ..TrainingConfig::default() };
        assert_eq!(Budget::of(&config), Budget { slots: 3, threads: 7, memory: Some(1 << 30) });
        let silent = Budget::of(&TrainingConfig::default());
        assert!(silent.threads >= 1 && silent.memory.is_none_or(|bytes| bytes > 64 << 20), "{silent:?}");
    }
}

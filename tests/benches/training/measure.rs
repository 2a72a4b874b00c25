//! Rates with what they cost: wall clock, this process's processor time, and what other processes took meanwhile.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Ticks per second in which the kernel counts processor time for people; the same on every Linux.
const TICKS: f64 = 100.0;

/// A measurement under way.
#[derive(Debug)]
pub(crate) struct Clock {
    wall: Instant,
    own_s: f64,
    machine_s: f64,
}

impl Clock {
    pub(crate) fn start() -> Result<Clock> {
        Ok(Clock { own_s: own()?, machine_s: machine()?, wall: Instant::now() })
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.wall.elapsed().as_secs_f64()
    }

    /// What was done since the start. `others` is in processors: 0 on a quiet machine, 1 when others kept one of them busy.
    pub(crate) fn stop(self, units: f64, unit: &str) -> Result<Value> {
        let wall = self.seconds();
        let own = own()? - self.own_s;
        let others = ((machine()? - self.machine_s - own) / wall).max(0.0);
        Ok(json!({"units": units, "unit": unit, "wall_s": wall, "cpu_s": own, "others": others}))
    }
}

/// Repeats `work` (which does `units` of it) for so many seconds, after one call that does not count.
pub(crate) fn repeat(seconds: f64, units: f64, unit: &str, mut work: impl FnMut() -> Result<()>) -> Result<Value> {
    work()?;
    let (clock, mut done) = (Clock::start()?, 0.0);
    while clock.seconds() < seconds {
        work()?;
        done += units;
    }
    clock.stop(done, unit)
}

/// Processor seconds of this process, threads that ended included.
fn own() -> Result<f64> {
    let stat = fs_err::read_to_string("/proc/self/stat")?;
    // The name of the program is in parentheses and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(") ").context("no name in stat")?.1.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).context("too few fields in stat");
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

/// Processor seconds of everything on this machine: user, nice, system, irq, softirq, steal.
fn machine() -> Result<f64> {
    let stat = fs_err::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("an empty stat")?;
    let fields: Vec<f64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    Ok([0, 1, 2, 5, 6, 7].iter().filter_map(|at| fields.get(*at)).sum::<f64>() / TICKS)
}

/// The most memory this process ever had in place.
pub(crate) fn peak_memory() -> Result<Value> {
    Ok(json!({"peak_mib": peak_of("/proc/self/status")?}))
}

/// The most memory a process ever had in place, in MiB, from its status.
pub(crate) fn peak_of(status: &str) -> Result<f64> {
    let status = fs_err::read_to_string(status)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in status")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024.0)
}

//! Other processes: what the kernel says of them, and signals.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal};

/// Sends a signal; a process that is gone already is left in peace.
pub fn signal(process: u32, signal: Signal) {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw).expect("a child's id is a process id");
    rustix::process::kill_process(pid, signal).ok();
}

/// Whether a process runs; one that is dead and not yet waited for does not.
pub fn is_alive(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Children of a process.
pub fn children(process: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    let lists = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u32>>()).collect()
}

/// Resident memory of a process in bytes.
///
/// # Panics
/// When it is gone.
pub fn resident_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("a live process has a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a live process has resident memory");
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("the kernel writes a number");
    kilobytes << 10
}

/// Sees to it that a process and a folder do not outlive this one, however it ends: a shell waits for the end of a pipe that
/// only this process holds. For hosts kept in statics, which are never dropped.
///
/// # Panics
/// When no shell can be started.
pub fn take_along(process: u32, folder: &Path) {
    let script = "cat; kill -9 \"$1\"; rm -rf \"$2\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", &process.to_string()]).arg(folder).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    #[expect(clippy::zombie_processes, reason = "the shell outlives this process: that is what it is for")]
    let mut shell = command.spawn().expect("a shell can be started");
    // Held open until the process ends; the shell is then nobody's child and ends by itself.
    std::mem::forget(shell.stdin.take());
}

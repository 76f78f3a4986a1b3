//! What a process takes of the machine, as Linux tells it (proc(5)); elsewhere, and of processes that are gone, 0.

use std::fs;

/// The unit of processor times in `/proc`: a hundredth of a second, on every architecture that Linux runs on today.
const TICKS_PER_SECOND: f64 = 100.0;
/// Fields of `/proc/PID/stat` after the command's name, which may hold anything: user and system time.
const UTIME: usize = 11;
const STIME: usize = 12;

/// Processor time so far, user and system.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |index| fields.split_ascii_whitespace().nth(index).and_then(|field| field.parse().ok()).unwrap_or(0.0);
    (ticks(UTIME) + ticks(STIME)) / TICKS_PER_SECOND
}

/// Memory that the process holds now, in bytes.
pub fn resident_bytes(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_ascii_whitespace().next()).and_then(|number| number.parse().ok());
    kilobytes.unwrap_or(0.0) * 1_024.0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_time_and_memory_and_a_missing_one_nothing() {
        let own = std::process::id();
        let before = cpu_seconds(own);
        // This ends, since a busy loop gets processor time, and a hundredth of a second is enough.
        while cpu_seconds(own) <= before {}
        assert!(resident_bytes(std::process::id()) > 0.0);
        assert_eq!((cpu_seconds(u32::MAX), resident_bytes(u32::MAX)), (0.0, 0.0));
    }
}

//! What a process takes of the machine, as Linux tells it (proc(5)); elsewhere, and of processes that are gone, 0.

use std::collections::BTreeMap;
use std::fs;

/// The unit of processor times in `/proc`: a hundredth of a second, on every architecture that Linux runs on today.
const TICKS_PER_SECOND: f64 = 100.0;
/// Fields of a thread's `stat` after the command's name, which may hold anything: user and system time.
const UTIME: usize = 11;
const STIME: usize = 12;

/// Processor time of a process, in seconds.
#[derive(Debug, Clone, Default)]
pub struct Cpu {
    /// In the process's own code.
    pub user: f64,
    /// In the system, on behalf of the process.
    pub system: f64,
    /// Both, by the name of the thread. Linux keeps 15 letters of a name.
    pub threads: BTreeMap<String, f64>,
}

impl Cpu {
    /// What the process has taken so far.
    pub fn of(pid: u32) -> Self {
        let mut cpu = Self::default();
        for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let read = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
            let (stat, name) = (read("stat"), read("comm"));
            let fields = stat.rsplit(')').next().unwrap_or_default();
            let ticks = |index| fields.split_ascii_whitespace().nth(index).and_then(|field| field.parse().ok());
            let seconds = |index| ticks(index).unwrap_or(0.0) / TICKS_PER_SECOND;
            cpu.user += seconds(UTIME);
            cpu.system += seconds(STIME);
            *cpu.threads.entry(name.trim().to_owned()).or_default() += seconds(UTIME) + seconds(STIME);
        }
        cpu
    }

    /// User and system time.
    pub fn seconds(&self) -> f64 {
        self.user + self.system
    }

    /// What was taken since an earlier look. Threads that have ended meanwhile are left out.
    #[must_use]
    pub fn since(mut self, earlier: &Self) -> Self {
        self.user -= earlier.user;
        self.system -= earlier.system;
        for (name, seconds) in &mut self.threads {
            *seconds -= earlier.threads.get(name).copied().unwrap_or_default();
        }
        self
    }

    /// Adds what another round took.
    pub fn add(&mut self, other: &Self) {
        self.user += other.user;
        self.system += other.system;
        for (name, seconds) in &other.threads {
            *self.threads.entry(name.clone()).or_default() += seconds;
        }
    }
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
        let before = Cpu::of(own);
        // This ends, since a busy loop gets processor time, and a hundredth of a second is enough.
        while Cpu::of(own).since(&before).seconds() <= 0.0 {}
        let taken = Cpu::of(own).since(&before);
        assert!((taken.threads.values().sum::<f64>() - taken.seconds()).abs() < 0.001, "{taken:?}");
        assert!(resident_bytes(own) > 0.0);
        assert_eq!((Cpu::of(u32::MAX).seconds(), resident_bytes(u32::MAX)), (0.0, 0.0));
    }
}

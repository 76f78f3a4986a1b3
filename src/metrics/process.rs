//! The process's CPU, memory and open files, under the names that Prometheus' own clients use. They are read on
//! request. Without `/proc` some of them are left out.

use std::fs;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use metrics::{Unit, describe_gauge, gauge};
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// The CPU time. It is a gauge, since counters have only whole numbers.
const CPU_SECONDS: &str = "process_cpu_seconds_total";
const OPEN_FILES: &str = "process_open_fds";
const MAX_FILES: &str = "process_max_fds";
const VIRTUAL_BYTES: &str = "process_virtual_memory_bytes";
const MAX_VIRTUAL_BYTES: &str = "process_virtual_memory_max_bytes";
const RESIDENT_BYTES: &str = "process_resident_memory_bytes";
const START_SECONDS: &str = "process_start_time_seconds";
const THREADS: &str = "process_threads";

static START: OnceLock<SystemTime> = OnceLock::new();

/// Describes each metric, at the process's start.
pub fn describe() {
    START.get_or_init(SystemTime::now);
    describe_gauge!(CPU_SECONDS, Unit::Seconds, "Total user and system CPU time spent in seconds.");
    describe_gauge!(OPEN_FILES, Unit::Count, "Number of open file descriptors.");
    describe_gauge!(MAX_FILES, Unit::Count, "Maximum number of open file descriptors.");
    describe_gauge!(VIRTUAL_BYTES, Unit::Bytes, "Virtual memory size in bytes.");
    describe_gauge!(MAX_VIRTUAL_BYTES, Unit::Bytes, "Maximum amount of virtual memory available in bytes.");
    describe_gauge!(RESIDENT_BYTES, Unit::Bytes, "Resident memory size in bytes.");
    describe_gauge!(START_SECONDS, Unit::Seconds, "Start time of the process since unix epoch in seconds.");
    describe_gauge!(THREADS, Unit::Count, "Number of OS threads in the process.");
}

/// Reads all of it.
pub fn collect() {
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    gauge!(CPU_SECONDS).set(cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9);
    if let Some(since) = START.get().and_then(|start| start.duration_since(UNIX_EPOCH).ok()) {
        gauge!(START_SECONDS).set(since.as_secs_f64());
    }
    for (name, limit) in [(MAX_FILES, Resource::Nofile), (MAX_VIRTUAL_BYTES, Resource::As)] {
        gauge!(name).set(getrlimit(limit).current.unwrap_or(0) as f64);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        gauge!(OPEN_FILES).set(files.count() as f64);
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for (name, line, unit) in
        [(VIRTUAL_BYTES, "VmSize:", 1_024.0), (RESIDENT_BYTES, "VmRSS:", 1_024.0), (THREADS, "Threads:", 1.0)]
    {
        let told = |told: &str| told.strip_prefix(line)?.split_whitespace().next()?.parse::<f64>().ok();
        if let Some(told) = status.lines().find_map(told) {
            gauge!(name).set(told * unit);
        }
    }
}

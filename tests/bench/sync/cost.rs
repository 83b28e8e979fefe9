//! What a piece of work costs: time by the wall, time of processors, memory.

use std::fs;
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// Ticks in a second, of the kernel's own figures. Fixed for programs since Linux 2.6.
const TICKS: f64 = 100.0;

/// Time that something took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// By the wall, in milliseconds.
    pub(crate) wall_ms: f64,
    /// Of all processors together, in milliseconds; to 10 ms.
    pub(crate) cpu_ms: f64,
}

impl std::fmt::Display for Cost {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:.0} ms (CPU {:.0})", self.wall_ms, self.cpu_ms)
    }
}

/// Runs from its start on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch {
    began: Instant,
    cpu_ms: f64,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), cpu_ms: cpu_ms() }
    }

    /// What it cost so far.
    pub(crate) fn cost(self) -> Cost {
        let wall_ms = self.began.elapsed().as_secs_f64() * 1e3;
        Cost { wall_ms, cpu_ms: cpu_ms() - self.cpu_ms }
    }
}

/// What this process has computed so far, ended threads included.
fn cpu_ms() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may contain spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    ticks / TICKS * 1e3
}

/// What this thread has computed so far, in milliseconds.
pub(crate) fn thread_cpu_ms() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok());
    nanos.unwrap_or(0.0) / 1e6
}

/// Memory of this process.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// In use, in MB.
    pub(crate) now_mb: f64,
    /// The most since [`forget_peak`].
    pub(crate) peak_mb: f64,
}

impl Memory {
    pub(crate) fn of_this_process() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mb = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kb = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
            kb.unwrap_or(0.0) / 1024.0
        };
        Self { now_mb: mb("VmRSS:"), peak_mb: mb("VmHWM:") }
    }
}

/// From here on the peak is counted anew.
pub(crate) fn forget_peak() -> std::io::Result<()> {
    fs::write("/proc/self/clear_refs", "5")
}

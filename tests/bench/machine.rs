//! The machine that was measured, because a figure without it says little.

use std::fs;

use serde::Serialize;

/// What the figures depend on.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    /// The processor, as it names itself.
    processor: String,
    /// How many cores.
    cores: usize,
    /// Memory, in MB.
    memory_mb: u64,
    /// The system and its kernel.
    system: String,
    /// How many processes wanted to run in the last minute, at the beginning and at the end.
    load: [f64; 2],
}

impl Machine {
    /// This one, at the beginning of a run.
    pub(crate) fn here() -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let kernel = read("/proc/sys/kernel/osrelease");
        let name = after(&read("/etc/os-release"), "PRETTY_NAME=").replace('"', "");
        let memory = after(&read("/proc/meminfo"), "MemTotal:");
        let kb = memory.split(' ').next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0);
        Self {
            processor: after(&read("/proc/cpuinfo"), "model name\t:"),
            cores,
            memory_mb: kb / 1000,
            system: format!("{name}, Linux {}", kernel.trim()),
            load: [load(), 0.0],
        }
    }

    /// The same at the end.
    pub(crate) fn ended(self) -> Self {
        Self { load: [self.load[0], load()], ..self }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { processor, cores, memory_mb, system, load: [before, after] } = self;
        write!(
            out,
            "{processor}, {cores} cores, {memory_mb} MB; {system}; load {before:.1} at the beginning, {after:.1} at the end"
        )
    }
}

fn load() -> f64 {
    let loads = read("/proc/loadavg");
    loads.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0)
}

/// What follows the first such beginning of a line.
fn after(text: &str, beginning: &str) -> String {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(beginning));
    lines.next().unwrap_or_default().trim().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

//! Whether a model fits into this computer's memory, told before it is loaded.
//!
//! Loading what does not fit ends in the system killing the whole app, so the estimate errs on the
//! side of caution: the weights count in full although they are mapped from the file, because a
//! model whose weights are not resident answers unbearably slowly.

use crate::error::{Code, Failure};

use super::gguf::GgufInfo;
use super::megabytes;

/// What llama.cpp takes beside weights and context: graphs, tables, the vocabulary.
const OVERHEAD: u64 = 64 << 20;

/// What a model needs and what there is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryFit {
    /// Estimated need.
    pub needed: u64,
    /// What a new allocation can have; none where the system does not tell.
    pub available: Option<u64>,
}

impl MemoryFit {
    /// Estimates `model` with room for `context_tokens`, `batch_tokens` at a time.
    pub fn of(
        model: &GgufInfo,
        context_tokens: u32,
        batch_tokens: u32,
        available: Option<u64>,
    ) -> Self {
        let context = model.context_bytes_per_token.saturating_mul(context_tokens.into());
        let logits = model.vocabulary.saturating_mul(4 * u64::from(batch_tokens));
        let needed = model.bytes.saturating_add(context).saturating_add(logits);
        Self { needed: needed.saturating_add(OVERHEAD), available }
    }

    /// Refuses what does not fit, with both figures.
    pub fn check(self, name: &str) -> Result<(), Failure> {
        match self.available {
            Some(available) if available < self.needed => Err(Failure::new(
                Code::OutOfMemory,
                format!(
                    "{name} needs about {} of memory, and {} are free. It was not loaded; your \
                     message is saved.",
                    megabytes(self.needed),
                    megabytes(available)
                ),
            )
            .hint("Close other programs, or choose a smaller model.")),
            _ => Ok(()),
        }
    }
}

/// How many threads compute: one a physical core that this process may use, but for one that is
/// left to the window.
///
/// llama.cpp's threads wait for each other by spinning at every step. Where they do not all have a
/// core, each step takes as long as the slowest waits for its turn: 2 tokens/s instead of 120 were
/// measured on a busy machine of 2 cores (docs/performance.md).
pub(super) fn threads() -> i32 {
    let allowed = std::thread::available_parallelism().map_or(1, usize::from);
    let cores = sysinfo::System::physical_core_count().unwrap_or(allowed);
    i32::try_from(cores.min(allowed).saturating_sub(1).clamp(1, 32)).unwrap_or(1)
}

/// Memory that a new allocation can have, in bytes.
#[cfg(target_os = "linux")]
pub(super) fn available() -> Option<u64> {
    let system = linux::mem_available(&std::fs::read_to_string("/proc/meminfo").ok()?)?;
    Some(linux::cgroup_available().map_or(system, |limit| limit.min(system)))
}

/// Memory that a new allocation can have, in bytes.
#[cfg(not(target_os = "linux"))]
pub(super) fn available() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    Some(system.available_memory()).filter(|bytes| *bytes > 0)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::{Path, PathBuf};

    /// The kernel's own estimate, which counts caches that it can drop.
    pub(super) fn mem_available(meminfo: &str) -> Option<u64> {
        let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// What this process's control group leaves, the tightest of it and those around it.
    pub(super) fn cgroup_available() -> Option<u64> {
        let own = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        let path = own_group(&own)?;
        let root = Path::new("/sys/fs/cgroup");
        let folders =
            path.ancestors().map(|part| root.join(part.strip_prefix("/").unwrap_or(part)));
        folders.filter_map(left_in).min()
    }

    /// The group's path in the unified hierarchy (cgroups(7)): `0::/user.slice/…`.
    pub(super) fn own_group(text: &str) -> Option<PathBuf> {
        text.lines().find_map(|line| line.strip_prefix("0::")).map(PathBuf::from)
    }

    fn left_in(folder: PathBuf) -> Option<u64> {
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
        left(&read("memory.max")?, &read("memory.current")?, &read("memory.stat")?)
    }

    /// The limit, less what is used and cannot be dropped.
    pub(super) fn left(max: &str, current: &str, stat: &str) -> Option<u64> {
        let max: u64 = max.trim().parse().ok()?;
        let current: u64 = current.trim().parse().ok()?;
        let cached = stat.lines().find_map(|line| line.strip_prefix("inactive_file "));
        let cached: u64 = cached.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(0);
        Some(max.saturating_sub(current.saturating_sub(cached)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(bytes: u64) -> GgufInfo {
        GgufInfo {
            name: None,
            architecture: "llama".into(),
            context_tokens: 8192,
            has_chat_template: true,
            quantisation: "Q4_1".into(),
            parameters: 135_000_000,
            vocabulary: 50_000,
            context_bytes_per_token: 23_040,
            bytes,
        }
    }

    #[test]
    fn a_model_that_does_not_fit_is_refused_with_both_figures() {
        let fit = MemoryFit::of(&model(40_000_000_000), 4096, 64, Some(2_000_000_000));
        let failure = fit.check("Large").expect_err("it does not fit");
        assert_eq!(failure.code, Code::OutOfMemory);
        assert!(failure.message.contains("40.2 GB"), "{}", failure.message);
        assert!(failure.message.contains("2.0 GB"), "{}", failure.message);
    }

    #[test]
    fn a_model_that_fits_or_an_unknown_amount_of_memory_is_no_reason_to_refuse() {
        let small = model(98_000_000);
        assert!(MemoryFit::of(&small, 4096, 64, Some(2_000_000_000)).check("Small").is_ok());
        assert!(MemoryFit::of(&small, 4096, 64, None).check("Small").is_ok());
    }

    #[test]
    fn sizes_that_overflow_do_not_fit() {
        let mut huge = model(u64::MAX);
        huge.context_bytes_per_token = u64::MAX;
        assert!(MemoryFit::of(&huge, u32::MAX, 512, Some(1 << 40)).check("Huge").is_err());
    }

    #[test]
    fn this_computer_tells_its_memory_and_threads() {
        assert!(available().is_some_and(|bytes| bytes > 1 << 20));
        assert!((1..=32).contains(&threads()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_control_groups_limit_counts_less_what_cannot_be_dropped() {
        let stat = "anon 1\ninactive_file 300\nactive_file 5\n";
        assert_eq!(linux::left("1000\n", "900\n", stat), Some(400));
        assert_eq!(linux::left("max\n", "900\n", stat), None);
        assert_eq!(linux::left("1000\n", "5000\n", stat), Some(0));
        assert_eq!(linux::own_group("1:cpu:/x\n0::/a/b\n"), Some("/a/b".into()));
        assert_eq!(linux::mem_available("MemFree: 1 kB\nMemAvailable:  2 kB\n"), Some(2048));
    }
}

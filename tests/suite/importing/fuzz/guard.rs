//! What holds for every case, whatever it does.
// How many cases there were, and in how much memory, is what a long run is for.
#![allow(clippy::print_stderr)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tidemark_tests::faults::{scale, seed};

/// No case may need more memory.
pub(super) const MOST_MB: u64 = 512;
/// A process that needs so much is ended at once: the machine is others' too.
const END_MB: u64 = 4_096;
/// Nor may a case take longer; a debug build on a busy machine takes its time.
const LONGEST: Duration = Duration::from_secs(60);

/// Watches over the cases of one target.
pub(super) struct Guard {
    target: &'static str,
    /// Milliseconds since the start at which the case began; none runs: [`u64::MAX`].
    began: Arc<AtomicU64>,
    case: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    start: Instant,
}

impl Guard {
    /// Runs cases until the time is over; at least one.
    pub(super) fn watch(target: &'static str, each: impl Fn(u64)) {
        let guard = Self {
            target,
            began: Arc::new(AtomicU64::new(u64::MAX)),
            case: Arc::default(),
            is_over: Arc::default(),
            start: Instant::now(),
        };
        // With RUST_LOG, a case that is replayed says more.
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .try_init();
        let time = Duration::from_secs(scale("TIDEMARK_FUZZ_SECONDS", 5));
        let watcher = guard.watcher();
        let (mut count, mut next) = (0_u64, guard.died_in().unwrap_or_else(seed));
        while count == 0 || guard.start.elapsed() < time {
            guard.one(next, &each);
            (count, next) = (count + 1, next.wrapping_add(1));
        }
        let _ = std::fs::remove_file(guard.file());
        guard.is_over.store(true, Ordering::SeqCst);
        watcher.join().expect("the watcher ends");
        let rate = count as f64 / guard.start.elapsed().as_secs_f64();
        let peak = peak_mb().unwrap_or(0);
        eprintln!("fuzz {target}: {count} cases, {rate:.0} a second, at most {peak} MB");
    }

    fn one(&self, case: u64, each: &impl Fn(u64)) {
        // For a case that takes the process with it: nobody can catch an overflowing stack.
        std::fs::write(self.file(), case.to_string()).expect("written");
        self.case.store(case, Ordering::SeqCst);
        self.began.store(self.start.elapsed().as_millis() as u64, Ordering::SeqCst);
        let done = catch_unwind(AssertUnwindSafe(|| each(case)));
        self.began.store(u64::MAX, Ordering::SeqCst);
        if let Err(panic) = done {
            self.tell(case, "failed");
            resume_unwind(panic);
        }
        let peak = peak_mb().unwrap_or(0);
        if peak > MOST_MB {
            self.tell(case, "took too much memory");
            panic!("{peak} MB");
        }
    }

    /// Ends the process where a case does not end, or takes all memory.
    fn watcher(&self) -> std::thread::JoinHandle<()> {
        let (began, case, is_over) = (self.began.clone(), self.case.clone(), self.is_over.clone());
        let (start, target) = (self.start, self.target);
        std::thread::spawn(move || {
            while !is_over.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(20));
                let since = began.load(Ordering::SeqCst);
                let ran = (start.elapsed().as_millis() as u64).saturating_sub(since);
                let is_long = since != u64::MAX && u128::from(ran) > LONGEST.as_millis();
                if is_long || peak_mb().is_some_and(|peak| peak > END_MB) {
                    let why = if is_long { "does not end" } else { "takes all memory" };
                    eprintln!("{}", line(target, case.load(Ordering::SeqCst), why));
                    std::process::abort();
                }
            }
        })
    }

    fn tell(&self, case: u64, what: &str) {
        let _ = std::fs::remove_file(self.file());
        eprintln!("{}", line(self.target, case, what));
    }

    /// The case in which an earlier run died, where this one is not told with which to begin.
    fn died_in(&self) -> Option<u64> {
        let is_told = std::env::var_os("TIDEMARK_SEED").is_some();
        let text = std::fs::read_to_string(self.file()).ok().filter(|_| !is_told)?;
        text.parse().ok()
    }

    fn file(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}.case", self.target))
    }
}

fn line(target: &str, case: u64, what: &str) -> String {
    format!(
        "fuzz {target}: case {case} {what}; again with TIDEMARK_SEED={case} TIDEMARK_FUZZ_SECONDS=0"
    )
}

/// The most memory that this process has had, in MB; none where the system does not say.
pub(super) fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kb| kb / 1024)
}

/// Forgets what the process had until now, so that the peak is that of what follows.
pub(super) fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The control: a guard that sees nothing shows nothing.
#[test]
fn a_case_that_panics_or_takes_too_much_memory_is_seen() {
    let fails = |each: &dyn Fn(u64)| {
        catch_unwind(AssertUnwindSafe(|| Guard::watch("control", each))).is_err()
    };
    assert!(fails(&|case| assert_eq!(case % 7, 8, "planted")));
    if peak_mb().is_some() {
        let greedy = |_| {
            let much = vec![1_u8; (MOST_MB as usize + 64) << 20];
            assert!(much.iter().step_by(4096).all(|byte| *byte == 1));
        };
        assert!(fails(&greedy));
    }
}

//! F8: two processes on one mirror. One may be stopped at any moment, even with the write lock in its
//! hand: the other is told after a few seconds, nothing hangs, and nothing is damaged.
//!
//! The child is this test binary itself, run with [`CHILD`] set. 20 stops in the tests;
//! `TIDEMARK_STOPS=1000` on demand.
#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tidemark_core::clock::SystemClock;
use tidemark_core::events::Events;
use tidemark_core::mirror::{self, Error, Mirror, drafts, settings};
use tidemark_tests::faults::work;
use tidemark_tests::faults::{Rng, scale, seed};

/// Names the mirror that the child writes to.
const CHILD: &str = "TIDEMARK_TEST_CHILD_MIRROR";
/// Says that the child holds the write lock for ever.
const HOLD: &str = "TIDEMARK_TEST_CHILD_HOLDS";

fn open(path: &Path) -> Result<Mirror, Error> {
    let clock = std::sync::Arc::new(SystemClock);
    mirror::open(path, &work::key(), work::MIRROR, clock, Events::default())
}

/// Counts up in one setting, and writes the same number elsewhere in the same transaction.
fn count_up(mirror: &Mirror, key: &str) -> Result<i64, Error> {
    mirror.write(|write| {
        let count =
            settings::get(&write.tx, key)?.and_then(|value| value.as_i64()).unwrap_or(0) + 1;
        settings::set(write, key, &count.into())?;
        if key == "child" {
            // Enough to need several pages, so that a stop falls into the middle now and then.
            drafts::set(write, None, &format!("{count} ").repeat(3_000))?;
        }
        Ok(count)
    })
}

/// Not a test of its own: what the child does until it is killed.
#[test]
fn child() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let mirror = open(Path::new(&path)).expect("the child opens");
    if std::env::var_os(HOLD).is_some() {
        let _: Result<(), Error> = mirror.write(|write| {
            settings::set(write, "held", &true.into())?;
            std::fs::write(Path::new(&path).with_extension("held"), b"").expect("told");
            loop {
                std::thread::sleep(Duration::from_secs(60));
            }
        });
    }
    loop {
        match count_up(&mirror, "child") {
            Ok(_) | Err(Error::Busy(_)) => {}
            Err(error) => panic!("the child: {error:?}"),
        }
        // Long enough that most stops do not catch it with the lock, for each of those takes 5 s.
        std::thread::sleep(Duration::from_millis(60));
    }
}

/// A running child; killed when dropped.
struct Running(Child);

impl Running {
    fn start(path: &Path, hold: bool) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this binary"));
        child.args(["two_processes::child", "--exact"]).env(CHILD, path);
        if hold {
            child.env(HOLD, "1");
        }
        Self(child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts"))
    }

    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().expect("kill is there");
        assert!(sent.success(), "kill {name} {pid}");
    }

    fn is_alive(&mut self) -> bool {
        self.0.try_wait().expect("asked").is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < until, "{what} did not happen in 30 s");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn number(mirror: &Mirror, key: &str) -> i64 {
    let value = mirror.read(|c| settings::get(c, key)).expect("reads");
    value.and_then(|value| value.as_i64()).unwrap_or(0)
}

/// The child's two rows come from one transaction, whenever they are looked at.
fn is_whole(mirror: &Mirror) -> bool {
    let seen = mirror.read(|c| Ok((settings::get(c, "child")?, drafts::get(c, None)?)));
    let (count, draft) = seen.expect("reads");
    let drafted = draft.split_whitespace().next().and_then(|word| word.parse().ok());
    count.and_then(|count| count.as_i64()) == drafted
}

#[test]
fn two_processes_write_one_mirror_and_stops_of_one_damage_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(mirror::FILE);
    let mirror = open(&path).expect("opens");
    let mut child = Running::start(&path, false);
    wait_until("the child's first write", || number(&mirror, "child") > 0);
    let first = seed();
    let mut rng = Rng::new(first);
    let (mut written, mut busy) = (0, 0);
    for stop in 0..scale("TIDEMARK_STOPS", 20) {
        let before = number(&mirror, "child");
        std::thread::sleep(Duration::from_micros(rng.below(100_000)));
        child.signal("-STOP");
        assert!(is_whole(&mirror), "stop {stop} of seed {first}: half a transaction is visible");
        let asked = Instant::now();
        match count_up(&mirror, "own") {
            Ok(count) => written = count,
            Err(Error::Busy(_)) => busy += 1,
            Err(error) => panic!("stop {stop} of seed {first}: {error:?}"),
        }
        assert!(asked.elapsed() < Duration::from_secs(30), "stop {stop} of seed {first}: hung");
        child.signal("-CONT");
        assert!(child.is_alive(), "stop {stop} of seed {first}: the child gave up");
        wait_until("the child's next write", || number(&mirror, "child") > before);
    }
    drop(child);
    assert_eq!(number(&mirror, "own"), written, "{busy} times busy");
    assert!(written > 0, "never got its turn");
    assert!(is_whole(&mirror));
    let findings = mirror.check().expect("checked");
    assert_eq!(findings, Vec::<String>::new());
}

#[test]
fn a_stopped_process_with_the_write_lock_makes_the_other_busy_and_not_hang() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(mirror::FILE);
    let mirror = open(&path).expect("opens");
    count_up(&mirror, "own").expect("writes");
    let child = Running::start(&path, true);
    wait_until("the child's lock", || path.with_extension("held").exists());
    child.signal("-STOP");
    let asked = Instant::now();
    let error = count_up(&mirror, "own").expect_err("somebody else has the lock");
    assert!(matches!(error, Error::Busy(_)), "{error:?}");
    let waited = asked.elapsed();
    assert!((4..30).contains(&waited.as_secs()), "told after {waited:?}");
    assert_eq!(number(&mirror, "own"), 1, "reading goes on meanwhile");
    open(&path).map(drop).expect("a third one opens without the lock");
    // Killed with the lock in its hand: the system takes it away, the open transaction is gone.
    drop(child);
    assert_eq!(count_up(&mirror, "own").expect("goes on"), 2);
    assert!(mirror.read(|c| settings::get(c, "held")).expect("reads").is_none());
}

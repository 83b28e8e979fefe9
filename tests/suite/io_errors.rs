//! F3: a call to the disk fails, once or from then on, for every call of a short session. The error
//! has a type, nothing is half done, what was confirmed is there, and after healing all goes on.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use tidemark_core::error::{Code, Failure};
use tidemark_core::mirror::Error;
use tidemark_tests::faults::work::{self, Session, Step};
use tidemark_tests::faults::{Fault, Machine, Plan, Syncs};

const FILE: &str = "mirror.db";

use Step::*;
const BEFORE: [Step; 6] = [SendNew, Append, Finish, CatchUp, SendNew, Append];
const STEPS: [Step; 9] =
    [Send, Append, CatchUp, Finish, Rename, TrashMessage, Checkpoint, Draft, SendNew];

struct Rehearsed {
    machine: Machine,
    image: BTreeMap<String, Vec<u8>>,
    left: Vec<String>,
    calls: u64,
}

impl Rehearsed {
    fn new() -> Self {
        let machine = Machine::new(1);
        let session = Session::open(&machine.path(FILE)).expect("opens");
        for (number, step) in BEFORE.iter().enumerate() {
            work::run(&session, number, *step).expect("works");
        }
        drop(session);
        let image = machine.disk().image();
        let mut rehearsed = Self { machine, image, left: Vec::new(), calls: 0 };
        rehearsed.load(Plan::Healthy);
        let session = rehearsed.open().expect("opens");
        rehearsed.left.push(rows(&session));
        for (number, step) in STEPS.iter().enumerate() {
            work::run(&session, 100 + number, *step).expect("works");
            rehearsed.left.push(rows(&session));
        }
        drop(session);
        rehearsed.calls = rehearsed.machine.disk().counted().0;
        rehearsed
    }

    fn load(&self, plan: Plan) {
        self.machine.disk().load(&self.image, 1, plan, Syncs::Honest);
    }

    fn open(&self) -> Result<Session, Error> {
        Session::open_at(&self.machine.path(FILE), 3_600_000)
    }

    /// One fault, from opening to using the mirror again; an error says what does not hold.
    fn fault(&self, plan: Plan) -> Result<(), String> {
        self.load(plan);
        let (session, done, error) = self.run();
        let struck = self.machine.disk().struck();
        self.machine.disk().heal();
        if let Some(error) = error {
            typed(error)?;
        } else if struck && session.is_none() {
            return Err("no error and no session".to_owned());
        }
        let session = match session {
            Some(session) => session,
            None => self.open().map_err(|error| format!("does not open again: {error:?}"))?,
        };
        let found = session.mirror.read(work::rows);
        let found = found.map_err(|error| format!("after {done} steps: not read: {error:?}"))?;
        if found != self.left[done] {
            return Err(format!("after {done} steps: something was done by half, or lost"));
        }
        self.goes_on(session, done)
    }

    /// Runs up to the first error. Tells how many steps were confirmed.
    fn run(&self) -> (Option<Session>, usize, Option<Error>) {
        let session = match self.open() {
            Ok(session) => session,
            Err(error) => return (None, 0, Some(error)),
        };
        for (number, step) in STEPS.iter().enumerate() {
            if let Err(error) = work::run(&session, 100 + number, *step) {
                return (Some(session), number, Some(error));
            }
        }
        (Some(session), STEPS.len(), None)
    }

    /// The same session does the rest, and the file is sound when it is opened again.
    fn goes_on(&self, session: Session, done: usize) -> Result<(), String> {
        for (number, step) in STEPS.iter().enumerate().skip(done) {
            work::run(&session, 100 + number, *step)
                .map_err(|error| format!("{step:?} after healing: {error:?}"))?;
        }
        let last = rows(&session);
        drop(session);
        let session = self.open().map_err(|error| format!("does not open: {error:?}"))?;
        let complaints = work::complaints(&session.mirror).map_err(|e| format!("{e:?}"))?;
        if !complaints.is_empty() || rows(&session) != last {
            return Err(format!("opened again: {complaints:?}"));
        }
        drop(session);
        work::goes_on(&self.machine.path(FILE)).map_err(|error| format!("{error:?}"))
    }
}

fn rows(session: &Session) -> String {
    session.mirror.read(work::rows).expect("reads")
}

/// A disk's failure is told as one: not as a fault of ours, a wrong key or a damaged mirror.
fn typed(error: Error) -> Result<(), String> {
    let told = format!("{error:?}");
    let failure = Failure::from(error);
    let fits = matches!(failure.code, Code::DiskFull | Code::ReadOnly);
    if fits && failure.hint.is_some() { Ok(()) } else { Err(format!("{:?}: {told}", failure.code)) }
}

fn every_call(fault: Fault, for_ever: bool) {
    let rehearsed = Rehearsed::new();
    let faults: Vec<String> = (1..=rehearsed.calls)
        .filter_map(|call| {
            let what = rehearsed.fault(Plan::FailAt { call, fault, for_ever }).err()?;
            Some(format!("call {call} of {}: {what}", rehearsed.calls))
        })
        .collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_disk_that_fails_once_costs_nothing_but_the_call() {
    every_call(Fault::Io, false);
}

#[test]
fn a_disk_that_fails_from_then_on_costs_nothing_that_was_confirmed() {
    every_call(Fault::Io, true);
}

#[test]
fn a_disk_that_is_full_once_costs_nothing_but_the_call() {
    every_call(Fault::Full, false);
}

#[test]
fn a_disk_that_stays_full_costs_nothing_that_was_confirmed() {
    every_call(Fault::Full, true);
}

#[test]
fn a_disk_that_is_read_only_for_a_call_costs_nothing_else() {
    every_call(Fault::ReadOnly, false);
}

#[test]
fn a_disk_that_became_read_only_costs_nothing_that_was_confirmed() {
    every_call(Fault::ReadOnly, true);
}

/// A real file system of 4 MB; unmounted when dropped.
#[cfg(target_os = "linux")]
struct Tmpfs(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl Tmpfs {
    /// None where this process must not mount.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(folder.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

#[cfg(target_os = "linux")]
impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_file_system_of_4_mb_says_so_and_goes_on_when_there_is_room() {
    let Some(disk) = Tmpfs::mount() else {
        #[expect(clippy::print_stderr, reason = "a test that did nothing must say so")]
        {
            eprintln!("skipped: this process must not mount a tmpfs");
        }
        return;
    };
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; 2 << 20]).expect("fits");
    let path = disk.path().join(FILE);
    let session = Session::open(&path).expect("opens");
    let mut sent = Vec::new();
    let error = loop {
        match session.send(None, &"tide ".repeat(2_000)) {
            Ok(one) => sent.push(one.message_id.expect("a message")),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Full(_) | Error::Disk(_)), "{error:?}");
    let count = |session: &Session| {
        let sql = "SELECT count(*) FROM messages WHERE role = 'user'";
        let count = session.mirror.read(|c| Ok(c.query_row(sql, [], |row| row.get::<_, i64>(0))?));
        count.expect("stays readable") as usize
    };
    assert_eq!(count(&session), sent.len());
    std::fs::remove_file(&ballast).expect("room again");
    session.send(None, "tide").expect("goes on");
    drop(session);
    let session = Session::open_at(&path, 86_400_000).expect("opens");
    assert_eq!(count(&session), sent.len() + 1);
    assert_eq!(work::complaints(&session.mirror).expect("checked"), Vec::<String>::new());
}

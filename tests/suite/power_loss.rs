//! F1: the power goes at every write and fsync; what was confirmed is there, and nothing is half done.
//!
//! 3,000 cuts in the tests; `TIDEMARK_CUTS=100000` on demand. A failure names the seed and the cut;
//! `TIDEMARK_SEED=… TIDEMARK_CUT=…` replays it.

use std::collections::BTreeMap;

use tidemark_core::mirror::Error;
use tidemark_tests::faults::work::{self, Session, Step, Workload};
use tidemark_tests::faults::{Machine, Plan, Rng, Syncs, scale, seed};

const FILE: &str = "mirror.db";

/// A workload, what it starts from, and what a run without faults left after each step.
struct Prepared {
    workload: Workload,
    machine: Machine,
    image: BTreeMap<String, Vec<u8>>,
    /// Before the first step, after it, …
    left: Vec<String>,
    changes: u64,
}

impl Prepared {
    fn new(workload: Workload) -> Self {
        let machine = Machine::new(1);
        let path = machine.path(FILE);
        if !workload.before.is_empty() {
            let session = Session::open(&path).expect("opens");
            for (number, step) in workload.before.iter().enumerate() {
                work::run(&session, number, *step).expect("works without faults");
            }
        }
        let image = machine.disk().image();
        let mut prepared = Self { workload, machine, image, left: Vec::new(), changes: 0 };
        prepared.rehearse();
        prepared
    }

    fn rehearse(&mut self) {
        self.load(1, Plan::Healthy, Syncs::Honest);
        let session = self.open().expect("opens");
        let rows = |session: &Session| session.mirror.read(work::rows).expect("reads");
        self.left.push(rows(&session));
        for (number, step) in self.workload.steps.iter().enumerate() {
            work::run(&session, 100 + number, *step).expect("works without faults");
            self.left.push(rows(&session));
        }
        drop(session);
        self.changes = self.machine.disk().counted().1;
    }

    /// An hour after what was there before, so that no id comes twice.
    fn open(&self) -> Result<Session, Error> {
        Session::open_at(&self.machine.path(FILE), 3_600_000)
    }

    fn load(&self, seed: u64, plan: Plan, syncs: Syncs) {
        self.machine.disk().load(&self.image, seed, plan, syncs);
    }

    /// Runs until the cut. Tells how many steps were confirmed; none where it did not even open.
    fn run_until_cut(&self) -> Option<usize> {
        let session = self.open().ok()?;
        let steps = self.workload.steps.iter().enumerate();
        let confirmed =
            steps.take_while(|(number, step)| work::run(&session, 100 + number, **step).is_ok());
        Some(confirmed.count())
    }

    /// One cut and what it did.
    fn cut(&self, seed: u64, syncs: Syncs) -> Outcome {
        let at = 1 + Rng::new(seed).below(self.changes);
        self.load(seed, Plan::CutAt(at), syncs);
        let confirmed = self.run_until_cut();
        self.machine.disk().reboot();
        self.judge(confirmed).unwrap_or_else(Outcome::Broken)
    }

    fn judge(&self, confirmed: Option<usize>) -> Result<Outcome, String> {
        let path = self.machine.path(FILE);
        let tell = |what: &str, error: Error| format!("{what}: {error:?}");
        let session = self.open().map_err(|error| tell("does not open", error))?;
        let found = session.mirror.read(work::rows).map_err(|error| tell("is not read", error))?;
        let complaints =
            work::complaints(&session.mirror).map_err(|error| tell("is not checked", error))?;
        drop(session);
        if !complaints.is_empty() {
            return Err(format!("{complaints:?}"));
        }
        work::goes_on(&path).map_err(|error| tell("does not go on", error))?;
        let told = confirmed.unwrap_or(0);
        let next = if confirmed.is_some() { told + 1 } else { told };
        let again = self.workload.steps[..told].iter().rev();
        let first = told - again.take_while(|step| step.can_be_had_again()).count();
        if self.left[first..=next.min(self.left.len() - 1)].contains(&found) {
            return Ok(Outcome::Whole);
        }
        let earlier = self.left[..first].contains(&found);
        let missing = self.left[first].lines().filter(|line| !found.contains(line)).count();
        if earlier { Ok(Outcome::Lost) } else { Err(format!("half a step: {missing} rows differ")) }
    }
}

#[derive(Debug, PartialEq)]
enum Outcome {
    /// All that was confirmed is there.
    Whole,
    /// Sound, but something confirmed is missing.
    Lost,
    /// Half done, or damaged.
    Broken(String),
}

const WORKLOADS: u64 = 7;

fn cuts() -> u64 {
    scale("TIDEMARK_CUTS", 3_000).div_ceil(WORKLOADS)
}

fn survives(workload: Workload) {
    let name = workload.name;
    let prepared = Prepared::new(workload);
    let replay = std::env::var("TIDEMARK_CUT").ok().and_then(|text| text.parse().ok());
    let first = seed();
    for cut in replay.map_or(0..cuts(), |cut| cut..cut + 1) {
        let outcome = prepared.cut(first.wrapping_add(cut), Syncs::Honest);
        assert_eq!(
            outcome,
            Outcome::Whole,
            "{name}, cut {cut}: replay with TIDEMARK_SEED={first} TIDEMARK_CUT={cut}"
        );
    }
}

fn talk() -> Vec<Step> {
    use Step::*;
    vec![SendNew, Append, Finish, CatchUp, SendNew, Append, CatchUp, Draft, Setting, Rename]
}

#[test]
fn a_confirmed_send_survives_a_power_cut() {
    use Step::*;
    let steps = vec![Send, Draft, SendNew, CatchUp, Send, Send, Rename, SendNew, CatchUp, Send];
    survives(Workload { name: "send", before: talk(), steps });
}

#[test]
fn an_answer_that_streams_survives_a_power_cut_as_far_as_it_was_stored() {
    use Step::*;
    let steps =
        vec![SendNew, Append, Append, CatchUp, Append, Append, Append, Finish, CatchUp, Send];
    survives(Workload { name: "stream", before: talk(), steps });
}

#[test]
fn a_power_cut_while_the_file_is_made_leaves_one_that_opens() {
    use Step::*;
    survives(Workload { name: "migrate", before: Vec::new(), steps: vec![SendNew, CatchUp] });
}

#[test]
fn a_power_cut_in_a_checkpoint_loses_nothing() {
    use Step::*;
    let steps =
        vec![Send, Append, Checkpoint, Append, CatchUp, Truncate, Finish, Send, Truncate, Send];
    survives(Workload { name: "checkpoint", before: talk(), steps });
}

#[test]
fn a_power_cut_while_the_index_is_rebuilt_leaves_it_complete_after_catching_up() {
    use Step::*;
    let steps =
        vec![Send, CatchUp, Rebuild, CatchUp, Send, Rebuild, Truncate, CatchUp, Finish, CatchUp];
    survives(Workload { name: "index", before: talk(), steps });
}

#[test]
fn a_power_cut_while_chats_are_deleted_leaves_all_or_nothing_of_them() {
    use Step::*;
    let steps =
        vec![SendNew, TrashMessage, Trash, Purge, CatchUp, Send, Trash, Purge, Truncate, SendNew];
    survives(Workload { name: "delete", before: talk(), steps });
}

#[test]
fn a_power_cut_while_pages_and_outcomes_are_stored_leaves_rows_outbox_and_cursor_together() {
    use Step::*;
    let steps = vec![
        Pull, Rename, Take, Pull, SendNew, Settle, Pull, Pull, Take, Rename, Settle, CatchUp, Pull,
        Truncate, Take, Send, Settle, Pull,
    ];
    let before = [vec![Attach], talk(), vec![Take]].concat();
    survives(Workload { name: "sync", before, steps });
}

/// The control: a disk whose fsync is worth nothing, or `synchronous` below FULL.
fn lost_with(syncs: Syncs) -> (usize, Vec<String>) {
    use Step::*;
    let steps = vec![Send, Append, Finish, SendNew, Append, Checkpoint, Finish, Send];
    let prepared = Prepared::new(Workload { name: "control", before: talk(), steps });
    let first = seed();
    let (mut lost, mut broken) = (0, Vec::new());
    for cut in 0..200 {
        match prepared.cut(first.wrapping_add(cut), syncs) {
            Outcome::Whole => {}
            Outcome::Lost => lost += 1,
            Outcome::Broken(how) => broken.push(format!("seed {first} cut {cut}: {how}")),
        }
    }
    (lost, broken)
}

#[test]
fn control_without_fsync_confirmed_writes_are_lost() {
    let (lost, broken) = lost_with(Syncs::Ignored);
    assert!(lost + broken.len() > 20, "only {lost} lost and {} broken of 200", broken.len());
}

#[test]
fn control_without_fsync_at_commit_confirmed_writes_are_lost_but_the_file_is_sound() {
    let (lost, broken) = lost_with(Syncs::NotOnCommit);
    assert!(lost > 20, "only {lost} lost of 200");
    assert_eq!(broken, Vec::<String>::new(), "synchronous=NORMAL loses, it does not damage");
}

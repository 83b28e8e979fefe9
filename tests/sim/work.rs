//! What a program does: its engine's steps, and its mirror's jobs.

use tidemark_core::faults;
use tidemark_core::mirror::{Mirror, index, parked};
use tidemark_core::model::wire::Op;
use tidemark_core::sync::{Action, Done, Event, Job, StoreFault, step, store};

use super::trace;
use super::world::{Next, World};

impl World<'_> {
    /// All programs of a device hear of something.
    pub(super) fn event(&mut self, at: usize, event: &Event) {
        let ids: Vec<u64> = self.devices[at].processes.iter().map(|process| process.id).collect();
        for id in ids {
            self.event_to(at, id, event.clone());
        }
    }

    pub(super) fn event_to(&mut self, at: usize, process: u64, event: Event) {
        let world_ms = self.now_ms;
        let now = self.devices[at].now(world_ms);
        let Some(found) = self.devices[at].process(process) else { return };
        let actions = step(&mut found.state, now, event);
        let (paused, reacts) = (found.state.paused().is_some(), found.reacts);
        let due = found.state.due();
        if let Some(due) = due.filter(|due| found.timer != Some(*due)) {
            found.timer = Some(due);
            self.plan(due - world_ms, Next::Tick { device: at, process });
        }
        if paused && !reacts {
            self.devices[at].process(process).expect("it runs").reacts = true;
            let later = 1_000 + self.rng.below(10_000) as i64;
            self.plan(later, Next::React { device: at, process });
        }
        for action in actions {
            self.run(at, process, action);
        }
    }

    fn run(&mut self, at: usize, process: u64, action: Action) {
        match action {
            Action::Lock => {
                let free = self.devices[at].lock.is_none_or(|owner| owner == process);
                if free {
                    self.devices[at].lock = Some(process);
                }
                self.event_to(at, process, Event::Locked(free));
            }
            Action::Unlock => {
                if self.devices[at].lock == Some(process) {
                    self.devices[at].lock = None;
                }
            }
            Action::Ask { epoch, request, ask } => self.send(at, process, epoch, request, ask),
            Action::Do { epoch, job } => {
                let account = self.devices[at].active;
                let found = self.devices[at].process(process).expect("it just acted");
                found.jobs.push_back((epoch, account, job));
                let in_ms = self.rng.below(8) as i64;
                self.plan(in_ms, Next::Perform { device: at, process });
            }
            Action::Abandon | Action::Show => {}
        }
    }

    /// The mirror does a job; in a storm the program may die between two of its transactions.
    pub(super) fn perform(&mut self, at: usize, process: u64) {
        let dies = self.stormy && self.rng.one_in(25);
        let fuse = self.rng.below(3) as u32;
        let Some(found) = self.devices[at].process(process) else { return };
        let Some((epoch, account, job)) = found.jobs.pop_front() else { return };
        let mirror = self.devices[at].accounts[account].mirror.clone();
        let parked = mirror.read(parked::all).unwrap_or_default();
        if let Job::Remove { ids, .. } = &job
            && !self.book.restored.is_empty()
        {
            self.book.absent.extend(ids);
        }
        faults::set_fuse(dies.then_some(fuse));
        let done = store::perform(&mirror, &job);
        let blown = faults::fuse_is_blown();
        faults::set_fuse(None);
        self.trace.note(self.now_ms, || {
            format!("{at}: {process} does {} {}", trace::job(&job), trace::done(&done))
        });
        if let Ok(Done::Batch(push)) = &done {
            let passes = |op: &Op| parked.iter().any(|one| one.queue == op.queue && one.n < op.n);
            if let Some(op) = push.ops.iter().find(|op| passes(op)) {
                self.violations.push(format!("{at}: operation {} passes a parked one", op.n));
            }
        }
        if dies && blown && done.is_err() {
            self.trace.note(self.now_ms, || format!("{at}: {process} dies in it"));
            self.devices[at].kill(process);
            let back = self.rng.below(5_000) as i64;
            self.plan(back, Next::Start { device: at });
            return;
        }
        if matches!(done, Err(StoreFault::Broken | StoreFault::Busy)) {
            self.violations.push(format!("{at}: the mirror could not do {}", trace::job(&job)));
        }
        // The indexer has its own time; here it comes along now and then.
        if self.rng.one_in(4) {
            self.index(at, &mirror);
        }
        self.event_to(at, process, Event::Done { epoch, done });
    }

    fn index(&mut self, at: usize, mirror: &Mirror) {
        let dies = self.stormy && self.rng.one_in(10);
        let fuse = self.rng.below(2) as u32;
        faults::set_fuse(dies.then_some(fuse));
        let _ = index::catch_up(mirror);
        faults::set_fuse(None);
        self.trace.note(self.now_ms, || format!("{at}: indexes"));
    }
}

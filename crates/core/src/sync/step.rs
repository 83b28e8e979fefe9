//! One event in, some actions out. Nothing here reads a clock, a disk or a network.
//!
//! There are two lanes. At most one request is on its way to the server, and at most one job is with
//! the mirror; while a page is being applied, the next one may already be asked for, and while a batch is
//! on its way up, the next one may be made ready. Whatever fails
//! leaves the mirror as it was, and the same thing is planned again from what the mirror remembers.

use super::event::{Action, Done, Event, Job, StoreFault, Verdict};
use super::failures::{Decision, Fault, Pause, decide};
use super::server::{Ask, Told};
use super::state::{Asking, Course, Lock, Now, Paused, State};
use super::status::Counts;
use crate::faults::{self, Bug};
use crate::model::wire::Push;

/// What the engine does about an event.
pub fn step(state: &mut State, now: Now, event: Event) -> Vec<Action> {
    state.now = now;
    let mut actions = Vec::new();
    // Whatever happens at the moment when a timer runs out must not hide it: no tick follows then.
    state.tick();
    state.take(event, &mut actions);
    state.plan(&mut actions);
    state.show(&mut actions);
    actions
}

impl State {
    fn take(&mut self, event: Event, actions: &mut Vec<Action>) {
        match event {
            Event::SignedIn { user_id } => self.sign_in(user_id),
            Event::SignedOut => self.sign_out(actions),
            Event::Locked(true) => self.lock = Lock::Held,
            Event::Locked(false) => {
                self.lock = Lock::Elsewhere { again: self.now.mono_ms + self.limits.lock_ms };
            }
            Event::Told { epoch, request, told } => self.told(epoch, request, told),
            Event::Done { epoch, done } if epoch == self.epoch => self.done(done),
            Event::Done { .. } => {}
            Event::Wrote { counts, mending } => self.wrote(counts, mending),
            Event::Rang { seq } => self.rang(seq),
            Event::TokenStale => self.token_stale(actions),
            Event::Online(online) => self.went_online(online),
            Event::Woke | Event::Now => self.hurry(event == Event::Now),
            Event::Removal(verdict) => self.judged(verdict),
            Event::Verify => self.verify = Some(Default::default()),
            Event::Tick => {}
        }
    }

    fn sign_in(&mut self, user_id: uuid::Uuid) {
        if self.user_id != Some(user_id) {
            self.forget();
        }
        self.user_id = Some(user_id);
        self.pause = None;
        self.greeted = false;
        // Whoever signed in has a new token.
        self.refresh = false;
        self.tried = Default::default();
        self.pull.wanted = true;
        self.backoff.reset();
    }

    fn sign_out(&mut self, actions: &mut Vec<Action>) {
        if self.asking.is_some() {
            actions.push(Action::Abandon);
        }
        if self.lock != Lock::Free {
            actions.push(Action::Unlock);
        }
        self.forget();
        self.user_id = None;
        self.lock = Lock::Free;
    }

    fn wrote(&mut self, counts: Counts, mending: bool) {
        // Where nothing waits, it is up already: making an empty batch would only hold up a first sync.
        self.push.wanted |= counts.waiting > 0;
        // What the server wants again waits for its timer; what is new need not.
        self.push.again.reset();
        if faults::on(Bug::RetryOnWriteOnly) {
            self.backoff.reset();
        }
        if let Some(memory) = &mut self.memory {
            memory.mending |= mending;
        }
        self.count(counts);
    }

    pub(super) fn count(&mut self, counts: Counts) {
        self.counted = counts;
        if let Some(memory) = &mut self.memory {
            memory.counts = counts;
        }
    }

    /// The word of a doorbell is no proof: it only makes the engine look. A seq below the cursor may
    /// come from a restored server.
    fn rang(&mut self, seq: i64) {
        let here = self.pull.ahead.as_ref().or(self.cursor()).map(|cursor| cursor.seq);
        if here != Some(seq) {
            self.pull.wanted = true;
        }
    }

    fn token_stale(&mut self, actions: &mut Vec<Action>) {
        if self.user_id.is_none() || self.pause.is_some() {
            return;
        }
        if faults::on(Bug::TwoRefreshes) {
            self.requests += 1;
            let (epoch, request) = (self.epoch, self.requests);
            actions.push(Action::Ask { epoch, request, ask: Ask::Refresh });
            return;
        }
        let refreshing = self.asking.as_ref().is_some_and(|asking| asking.ask == Ask::Refresh);
        self.refresh |= !refreshing;
    }

    fn went_online(&mut self, online: bool) {
        self.online = online;
        if online {
            self.hurry(false);
        }
    }

    /// There is reason to look at once.
    fn hurry(&mut self, asked_by_person: bool) {
        if asked_by_person && self.pause.is_some_and(|pause| pause.why != Pause::Removal) {
            self.end_pause();
        }
        self.backoff.reset();
        self.push.again.reset();
        self.pull.wanted = true;
    }

    fn judged(&mut self, verdict: Verdict) {
        if self.pause.is_some_and(|pause| pause.why == Pause::Removal) {
            self.pull.guard.verdict = Some(verdict);
            self.pause = None;
        }
    }

    fn tick(&mut self) {
        let now = self.now.mono_ms;
        if matches!(self.lock, Lock::Elsewhere { again } if again <= now) {
            self.lock = Lock::Free;
        }
        if self.pause.is_some_and(|pause| pause.until.is_some_and(|until| until <= now)) {
            self.end_pause();
        }
        if self.pull.poll_at <= now && !faults::on(Bug::NoPoll) {
            self.pull.wanted = true;
            self.pull.poll_at = now + self.limits.poll_ms;
        }
        // An outcome of the server's asked for patience; it is over.
        if self.push.again.until().is_some_and(|until| until <= now) {
            self.push.wanted = true;
        }
    }

    fn end_pause(&mut self) {
        self.pause = None;
        self.greeted = false;
        self.tried = Default::default();
    }

    pub(super) fn halt(&mut self, why: Pause) {
        let until = why.ends_by_itself().then(|| self.now.mono_ms + self.limits.pause_ms);
        self.pause = Some(Paused { why, until });
    }

    /// What is being applied ends; what was to follow it is planned anew from what the mirror says. What was
    /// learnt of the server's clock is still stored: it is not learnt again before one of the clocks moves.
    pub(super) fn start_over(&mut self) {
        self.jobs.retain(|job| matches!(job, Job::Offset { .. }));
        self.pull.ahead = None;
        self.pull.stage_ahead = None;
        // A page on its way follows one that was not taken: it would move the cursor past that one.
        self.asking.take_if(|asking| matches!(asking.ask, Ask::Pull { .. } | Ask::Snapshot { .. }));
    }
}

// What came back.
impl State {
    fn told(&mut self, epoch: u64, request: u64, told: Result<Told, Fault>) {
        let foreign = epoch != self.epoch;
        if foreign && faults::on(Bug::PreviousUserApplied) {
            if let Ok(Told::Page(summary, page)) = told {
                self.apply(None, summary, page);
            }
            return;
        }
        // An answer for the previous user, or to a request that was given up, is dropped unread.
        let Some(asking) = self.asking.take_if(|asking| asking.request == request && !foreign)
        else {
            return;
        };
        match told {
            Ok(told) => self.answered(asking, told),
            Err(fault) => self.failed(asking, &fault),
        }
    }

    fn answered(&mut self, asking: Asking, told: Told) {
        self.backoff.reset();
        match (&asking.ask, &told) {
            (Ask::Hello { .. } | Ask::Refresh, _) => {}
            _ => self.tried = Default::default(),
        }
        self.learn_time(&asking, &told);
        match (asking.ask, told) {
            (Ask::Hello { .. }, Told::Hello(hello)) => self.hello(&hello),
            (Ask::Refresh, Told::Refreshed) => {}
            (Ask::Pull { after, .. }, Told::Page(summary, page)) => self.page(after, summary, page),
            (Ask::Snapshot { table, after, .. }, Told::Snapshot { after: next, count, rows }) => {
                self.snapshot(table, after, next, count, rows);
            }
            (Ask::Push(sent), Told::Pushed(pushed)) => self.pushed(&sent, pushed),
            (Ask::Anchor { points }, Told::Anchor(anchor)) => self.anchored(&points, anchor),
            (Ask::Manifest { after, .. }, Told::Manifest(manifest)) => self.listed(after, manifest),
            (Ask::Rows { table, ids, .. }, Told::Rows { got, has_more, rows }) => {
                self.fetched(table, &ids, &got, has_more, rows);
            }
            (Ask::Digest { after, .. }, Told::Digests(digests)) => self.digested(after, digests),
            // An answer to another question is no answer.
            _ => self.backoff.fail(self.now.mono_ms),
        }
    }

    fn failed(&mut self, asking: Asking, fault: &Fault) {
        self.want_again(&asking.ask);
        match (decide(fault), &asking.ask) {
            (Decision::Pause(why), _) => self.halt(why),
            (Decision::Retry, _) => self.backoff.fail(self.now.mono_ms),
            (Decision::Halve { wait }, _) => self.halve(&asking, wait),
            (Decision::Refresh, Ask::Refresh) => self.halt(Pause::SignIn),
            (Decision::Refresh, _) if self.tried.refresh => self.halt(Pause::SignIn),
            (Decision::Refresh, ask) => {
                self.tried.refresh = true;
                self.refresh = true;
                if faults::on(Bug::RefusedTokenDropsOps) {
                    let dropped = super::push::drop_all(ask);
                    self.jobs.extend(dropped);
                }
            }
            (Decision::UnknownPoint, Ask::Push(_)) => self.refused_point(),
            (
                Decision::UnknownPoint,
                Ask::Snapshot { .. } | Ask::Manifest { .. } | Ask::Rows { .. },
            ) => self.is_restored(),
            (Decision::UnknownPoint, _) => self.backoff.fail(self.now.mono_ms),
            (Decision::Hello, Ask::Hello { .. }) => self.halt(Pause::DeviceUnknown),
            (Decision::Hello, _) if self.tried.hello => self.halt(Pause::DeviceUnknown),
            (Decision::Hello, _) => {
                self.tried.hello = true;
                self.greeted = false;
            }
        }
    }

    /// Nothing was answered: what was asked for is still to be done.
    fn want_again(&mut self, ask: &Ask) {
        match ask {
            Ask::Refresh => self.refresh = true,
            Ask::Push(_) => {
                self.push.wanted = true;
                self.push.drop_ready();
            }
            Ask::Pull { .. } => self.pull.wanted = true,
            _ => {}
        }
    }

    fn halve(&mut self, asking: &Asking, wait: bool) {
        if wait {
            self.backoff.fail(self.now.mono_ms);
        }
        match &asking.ask {
            Ask::Push(sent) => {
                if sent.ops.len() == 1 && !wait {
                    self.jobs.push_back(Job::Park { n: sent.ops[0].n, code: "too_large" });
                }
                let half = (sent.ops.len() as u32 / 2).max(1);
                self.push.ops = half.min(self.push.ops);
            }
            // A page that cannot be made smaller is asked for again, later.
            _ if self.pull.rows == 1 && !wait => self.backoff.fail(self.now.mono_ms),
            _ => self.pull.rows = (self.pull.rows / 2).max(1),
        }
    }

    fn done(&mut self, done: Result<Done, StoreFault>) {
        let Some(job) = self.doing.take() else { return };
        match done {
            Ok(done) => {
                self.disk_full = false;
                self.did(job, done);
            }
            Err(fault) => {
                // Nothing was written: all of it is planned again from what the mirror remembers.
                self.disk_full = fault == StoreFault::Full;
                self.backoff.fail(self.now.mono_ms);
                self.start_over();
                self.memory = None;
                self.push.drop_ready();
                self.push.wanted = true;
                self.pull.wanted = true;
            }
        }
    }

    fn did(&mut self, job: Job, done: Done) {
        match (job, done) {
            (_, Done::Loaded(memory)) => self.loaded(memory),
            (_, Done::Renamed { device_id }) => self.renamed(device_id),
            (Job::Begin { head }, _) => self.begun(head),
            (Job::Snapshot { next, .. }, _) => self.took_snapshot(next),
            (Job::Apply { cursor, .. }, Done::Applied { removed, counts }) => {
                self.applied(cursor, removed, counts);
            }
            (Job::Apply { .. }, Done::TooMuch { .. }) => {
                self.start_over();
                self.pull.wanted = true;
                self.halt(Pause::Removal);
            }
            (Job::Batch { above, .. }, Done::Batch(push)) => self.batch(push, above),
            (_, Done::Settled { counts, again, mend }) => self.settled_batch(counts, again, mend),
            (_, Done::Points(points)) => self.points(points),
            (Job::Rewind { known }, _) => self.rewound(known),
            (job, done) => self.compared(job, done),
        }
    }

    /// Under its new id the device introduces itself anew.
    fn renamed(&mut self, device_id: uuid::Uuid) {
        if let Some(memory) = &mut self.memory {
            memory.device_id = device_id;
        }
        self.greeted = false;
    }

    fn loaded(&mut self, memory: super::event::Memory) {
        self.push.wanted = true;
        // A push that was answered meanwhile is not stored yet.
        self.pull.pushed = self.pull.pushed.or(memory.pushed);
        if let Some(known) = memory.rewind {
            self.course = Course::Rewind(known);
        }
        self.counted = memory.counts;
        self.memory = Some(memory);
    }
}

// What to do next.
impl State {
    fn plan(&mut self, actions: &mut Vec<Action>) {
        if self.user_id.is_none() {
            return;
        }
        if self.lock == Lock::Free {
            self.lock = Lock::Asked;
            actions.push(Action::Lock);
        }
        if self.lock != Lock::Held {
            return;
        }
        self.plan_job(actions);
        if self.may_ask() {
            self.plan_next();
            self.plan_job(actions);
            self.plan_ask(actions);
        }
        if let Some(above) =
            self.batch_ahead().filter(|_| self.jobs.is_empty() && self.doing.is_none())
        {
            self.jobs.push_back(Job::Batch { max: self.push.ops, above: Some(above) });
            self.plan_job(actions);
        }
    }

    fn plan_job(&mut self, actions: &mut Vec<Action>) {
        if self.doing.is_some() {
            return;
        }
        if let Some(job) = self.jobs.pop_front() {
            // What is written from now on may not be in this batch: it asks for another.
            if matches!(job, Job::Batch { .. }) {
                self.push.wanted = false;
            }
            self.doing = Some(job.clone());
            actions.push(Action::Do { epoch: self.epoch, job });
        }
    }

    /// Whether a request may go: none is on its way, and what the mirror is doing does not decide what
    /// comes next.
    fn may_ask(&self) -> bool {
        let streams = |job: &Job| match job {
            Job::Apply { .. } | Job::Snapshot { next: Some(_), .. } | Job::Offset { .. } => true,
            // What follows was made ready before, and its outcomes do not change it.
            Job::Settle { .. } => self.push.ready.is_some(),
            _ => false,
        };
        self.asking.is_none()
            && self.pause.is_none()
            && !self.waits()
            && self.jobs.is_empty()
            && self.doing.as_ref().is_none_or(streams)
    }

    fn waits(&self) -> bool {
        if faults::on(Bug::RetryOnWriteOnly) {
            return self.backoff.failures() > 0;
        }
        self.backoff.waits(self.now.mono_ms)
    }

    /// Puts the next job on its list, where the next thing is a job.
    fn plan_next(&mut self) {
        if self.memory.is_none() {
            self.jobs.push_back(Job::Load);
            return;
        }
        self.mend_if_due();
        if let Some(job) = self.next_job() {
            self.jobs.push_back(job);
        }
    }

    fn plan_ask(&mut self, actions: &mut Vec<Action>) {
        if !self.online || !self.may_ask() {
            return;
        }
        if let Some(ask) = self.next_ask() {
            self.requests += 1;
            let (epoch, request, since) = (self.epoch, self.requests, self.now);
            self.asking = Some(Asking { request, ask: ask.clone(), since });
            actions.push(Action::Ask { epoch, request, ask });
        }
    }

    fn next_job(&self) -> Option<Job> {
        if !self.online || !self.greeted || self.refresh || self.doing.is_some() {
            return None;
        }
        match &self.course {
            Course::Level => self.next_level_job(),
            Course::Bisect(bisection) => bisection.next_job(self.limits.points),
            Course::Rewind(known) => Some(Job::Rewind { known: *known }),
            Course::Compare(comparison) => comparison.next_job(self.pull.guard),
        }
    }

    fn next_level_job(&self) -> Option<Job> {
        if self.push.ready.is_some() {
            return None;
        }
        // The head is kept before anything is pushed: what is deleted of that meanwhile comes after it.
        if let Some(begin) = self.first_sync_job() {
            return Some(begin);
        }
        self.push_is_next().then_some(Job::Batch { max: self.push.ops, above: None })
    }

    pub(super) fn push_is_next(&self) -> bool {
        self.push.wanted
            && !self.push.again.waits(self.now.mono_ms)
            && (self.push.in_a_row > 0 || !self.has_to_pull())
    }

    fn next_ask(&mut self) -> Option<Ask> {
        if self.refresh {
            self.refresh = false;
            return Some(Ask::Refresh);
        }
        let device_id = self.memory.as_ref()?.device_id;
        if !self.greeted {
            return Some(Ask::Hello { device_id });
        }
        match &self.course {
            Course::Level => self.next_level_ask(),
            Course::Bisect(bisection) => bisection.next_ask(),
            Course::Rewind(_) => None,
            Course::Compare(comparison) => comparison.next_ask(self.latest_point(), self.pull.rows),
        }
    }

    fn next_level_ask(&mut self) -> Option<Ask> {
        if let Some(push) = self.push.ready.take() {
            self.push.in_a_row = self.push.in_a_row.saturating_sub(1);
            return Some(Ask::Push(Push { known: self.latest_point(), ..push }));
        }
        // A batch is made ready first; while a page is being applied, that waits for its end.
        if self.push_is_next() {
            return None;
        }
        self.push.in_a_row = self.pushes_in_a_row();
        self.next_pull().or_else(|| self.next_digest())
    }

    fn show(&mut self, actions: &mut Vec<Action>) {
        let status = self.status();
        if self.shown.as_ref() != Some(&status) {
            self.shown = Some(status);
            actions.push(Action::Show);
        }
    }
}

//! The way up: one batch at a time, sent again under the same numbers until it has an outcome.

use super::event::Job;
use super::server::Ask;
use super::state::{Course, State};
use super::status::Counts;
use crate::model::wire::{Cursor, Head, Outcome, Push, Pushed, Settled};

impl State {
    /// The latest point that this device knows of the server: where the last push or pull left it. A server
    /// that was restored between two pushes, or behind a long sleep, so refuses what would go into another history
    /// than it was written for.
    pub(super) fn latest_point(&self) -> Option<Head> {
        let memory = self.memory.as_ref()?;
        let pulled = memory.cursor.as_ref().map(Cursor::head);
        let began = memory.first.as_ref().map(|first| first.head);
        let points = [began, pulled, self.pull.pushed].into_iter().flatten();
        points.max_by_key(|point| point.seq)
    }

    /// How many pushes may follow each other. A person waits for a first sync: it has every second turn.
    pub(super) fn pushes_in_a_row(&self) -> u32 {
        let is_first = self.memory.as_ref().is_some_and(|memory| memory.first.is_some());
        if is_first { 1 } else { self.limits.in_a_row }
    }

    /// The server does not know the point that a push named: the pull finds out why. Should it find nothing,
    /// the push is not sent again and again all the same.
    pub(super) fn refused_point(&mut self) {
        self.pull.wanted = true;
        self.push.in_a_row = 0;
        self.push.again.fail(self.now.mono_ms);
    }

    /// A batch is ready: `above` a number, where it follows the push on its way.
    pub(super) fn batch(&mut self, push: Push, above: Option<i64>) {
        if push.ops.is_empty() {
            if above.is_none() {
                self.push.again.reset();
            }
            return;
        }
        self.push.wanted = true;
        match above {
            None => self.push.ready = Some(push),
            Some(above) if self.is_pushing_up_to(above) => self.push.next = Some(push),
            Some(_) if self.push.clean => self.push.ready = Some(push),
            Some(_) => {}
        }
    }

    /// The number that the next batch begins above, where it can be made ready while one is on its way.
    pub(super) fn batch_ahead(&self) -> Option<i64> {
        let Ask::Push(sent) = &self.asking.as_ref()?.ask else { return None };
        let len = sent.ops.len();
        let is_more = len >= self.push.ops as usize || self.counts().waiting > len as u64;
        // Where batches had to be halved, the one on its way may be halved as well.
        let may = is_more
            && self.push.ops == self.limits.ops
            && self.memory.is_some()
            && self.push.wanted
            && self.push.next.is_none()
            && self.push.in_a_row > 0
            && !self.push.again.waits(self.now.mono_ms)
            && matches!(self.course, Course::Level);
        sent.ops.last().map(|last| last.n).filter(|_| may)
    }

    fn is_pushing_up_to(&self, above: i64) -> bool {
        matches!(self.asking.as_ref().map(|asking| &asking.ask),
                 Some(Ask::Push(sent)) if sent.ops.last().is_some_and(|last| last.n == above))
    }

    /// Takes the outcomes. An outcome that was not asked for is not looked at, and an operation
    /// without one stays where it is.
    pub(super) fn pushed(&mut self, sent: &Push, mut pushed: Pushed) {
        pushed.outcomes.retain(|settled| sent.ops.iter().any(|op| op.n == settled.n));
        self.push.clean = pushed.outcomes.len() == sent.ops.len()
            && pushed.outcomes.iter().all(|settled| took_effect_as_sent(&settled.outcome));
        self.push.ready = self.push.next.take().filter(|_| self.push.clean);
        self.push.ops = self.push.ops.saturating_mul(2).min(self.limits.ops);
        if pushed.outcomes.len() < sent.ops.len() {
            self.push.again.fail(self.now.mono_ms);
        }
        let settled = pushed.outcomes.iter().filter(|settled| is_settled(&settled.outcome));
        self.moved.pushed += settled.count() as u64;
        if self.saw_head(pushed.head) {
            // What it did, it did without what it lost: it tells again once it has that back.
            return self.is_restored();
        }
        // The server knew the point that was named, so its new head stands for both.
        self.pull.pushed = Some(pushed.head);
        // What the push wrote, and what came with it, is pulled like anybody's.
        self.pull.wanted |= self.cursor().is_some_and(|cursor| cursor.seq != pushed.head.seq);
        self.jobs.push_back(Job::Settle { pushed });
    }

    pub(super) fn settled_batch(&mut self, counts: Counts, again: bool, mend: bool) {
        self.count(counts);
        if again {
            self.push.again.fail(self.now.mono_ms);
        } else if !self.push.again.waits(self.now.mono_ms) {
            self.push.again.reset();
        }
        self.push.wanted = true;
        if let Some(memory) = &mut self.memory {
            memory.mending |= mend;
        }
    }
}

fn is_settled(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Behind | Outcome::Retry { .. } | Outcome::Rejected { .. })
}

/// What follows it can have been made ready before: nothing of it depends on this outcome.
fn took_effect_as_sent(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Applied(accepted) if accepted.clocks.is_none() && accepted.lost.is_empty())
}

/// Bug 7: what a 401 refused is taken for settled.
pub(super) fn drop_all(ask: &Ask) -> Option<Job> {
    let Ask::Push(sent) = ask else { return None };
    let outcomes = sent.ops.iter().map(|op| Settled { n: op.n, outcome: Outcome::Done }).collect();
    let pushed = Pushed { head: Head::default(), server_ms: 0, outcomes };
    Some(Job::Settle { pushed })
}

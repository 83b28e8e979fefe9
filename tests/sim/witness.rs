//! What the world can tell of a server by the answers that it gave, lost or not: that an operation took
//! effect once, in the order of its queue, and never past one that was refused.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidemark_core::model::wire::{Accepted, Kind, Op, Outcome, Push, Pushed};
use tidemark_core::sync::server::{Ask, Told};
use uuid::Uuid;

/// How an operation ended: what must be said again when it comes again.
type End = (&'static str, i64);

/// What was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Witness {
    /// Counts operations that took effect.
    count: u64,
    /// Value → when it first took effect.
    arrivals: BTreeMap<String, u64>,
    /// Conversation → when it was last deleted for good.
    purges: BTreeMap<Uuid, u64>,
    ends: BTreeMap<(Uuid, i64), End>,
    /// Operations that took effect at any time: one may come late to a server that has forgotten it.
    ever: BTreeSet<(Uuid, i64)>,
    /// The last operation of each device's queue that took effect.
    last: BTreeMap<(Uuid, Uuid), i64>,
    /// Devices that were told of shifted clocks.
    shifted: BTreeSet<Uuid>,
}

impl Witness {
    /// Looks at what was answered. Tells what should never happen.
    pub(super) fn see(&mut self, ask: &Ask, told: &Told) -> Vec<String> {
        match (ask, told) {
            (Ask::Push(push), Told::Pushed(pushed)) => self.see_push(push, pushed),
            _ => Vec::new(),
        }
    }

    /// Whether a device was told that its clock is ahead.
    pub(super) fn told_of_its_clock(&self, device: Uuid) -> bool {
        self.shifted.contains(&device)
    }

    /// The server is as it was `before`: what it forgot has not happened. What it once had it had all the same.
    pub(super) fn go_back(&mut self, before: Self) {
        let Self { count, arrivals, purges, shifted, ever, .. } = std::mem::take(self);
        *self = Self { count, arrivals, purges, shifted, ever, ..before };
    }

    /// Whether the server deleted a conversation for good after it had this value of it.
    pub(super) fn deleted_after(&self, value: &str, conversation: Uuid) -> bool {
        let arrived = self.arrivals.get(value);
        arrived.is_some_and(|arrived| self.purges.get(&conversation) > Some(arrived))
    }

    fn see_push(&mut self, push: &Push, pushed: &Pushed) -> Vec<String> {
        let (mut found, mut stuck) = (Vec::new(), BTreeSet::new());
        if push.ops.len() != pushed.outcomes.len() {
            found.push(format!("{} outcomes of {}", pushed.outcomes.len(), push.ops.len()));
        }
        for (op, settled) in push.ops.iter().zip(&pushed.outcomes) {
            if op.n != settled.n {
                found.push(format!("an outcome of {} for {}", settled.n, op.n));
            }
            if has_shifted(&settled.outcome) {
                self.shifted.insert(push.device);
            }
            let key = (push.device, op.n);
            match (end(&settled.outcome), self.ends.get(&key)) {
                (Some(end), Some(before)) if end != *before => {
                    found.push(format!("operation {} ended as {before:?} and as {end:?}", op.n));
                }
                (Some((word, _)), None) => {
                    found.extend(self.took_effect(push.device, op, word, &stuck));
                }
                _ => {}
            }
            if let Some(end) = end(&settled.outcome) {
                self.ends.insert(key, end);
            }
            if matches!(settled.outcome, Outcome::Rejected { .. } | Outcome::Retry { .. }) {
                stuck.insert(op.queue);
            }
        }
        found
    }

    /// An operation ended for the first time.
    fn took_effect(
        &mut self,
        device: Uuid,
        op: &Op,
        word: &str,
        stuck: &BTreeSet<Uuid>,
    ) -> Option<String> {
        if word == "rejected" {
            return None;
        }
        if matches!(word, "applied" | "merged") {
            self.arrived(op, word);
        }
        let (n, queue) = (op.n, op.queue);
        let last = self.last.entry((device, queue)).or_default();
        let before = *last;
        // What is offered goes ahead of what was refused; that may arrive a second time, and be done then.
        if op.kind != Kind::Ensure {
            *last = n.max(before);
        }
        if stuck.contains(&queue) {
            return Some(format!("operation {n} passed a refused one"));
        }
        let is_new = self.ever.insert((device, n));
        (before > n && is_new).then(|| format!("operation {n} of {device} came after {before}"))
    }

    fn arrived(&mut self, op: &Op, word: &str) {
        self.count += 1;
        if op.kind == Kind::Purge && word == "applied" {
            self.purges.insert(op.id, self.count);
        }
        for value in op.fields.values().filter_map(Value::as_str) {
            self.arrivals.entry(value.to_owned()).or_insert(self.count);
        }
    }
}

/// How it ended; none where it has not, or the server has forgotten.
fn end(outcome: &Outcome) -> Option<End> {
    match outcome {
        Outcome::Applied(Accepted { seq, .. }) => Some(("applied", *seq)),
        Outcome::Merged(Accepted { seq, .. }, _) => Some(("merged", *seq)),
        Outcome::Conflict { .. } => Some(("conflict", 0)),
        Outcome::Gone { seq } => Some(("gone", *seq)),
        Outcome::Rejected { .. } => Some(("rejected", 0)),
        Outcome::Behind | Outcome::Retry { .. } | Outcome::Done => None,
    }
}

fn has_shifted(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Applied(accepted) | Outcome::Merged(accepted, _) => accepted.clocks.is_some(),
        _ => false,
    }
}

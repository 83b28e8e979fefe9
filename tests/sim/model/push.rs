//! `sync_push`: one transaction for a batch, an outcome for each operation, a ledger.

use serde_json::Value;
use tidemark_core::model::wire::{Accepted, Kind, Op, Outcome, Push, Pushed, Settled, Table};
use tidemark_core::sync::failures::Fault;
use tidemark_core::sync::server::Told;
use uuid::Uuid;

use super::super::server::{REFUSAL, refuse};
use super::{Mark, Model, ServerBug, is_refused};

/// A clock this far ahead is believed, in milliseconds.
const TOLERATED_MS: i64 = 60_000;
/// What bug 6 keeps an outcome for, in milliseconds.
const LEDGER_AGE_MS: i64 = 20_000;

/// Where an operation is done.
#[derive(Clone, Copy)]
struct At {
    user: Uuid,
    device: Uuid,
    /// Of the transaction.
    number: i64,
    /// Up to here the device has settled.
    mark: i64,
    /// By so much the batch's clocks were shifted.
    ahead: i64,
}

impl Model {
    pub(super) fn push(&mut self, user: Uuid, push: &Push) -> Result<Told, Fault> {
        if self.locked.contains(&user) {
            return Err(refuse(409, "55P03"));
        }
        let bug = self.bug;
        let scope = self.scope(user);
        if push.known.is_some_and(|point| !scope.still_knows(point, bug)) {
            return Err(refuse(409, "unknown_point"));
        }
        let Some(device) = scope.devices.get_mut(&push.device) else {
            return Err(refuse(403, "device_unknown"));
        };
        device.acked_through = device.acked_through.max(push.acked_through);
        let mark = device.acked_through;
        self.prune(user, push.device, mark);
        if self.has(ServerBug::BadOpFailsBatch) && push.ops.iter().any(is_refused) {
            return Ok(self.all_refused(user, push));
        }
        let ahead = self.ahead(&push.ops);
        let number = self.next_number();
        let mut stuck: Vec<Uuid> = Vec::new();
        let mut outcomes = Vec::new();
        for op in &push.ops {
            let op = shifted(op, ahead);
            let at = At { user, device: push.device, number, mark, ahead };
            let outcome = self.one(at, &op, &mut stuck);
            outcomes.push(Settled { n: op.n, outcome });
        }
        let bug = self.bug;
        let (head, server_ms) = (self.scope(user).told_head(bug), self.now_ms);
        Ok(Told::Pushed(Pushed { head, server_ms, outcomes }))
    }

    fn one(&mut self, at: At, op: &Op, stuck: &mut Vec<Uuid>) -> Outcome {
        let At { user, device, mark, .. } = at;
        let kept = self.scope(user).ledger.get(&(device, op.n)).cloned();
        let outcome = match kept {
            Some((row, outcome, _)) if row == op.id => self.refreshed(user, op, outcome),
            _ if op.n <= mark && !self.has(ServerBug::NoLedger) => Outcome::Done,
            _ if stuck.contains(&op.queue) && !self.has(ServerBug::ParkedLetsPass) => {
                Outcome::Behind
            }
            _ => self.execute(at, op),
        };
        if matches!(outcome, Outcome::Rejected { .. } | Outcome::Retry { .. }) {
            stuck.push(op.queue);
        }
        outcome
    }

    /// Does an operation that has no outcome yet.
    fn execute(&mut self, at: At, op: &Op) -> Outcome {
        let At { user, device, number, ahead, .. } = at;
        // A lock that did not come: now and then, and nothing that the operation is to blame for.
        if self.rng.one_in(60) {
            return Outcome::Retry { code: "40P01".into() };
        }
        let outcome = if is_refused(op) {
            rejected("invalid", REFUSAL)
        } else {
            told(self.apply(user, device, number, op), op, ahead)
        };
        let now = self.now_ms;
        let entry = (op.id, outcome.clone(), now);
        if !self.has(ServerBug::NoLedger) {
            self.scope(user).ledger.insert((device, op.n), entry);
        }
        outcome
    }

    fn apply(&mut self, user: Uuid, device: Uuid, number: i64, op: &Op) -> Outcome {
        let key = (op.tbl.code(), op.id);
        let stored = self.scope(user).rows.get(&key).cloned();
        let deleted =
            self.scope(user).change.get(&key).filter(|e| e.mark == Mark::Deleted).copied();
        match (op.kind, stored, deleted) {
            (Kind::Purge, stored, _) => self.purge(user, number, op, stored),
            (_, Some(stored), _) => self.merge(user, device, number, op, stored),
            (_, None, Some(deleted)) => Outcome::Gone { seq: deleted.seq },
            (Kind::Patch, None, None) => rejected("missing", "there is no such row"),
            (_, None, None) => match self.conversation_deleted(user, op) {
                Some(seq) => Outcome::Gone { seq },
                None => self.insert(user, number, op),
            },
        }
    }

    /// The deletion of the conversation that a new message is for.
    fn conversation_deleted(&mut self, user: Uuid, op: &Op) -> Option<i64> {
        let conversation = op.fields.get("conversation_id").and_then(Value::as_str)?;
        let key = (Table::Conversations.code(), conversation.parse().ok()?);
        let entry = self.scope(user).change.get(&key).filter(|_| op.tbl == Table::Messages)?;
        (entry.mark == Mark::Deleted).then_some(entry.seq)
    }

    /// The outcome that was kept, with the row as it is now.
    fn refreshed(&mut self, user: Uuid, op: &Op, outcome: Outcome) -> Outcome {
        let row = self.full_row(user, op.tbl, op.id);
        match (outcome, row) {
            (Outcome::Merged(accepted, _), Some(row)) => Outcome::Merged(accepted, row),
            (Outcome::Conflict { reason, .. }, Some(row)) => Outcome::Conflict { row, reason },
            (Outcome::Merged(..) | Outcome::Conflict { .. }, None) => Outcome::Done,
            (outcome, _) => outcome,
        }
    }

    fn prune(&mut self, user: Uuid, device: Uuid, mark: i64) {
        let oldest = self.now_ms - LEDGER_AGE_MS;
        let by_age = self.has(ServerBug::LedgerPrunedByAge);
        self.scope(user).ledger.retain(|(owner, n), (_, _, at)| match by_age {
            true => *at >= oldest,
            false => *owner != device || *n > mark,
        });
    }

    /// How far the latest clock of a batch is ahead, in milliseconds; 0 within the tolerated minute.
    fn ahead(&self, ops: &[Op]) -> i64 {
        let latest = ops.iter().flat_map(|op| op.clocks.values()).max().copied().unwrap_or(0);
        let ahead = (latest >> 16) - self.now_ms;
        if ahead > TOLERATED_MS { ahead } else { 0 }
    }

    /// Bug 8.
    fn all_refused(&mut self, user: Uuid, push: &Push) -> Told {
        let bug = self.bug;
        let (head, server_ms) = (self.scope(user).told_head(bug), self.now_ms);
        let all = |op: &Op| Settled { n: op.n, outcome: rejected("invalid", "the batch") };
        Told::Pushed(Pushed { head, server_ms, outcomes: push.ops.iter().map(all).collect() })
    }
}

pub(super) fn rejected(code: &str, message: &str) -> Outcome {
    Outcome::Rejected { code: code.into(), message: message.into() }
}

fn shifted(op: &Op, ahead: i64) -> Op {
    let mut op = op.clone();
    for clock in op.clocks.values_mut() {
        *clock = (*clock - (ahead << 16)).max(0);
    }
    op
}

/// Where clocks were shifted, the device is told which.
fn told(outcome: Outcome, op: &Op, ahead: i64) -> Outcome {
    let with = |accepted: Accepted| match ahead > 0 && !op.clocks.is_empty() {
        true => Accepted { clocks: Some(op.clocks.clone()), ..accepted },
        false => accepted,
    };
    match outcome {
        Outcome::Applied(accepted) => Outcome::Applied(with(accepted)),
        Outcome::Merged(accepted, row) => Outcome::Merged(with(accepted), row),
        other => other,
    }
}

impl Model {
    pub(super) fn parent_is_missing(&mut self, user: Uuid, op: &Op) -> bool {
        let Some(conversation) = op.fields.get("conversation_id").and_then(|id| id.as_str()) else {
            return false;
        };
        let Ok(id) = conversation.parse::<Uuid>() else { return false };
        op.tbl == Table::Messages
            && !self.scope(user).rows.contains_key(&(Table::Conversations.code(), id))
    }
}

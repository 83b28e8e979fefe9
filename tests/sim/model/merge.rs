//! What an operation does to a row: by register, by the rule of bodies, or for good.

use serde_json::{Map, Value, json};
use tidemark_core::model::wire::{Accepted, FullRow, Kind, Op, Outcome, Table};
use uuid::Uuid;

use super::push::rejected;
use super::read::conversation_of;
use super::{Model, ServerBug, Stored};

impl Model {
    pub(super) fn insert(&mut self, user: Uuid, number: i64, op: &Op) -> Outcome {
        if self.has(ServerBug::ChildrenRejected) && self.parent_is_missing(user, op) {
            return rejected("invalid", "no such conversation");
        }
        let (fields, updated_ms) = self.split(op);
        let row = Stored { fields, clocks: op.clocks.clone(), updated_ms };
        let seq = self.put(user, number, (op.tbl, op.id), row.clone());
        if op.tbl == Table::Messages && op.kind == Kind::Put && row.fields["trashed_ms"].is_null() {
            let clock = row.clocks.get("trashed_ms").copied().unwrap_or(self.now_ms << 16);
            self.untrash(user, number, conversation_of(&row), clock);
        }
        self.applied(user, seq)
    }

    fn split(&self, op: &Op) -> (Map<String, Value>, i64) {
        let updated = op.fields.get("updated_ms").and_then(Value::as_i64);
        let fields = op.tbl.fields().iter();
        let value = |name: &str| op.fields.get(name).cloned().unwrap_or(Value::Null);
        let fields = fields.map(|field| (field.name.to_owned(), value(field.name))).collect();
        (fields, updated.unwrap_or(self.now_ms).min(self.now_ms))
    }

    fn untrash(&mut self, user: Uuid, number: i64, conversation: Option<Uuid>, clock: i64) {
        let Some(id) = conversation else { return };
        let key = (Table::Conversations.code(), id);
        let Some(mut row) = self.scope(user).rows.get(&key).cloned() else { return };
        let held = row.clocks.get("trashed_ms").copied().unwrap_or(0);
        // It was put there after the message was written.
        if row.fields["trashed_ms"].is_null() || clock <= held {
            return;
        }
        row.fields.insert("trashed_ms".into(), Value::Null);
        row.clocks.insert("trashed_ms".into(), clock);
        row.updated_ms = self.now_ms;
        self.put(user, number, (Table::Conversations, id), row);
    }

    pub(super) fn purge(
        &mut self,
        user: Uuid,
        number: i64,
        op: &Op,
        stored: Option<Stored>,
    ) -> Outcome {
        let code = op.tbl.code();
        let Some(stored) = stored else {
            self.delete_messages(user, number, op);
            let known = self.scope(user).change.get(&(code, op.id)).map(|entry| entry.seq);
            let seq = known.unwrap_or_else(|| self.delete(user, number, (op.tbl, op.id)));
            return self.applied(user, seq);
        };
        let held = stored.clocks.get("trashed_ms").copied();
        let out = stored.fields.get("trashed_ms").is_some_and(Value::is_null);
        let saved = op.clocks.get("trashed_ms").is_some_and(|sent| held > Some(*sent));
        if out && saved {
            let seq = self.scope(user).change[&(code, op.id)].seq;
            let row = self.full_row(user, op.tbl, op.id).expect("it is stored");
            return Outcome::Merged(Accepted { seq, ..Accepted::default() }, row);
        }
        self.delete_messages(user, number, op);
        let seq = self.delete(user, number, (op.tbl, op.id));
        self.applied(user, seq)
    }

    /// Those of a conversation, which may not be there itself.
    fn delete_messages(&mut self, user: Uuid, number: i64, op: &Op) {
        if op.tbl != Table::Conversations {
            return;
        }
        let own = self.scope(user).of(Table::Messages);
        let own = own.filter(|(_, _, row)| conversation_of(row) == Some(op.id));
        let ids: Vec<Uuid> = own.map(|(id, _, _)| id).collect();
        for id in ids {
            self.delete(user, number, (Table::Messages, id));
        }
    }

    pub(super) fn merge(
        &mut self,
        user: Uuid,
        device: Uuid,
        number: i64,
        op: &Op,
        stored: Stored,
    ) -> Outcome {
        let mut merge = Merge { row: stored.clone(), lost: Map::new(), behind: false };
        for register in op.tbl.registers() {
            if op.fields.contains_key(register.name) {
                merge.register(op, register.name, register.fields, &stored);
            }
        }
        let conflict = merge.body(op, &stored, device);
        let mut changed = merge.row != stored;
        if changed {
            let sent = op.fields.get("updated_ms").and_then(Value::as_i64).unwrap_or(self.now_ms);
            merge.row.updated_ms = stored.updated_ms.max(sent.min(self.now_ms));
        }
        // A clock alone is no change of the row.
        changed &= merge.row.fields != stored.fields || merge.row.clocks != stored.clocks;
        if changed {
            self.put(user, number, (op.tbl, op.id), merge.row);
        }
        let entry = self.scope(user).change[&(op.tbl.code(), op.id)];
        let nonce = self.scope(user).txn.get(&entry.seq).map(|(nonce, _)| *nonce);
        let accepted = Accepted { seq: entry.seq, nonce, clocks: None, lost: merge.lost };
        let row = || self.full_row(user, op.tbl, op.id).expect("it is stored");
        match (conflict, merge.behind) {
            (Some(reason), _) => Outcome::Conflict { row: row(), reason: reason.into() },
            (None, true) => Outcome::Merged(accepted, row()),
            (None, false) => Outcome::Applied(accepted),
        }
    }

    fn applied(&mut self, user: Uuid, seq: i64) -> Outcome {
        let nonce = self.scope(user).txn.get(&seq).map(|(nonce, _)| *nonce);
        Outcome::Applied(Accepted { seq, nonce, ..Accepted::default() })
    }

    /// A row as an outcome tells it.
    pub(super) fn full_row(&self, user: Uuid, table: Table, id: Uuid) -> Option<FullRow> {
        let scope = self.scopes.get(&user)?;
        let row = scope.rows.get(&(table.code(), id))?;
        let mut fields = row.fields.clone();
        fields.insert("id".into(), json!(id));
        fields.insert("updated_ms".into(), json!(row.updated_ms));
        let seq = scope.change[&(table.code(), id)].seq;
        Some(FullRow { seq, clocks: row.clocks.clone(), fields })
    }
}

/// A row on its way from what it was to what it becomes.
struct Merge {
    row: Stored,
    lost: Map<String, Value>,
    behind: bool,
}

impl Merge {
    fn register(&mut self, op: &Op, name: &str, fields: &[&str], stored: &Stored) {
        let value =
            |row: &Map<String, Value>, field: &str| row.get(field).cloned().unwrap_or_default();
        let held = stored.clocks.get(name).copied();
        let sent = op.clocks.get(name).copied().unwrap_or(0);
        let wins = title_wins(op, stored, name).unwrap_or(held.is_none_or(|held| sent > held));
        let differs = value(&op.fields, name) != value(&stored.fields, name);
        if wins {
            for field in fields {
                self.row.fields.insert((*field).into(), value(&op.fields, field));
            }
            self.row.clocks.insert(name.into(), sent);
            let unseen = held.is_some() && held != op.base.get(name).copied();
            if differs && unseen {
                self.lost.insert(name.into(), value(&stored.fields, name));
            }
        } else if Some(sent) != held || differs {
            self.behind = true;
        }
    }

    /// The body of a message: nothing, or all that was sent of it. Tells why it was refused.
    fn body(&mut self, op: &Op, stored: &Stored, device: Uuid) -> Option<&'static str> {
        let body = op.tbl.body().iter().copied();
        let touched: Vec<&str> = body
            .filter(|field| op.fields.contains_key(*field))
            .filter(|field| op.fields[*field] != stored.fields[*field])
            .collect();
        let was_final = is_final(stored.fields.get("state"));
        let will_be = is_final(op.fields.get("state").or(stored.fields.get("state")));
        let mine = stored.fields.get("device_id").and_then(Value::as_str)
            == Some(device.to_string().as_str());
        if touched.is_empty() {
            return None;
        }
        let is_edit = op.kind == Kind::Patch || op.kind == Kind::Put && will_be;
        let refused = match (was_final, mine || (op.kind != Kind::Patch && will_be)) {
            (true, _) => is_edit.then_some("final"),
            (false, false) => (op.kind == Kind::Patch).then_some("not_owner"),
            (false, true) => {
                for field in touched {
                    self.row.fields.insert(field.into(), op.fields[field].clone());
                }
                return None;
            }
        };
        self.behind |= refused.is_none();
        refused
    }
}

fn is_final(state: Option<&Value>) -> bool {
    matches!(state.and_then(Value::as_str), Some("done" | "stopped" | "interrupted"))
}

/// A person's title beats a machine's, whatever the clocks; none: the clocks decide.
fn title_wins(op: &Op, stored: &Stored, register: &str) -> Option<bool> {
    if register != "title" || op.tbl != Table::Conversations {
        return None;
    }
    let by_person = |fields: &Map<String, Value>| {
        fields.get("title_by").and_then(Value::as_str) == Some("person")
    };
    let (incoming, held) = (by_person(&op.fields), by_person(&stored.fields));
    (incoming != held).then_some(incoming)
}

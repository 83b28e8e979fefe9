//! What became of an operation: its outcome is stored and it leaves the outbox, in one transaction.
//!
//! | outcome | the row | the operation |
//! |---|---|---|
//! | applied | the base takes what was sent | leaves; what another device lost by it is recorded |
//! | merged | the server's row is the base | leaves; what this device lost is recorded |
//! | conflict | the server's row is the base | leaves; this device's body becomes a sibling |
//! | gone | comes back under the id that all devices give it; after an `ensure` it goes | leaves |
//! | rejected | stays as it is shown | is parked, and what is behind it waits |
//! | behind, retry | stays | is sent again as it was |
//! | done | stays; offered again where the server may not have it | leaves |
//!
//! Whatever leaves, the row then shows its base and what is still pending over it. An outcome that
//! comes twice finds no operation and does nothing.

use rusqlite::params;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::apply::Gone;
use super::bases::{self, Base};
use super::conflicts::{self, Loss};
use super::incoming;
use super::outbox::{self, Entry, Sent};
use super::rows::{self, Stored};
use super::touched::{Size, Touched};
use super::{Error, Mirror, Write, departed, mending, parked, reoffer, sibling, tombstones};
use crate::events::Change;
use crate::faults::{self, Bug};
use crate::model::wire::{Accepted, FieldKind, FullRow, Kind, Outcome, Settled, Table};
use crate::model::{ConversationId, MessageId};

/// Outcomes of one transaction at most. It ends where a person's write waits behind it ...
const BATCH: usize = 500;
/// ... which is looked at after so many.
const LOOK: usize = 20;

/// What a push came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Operations that took effect, or need not any more.
    pub settled: usize,
    /// Conflicts that were recorded.
    pub conflicts: usize,
    /// Operations that the server will never take as they are.
    pub parked: usize,
    /// Operations that wait again.
    pub waiting: usize,
    /// Rows that came back as copies.
    pub recovered: usize,
    /// Conversations whose purge lost against a restore elsewhere: their messages have to be fetched.
    pub fetch: Vec<ConversationId>,
}

/// Stores the outcomes of a push, durably, in short transactions. Those of operations that are not in the
/// outbox (any more) are passed over. Whoever calls this has told the server's time first
/// ([`super::account::saw_offset`]), so that clocks that were shifted go on from the server's.
pub fn settle(mirror: &Mirror, outcomes: &[Settled]) -> Result<Settlement, Error> {
    let (mut sum, mut rest) = (Settlement::default(), outcomes);
    while !rest.is_empty() {
        let batch = &rest[..rest.len().min(BATCH)];
        let stored;
        (sum, stored) = settle_batch(mirror, batch, sum)?;
        rest = &rest[stored..];
    }
    Ok(sum)
}

/// The sum with those of a batch, and how many these were.
fn settle_batch(
    mirror: &Mirror,
    batch: &[Settled],
    before: Settlement,
) -> Result<(Settlement, usize), Error> {
    let mut entries = Vec::with_capacity(batch.len());
    if faults::on(Bug::OutboxFirst) {
        mirror.write(|write| {
            for settled in batch {
                entries.push(outbox::get(&write.tx, settled.n)?);
                outbox::delete(&write.tx, settled.n)?;
            }
            Ok(())
        })?;
    }
    mirror.step_aside();
    mirror.write(|write| {
        let (mut touched, mut stored) = (Touched::new(Size::Few), batch.len());
        let mut settling = Settling { write, touched: &mut touched, sum: before };
        for (index, settled) in batch.iter().enumerate() {
            // What the outbox no longer has, cannot wait.
            let may_end = index > 0 && index.is_multiple_of(LOOK) && entries.is_empty();
            if may_end && mirror.a_person_waits() {
                stored = index;
                break;
            }
            let entry = match entries.get_mut(index) {
                Some(entry) => entry.take(),
                None => outbox::get(&settling.write.tx, settled.n)?,
            };
            if let Some(entry) = entry {
                settling.one(&entry, &settled.outcome)?;
            }
        }
        let sum = settling.sum;
        touched.finish(write)?;
        Ok((sum, stored))
    })
}

/// One transaction of outcomes.
struct Settling<'w, 'c> {
    write: &'w mut Write<'c>,
    touched: &'w mut Touched,
    sum: Settlement,
}

impl Settling<'_, '_> {
    fn one(&mut self, entry: &Entry, outcome: &Outcome) -> Result<(), Error> {
        match outcome {
            Outcome::Applied(accepted) => self.applied(entry, accepted),
            Outcome::Merged(accepted, row) => self.merged(entry, accepted, row),
            Outcome::Conflict { row, reason } => self.conflict(entry, row, reason),
            Outcome::Gone { seq } => self.gone(entry, *seq),
            Outcome::Rejected { code, message } => self.rejected(entry, code, message),
            Outcome::Behind => self.again(entry, None),
            Outcome::Retry { code } => self.again(entry, Some(code)),
            Outcome::Done => self.done(entry),
        }?;
        self.tell(entry);
        Ok(())
    }

    fn applied(&mut self, entry: &Entry, accepted: &Accepted) -> Result<(), Error> {
        self.leave(entry)?;
        self.lower_clock(accepted)?;
        if entry.kind == Kind::Purge {
            return tombstones::remember(self.write, entry.table, entry.row_id, accepted.seq);
        }
        let row = rows::read(&self.write.tx, entry.table, entry.row_id)?;
        let Some(mut sent) = entry.carries_of(&self.write.tx, row.as_ref())? else {
            return Ok(());
        };
        let stored = self.adopt(entry, &mut sent, accepted, row)?;
        for (register, value) in &accepted.lost {
            self.lost_elsewhere(entry, register, value, &sent)?;
        }
        let Some(row) = stored else { return Ok(()) };
        let known = bases::get(&self.write.tx, entry.table, entry.row_id)?;
        let base = match known {
            // A page was faster, and has seen a later one.
            Some(base) if base.seq > accepted.seq && !faults::on(Bug::OlderOverwrites) => base,
            Some(base) if base.seq == accepted.seq => fold_beside(entry.table, base, &sent),
            Some(base) => fold(base, &sent, accepted.seq),
            None => fold(Base::from(row.clone()), &sent, accepted.seq),
        };
        self.show(entry, row, base)
    }

    /// Takes over clocks that the server shifted. Gives the row.
    fn adopt(
        &mut self,
        entry: &Entry,
        sent: &mut Sent,
        accepted: &Accepted,
        row: Option<Stored>,
    ) -> Result<Option<Stored>, Error> {
        let Some(shifted) = accepted.clocks.as_ref().filter(|clocks| !clocks.is_empty()) else {
            return Ok(row);
        };
        if faults::on(Bug::ShiftNotAdopted) {
            return Ok(row);
        }
        let Some(mut row) = row else { return Ok(None) };
        for (register, at) in shifted {
            // A change since then has a clock of its own.
            if row.clocks.get(register).is_none_or(|own| sent.clocks.get(register) == Some(own)) {
                row.clocks.insert(register.clone(), *at);
            }
            if let Some(before) = sent.clocks.insert(register.clone(), *at) {
                outbox::saw_shifted(self.write, entry, register, before, *at)?;
            }
        }
        Ok(Some(row))
    }

    /// The server shifted this device's clocks, whatever has become of the row since.
    fn lower_clock(&mut self, accepted: &Accepted) -> Result<(), Error> {
        let shifted = accepted.clocks.as_ref().and_then(|clocks| clocks.values().copied().max());
        match shifted.filter(|_| !faults::on(Bug::ShiftNotAdopted)) {
            Some(to) => self.write.lower_clock(to),
            None => Ok(()),
        }
    }

    fn merged(&mut self, entry: &Entry, accepted: &Accepted, row: &FullRow) -> Result<(), Error> {
        let own = rows::read(&self.write.tx, entry.table, entry.row_id)?;
        let mut sent = entry.carries_of(&self.write.tx, own.as_ref())?.unwrap_or_default();
        self.leave(entry)?;
        self.lower_clock(accepted)?;
        self.adopt(entry, &mut sent, accepted, own)?;
        for (register, value) in &accepted.lost {
            self.lost_elsewhere(entry, register, value, &sent)?;
        }
        if entry.kind == Kind::Purge {
            return self.purge_lost(entry, row);
        }
        self.all_lost_here(entry, &sent, row)?;
        self.take(entry, row)
    }

    fn conflict(&mut self, entry: &Entry, row: &FullRow, reason: &str) -> Result<(), Error> {
        let sent = entry.carries(&self.write.tx)?.unwrap_or_default();
        self.leave(entry)?;
        self.all_lost_here(entry, &sent, row)?;
        let body = entry.table.body();
        let differs = body.iter().any(|name| {
            matches!(*name, "content" | "content_raw" | "parts")
                && sent.fields.get(*name).is_some_and(|own| Some(own) != row.fields.get(*name))
        });
        let own = sent.fields.clone();
        self.take(entry, row)?;
        if differs {
            let copy = sibling::insert(self.write, entry.row_id, entry.n, &own)?;
            tracing::info!(reason, "a body became a sibling");
            let only = |fields: &Map<String, Value>| {
                let kept = fields.iter().filter(|(name, _)| *name == "content");
                kept.map(|(name, value)| (name.clone(), value.clone())).collect()
            };
            self.record(entry, outbox::BODY, &only(&own), &only(&row.fields), true, copy)?;
        }
        Ok(())
    }

    fn gone(&mut self, entry: &Entry, seq: i64) -> Result<(), Error> {
        let ops = outbox::of_row(&self.write.tx, entry.table, entry.row_id)?;
        self.leave(entry)?;
        let row = rows::read(&self.write.tx, entry.table, entry.row_id)?;
        let Some(row) = row else { return Ok(()) };
        // A page may have told already, and the row come back and gone on.
        if row.seq.is_some_and(|known| known > seq) {
            return Ok(());
        }
        if entry.is_offer() || entry.kind == Kind::Purge {
            let (table, leave) = (entry.table, Gone::Leave);
            departed::depart(self.write, table, row.id, seq, Some(row), leave, self.touched)?;
            return Ok(());
        }
        let trashed = row.fields.get("trashed_ms").is_some_and(|at| !at.is_null());
        if trashed && entry.registers.contains_key("trashed_ms") {
            return departed::remove(self.write, entry.table, &row, self.touched);
        }
        self.sum.recovered += 1;
        // A new message is refused so because its conversation is gone.
        let conversation = row
            .id_in("conversation_id")
            .filter(|_| entry.table == Table::Messages && entry.kind != Kind::Patch);
        let whole = conversation
            .map(|id| rows::read(&self.write.tx, Table::Conversations, id))
            .transpose()?
            .flatten();
        match whole {
            Some(conversation) => {
                let (table, id) = (Table::Conversations, conversation.id);
                let ops = outbox::of_row(&self.write.tx, table, id)?;
                departed::recover(self.write, table, conversation, seq, &ops, self.touched)
            }
            None => departed::recover(self.write, entry.table, row, seq, &ops, self.touched),
        }
    }

    fn rejected(&mut self, entry: &Entry, code: &str, message: &str) -> Result<(), Error> {
        if code == "missing" && reoffer::is_kept_here(self.write, entry)? {
            // Its person keeps the row on this device, with this change in it.
            self.leave(entry)?;
            return self.put_back_behind(entry);
        }
        if code == "missing" && reoffer::behind_offer(self.write, entry)? {
            self.sum.waiting += 1;
            return self.put_back_behind(entry);
        }
        if parked::is_moot(self.write, entry)? {
            self.leave(entry)?;
            return self.put_back_behind(entry);
        }
        self.sum.parked += 1;
        self.put_back_behind(entry)?;
        parked::refuse(self.write, entry, code, Some(message))
    }

    /// What was sent with it and stands behind it was not done.
    fn put_back_behind(&mut self, entry: &Entry) -> Result<(), Error> {
        self.write.tx.execute(
            "UPDATE outbox SET state = 'waiting', sent = iif(kind = 'ensure', sent, NULL)
              WHERE queue = ?1 AND n > ?2 AND state = 'in_flight'",
            params![entry.queue.as_bytes(), entry.n],
        )?;
        Ok(())
    }

    fn again(&mut self, entry: &Entry, code: Option<&str>) -> Result<(), Error> {
        self.sum.waiting += 1;
        // It stays as it was sent, and a change made since waits behind it: the same request may arrive a second
        // time and be done then, and under this number the server would not look at other values.
        self.write.tx.execute(
            "UPDATE outbox SET code = ?2, attempts = attempts + ?3 WHERE n = ?1",
            params![entry.n, code, code.is_some()],
        )?;
        Ok(())
    }

    /// The server forgot how it ended. What it may lack is offered, which does nothing where it is there.
    fn done(&mut self, entry: &Entry) -> Result<(), Error> {
        self.leave(entry)?;
        let Some(row) = rows::read(&self.write.tx, entry.table, entry.row_id)? else {
            return Ok(());
        };
        let others = outbox::of_row(&self.write.tx, entry.table, entry.row_id)?;
        match bases::get(&self.write.tx, entry.table, entry.row_id)? {
            None if row.seq.is_none() && others.is_empty() => {
                outbox::ensure(self.write, entry.table, &row)
            }
            Some(base) => self.show(entry, row, base),
            None => Ok(()),
        }
    }

    fn leave(&mut self, entry: &Entry) -> Result<(), Error> {
        self.sum.settled += 1;
        outbox::delete(&self.write.tx, entry.n)
    }

    /// The server's row becomes the base.
    fn take(&mut self, entry: &Entry, row: &FullRow) -> Result<(), Error> {
        let known = bases::seq(&self.write.tx, entry.table, entry.row_id)?;
        let base = match known {
            Some(seq) if seq > row.seq && !faults::on(Bug::OlderOverwrites) => {
                bases::get(&self.write.tx, entry.table, entry.row_id)?.unwrap_or_default()
            }
            _ => Base::from(row.clone()),
        };
        match rows::read(&self.write.tx, entry.table, entry.row_id)? {
            Some(stored) => self.show(entry, stored, base),
            None => {
                incoming::insert_base(self.write, entry.table, entry.row_id, &base, self.touched)
            }
        }
    }

    /// Shows the base and what is pending over it; the copy of the base goes with the last operation.
    fn show(&mut self, entry: &Entry, row: Stored, base: Base) -> Result<(), Error> {
        let (table, id) = (entry.table, entry.row_id);
        let pending = outbox::pending(&self.write.tx, table, id)?;
        if pending.any {
            bases::put(&self.write.tx, table, id, &base)?;
        } else {
            bases::drop(&self.write.tx, table, id)?;
        }
        incoming::show(self.write, table, row, &base, &pending, None, self.touched)?;
        Ok(())
    }

    /// Another device took the row out of the trash, so it is here again.
    fn purge_lost(&mut self, entry: &Entry, row: &FullRow) -> Result<(), Error> {
        self.take(entry, row)?;
        if entry.table == Table::Conversations {
            mending::begin(self.write)?;
            self.sum.fetch.push(ConversationId(entry.row_id));
        }
        Ok(())
    }

    /// Records which of the sent registers the server's row does not hold. The values tell: two devices that
    /// change what a clock ahead of theirs wrote both give it the next clock, and of equal ones the
    /// stored one stays.
    fn all_lost_here(&mut self, entry: &Entry, sent: &Sent, row: &FullRow) -> Result<(), Error> {
        for register in sent.clocks.keys() {
            self.lost_here(entry, register, sent, row)?;
        }
        Ok(())
    }

    fn lost_here(
        &mut self,
        entry: &Entry,
        register: &str,
        sent: &Sent,
        row: &FullRow,
    ) -> Result<(), Error> {
        let Some(register) = entry.table.register(register) else { return Ok(()) };
        let lost = only(&sent.fields, register.fields);
        let kept = only(&row.fields, register.fields);
        if agree(entry.table, &lost, &kept) {
            Ok(())
        } else {
            self.record(entry, register.name, &lost, &kept, true, None)
        }
    }

    fn lost_elsewhere(
        &mut self,
        entry: &Entry,
        register: &str,
        value: &Value,
        sent: &Sent,
    ) -> Result<(), Error> {
        let Some(register) = entry.table.register(register) else { return Ok(()) };
        let kept = only(&sent.fields, register.fields);
        let lost = match value {
            Value::Object(fields) => only(fields, register.fields),
            value => Map::from_iter([(register.name.to_owned(), value.clone())]),
        };
        if agree(entry.table, &lost, &kept) {
            Ok(())
        } else {
            self.record(entry, register.name, &lost, &kept, false, None)
        }
    }

    fn record(
        &mut self,
        entry: &Entry,
        register: &str,
        lost: &Map<String, Value>,
        kept: &Map<String, Value>,
        ours: bool,
        copy_id: Option<Uuid>,
    ) -> Result<(), Error> {
        self.sum.conflicts += 1;
        let (table, row_id) = (entry.table, entry.row_id);
        conflicts::record(self.write, &Loss { table, row_id, register, lost, kept, ours, copy_id })
    }

    /// The marks of a message and of its conversation may have changed.
    fn tell(&mut self, entry: &Entry) {
        let (queue, row) = (ConversationId(entry.queue), MessageId(entry.row_id));
        match entry.table {
            Table::Messages => {
                self.write.tell(Change::Message { conversation_id: queue, id: row });
            }
            Table::Conversations => self.write.tell(Change::Conversation { id: queue }),
            _ => {}
        }
    }
}

fn only(fields: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let named = names.iter().filter_map(|name| fields.get_key_value(*name));
    named.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether these values are the same ones. JSON is text that the server brings into a form of its own.
fn agree(table: Table, some: &Map<String, Value>, others: &Map<String, Value>) -> bool {
    let parsed = |name: &str, value: &Value| match (table.field(name)?.kind, value.as_str()) {
        (FieldKind::Json, Some(text)) => serde_json::from_str::<Value>(text).ok(),
        _ => None,
    };
    some.iter().all(|(name, value)| {
        let other = others.get(name).unwrap_or(&Value::Null);
        let (form, other_form) = (parsed(name, value), parsed(name, other));
        value == other || (form.is_some() && form == other_form)
    })
}

/// A base after an operation of this device.
fn fold(mut base: Base, sent: &Sent, seq: i64) -> Base {
    base.seq = seq;
    for (name, value) in &sent.fields {
        match name.as_str() {
            "updated_ms" => base.updated_ms = base.updated_ms.max(value.as_i64().unwrap_or(0)),
            _ => {
                base.fields.insert(name.clone(), value.clone());
            }
        }
    }
    base.clocks.extend(sent.clocks.clone());
    base
}

/// A base that stands at the transaction of the operation: of the page that has seen all of it, or of what was
/// settled before it of the same push. The later clock tells, and a body goes on until it is final.
fn fold_beside(table: Table, mut base: Base, sent: &Sent) -> Base {
    let known = base.clocks.clone();
    let later = |name: &str| sent.clocks.get(name) > known.get(name);
    let is_over = base.fields.get("state").is_some_and(sibling::is_final);
    for (name, value) in &sent.fields {
        let takes = match table.register_of(name) {
            Some(register) => later(register.name),
            None => table.body().contains(&name.as_str()) && !is_over,
        };
        if name == "updated_ms" {
            base.updated_ms = base.updated_ms.max(value.as_i64().unwrap_or(0));
        } else if takes {
            base.fields.insert(name.clone(), value.clone());
        }
    }
    let clocks = sent.clocks.iter().filter(|(name, _)| later(name.as_str()));
    base.clocks.extend(clocks.map(|(name, at)| (name.clone(), *at)));
    base
}

impl From<FullRow> for Base {
    fn from(row: FullRow) -> Self {
        let updated_ms = row.fields.get("updated_ms").and_then(Value::as_i64).unwrap_or(0);
        let mut fields = row.fields;
        fields.retain(|name, _| !matches!(name.as_str(), "id" | "updated_ms" | "seq" | "clocks"));
        Self { seq: row.seq, updated_ms, fields, clocks: row.clocks }
    }
}

//! The table `outbox`: what this device changed and the server has not settled yet.
//!
//! An operation names a row and its registers and holds no values: they are read from the row when it
//! is taken. A new change of the same row joins an operation that waits, never one that is on its way;
//! one that is on its way gets its values written down the moment the row changes again
//! ([`Write::before`]), so that it is sent again exactly as it was. It leaves in the transaction that
//! stores its outcome ([`super::settle`]).
//!
//! | state | is sent | joined by a new change |
//! |---|---|---|
//! | `waiting` | yes, unless an operation before it in its queue is parked | yes |
//! | `held` | when the answer that streams into its row ends | yes |
//! | `in_flight` | again, under its number, until there is an outcome | no |
//! | `parked` | no: refused for good; those behind it in its queue wait | yes, and waits again |
//! | `kept` | no: the person keeps the row on this device only | yes, and waits again |
//!
//! Numbers are given in the order of changes. One that was never sent and is older than a settled one
//! would be taken for settled, so whatever goes back to `waiting` from `held`, `parked` or `kept` gets a
//! new number, and so do those behind it.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::bases::{self, Base};
use super::rows::{self, Stored};
use super::{Error, Mirror, Write, account, attach};
use crate::faults::{self, Bug};
use crate::model::wire::{Clocks, Kind, Op, Table};

/// The name that a message's body has among an operation's registers.
pub(super) const BODY: &str = "body";

/// Register → the clock that was last seen from the server when it was changed.
pub(super) type Registers = BTreeMap<String, Option<i64>>;

/// Where an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpState {
    /// Goes with the next push.
    Waiting,
    /// Waits for an answer to end.
    Held,
    /// Sent, no outcome yet.
    InFlight,
    /// Refused for good.
    Parked,
    /// Not sent: the person keeps the row on this device.
    Kept,
}

/// An operation as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) n: i64,
    pub(super) table: Table,
    pub(super) row_id: Uuid,
    pub(super) queue: Uuid,
    pub(super) kind: Kind,
    pub(super) registers: Registers,
    pub(super) state: OpState,
    sent: Option<String>,
}

/// What an operation carries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) fields: Map<String, Value>,
    pub(super) clocks: Clocks,
    pub(super) base: Clocks,
}

impl Entry {
    /// Whether it carries all fields.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.kind, Kind::Put | Kind::Ensure)
    }

    /// Whether it only offers a row as it was, and carries nothing that a person has changed since.
    pub(super) fn is_offer(&self) -> bool {
        self.kind == Kind::Ensure && self.registers.is_empty()
    }

    /// Whether a new change of the row can go with it. What carries values of its own would leave it behind.
    fn may_be_joined(&self) -> bool {
        self.state != OpState::InFlight && self.kind != Kind::Purge && self.sent.is_none()
    }

    /// What it carries: as it was sent, or as the row stands now; none where the row is gone.
    pub(super) fn carries(&self, connection: &Connection) -> Result<Option<Sent>, Error> {
        let row = match self.sent {
            Some(_) => None,
            None => rows::read(connection, self.table, self.row_id)?,
        };
        self.carries_of(connection, row.as_ref())
    }

    /// [`Self::carries`], where the row was read already.
    pub(super) fn carries_of(
        &self,
        connection: &Connection,
        row: Option<&Stored>,
    ) -> Result<Option<Sent>, Error> {
        if let Some(sent) = &self.sent {
            return Ok(serde_json::from_str(sent).ok());
        }
        if self.kind == Kind::Purge {
            let clocks =
                self.registers.iter().filter_map(|(name, at)| Some((name.clone(), (*at)?)));
            return Ok(Some(Sent { clocks: clocks.collect(), ..Sent::default() }));
        }
        let Some(row) = row else { return Ok(None) };
        Ok(Some(self.of(row, account::offset_ms(connection)?)))
    }

    /// What it carries of this row. `offset_ms`: how far the server's clock is ahead, for registers that
    /// never changed: a new row's are as old as the row.
    pub(super) fn of(&self, row: &Stored, offset_ms: i64) -> Sent {
        let mut fields = Map::new();
        let registers: Vec<_> = if self.is_whole() {
            fields = row.fields.clone();
            fields.extend(row.extra.clone());
            self.table.registers().iter().collect()
        } else {
            self.registers.keys().filter_map(|name| self.table.register(name)).collect()
        };
        for register in &registers {
            fields.extend(row.only(register.fields));
        }
        if self.registers.contains_key(BODY) {
            fields.extend(row.only(self.table.body()));
        }
        fields.insert("updated_ms".to_owned(), row.updated_ms.into());
        let made = |name: &str| match (self.kind, row.clocks.get(name)) {
            (Kind::Put, None) => row.clock(name).saturating_add(offset_ms << 16).max(0),
            _ => row.clock(name),
        };
        let clocks = registers.iter().map(|r| (r.name.to_owned(), made(r.name))).collect();
        let known = self.registers.iter().filter_map(|(name, at)| Some((name.clone(), (*at)?)));
        Sent { fields, clocks, base: known.collect() }
    }
}

const COLUMNS: &str = "n, tbl, row_id, queue, kind, registers, state, sent";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let unknown = |index| {
        rusqlite::Error::InvalidColumnType(index, "outbox".into(), rusqlite::types::Type::Text)
    };
    let word = |index| row.get::<_, String>(index).map(Value::String);
    Ok(Entry {
        n: row.get(0)?,
        table: Table::from_code(row.get(1)?).ok_or_else(|| unknown(1))?,
        row_id: row.get(2).map(Uuid::from_bytes)?,
        queue: row.get(3).map(Uuid::from_bytes)?,
        kind: serde_json::from_value(word(4)?).map_err(|_| unknown(4))?,
        registers: serde_json::from_str(row.get_ref(5)?.as_str()?).unwrap_or_default(),
        state: serde_json::from_value(word(6)?).map_err(|_| unknown(6))?,
        sent: row.get(7)?,
    })
}

/// The operation with this number.
pub(super) fn get(connection: &Connection, n: i64) -> Result<Option<Entry>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE n = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([n], from_row).optional()?)
}

/// A row's operations, oldest first.
pub(super) fn of_row(connection: &Connection, table: Table, id: Uuid) -> Result<Vec<Entry>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE row_id = ?1 AND tbl = ?2 ORDER BY n");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![id.as_bytes(), table.code()], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn delete(connection: &Connection, n: i64) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM outbox WHERE n = ?1")?.execute([n])?;
    Ok(())
}

/// What a new operation is.
pub(super) struct New<'a> {
    pub(super) table: Table,
    pub(super) row_id: Uuid,
    pub(super) queue: Uuid,
    pub(super) kind: Kind,
    pub(super) registers: &'a Registers,
    pub(super) state: OpState,
}

/// Puts an operation at the end.
pub(super) fn insert(write: &Write<'_>, new: &New<'_>) -> Result<(), Error> {
    let registers = if new.registers.is_empty() { "{}".into() } else { json(new.registers) };
    write
        .tx
        .prepare_cached(
            "INSERT INTO outbox (tbl, row_id, queue, kind, registers, state, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            new.table.code(),
            new.row_id.as_bytes(),
            new.queue.as_bytes(),
            word(&new.kind),
            registers,
            word(&new.state),
            write.now
        ])?;
    Ok(())
}

/// A new row goes up whole.
pub(super) fn put(write: &Write<'_>, table: Table, row_id: Uuid, queue: Uuid) -> Result<(), Error> {
    let (registers, state) = (&Registers::new(), OpState::Waiting);
    insert(write, &New { table, row_id, queue, kind: Kind::Put, registers, state })
}

/// A row that the server may lack, or may have in another version, is offered whole.
pub(super) fn ensure(write: &Write<'_>, table: Table, row: &Stored) -> Result<(), Error> {
    let (queue, registers, state) = (row.queue(table), &Registers::new(), OpState::Waiting);
    insert(write, &New { table, row_id: row.id, queue, kind: Kind::Ensure, registers, state })
}

/// A row that this device is changing is offered as the server had it; the changes come after it.
pub(super) fn ensure_base(
    write: &Write<'_>,
    table: Table,
    row: &Stored,
    base: &Base,
) -> Result<(), Error> {
    ensure(write, table, row)?;
    let mut fields = row.fields.clone();
    fields.extend(row.extra.clone());
    fields.extend(base.fields.clone());
    fields.insert("updated_ms".to_owned(), base.updated_ms.into());
    let sent = Sent { fields, clocks: base.clocks.clone(), base: Clocks::new() };
    write.tx.execute(
        "UPDATE outbox SET sent = ?2 WHERE n = ?1",
        params![write.tx.last_insert_rowid(), json(&sent)],
    )?;
    Ok(())
}

/// A row changed: these registers (or [`BODY`]) of it go up.
pub(super) fn changed(
    write: &Write<'_>,
    table: Table,
    row_id: Uuid,
    names: &[&str],
) -> Result<(), Error> {
    let ops = of_row(&write.tx, table, row_id)?;
    let open = ops.iter().rposition(Entry::may_be_joined);
    let seq = bases::seq(&write.tx, table, row_id)?;
    match open {
        Some(at) => join(write, &ops[..=at], names, seq.is_some())?,
        None => add(write, table, row_id, names, &ops)?,
    }
    if table == Table::Messages && names.contains(&BODY) {
        hold_or_release(write, row_id)?;
    }
    Ok(())
}

/// The last of these operations of a row takes the change along.
fn join(write: &Write<'_>, ops: &[Entry], names: &[&str], known: bool) -> Result<(), Error> {
    let Some((op, ahead)) = ops.split_last() else { return Ok(()) };
    // On an offered row they tell that a person has changed it since (see `settle::gone`).
    if op.kind != Kind::Put && names.iter().any(|name| !op.registers.contains_key(*name)) {
        // An offered row is shown as it is offered, whatever came from the server since.
        let ahead = if op.is_whole() { ops } else { ahead };
        // What joined first keeps the clock that was seen then: the person changed what they saw.
        let mut registers = seen(write, op.table, op.row_id, names, known, ahead)?;
        registers.extend(op.registers.clone());
        write
            .tx
            .prepare_cached("UPDATE outbox SET registers = ?2 WHERE n = ?1")?
            .execute(params![op.n, json(&registers)])?;
    }
    if matches!(op.state, OpState::Parked | OpState::Kept) { renew(write, op.n) } else { Ok(()) }
}

fn add(
    write: &Write<'_>,
    table: Table,
    row_id: Uuid,
    names: &[&str],
    ops: &[Entry],
) -> Result<(), Error> {
    let Some(row) = rows::read(&write.tx, table, row_id)? else { return Ok(()) };
    let known = row.seq.is_some();
    let is_unsaid = !known && !ops.iter().any(Entry::is_whole);
    if is_unsaid && !attach::is_done(&write.tx)? {
        // Its turn to be offered has not come, and the server may have it.
        ensure(write, table, &row)?;
        return join(write, &of_row(&write.tx, table, row_id)?, names, known);
    }
    let (kind, registers) = match is_unsaid {
        true => (Kind::Put, Registers::new()),
        false => (Kind::Patch, seen(write, table, row_id, names, known, ops)?),
    };
    let (queue, registers, state) = (row.queue(table), &registers, OpState::Waiting);
    insert(write, &New { table, row_id, queue, kind, registers, state })
}

/// The clocks of what was on the screen when a person changed these registers. `ahead`: the row's operations before
/// the change; what they carry was shown, whatever came from the server since.
fn seen(
    write: &Write<'_>,
    table: Table,
    row_id: Uuid,
    names: &[&str],
    known: bool,
    ahead: &[Entry],
) -> Result<Registers, Error> {
    let mut clocks = match known {
        true => bases::get(&write.tx, table, row_id)?.map(|base| base.clocks).unwrap_or_default(),
        false => Clocks::new(),
    };
    for op in ahead {
        clocks.extend(op.carries(&write.tx)?.unwrap_or_default().clocks);
    }
    Ok(names.iter().map(|name| ((*name).to_owned(), clocks.get(*name).copied())).collect())
}

/// Whether what streams into a row is on its way to be final, so that it is not sent yet.
const STREAMS: &str = "state IN ('sending', 'streaming', 'retrying')";

fn hold_or_release(write: &Write<'_>, message: Uuid) -> Result<(), Error> {
    let streams: bool = write
        .tx
        .prepare_cached(&format!("SELECT {STREAMS} FROM messages WHERE id = ?1"))?
        .query_row([message.as_bytes()], |row| row.get(0))
        .optional()?
        .unwrap_or(false);
    let ops = of_row(&write.tx, Table::Messages, message)?;
    let Some(op) = ops.last() else { return Ok(()) };
    match (op.state, streams) {
        (OpState::Waiting, true) => set_state(&write.tx, op.n, OpState::Held),
        (OpState::Held, false) => renew(write, op.n),
        _ => Ok(()),
    }
}

pub(super) fn set_state(connection: &Connection, n: i64, state: OpState) -> Result<(), Error> {
    connection
        .prepare_cached("UPDATE outbox SET state = ?2 WHERE n = ?1")?
        .execute(params![n, word(&state)])?;
    Ok(())
}

/// An operation waits under a new number, and so do those behind it in its queue.
pub(super) fn renew(write: &Write<'_>, n: i64) -> Result<(), Error> {
    let behind: Vec<i64> = write
        .tx
        .prepare_cached(
            "SELECT b.n
               FROM outbox b JOIN outbox a ON a.queue = b.queue
              WHERE a.n = ?1 AND (b.n = ?1 OR b.n > ?1 AND b.state = 'waiting')
              ORDER BY b.n",
        )?
        .query_map([n], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for old in behind {
        renumber(write, old)?;
        if old == n {
            let n = write.tx.last_insert_rowid();
            write.tx.execute(
                "UPDATE outbox SET state = 'waiting', code = NULL, message = NULL WHERE n = ?1",
                [n],
            )?;
        }
    }
    Ok(())
}

/// An operation that was sent waits again, with what the row then shows.
pub(super) fn wait_again(write: &Write<'_>, n: i64) -> Result<(), Error> {
    write
        .tx
        .prepare_cached("UPDATE outbox SET state = 'waiting', sent = NULL WHERE n = ?1")?
        .execute([n])?;
    Ok(())
}

/// Moves an operation to the end.
pub(super) fn renumber(write: &Write<'_>, old: i64) -> Result<(), Error> {
    write
        .tx
        .prepare_cached(
            "INSERT INTO outbox (tbl, row_id, queue, kind, registers, state, sent, attempts, code, message, created_ms)
             SELECT tbl, row_id, queue, kind, registers, state, sent, attempts, code, message, created_ms
               FROM outbox
              WHERE n = ?1",
        )?
        .execute([old])?;
    delete(&write.tx, old)
}

/// A row is deleted here for good. Called while it is still there.
pub(super) fn purge(write: &mut Write<'_>, table: Table, row: &Stored) -> Result<(), Error> {
    match write.is_attached()? {
        true => purge_known(write, table, row, row.seq.is_some()),
        false => Ok(()),
    }
}

/// `known`: the server has the row, or something that goes with it.
fn purge_known(write: &Write<'_>, table: Table, row: &Stored, known: bool) -> Result<(), Error> {
    let ops = of_row(&write.tx, table, row.id)?;
    let sent = ops.iter().any(|op| op.state == OpState::InFlight);
    for op in ops.iter().filter(|op| op.state != OpState::InFlight) {
        delete(&write.tx, op.n)?;
    }
    // One that is offered, or has still to be, may be there.
    let is_new = ops.iter().any(|op| op.kind == Kind::Put);
    if is_new && !known && !sent {
        return Ok(());
    }
    let registers: Registers = table
        .register("trashed_ms")
        .map(|register| (register.name.to_owned(), Some(row.clock(register.name))))
        .into_iter()
        .collect();
    let (queue, state) = (row.queue(table), OpState::Waiting);
    insert(
        write,
        &New { table, row_id: row.id, queue, kind: Kind::Purge, registers: &registers, state },
    )
}

/// A later operation of the row saw a clock that the server then shifted.
pub(super) fn saw_shifted(
    write: &Write<'_>,
    settled: &Entry,
    register: &str,
    before: i64,
    now: i64,
) -> Result<(), Error> {
    for mut op in of_row(&write.tx, settled.table, settled.row_id)? {
        if op.registers.get(register) == Some(&Some(before)) {
            op.registers.insert(register.to_owned(), Some(now));
            write
                .tx
                .prepare_cached("UPDATE outbox SET registers = ?2 WHERE n = ?1")?
                .execute(params![op.n, json(&op.registers)])?;
        }
    }
    Ok(())
}

/// A conversation is deleted here for good, with all that is its own; so the server will do. Called while
/// it is still there.
pub(super) fn purge_conversation(write: &mut Write<'_>, id: Uuid) -> Result<(), Error> {
    if !write.is_attached()? {
        return Ok(());
    }
    let Some(row) = rows::read(&write.tx, Table::Conversations, id)? else { return Ok(()) };
    let on_their_way = in_flight(&write.tx, id)?;
    // A message may be there though its conversation was refused.
    let has_messages = write
        .tx
        .prepare_cached(
            "SELECT 1 FROM messages WHERE conversation_id = ?1 AND server_seq IS NOT NULL LIMIT 1",
        )?
        .exists([id.as_bytes()])?;
    let known = row.seq.is_some() || has_messages || !on_their_way.is_empty();
    for op in on_their_way {
        if let Some(row) = rows::read(&write.tx, op.table, op.row_id)? {
            freeze(write, &row, &[op])?;
        }
    }
    write
        .tx
        .prepare_cached(
            "DELETE FROM outbox WHERE queue = ?1 AND state != 'in_flight' AND row_id != ?1",
        )?
        .execute([id.as_bytes()])?;
    write.tx.execute(
        "DELETE FROM bases
          WHERE tbl = 2 AND row_id IN (SELECT id FROM messages WHERE conversation_id = ?1)",
        [id.as_bytes()],
    )?;
    purge_known(write, Table::Conversations, &row, known)?;
    bases::drop(&write.tx, Table::Conversations, id)
}

/// A queue's operations, oldest first.
pub(super) fn of_queue(connection: &Connection, queue: Uuid) -> Result<Vec<Entry>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE queue = ?1 ORDER BY n");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([queue.as_bytes()], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What of a queue is on its way.
fn in_flight(connection: &Connection, queue: Uuid) -> Result<Vec<Entry>, Error> {
    let sql =
        format!("SELECT {COLUMNS} FROM outbox WHERE queue = ?1 AND state = 'in_flight' ORDER BY n");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([queue.as_bytes()], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Takes the next operations for a push, in order: those on their way first, since an outcome of theirs
/// may have been lost. What is taken is marked as on its way, durably, before this returns; it stays so
/// until [`super::settle::settle`] stores its outcome.
///
/// Ends before `max_bytes` (at least one operation is taken). A second call takes the same operations
/// again; with `above`, those that come after this number.
pub fn take(
    mirror: &Mirror,
    max_ops: usize,
    max_bytes: usize,
    above: Option<i64>,
) -> Result<Vec<Op>, Error> {
    if mirror.read(|c| ready(c, 1, above))?.is_empty() {
        return Ok(Vec::new());
    }
    mirror.write(|write| {
        renew_passed(write)?;
        let (mut ops, mut bytes) = (Vec::new(), 0);
        for entry in ready(&write.tx, max_ops, above)? {
            let Some(sent) = entry.carries(&write.tx)? else {
                // Its row is gone without a trace, so there is nothing to say of it.
                delete(&write.tx, entry.n)?;
                continue;
            };
            bytes += size(&sent.fields);
            if bytes > max_bytes && !ops.is_empty() {
                break;
            }
            if entry.state != OpState::InFlight {
                set_state(&write.tx, entry.n, OpState::InFlight)?;
            }
            let Entry { n, table, row_id, queue, kind, .. } = entry;
            let Sent { fields, clocks, base } = sent;
            ops.push(Op { n, tbl: table, id: row_id, queue, kind, fields, clocks, base });
        }
        let acked = acked_through(&write.tx)?;
        write.tx.prepare_cached("UPDATE account SET acked = ?1")?.execute([acked])?;
        Ok(ops)
    })
}

/// What waited behind a refused operation while later ones were settled has a number that the server would take
/// for settled: it gets a new one, and what is behind it too.
fn renew_passed(write: &Write<'_>) -> Result<(), Error> {
    let passed: Vec<i64> = write
        .tx
        .prepare_cached(
            "SELECT min(o.n)
               FROM outbox o
              WHERE o.state = 'waiting' AND o.n <= (SELECT acked FROM account)
                AND NOT EXISTS (SELECT 1 FROM outbox p
                                 WHERE p.queue = o.queue AND p.n < o.n AND p.state = 'parked')
              GROUP BY o.queue
              ORDER BY 1",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    passed.into_iter().try_for_each(|n| renew(write, n))
}

fn ready(connection: &Connection, limit: usize, above: Option<i64>) -> Result<Vec<Entry>, Error> {
    let behind = if faults::on(Bug::ParkedLetsPass) {
        "0"
    } else if faults::on(Bug::ParkedStopsAll) {
        "1"
    } else {
        "p.queue = o.queue"
    };
    let sql = format!(
        "SELECT {COLUMNS}
           FROM outbox o
          WHERE o.state IN ('waiting', 'in_flight') AND o.n > ?2
            AND NOT EXISTS (SELECT 1 FROM outbox p
                             WHERE {behind} AND p.n < o.n AND p.state = 'parked')
          ORDER BY o.n
          LIMIT ?1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([limit as i64, above.unwrap_or(0)], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// About how many bytes of JSON an operation has.
fn size(fields: &Map<String, Value>) -> usize {
    let text = |value: &Value| value.as_str().map_or(20, |text| text.len() + text.len() / 16);
    200 + fields.iter().map(|(name, value)| name.len() + 6 + text(value)).sum::<usize>()
}

/// All operations of this device up to this number are settled: what a push tells the server, so that it
/// forgets their outcomes. Those that are parked or held, or wait behind a parked one, get a new number
/// before they are sent: however long a person lets them lie, the server need not remember more.
pub fn acked_through(connection: &Connection) -> Result<i64, Error> {
    Ok(connection.query_row(
        "SELECT max(coalesce((SELECT acked FROM account), 0),
                    coalesce((SELECT min(o.n) - 1
                                FROM outbox o
                               WHERE o.state = 'in_flight'
                                  OR o.state = 'waiting'
                                     AND NOT EXISTS (SELECT 1 FROM outbox p
                                                      WHERE p.queue = o.queue AND p.n < o.n
                                                        AND p.state = 'parked')),
                             (SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0))",
        [],
        |row| row.get(0),
    )?)
}

/// The highest number that this device has given. A server that knows of a higher one knows a copy of
/// this data folder: it needs a device id of its own ([`super::account::become_another_device`]).
pub fn last_number(connection: &Connection) -> Result<i64, Error> {
    Ok(connection
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'", [], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}

/// How many operations there are, by what becomes of them next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Go with the next push.
    pub waiting: i64,
    /// Sent, without an outcome.
    pub in_flight: i64,
    /// Wait for an answer to end.
    pub held: i64,
    /// Refused for good.
    pub parked: i64,
    /// Wait behind a refused one.
    pub behind: i64,
}

/// Counts the operations. Cheap as long as few are parked.
pub fn counts(connection: &Connection) -> Result<Counts, Error> {
    Ok(connection.prepare_cached(
        "SELECT count(*) FILTER (WHERE o.state = 'waiting' AND NOT o.stuck),
                count(*) FILTER (WHERE o.state = 'in_flight' AND NOT o.stuck),
                count(*) FILTER (WHERE o.state = 'held'),
                count(*) FILTER (WHERE o.state = 'parked'),
                count(*) FILTER (WHERE o.state IN ('waiting', 'in_flight') AND o.stuck)
           FROM (SELECT state, EXISTS (SELECT 1 FROM outbox p
                                        WHERE p.queue = q.queue AND p.n < q.n AND p.state = 'parked') AS stuck
                   FROM outbox q) o",
    )?.query_row([], |row| {
        Ok(Counts {
            waiting: row.get(0)?,
            in_flight: row.get(1)?,
            held: row.get(2)?,
            parked: row.get(3)?,
            behind: row.get(4)?,
        })
    })?)
}

/// The state of a row's latest operation; none where it has none. With a `server_seq` and none, the row is
/// on the server as it stands here.
pub fn state_of(connection: &Connection, table: Table, id: Uuid) -> Result<Option<OpState>, Error> {
    Ok(of_row(connection, table, id)?.last().map(|op| op.state))
}

/// What of a row is pending.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Whether any operation is.
    pub(super) any: bool,
    whole: bool,
    registers: Registers,
}

impl Pending {
    /// Whether this device's value of a field is shown whatever the server says.
    pub(super) fn covers(&self, table: Table, field: &str) -> bool {
        let body = || table.body().contains(&field);
        match table.register_of(field) {
            Some(register) => self.whole || self.registers.contains_key(register.name),
            None => body() && (self.whole || self.registers.contains_key(BODY)),
        }
    }

    pub(super) fn covers_register(&self, register: &str) -> bool {
        self.whole || self.registers.contains_key(register)
    }
}

/// What of a row is pending. A purge covers nothing: its row is not here.
pub(super) fn pending(connection: &Connection, table: Table, id: Uuid) -> Result<Pending, Error> {
    let mut pending = Pending::default();
    for op in of_row(connection, table, id)? {
        pending.any = true;
        pending.whole |= op.is_whole();
        if op.kind == Kind::Patch {
            pending.registers.extend(op.registers);
        }
    }
    Ok(pending)
}

/// Writes down what a row's operation on its way carries, before the row changes.
pub(super) fn freeze(write: &Write<'_>, row: &Stored, ops: &[Entry]) -> Result<(), Error> {
    for op in ops.iter().filter(|op| op.state == OpState::InFlight && op.sent.is_none()) {
        write
            .tx
            .prepare_cached("UPDATE outbox SET sent = ?2 WHERE n = ?1")?
            .execute(params![op.n, json(&op.of(row, account::offset_ms(&write.tx)?))])?;
    }
    Ok(())
}

/// So many rows in one transaction at most: nobody waits long for it.
const FREEZE: usize = 200;

/// Writes down what new rows on their way behind operation `after` carry, before this device's notion of the
/// server's time changes: their clocks are built from it. Gives the last one looked at; none: that was all.
pub(super) fn freeze_new_rows(write: &Write<'_>, after: i64) -> Result<Option<i64>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox
          WHERE n > ?1 AND state = 'in_flight' AND kind = 'put' AND sent IS NULL
          ORDER BY n LIMIT {FREEZE}"
    );
    let mut statement = write.tx.prepare_cached(&sql)?;
    let ops = statement.query_map([after], from_row)?.collect::<Result<Vec<_>, _>>()?;
    for op in &ops {
        // One without a row has nothing left that it could carry.
        if let Some(row) = rows::read(&write.tx, op.table, op.row_id)? {
            freeze(write, &row, std::slice::from_ref(op))?;
        }
    }
    Ok(ops.last().filter(|_| ops.len() == FREEZE).map(|op| op.n))
}

fn json<T: Serialize>(value: &T) -> String {
    super::sql::to_json(value)
}

/// The word that stands for a unit variant.
pub(super) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => unreachable!("a unit variant is a string"),
    }
}

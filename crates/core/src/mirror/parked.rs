//! Operations that the server refused for good: for the person to retry, edit or discard.
//!
//! Editing needs nothing here: a new change of the row joins its parked operation, which then waits
//! again. What stands behind a parked operation in its queue waits until it is settled one way or
//! the other.

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use uuid::Uuid;

use super::outbox::{self, OpState};
use super::touched::{Size, Touched};
use super::{Error, Write, bases, incoming, mending, reoffer, rows};
use crate::events::Change;
use crate::model::wire::{Kind, Table};
use crate::model::{ConversationId, Timestamp};

/// An operation that was refused for good.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parked {
    /// Its number, until it is retried.
    pub n: i64,
    /// The table.
    pub table: Table,
    /// The row.
    pub row_id: Uuid,
    /// The conversation, or what else it is queued by.
    pub queue: Uuid,
    /// What it does.
    pub kind: Kind,
    /// What it changes: registers, `body`; empty for a whole row.
    pub registers: Vec<String>,
    /// Why it was refused, as the server's code.
    pub code: String,
    /// The server's words, for the log.
    pub message: String,
    /// How often it was refused or put back.
    pub attempts: i64,
    /// How many operations wait behind it.
    pub behind: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Option<Parked>> {
    let registers: outbox::Registers = super::sql::json(row, "registers")?;
    let kind = serde_json::Value::String(row.get(4)?);
    let known = Table::from_code(row.get(1)?).zip(serde_json::from_value(kind).ok());
    let Some((table, kind)) = known else { return Ok(None) };
    Ok(Some(Parked {
        n: row.get(0)?,
        table,
        row_id: row.get(2).map(Uuid::from_bytes)?,
        queue: row.get(3).map(Uuid::from_bytes)?,
        kind,
        registers: registers.into_keys().collect(),
        code: row.get(6)?,
        message: row.get(7)?,
        attempts: row.get(8)?,
        behind: row.get(9)?,
        created_at: row.get(10)?,
    }))
}

/// All of them, oldest first.
pub fn all(connection: &Connection) -> Result<Vec<Parked>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT n, tbl, row_id, queue, kind, registers, coalesce(code, ''), coalesce(message, ''), attempts,
                (SELECT count(*) FROM outbox b WHERE b.queue = p.queue AND b.n > p.n AND b.state = 'waiting'),
                created_ms
           FROM outbox p
          WHERE state = 'parked'
          ORDER BY n",
    )?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
}

fn parked(write: &Write<'_>, n: i64) -> Result<outbox::Entry, Error> {
    outbox::get(&write.tx, n)?
        .filter(|entry| entry.state == OpState::Parked)
        .ok_or(Error::NotFound("parked operation"))
}

/// Sends it again, under a new number, and what waits behind it after it.
pub fn retry(write: &mut Write<'_>, n: i64) -> Result<(), Error> {
    let entry = parked(write, n)?;
    outbox::renew(write, n)?;
    tell(write, &entry);
    Ok(())
}

/// Gives the change up: the row shows what the server last said. A row that the server has never taken
/// stays, on this device only, until it is changed again.
///
/// A deletion that is given up leaves a conversation that is on the server and not here: it is noted that it has
/// to be fetched.
pub fn discard(write: &mut Write<'_>, n: i64) -> Result<(), Error> {
    let entry = parked(write, n)?;
    tell(write, &entry);
    if entry.is_whole() {
        return outbox::set_state(&write.tx, n, OpState::Kept);
    }
    outbox::delete(&write.tx, n)?;
    if entry.kind == Kind::Purge {
        if entry.table == Table::Conversations {
            mending::begin(write)?;
        }
        return Ok(());
    }
    let (table, id) = (entry.table, entry.row_id);
    let (row, base) = (rows::read(&write.tx, table, id)?, bases::get(&write.tx, table, id)?);
    if let (Some(row), Some(base)) = (row, base) {
        let pending = outbox::pending(&write.tx, table, id)?;
        if !pending.any {
            bases::drop(&write.tx, table, id)?;
        }
        let mut touched = Touched::new(Size::Few);
        incoming::show(write, table, row, &base, &pending, None, &mut touched)?;
        touched.finish(write)?;
    }
    Ok(())
}

fn tell(write: &mut Write<'_>, entry: &outbox::Entry) {
    if matches!(entry.table, Table::Conversations | Table::Messages) {
        write.tell(Change::Conversation { id: ConversationId(entry.queue) });
    }
}

/// Parks an operation that cannot be sent as it is (alone too large for a push), as the server would.
pub fn park(write: &mut Write<'_>, n: i64, code: &str) -> Result<(), Error> {
    let Some(entry) = outbox::get(&write.tx, n)? else { return Ok(()) };
    match is_moot(write, &entry)? {
        true => outbox::delete(&write.tx, n)?,
        false => refuse(write, &entry, code, None)?,
    }
    tell(write, &entry);
    Ok(())
}

/// Whether what was refused is of a row that was deleted here since: there is nothing left to decide, and the
/// deletion waits behind it.
pub(super) fn is_moot(write: &Write<'_>, entry: &outbox::Entry) -> Result<bool, Error> {
    Ok(entry.kind != Kind::Purge && rows::read(&write.tx, entry.table, entry.row_id)?.is_none())
}

/// An operation is refused for good. What is still being offered of its queue is older, and goes ahead of it.
pub(super) fn refuse(
    write: &Write<'_>,
    entry: &outbox::Entry,
    code: &str,
    message: Option<&str>,
) -> Result<(), Error> {
    write.tx.execute(
        "UPDATE outbox
            SET state = 'parked', code = ?2, message = coalesce(?3, message), attempts = attempts + 1, sent = NULL
          WHERE n = ?1",
        params![entry.n, code, message],
    )?;
    if entry.kind == Kind::Ensure {
        // The server may have the row as it was before a restore, and no change will tell of it.
        mending::begin(write)?;
    }
    reoffer::ahead_of(write, entry)
}

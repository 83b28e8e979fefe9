//! What a restored server lost of rows that this device is changing, or that a refused operation holds up.
//!
//! A row without operations is offered by the scan ([`super::attach`]), as it stands. One with operations shows
//! what the server has not taken, and may never take: what the server gets back is its base, as an
//! operation of its own. A refused operation holds up what a person did after it, not what the server had
//! before: of its queue all is offered ahead of it. Without this a single refused title would keep a
//! conversation from coming back, and this device from knowing what the server has of it.

use std::collections::BTreeSet;

use rusqlite::params;
use uuid::Uuid;

use super::outbox::{self, Entry, OpState};
use super::rows::{self, Stored};
use super::{Error, Write, attach, bases};
use crate::model::wire::{Kind, Table};

/// Offers what the server said after `seq` of such rows, and moves their queues behind it.
pub(super) fn before_changes(write: &Write<'_>, seq: i64) -> Result<(), Error> {
    let last = outbox::last_number(&write.tx)?;
    let mut queues = offer_bases(write, seq)?;
    for queue in parked_queues(write)? {
        if offer_queue(write, queue)? {
            queues.insert(queue);
        }
    }
    queues.into_iter().try_for_each(|queue| move_behind(write, queue, last))
}

/// Gives the queues of the rows that were offered.
fn offer_bases(write: &Write<'_>, seq: i64) -> Result<BTreeSet<Uuid>, Error> {
    let mut queues = BTreeSet::new();
    for (table, id) in bases::above(&write.tx, seq)? {
        let row = rows::read(&write.tx, table, id)?;
        let base = bases::get(&write.tx, table, id)?;
        if let (Some(row), Some(base)) = (row, base) {
            outbox::ensure_base(write, table, &row, &base)?;
            queues.insert(row.queue(table));
        }
    }
    Ok(queues)
}

fn parked_queues(write: &Write<'_>) -> Result<Vec<Uuid>, Error> {
    let mut statement = write
        .tx
        .prepare("SELECT DISTINCT queue FROM outbox WHERE state = 'parked' ORDER BY queue")?;
    let queues = statement.query_map([], |row| row.get(0).map(Uuid::from_bytes))?;
    Ok(queues.collect::<Result<_, _>>()?)
}

/// Offers rows of a queue that nothing is pending on. Tells whether there were any.
fn offer_queue(write: &Write<'_>, queue: Uuid) -> Result<bool, Error> {
    let mut offered = false;
    for (table, row) in unsaid(write, queue)? {
        if outbox::of_row(&write.tx, table, row.id)?.is_empty() {
            outbox::ensure(write, table, &row)?;
            offered = true;
        }
    }
    Ok(offered)
}

/// Rows of a queue that the server does not have, as far as this device now knows.
fn unsaid(write: &Write<'_>, queue: Uuid) -> Result<Vec<(Table, Stored)>, Error> {
    let mut found = Vec::new();
    for table in Table::ALL {
        let of_queue = match table {
            Table::Messages => "conversation_id = ?1",
            Table::Files => "coalesce(document_id, message_id, id) = ?1",
            _ => "id = ?1",
        };
        let sql = format!(
            "SELECT id FROM {} WHERE server_seq IS NULL AND {of_queue} ORDER BY rowid",
            table.name()
        );
        let mut statement = write.tx.prepare(&sql)?;
        let ids =
            statement.query_map([queue.as_bytes()], |row| row.get(0).map(Uuid::from_bytes))?;
        for id in ids.collect::<Result<Vec<_>, _>>()? {
            found.extend(rows::read(&write.tx, table, id)?.map(|row| (table, row)));
        }
    }
    Ok(found)
}

/// What stood in a queue before now stands behind what was added, in the order that it had. What is on its way
/// stays: the server may have done it since, and then tells again how it ended. What was refused because the
/// row was lost is tried again.
fn move_behind(write: &Write<'_>, queue: Uuid, last: i64) -> Result<(), Error> {
    let mut statement = write.tx.prepare(
        "SELECT n FROM outbox WHERE queue = ?1 AND n <= ?2 AND state <> 'in_flight' ORDER BY n",
    )?;
    let before = statement.query_map(params![queue.as_bytes(), last], |row| row.get(0))?;
    for n in before.collect::<Result<Vec<i64>, _>>()? {
        write.tx.execute(
            "UPDATE outbox
                SET state = 'waiting', code = NULL, message = NULL
              WHERE n = ?1 AND state = 'parked' AND code = 'missing'",
            [n],
        )?;
        outbox::renumber(write, n)?;
    }
    Ok(())
}

/// A change was refused before all of its queue was offered: it was on its way already when the server turned
/// out to be restored, or it is newer than the account. What is older goes ahead of it and of what is behind it.
pub(super) fn ahead_of(write: &Write<'_>, refused: &Entry) -> Result<(), Error> {
    if refused.is_offer() {
        return Ok(());
    }
    if !attach::is_done(&write.tx)? {
        offer_queue(write, refused.queue)?;
    }
    // A conversation that was renamed before it was offered is no offer any more. It depends on nothing in it.
    let goes_ahead =
        |op: &Entry| op.is_offer() || op.is_whole() && op.row_id == op.queue && op.n > refused.n;
    let mut behind = outbox::of_queue(&write.tx, refused.queue)?;
    behind.retain(|op| op.n >= refused.n);
    if !behind.iter().any(goes_ahead) {
        return Ok(());
    }
    let changes = behind.iter().filter(|op| !goes_ahead(op));
    changes.map(|op| op.n).try_for_each(|n| outbox::renumber(write, n))
}

/// Whether a change is of a row that the server is not to have: the person gave up to send it.
pub(super) fn is_kept_here(write: &Write<'_>, entry: &Entry) -> Result<bool, Error> {
    let others = outbox::of_row(&write.tx, entry.table, entry.row_id)?;
    let kept = |op: &Entry| op.is_whole() && op.state == OpState::Kept;
    Ok(entry.kind == Kind::Patch && others.iter().any(kept))
}

/// A change was refused because its row was not there. Where it is offered, or can be, or has come back since, the
/// change comes after that. Tells whether it does.
pub(super) fn behind_offer(write: &Write<'_>, entry: &Entry) -> Result<bool, Error> {
    let row = rows::read(&write.tx, entry.table, entry.row_id)?;
    let (Kind::Patch, Some(row)) = (entry.kind, row) else { return Ok(false) };
    let others = outbox::of_row(&write.tx, entry.table, entry.row_id)?;
    if row.seq.is_none() && !others.iter().any(Entry::is_whole) {
        outbox::ensure(write, entry.table, &row)?;
    }
    outbox::wait_again(write, entry.n)?;
    outbox::renumber(write, entry.n)?;
    Ok(true)
}

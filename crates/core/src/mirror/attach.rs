//! Offering rows that the server has never seen: what was written before an account was attached, and
//! what a restored server may have lost.
//!
//! A scan in the order of tables and rowids, a bounded number of operations ahead of the push, so that a
//! million rows never stand in the outbox. Its place moves in the transaction that adds the operations,
//! so it goes on where it stopped. A row is offered as `ensure`: where the server has it, it merges.

use rusqlite::{Connection, OptionalExtension, params};

use super::outbox::{self, New, OpState, Registers};
use super::rows::{self, Stored};
use super::{Error, LOCAL_SETTING, Mirror, Write};
use crate::model::wire::{Kind, Table};

/// Rows of one transaction.
const BATCH: usize = 200;

/// How far a scan is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offered {
    /// Operations that this call added.
    pub added: usize,
    /// Whether every row has been offered.
    pub done: bool,
}

/// Adds operations for unsynced rows until `ahead` in the outbox (above this number, where there is one) can be
/// sent or all rows are offered. Call it before each push; once it is done it only reads.
pub fn offer(mirror: &Mirror, ahead: usize, above: Option<i64>) -> Result<Offered, Error> {
    let mut sum = Offered::default();
    loop {
        let Some(place) = mirror.read(place)? else {
            return Ok(Offered { done: true, ..sum });
        };
        let free = ahead.saturating_sub(mirror.read(|c| waiting(c, ahead, above))?);
        if free == 0 {
            return Ok(sum);
        }
        sum.added += mirror.write_behind(|write| step(write, place, free.min(BATCH)))?;
    }
}

/// Whether every row has been offered, or no account is attached.
pub fn is_done(connection: &Connection) -> Result<bool, Error> {
    Ok(place(connection)?.is_none())
}

/// The table and the rowid that the scan is at.
fn place(connection: &Connection) -> Result<Option<(Table, i64)>, Error> {
    let found: Option<(i64, i64)> = connection
        .prepare_cached("SELECT scan_tbl, scan_row FROM account WHERE scan_tbl IS NOT NULL")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.and_then(|(code, row)| Some((Table::from_code(code)?, row))))
}

fn waiting(connection: &Connection, limit: usize, above: Option<i64>) -> Result<usize, Error> {
    // What waits behind a refused operation may wait for ever, and must not hold up the scan.
    let count: i64 = connection
        .prepare_cached(
            "SELECT count(*)
               FROM (SELECT 1
                       FROM outbox o
                      WHERE o.state IN ('waiting', 'in_flight') AND o.n > ?2
                        AND NOT EXISTS (SELECT 1 FROM outbox p
                                         WHERE p.queue = o.queue AND p.n < o.n
                                           AND p.state = 'parked')
                      LIMIT ?1)",
        )?
        .query_row([limit as i64, above.unwrap_or(0)], |row| row.get(0))?;
    Ok(count as usize)
}

fn step(write: &mut Write<'_>, place: (Table, i64), limit: usize) -> Result<usize, Error> {
    let (table, after) = place;
    let rows = rows::after(&write.tx, table, "server_seq IS NULL", after, limit)?;
    let mut added = 0;
    for row in &rows {
        added += usize::from(offer_row(write, table, row)?);
    }
    let next = match rows.last() {
        Some(last) if rows.len() == limit => (Some(table.code()), last.rowid),
        _ => (Table::from_code(i64::from(table.code()) + 1).map(Table::code), i64::MIN),
    };
    write.tx.execute("UPDATE account SET scan_tbl = ?1, scan_row = ?2", params![next.0, next.1])?;
    Ok(added)
}

fn offer_row(write: &Write<'_>, table: Table, row: &Stored) -> Result<bool, Error> {
    let text = |name| row.fields.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    if table == Table::Settings && text("key").starts_with(LOCAL_SETTING) {
        return Ok(false);
    }
    if !outbox::of_row(&write.tx, table, row.id)?.is_empty() {
        return Ok(false);
    }
    let streams =
        table == Table::Messages && matches!(text("state"), "sending" | "streaming" | "retrying");
    let state = if streams { OpState::Held } else { OpState::Waiting };
    let (queue, registers) = (row.queue(table), &Registers::new());
    outbox::insert(
        write,
        &New { table, row_id: row.id, queue, kind: Kind::Ensure, registers, state },
    )?;
    Ok(true)
}

/// How many rows the server has never seen. Counts them, so it is for a page that somebody looks at.
pub fn unsynced(connection: &Connection) -> Result<i64, Error> {
    let mut sum = 0;
    for table in Table::ALL {
        let sql = format!("SELECT count(*) FROM {} WHERE server_seq IS NULL", table.name());
        sum += connection.query_row(&sql, [], |row| row.get::<_, i64>(0))?;
    }
    Ok(sum)
}

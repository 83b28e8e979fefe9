//! How far this mirror has read: the pull cursor, the stages of a first sync, the heads that were seen.
//!
//! A cursor moves only in the transaction that applies the rows before it, which is why what moves it
//! is in [`super::apply`]; here it is read, and a first sync begins and ends.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::{Error, Mirror};
use crate::model::Timestamp;
use crate::model::wire::{After, Cursor, Head, Table};

/// Where the next pull goes on; none until a first sync is done.
pub fn pull(connection: &Connection) -> Result<Option<Cursor>, Error> {
    Ok(connection
        .prepare_cached("SELECT seq, nonce, tbl, row_id FROM pull WHERE seq IS NOT NULL")?
        .query_row([], |row| {
            Ok(Cursor {
                seq: row.get(0)?,
                nonce: row.get(1)?,
                tbl: row.get(2)?,
                row_id: row.get::<_, Option<_>>(3)?.map(Uuid::from_bytes),
            })
        })
        .optional()?)
}

/// Moves the pull cursor, beside the rows that come before it.
pub(super) fn set_pull(connection: &Connection, cursor: &Cursor) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO pull (only, seq, nonce, tbl, row_id) VALUES (1, ?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET seq = ?1, nonce = ?2, tbl = ?3, row_id = ?4",
        )?
        .execute(params![
            cursor.seq,
            cursor.nonce,
            cursor.tbl,
            cursor.row_id.map(Uuid::into_bytes)
        ])?;
    Ok(())
}

/// Where a first sync is.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstSync {
    /// The head that was read before any row: the cursor once it is done.
    pub head: Head,
    /// The table that it is at; none before the first part was taken.
    pub table: Option<Table>,
    /// Where that table's snapshot goes on; none at its beginning.
    pub after: Option<After>,
}

/// The first sync that is under way.
pub fn first_sync(connection: &Connection) -> Result<Option<FirstSync>, Error> {
    Ok(connection
        .prepare_cached(
            "SELECT first_seq, first_nonce, first_tbl, first_after
               FROM pull
              WHERE seq IS NULL AND first_seq IS NOT NULL",
        )?
        .query_row([], |row| {
            let after: Option<String> = row.get(3)?;
            Ok(FirstSync {
                head: Head { seq: row.get(0)?, nonce: row.get(1)? },
                table: row.get::<_, Option<i64>>(2)?.and_then(Table::from_code),
                after: after.and_then(|text| serde_json::from_str(&text).ok()),
            })
        })
        .optional()?)
}

/// Begins a first sync, with the head that was read before any row. One that is under way goes on, and
/// its head stays.
pub fn begin_first_sync(mirror: &Mirror, head: Head) -> Result<(), Error> {
    if mirror.read(first_sync)?.is_some() {
        return Ok(());
    }
    mirror.write(|write| {
        write.tx.execute(
            "INSERT OR REPLACE INTO pull (only, first_seq, first_nonce) VALUES (1, ?1, ?2)",
            [head.seq, head.nonce],
        )?;
        Ok(())
    })
}

/// Moves a first sync on, beside the rows that come before; none ends it, and the cursor stands at the
/// head that was kept, so that the next pull brings what happened since.
pub(super) fn set_first(
    connection: &Connection,
    next: Option<(Table, Option<&After>)>,
) -> Result<(), Error> {
    match next {
        Some((table, after)) => connection.execute(
            "UPDATE pull SET first_tbl = ?1, first_after = ?2 WHERE first_seq IS NOT NULL",
            params![table.code(), after.map(super::sql::to_json)],
        )?,
        None => connection.execute(
            "UPDATE pull
                SET seq = first_seq, nonce = first_nonce, tbl = NULL, row_id = NULL,
                    first_seq = NULL, first_nonce = NULL, first_tbl = NULL, first_after = NULL
              WHERE first_seq IS NOT NULL",
            [],
        )?,
    };
    Ok(())
}

/// Puts the cursor at a head without applying anything: after a manifest that was read at or after it has
/// been compared.
pub fn resume(mirror: &Mirror, head: Head) -> Result<(), Error> {
    mirror.write(|write| {
        passed(&write.tx, head.seq)?;
        set_pull(&write.tx, &Cursor::at(head))
    })
}

/// A pull has passed what was pushed up to here.
pub(super) fn passed(connection: &Connection, seq: i64) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM pushed_heads WHERE seq <= ?1")?.execute([seq])?;
    Ok(())
}

/// How many heads are kept at most.
const HEADS: i64 = 1_024;

/// Takes note of a head, in the transaction that applies what leads up to it. Old ones are thinned out:
/// of those beyond the newest half every second goes, so that the points reach far back.
pub(super) fn saw_head(connection: &Connection, head: Head, at: Timestamp) -> Result<(), Error> {
    let added = connection
        .prepare_cached("INSERT OR IGNORE INTO heads (seq, nonce, at_ms) VALUES (?1, ?2, ?3)")?
        .execute(params![head.seq, head.nonce, at])?;
    if added == 0 {
        return Ok(());
    }
    let count: i64 = connection.query_row("SELECT count(*) FROM heads", [], |row| row.get(0))?;
    if count > HEADS {
        connection.execute(
            "DELETE FROM heads
              WHERE (seq, nonce) IN (
                    SELECT seq, nonce
                      FROM (SELECT seq, nonce, row_number() OVER (ORDER BY seq DESC) AS place FROM heads)
                     WHERE place > ?1 AND place % 2 = 0)",
            [HEADS / 2],
        )?;
    }
    Ok(())
}

/// Takes note of the head that a push was answered with, before its outcomes are stored: until a pull has
/// passed it, it tells a server that was restored in between. The push named the one before, which needs no
/// note any more.
pub fn note_pushed(mirror: &Mirror, head: Head) -> Result<(), Error> {
    mirror.write_behind(|write| {
        write.tx.execute("DELETE FROM pushed_heads", [])?;
        write
            .tx
            .prepare_cached("INSERT INTO pushed_heads (seq, nonce) VALUES (?1, ?2)")?
            .execute([head.seq, head.nonce])?;
        Ok(())
    })
}

/// The head that the last push was answered with, where no pull has passed it.
pub fn pushed(connection: &Connection) -> Result<Option<Head>, Error> {
    let mut statement = connection
        .prepare_cached("SELECT seq, nonce FROM pushed_heads ORDER BY seq DESC LIMIT 1")?;
    let head = statement.query_row([], |row| Ok(Head { seq: row.get(0)?, nonce: row.get(1)? }));
    Ok(head.optional()?)
}

/// Heads that were seen, latest first: the points of `sync_anchor`.
pub fn heads(connection: &Connection, limit: usize) -> Result<Vec<Head>, Error> {
    let mut statement = connection
        .prepare_cached("SELECT seq, nonce FROM heads ORDER BY seq DESC, at_ms DESC LIMIT ?1")?;
    let rows = statement
        .query_map([limit as i64], |row| Ok(Head { seq: row.get(0)?, nonce: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Heads between two that were seen, both exclusive, evenly spread, latest first: for the bisection that
/// finds the last one that a restored server knows.
pub fn points(
    connection: &Connection,
    above: Option<Head>,
    below: Option<Head>,
    max: usize,
) -> Result<Vec<Head>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, nonce FROM heads WHERE seq > ?1 AND seq < ?2 ORDER BY seq DESC, at_ms DESC",
    )?;
    let (above, below) =
        (above.map_or(-1, |head| head.seq), below.map_or(i64::MAX, |head| head.seq));
    let all: Vec<Head> = statement
        .query_map([above, below], |row| Ok(Head { seq: row.get(0)?, nonce: row.get(1)? }))?
        .collect::<Result<_, _>>()?;
    if all.len() <= max {
        return Ok(all);
    }
    Ok((0..max).map(|place| all[place * (all.len() - 1) / (max - 1).max(1)]).collect())
}

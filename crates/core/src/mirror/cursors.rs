//! How far this mirror has read: the pull cursor, the stages of a first sync, the heads that were seen.
//!
//! A cursor moves only in the transaction that applies the rows before it, which is why what moves it
//! is in [`super::apply`]; here it is read, and a first sync begins and ends.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
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

/// A stage of a first sync.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// The table.
    pub table: Table,
    /// Where its snapshot goes on; none at the beginning.
    pub after: Option<After>,
}

/// The order of a first sync: what the sidebar shows, then what a thread shows, then the rest.
pub const STAGES: [Table; 7] = [
    Table::Conversations,
    Table::Messages,
    Table::Settings,
    Table::Devices,
    Table::Documents,
    Table::Files,
    Table::Usage,
];

/// The head that was kept before the first sync began; none where none is under way.
pub fn first_sync(connection: &Connection) -> Result<Option<Head>, Error> {
    Ok(connection
        .query_row(
            "SELECT first_seq, first_nonce FROM pull WHERE seq IS NULL AND first_seq IS NOT NULL",
            [],
            |row| Ok(Head { seq: row.get(0)?, nonce: row.get(1)? }),
        )
        .optional()?)
}

/// Begins a first sync, with the head that was read before any row: the cursor once it is done.
/// Goes on with one that is under way, and its head stays.
pub fn begin_first_sync(mirror: &Mirror, head: Head) -> Result<(), Error> {
    if mirror.read(first_sync)?.is_some() {
        return Ok(());
    }
    mirror.write(|write| {
        write.tx.execute("DELETE FROM stages", [])?;
        write.tx.execute(
            "INSERT OR REPLACE INTO pull (only, first_seq, first_nonce) VALUES (1, ?1, ?2)",
            [head.seq, head.nonce],
        )?;
        Ok(())
    })
}

/// The stage that a first sync is at; none where all are done.
pub fn next_stage(connection: &Connection) -> Result<Option<Stage>, Error> {
    let mut statement =
        connection.prepare_cached("SELECT after, done FROM stages WHERE tbl = ?1")?;
    for table in STAGES {
        let found: Option<(Option<String>, bool)> =
            statement.query_row([table.code()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (after, done) = found.unwrap_or_default();
        if !done {
            let after = after.and_then(|text| serde_json::from_str(&text).ok());
            return Ok(Some(Stage { table, after }));
        }
    }
    Ok(None)
}

/// Moves a stage, beside the rows that come before it; none ends it.
pub(super) fn set_stage(
    connection: &Connection,
    table: Table,
    after: Option<&After>,
) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO stages (tbl, after, done) VALUES (?1, ?2, ?3)")?
        .execute(params![table.code(), after.map(super::sql::to_json), after.is_none()])?;
    Ok(())
}

/// Ends a first sync: the cursor stands at the head that was kept, and the next pull brings what
/// happened since.
pub fn finish_first_sync(mirror: &Mirror) -> Result<(), Error> {
    mirror.write(|write| {
        write.tx.execute(
            "UPDATE pull
                SET seq = first_seq, nonce = first_nonce, tbl = NULL, row_id = NULL
              WHERE seq IS NULL AND first_seq IS NOT NULL",
            [],
        )?;
        Ok(())
    })
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

/// Heads that were seen, latest first: the points of `sync_anchor`.
pub fn heads(connection: &Connection, limit: usize) -> Result<Vec<Head>, Error> {
    let mut statement = connection
        .prepare_cached("SELECT seq, nonce FROM heads ORDER BY seq DESC, at_ms DESC LIMIT ?1")?;
    let rows = statement
        .query_map([limit as i64], |row| Ok(Head { seq: row.get(0)?, nonce: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What a status shows of reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Where the next pull goes on.
    pub cursor: Option<Cursor>,
    /// The table that a first sync is at.
    pub stage: Option<Table>,
}

/// Where reading stands.
pub fn reading(connection: &Connection) -> Result<Reading, Error> {
    let cursor = pull(connection)?;
    let stage = match cursor.is_none() && first_sync(connection)?.is_some() {
        true => next_stage(connection)?.map(|stage| stage.table),
        false => None,
    };
    Ok(Reading { cursor, stage })
}

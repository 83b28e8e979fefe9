//! The table `bases`: what the server last said of rows that this device is changing.
//!
//! A row without operations is its own base. With the first operation on a row that the server knows, its
//! base is copied here; with the last one settled, the copy goes. Digests and merges are over bases.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::rows::{self, Stored};
use super::sql::to_json;
use super::{Error, Write, outbox};
use crate::model::wire::{Clocks, Table};

/// What the server last said of a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Base {
    /// The transaction that changed it last.
    pub seq: i64,
    /// When it last changed.
    pub updated_ms: i64,
    /// Field → value, as on the wire.
    pub fields: Map<String, Value>,
    /// Register → clock.
    pub clocks: Clocks,
}

impl From<Stored> for Base {
    /// A row that is its own base.
    fn from(row: Stored) -> Self {
        let seq = row.seq.unwrap_or_default();
        Self { seq, updated_ms: row.updated_ms, fields: row.fields, clocks: row.clocks }
    }
}

/// The copy of a row's base; none where the row is its own, or the server does not know it.
pub(super) fn get(connection: &Connection, table: Table, id: Uuid) -> Result<Option<Base>, Error> {
    let base = connection
        .prepare_cached(
            "SELECT seq, updated_ms, fields, clocks FROM bases WHERE tbl = ?1 AND row_id = ?2",
        )?
        .query_row(params![table.code(), id.as_bytes()], |row| {
            let fields = row.get_ref(2)?.as_str()?;
            let clocks = row.get_ref(3)?.as_str()?;
            Ok(Base {
                seq: row.get(0)?,
                updated_ms: row.get(1)?,
                fields: serde_json::from_str(fields).unwrap_or_default(),
                clocks: serde_json::from_str(clocks).unwrap_or_default(),
            })
        })
        .optional()?;
    Ok(base)
}

/// A row as the server last said it, with what is pending taken off; none where the server does not know
/// it. This is what digests are made of.
pub fn of(connection: &Connection, table: Table, id: Uuid) -> Result<Option<Base>, Error> {
    if let Some(base) = get(connection, table, id)? {
        return Ok(Some(base));
    }
    let row = rows::read(connection, table, id)?;
    Ok(row.filter(|row| row.seq.is_some()).map(Base::from))
}

/// Bases in the order of ids, after `after`: of a table, or of one conversation's messages. With their
/// ids; for digests.
pub fn page(
    connection: &Connection,
    table: Table,
    conversation: Option<Uuid>,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<(Uuid, Base)>, Error> {
    let only = if conversation.is_some() { "conversation_id = ?2" } else { "?2 IS NULL" };
    let sql = format!(
        "SELECT id FROM {}
          WHERE id > ?1 AND {only} AND server_seq IS NOT NULL
          ORDER BY id
          LIMIT ?3",
        table.name()
    );
    let start = after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
    let mut statement = connection.prepare_cached(&sql)?;
    let ids: Vec<[u8; 16]> = statement
        .query_map(params![start, conversation.map(Uuid::into_bytes), limit as i64], |row| {
            row.get(0)
        })?
        .collect::<Result<_, _>>()?;
    let bases =
        ids.into_iter().map(Uuid::from_bytes).map(|id| Ok((id, of(connection, table, id)?)));
    let found = bases.filter_map(|found: Result<_, Error>| match found {
        Ok((id, base)) => base.map(|base| Ok((id, base))),
        Err(error) => Some(Err(error)),
    });
    found.collect()
}

/// The seq of a row's copied base.
pub(super) fn seq(connection: &Connection, table: Table, id: Uuid) -> Result<Option<i64>, Error> {
    Ok(connection
        .prepare_cached("SELECT seq FROM bases WHERE tbl = ?1 AND row_id = ?2")?
        .query_row(params![table.code(), id.as_bytes()], |row| row.get(0))
        .optional()?)
}

/// The rows whose copied bases the server said after `seq`, in the order in which it said them.
pub(super) fn above(connection: &Connection, seq: i64) -> Result<Vec<(Table, Uuid)>, Error> {
    let mut statement = connection
        .prepare("SELECT tbl, row_id FROM bases WHERE seq > ?1 ORDER BY seq, tbl, row_id")?;
    let rows = statement
        .query_map([seq], |row| Ok((row.get(0)?, row.get(1).map(Uuid::from_bytes)?)))?
        .collect::<Result<Vec<(i64, Uuid)>, _>>()?;
    Ok(rows.into_iter().filter_map(|(code, id)| Some((Table::from_code(code)?, id))).collect())
}

/// Stores a base.
pub(super) fn put(
    connection: &Connection,
    table: Table,
    id: Uuid,
    base: &Base,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO bases (tbl, row_id, seq, updated_ms, fields, clocks)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            table.code(),
            id.as_bytes(),
            base.seq,
            base.updated_ms,
            to_json(&base.fields),
            to_json(&base.clocks)
        ])?;
    Ok(())
}

pub(super) fn drop(connection: &Connection, table: Table, id: Uuid) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM bases WHERE tbl = ?1 AND row_id = ?2")?
        .execute(params![table.code(), id.as_bytes()])?;
    Ok(())
}

/// Before a row changes: copies its base with the first change, and writes down what is on its way.
pub(super) fn before(write: &Write<'_>, table: Table, id: Uuid) -> Result<(), Error> {
    let ops = outbox::of_row(&write.tx, table, id)?;
    let copied = seq(&write.tx, table, id)?.is_some();
    if copied && ops.iter().all(|op| op.state != outbox::OpState::InFlight) {
        return Ok(());
    }
    let Some(row) = rows::read(&write.tx, table, id)? else { return Ok(()) };
    outbox::freeze(write, &row, &ops)?;
    if !copied && ops.is_empty() && row.seq.is_some() {
        put(&write.tx, table, id, &row.into())?;
    }
    Ok(())
}

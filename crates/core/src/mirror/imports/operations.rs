//! Rows of a mirror as operations, which an administrator's import sends for the people whose they are.

use rusqlite::{Connection, params};
use serde_json::Map;
use uuid::Uuid;

use crate::mirror::{Error, rows};
use crate::model::wire::{Clocks, Kind, Op, Table};

/// The rows of a table as operations, after this rowid: at most so many, and bytes. None behind the last
/// row. Numbers are rowids' order within the answer.
pub fn operations(
    connection: &Connection,
    table: Table,
    kind: Kind,
    after: i64,
    most: usize,
    bytes: usize,
) -> Result<(Vec<Op>, Option<i64>), Error> {
    let sql =
        format!("SELECT rowid, id FROM {} WHERE rowid > ?1 ORDER BY rowid LIMIT ?2", table.name());
    let ids: Vec<(i64, Uuid)> = connection
        .prepare_cached(&sql)?
        .query_map(params![after, most as i64], |row| {
            Ok((row.get(0)?, Uuid::from_bytes(row.get(1)?)))
        })?
        .collect::<Result<_, _>>()?;
    let (mut ops, mut last, mut size) = (Vec::new(), None, 0);
    for (rowid, id) in ids {
        let Some(row) = rows::read(connection, table, id)? else { continue };
        let fields = if kind == Kind::Purge { Map::new() } else { row.fields.clone() };
        size += fields.values().map(|value| value.as_str().map_or(16, str::len)).sum::<usize>();
        if size > bytes && !ops.is_empty() {
            break;
        }
        let (n, queue) = (ops.len() as i64 + 1, row.queue(table));
        let none = Clocks::default;
        ops.push(Op { n, tbl: table, id, queue, kind, fields, clocks: none(), base: none() });
        last = Some(rowid);
    }
    Ok((ops, last))
}

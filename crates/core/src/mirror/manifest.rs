//! A table here against the server's list of it: for a device that slept past the horizon, and for repair.
//!
//! Nothing is changed here. What is to be fetched goes through [`super::apply::rows`]; what the server does
//! not have goes through [`super::apply::remove`], and only when the whole list was read and its head,
//! user and count were right. Absence alone proves nothing.

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::bases::{self, Base};
use super::{Error, cursors};
use crate::model::wire::{Listed, Table};

/// What a part of a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Rows that the server has in another version, or that are not here.
    pub fetch: Vec<Uuid>,
    /// Rows that the server once had and does not list.
    pub absent: Vec<Uuid>,
    /// A row stands lower than this device has seen it, in a list of a later head: the server was restored.
    pub restored: bool,
}

/// Compares a part of the list: what comes after `after`, up to its last row, or to the end of the table
/// where it is the last part. `head` is the seq that the list was read at. `hash` gives a base's content hash, in
/// hexadecimal.
pub fn compare(
    connection: &Connection,
    table: Table,
    after: Option<Uuid>,
    rows: &[Listed],
    is_last: bool,
    head: i64,
    hash: impl Fn(&Base) -> String,
) -> Result<Compared, Error> {
    let mut compared = Compared::default();
    let read_to = cursors::pull(connection)?.map(|cursor| cursor.seq);
    for row in rows {
        let base = bases::of(connection, table, row.id)?;
        // What this device changed over something that it has not read yet stands at the server's seq, and
        // lacks that: its clocks, which are in no hash.
        let unread = read_to.is_some_and(|seq| row.seq > seq);
        compared.restored |=
            base.as_ref().is_some_and(|base| row.seq < base.seq && base.seq <= head);
        let same = base.is_some_and(|base| {
            base.seq > row.seq || base.seq == row.seq && !unread && hash(&base) == row.hash
        });
        if !same {
            compared.fetch.push(row.id);
        }
    }
    let end = rows.last().map_or(Uuid::nil(), |row| row.id);
    let end = if is_last { Uuid::max() } else { end };
    let sql = format!(
        "SELECT id FROM {}
          WHERE id > ?1 AND id <= ?2 AND server_seq IS NOT NULL
          ORDER BY id",
        table.name()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let start = after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
    let here = statement.query_map(params![start, end.as_bytes()], |row| row.get(0))?;
    for id in here {
        let id = Uuid::from_bytes(id?);
        if rows.binary_search_by(|row| row.id.cmp(&id)).is_err() {
            compared.absent.push(id);
        }
    }
    Ok(compared)
}

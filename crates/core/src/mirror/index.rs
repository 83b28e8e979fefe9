//! Keeping the search index: FTS5 tables without a copy of the text, by the rows' rowids.
//!
//! A person's write only puts its row on the dirty list (`index_dirty`), in its own transaction. The
//! index's task takes rows off that list in short transactions that write the index too, so an entry
//! can never be marked done before it is. Batches index in their own transaction. Whatever happens,
//! reopening goes on with what is on the list. Once it has caught up, the task merges the pieces that
//! writes have left ([`merge`]).

use rusqlite::{Connection, OptionalExtension, params};

use super::search::script::spaced;
use super::{Error, Mirror};
use crate::faults::{self, Bug};

/// Rows in one transaction, which ends early where a person waits to write. Each leaves a piece of the index, and
/// fewer pieces are less work.
const BATCH: usize = 512;

/// Pages of the index that one merge writes: a few milliseconds' work.
const MERGED_PAGES: i64 = 32;

/// Indexes a new message within the caller's transaction.
pub(super) fn insert_message(
    connection: &Connection,
    rowid: i64,
    content: &str,
) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT INTO message_index (rowid, content) VALUES (?1, ?2)")?
        .execute(params![rowid, spaced(content)])?;
    Ok(())
}

/// Takes one batch off the dirty list. Tells how many rows it took; 0 means all is indexed.
pub fn catch_up(mirror: &Mirror) -> Result<usize, Error> {
    if faults::on(Bug::IndexMarkedFirst) {
        return marked_first(mirror);
    }
    mirror.step_aside();
    mirror.write_lazily(|tx| {
        let mut count = 0;
        for (kind, row) in listed(tx)? {
            index_row(tx, kind, row)?;
            done(tx, kind, row)?;
            count += 1;
            if mirror.a_person_waits() {
                break;
            }
        }
        Ok(count)
    })
}

fn done(connection: &Connection, kind: i64, row: i64) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM index_dirty WHERE kind = ?1 AND row = ?2")?
        .execute([kind, row])?;
    Ok(())
}

/// The bug of [`Bug::IndexMarkedFirst`]: off the list in one transaction, into the index in another.
fn marked_first(mirror: &Mirror) -> Result<usize, Error> {
    let rows = mirror.write_lazily(|tx| {
        let rows = listed(tx)?;
        rows.iter().try_for_each(|(kind, row)| done(tx, *kind, *row))?;
        Ok(rows)
    })?;
    mirror.write_lazily(|tx| rows.iter().try_for_each(|(kind, row)| index_row(tx, *kind, *row)))?;
    Ok(rows.len())
}

fn listed(connection: &Connection) -> Result<Vec<(i64, i64)>, Error> {
    Ok(connection
        .prepare_cached("SELECT kind, row FROM index_dirty LIMIT ?1")?
        .query_map([BATCH as i64], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?)
}

/// Merges pieces of the index, a little at a time; tells whether there was something to merge.
///
/// FTS5 would do this inside the write that adds a piece too many, where somebody waits for it. Only
/// whoever has caught up calls this; a search over unmerged pieces is slower and finds the same.
pub fn merge(mirror: &Mirror) -> Result<bool, Error> {
    mirror.write_lazily(|tx| {
        let mut merged = false;
        for merge in [
            "INSERT INTO message_index (message_index, rank) VALUES ('merge', ?1)",
            "INSERT INTO title_index (title_index, rank) VALUES ('merge', ?1)",
        ] {
            let before = tx.total_changes();
            tx.prepare_cached(merge)?.execute([MERGED_PAGES])?;
            // The command itself counts as one change (SQLite, FTS5, 6.8).
            merged |= tx.total_changes() - before > 1;
        }
        Ok(merged)
    })
}

fn index_row(connection: &Connection, kind: i64, row: i64) -> Result<(), Error> {
    let (delete, select, insert) = if kind == super::Table::Messages as i64 {
        (
            "DELETE FROM message_index WHERE rowid = ?1",
            "SELECT content FROM messages WHERE rowid = ?1 AND trashed_ms IS NULL",
            "INSERT INTO message_index (rowid, content) VALUES (?1, ?2)",
        )
    } else {
        (
            "DELETE FROM title_index WHERE rowid = ?1",
            "SELECT title FROM conversations WHERE rowid = ?1",
            "INSERT INTO title_index (rowid, title) VALUES (?1, ?2)",
        )
    };
    connection.prepare_cached(delete)?.execute([row])?;
    let text: Option<String> =
        connection.prepare_cached(select)?.query_row([row], |r| r.get(0)).optional()?;
    if let Some(text) = text {
        connection.prepare_cached(insert)?.execute(params![row, spaced(&text)])?;
    }
    Ok(())
}

/// Empties the index and puts every row on the dirty list: it rebuilds itself from there.
pub fn rebuild(mirror: &Mirror) -> Result<(), Error> {
    mirror.write(|write| {
        write.tx.execute_batch(
            "INSERT INTO message_index (message_index) VALUES ('delete-all');
             INSERT INTO title_index (title_index) VALUES ('delete-all');
             INSERT OR IGNORE INTO index_dirty SELECT 1, rowid FROM messages;
             INSERT OR IGNORE INTO index_dirty SELECT 2, rowid FROM conversations;",
        )?;
        Ok(())
    })?;
    mirror.wake_indexer();
    Ok(())
}

/// Rows that the index shows and rows that it should show; the difference is on the dirty list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Messages that are not in the trash.
    pub messages: i64,
    /// Rows of the message index.
    pub indexed: i64,
    /// Rows on the dirty list.
    pub dirty: i64,
}

/// Counts for `doctor`.
pub fn coverage(connection: &Connection) -> Result<Coverage, Error> {
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    Ok(Coverage {
        messages: count("SELECT count(*) FROM messages WHERE trashed_ms IS NULL")?,
        indexed: count("SELECT count(*) FROM message_index_docsize")?,
        dirty: count("SELECT count(*) FROM index_dirty")?,
    })
}

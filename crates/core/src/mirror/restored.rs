//! A server that was restored from a backup: back to the last point that both know.
//!
//! Whatever the server said after that point is unsaid: rows lose their seq and are offered again, this
//! device's and those that it had pulled, and deletions are repeated. Until [`rewind`] has returned
//! nothing may be pulled: a row with a seq of the lost time would pass for newer.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::outbox::{self, New, OpState, Registers};
use super::{Error, Mirror, Write, cursors, reoffer};
use crate::model::wire::{Cursor, Head, Kind, Table};

/// Rows of one transaction.
const BATCH: i64 = 500;

/// What was unsaid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewound {
    /// Rows that are offered again.
    pub rows: usize,
    /// Deletions that are repeated.
    pub deletions: usize,
}

/// Goes back to `anchor`, the highest head that the restored server knows too; none where it knows none,
/// and a first sync follows. Short transactions; after a crash [`under_way`] tells that it has to be
/// called again. [`super::attach::offer`] then offers the rows, and the cursor stands at the anchor.
pub fn rewind(mirror: &Mirror, anchor: Option<Head>) -> Result<Rewound, Error> {
    mirror.write(|write| {
        write.tx.execute(
            "UPDATE account SET rewinding = 1, rewind_seq = ?1, rewind_nonce = ?2",
            params![anchor.map(|head| head.seq), anchor.map(|head| head.nonce)],
        )?;
        Ok(())
    })?;
    let seq = anchor.map_or(-1, |head| head.seq);
    let mut rewound = Rewound::default();
    for table in Table::ALL {
        let mut after = i64::MIN;
        loop {
            let (count, last) = mirror.write_behind(|write| unsay(write, table, seq, after))?;
            rewound.rows += count;
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
    }
    mirror.write(|write| {
        rewound.deletions = repeat_deletions(write, seq)?;
        reoffer::before_changes(write, seq)?;
        operations(write)?;
        write.tx.execute("DELETE FROM heads WHERE seq > ?1", [seq])?;
        write.tx.execute("DELETE FROM pushed_heads", [])?;
        write.tx.execute("DELETE FROM bases WHERE seq > ?1", [seq])?;
        match anchor {
            Some(head) => cursors::set_pull(&write.tx, &Cursor::at(head))?,
            None => write.tx.execute_batch("DELETE FROM pull")?,
        }
        write.tx.execute(
            "UPDATE account SET scan_tbl = ?1, scan_row = ?2, rewinding = 0",
            params![Table::Conversations.code(), i64::MIN],
        )?;
        Ok(())
    })?;
    Ok(rewound)
}

/// The rewind that was begun and has not ended, and its anchor.
pub fn under_way(connection: &Connection) -> Result<Option<Option<Head>>, Error> {
    Ok(connection
        .prepare_cached("SELECT rewind_seq, rewind_nonce FROM account WHERE rewinding")?
        .query_row([], |row| {
            let head: (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
            Ok(head.0.map(|seq| Head { seq, nonce: head.1.unwrap_or_default() }))
        })
        .optional()?)
}

/// Takes the seq off rows that the server had after `seq`. Gives their number and the last one looked at.
fn unsay(
    write: &Write<'_>,
    table: Table,
    seq: i64,
    after: i64,
) -> Result<(usize, Option<i64>), Error> {
    let name = table.name();
    let rows: Vec<i64> = write
        .tx
        .prepare_cached(&format!(
            "SELECT rowid FROM {name} WHERE rowid > ?1 AND server_seq > ?2 ORDER BY rowid LIMIT ?3"
        ))?
        .query_map([after, seq, BATCH], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for row in &rows {
        write
            .tx
            .prepare_cached(&format!("UPDATE {name} SET server_seq = NULL WHERE rowid = ?1"))?
            .execute([row])?;
    }
    Ok((rows.len(), rows.last().copied()))
}

/// Deletes again what was deleted after `seq`. The log of usage and devices are never deleted.
fn repeat_deletions(write: &Write<'_>, seq: i64) -> Result<usize, Error> {
    let deleted: Vec<(i64, [u8; 16])> = write
        .tx
        .prepare("SELECT tbl, row_id FROM tombstones WHERE seq > ?1 ORDER BY seq, tbl")?
        .query_map([seq], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut count = 0;
    for (code, row_id) in deleted {
        let row_id = Uuid::from_bytes(row_id);
        let table =
            Table::from_code(code).filter(|table| !matches!(table, Table::Usage | Table::Devices));
        let Some(table) = table else { continue };
        if !outbox::of_row(&write.tx, table, row_id)?.is_empty() {
            continue;
        }
        let (kind, state, registers) = (Kind::Purge, OpState::Waiting, &Registers::new());
        outbox::insert(write, &New { table, row_id, queue: row_id, kind, registers, state })?;
        count += 1;
    }
    Ok(count)
}

/// A salvaged mirror cannot tell which of its rows, operations and bases are missing, so what it says of
/// the server does not hold: all is read again, and every row that differs is offered and merges. Its
/// numbers go on far above any that it may have given.
pub(super) fn distrust(write: &Write<'_>) -> Result<(), Error> {
    if super::account::get(&write.tx)?.is_none() {
        return Ok(());
    }
    for table in Table::ALL {
        write.tx.execute(&format!("UPDATE {} SET server_seq = NULL", table.name()), [])?;
    }
    operations(write)?;
    write.tx.execute_batch(
        "DELETE FROM pull;
         DELETE FROM bases;
         UPDATE outbox SET sent = NULL, state = 'waiting' WHERE state = 'in_flight';
         DELETE FROM sqlite_sequence WHERE name = 'outbox';",
    )?;
    // A device does not make an operation each millisecond of its life.
    write
        .tx
        .execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', ?1)", [write.now])?;
    let waiting: Vec<i64> = write
        .tx
        .prepare("SELECT n FROM outbox ORDER BY n")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for n in waiting {
        outbox::renumber(write, n)?;
    }
    write.tx.execute(
        "UPDATE account SET scan_tbl = ?1, scan_row = ?2, rewinding = 0",
        params![Table::Conversations.code(), i64::MIN],
    )?;
    Ok(())
}

/// A change of a row that the server may have lost, and of which nothing else is known, becomes an offer of
/// the whole row.
fn operations(write: &Write<'_>) -> Result<(), Error> {
    let mut lost = Vec::new();
    for table in Table::ALL {
        let sql = format!(
            "SELECT o.n
               FROM outbox o JOIN {} r ON r.id = o.row_id
              WHERE o.tbl = ?1 AND o.kind = 'patch' AND r.server_seq IS NULL
                AND NOT EXISTS (SELECT 1 FROM outbox w WHERE w.row_id = o.row_id AND w.tbl = o.tbl
                                   AND w.kind IN ('put', 'ensure'))",
            table.name()
        );
        let mut statement = write.tx.prepare(&sql)?;
        let found = statement.query_map([table.code()], |row| row.get::<_, i64>(0))?;
        lost.extend(found.collect::<Result<Vec<_>, _>>()?);
    }
    for n in lost {
        write.tx.execute(
            "UPDATE outbox
                SET kind = 'ensure', sent = NULL, state = iif(state = 'in_flight', 'waiting', state)
              WHERE n = ?1",
            [n],
        )?;
    }
    Ok(())
}

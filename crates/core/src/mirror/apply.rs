//! Storing what the server sent: pages, snapshots, single rows.
//!
//! Each batch is one short transaction, so that a person's write waits less than 10 ms behind it; the
//! cursor moves in the last one. A crash in between leaves rows that are newer than the cursor, and
//! reading the page again changes nothing of them. A row is taken where its seq is not older than
//! what is known of it ([`super::incoming`]); children may come before their parents.
//!
//! Only a `D` or an `X` removes a row, or [`remove`] where a complete manifest proved that it is gone.

use std::collections::HashMap;

use rusqlite::params;
use uuid::Uuid;

use super::incoming::{Incoming, Layout, keep};
use super::sync_faults::{self, Fault};
use super::touched::{Size, Touched};
use super::{Error, Mirror, Write, cursors, departed, rows};
use crate::events::Change as Told;
use crate::model::wire::{Cell, Change, Entry, EntryKind, Page, Rows, Snapshot, Table};

/// Rows of one transaction.
const BATCH_ROWS: usize = 250;
/// Bytes of text of one transaction, about.
const BATCH_BYTES: usize = 256 << 10;
/// A page of at most this many rows tells each of them.
const FEW: usize = 64;

/// Removals beyond these need a yes: more than `ASK_ROWS` rows and more than `ASK_PART` of those here.
const ASK_ROWS: i64 = 50;
const ASK_PART: f64 = 0.2;

/// What a page did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Changes that were read.
    pub rows: usize,
    /// Rows that were here and are gone.
    pub removed: usize,
    /// Rows with pending changes that were gone and came back as copies.
    pub recovered: usize,
}

/// How many of the rows here the server says are gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removal {
    /// Those that are here.
    pub rows: i64,
    /// All synced rows here; counted only where `rows` is large.
    pub of: i64,
}

impl Removal {
    /// Whether a person has to say yes first.
    pub fn asks(self) -> bool {
        self.rows > ASK_ROWS && self.rows as f64 > self.of as f64 * ASK_PART
    }

    /// Both together: a pull is judged by all of its pages.
    pub fn and(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, of: self.of.max(other.of) }
    }
}

/// What a page would remove. `before` is how many rows the same pull has removed already, so that the
/// question is asked for all of them.
pub fn removal(mirror: &Mirror, page: &Page<'_>, before: i64) -> Result<Removal, Error> {
    let gone = page.changes.iter().filter(|change| change.op != EntryKind::U);
    let gone: Vec<_> =
        gone.filter_map(|change| Some((Table::named(&change.tbl)?, change.row_id))).collect();
    removal_of(mirror, &gone, before)
}

/// What removing these rows would remove.
pub fn removal_of(mirror: &Mirror, gone: &[(Table, Uuid)], before: i64) -> Result<Removal, Error> {
    if gone.is_empty() {
        return Ok(Removal { rows: before, of: 0 });
    }
    mirror.read(|c| {
        let mut found = before;
        for (table, id) in gone {
            let sql = format!("SELECT 1 FROM {} WHERE id = ?1", table.name());
            found += i64::from(c.prepare_cached(&sql)?.exists([id.as_bytes()])?);
        }
        let mut of = 0;
        if found > ASK_ROWS {
            for table in Table::ALL {
                let sql =
                    format!("SELECT count(*) FROM {} WHERE server_seq IS NOT NULL", table.name());
                of += c.query_row(&sql, [], |row| row.get::<_, i64>(0))?;
            }
            of += before;
        }
        Ok(Removal { rows: found, of })
    })
}

/// Applies a page and moves the cursor to its end. Whoever calls this has asked before where
/// [`removal`] says so. A page that brings nothing new writes nothing.
///
/// The page must be known and above the horizon ([`Page::known`], [`Page::below_horizon`]).
pub fn page(mirror: &Mirror, page: &Page<'_>) -> Result<Applied, Error> {
    if page.changes.is_empty() && mirror.read(cursors::pull)?.as_ref() == Some(&page.cursor) {
        return Ok(Applied::default());
    }
    if sync_faults::has(Fault::CursorFirst) {
        mirror.write_behind(|write| cursors::set_pull(&write.tx, &page.cursor))?;
    }
    let size = if page.changes.len() <= FEW { Size::Few } else { Size::Many };
    let mut batch = Batches::new(mirror, size);
    let mut rest = page.changes.as_slice();
    while rest.len() > BATCH_ROWS || weight_of(rest) > BATCH_BYTES {
        let (now, later) = rest.split_at(fitting(rest));
        batch.run(|run| run.changes(now, page))?;
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    batch.run(|run| {
        run.changes(rest, page)?;
        cursors::set_pull(&run.write.tx, &page.cursor)?;
        if !page.has_more {
            cursors::saw_head(&run.write.tx, page.cursor.head(), run.write.now)?;
        }
        if size == Size::Many {
            run.write.tell(Told::Everything);
        }
        Ok(())
    })?;
    Ok(batch.applied)
}

/// Applies a part of a first sync and moves its stage.
pub fn snapshot(mirror: &Mirror, table: Table, snapshot: &Snapshot<'_>) -> Result<Applied, Error> {
    let after = snapshot.after.as_ref().filter(|_| snapshot.has_more);
    entries(mirror, table, &snapshot.columns, &snapshot.rows, |write| {
        cursors::set_stage(&write.tx, table, after)?;
        write.tell(Told::Everything);
        Ok(())
    })
}

/// Applies rows that were asked for by id.
pub fn rows(mirror: &Mirror, table: Table, rows: &Rows<'_>) -> Result<Applied, Error> {
    entries(mirror, table, &rows.columns, &rows.rows, |write| {
        write.tell(Told::Everything);
        Ok(())
    })
}

fn entries(
    mirror: &Mirror,
    table: Table,
    columns: &[String],
    entries: &[Entry<'_>],
    end: impl FnOnce(&mut Write<'_>) -> Result<(), Error>,
) -> Result<Applied, Error> {
    let layout = Layout::new(table, columns);
    let mut batch = Batches::new(mirror, Size::Many);
    let mut rest = entries;
    let mut end = Some(end);
    loop {
        let (now, later) = rest.split_at(fitting(rest));
        batch.run(|run| {
            for entry in now {
                run.take_in(&layout, entry.row_id, entry.seq, &entry.row)?;
            }
            match end.take_if(|_| later.is_empty()) {
                Some(end) => end(run.write),
                None => Ok(()),
            }
        })?;
        rest = later;
        if rest.is_empty() {
            return Ok(batch.applied);
        }
    }
}

/// Removes rows that a complete manifest of the head `seq` does not have.
pub fn remove(mirror: &Mirror, table: Table, ids: &[Uuid], seq: i64) -> Result<Applied, Error> {
    let mut batch = Batches::new(mirror, Size::Many);
    for ids in ids.chunks(BATCH_ROWS / 4) {
        batch.run(|run| {
            for id in ids {
                run.depart(table, *id, seq)?;
            }
            run.write.tell(Told::Everything);
            Ok(())
        })?;
    }
    Ok(batch.applied)
}

/// Something that weighs about as many bytes as its text.
trait Weighs {
    fn weight(&self) -> usize;
}

impl Weighs for Change<'_> {
    fn weight(&self) -> usize {
        self.row.as_deref().map_or(0, text)
    }
}

impl Weighs for Entry<'_> {
    fn weight(&self) -> usize {
        text(&self.row)
    }
}

fn text(cells: &[Cell<'_>]) -> usize {
    cells.iter().map(|cell| cell.as_str().map_or(0, str::len)).sum()
}

fn weight_of(rows: &[impl Weighs]) -> usize {
    rows.iter().map(Weighs::weight).sum()
}

/// How many of the rows go into one transaction; at least one, where there is one.
fn fitting(rows: &[impl Weighs]) -> usize {
    let mut bytes = 0;
    let fits = rows.iter().take(BATCH_ROWS).take_while(|row| {
        let first = bytes == 0;
        bytes += row.weight().max(1);
        first || bytes <= BATCH_BYTES
    });
    fits.count()
}

/// Transactions after each other, and what they did together.
struct Batches<'m> {
    mirror: &'m Mirror,
    size: Size,
    applied: Applied,
}

impl<'m> Batches<'m> {
    fn new(mirror: &'m Mirror, size: Size) -> Self {
        Self { mirror, size, applied: Applied::default() }
    }

    fn run(
        &mut self,
        work: impl FnOnce(&mut Run<'_, '_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (size, mut applied) = (self.size, self.applied);
        self.applied = self.mirror.write_behind(|write| {
            let mut touched = Touched::new(size);
            let mut run = Run { write, touched: &mut touched, applied: &mut applied };
            work(&mut run)?;
            touched.finish(write)?;
            Ok(applied)
        })?;
        Ok(())
    }
}

/// One transaction of them.
struct Run<'w, 'c> {
    write: &'w mut Write<'c>,
    touched: &'w mut Touched,
    applied: &'w mut Applied,
}

impl Run<'_, '_> {
    fn changes(&mut self, changes: &[Change<'_>], page: &Page<'_>) -> Result<(), Error> {
        let mut layouts: HashMap<Table, Layout> = HashMap::new();
        for change in changes {
            let columns = page.columns.get(change.tbl.as_ref());
            let table = Table::named(&change.tbl);
            match (change.op, &change.row, table) {
                (EntryKind::U, Some(row), Some(table)) => {
                    let columns = columns.map(Vec::as_slice).unwrap_or_default();
                    let layout =
                        layouts.entry(table).or_insert_with(|| Layout::new(table, columns));
                    self.take_in(layout, change.row_id, change.seq, row)?;
                }
                (EntryKind::U, Some(row), None) => self.keep(change, columns, row)?,
                // A row that is none of the caller's business.
                (EntryKind::U, None, _) => {}
                (op, _, Some(table)) => {
                    if op == EntryKind::D {
                        self.remember(table, change.row_id, change.seq)?;
                    }
                    self.depart(table, change.row_id, change.seq)?;
                }
                (_, _, None) => self.forget(change)?,
            }
        }
        Ok(())
    }

    fn take_in(
        &mut self,
        layout: &Layout,
        id: Uuid,
        seq: i64,
        cells: &[Cell<'_>],
    ) -> Result<(), Error> {
        self.applied.rows += 1;
        Incoming { layout, id, seq, cells }.apply(self.write, self.touched)
    }

    fn keep(
        &mut self,
        change: &Change<'_>,
        columns: Option<&Vec<String>>,
        row: &[Cell<'_>],
    ) -> Result<(), Error> {
        self.applied.rows += 1;
        let names = columns.into_iter().flatten().cloned();
        let row = names.zip(row.iter().map(Cell::to_value)).collect();
        keep(self.write, &change.tbl, change.row_id, change.seq, &row)
    }

    fn forget(&mut self, change: &Change<'_>) -> Result<(), Error> {
        self.write.tx.execute(
            "DELETE FROM unread_rows WHERE tbl = ?1 AND row_id = ?2",
            params![change.tbl, change.row_id.as_bytes()],
        )?;
        Ok(())
    }

    fn remember(&mut self, table: Table, id: Uuid, seq: i64) -> Result<(), Error> {
        let at = self.write.server_now()?;
        self.write
            .tx
            .prepare_cached(
                "INSERT OR REPLACE INTO tombstones (tbl, row_id, seq, at_ms) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![table.code(), id.as_bytes(), seq, at])?;
        Ok(())
    }

    fn depart(&mut self, table: Table, id: Uuid, seq: i64) -> Result<(), Error> {
        let known = rows::read(&self.write.tx, table, id)?;
        let went = departed::depart(self.write, table, id, seq, known, self.touched)?;
        self.applied.rows += 1;
        match went {
            departed::Went::Removed => self.applied.removed += 1,
            departed::Went::Recovered => {
                self.applied.removed += 1;
                self.applied.recovered += 1;
            }
            departed::Went::WasNotHere => {}
        }
        Ok(())
    }
}

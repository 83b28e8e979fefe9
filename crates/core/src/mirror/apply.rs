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
use super::touched::{Size, Touched};
use super::{Error, Mirror, Write, cursors, departed, rows, tombstones};
use crate::events::Change as Told;
use crate::faults::{self, Bug};
use crate::model::wire::{After, Cell, Change, Entry, EntryKind, Page, Rows, Snapshot, Table};

/// Rows of one transaction.
const BATCH_ROWS: usize = 200;
/// Bytes of text of one transaction, about.
const BATCH_BYTES: usize = 256 << 10;
/// Rows after which the log is written back.
const CHECKPOINT_ROWS: usize = 1_500;
/// A page of at most this many rows tells each of them.
const FEW: usize = 64;

/// From so many on it matters how many rows there are in all.
const MANY_REMOVED: u64 = 50;

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

/// How many of the rows here the server says are gone. Whether that is too many to go without asking is
/// the engine's to decide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removal {
    /// Those that are here.
    pub rows: u64,
    /// All synced rows here. Counted only where more than 50 would go, since it takes a while; else 0.
    pub of: u64,
}

/// What becomes of rows that the server says are gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Gone {
    /// They leave this device, too; what was changed of them comes back as a copy.
    #[default]
    Leave,
    /// They stay as this device's own, under ids of their own, and go up as new: the person said so.
    Stay,
}

/// What a page would remove. `before` is how many rows the same pull has removed already.
pub fn removal(mirror: &Mirror, page: &Page<'_>, before: u64) -> Result<Removal, Error> {
    let gone = page.changes.iter().filter(|change| change.op != EntryKind::U);
    let gone: Vec<_> =
        gone.filter_map(|change| Some((Table::named(&change.tbl)?, change.row_id))).collect();
    removal_of(mirror, &gone, before)
}

/// What removing these rows would remove.
pub fn removal_of(mirror: &Mirror, gone: &[(Table, Uuid)], before: u64) -> Result<Removal, Error> {
    if gone.is_empty() {
        return Ok(Removal::default());
    }
    mirror.read(|c| {
        let mut removal = Removal::default();
        for (table, id) in gone {
            let sql = format!("SELECT 1 FROM {} WHERE id = ?1", table.name());
            removal.rows += u64::from(c.prepare_cached(&sql)?.exists([id.as_bytes()])?);
        }
        if removal.rows > 0 && removal.rows + before > MANY_REMOVED {
            for table in Table::ALL {
                let sql =
                    format!("SELECT count(*) FROM {} WHERE server_seq IS NOT NULL", table.name());
                let count: i64 = c.query_row(&sql, [], |row| row.get(0))?;
                removal.of += count.unsigned_abs();
            }
        }
        Ok(removal)
    })
}

/// Refuses a page that cannot be: rows out of order, a cursor that goes back or beyond the head.
fn sound(mirror: &Mirror, page: &Page<'_>) -> Result<(), Error> {
    let from = mirror.read(cursors::pull)?.map_or(0, |cursor| cursor.seq);
    let ordered = page.changes.is_sorted_by_key(|change| change.seq);
    let within = |seq| (from..=page.cursor.seq).contains(&seq);
    let last = page.changes.last().map_or(page.cursor.seq, |change| change.seq);
    let first = page.changes.first().map_or(page.cursor.seq, |change| change.seq);
    if ordered && within(first) && within(last) && page.cursor.seq <= page.head.seq {
        Ok(())
    } else {
        Err(Error::Unsound("rows out of order, or a cursor that goes back"))
    }
}

/// Applies a page and moves the cursor to its end. Whoever calls this has asked before where
/// [`removal`] says so. A page that brings nothing new writes nothing.
///
/// The page must be known and above the horizon ([`Page::known`], [`Page::below_horizon`]).
///
/// # Errors
/// [`Error::Unsound`]: the page cannot be; nothing of it was taken.
pub fn page(mirror: &Mirror, page: &Page<'_>, gone: Gone) -> Result<Applied, Error> {
    // Nothing new; or the same page once more, whose rows are here.
    if mirror.read(cursors::pull)?.as_ref() == Some(&page.cursor) {
        return Ok(Applied::default());
    }
    sound(mirror, page)?;
    if faults::on(Bug::CursorFirst) {
        mirror.write_behind(|write| cursors::set_pull(&write.tx, &page.cursor))?;
    }
    let size = if page.changes.len() <= FEW { Size::Few } else { Size::Many };
    let layouts: HashMap<&str, Layout> = page
        .columns
        .iter()
        .filter_map(|(name, columns)| {
            Some((name.as_str(), Layout::new(Table::named(name)?, columns)))
        })
        .collect();
    let end = |run: &mut Run<'_, '_>| {
        cursors::set_pull(&run.write.tx, &page.cursor)?;
        if !page.has_more {
            cursors::saw_head(&run.write.tx, page.cursor.head(), run.write.now)?;
            cursors::passed(&run.write.tx, page.cursor.seq)?;
        }
        if size == Size::Many {
            run.write.tell(Told::Everything);
        }
        Ok(())
    };
    Batches::new(mirror, size, gone).all(
        &page.changes,
        |run, change| run.change(change, &layouts, page),
        end,
    )
}

/// Applies a part of a first sync and moves it on to `next`: a table, and where in it. With none the first
/// sync ends, and the head that was kept when it began becomes the cursor.
pub fn snapshot(
    mirror: &Mirror,
    table: Table,
    snapshot: &Snapshot<'_>,
    next: Option<(Table, Option<&After>)>,
) -> Result<Applied, Error> {
    let kept = mirror.read(cursors::first_sync)?.map(|first| first.head.seq);
    let layout = Layout::new(table, &snapshot.columns);
    let mut rows: Vec<&Entry<'_>> = snapshot.rows.iter().collect();
    if table == Table::Messages {
        // They come latest first, and are stored in the order of time: a row that goes before all others
        // makes SQLite share out three pages anew nearly each time.
        rows.reverse();
    }
    let rows = Fetched { layout, up_to: kept.unwrap_or(i64::MAX), rows };
    rows.apply(mirror, |write| {
        cursors::set_first(&write.tx, next)?;
        write.tell(Told::Everything);
        Ok(())
    })
}

/// Applies rows that were asked for by id, as far as they are not newer than `up_to`.
pub fn rows(mirror: &Mirror, table: Table, rows: &Rows<'_>, up_to: i64) -> Result<Applied, Error> {
    let entries = rows.rows.iter().collect();
    let rows = Fetched { layout: Layout::new(table, &rows.columns), up_to, rows: entries };
    rows.apply(mirror, |write| {
        write.tell(Told::Everything);
        Ok(())
    })
}

/// Rows that came without the head that they were read at.
///
/// Those that are newer than a head that is known are left to the next pull, which goes on from there. Were they
/// taken, a server that is restored in between would never be found out by them: their seqs have no
/// nonce, and what it writes under the same numbers would pass for old.
struct Fetched<'a> {
    layout: Layout,
    up_to: i64,
    rows: Vec<&'a Entry<'a>>,
}

impl Fetched<'_> {
    fn apply(
        &self,
        mirror: &Mirror,
        end: impl Fn(&mut Write<'_>) -> Result<(), Error>,
    ) -> Result<Applied, Error> {
        Batches::new(mirror, Size::Many, Gone::Leave).all(
            &self.rows,
            |run, row| match row.seq > self.up_to {
                true => Ok(()),
                false => run.take_in(&self.layout, row.row_id, row.seq, &row.row),
            },
            |run| end(run.write),
        )
    }
}

/// Removes rows that a complete manifest of the head `seq` does not have.
pub fn remove(
    mirror: &Mirror,
    table: Table,
    ids: &[Uuid],
    seq: i64,
    gone: Gone,
) -> Result<Applied, Error> {
    Batches::new(mirror, Size::Many, gone).all(
        ids,
        |run, id| run.depart(table, *id, seq),
        |run| {
            run.write.tell(Told::Everything);
            Ok(())
        },
    )
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

impl Weighs for &Entry<'_> {
    fn weight(&self) -> usize {
        text(&self.row)
    }
}

impl Weighs for Uuid {
    /// A conversation goes with all its messages.
    fn weight(&self) -> usize {
        BATCH_BYTES / 50
    }
}

fn text(cells: &[Cell<'_>]) -> usize {
    cells.iter().map(|cell| cell.as_str().map_or(0, str::len)).sum()
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
    gone: Gone,
    applied: Applied,
}

impl<'m> Batches<'m> {
    fn new(mirror: &'m Mirror, size: Size, gone: Gone) -> Self {
        Self { mirror, size, gone, applied: Applied::default() }
    }

    /// Applies all rows, in transactions that end early where a person waits to write, and `end` in the
    /// last one.
    fn all<R: Weighs>(
        mut self,
        rows: &[R],
        take: impl Fn(&mut Run<'_, '_>, &R) -> Result<(), Error>,
        end: impl Fn(&mut Run<'_, '_>) -> Result<(), Error>,
    ) -> Result<Applied, Error> {
        let (mut rest, mut since) = (rows, 0);
        loop {
            let mirror = self.mirror;
            let done = self.run(|run| {
                let mut done = 0;
                for row in &rest[..fitting(rest)] {
                    take(run, row)?;
                    done += 1;
                    if mirror.a_person_waits() {
                        break;
                    }
                }
                if done == rest.len() {
                    end(run)?;
                }
                Ok(done)
            })?;
            since += done;
            if since >= CHECKPOINT_ROWS || rest.len() == done && rows.len() > FEW {
                // Here, where nobody waits for it, and not in the commit of whoever writes next.
                mirror.checkpoint_beside()?;
                since = 0;
            }
            rest = &rest[done..];
            if rest.is_empty() {
                return Ok(self.applied);
            }
        }
    }

    fn run<T>(
        &mut self,
        work: impl FnOnce(&mut Run<'_, '_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (size, gone, mut applied) = (self.size, self.gone, self.applied);
        let (value, applied) = self.mirror.write_behind(|write| {
            let mut touched = Touched::new(size);
            let mut run = Run { write, touched: &mut touched, gone, applied: &mut applied };
            let value = work(&mut run)?;
            touched.finish(write)?;
            Ok((value, applied))
        })?;
        self.applied = applied;
        Ok(value)
    }
}

/// One transaction of them.
struct Run<'w, 'c> {
    write: &'w mut Write<'c>,
    touched: &'w mut Touched,
    gone: Gone,
    applied: &'w mut Applied,
}

impl Run<'_, '_> {
    fn change(
        &mut self,
        change: &Change<'_>,
        layouts: &HashMap<&str, Layout>,
        page: &Page<'_>,
    ) -> Result<(), Error> {
        let layout = layouts.get(change.tbl.as_ref());
        match (change.op, &change.row, Table::named(&change.tbl)) {
            // A row that is none of the caller's business.
            (EntryKind::U, None, _) => Ok(()),
            (EntryKind::U, Some(row), _) => match layout {
                Some(layout) => self.take_in(layout, change.row_id, change.seq, row),
                None => self.keep(change, page.columns.get(change.tbl.as_ref()), row),
            },
            (op, _, Some(table)) => {
                if op == EntryKind::D {
                    tombstones::remember(self.write, table, change.row_id, change.seq)?;
                }
                self.depart(table, change.row_id, change.seq)
            }
            (_, _, None) => self.forget(change),
        }
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

    fn depart(&mut self, table: Table, id: Uuid, seq: i64) -> Result<(), Error> {
        let known = rows::read(&self.write.tx, table, id)?;
        let went = departed::depart(self.write, table, id, seq, known, self.gone, self.touched)?;
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

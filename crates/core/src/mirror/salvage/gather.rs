//! Taking every readable row out of a damaged mirror, and counting those that are not readable.

use std::collections::HashSet;

use rusqlite::types::Value;

use super::pages::{Pages, Version};
use super::record::Kind;
use super::shape::Table;
use super::survey::{Record, Survey, kind_and_records, recognise, records};
use crate::mirror::Error;

/// What is known of one table's losses.
#[derive(Debug, Default)]
struct Tally {
    rows: u64,
    leaves: u64,
    /// Cells that are there and cannot be read whole.
    broken: u64,
    lost_leaves: u64,
    /// Whether leaves may have fallen out of the tree.
    hole: bool,
    /// Rowids that an index names.
    named: HashSet<i64>,
    /// Whether one of the indexes was read whole, and so names every row.
    complete: bool,
}

impl Tally {
    /// Rows on a leaf, on average; at least one.
    fn per_leaf(&self) -> u64 {
        (self.rows + self.leaves / 2).checked_div(self.leaves).unwrap_or(1).max(1)
    }
}

/// Where rows go. An error ends the salvage; a row that is not taken is nobody's loss.
pub(super) trait Sink {
    fn row(&mut self, table: usize, record: &Record) -> Result<(), Error>;
}

/// Reads a damaged file's rows table by table.
pub(super) struct Gather<'a> {
    pages: &'a mut Pages,
    tables: &'a [Table],
    survey: Survey,
    tallies: Vec<Tally>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(pages: &'a mut Pages, tables: &'a [Table]) -> Self {
        let survey = Survey::new(pages);
        let tallies = tables.iter().map(|_| Tally::default()).collect();
        Self { pages, tables, survey, tallies }
    }

    /// Gives every readable row to `sink`: first what lies behind a damaged part of the log, because it
    /// is newer, then what the trees hold, then what fell out of them. The first one of a row counts.
    pub(super) fn rows(&mut self, sink: &mut impl Sink) -> Result<(), Error> {
        for number in self.pages.beyond() {
            self.by_form(number, Version::Beyond, sink)?;
        }
        for table in 0..self.tables.len() {
            self.tree(table, sink)?;
            self.names(table);
        }
        for number in self.survey.orphans() {
            self.by_form(number, Version::Committed, sink)?;
        }
        for beside in self.survey.lost_beside() {
            let first =
                records(self.pages, beside, Version::Committed).into_iter().flatten().next();
            if let Some((table, _)) =
                first.and_then(|record| recognise(self.tables, false, &record))
            {
                self.tallies[table].lost_leaves += 1;
            }
        }
        Ok(())
    }

    fn tree(&mut self, table: usize, sink: &mut impl Sink) -> Result<(), Error> {
        let Some(walk) = self.survey.table(&self.tables[table].name) else {
            self.tallies[table].hole = true;
            return Ok(());
        };
        self.tallies[table].hole |= walk.hole;
        self.tallies[table].lost_leaves += u64::from(walk.lost_leaves);
        for number in walk.pages {
            self.tallies[table].leaves += 1;
            for record in records(self.pages, number, Version::Committed) {
                match record.filter(|record| self.tables[table].fits(&record.columns)) {
                    Some(record) => {
                        self.tallies[table].rows += 1;
                        sink.row(table, &record)?;
                    }
                    None => self.tallies[table].broken += 1,
                }
            }
        }
        Ok(())
    }

    /// What the table's indexes say is there: each entry ends with its row's rowid.
    fn names(&mut self, table: usize) {
        if self.tables[table].without_rowid {
            return;
        }
        for walk in self.survey.indexes(&self.tables[table].name) {
            let mut whole = !walk.hole && walk.lost_leaves == 0;
            for number in walk.pages {
                for record in records(self.pages, number, Version::Committed) {
                    match record.as_ref().and_then(|record| record.columns.last()) {
                        Some(Value::Integer(rowid)) => {
                            self.tallies[table].named.insert(*rowid);
                        }
                        _ => whole = false,
                    }
                }
            }
            self.tallies[table].complete |= whole;
        }
    }

    /// Rows of a page that no tree claims, each by its own form.
    fn by_form(
        &mut self,
        number: u32,
        version: Version,
        sink: &mut impl Sink,
    ) -> Result<(), Error> {
        let Some((kind, found)) = kind_and_records(self.pages, number, version) else {
            return Ok(());
        };
        let (mut of_table, mut broken) = (None, 0);
        for record in found {
            let Some(record) = record else {
                broken += 1;
                continue;
            };
            let by_key = kind != Kind::TableLeaf;
            let Some((table, _)) = recognise(self.tables, by_key, &record) else { continue };
            if version == Version::Committed && !self.tallies[table].hole {
                continue;
            }
            of_table = Some(table);
            self.tallies[table].rows += 1;
            sink.row(table, &record)?;
        }
        if let Some(table) = of_table {
            self.tallies[table].leaves += 1;
            self.tallies[table].broken += broken;
        }
        Ok(())
    }

    /// How many rows of a table are known or reckoned to be lost, given those that are saved.
    ///
    /// Where one index could be read whole it names every row, and the number is exact. Else it is the
    /// larger of what the readable part of the indexes names and what the unreadable leaves would hold
    /// if they were as full as the readable ones. A leaf to which nothing leads any more is shared out
    /// among the tables whose trees have a hole; a table of which nothing is left counts as one row.
    pub(super) fn lost(&self, table: usize, saved: &HashSet<i64>) -> i64 {
        let tally = &self.tallies[table];
        let named = tally.named.difference(saved).count() as u64;
        if tally.complete {
            return named as i64;
        }
        let per_leaf = tally.per_leaf();
        let nothing_left = u64::from(tally.hole && tally.leaves == 0);
        let reckoned = tally.broken
            + tally.lost_leaves * per_leaf
            + nothing_left.max(self.fallen_leaves(tally) * per_leaf);
        named.max(reckoned) as i64
    }

    /// A table's share of the unreadable pages that nothing leads to, where its tree has a hole.
    fn fallen_leaves(&self, tally: &Tally) -> u64 {
        let unclaimed = self.survey.unclaimed() as u64;
        let with_holes = self.tallies.iter().filter(|tally| tally.hole && !tally.complete);
        let all: u64 = with_holes.map(|tally| tally.leaves).sum();
        match tally.hole && unclaimed > 0 {
            true => (unclaimed * tally.leaves).checked_div(all).unwrap_or(1).max(1),
            false => 0,
        }
    }

    /// Pages that could not be read.
    pub(super) fn damaged(&self) -> usize {
        self.survey.damaged.len()
    }
}

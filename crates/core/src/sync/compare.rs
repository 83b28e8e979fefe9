//! A device that slept past the horizon, and repair at rest: comparing manifests, never wiping.
//!
//! Absence is no proof of deletion. A row that the manifest does not have is removed only where every
//! page of its table was read at one head, the pages add up to the count that the server told, and it
//! told our own user. Otherwise the table is read again.

use uuid::Uuid;

use super::event::{Done, Guard, Job};
use super::failures::Pause;
use super::server::{Ask, Rows};
use super::state::{Course, State};
use crate::faults::{self, Bug};
use crate::model::wire::{Cursor, Digests, Head, Manifest, Table};

/// Rows fetched with one request.
const FETCH: usize = 500;
/// How often a table that changes meanwhile is read again before the engine waits.
const PATIENCE: u32 = 5;

/// Where a comparison is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Comparison {
    /// Tables still to be compared, the next one last.
    tables: Vec<Table>,
    /// The head before the first page: the later cursor.
    head: Option<Head>,
    /// Whether the cursor moves to that head at the end. Not in a repair at rest.
    moves: bool,
    /// Whether what had to be mended is mended at the end.
    mends: bool,
    /// The page that the mirror compares, or that was read last.
    page: Option<Page>,
    /// Of the table that is being read.
    sight: Sight,
    /// Rows to fetch.
    fetch: Vec<Uuid>,
    /// Those of them that the mirror is taking.
    mending: Vec<Uuid>,
    /// Proven absent; to be removed.
    remove: Vec<Uuid>,
    rounds: u32,
}

/// A page between the server and the mirror.
#[derive(Debug, Clone, PartialEq)]
struct Page {
    after: Option<Uuid>,
    manifest: Manifest,
}

/// What was seen of one table.
#[derive(Debug, Clone, Default, PartialEq)]
struct Sight {
    /// Read up to here.
    after: Option<Uuid>,
    /// The head of its first page.
    head: Option<Head>,
    /// Rows so far.
    rows: i64,
    /// Its pages were of several heads.
    torn: bool,
    /// A page was of somebody else.
    foreign: bool,
    /// Rows that are here and not there.
    absent: Vec<Uuid>,
    /// Read to its end.
    over: bool,
    /// The rows that the server says there are.
    count: i64,
}

/// A comparison of digests under way.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Verification {
    /// Compared up to this conversation.
    after: Option<Uuid>,
    /// Tables that differ, so far.
    tables: Vec<Table>,
}

impl Sight {
    /// Whether what is absent is gone.
    fn proves(&self) -> bool {
        faults::on(Bug::AbsenceDeletes) || (!self.torn && !self.foreign && self.rows == self.count)
    }

    /// Whether all that was there at the first page was listed. What was not would never be fetched: the
    /// cursor moves past it.
    fn is_whole(&self) -> bool {
        !self.foreign && self.rows >= self.count
    }
}

impl Course {
    /// All tables, then on from the head before.
    pub(super) fn compare() -> Self {
        let tables = Table::ALL.into_iter().rev().collect();
        Self::Compare(Box::new(Comparison { tables, moves: true, ..Comparison::default() }))
    }

    /// Only these tables, the cursor staying where it is. `mends`: it is for what the mirror remembers as
    /// [`mending`](super::Memory::mending).
    pub(super) fn repair(mut tables: Vec<Table>, mends: bool) -> Self {
        tables.reverse();
        Self::Compare(Box::new(Comparison { tables, mends, ..Comparison::default() }))
    }
}

impl Comparison {
    pub(super) fn next_job(&self, guard: Guard) -> Option<Job> {
        let Some(table) = self.tables.last().copied() else {
            let head = self.head.filter(|_| self.moves);
            return Some(Job::Resume { head, mended: self.mends });
        };
        if let Some(Page { after, manifest }) = self.page.clone() {
            return Some(Job::Compare { table, after, manifest });
        }
        if !self.fetch.is_empty() || self.remove.is_empty() {
            return None;
        }
        Some(Job::Remove { table, ids: self.remove.clone(), head: self.sight.head?, guard })
    }

    /// `latest`: the latest point that this device knew before.
    pub(super) fn next_ask(&self, latest: Option<Head>, max: u32) -> Option<Ask> {
        let table = *self.tables.last()?;
        let known = self.head.or(latest);
        if !self.fetch.is_empty() {
            let ids = self.fetch.iter().take(FETCH).copied().collect();
            return Some(Ask::Rows { table, ids, known });
        }
        Some(Ask::Manifest { table, after: self.sight.after, known, max })
    }

    /// Notes a page of the manifest. False: it cannot be one.
    fn note(&mut self, after: Option<Uuid>, manifest: Manifest, user_id: Option<Uuid>) -> bool {
        let sorted = manifest.rows.windows(2).all(|two| two[0].id < two[1].id);
        let first = manifest.rows.first().map(|row| row.id);
        let stands = manifest.has_more && manifest.rows.is_empty();
        if !sorted || stands || (first.is_some() && first <= after) {
            return false;
        }
        self.head.get_or_insert(manifest.head);
        let sight = &mut self.sight;
        let head = *sight.head.get_or_insert(manifest.head);
        sight.torn |= head != manifest.head;
        sight.foreign |= Some(manifest.user_id) != user_id;
        sight.rows += manifest.rows.len() as i64;
        // Told with the first page of a table.
        if let Some(count) = manifest.count {
            sight.count = count;
        }
        sight.after = manifest.rows.last().map(|row| row.id).or(after);
        sight.over = !manifest.has_more;
        self.page = Some(Page { after, manifest });
        true
    }

    /// Takes what the mirror found in the page.
    fn found(&mut self, fetch: Vec<Uuid>, absent: Vec<Uuid>) {
        self.page = None;
        self.fetch = fetch;
        self.sight.absent.extend(absent);
    }

    /// Goes on once nothing is left to fetch: to the next page, the removal, or the next table. False:
    /// the table keeps changing.
    fn advance(&mut self) -> bool {
        if !self.fetch.is_empty() || self.page.is_some() || !self.sight.over {
            return true;
        }
        let suffices = match self.sight.absent.is_empty() {
            true => self.sight.is_whole(),
            false => self.sight.proves(),
        };
        if !suffices {
            self.sight = Sight::default();
            self.rounds += 1;
            return !self.rounds.is_multiple_of(PATIENCE);
        }
        self.remove = std::mem::take(&mut self.sight.absent);
        if self.remove.is_empty() {
            self.next_table();
        }
        true
    }

    fn next_table(&mut self) {
        self.tables.pop();
        self.sight = Sight::default();
        self.remove.clear();
        self.rounds = 0;
    }
}

impl State {
    pub(super) fn listed(&mut self, after: Option<Uuid>, manifest: Manifest) {
        let user_id = self.user_id;
        // The server may be restored at any moment: what was compared before may be ahead of it then.
        let is_below = self.cursor().is_some_and(|cursor| manifest.head.seq < cursor.seq);
        if Some(manifest.user_id) == user_id && (self.saw_head(manifest.head) || is_below) {
            return self.is_restored();
        }
        let Course::Compare(comparison) = &mut self.course else { return };
        if !comparison.note(after, manifest, user_id) {
            self.backoff.fail(self.now.mono_ms);
        }
    }

    /// A row that was asked for and did not come is gone meanwhile, unless there was no room for it.
    pub(super) fn fetched(
        &mut self,
        table: Table,
        asked: &[Uuid],
        got: &[Uuid],
        has_more: bool,
        rows: Rows,
    ) {
        let cursor = self.cursor().map(Cursor::head);
        let Course::Compare(comparison) = &mut self.course else { return };
        let settled = if has_more { got } else { asked };
        comparison.mending = settled.iter().filter(|id| asked.contains(id)).copied().collect();
        if comparison.mending.is_empty() {
            // Nothing of what was asked for: it would be asked for ever.
            return self.backoff.fail(self.now.mono_ms);
        }
        let known = if comparison.moves { comparison.head } else { cursor };
        let up_to = known.map_or(i64::MAX, |head| head.seq);
        self.jobs.push_back(Job::Mend { table, rows, up_to });
    }

    /// What the mirror did in a comparison.
    pub(super) fn compared(&mut self, job: Job, done: Done) {
        let Course::Compare(comparison) = &mut self.course else {
            if let (Job::Digests { digests, .. }, Done::Differs(tables)) = (job, done) {
                self.differs(&digests, tables);
            }
            return;
        };
        match (job, done) {
            (_, Done::Compared { restored: true, .. }) => return self.is_restored(),
            (_, Done::Compared { fetch, absent, .. }) => comparison.found(fetch, absent),
            (Job::Mend { .. }, _) => {
                let mended = std::mem::take(&mut comparison.mending);
                comparison.fetch.retain(|id| !mended.contains(id));
            }
            (Job::Remove { .. }, Done::Applied { removed, .. }) => {
                self.pull.guard.removed += removed;
                comparison.next_table();
            }
            (Job::Remove { .. }, Done::TooMuch { .. }) => return self.halt(Pause::Removal),
            (Job::Resume { .. }, _) => return self.level_again(),
            _ => return,
        }
        if !comparison.advance() {
            self.backoff.fail(self.now.mono_ms);
        }
    }

    /// Fetches what is on the server and, by a deletion that does not stand, not here: a conversation and all that
    /// is its own.
    pub(super) fn mend_if_due(&mut self) {
        let Some(memory) = &self.memory else { return };
        if memory.mending && memory.cursor.is_some() && matches!(self.course, Course::Level) {
            self.start_over();
            self.course = Course::repair(Table::ALL[..4].to_vec(), true);
        }
    }

    fn level_again(&mut self) {
        self.course = Course::Level;
        self.memory = None;
        self.start_over();
        self.pull.wanted = true;
        self.push.wanted = true;
    }

    /// The next question of a repair at rest, once all else is done.
    pub(super) fn next_digest(&mut self) -> Option<Ask> {
        if self.push.wanted || self.has_to_pull() || self.counts().waiting > 0 {
            return None;
        }
        let after = self.verify.as_ref()?.after;
        Some(Ask::Digest { after, max: self.limits.rows })
    }

    pub(super) fn digested(&mut self, after: Option<Uuid>, digests: Digests) {
        // Digests can only be compared at one point: where the scope has moved on, it is tried again.
        if self.cursor().map(|cursor| cursor.head()) != Some(digests.head) {
            self.verify = Some(Verification::default());
            self.pull.wanted = true;
            return;
        }
        self.jobs.push_back(Job::Digests { digests, after });
    }

    fn differs(&mut self, digests: &Digests, tables: Vec<Table>) {
        let Some(mut seen) = self.verify.take() else { return };
        seen.tables.extend(tables);
        let last = digests.conversations.last().map(|(id, _)| *id);
        if digests.has_more && last > seen.after {
            self.verify = Some(Verification { after: last, ..seen });
        } else if !seen.tables.is_empty() {
            seen.tables.sort_unstable();
            seen.tables.dedup();
            self.start_over();
            self.course = Course::repair(seen.tables, false);
        }
    }
}

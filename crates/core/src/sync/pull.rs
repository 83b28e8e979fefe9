//! The way down: hello, the first sync in stages, pages of changes.

use super::event::{First, Job, Stage};
use super::failures::Pause;
use super::server::{Ask, Rows, Told};
use super::state::{Asking, Course, State};
use super::status::Counts;
use crate::faults::{self, Bug};
use crate::model::wire::{After, Cursor, Head, Hello, SCHEMA, Summary, Table};

/// The order of a first sync: what the sidebar shows, then what a thread shows, then the rest.
pub(super) const STAGES: [Table; 7] = [
    Table::Conversations,
    Table::Messages,
    Table::Settings,
    Table::Devices,
    Table::Documents,
    Table::Files,
    Table::Usage,
];

/// A clock that moved by this much is learnt anew, however slow the answer that told, in milliseconds.
pub(super) const OFFSET_SLACK_MS: i64 = 2_000;
/// Nobody renames a conversation on two computers within this time: not worth a write, in milliseconds.
const OFFSET_STEP_MS: i64 = 50;

impl State {
    pub(super) fn hello(&mut self, hello: &Hello) {
        if Some(hello.user_id) != self.user_id {
            return self.halt(Pause::WrongProject);
        }
        if let Some(why) = unspeakable(hello.schema) {
            return self.halt(why);
        }
        self.greeted = true;
        if self.saw_head(hello.head) && self.cursor().is_some() {
            self.is_restored();
        }
        let through = hello.acked_through.max(hello.numbered_through);
        self.jobs.push_back(Job::Numbered { through });
    }

    /// Remembers how far the server's clock is ahead, where that is news: the clock moved, or an answer
    /// that was quicker (half its way is the most that it can be wrong by) shows what is known to be wrong.
    pub(super) fn learn_time(&mut self, asking: &Asking, told: &Told) {
        let Some(server_ms) = server_ms(told) else { return };
        let halfway = (self.now.mono_ms - asking.since.mono_ms) / 2;
        let offset_ms = server_ms.saturating_add(halfway).saturating_sub(self.now.wall_ms);
        let Some(memory) = &mut self.memory else { return };
        let differs = memory.offset_ms.saturating_sub(offset_ms).saturating_abs();
        let is_closer = halfway < self.offset_error_ms / 2 && differs > halfway.max(OFFSET_STEP_MS);
        if differs > OFFSET_SLACK_MS || is_closer {
            memory.offset_ms = offset_ms;
            self.offset_error_ms = halfway;
            self.jobs.push_back(Job::Offset { offset_ms });
        }
    }

    pub(super) fn has_to_pull(&self) -> bool {
        self.pull.wanted || self.memory.as_ref().is_some_and(|memory| memory.first.is_some())
    }

    /// The next question of a pull or of a first sync.
    pub(super) fn next_pull(&mut self) -> Option<Ask> {
        let memory = self.memory.as_ref()?;
        let max = self.pull.rows;
        if let Some(first) = &memory.first {
            let Stage { table, after } =
                self.pull.stage_ahead.as_ref().unwrap_or(&first.stage).clone();
            return Some(Ask::Snapshot { table, after, known: self.latest_point(), max });
        }
        if !self.pull.wanted || memory.cursor.is_none() {
            return None;
        }
        self.pull.wanted = false;
        let after = self.pull.ahead.as_ref().or(memory.cursor.as_ref()).cloned();
        let seq = after.as_ref().map_or(0, |cursor| cursor.seq);
        let known = self.pull.pushed.filter(|point| point.seq > seq);
        Some(Ask::Pull { after, known, max })
    }

    /// Begins a first sync where there is neither a cursor nor one under way.
    pub(super) fn first_sync_job(&self) -> Option<Job> {
        let memory = self.memory.as_ref()?;
        let blank = memory.cursor.is_none() && memory.first.is_none();
        blank.then_some(())?;
        Some(Job::Begin { head: self.pull.head? })
    }

    pub(super) fn begun(&mut self, head: Head) {
        let Some(memory) = &mut self.memory else { return };
        memory.first = Some(First { head, stage: Stage { table: STAGES[0], after: None } });
        self.pull.stage_ahead = None;
    }

    pub(super) fn snapshot(
        &mut self,
        table: Table,
        asked: Option<After>,
        after: Option<After>,
        count: usize,
        rows: Rows,
    ) {
        if after.is_some() && after == asked {
            // A server that goes round in circles would be asked for ever.
            self.backoff.fail(self.now.mono_ms);
            return;
        }
        self.moved.pulled += count as u64;
        let next = next_stage(table, after);
        self.pull.stage_ahead.clone_from(&next);
        if next.is_none() && faults::on(Bug::HeadAfterSnapshot) {
            self.jobs.extend(self.pull.head.map(|head| Job::Begin { head }));
        }
        self.jobs.push_back(Job::Snapshot { table, rows, next });
    }

    pub(super) fn took_snapshot(&mut self, next: Option<Stage>) {
        let Some(memory) = &mut self.memory else { return };
        match (next, memory.first.take()) {
            (Some(stage), Some(first)) => memory.first = Some(First { stage, ..first }),
            (None, Some(first)) => {
                memory.cursor = Some(Cursor::at(first.head));
                self.pull.stage_ahead = None;
                self.pull.wanted = true;
            }
            (_, None) => {}
        }
    }

    pub(super) fn page(&mut self, after: Option<Cursor>, summary: Summary, page: Rows) {
        if let Some(why) = unspeakable(summary.schema) {
            return self.halt(why);
        }
        let went_back = self.saw_head(summary.head);
        let asked = after.as_ref().map_or(0, |cursor| cursor.seq);
        if went_back || !summary.known || summary.head.seq < asked {
            self.is_restored();
        } else if summary.below_horizon {
            self.start_over();
            self.course = Course::compare();
        } else if goes_back(after.as_ref(), &summary) {
            self.pull.wanted = true;
            self.backoff.fail(self.now.mono_ms);
        } else {
            self.apply(after, summary, page);
        }
    }

    pub(super) fn apply(&mut self, after: Option<Cursor>, summary: Summary, page: Rows) {
        self.pull.wanted |= summary.has_more;
        self.moved.pulled += summary.changes as u64;
        let cursor = summary.cursor;
        if after.as_ref() == Some(&cursor) {
            return self.is_level();
        }
        self.pull.ahead = Some(cursor.clone());
        let guard = self.pull.guard;
        self.jobs.push_back(Job::Apply { page, after, cursor, guard });
    }

    pub(super) fn applied(&mut self, cursor: Cursor, removed: u64, counts: Counts) {
        self.pull.guard.removed += removed;
        self.count(counts);
        self.push.wanted |= counts.waiting > 0;
        if let Some(memory) = &mut self.memory {
            memory.cursor = Some(cursor);
        }
        let pulling = matches!(&self.asking, Some(Asking { ask: Ask::Pull { .. }, .. }));
        if !pulling && self.jobs.is_empty() && !self.pull.wanted {
            self.is_level();
        }
    }

    /// The server has no more, as far as it said.
    fn is_level(&mut self) {
        self.pull.ahead = None;
        self.pull.pushed = None;
        self.pull.forgive();
        self.pull.rows = self.pull.rows.saturating_mul(2).min(self.limits.rows);
        self.pull.poll_at = self.now.mono_ms + self.limits.poll_ms;
        self.synced_wall_ms = Some(self.now.wall_ms);
    }
}

/// Where a first sync goes on behind a page of `table`.
fn next_stage(table: Table, after: Option<After>) -> Option<Stage> {
    if after.is_some() {
        return Some(Stage { table, after });
    }
    let at = STAGES.iter().position(|stage| *stage == table)?;
    STAGES.get(at + 1).map(|table| Stage { table: *table, after: None })
}

/// A page that stands still while it promises more, or goes back, would be asked for ever.
fn goes_back(after: Option<&Cursor>, summary: &Summary) -> bool {
    let from = after.map_or(0, |cursor| cursor.seq);
    let stands = summary.has_more && after == Some(&summary.cursor);
    stands || summary.cursor.seq < from || summary.cursor.seq > summary.head.seq.max(from)
}

fn unspeakable([oldest, newest]: [i64; 2]) -> Option<Pause> {
    if newest < SCHEMA {
        Some(Pause::ServerTooOld)
    } else if oldest > SCHEMA {
        Some(Pause::AppTooOld)
    } else {
        None
    }
}

fn server_ms(told: &Told) -> Option<i64> {
    match told {
        Told::Hello(hello) => Some(hello.server_ms),
        Told::Page(summary, _) => Some(summary.server_ms),
        Told::Pushed(pushed) => Some(pushed.server_ms),
        _ => None,
    }
}

//! What happens to the engine, and what it does: the two ends of [`super::step`].

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::failures::Fault;
use super::server::{Ask, Rows, Told};
use super::status::Counts;
use crate::model::wire::{After, Cursor, Digests, Head, Manifest, Push, Pushed, Table};

/// Something happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An account is attached, or signed in again: the engine may begin, or go on.
    SignedIn {
        /// Who the server will say that we are.
        user_id: Uuid,
    },
    /// The person signed out. What is under way is dropped unread.
    SignedOut,
    /// This process may sync this mirror, or another one does.
    Locked(bool),
    /// A request was answered, or failed.
    Told {
        /// The epoch that it was asked in.
        epoch: u64,
        /// Which request.
        request: u64,
        /// The answer.
        told: Result<Told, Fault>,
    },
    /// The mirror did what it was told to, or could not.
    Done {
        /// The epoch that it was told in.
        epoch: u64,
        /// What came of it.
        done: Result<Done, StoreFault>,
    },
    /// A person's write left something to push, or to fetch.
    Wrote {
        /// Operations that wait, now.
        counts: Counts,
        /// A deletion was given up: what it deleted is on the server alone ([`Memory::mending`]).
        mending: bool,
    },
    /// The doorbell: the scope is at this seq.
    Rang {
        /// The server's word, not proven.
        seq: i64,
    },
    /// The doorbell's own connection was refused for its token.
    TokenStale,
    /// The network came back, or went.
    Online(bool),
    /// The computer woke up.
    Woke,
    /// A person wants it now: "Sync now", "Try again".
    Now,
    /// A person said what is to happen with what the server says is gone.
    Removal(Verdict),
    /// Compare the digests of both sides once all is at rest, and mend what differs.
    Verify,
    /// Time went by; see [`State::due`](super::State::due).
    Tick,
}

/// What a person answers when much would be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Remove it here too.
    Remove,
    /// Keep it here as this device's own, to be sent again as new.
    Keep,
}

/// What the engine wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Take, or try again to take, the lock that lets one process sync this mirror.
    Lock,
    /// Let go of it.
    Unlock,
    /// Send a request. Its answer comes as [`Event::Told`] with the same two numbers.
    Ask {
        /// Changes with the account.
        epoch: u64,
        /// Changes with each request.
        request: u64,
        /// What to ask.
        ask: Ask,
    },
    /// Have the mirror do something, in one transaction. Comes back as [`Event::Done`].
    Do {
        /// Changes with the account.
        epoch: u64,
        /// What.
        job: Job,
    },
    /// Abandon the request under way, if there still is one.
    Abandon,
    /// The status is another one than before.
    Show,
}

/// What the mirror is told to do; each job is one transaction, and at most one is under way.
#[derive(Debug, Clone, PartialEq)]
pub enum Job {
    /// Say what it remembers: [`Done::Loaded`].
    Load,
    /// Remember how far the server's clock is ahead of this computer's. [`Done::Kept`].
    Offset {
        /// Milliseconds to add to this computer's clock.
        offset_ms: i64,
    },
    /// The server has seen operations of this device up to here. [`Done::Kept`], or [`Done::Renamed`]
    /// where this data folder has never numbered that high: it is a copy, and takes a new id.
    Numbered {
        /// As `sync_hello` told.
        through: i64,
    },
    /// Begin a first sync: keep this head as the later cursor. [`Done::Kept`].
    Begin {
        /// The head before the first row was read.
        head: Head,
    },
    /// Take rows of a snapshot, and remember where it goes on. [`Done::Kept`].
    Snapshot {
        /// Of which table.
        table: Table,
        /// The rows.
        rows: Rows,
        /// Where the first sync goes on; none: it ends, and the kept head becomes the cursor.
        next: Option<Stage>,
    },
    /// Take a page of changes and move the cursor, in one transaction. [`Done::Applied`] or
    /// [`Done::TooMuch`].
    Apply {
        /// The page.
        page: Rows,
        /// What it was asked after.
        after: Option<Cursor>,
        /// Where the cursor stands once it is applied.
        cursor: Cursor,
        /// What may be removed.
        guard: Guard,
    },
    /// Make the next operations ready to be sent: those that were sent without an outcome first. Offers
    /// some of the rows that the server has never seen beforehand. [`Done::Batch`].
    Batch {
        /// Operations at most.
        max: u32,
        /// Those above this number alone: the ones up to it are on their way.
        above: Option<i64>,
    },
    /// Store the outcomes and remove their operations, in one transaction. [`Done::Settled`].
    Settle {
        /// The answer.
        pushed: Pushed,
    },
    /// Park an operation that no request can carry. [`Done::Settled`].
    Park {
        /// Its number.
        n: i64,
        /// Why, as a code of docs/sync.md.
        code: &'static str,
    },
    /// Say some points of the head history, evenly spread, descending. [`Done::Points`].
    Points {
        /// Above this one; none: from the oldest.
        above: Option<Head>,
        /// Below this one; none: to the newest.
        below: Option<Head>,
        /// Points at most.
        max: u32,
    },
    /// The server was restored: go back to the point that both know, and have what this device knows
    /// above it offered again. [`Done::Kept`]. One that was cut off is begun anew.
    Rewind {
        /// The point; none: both know nothing in common, and a first sync follows.
        known: Option<Head>,
    },
    /// Compare a stretch of a manifest with the bases. [`Done::Compared`].
    Compare {
        /// Of which table.
        table: Table,
        /// The stretch begins behind this id.
        after: Option<Uuid>,
        /// What the server has in it.
        manifest: Manifest,
    },
    /// Take rows that a manifest showed to differ. [`Done::Kept`].
    Mend {
        /// Of which table.
        table: Table,
        /// The rows.
        rows: Rows,
        /// Those of later transactions come with the next pull.
        up_to: i64,
    },
    /// Remove rows that a proven manifest does not have. [`Done::Applied`] or [`Done::TooMuch`].
    Remove {
        /// Of which table.
        table: Table,
        /// Which.
        ids: Vec<Uuid>,
        /// The head that the manifest was read at.
        head: Head,
        /// What may be removed.
        guard: Guard,
    },
    /// The manifest is compared. [`Done::Kept`].
    Resume {
        /// The head before it, to go on from; none: the cursor stays where it is.
        head: Option<Head>,
        /// What had to be mended is.
        mended: bool,
    },
    /// Compare digests with those of the bases. [`Done::Differs`].
    Digests {
        /// The server's.
        digests: Digests,
        /// The page begins behind this conversation.
        after: Option<Uuid>,
    },
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// Of [`Job::Load`].
    Loaded(Memory),
    /// Of the jobs that only store.
    Kept,
    /// The data folder took a new device id.
    Renamed {
        /// This one.
        device_id: Uuid,
    },
    /// A page was applied, or rows were removed.
    Applied {
        /// How many rows left this device with it.
        removed: u64,
        /// How much waits to be pushed, now.
        counts: Counts,
    },
    /// Nothing was done: more rows would go than may without asking.
    TooMuch {
        /// How many.
        removed: u64,
    },
    /// Of [`Job::Batch`]. Without operations: nothing waits that may go.
    Batch(Push),
    /// Of [`Job::Settle`] and [`Job::Park`].
    Settled {
        /// How much waits, now.
        counts: Counts,
        /// Some operation has to be sent again later.
        again: bool,
        /// Rows came back on the server that are gone here: they have to be fetched.
        mend: bool,
    },
    /// Of [`Job::Points`].
    Points(Vec<Head>),
    /// Of [`Job::Compare`].
    Compared {
        /// Rows to fetch: unknown here, or other than here.
        fetch: Vec<Uuid>,
        /// Rows that are here and that the stretch does not have.
        absent: Vec<Uuid>,
        /// It shows that the server was restored.
        restored: bool,
    },
    /// Of [`Job::Digests`].
    Differs(Vec<Table>),
}

/// Why the mirror could not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFault {
    /// Another process writes.
    Busy,
    /// No space left.
    Full,
    /// The disk failed, or something that should not happen did.
    Broken,
    /// What the server sent cannot be: rows out of order, a cursor that goes back. Nothing was taken.
    Unsound,
}

/// What the mirror remembers of its sync.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Memory {
    /// This data folder, as a device.
    pub device_id: Uuid,
    /// How far it has pulled; none before the end of a first sync.
    pub cursor: Option<Cursor>,
    /// A first sync that is under way.
    pub first: Option<First>,
    /// The head that the last push was answered with, where no pull has passed it.
    pub pushed: Option<Head>,
    /// A rewind that was cut off, and its point.
    pub rewind: Option<Option<Head>>,
    /// Rows came back on the server that are gone here, and were not fetched yet.
    pub mending: bool,
    /// How far the server's clock is ahead.
    pub offset_ms: i64,
    /// What waits.
    pub counts: Counts,
}

/// A first sync under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct First {
    /// The head before the first row was read: the later cursor.
    pub head: Head,
    /// Where it is.
    pub stage: Stage,
}

/// Where a first sync is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The table.
    pub table: Table,
    /// From where in it.
    pub after: Option<After>,
}

/// How much may be removed without asking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guard {
    /// What this pull, or this comparison, has removed so far.
    pub removed: u64,
    /// What a person said, if one was asked.
    pub verdict: Option<Verdict>,
}

/// Up to this many rows go without asking.
const FEW_ROWS: u64 = 50;
/// So does any number up to this share of the rows that are here, in percent.
const SMALL_SHARE: u64 = 20;

impl Guard {
    /// Whether `more` rows of `local` ones may go. `local` counts what is here before they go; what went
    /// before in the same pull counts too.
    pub fn allows(&self, more: u64, local: u64) -> bool {
        let total = self.removed + more;
        more == 0
            || self.verdict.is_some()
            || total <= FEW_ROWS
            || total * 100 <= (local + self.removed) * SMALL_SHARE
    }
}

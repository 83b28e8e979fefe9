//! What the engine knows between two events.

use std::collections::VecDeque;

use uuid::Uuid;

use super::backoff::Backoff;
use super::compare::{Comparison, Verification};
use super::event::{Guard, Job, Memory, Stage};
use super::failures::Pause;
use super::pull::OFFSET_SLACK_MS;
use super::restore::Bisection;
use super::server::Ask;
use super::status::{Counts, Moved, SyncState, SyncStatus};
use crate::model::Timestamp;
use crate::model::wire::{Cursor, Head};

/// How long and how much. The simulator and the tests choose others.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Between two polls, in milliseconds.
    pub poll_ms: i64,
    /// Between two attempts to get the lock, in milliseconds.
    pub lock_ms: i64,
    /// Between two attempts where a pause may end by itself, in milliseconds.
    pub pause_ms: i64,
    /// Rows of a page at most.
    pub rows: u32,
    /// Operations of a push at most.
    pub ops: u32,
    /// Pushes in a row at most, where there is something to pull.
    pub in_a_row: u32,
    /// Points of the head history in one question at most.
    pub points: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            poll_ms: 60_000,
            lock_ms: 5_000,
            pause_ms: 3_600_000,
            rows: 2_000,
            ops: 1_000,
            in_a_row: 32,
            points: 200,
        }
    }
}

/// The time, twice: one that only goes forward, to wait by; and what the computer's clock shows, which
/// may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since some beginning; never goes back.
    pub mono_ms: i64,
    /// Milliseconds since 1970, as this computer believes.
    pub wall_ms: i64,
}

/// All that the engine knows. What must survive the process is in the mirror ([`Memory`]); the rest can
/// be lost at any moment.
#[derive(Debug, Clone)]
pub struct State {
    pub(super) limits: Limits,
    pub(super) now: Now,
    pub(super) epoch: u64,
    pub(super) requests: u64,
    pub(super) user_id: Option<Uuid>,
    pub(super) online: bool,
    pub(super) lock: Lock,
    pub(super) pause: Option<Paused>,
    pub(super) memory: Option<Memory>,
    /// The server knows this device, in this process.
    pub(super) greeted: bool,
    pub(super) refresh: bool,
    pub(super) tried: Tried,
    pub(super) asking: Option<Asking>,
    pub(super) jobs: VecDeque<Job>,
    pub(super) doing: Option<Job>,
    pub(super) course: Course,
    pub(super) pull: Pull,
    pub(super) push: Push,
    pub(super) backoff: Backoff,
    pub(super) disk_full: bool,
    pub(super) verify: Option<Verification>,
    pub(super) synced_wall_ms: Option<i64>,
    /// The most that the offset of the clocks, as it is known, is wrong by.
    pub(super) offset_error_ms: i64,
    pub(super) moved: Moved,
    /// As last heard: what waits does not vanish while the mirror is asked again.
    pub(super) counted: Counts,
    pub(super) shown: Option<SyncStatus>,
}

/// Whether this process is the one that syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// Not wanted.
    Free,
    /// Asked for.
    Asked,
    /// It is.
    Held,
    /// Another process is; asked again then.
    Elsewhere { again: i64 },
}

/// A pause, and when it is tried to end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paused {
    pub why: Pause,
    pub until: Option<i64>,
}

/// What was tried since the last success, and is not tried twice.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tried {
    pub refresh: bool,
    pub hello: bool,
}

/// The request under way.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    pub request: u64,
    pub ask: Ask,
    pub since: Now,
}

/// What the engine is about.
#[derive(Debug, Clone)]
pub(super) enum Course {
    /// Pulling and pushing, or at rest.
    Level,
    /// The server was restored: finding the point that both know.
    Bisect(Bisection),
    /// Going back to that point.
    Rewind(Option<Head>),
    /// Comparing manifests.
    Compare(Box<Comparison>),
}

/// The way down.
#[derive(Debug, Clone)]
pub(super) struct Pull {
    /// There may be something to pull.
    pub wanted: bool,
    /// Rows of a page, less after timeouts.
    pub rows: u32,
    /// Where the next question goes on, while pages before it are still being applied.
    pub ahead: Option<Cursor>,
    /// The same for a first sync.
    pub stage_ahead: Option<Stage>,
    /// What this pull has removed, and what a person said to it.
    pub guard: Guard,
    /// The highest head that the server told.
    pub head: Option<Head>,
    /// The head that the last push was answered with, until a pull has passed it: a server that was restored
    /// in between may know the cursor, and not this. The next push or pull names it.
    pub pushed: Option<Head>,
    /// The next poll.
    pub poll_at: i64,
}

/// The way up.
#[derive(Debug, Clone)]
pub(super) struct Push {
    /// There may be something to push.
    pub wanted: bool,
    /// Operations of a batch, less after timeouts.
    pub ops: u32,
    /// Made ready, not yet sent.
    pub ready: Option<crate::model::wire::Push>,
    /// Made ready while another is on its way. It goes right after that one, if all of that took effect as
    /// it was sent; else it is made anew, because outcomes decide what may follow.
    pub next: Option<crate::model::wire::Push>,
    /// The last push took effect as it was sent.
    pub clean: bool,
    /// So many pushes may go before it is the pull's turn, where both ways have something to do.
    pub in_a_row: u32,
    /// Operations that the server asked to send again wait for this.
    pub again: Backoff,
}

impl State {
    /// An engine that no account is attached to. `seed` chooses the jitter of its waits.
    pub fn new(limits: Limits, now: Now, seed: u64) -> Self {
        Self {
            limits,
            now,
            epoch: 0,
            requests: 0,
            user_id: None,
            online: true,
            lock: Lock::Free,
            pause: None,
            memory: None,
            greeted: false,
            refresh: false,
            tried: Tried::default(),
            asking: None,
            jobs: VecDeque::new(),
            doing: None,
            course: Course::Level,
            pull: Pull::new(&limits),
            push: Push::new(&limits, seed),
            backoff: Backoff::new(seed.wrapping_add(1)),
            disk_full: false,
            verify: None,
            synced_wall_ms: None,
            offset_error_ms: OFFSET_SLACK_MS,
            moved: Moved::default(),
            counted: Counts::default(),
            shown: None,
        }
    }

    /// When the next [`Event::Tick`](super::Event::Tick) is due, by the clock that only goes forward.
    pub fn due(&self) -> Option<i64> {
        self.user_id?;
        let lock = match self.lock {
            Lock::Elsewhere { again } => Some(again),
            _ => None,
        };
        let pause = self.pause.and_then(|pause| pause.until);
        if lock.is_some() || self.pause.is_some() {
            return lock.or(pause);
        }
        let mut due = [self.backoff.until(), self.push.again.until(), Some(self.pull.poll_at)]
            .into_iter()
            .flatten()
            .filter(|due| *due > self.now.mono_ms)
            .min();
        if !self.online {
            due = None;
        }
        due
    }

    /// Whether nothing is under way and nothing is left that could be done now.
    pub fn rests(&self) -> bool {
        self.asking.is_none()
            && self.doing.is_none()
            && self.jobs.is_empty()
            && self.greeted
            && matches!(self.course, Course::Level)
            && self.memory.as_ref().is_some_and(|memory| memory.first.is_none())
            && !self.pull.wanted
            && !self.push.wanted
            // Digests are compared once nothing waits; behind a refused change they never are.
            && (self.verify.is_none() || self.counts().waiting > 0)
    }

    /// How far it has pulled.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.memory.as_ref()?.cursor.as_ref()
    }

    /// Why it stands still, where it does.
    pub fn paused(&self) -> Option<Pause> {
        self.pause.map(|pause| pause.why)
    }

    /// What a person is told.
    pub fn status(&self) -> SyncStatus {
        SyncStatus {
            state: self.word(),
            counts: self.counts(),
            synced_at: self.synced_wall_ms.map(Timestamp),
            moved: self.moved,
            cursor: self.cursor().map(|cursor| cursor.seq),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.memory.as_ref().map_or(self.counted, |memory| memory.counts)
    }

    fn word(&self) -> SyncState {
        if self.user_id.is_none() {
            return SyncState::LocalOnly;
        }
        if let Some(pause) = self.pause {
            return SyncState::Paused { why: pause.why };
        }
        match (self.lock, self.synced_wall_ms) {
            (Lock::Elsewhere { .. }, _) => SyncState::Elsewhere,
            _ if self.disk_full => SyncState::DiskFull,
            _ if !self.online || self.backoff.failures() > 0 => SyncState::Offline,
            _ if !self.greeted => SyncState::Connecting,
            _ if self.memory.as_ref().is_some_and(|memory| memory.first.is_some()) => {
                SyncState::FirstSync
            }
            (_, Some(since)) if self.settled() => SyncState::UpToDate { since: Timestamp(since) },
            _ => SyncState::Syncing,
        }
    }

    /// A poll under way is no news: the words stay "up to date" meanwhile.
    fn settled(&self) -> bool {
        self.counts().waiting == 0
            && self.jobs.is_empty()
            && self.doing.is_none()
            && matches!(self.course, Course::Level)
    }

    /// Forgets what belongs to the session and to what was under way.
    pub(super) fn forget(&mut self) {
        self.epoch += 1;
        self.memory = None;
        self.greeted = false;
        self.refresh = false;
        self.tried = Tried::default();
        self.asking = None;
        self.jobs.clear();
        self.doing = None;
        self.course = Course::Level;
        self.pull = Pull::new(&self.limits);
        self.push.wanted = false;
        self.push.drop_ready();
        self.push.ops = self.limits.ops;
        self.push.again.reset();
        self.backoff.reset();
        self.pause = None;
        self.verify = None;
        self.disk_full = false;
        self.synced_wall_ms = None;
        self.moved = Moved::default();
        self.counted = Counts::default();
    }
}

impl Pull {
    fn new(limits: &Limits) -> Self {
        Self {
            wanted: true,
            rows: limits.rows,
            ahead: None,
            stage_ahead: None,
            guard: Guard::default(),
            head: None,
            pushed: None,
            poll_at: 0,
        }
    }

    /// Begins to count anew what is removed.
    pub(super) fn forgive(&mut self) {
        self.guard = Guard::default();
    }
}

impl Push {
    fn new(limits: &Limits, seed: u64) -> Self {
        let again = Backoff::new(seed);
        // One to begin with: what comes next may be a first sync.
        Self {
            wanted: false,
            ops: limits.ops,
            ready: None,
            next: None,
            clean: false,
            in_a_row: 1,
            again,
        }
    }

    /// What was made ready is made anew.
    pub(super) fn drop_ready(&mut self) {
        self.ready = None;
        self.next = None;
        self.clean = false;
    }
}

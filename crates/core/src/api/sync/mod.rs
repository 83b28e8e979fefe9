//! Sync, as the window and the command line meet it: where it is, what waits, what was refused, what
//! lost, which devices there are, how well it goes.
//!
//! | looking for | look in |
//! |---|---|
//! | who starts and stops the engine | `keeper.rs` |
//! | what wakes it: the network, the end of a sleep | `waking.rs` |
//! | how long its requests take | `measured.rs`, `health.rs` |
//! | conflicts, refused changes | `conflicts.rs`, `parked.rs` |
//! | devices and sessions | `devices.rs` |
//! | both sides' digests | `compare.rs`; mending what differs, once a day: `repair.rs` |

mod compare;
mod conflicts;
mod devices;
mod health;
mod keeper;
mod measured;
mod parked;
mod repair;
mod waking;

use std::time::Duration;

use tokio::sync::watch;

pub use crate::sync::event::Verdict;
pub use crate::sync::failures::Pause;
pub use crate::sync::status::{Counts, Moved, SyncState, SyncStatus};
pub use crate::timings::{Failed, Slow, Timing};
pub use compare::{ServerReport, TableReport};
pub use conflicts::{ConflictChoice, ConflictView};
pub use devices::{DeviceList, DeviceView, SessionView};
pub use health::{Doorbell, Health};
pub(super) use keeper::Keeper;
pub use parked::{ParkedView, Unsynced};

use super::Tidemark;
use super::tidemark::watch;
use crate::error::{Code, Failure, Result};
use crate::mirror::account;
use crate::sync::{Engine, Event, store};

/// A window that syncs this folder is asked so often whether it is done.
const LOOK: Duration = Duration::from_millis(200);

impl Tidemark {
    /// Where sync is; asks no network.
    ///
    /// # Errors
    /// The mirror cannot be read.
    pub fn sync_status(&self) -> Result<SyncStatus> {
        if let Some(status) = self.inner.keeper.status() {
            return Ok(status);
        }
        // This process does not sync.
        self.read(|connection| {
            let state = match account::get(connection)? {
                Some(_) => SyncState::Stopped,
                None => SyncState::LocalOnly,
            };
            let counts = store::counts(connection)?;
            let cursor = crate::mirror::cursors::pull(connection)?.map(|cursor| cursor.seq);
            Ok(SyncStatus { state, counts, cursor, ..SyncStatus::default() })
        })
    }

    /// Tries at once what waits for its time: “Sync now”, “Try again”.
    pub fn sync_now(&self) {
        self.inner.keeper.tell(Event::Now);
    }

    /// Compares the digests of both sides once nothing waits, and fetches again what differs.
    pub fn verify_sync(&self) {
        self.inner.keeper.tell(Event::Verify);
    }

    /// Says what is to become of what the server says is gone, where that is much.
    pub fn answer_removal(&self, verdict: Verdict) {
        self.inner.keeper.tell(Event::Removal(verdict));
    }

    /// Starts to sync, and goes on until [`Tidemark::close`]. The window does so by itself.
    pub fn start_sync(&self) {
        let stop = self.inner.tasks.stop_token();
        if self.inner.keeper.begin() {
            self.inner.tasks.spawn("watch", watch(self.clone(), stop.clone()));
            self.inner.tasks.spawn("keeper", keeper::keep(self.clone(), stop));
        }
    }

    /// Starts to sync, and hears of each change of the status.
    ///
    /// # Errors
    /// No account is attached.
    pub fn watch_sync(&self) -> Result<watch::Receiver<Option<SyncStatus>>> {
        // The mirror knows: right after signing in, the engine is still at its start.
        if self.read(account::get)?.is_none() {
            return Err(no_account());
        }
        self.start_sync();
        Ok(self.inner.keeper.watch())
    }

    /// Syncs until nothing is left to do that could be done now.
    ///
    /// # Errors
    /// No account is attached, the project cannot be reached, or sync is paused: the failure says what
    /// waits. Nothing is lost in any of them.
    pub async fn sync_once(&self) -> Result<SyncStatus> {
        let mut changes = self.watch_sync()?;
        // The engine hears of a write a moment later; whoever asks now means what is written now.
        let counts = self.read(store::counts)?;
        if counts.waiting > 0 {
            self.inner.keeper.tell(Event::Wrote { counts, mending: false });
        }
        loop {
            let engine = self.inner.keeper.engine();
            if let Some(engine) = &engine {
                // In this order: what comes between the two is in the status.
                let rests = engine.rests();
                let status = engine.status();
                if rests {
                    return Ok(status);
                }
                if let Some(ended) = self.ended(status) {
                    return ended;
                }
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return Err(no_account()) },
                () = rested(engine) => {}
                // Nobody tells when another process has synced the last change.
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Whether a run cannot go on, or another process goes on for it.
    fn ended(&self, status: SyncStatus) -> Option<Result<SyncStatus>> {
        match &status.state {
            SyncState::Elsewhere => self.ended_elsewhere(status),
            SyncState::Offline => Some(Err(self.offline(&status))),
            SyncState::DiskFull => Some(Err(disk_full())),
            SyncState::Paused { why } => Some(Err(paused(*why, &status))),
            _ => None,
        }
    }

    /// The window syncs this folder: what is here goes up without this process.
    fn ended_elsewhere(&self, status: SyncStatus) -> Option<Result<SyncStatus>> {
        match self.read(store::counts) {
            Ok(counts) if counts.waiting == 0 => Some(Ok(SyncStatus { counts, ..status })),
            Ok(_) => None,
            Err(failure) => Some(Err(failure)),
        }
    }

    fn offline(&self, status: &SyncStatus) -> Failure {
        let last = self.inner.keeper.requests().failures().into_iter().next();
        let why = last.map(|last| format!(" ({})", last.what)).unwrap_or_default();
        Failure::new(
            Code::Offline,
            format!("The project cannot be reached{why}. {}", waits(status)),
        )
        .hint("Sync goes on by itself when the project answers.")
    }
}

async fn rested(engine: Option<Engine>) {
    match engine {
        Some(engine) => engine.rested().await,
        None => std::future::pending().await,
    }
}

fn disk_full() -> Failure {
    Failure::new(
        Code::DiskFull,
        "The disk is full: nothing can be taken from the server. Nothing is lost.",
    )
    .hint("Make room, then sync again.")
}

fn waits(status: &SyncStatus) -> String {
    match status.counts.waiting {
        0 => "Nothing waits to go up.".to_owned(),
        1 => "1 change waits, and is safe here.".to_owned(),
        n => format!("{n} changes wait, and are safe here."),
    }
}

fn paused(why: Pause, status: &SyncStatus) -> Failure {
    let code = match why {
        Pause::SignIn | Pause::WrongKey => Code::KeyRejected,
        Pause::AppTooOld | Pause::ServerTooOld | Pause::NoSchema | Pause::WrongProject => {
            Code::WrongState
        }
        Pause::ProjectPaused | Pause::ServerFull => Code::ProviderBusy,
        _ => Code::Refused,
    };
    Failure::new(code, format!("{}. {}", status.sentence(), waits(status))).hint(why.remedy())
}

fn no_account() -> Failure {
    Failure::new(Code::WrongState, "No account is attached: everything is on this computer only.")
        .hint("Sign in first: “tidemarkctl account sign-in”, or the account page of the window.")
}

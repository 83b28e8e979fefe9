//! What a person is told of sync: one word, and the numbers beside it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::failures::Pause;
use crate::model::Timestamp;

/// What waits on this device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Counts {
    /// Changes that have no outcome yet, without the parked ones.
    #[ts(type = "number")]
    pub waiting: u64,
    /// Changes that the server refused for good; a person decides.
    #[ts(type = "number")]
    pub parked: u64,
    /// Conflicts that nobody has looked at.
    #[ts(type = "number")]
    pub conflicts: u64,
    /// When the oldest of the waiting was made.
    pub oldest_at: Option<Timestamp>,
}

/// Where sync is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum SyncState {
    /// No account is attached.
    #[default]
    LocalOnly,
    /// An account is attached, and this process does not sync.
    Stopped,
    /// The server has not answered yet.
    Connecting,
    /// Changes go up or come down.
    Syncing,
    /// The first sync brings what the account has.
    FirstSync,
    /// Nothing is left to do.
    UpToDate {
        /// Since when.
        since: Timestamp,
    },
    /// No network, or no answer; it goes on by itself.
    Offline,
    /// Another process of this computer syncs this data folder.
    Elsewhere,
    /// Nothing goes until something has changed.
    Paused {
        /// Why.
        why: Pause,
    },
    /// The disk is full: nothing can be taken from the server.
    DiskFull,
}

/// What went over the wire since the program's start, or since somebody else signed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Moved {
    /// Changes of this device that the server settled.
    #[ts(type = "number")]
    pub pushed: u64,
    /// Rows, and tombstones, that the server told.
    #[ts(type = "number")]
    pub pulled: u64,
}

/// The sync mark and its panel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SyncStatus {
    /// Where it is.
    pub state: SyncState,
    /// What waits.
    pub counts: Counts,
    /// When all was last up to date, while this program ran.
    pub synced_at: Option<Timestamp>,
    /// What went over the wire.
    pub moved: Moved,
    /// The version of the account up to which everything is here; none before the first sync's end.
    #[ts(type = "number | null")]
    pub cursor: Option<i64>,
}

impl SyncStatus {
    /// One sentence, as the command line says it.
    pub fn sentence(&self) -> String {
        let waiting = self.counts.waiting;
        match self.state {
            SyncState::LocalOnly => "Local only".into(),
            SyncState::Stopped => "Syncs with the window, or with “tidemarkctl sync”".into(),
            SyncState::Connecting => "Connecting…".into(),
            SyncState::FirstSync => "Syncing for the first time".into(),
            SyncState::Syncing if waiting == 0 => "Syncing".into(),
            SyncState::Syncing => format!("Syncing {}", changes(waiting)),
            SyncState::UpToDate { .. } => "Up to date".into(),
            SyncState::Offline if waiting == 0 => "Offline".into(),
            SyncState::Offline => {
                format!("Offline. {} will sync when you are back online.", changes(waiting))
            }
            SyncState::Elsewhere => "Another Tidemark on this computer syncs this folder".into(),
            SyncState::DiskFull => "Paused: the disk is full (nothing is lost)".into(),
            SyncState::Paused { why } => format!("Paused: {}", why.sentence()),
        }
    }
}

fn changes(n: u64) -> String {
    if n == 1 { "1 change".into() } else { format!("{n} changes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(state: SyncState, waiting: u64) -> String {
        let counts = Counts { waiting, ..Counts::default() };
        SyncStatus { state, counts, ..SyncStatus::default() }.sentence()
    }

    #[test]
    fn the_words_are_those_that_a_person_was_promised() {
        assert_eq!(says(SyncState::LocalOnly, 0), "Local only");
        assert_eq!(says(SyncState::Connecting, 0), "Connecting…");
        assert_eq!(says(SyncState::Syncing, 14), "Syncing 14 changes");
        assert_eq!(says(SyncState::Syncing, 1), "Syncing 1 change");
        assert_eq!(
            says(SyncState::Offline, 3),
            "Offline. 3 changes will sync when you are back online."
        );
        assert_eq!(
            says(SyncState::Paused { why: Pause::SignIn }, 3),
            "Paused: sign in again (nothing is lost)"
        );
        assert_eq!(
            says(SyncState::Paused { why: Pause::ServerFull }, 0),
            "Paused: the server is full"
        );
    }
}

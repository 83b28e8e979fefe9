//! What the window and the command line both call.
//!
//! [`App`] opens the mirror (or says what it needs to be opened); [`Tidemark`] is the open one: a
//! cheap handle whose methods are the commands of the interface, one to one. Methods that only touch
//! the mirror are plain functions that may wait for the disk; those that reach for the network are
//! async. All of them fail with a [`crate::Failure`].

mod account;
mod app;
mod conversations;
mod doctor;
mod export;
mod import;
mod models;
mod organisation;
mod settings;
mod sync;
mod thread;
mod tidemark;
pub mod typescript;

pub use crate::import::accounts::{AccountMap, Direction, Moved as MovedAccounts, Person};
pub use crate::import::backup::Manifest;
pub use crate::import::record::{Kind, Note, Place, Skip};
pub use crate::import::report::{Counts as ImportCounts, Mismatch, Plan, Report, Share};
pub use crate::import::run::Progress;
pub use crate::import::watch::Pace;
pub use crate::mirror::imports::Undone;
pub use crate::model::view::*;
pub use account::{AccountState, AccountStatus, Credentials, ProjectAddress, SignOutRequest};
pub use app::{App, OpenOptions};
pub use import::{
    FoundSource, ImportMoment, ImportNews, ImportRequest, ImportStage, ImportState, ImportView,
    ImportedConversations, PlannedImport, Proven,
};
pub use organisation::{Organisation, default_file as organisation_file};
pub use sync::{
    ConflictChoice, ConflictView, Counts, DeviceList, DeviceView, Doorbell, Failed, Health, Moved,
    ParkedView, Pause, ServerReport, SessionView, Slow, SyncState, SyncStatus, TableReport, Timing,
    Unsynced, Verdict,
};
pub use thread::Following;
pub use tidemark::Tidemark;

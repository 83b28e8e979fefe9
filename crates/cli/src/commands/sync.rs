//! Sync: once, watched, looked at; what lost, what was refused; devices and sessions.

use serde::Serialize;
use tidemark_core::Result;
use tidemark_core::api::{ConflictChoice, SyncStatus, Tidemark};
use tidemark_core::model::DeviceId;
use uuid::Uuid;

use super::text;
use crate::arguments::{Conflicts, Parked, Sync, SyncCommand};
use crate::output::{Output, Status};

/// What a run came to.
#[derive(Debug, Serialize)]
struct Run {
    /// Changes of this device that the server settled.
    pushed: u64,
    /// Rows, and tombstones, that the server told.
    pulled: u64,
    /// Conflicts that nobody has settled.
    conflicts: u64,
    /// Changes that the server refused for good.
    parked: u64,
    /// Changes that wait, those behind a refused one included.
    pending: u64,
    /// The version of the account up to which everything is here.
    cursor: Option<i64>,
}

/// Runs `sync`, `sync --watch` or `sync status`.
pub(super) async fn run(core: &Tidemark, how: Sync, output: &Output) -> Result<Status> {
    match how.command {
        Some(SyncCommand::Status) => output.print(&core.sync_status()?, SyncStatus::sentence),
        None if how.watch => watch(core, output).await,
        None => once(core, how.verify, output).await,
    }
}

async fn once(core: &Tidemark, verify: bool, output: &Output) -> Result<Status> {
    let mut status = core.sync_once().await?;
    if verify {
        core.verify_sync();
        status = core.sync_once().await?;
    }
    let run = Run {
        pushed: status.moved.pushed,
        pulled: status.moved.pulled,
        conflicts: status.counts.conflicts,
        parked: status.counts.parked,
        pending: status.counts.waiting,
        cursor: status.cursor,
    };
    output.print(&run, |run| {
        format!(
            "{} sent, {} received; {} conflicts, {} refused, {} waiting.",
            run.pushed, run.pulled, run.conflicts, run.parked, run.pending
        )
    })?;
    Ok(if run.parked > 0 { Status::Findings } else { Status::Done })
}

/// Prints each change of the state until Ctrl+C; with `--json`, one document a line.
async fn watch(core: &Tidemark, output: &Output) -> Result<Status> {
    let mut shown = None;
    let mut changes = core.watch_sync()?;
    loop {
        let status = core.sync_status()?;
        if shown.as_ref() != Some(&status) {
            output.print(&status, SyncStatus::sentence)?;
            shown = Some(status);
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return Ok(Status::Done) },
            _ = tokio::signal::ctrl_c() => return Ok(Status::Done),
        }
    }
}

/// Lists conflicts, or settles one.
pub(super) fn conflicts(core: &Tidemark, what: &Conflicts, output: &Output) -> Result<Status> {
    let choices = [
        (what.keep, ConflictChoice::KeepCurrent),
        (what.bring_back, ConflictChoice::BringBack),
        (what.keep_both, ConflictChoice::KeepBoth),
    ];
    for (id, choice) in choices {
        id.map(|id| core.settle_conflict(id, choice)).transpose()?;
    }
    output.print(&core.conflicts(None)?, |list| text::conflicts(list))
}

/// Lists what the server refused, or decides about one.
pub(super) fn parked(core: &Tidemark, what: &Parked, output: &Output) -> Result<Status> {
    what.retry.map(|n| core.retry_parked(n)).transpose()?;
    what.discard.map(|n| core.discard_parked(n)).transpose()?;
    output.print(&core.parked()?, |list| text::parked(list))
}

/// Lists the devices, or signs one out.
pub(super) async fn devices(
    core: &Tidemark,
    revoke: Option<DeviceId>,
    output: &Output,
) -> Result<Status> {
    let list = match revoke {
        Some(id) => core.revoke_device(id).await?,
        None => core.devices().await?,
    };
    output.print(&list.devices, |devices| text::devices(devices))?;
    Ok(if list.unasked.is_some() { Status::Findings } else { Status::Done })
}

/// Lists the sessions, or ends one.
pub(super) async fn sessions(
    core: &Tidemark,
    end: Option<Uuid>,
    output: &Output,
) -> Result<Status> {
    let list = match end {
        Some(id) => core.end_session(id).await?,
        None => core.sessions().await?,
    };
    output.print(&list, |sessions| text::sessions(sessions))
}

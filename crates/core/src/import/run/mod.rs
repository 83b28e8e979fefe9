//! The run: plan, backup, write, verify, report, undo.
//!
//! Rows have the same ids at every reading, and what is here already is left alone: a run that was cut
//! off goes on by reading from the beginning, and a source that has grown adds what is new.

mod plan;
mod tally;
mod undo;
mod verify;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use plan::plan;
pub use undo::undo;

use super::backup;
use super::record::Skip;
use super::report::{Counts, Plan, Report};
use super::sources::{Input, Source};
use super::survey::Whose;
use super::waiting::{joined, read_ahead};
use crate::error::{Code, Failure, Result};
use crate::mirror::imports::{self, State};
use crate::mirror::{self, Mirror};

/// How often it is looked at how far the backup is.
const GLANCE: Duration = Duration::from_millis(20);

/// What is imported, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The root of the source.
    pub input: Input,
    /// What a person named: the root, or the archive that was unpacked to it.
    pub named: PathBuf,
    /// What of the archive was refused.
    pub refused: Vec<Skip>,
    /// Whose.
    pub whose: Whose,
    /// Those of them who gave their old password, by key.
    pub proven: BTreeSet<String>,
    /// The folder of backups; none makes none.
    pub backups: Option<PathBuf>,
    /// Takes the whole back where it is not verified.
    pub auto_rollback: bool,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Reading for the plan: messages so far.
    Planning(u64),
    /// Copying the source: bytes so far.
    BackingUp(u64),
    /// Writing: messages so far, and of how many.
    Writing(u64, u64),
    /// Comparing: messages so far, and of how many.
    Verifying(u64, u64),
}

fn not_stopped(stop: &CancellationToken) -> Result<()> {
    match stop.is_cancelled() {
        false => Ok(()),
        true => {
            Err(Failure::new(Code::Interrupted, "The import was stopped. What came over is here.")
                .hint("Run it again, and it goes on from there."))
        }
    }
}

/// Brings it over: plan, backup, write, verify, report. Stopping leaves what was written; the next run of
/// the same source goes on.
///
/// # Errors
/// The source cannot be read, the backup cannot be made, or the mirror cannot be written; and
/// [`Code::Interrupted`] where it was stopped.
pub fn run(
    mirror: &Mirror,
    source: &dyn Source,
    request: &Request,
    stop: &CancellationToken,
    told: &mut dyn FnMut(Progress),
) -> Result<Report> {
    let (system, root) = (source.system(), request.named.display().to_string());
    let how = options(request);
    let cut_off = mirror.read(|c| imports::cut_off(c, system, &root, &how))?;
    let resumed = cut_off.as_ref().map(|import| import.id);
    let (id, archive) = match cut_off {
        Some(import) => (import.id, import.backup),
        None => (begin(mirror, system, &root, &how)?, None),
    };
    let (before, beside, archive) = match (archive, &request.backups) {
        (None, Some(_)) => {
            let (planned, name) =
                plan_and_back_up(mirror, source, request, id, resumed, stop, told)?;
            (planned.0, planned.1, Some(name))
        }
        (archive, _) => {
            let (plan, beside) = plan::plan_after(mirror, source, request, resumed, stop, told)?;
            (plan, beside, archive)
        }
    };
    let mut earlier = written(mirror, id)?;
    earlier.add(beside);
    let total = before.counts.messages;
    let read = write_all(mirror, source, request, id, total, stop, told)?;
    let imported = written(mirror, id)?;
    let mut report = Report {
        id: id.to_string(),
        plan: Plan {
            already_here: without(before.already_here, earlier),
            duplicates: before.duplicates,
            bytes: before.bytes,
            disk_bytes: before.disk_bytes,
            seconds: before.seconds,
            ..read
        },
        imported: Counts {
            users: before.counts.users.saturating_sub(before.already_here.users),
            ..imported
        },
        backup: archive,
        ..Report::default()
    };
    verify::verify(mirror, source, request, &mut report, stop, told)?;
    finish(mirror, id, request, report)
}

/// What decides which rows come over, and how: a run that was cut off goes on only with the same.
fn options(request: &Request) -> Value {
    let users = match &request.whose {
        Whose::All => None,
        Whose::Of(keys) => Some(keys),
    };
    json!({ "users": users, "zone_minutes": request.input.zone.0.local_minus_utc() / 60 })
}

fn begin(mirror: &Mirror, system: &str, root: &str, options: &Value) -> Result<Uuid> {
    let id = mirror.clock().new_id();
    mirror.write(|write| imports::begin(write, id, system, root, options))?;
    Ok(id)
}

/// Both only read, and each has a core to itself.
fn plan_and_back_up(
    mirror: &Mirror,
    source: &dyn Source,
    request: &Request,
    id: Uuid,
    resumed: Option<Uuid>,
    stop: &CancellationToken,
    told: &mut dyn FnMut(Progress),
) -> Result<((Plan, Counts), String)> {
    let name = format!("{id}.zip");
    let folder = request.backups.clone().unwrap_or_default();
    let (archive, copied) = (folder.join(&name), AtomicU64::new(0));
    let plan = thread::scope(|scope| {
        let copying = scope.spawn(|| {
            backup::make(&request.named, &archive, &mut |bytes| {
                copied.store(bytes, Ordering::Relaxed);
            })
        });
        let plan = plan::plan_after(mirror, source, request, resumed, stop, told);
        while plan.is_ok() && !copying.is_finished() {
            told(Progress::BackingUp(copied.load(Ordering::Relaxed)));
            thread::sleep(GLANCE);
        }
        joined(copying)?;
        plan
    })?;
    mirror.write(|write| imports::backed_up(write, id, &name))?;
    Ok((plan, name))
}

/// Writes in transactions that do not wait for the disk: what a power cut takes is read again, for the
/// import is still under way.
fn write_all(
    mirror: &Mirror,
    source: &dyn Source,
    request: &Request,
    id: Uuid,
    total: u64,
    stop: &CancellationToken,
    told: &mut dyn FnMut(Progress),
) -> Result<Plan> {
    let (mut fault, mut messages) = (None, 0);
    let plan = read_ahead(source, request, &mut |batch| {
        for one in &batch.found {
            messages += one.messages();
            told(Progress::Writing(messages, total));
        }
        if stop.is_cancelled() {
            return ControlFlow::Break(());
        }
        stop_at(batch.write(mirror, id), &mut fault)
    });
    let plan = plan::of(request, whole(plan, fault, source)?);
    not_stopped(stop)?;
    Ok(plan)
}

/// What this import wrote in all its runs.
fn written(mirror: &Mirror, id: Uuid) -> Result<Counts> {
    let imports::Sum { conversations, messages, documents, fragments } =
        mirror.read(|c| imports::written(c, id))?;
    Ok(Counts { conversations, messages, documents, fragments, ..Counts::default() })
}

/// What was here before this import began: of what the plan met here, what earlier runs of this import had
/// written is not. Not derived from what was written since, or the counts would add up whatever was.
fn without(here: Counts, earlier: Counts) -> Counts {
    Counts {
        conversations: here.conversations.saturating_sub(earlier.conversations),
        messages: here.messages.saturating_sub(earlier.messages),
        documents: here.documents.saturating_sub(earlier.documents),
        fragments: here.fragments.saturating_sub(earlier.fragments),
        attachments: here.attachments.saturating_sub(earlier.attachments),
        folded: here.folded.saturating_sub(earlier.folded),
        users: here.users,
    }
}

fn finish(mirror: &Mirror, id: Uuid, request: &Request, mut report: Report) -> Result<Report> {
    if !report.verified && request.auto_rollback {
        undo(mirror, id)?;
        report.rolled_back = true;
    }
    let state = match (report.rolled_back, report.verified) {
        (true, _) => State::Undone,
        (false, true) => State::Done,
        (false, false) => State::Failed,
    };
    let document = serde_json::to_value(&report).unwrap_or_default();
    mirror.write(|write| imports::end(write, id, state, &document))?;
    Ok(report)
}

fn stop_at(done: Result<(), mirror::Error>, fault: &mut Option<mirror::Error>) -> ControlFlow<()> {
    match done {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            *fault = Some(error);
            ControlFlow::Break(())
        }
    }
}

fn whole(
    read: std::io::Result<Plan>,
    fault: Option<mirror::Error>,
    source: &dyn Source,
) -> Result<Plan> {
    if let Some(fault) = fault {
        return Err(fault.into());
    }
    read.map_err(|error| unreadable(source, &error))
}

pub(crate) fn unreadable(source: &dyn Source, error: &std::io::Error) -> Failure {
    tracing::warn!(%error, "a source cannot be read");
    let message = format!("The data of {} cannot be read. Nothing was changed.", source.name());
    Failure::new(Code::NotFound, message)
        .hint("Check that the folder is there, and that you may read it.")
}

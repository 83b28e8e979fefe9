//! The run: plan, backup, write, verify, report, undo.
//!
//! Rows have the same ids at every reading, and what is here already is left alone: a run that was cut
//! off goes on by reading from the beginning, and a source that has grown adds what is new.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::backup;
use super::record::Skip;
use super::report::{Counts, Mismatch, Plan, Report};
use super::rows::{DocumentRows, Rows};
use super::sources::{Input, Source};
use super::survey::{self, Found, Whose};
use super::waiting::{joined, read_ahead};
use crate::error::{Code, Failure, Result};
use crate::mirror::imports::{self, State, Undone};
use crate::mirror::{self, Mirror, conversations, messages};
use crate::model::{ConversationId, Message, MessageId};

/// How often it is looked at how far the backup is.
const GLANCE: Duration = Duration::from_millis(20);
/// Conversations of one transaction of the undo.
const UNDO_BATCH: usize = 20;

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

/// What would come over; writes nothing.
///
/// # Errors
/// The source cannot be read, or the mirror; and [`Code::Interrupted`] where it was stopped.
pub fn plan(
    mirror: &Mirror,
    source: &dyn Source,
    request: &Request,
    stop: &CancellationToken,
    told: &mut dyn FnMut(Progress),
) -> Result<Plan> {
    Ok(plan_after(mirror, source, request, None, stop, told)?.0)
}

/// The plan, and what of it an import had written that was cut off, where the mirror does not count it.
fn plan_after(
    mirror: &Mirror,
    source: &dyn Source,
    request: &Request,
    cut_off: Option<Uuid>,
    stop: &CancellationToken,
    told: &mut dyn FnMut(Progress),
) -> Result<(Plan, Counts)> {
    let mut seen = Seen { cut_off, ..Seen::default() };
    let mut earlier = Tally::default();
    let mut fault = None;
    let plan = survey::read(source, &request.input, &request.whose, &mut |found, plan| {
        if stop.is_cancelled() {
            return ControlFlow::Break(());
        }
        let counted = match found {
            Found::Conversation(rows) => seen
                .conversation(mirror, &rows, plan)
                .and_then(|()| cut_off.map_or(Ok(()), |id| earlier.add(mirror, id, &rows))),
            Found::Document(rows) => seen.document(mirror, &rows, plan),
        };
        told(Progress::Planning(plan.counts.messages));
        stop_at(counted, &mut fault)
    });
    let plan = whole(plan, fault, source)?;
    not_stopped(stop)?;
    let plan = of(request, plan);
    let mut plan = Plan { bytes: backup::size(&request.named), ..plan };
    plan.already_here.users = known_users(mirror, &plan)?;
    plan.estimate();
    Ok((plan, earlier.counts))
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

/// Those whom an earlier import of this program has brought: nobody has a row.
fn known_users(mirror: &Mirror, plan: &Plan) -> Result<u64> {
    let imports = mirror.read(imports::all)?;
    let ended = imports.into_iter().filter(|one| matches!(one.state, State::Done | State::Failed));
    let same = ended.filter(|one| one.system == plan.source);
    let reports = same.filter_map(|one| serde_json::from_value::<Report>(one.report?).ok());
    let known: BTreeSet<(String, String)> =
        reports.flat_map(|report| named(&report.plan).collect::<Vec<_>>()).collect();
    Ok(named(plan).filter(|one| known.contains(one)).count() as u64)
}

/// Everybody's key, once for each name.
fn named(plan: &Plan) -> impl Iterator<Item = (String, String)> + '_ {
    plan.people
        .iter()
        .flat_map(|share| share.names().map(|name| (share.key.clone(), name.to_owned())))
}

/// What an import wrote of what the mirror does not count: what hangs on messages, and what is folded into
/// them. A conversation that comes twice counts once.
#[derive(Default)]
struct Tally {
    counts: Counts,
    messages: HashSet<MessageId>,
    conversations: HashSet<ConversationId>,
}

impl Tally {
    fn add(&mut self, mirror: &Mirror, import: Uuid, rows: &Rows) -> Result<(), mirror::Error> {
        // Of a message that is told again, what was told first was written.
        let hangs = rows
            .messages
            .iter()
            .filter(|message| !message.parts.is_empty() && !rows.again.contains(&message.id));
        let hangs: Vec<_> = hangs.collect();
        let id = rows.conversation.id;
        // Also where nothing is folded into it: what a later file folds is here already.
        let is_first = self.conversations.insert(id);
        if rows.folded == 0 && hangs.is_empty() {
            return Ok(());
        }
        let Some(wrote) = mirror.read(|c| imports::imported_of(c, import, id))? else {
            return Ok(());
        };
        let messages: HashSet<_> = wrote.messages.into_iter().collect();
        for message in hangs.into_iter().filter(|message| messages.contains(&message.id)) {
            if self.messages.insert(message.id) {
                self.counts.attachments += message.parts.len() as u64;
            }
        }
        if wrote.is_new && is_first {
            self.counts.folded += rows.folded;
            self.counts.messages += rows.folded;
        }
        Ok(())
    }
}

/// A plan speaks of what was named, and of what did not come out of it.
fn of(request: &Request, mut plan: Plan) -> Plan {
    plan.path = request.named.display().to_string();
    request.refused.iter().cloned().for_each(|skip| plan.skip(skip));
    for share in plan.people.iter_mut().filter(|share| share.protected) {
        share.proven = Some(request.proven.contains(&share.key));
    }
    plan
}

/// What the mirror has, and what the source has told before: a conversation that comes twice is one.
#[derive(Default)]
struct Seen {
    /// What this import wrote is no duplicate when it goes on.
    cut_off: Option<Uuid>,
    told: HashMap<ConversationId, HashSet<MessageId>>,
    documents: HashSet<crate::model::DocumentId>,
}

impl Seen {
    fn conversation(
        &mut self,
        mirror: &Mirror,
        rows: &Rows,
        plan: &mut Plan,
    ) -> Result<(), mirror::Error> {
        let id = rows.conversation.id;
        let here = mirror.read(|c| imports::known(c, id))?;
        let before = self.told.get(&id);
        let is_known = |message: &Message| {
            here.as_ref().is_some_and(|here| here.contains(&message.id))
                || before.is_some_and(|before| before.contains(&message.id))
        };
        let known: HashSet<_> =
            rows.messages.iter().filter(|one| is_known(one)).map(|one| one.id).collect();
        let is_here = here.is_some() || before.is_some();
        if is_here {
            let counts = rows.counts(|id| known.contains(&id));
            plan.already_here.add(Counts { conversations: 1, ..counts });
        }
        let known = known.len();
        let is_ours = match self.cut_off.filter(|_| before.is_none()) {
            Some(import) => mirror.read(|c| imports::imported_of(c, import, id))?.is_some(),
            None => false,
        };
        plan.duplicates += u64::from(is_here && known == rows.messages.len() && !is_ours);
        // A source may tell of one conversation in several files.
        self.told.entry(id).or_default().extend(rows.messages.iter().map(|message| message.id));
        Ok(())
    }

    fn document(
        &mut self,
        mirror: &Mirror,
        rows: &DocumentRows,
        plan: &mut Plan,
    ) -> Result<(), mirror::Error> {
        let is_here = mirror.read(|c| imports::fragments(c, rows.id))?.is_some();
        if is_here || !self.documents.insert(rows.id) {
            plan.already_here.documents += 1;
            plan.already_here.fragments += rows.fragments.len() as u64;
        }
        Ok(())
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
            let (plan, beside) = plan_after(mirror, source, request, resumed, stop, told)?;
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
    verify(mirror, source, request, &mut report, stop, told)?;
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
        let plan = plan_after(mirror, source, request, resumed, stop, told);
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
    let plan = of(request, whole(plan, fault, source)?);
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

/// Reads the source once more, and compares each row with the one in the mirror.
fn verify(
    mirror: &Mirror,
    source: &dyn Source,
    request: &Request,
    report: &mut Report,
    stop: &CancellationToken,
    told: &mut dyn FnMut(Progress),
) -> Result<()> {
    let total = report.plan.counts.messages;
    let (mut fault, mut wrong, mut wrote) = (None, Vec::new(), Tally::default());
    let id: Uuid = report.id.parse().unwrap_or_default();
    let mut messages = 0;
    let again = read_ahead(source, request, &mut |batch| {
        for found in &batch.found {
            if stop.is_cancelled() {
                return ControlFlow::Break(());
            }
            messages += found.messages();
            told(Progress::Verifying(messages, total));
            let compared = match found {
                Found::Conversation(rows) => compare(mirror, rows),
                Found::Document(rows) => compare_document(mirror, rows),
            };
            let compared = compared.map(|found| wrong.extend(found));
            let compared = compared.and_then(|()| match found {
                Found::Conversation(rows) => wrote.add(mirror, id, rows),
                Found::Document(_) => Ok(()),
            });
            stop_at(compared, &mut fault)?;
        }
        ControlFlow::Continue(())
    });
    let again = whole(again, fault, source)?;
    not_stopped(stop)?;
    report.mismatches.append(&mut wrong);
    report.imported.add(wrote.counts);
    if again.counts != report.plan.counts {
        report.mismatches.push(Mismatch {
            what: "source".into(),
            expected: format!("{:?}", report.plan.counts),
            found: format!("{:?}: it changed meanwhile", again.counts),
        });
    }
    report.check_counts();
    report.verified = report.mismatches.is_empty();
    Ok(())
}

fn compare(mirror: &Mirror, rows: &Rows) -> Result<Option<Mismatch>, mirror::Error> {
    let id = rows.conversation.id;
    let here: HashMap<MessageId, Message> = mirror.read(|c| {
        conversations::uncounted(c, id)?;
        Ok(messages::every(c, id)?.into_iter().map(|message| (message.id, message)).collect())
    })?;
    let differs = rows
        .messages
        .iter()
        .find(|message| here.get(&message.id).is_none_or(|here| !is_same(message, here, rows)));
    Ok(differs.map(|message| Mismatch {
        what: format!("conversation {id}, message {}", message.id),
        expected: format!("{} bytes", message.content.len()),
        found: match here.get(&message.id) {
            Some(here) => format!("{} bytes, or other fields", here.content.len()),
            None => "nothing".to_owned(),
        },
    }))
}

/// All that a person wrote or an old program knew; not what this mirror stamps. Of a message that the
/// source has told of before, what was told then stands beside the text.
fn is_same(read: &Message, here: &Message, rows: &Rows) -> bool {
    if rows.again.contains(&read.id) {
        return (read.role, &read.content) == (here.role, &here.content);
    }
    Message { updated_at: here.updated_at, ..read.clone() } == *here
}

fn compare_document(
    mirror: &Mirror,
    rows: &DocumentRows,
) -> Result<Option<Mismatch>, mirror::Error> {
    let here = mirror.read(|c| imports::fragments(c, rows.id))?;
    let wanted = rows.fragments.len() as i64;
    Ok((here != Some(wanted)).then(|| Mismatch {
        what: format!("document {}", rows.id),
        expected: format!("{wanted} fragments"),
        found: here.map_or_else(|| "nothing".to_owned(), |here| format!("{here} fragments")),
    }))
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

/// Takes an import back, leaving what a person has changed since.
///
/// # Errors
/// There is no such import, or the mirror cannot be written; what was taken back stays so, and the undo
/// can be run again.
pub fn undo(mirror: &Mirror, id: Uuid) -> Result<Undone> {
    let import = mirror.read(|c| imports::get(c, id))?;
    if import.state == State::Undone {
        return Err(Failure::new(Code::WrongState, "This import was taken back already."));
    }
    let (mut sum, mut after) = (Undone::default(), 0);
    loop {
        let batch = mirror.read(|c| imports::imported(c, id, after, UNDO_BATCH))?;
        let Some((last, _)) = batch.last() else { break };
        after = *last;
        mirror.write(|write| {
            batch.iter().try_for_each(|(_, one)| imports::take_back(write, one, &mut sum))
        })?;
    }
    mirror.write(|write| {
        imports::take_back_documents(write, id, &mut sum)?;
        let report = import.report.clone().unwrap_or_default();
        imports::end(write, id, State::Undone, &report)
    })?;
    Ok(sum)
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

//! The plan: what would come over, and what of it is here already.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::tally::Tally;
use super::{Progress, Request, not_stopped, stop_at, whole};
use crate::error::Result;
use crate::import::backup;
use crate::import::report::{Counts, Plan, Report};
use crate::import::rows::{DocumentRows, Rows};
use crate::import::sources::Source;
use crate::import::survey::{self, Found};
use crate::mirror::imports::{self, State};
use crate::mirror::{self, Mirror};
use crate::model::{ConversationId, DocumentId, Message, MessageId};

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
pub(super) fn plan_after(
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

/// A plan speaks of what was named, and of what did not come out of it.
pub(super) fn of(request: &Request, mut plan: Plan) -> Plan {
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
    documents: HashSet<DocumentId>,
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

//! The proof: the source is read once more, and each row compared with the one that is here.

use std::collections::HashMap;
use std::ops::ControlFlow;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::tally::Tally;
use super::{Progress, Request, not_stopped, stop_at, whole};
use crate::error::Result;
use crate::import::report::{Mismatch, Report};
use crate::import::rows::{DocumentRows, Rows};
use crate::import::sources::Source;
use crate::import::survey::Found;
use crate::import::waiting::read_ahead;
use crate::mirror::{self, Mirror, conversations, imports, messages};
use crate::model::{Message, MessageId};

/// Reads the source once more, and compares each row with the one in the mirror.
pub(super) fn verify(
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

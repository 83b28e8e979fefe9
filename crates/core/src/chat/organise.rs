//! Rename, pin, archive, trash, duplicate: what keeps the sidebar in order.

use std::collections::HashMap;

use super::body;
use super::undo::Step;
use crate::clock::Clock;
use crate::error::{Code, Failure};
use crate::mirror::conversations::{self, Field};
use crate::mirror::{Error, Write, messages, send_queue, thread};
use crate::model::{Conversation, ConversationId, MessageId, MessageState, TitleBy};

/// How long a conversation stays in the trash, in milliseconds: 30 days.
pub const TRASH_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// What was done, for the toast, and how to take it back.
pub type Done = (String, Vec<Step>);

/// Gives a conversation a title of the person's; an empty one lets the machine name it again.
pub fn rename(write: &mut Write<'_>, id: ConversationId, title: &str) -> Result<Done, Error> {
    let old = conversations::get(&write.tx, id)?;
    let title = body::title(title);
    let field = if title.is_empty() {
        Field::Title(first_words(write, id)?, TitleBy::Auto)
    } else {
        Field::Title(title, TitleBy::Person)
    };
    conversations::set(write, id, &field)?;
    let label = format!("Renamed “{}”", name(&old));
    Ok((label, vec![Step::Restore(id, Field::Title(old.title, old.title_by))]))
}

/// Moves a conversation out of the sidebar, or back.
pub fn archive(write: &mut Write<'_>, id: ConversationId, archived: bool) -> Result<Done, Error> {
    let old = conversations::get(&write.tx, id)?;
    conversations::set(write, id, &Field::Archived(archived))?;
    let verb = if archived { "Archived" } else { "Took out of the archive:" };
    Ok((format!("{verb} “{}”", name(&old)), vec![Step::Restore(id, Field::Archived(old.archived))]))
}

/// Moves a conversation to the trash. What waits in its queue is stopped: it would otherwise come
/// back by itself with the answer.
pub fn trash(write: &mut Write<'_>, id: ConversationId) -> Result<Done, Error> {
    let old = conversations::get(&write.tx, id)?;
    for entry in send_queue::all(&write.tx)?.into_iter().filter(|entry| entry.conversation_id == id)
    {
        let answer = messages::get(&write.tx, entry.message_id)?;
        super::send::stop_waiting(write, &answer)?;
    }
    conversations::set(write, id, &Field::Trashed(Some(write.now)))?;
    let label = format!("Moved “{}” to the trash", name(&old));
    Ok((label, vec![Step::Restore(id, Field::Trashed(old.trashed_at))]))
}

/// Takes a conversation out of the trash.
pub fn restore(write: &mut Write<'_>, id: ConversationId) -> Result<Done, Error> {
    let old = conversations::get(&write.tx, id)?;
    conversations::set(write, id, &Field::Trashed(None))?;
    Ok((
        format!("Restored “{}”", name(&old)),
        vec![Step::Restore(id, Field::Trashed(old.trashed_at))],
    ))
}

/// Removes a conversation for good; only from the trash.
pub fn delete_forever(write: &mut Write<'_>, id: ConversationId) -> Result<(), Error> {
    if conversations::get(&write.tx, id)?.trashed_at.is_none() {
        return Err(Failure::new(
            Code::WrongState,
            "Only what is in the trash can be deleted for good.",
        )
        .hint("Move it to the trash first.")
        .into());
    }
    conversations::purge(write, id)
}

/// Removes what has been in the trash for 30 days. A clock that jumped ahead must not empty it: what
/// is due by a clock that is over a day ahead of anything written since is left for the next time.
pub fn purge_due(write: &mut Write<'_>, last_written_ms: i64) -> Result<usize, Error> {
    let day = 24 * 60 * 60 * 1000;
    let now = write.now.0.min(last_written_ms.saturating_add(day));
    let due = conversations::trashed_before(&write.tx, crate::model::Timestamp(now - TRASH_MS))?;
    for id in &due {
        conversations::purge(write, *id)?;
    }
    Ok(due.len())
}

/// Copies a conversation with all its branches. Answers that have not come are left out.
pub fn duplicate(
    write: &mut Write<'_>,
    clock: &dyn Clock,
    id: ConversationId,
) -> Result<Conversation, Error> {
    let old = conversations::get(&write.tx, id)?;
    let copy = Conversation {
        id: ConversationId(clock.new_id()),
        title: body::title(&format!("{} (copy)", name(&old))),
        pinned: false,
        archived: false,
        trashed_at: None,
        origin: None,
        continuation_id: None,
        created_at: write.now,
        updated_at: write.now,
        active_at: write.now,
        ..old
    };
    conversations::insert(write, &copy)?;
    let shown = conversations::leaf(&write.tx, id)?;
    let ids = copy_messages(write, clock, id, copy.id)?;
    if let Some(leaf) = shown.and_then(|leaf| ids.get(&leaf)) {
        let message = messages::get(&write.tx, *leaf)?;
        thread::show(write, &message)?;
    } else {
        thread::settle(write, copy.id)?;
    }
    conversations::get(&write.tx, copy.id)
}

fn copy_messages(
    write: &mut Write<'_>,
    clock: &dyn Clock,
    from: ConversationId,
    to: ConversationId,
) -> Result<HashMap<MessageId, MessageId>, Error> {
    let mut messages = messages::of_conversation(&write.tx, from)?;
    let parents: HashMap<_, _> =
        messages.iter().map(|message| (message.id, message.parent_id)).collect();
    messages.retain(|message| {
        message.state.is_final()
            && (message.state == MessageState::Done || !message.content.is_empty())
    });
    let ids: HashMap<_, _> =
        messages.iter().map(|message| (message.id, MessageId(clock.new_id()))).collect();
    let device_id = write.device_id()?;
    for message in &mut messages {
        message.id = ids[&message.id];
        message.conversation_id = to;
        // What follows an answer that was left out follows what that one answered.
        let mut above = std::iter::successors(message.parent_id, |id| *parents.get(id)?);
        message.parent_id = above.find_map(|id| ids.get(&id).copied());
        message.continues_id = message.continues_id.and_then(|other| ids.get(&other).copied());
        message.device_id = Some(device_id);
    }
    messages::insert_batch(write, to, &messages)?;
    Ok(ids)
}

fn first_words(write: &Write<'_>, id: ConversationId) -> Result<String, Error> {
    let first = thread::shown_child(&write.tx, id, None)?;
    let content = first
        .map(|first| messages::get(&write.tx, first))
        .transpose()?
        .map(|message| message.content);
    Ok(content.map(|content| super::title::from_message(&content)).unwrap_or_default())
}

/// A conversation's title as a toast names it.
fn name(conversation: &Conversation) -> String {
    if conversation.title.is_empty() { "New chat".into() } else { conversation.title.clone() }
}

//! Conversations as an import writes them: what is here already is left alone.

use std::borrow::Cow;
use std::collections::HashSet;

use rusqlite::{Connection, params};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::written::imported_row;
use crate::mirror::sql::to_json;
use crate::mirror::{Error, Write, conversations, messages, thread};
use crate::model::{Conversation, ConversationId, Message, MessageId, Timestamp};

/// A conversation with what of it is to be written.
#[derive(Debug, Clone)]
pub struct Batch<'a> {
    /// Its own row.
    pub conversation: &'a Conversation,
    /// Written beside it: what the old program knew and no column holds.
    pub metadata: &'a Map<String, Value>,
    /// All its messages; those that are here already are left alone.
    pub messages: &'a [Message],
    /// Those of them that are in the trash, and since when.
    pub trashed: &'a [(MessageId, Timestamp)],
    /// The end of the branch that is shown at first.
    pub shown: Option<MessageId>,
}

/// What was written of a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Its own row.
    pub conversations: u64,
    /// Its messages.
    pub messages: u64,
}

/// The messages of a conversation that are here, in the trash or not; none where it is not. What an undo
/// has put into the trash is not here: the next import brings it back.
pub fn known(
    connection: &Connection,
    id: ConversationId,
) -> Result<Option<HashSet<MessageId>>, Error> {
    let is_here =
        connection.prepare_cached("SELECT 1 FROM conversations WHERE id = ?1")?.exists([id])?;
    if !is_here {
        return Ok(None);
    }
    let mut statement =
        connection.prepare_cached("SELECT id FROM messages WHERE conversation_id = ?1")?;
    let ids = statement.query_map([id], |row| row.get(0))?;
    let mut known = ids.collect::<Result<HashSet<_>, _>>()?;
    for id in taken_back(connection, id)? {
        known.remove(&id);
    }
    Ok(Some(known))
}

/// The messages of a conversation that an undo has put into the trash, where they still are.
fn taken_back(connection: &Connection, id: ConversationId) -> Result<HashSet<MessageId>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT i.rowid, i.conversation_id, i.is_new, i.updated_ms, i.messages
           FROM imported i
           JOIN imports m ON m.id = i.import_id
          WHERE i.conversation_id = ?1 AND i.is_new = 0 AND m.state = 'undone'",
    )?;
    let rows = statement.query_map([id], imported_row)?.collect::<Result<Vec<_>, _>>()?;
    let mut trashed = connection
        .prepare_cached("SELECT 1 FROM messages WHERE id = ?1 AND trashed_ms IS NOT NULL")?;
    let mut found = HashSet::new();
    for message in rows.into_iter().flat_map(|row| row.messages) {
        if trashed.exists([message])? {
            found.insert(message);
        }
    }
    Ok(found)
}

/// Takes out of the trash what an undo had put there and comes again. From here on it is this import's.
fn bring_back(
    write: &mut Write<'_>,
    id: ConversationId,
    fresh: &[Message],
) -> Result<Vec<Message>, Error> {
    let back = taken_back(&write.tx, id)?;
    let (back, new): (Vec<_>, Vec<_>) =
        fresh.iter().cloned().partition(|message| back.contains(&message.id));
    for message in &back {
        messages::set_trashed(write, message.id, false)?;
    }
    if !back.is_empty() {
        write.tx.execute(
            "DELETE FROM imported
              WHERE conversation_id = ?1 AND is_new = 0
                AND import_id IN (SELECT id FROM imports WHERE state = 'undone')",
            [id],
        )?;
    }
    Ok(new)
}

/// Writes what of a conversation is not here yet, and remembers that this import did.
pub fn write(write: &mut Write<'_>, import: Uuid, batch: &Batch<'_>) -> Result<Written, Error> {
    let id = batch.conversation.id;
    let known = known(&write.tx, id)?;
    let is_new = known.is_none();
    let fresh: Cow<'_, [Message]> = match &known {
        Some(known) => {
            batch.messages.iter().filter(|one| !known.contains(&one.id)).cloned().collect()
        }
        None => Cow::Borrowed(batch.messages),
    };
    if is_new {
        insert(write, batch)?;
    }
    let new = match is_new {
        true => Cow::Borrowed(fresh.as_ref()),
        false => Cow::Owned(bring_back(write, id, &fresh)?),
    };
    if !new.is_empty() {
        messages::insert_batch(write, id, &new)?;
        put_away(write, batch, known.as_ref())?;
    }
    if is_new {
        settle(write, batch)?;
    } else if !fresh.is_empty() {
        thread::settle(write, id)?;
    }
    if is_new || !fresh.is_empty() {
        remember(write, import, id, is_new, &fresh)?;
    }
    Ok(Written { conversations: u64::from(is_new), messages: fresh.len() as u64 })
}

fn insert(write: &mut Write<'_>, batch: &Batch<'_>) -> Result<(), Error> {
    let conversation = Conversation { trashed_at: None, ..batch.conversation.clone() };
    conversations::insert(write, &conversation)?;
    if !batch.metadata.is_empty() {
        write.tx.execute(
            "UPDATE conversations SET metadata = ?2 WHERE id = ?1",
            params![conversation.id, to_json(batch.metadata)],
        )?;
    }
    Ok(())
}

/// Into the trash with what was there, if it is not here already.
fn put_away(
    write: &mut Write<'_>,
    batch: &Batch<'_>,
    known: Option<&HashSet<MessageId>>,
) -> Result<(), Error> {
    for (id, since) in batch.trashed {
        if known.is_none_or(|known| !known.contains(id)) {
            messages::set_trashed(write, *id, true)?;
            write
                .tx
                .prepare_cached("UPDATE messages SET trashed_ms = ?2 WHERE id = ?1")?
                .execute(params![id, since])?;
        }
    }
    Ok(())
}

/// The branch that the old program showed, and the trash: a message that is written takes a conversation
/// out of it.
fn settle(write: &mut Write<'_>, batch: &Batch<'_>) -> Result<(), Error> {
    let id = batch.conversation.id;
    match batch.shown.and_then(|shown| batch.messages.iter().find(|one| one.id == shown)) {
        Some(message) => thread::show(write, message)?,
        None => thread::settle(write, id)?,
    }
    if batch.conversation.trashed_at.is_some() {
        let field = conversations::Field::Trashed(batch.conversation.trashed_at);
        conversations::set(write, id, &field)?;
    }
    Ok(())
}

fn remember(
    write: &Write<'_>,
    import: Uuid,
    id: ConversationId,
    is_new: bool,
    fresh: &[Message],
) -> Result<(), Error> {
    let ids: Vec<u8> = fresh.iter().flat_map(|message| message.id.0.into_bytes()).collect();
    write
        .tx
        .prepare_cached(
            "INSERT INTO imported (import_id, conversation_id, is_new, updated_ms, messages)
             VALUES (?1, ?2, ?3, (SELECT updated_ms FROM conversations WHERE id = ?2), ?4)
             ON CONFLICT (import_id, conversation_id) DO UPDATE
                SET updated_ms = excluded.updated_ms,
                    -- Two blobs beside each other are a text.
                    messages = CAST(messages || excluded.messages AS BLOB)",
        )?
        .execute(params![import.as_bytes(), id, is_new, ids])?;
    Ok(())
}

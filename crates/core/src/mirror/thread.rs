//! The branch of a conversation's tree that is shown.
//!
//! A message's parent tells the way up; the way down is the only child, or where there are several
//! the one in `branches`, else the newest. The end of the shown branch is kept in the conversation's
//! `leaf_id`, so that a thread of any length opens at its end by walking up a page. Which branch is
//! shown is a matter of this device and never sent.

use rusqlite::{Connection, OptionalExtension, params};

use super::messages::{COLUMNS, from_row};
use super::{Error, Write, conversations};
use crate::events::Change;
use crate::model::view::Siblings;
use crate::model::{ConversationId, Message, MessageId};

/// `limit` messages that end with `last`, oldest first: the way up.
pub fn up_from(
    connection: &Connection,
    last: MessageId,
    limit: u32,
) -> Result<Vec<Message>, Error> {
    let mut statement = connection.prepare_cached(&format!(
        "WITH RECURSIVE up (id, parent_id, depth) AS (
             SELECT id, parent_id, 0 FROM messages WHERE id = ?1
             UNION ALL
             SELECT p.id, p.parent_id, up.depth + 1
               FROM up JOIN messages p ON p.id = up.parent_id
              WHERE up.depth + 1 < ?2
         )
         SELECT {COLUMNS}
           FROM up JOIN messages m ON m.id = up.id
          ORDER BY up.depth DESC"
    ))?;
    let rows = statement.query_map(params![last, limit], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Up to `limit` messages below `from` on the shown branch, oldest first: the way down.
pub fn down_from(
    connection: &Connection,
    from: &Message,
    limit: u32,
) -> Result<Vec<Message>, Error> {
    let mut below = Vec::new();
    let mut at = from.id;
    while below.len() < limit as usize {
        let Some(child) = shown_child(connection, from.conversation_id, Some(at))? else { break };
        below.push(super::messages::get(connection, child)?);
        at = child;
    }
    Ok(below)
}

/// Whether there is a message above.
pub fn has_above(connection: &Connection, message: &Message) -> Result<bool, Error> {
    let Some(parent) = message.parent_id else { return Ok(false) };
    Ok(connection.prepare_cached("SELECT 1 FROM messages WHERE id = ?1")?.exists([parent])?)
}

/// The child that is shown below `parent`; none at the end of a branch.
pub fn shown_child(
    connection: &Connection,
    conversation_id: ConversationId,
    parent: Option<MessageId>,
) -> Result<Option<MessageId>, Error> {
    Ok(connection
        .prepare_cached(
            "SELECT m.id
               FROM messages m
               LEFT JOIN branches b ON b.conversation_id = m.conversation_id
                                   AND b.parent_id = coalesce(m.parent_id, zeroblob(16))
              WHERE m.conversation_id = ?1 AND m.parent_id IS ?2 AND m.trashed_ms IS NULL
              ORDER BY m.id IS b.child_id DESC, m.rowid DESC
              LIMIT 1",
        )?
        .query_row(params![conversation_id, parent], |row| row.get(0))
        .optional()?)
}

/// A message's place among those with the same parent.
pub fn siblings(connection: &Connection, message: &Message) -> Result<Siblings, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id
           FROM messages
          WHERE conversation_id = ?1 AND parent_id IS ?2 AND trashed_ms IS NULL
          ORDER BY rowid",
    )?;
    let ids: Vec<MessageId> = statement
        .query_map(params![message.conversation_id, message.parent_id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let index = ids.iter().position(|id| *id == message.id).unwrap_or(0);
    Ok(Siblings {
        index: index as i64,
        count: ids.len() as i64,
        previous_id: index.checked_sub(1).and_then(|before| ids.get(before)).copied(),
        next_id: ids.get(index + 1).copied(),
    })
}

/// Shows the branch with `message`: chooses it at every fork above, then goes down to an end.
pub fn show(write: &mut Write<'_>, message: &Message) -> Result<(), Error> {
    // Where this is already on the branch that is shown, no fork above needs a choice.
    write.tx.prepare_cached(
        "WITH RECURSIVE up (id, parent_id) AS (
             SELECT id, parent_id FROM messages WHERE id = ?1
             UNION ALL
             SELECT p.id, p.parent_id FROM up JOIN messages p ON p.id = up.parent_id
         )
         INSERT INTO branches (conversation_id, parent_id, child_id)
         SELECT ?2, coalesce(up.parent_id, zeroblob(16)), up.id
           FROM up
          WHERE (SELECT count(*) FROM (SELECT 1 FROM messages s
                  WHERE s.conversation_id = ?2 AND s.parent_id IS up.parent_id AND s.trashed_ms IS NULL
                  LIMIT 2)) > 1
         ON CONFLICT DO UPDATE SET child_id = excluded.child_id",
    )?
    .execute(params![message.id, message.conversation_id])?;
    let mut leaf = message.id;
    while let Some(child) = shown_child(&write.tx, message.conversation_id, Some(leaf))? {
        leaf = child;
    }
    conversations::set_leaf(write, message.conversation_id, Some(leaf))
}

/// Shows a message that was just added: below the end of the shown branch or beside it, which is
/// nearly always so, without walking up the whole thread.
pub fn show_new(write: &mut Write<'_>, message: &Message) -> Result<(), Error> {
    let Some(leaf) = conversations::leaf(&write.tx, message.conversation_id)? else {
        return show(write, message);
    };
    if message.parent_id == Some(leaf) {
        return conversations::set_leaf(write, message.conversation_id, Some(message.id));
    }
    if message.parent_id != parent(&write.tx, leaf)? {
        return show(write, message);
    }
    write
        .tx
        .prepare_cached(
            "INSERT INTO branches (conversation_id, parent_id, child_id)
             VALUES (?1, coalesce(?2, zeroblob(16)), ?3)
             ON CONFLICT DO UPDATE SET child_id = excluded.child_id",
        )?
        .execute(params![message.conversation_id, message.parent_id, message.id])?;
    conversations::set_leaf(write, message.conversation_id, Some(message.id))
}

fn parent(connection: &Connection, id: MessageId) -> Result<Option<MessageId>, Error> {
    Ok(connection
        .prepare_cached("SELECT parent_id FROM messages WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?
        .flatten())
}

/// Finds the end of the shown branch anew, after a message left or came back.
pub fn settle(write: &mut Write<'_>, conversation_id: ConversationId) -> Result<(), Error> {
    let mut leaf = None;
    while let Some(child) = shown_child(&write.tx, conversation_id, leaf)? {
        leaf = Some(child);
    }
    conversations::set_leaf(write, conversation_id, leaf)?;
    write.tell(Change::Conversation { id: conversation_id });
    Ok(())
}

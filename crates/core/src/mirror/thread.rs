//! The branch of a conversation's tree that is shown.
//!
//! A message's parent tells the way up; the way down is the only child, or where there are several
//! the one in `branches`, else the newest. The end of the shown branch is kept in the conversation's
//! `leaf_id`, so that a thread of any length opens at its end by walking up a page. Which branch is
//! shown is a matter of this device and never sent.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, params};

use super::messages::{COLUMNS, from_row};
use super::{Error, Mirror, Write, conversations};
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
    let mut found: Vec<Message> = rows.collect::<Result<_, _>>()?;
    // A server may send a circle of parents; seen from below it ends where it began.
    let mut seen = HashSet::new();
    let first = found.iter().rposition(|message| !seen.insert(message.id));
    found.drain(..first.map_or(0, |again| again + 1));
    Ok(found)
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
             UNION
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
    let leaf = end_below(&write.tx, message.conversation_id, Some(message.id))?;
    conversations::set_leaf(write, message.conversation_id, leaf)
}

/// The end of the shown branch below `from`. A circle of parents ends where it closes.
fn end_below(
    connection: &Connection,
    conversation_id: ConversationId,
    from: Option<MessageId>,
) -> Result<Option<MessageId>, Error> {
    let (mut end, mut seen) = (from, HashSet::from([from]));
    while let Some(child) = shown_child(connection, conversation_id, end)? {
        if !seen.insert(Some(child)) {
            break;
        }
        end = Some(child);
    }
    Ok(end)
}

/// The end of the shown branch of a conversation that messages came to from the server, found in one
/// reading of its messages: the same as [`end_below`] finds, level by level.
pub(super) fn find_end(
    connection: &Connection,
    conversation_id: ConversationId,
) -> Result<Option<MessageId>, Error> {
    let mut chosen: HashMap<MessageId, MessageId> = HashMap::new();
    let mut branches = connection
        .prepare_cached("SELECT parent_id, child_id FROM branches WHERE conversation_id = ?1")?;
    let rows = branches.query_map([conversation_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for row in rows {
        let (parent, child) = row?;
        chosen.insert(parent, child);
    }
    // Without an order the index on parents gives the rows; the newest of siblings is found here.
    let mut shown: HashMap<Option<MessageId>, (bool, i64, MessageId)> = HashMap::new();
    let mut messages = connection.prepare_cached(
        "SELECT id, parent_id, rowid FROM messages WHERE conversation_id = ?1 AND trashed_ms IS NULL",
    )?;
    let mut rows = messages.query([conversation_id])?;
    while let Some(row) = rows.next()? {
        let (id, parent): (MessageId, Option<MessageId>) = (row.get(0)?, row.get(1)?);
        let key = parent.unwrap_or(MessageId(uuid::Uuid::nil()));
        let candidate = (chosen.get(&key) == Some(&id), row.get(2)?, id);
        let best = shown.entry(parent).or_insert(candidate);
        *best = (*best).max(candidate);
    }
    let (mut end, mut steps) = (None, shown.len());
    while let Some((_, _, child)) = shown.get(&end) {
        end = Some(*child);
        // Every step uses one fork, so a circle is noticed when there are no more.
        if steps == 0 {
            break;
        }
        steps -= 1;
    }
    Ok(end)
}

/// Finds the shown branches of conversations that messages came to from the server, those that were
/// written in last first. Tells how many it found; 0 means that none is left. What is read before it
/// comes to a conversation finds its branch by itself ([`super::conversations::leaf`]).
pub fn settle_listed(mirror: &Mirror, limit: usize) -> Result<usize, Error> {
    let found = mirror.read(|c| {
        let mut listed = c.prepare_cached(
            "SELECT u.conversation_id, c.leaf_id
               FROM unsettled u LEFT JOIN conversations c ON c.id = u.conversation_id
              ORDER BY c.active_ms DESC
              LIMIT ?1",
        )?;
        let rows = listed.query_map([limit as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let rows: Vec<(ConversationId, Option<MessageId>)> = rows.collect::<Result<_, _>>()?;
        rows.into_iter()
            .map(|(id, leaf)| Ok((id, leaf, find_end(c, id)?)))
            .collect::<Result<Vec<_>, Error>>()
    })?;
    if found.is_empty() {
        return Ok(0);
    }
    mirror.write_behind(|write| {
        for (id, before, leaf) in &found {
            // A person who chose a branch meanwhile has the last word.
            let changed = write
                .tx
                .prepare_cached(
                    "UPDATE conversations SET leaf_id = ?3 WHERE id = ?1 AND leaf_id IS ?2",
                )?
                .execute(params![id, before, leaf])?;
            write
                .tx
                .prepare_cached("DELETE FROM unsettled WHERE conversation_id = ?1")?
                .execute([id])?;
            if changed > 0 && before != leaf {
                write.tell(Change::Conversation { id: *id });
            }
        }
        Ok(found.len())
    })
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
    let leaf = end_below(&write.tx, conversation_id, None)?;
    conversations::set_leaf(write, conversation_id, leaf)?;
    write.tell(Change::Conversation { id: conversation_id });
    Ok(())
}

//! Putting references and counts right after a salvage, so that no message is out of reach.

use rusqlite::params;

use crate::mirror::{Error, Write, restored, thread};
use crate::model::{ConversationId, MessageId};

/// Title of a conversation whose own row was lost.
const RECOVERED: &str = "Recovered";

/// Makes what was salvaged consistent. Nothing that was read is thrown away.
pub(super) fn repair(write: &mut Write<'_>) -> Result<(), Error> {
    make_lost_conversations(write)?;
    attach_orphans(write)?;
    settle_queue(write)?;
    count(write)?;
    for id in conversations(write)? {
        settle_branch(write, id)?;
    }
    write.tx.execute_batch(
        "INSERT OR IGNORE INTO index_dirty SELECT 1, rowid FROM messages;
         INSERT OR IGNORE INTO index_dirty SELECT 2, rowid FROM conversations;",
    )?;
    restored::distrust(write)
}

/// A conversation for messages that have lost theirs.
fn make_lost_conversations(write: &Write<'_>) -> Result<(), Error> {
    write.tx.execute(
        "INSERT INTO conversations (id, title, created_ms, updated_ms, active_ms)
         SELECT conversation_id, ?1, min(created_ms), max(updated_ms), max(created_ms)
           FROM messages
          WHERE conversation_id NOT IN (SELECT id FROM conversations)
          GROUP BY conversation_id",
        [RECOVERED],
    )?;
    Ok(())
}

/// Messages whose parent is lost go below the latest message before them, so that the thread reads on
/// across the gap; `metadata.lost_parent` keeps what they followed, for when it comes back.
fn attach_orphans(write: &Write<'_>) -> Result<(), Error> {
    let orphans: Vec<(i64, MessageId, ConversationId, String)> = write
        .tx
        .prepare(
            "SELECT m.rowid, m.id, m.conversation_id, lower(hex(m.parent_id))
               FROM messages m
              WHERE m.parent_id IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM messages p WHERE p.id = m.parent_id AND p.conversation_id = m.conversation_id)
              ORDER BY m.rowid",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<Result<_, _>>()?;
    for (rowid, id, conversation_id, lost) in orphans {
        // Older rows only, none below this one by age, so no circle can arise.
        write.tx.execute(
            "UPDATE messages
                SET parent_id = (SELECT p.id FROM messages p
                                  WHERE p.conversation_id = ?2 AND p.rowid < ?1 AND p.trashed_ms IS NULL
                                  ORDER BY p.rowid DESC LIMIT 1),
                    metadata = json_set(iif(json_valid(metadata), metadata, '{}'), '$.lost_parent', ?4)
              WHERE id = ?3",
            params![rowid, conversation_id, id, lost],
        )?;
    }
    Ok(())
}

/// An answer without a queue entry would wait for ever, an entry without its answer for nothing.
fn settle_queue(write: &Write<'_>) -> Result<(), Error> {
    write.tx.execute_batch(
        "DELETE FROM send_queue WHERE message_id NOT IN (SELECT id FROM messages);
         UPDATE messages
            SET state = 'interrupted', finished_ms = updated_ms
          WHERE state IN ('queued', 'sending', 'streaming', 'retrying', 'needs_you')
            AND id NOT IN (SELECT message_id FROM send_queue)
            -- Another device's answer waits in that device's queue.
            AND (device_id IS NULL OR device_id = (SELECT device_id FROM mirror));
         DELETE FROM branches WHERE child_id NOT IN (SELECT id FROM messages);
         UPDATE send_queue SET runner = NULL;",
    )?;
    Ok(())
}

fn count(write: &Write<'_>) -> Result<(), Error> {
    write.tx.execute_batch(
        "UPDATE conversations
            SET message_count = (SELECT count(*) FROM messages m
                                  WHERE m.conversation_id = conversations.id AND m.trashed_ms IS NULL)",
    )?;
    Ok(())
}

fn conversations(write: &Write<'_>) -> Result<Vec<ConversationId>, Error> {
    let mut statement = write.tx.prepare(
        "SELECT id
           FROM conversations c
          WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = c.leaf_id AND m.trashed_ms IS NULL)
             OR EXISTS (SELECT 1 FROM messages m
                         WHERE m.conversation_id = c.id AND m.parent_id = c.leaf_id AND m.trashed_ms IS NULL)",
    )?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

fn settle_branch(write: &mut Write<'_>, id: ConversationId) -> Result<(), Error> {
    thread::settle(write, id)
}

//! The table `conversations`.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};

use super::sql::{json, to_json};
use super::{Error, NEW, PURGED, Row, Table, Write, outbox};
use crate::model::view::Shelf;
use crate::model::{Conversation, ConversationId, MessageId, ModelRef, Timestamp, TitleBy};

const COLUMNS: &str =
    "c.id, c.title, c.title_by, c.model, c.system_prompt, c.pinned, c.archived, c.trashed_ms,
       c.origin, c.continuation_id, c.message_count, c.created_ms, c.updated_ms, c.active_ms";

/// Answers that wait, of one conversation.
const OPEN_COUNT: &str = "(SELECT count(*)
          FROM send_queue q JOIN messages m ON m.id = q.message_id
         WHERE q.conversation_id = c.id AND m.state NOT IN ('sending', 'streaming')) AS open_count";

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Conversation> {
    Ok(Conversation {
        id: row.get("id")?,
        title: row.get("title")?,
        title_by: row.get("title_by")?,
        model: row.get("model")?,
        system_prompt: row.get("system_prompt")?,
        pinned: row.get("pinned")?,
        archived: row.get("archived")?,
        trashed_at: row.get("trashed_ms")?,
        origin: json(row, "origin")?,
        continuation_id: row.get("continuation_id")?,
        message_count: row.get("message_count")?,
        open_count: row.get("open_count")?,
        created_at: row.get("created_ms")?,
        updated_at: row.get("updated_ms")?,
        active_at: row.get("active_ms")?,
    })
}

/// One conversation.
pub fn get(connection: &Connection, id: ConversationId) -> Result<Conversation, Error> {
    one(connection, id, OPEN_COUNT)
}

/// One conversation's own row, with no open answers counted: for those who are about to write.
pub fn uncounted(connection: &Connection, id: ConversationId) -> Result<Conversation, Error> {
    one(connection, id, "0 AS open_count")
}

fn one(
    connection: &Connection,
    id: ConversationId,
    open_count: &str,
) -> Result<Conversation, Error> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS}, {open_count} FROM conversations c WHERE c.id = ?1"
        ))?
        .query_row([id], from_row)
        .optional()?
        .ok_or(Error::NotFound("conversation"))
}

/// What no column of a conversation holds.
pub fn metadata(
    connection: &Connection,
    id: ConversationId,
) -> Result<Option<serde_json::Map<String, serde_json::Value>>, Error> {
    connection
        .prepare_cached("SELECT metadata FROM conversations WHERE id = ?1")?
        .query_row([id], |row| json(row, "metadata"))
        .optional()?
        .ok_or(Error::NotFound("conversation"))
}

/// All conversations of a shelf: pinned first, then by activity, latest first.
pub fn list(connection: &Connection, shelf: Shelf) -> Result<Vec<Conversation>, Error> {
    let filter = match shelf {
        Shelf::Active => {
            "c.archived = 0 AND c.trashed_ms IS NULL ORDER BY c.pinned DESC, c.active_ms DESC, c.rowid DESC"
        }
        Shelf::Archived => {
            "c.archived = 1 AND c.trashed_ms IS NULL ORDER BY c.pinned DESC, c.active_ms DESC, c.rowid DESC"
        }
        Shelf::Trash => "c.trashed_ms IS NOT NULL ORDER BY c.trashed_ms DESC, c.rowid DESC",
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, {OPEN_COUNT} FROM conversations c WHERE {filter}"
    ))?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes a new conversation; its counts start at zero whatever `conversation` says.
pub fn insert(write: &mut Write<'_>, conversation: &Conversation) -> Result<(), Error> {
    write
        .tx
        .prepare_cached(
            "INSERT INTO conversations (id, title, title_by, model, system_prompt, pinned, archived, trashed_ms,
                                        origin, continuation_id, created_ms, updated_ms, active_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            conversation.id,
            conversation.title,
            conversation.title_by,
            conversation.model,
            conversation.system_prompt,
            conversation.pinned,
            conversation.archived,
            conversation.trashed_at,
            conversation.origin.as_ref().map(to_json),
            conversation.continuation_id,
            conversation.created_at,
            conversation.updated_at,
            conversation.active_at,
        ])?;
    let rowid = write.tx.last_insert_rowid();
    write.index(Table::Conversations, rowid)?;
    write.synced(Row::Conversation(conversation.id), NEW)
}

/// A field that a person changes; each merges by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// The title and who set it: one register.
    Title(String, TitleBy),
    /// The model of the next question.
    Model(Option<ModelRef>),
    /// What the model is told first.
    SystemPrompt(Option<String>),
    /// Kept on top.
    Pinned(bool),
    /// Out of the sidebar.
    Archived(bool),
    /// In the trash since.
    Trashed(Option<Timestamp>),
}

/// Sets one field.
pub fn set(write: &mut Write<'_>, id: ConversationId, field: &Field) -> Result<(), Error> {
    write.before(Row::Conversation(id))?;
    let tx = &write.tx;
    let (name, changed) = match field {
        Field::Title(title, by) => (
            "title",
            tx.execute(
                "UPDATE conversations SET title = ?2, title_by = ?3 WHERE id = ?1",
                params![id, title, by],
            )?,
        ),
        Field::Model(model) => (
            "model",
            tx.execute("UPDATE conversations SET model = ?2 WHERE id = ?1", params![id, model])?,
        ),
        Field::SystemPrompt(prompt) => (
            "system_prompt",
            tx.execute(
                "UPDATE conversations SET system_prompt = ?2 WHERE id = ?1",
                params![id, prompt],
            )?,
        ),
        Field::Pinned(pinned) => (
            "pinned",
            tx.execute("UPDATE conversations SET pinned = ?2 WHERE id = ?1", params![id, pinned])?,
        ),
        Field::Archived(archived) => (
            "archived",
            tx.execute(
                "UPDATE conversations SET archived = ?2 WHERE id = ?1",
                params![id, archived],
            )?,
        ),
        Field::Trashed(at) => (
            "trashed_ms",
            tx.execute("UPDATE conversations SET trashed_ms = ?2 WHERE id = ?1", params![id, at])?,
        ),
    };
    if changed == 0 {
        return Err(Error::NotFound("conversation"));
    }
    if matches!(field, Field::Title(..)) {
        let rowid = rowid(write, id)?;
        write.index(Table::Conversations, rowid)?;
    }
    write.synced(Row::Conversation(id), &[name])
}

/// What happens to a conversation when it is written in: it moves up, and out of the trash.
pub(super) fn written_in(
    write: &mut Write<'_>,
    id: ConversationId,
    messages: i64,
    at: Timestamp,
) -> Result<(), Error> {
    let trashed: Option<i64> = write
        .tx
        .prepare_cached("SELECT trashed_ms FROM conversations WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?
        .ok_or(Error::NotFound("conversation"))?;
    // Without RETURNING: it would open a savepoint, and at each of those FTS5 writes out what a
    // batch has gathered.
    write
        .tx
        .prepare_cached(
            "UPDATE conversations
                SET message_count = message_count + ?2, active_ms = max(active_ms, ?3)
              WHERE id = ?1",
        )?
        .execute(params![id, messages, at])?;
    write.tell(crate::events::Change::Conversation { id });
    if trashed.is_some() && messages > 0 {
        set(write, id, &Field::Trashed(None))?;
    }
    Ok(())
}

/// The end of the branch that is shown; none in an empty conversation.
pub fn leaf(connection: &Connection, id: ConversationId) -> Result<Option<MessageId>, Error> {
    let (leaf, unsettled) = connection
        .prepare_cached(
            "SELECT leaf_id, EXISTS (SELECT 1 FROM unsettled WHERE conversation_id = ?1)
               FROM conversations
              WHERE id = ?1",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get::<_, bool>(1)?)))
        .optional()?
        .ok_or(Error::NotFound("conversation"))?;
    if unsettled { super::thread::find_end(connection, id) } else { Ok(leaf) }
}

pub(super) fn set_leaf(
    write: &mut Write<'_>,
    id: ConversationId,
    leaf: Option<MessageId>,
) -> Result<(), Error> {
    write
        .tx
        .prepare_cached("UPDATE conversations SET leaf_id = ?2 WHERE id = ?1")?
        .execute(params![id, leaf])?;
    // The choice of a person settles what messages from the server had left open.
    write.tx.prepare_cached("DELETE FROM unsettled WHERE conversation_id = ?1")?.execute([id])?;
    write.tell(crate::events::Change::Conversation { id });
    Ok(())
}

/// Removes a conversation and all that is its own, for good.
pub fn purge(write: &mut Write<'_>, id: ConversationId) -> Result<(), Error> {
    let rowid = rowid(write, id)?;
    outbox::purge_conversation(write, id.0)?;
    remove(write, id, rowid)?;
    write.synced(Row::Conversation(id), PURGED)
}

/// Removes a conversation and all that is its own from this mirror.
pub(super) fn remove(write: &mut Write<'_>, id: ConversationId, rowid: i64) -> Result<(), Error> {
    write.tx.execute("DELETE FROM title_index WHERE rowid = ?1", [rowid])?;
    write.tx.execute(
        "DELETE FROM message_index WHERE rowid IN (SELECT rowid FROM messages WHERE conversation_id = ?1)",
        [id],
    )?;
    write.tx.execute(
        "DELETE FROM index_dirty WHERE kind = 1 AND row IN (SELECT rowid FROM messages WHERE conversation_id = ?1)",
        [id],
    )?;
    write.tx.execute("DELETE FROM index_dirty WHERE kind = 2 AND row = ?1", [rowid])?;
    for table in ["messages", "branches", "send_queue", "drafts", "unsettled"] {
        write.tx.execute(&format!("DELETE FROM {table} WHERE conversation_id = ?1"), [id])?;
    }
    write.tx.execute("DELETE FROM conversations WHERE id = ?1", [id])?;
    Ok(())
}

/// Trashed conversations that were put there before `before`. With an account attached, those that the
/// server knows are the server's to purge, by its own clock.
pub fn trashed_before(
    connection: &Connection,
    before: Timestamp,
) -> Result<Vec<ConversationId>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id
           FROM conversations
          WHERE trashed_ms < ?1 AND (server_seq IS NULL OR NOT EXISTS (SELECT 1 FROM account))",
    )?;
    let rows = statement.query_map([before], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn rowid(write: &Write<'_>, id: ConversationId) -> Result<i64, Error> {
    write
        .tx
        .prepare_cached("SELECT rowid FROM conversations WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?
        .ok_or(Error::NotFound("conversation"))
}

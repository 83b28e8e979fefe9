//! The table `drafts`: what is typed and not sent, per conversation.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Error, Write};
use crate::events::Change;
use crate::model::ConversationId;

/// The draft of a conversation, or of the new chat; empty where there is none.
pub fn get(
    connection: &Connection,
    conversation_id: Option<ConversationId>,
) -> Result<String, Error> {
    Ok(connection
        .prepare_cached("SELECT content FROM drafts WHERE conversation_id = ?1")?
        .query_row([key(conversation_id)], |row| row.get(0))
        .optional()?
        .unwrap_or_default())
}

/// Stores a draft; an empty one is removed.
pub fn set(
    write: &mut Write<'_>,
    conversation_id: Option<ConversationId>,
    content: &str,
) -> Result<(), Error> {
    if content.is_empty() {
        write
            .tx
            .execute("DELETE FROM drafts WHERE conversation_id = ?1", [key(conversation_id)])?;
    } else {
        write.tx.execute(
            "INSERT INTO drafts (conversation_id, content, updated_ms)
             VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET content = excluded.content, updated_ms = excluded.updated_ms",
            params![key(conversation_id), content, write.now],
        )?;
    }
    write.tell(Change::Draft { conversation_id });
    Ok(())
}

fn key(conversation_id: Option<ConversationId>) -> ConversationId {
    conversation_id.unwrap_or(ConversationId(uuid::Uuid::nil()))
}

//! What an import wrote: the table `imported`, which counts and the undo stand on.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};
use uuid::Uuid;

use crate::mirror::Error;
use crate::model::{ConversationId, MessageId, Timestamp};

/// What an import wrote of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Which.
    pub conversation_id: ConversationId,
    /// Its own row was written too.
    pub is_new: bool,
    /// When that was changed last, as the import left it.
    pub updated_at: Timestamp,
    /// The messages that were written.
    pub messages: Vec<MessageId>,
}

/// What an import wrote of a conversation, if it did.
pub fn imported_of(
    connection: &Connection,
    import: Uuid,
    id: ConversationId,
) -> Result<Option<Imported>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT rowid, conversation_id, is_new, updated_ms, messages FROM imported
          WHERE import_id = ?1 AND conversation_id = ?2",
    )?;
    Ok(statement.query_row(params![import.as_bytes(), id], imported_row).optional()?)
}

pub(super) fn imported_row(row: &SqlRow<'_>) -> rusqlite::Result<Imported> {
    let ids: Vec<u8> = row.get(4)?;
    let id = |bytes: &[u8]| Uuid::from_slice(bytes).map(MessageId).ok();
    Ok(Imported {
        conversation_id: row.get(1)?,
        is_new: row.get(2)?,
        updated_at: row.get(3)?,
        messages: ids.chunks_exact(16).filter_map(id).collect(),
    })
}

/// What an import wrote, in its order: after this row at most so many.
pub fn imported(
    connection: &Connection,
    import: Uuid,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, Imported)>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT rowid, conversation_id, is_new, updated_ms, messages FROM imported
          WHERE import_id = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3",
    )?;
    let rows = statement.query_map(params![import.as_bytes(), after, limit as i64], |row| {
        Ok((row.get(0)?, imported_row(row)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How much an import wrote, in all its runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Conversations.
    pub conversations: u64,
    /// Messages.
    pub messages: u64,
    /// Documents.
    pub documents: u64,
    /// Pieces of their text.
    pub fragments: u64,
}

/// How much an import wrote, in all its runs.
pub fn written(connection: &Connection, import: Uuid) -> Result<Sum, Error> {
    let (conversations, messages): (i64, i64) = connection.query_row(
        "SELECT coalesce(sum(is_new), 0), coalesce(sum(length(messages) / 16), 0)
           FROM imported WHERE import_id = ?1",
        [import.as_bytes()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (documents, fragments): (i64, i64) = connection.query_row(
        "SELECT count(*), coalesce(sum((SELECT count(*) FROM fragments f WHERE f.document_id = d.document_id)), 0)
           FROM imported_documents d WHERE import_id = ?1",
        [import.as_bytes()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let count = |n: i64| n.unsigned_abs();
    Ok(Sum {
        conversations: count(conversations),
        messages: count(messages),
        documents: count(documents),
        fragments: count(fragments),
    })
}

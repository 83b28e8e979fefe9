//! Asking the search index: newest first, with the passage that matched.

use rusqlite::{Connection, params};

use super::Error;
use crate::model::view::{SearchHit, SearchRequest, Shelf};
use crate::model::{ConversationId, MessageId, Timestamp};

mod query;
pub(super) mod script;
mod snippet;

/// Hits where none are asked for.
const DEFAULT_LIMIT: u32 = 50;
/// The most hits of one search.
const MAX_LIMIT: u32 = 200;
/// Titles that are shown before the messages.
const MAX_TITLES: u32 = 10;

/// Titles first, then messages, each newest first.
pub fn search(connection: &Connection, request: &SearchRequest) -> Result<Vec<SearchHit>, Error> {
    let Some(query) = query::parse(&request.text) else { return Ok(Vec::new()) };
    let limit = request.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let mut hits = match request.conversation_id {
        None => titles(connection, &query, limit.min(MAX_TITLES))?,
        Some(_) => Vec::new(),
    };
    let rest = limit - hits.len() as u32;
    hits.extend(messages(connection, &query, request.conversation_id, rest)?);
    Ok(hits)
}

const SHELF: &str = "CASE WHEN c.trashed_ms IS NOT NULL THEN 2 ELSE c.archived END";

fn shelf(code: i64) -> Shelf {
    match code {
        0 => Shelf::Active,
        1 => Shelf::Archived,
        _ => Shelf::Trash,
    }
}

fn titles(
    connection: &Connection,
    query: &query::Query,
    limit: u32,
) -> Result<Vec<SearchHit>, Error> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT c.id, c.title, c.active_ms, {SHELF}
           FROM title_index i JOIN conversations c ON c.rowid = i.rowid
          WHERE title_index MATCH ?1
          ORDER BY c.active_ms DESC
          LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![query.fts, limit], |row| {
        Ok((
            row.get::<_, ConversationId>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, Timestamp>(2)?,
            row.get(3)?,
        ))
    })?;
    rows.map(|row| {
        let (conversation_id, title, created_at, code) = row?;
        let (snippet, highlights) = snippet::around(&title, &query.words);
        Ok(SearchHit {
            conversation_id,
            message_id: None,
            title,
            snippet,
            highlights,
            shelf: shelf(code),
            created_at,
        })
    })
    .collect()
}

fn messages(
    connection: &Connection,
    query: &query::Query,
    only: Option<ConversationId>,
    limit: u32,
) -> Result<Vec<SearchHit>, Error> {
    // The rowid carries the time, so the index's own order is newest first and LIMIT ends it early.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT m.conversation_id, m.id, c.title, m.content, m.created_ms, {SHELF}
           FROM message_index i
           JOIN messages m ON m.rowid = i.rowid
           JOIN conversations c ON c.id = m.conversation_id
          WHERE message_index MATCH ?1 AND m.trashed_ms IS NULL AND (?2 IS NULL OR m.conversation_id = ?2)
          ORDER BY i.rowid DESC
          LIMIT ?3"
    ))?;
    let rows = statement.query_map(params![query.fts, only, limit], |row| {
        Ok((
            row.get::<_, ConversationId>(0)?,
            row.get::<_, MessageId>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, String>(3)?,
            row.get::<_, Timestamp>(4)?,
            row.get(5)?,
        ))
    })?;
    rows.map(|row| {
        let (conversation_id, message_id, title, content, created_at, code) = row?;
        let (snippet, highlights) = snippet::around(&content, &query.words);
        let message_id = Some(message_id);
        Ok(SearchHit {
            conversation_id,
            message_id,
            title,
            snippet,
            highlights,
            shelf: shelf(code),
            created_at,
        })
    })
    .collect()
}

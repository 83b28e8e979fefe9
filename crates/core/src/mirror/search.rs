//! Asking the search index: newest first, with the passage that matched.

use rusqlite::{Connection, Row, params};

use super::Error;
use crate::model::ConversationId;
use crate::model::view::{SearchHit, SearchRequest, Shelf};

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
        "SELECT c.id, NULL, c.title, c.title, c.active_ms, {SHELF}
           FROM title_index i JOIN conversations c ON c.rowid = i.rowid
          WHERE title_index MATCH ?1
          ORDER BY c.active_ms DESC
          LIMIT ?2"
    ))?;
    let hits = statement.query_map(params![query.fts, limit], |row| hit(row, query))?;
    Ok(hits.collect::<Result<_, _>>()?)
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
    let hits = statement.query_map(params![query.fts, only, limit], |row| hit(row, query))?;
    Ok(hits.collect::<Result<_, _>>()?)
}

/// A hit from: conversation, message, title, the text that matched, time, shelf.
fn hit(row: &Row<'_>, query: &query::Query) -> rusqlite::Result<SearchHit> {
    let text: String = row.get(3)?;
    let (snippet, highlights) = snippet::around(&text, &query.words);
    Ok(SearchHit {
        conversation_id: row.get(0)?,
        message_id: row.get(1)?,
        title: row.get(2)?,
        snippet,
        highlights,
        shelf: shelf(row.get(5)?),
        created_at: row.get(4)?,
    })
}

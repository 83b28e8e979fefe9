//! The tables `imports`, `imported`, `fragments` and `blobs`: what was brought from older programs.
//!
//! | what | where |
//! |---|---|
//! | an import, from its beginning to its end | here |
//! | a conversation, as it is brought | `write.rs` |
//! | a document, and bytes | `documents.rs` |
//! | what an import wrote | `written.rs` |
//! | the way back | `undo.rs` |
//! | the same rows for others' accounts | `operations.rs` |

mod documents;
mod operations;
mod undo;
mod write;
mod written;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

pub use documents::{NewDocument, blob, documents_of, fragments, keep_blob, write_document};
pub use operations::operations;
pub use undo::{Undone, take_back, take_back_documents};
pub use write::{Batch, Written, known, write};
pub use written::{Imported, Sum, imported, imported_of, written};

use super::sql::to_json;
use super::{Error, Write, outbox};
use crate::model::{ConversationId, Timestamp};

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Under way, or cut off: it goes on when it is run again.
    Running,
    /// At its end.
    Done,
    /// At its end, and not all is as it should be.
    Failed,
    /// Taken back.
    Undone,
}

/// An import.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// Its id.
    pub id: Uuid,
    /// The old program.
    pub system: String,
    /// Where it was.
    pub source: String,
    /// How it was run.
    pub options: Value,
    /// How far it is.
    pub state: State,
    /// What came of it.
    pub report: Option<Value>,
    /// The archive's name.
    pub backup: Option<String>,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Import> {
    let state: String = row.get(4)?;
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(Import {
        id: row.get(0).map(Uuid::from_bytes)?,
        system: row.get(1)?,
        source: row.get(2)?,
        options: json(row.get(3)?).unwrap_or_default(),
        state: match state.as_str() {
            "running" => State::Running,
            "done" => State::Done,
            "undone" => State::Undone,
            _ => State::Failed,
        },
        report: json(row.get(5)?),
        backup: row.get(6)?,
        began_at: row.get(7)?,
        ended_at: row.get(8)?,
    })
}

const COLUMNS: &str = "id, system, source, options, state, report, backup, began_ms, ended_ms";

/// All imports, latest first.
pub fn all(connection: &Connection) -> Result<Vec<Import>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM imports ORDER BY rowid DESC");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The imports that are under way or were cut off, latest first.
pub fn open(connection: &Connection) -> Result<Vec<Import>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM imports WHERE state = 'running' ORDER BY rowid DESC");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One import.
pub fn get(connection: &Connection, id: Uuid) -> Result<Import, Error> {
    let sql = format!("SELECT {COLUMNS} FROM imports WHERE id = ?1");
    let found = connection.prepare_cached(&sql)?.query_row([id.as_bytes()], from_row).optional()?;
    found.ok_or(Error::NotFound("import"))
}

/// The import of this source with the same options that was cut off, if one was.
pub fn cut_off(
    connection: &Connection,
    system: &str,
    source: &str,
    options: &Value,
) -> Result<Option<Import>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM imports
          WHERE state = 'running' AND system = ?1 AND source = ?2 AND options = ?3
          ORDER BY rowid DESC LIMIT 1"
    );
    let found = connection
        .prepare_cached(&sql)?
        .query_row(params![system, source, to_json(options)], from_row)
        .optional()?;
    Ok(found)
}

/// The conversations that an import wrote and that are here, those that were used last first: at most so
/// many, and how many there are.
pub fn conversations(
    connection: &Connection,
    import: Uuid,
    limit: usize,
) -> Result<(Vec<ConversationId>, u64), Error> {
    let mut statement = connection.prepare_cached(
        "SELECT c.id, count(*) OVER ()
           FROM imported i JOIN conversations c ON c.id = i.conversation_id
          WHERE i.import_id = ?1 AND c.trashed_ms IS NULL
          ORDER BY c.active_ms DESC, c.id
          LIMIT ?2",
    )?;
    let rows = statement.query_map(params![import.as_bytes(), limit as i64], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?))
    })?;
    let rows: Vec<(ConversationId, i64)> = rows.collect::<Result<_, _>>()?;
    let all = rows.first().map_or(0, |(_, all)| all.unsigned_abs());
    Ok((rows.into_iter().map(|(id, _)| id).collect(), all))
}

/// Notes that an import begins.
pub fn begin(
    write: &Write<'_>,
    id: Uuid,
    system: &str,
    source: &str,
    options: &Value,
) -> Result<(), Error> {
    write.tx.execute(
        "INSERT INTO imports (id, system, source, options, state, began_ms)
         VALUES (?1, ?2, ?3, ?4, 'running', ?5)",
        params![id.as_bytes(), system, source, to_json(options), write.now],
    )?;
    Ok(())
}

/// Notes the archive that was made before the first row.
pub fn backed_up(write: &Write<'_>, id: Uuid, archive: &str) -> Result<(), Error> {
    write
        .tx
        .execute("UPDATE imports SET backup = ?2 WHERE id = ?1", params![id.as_bytes(), archive])?;
    Ok(())
}

/// Notes that an import is at its end.
pub fn end(write: &Write<'_>, id: Uuid, state: State, report: &Value) -> Result<(), Error> {
    write.tx.execute(
        "UPDATE imports SET state = ?2, report = ?3, ended_ms = ?4 WHERE id = ?1",
        params![id.as_bytes(), outbox::word(&state), to_json(report), write.now],
    )?;
    Ok(())
}

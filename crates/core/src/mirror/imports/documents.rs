//! Documents with the pieces of text that are left of them, and the bytes that hung on messages.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::mirror::sql::to_json;
use crate::mirror::{Error, Write, outbox};
use crate::model::view::ExportedDocument;
use crate::model::wire::Table;
use crate::model::{ConversationId, DocumentId, Timestamp};

/// A document with what is left of it.
#[derive(Debug, Clone)]
pub struct NewDocument<'a> {
    /// Its id.
    pub id: DocumentId,
    /// The conversation that it belongs to.
    pub conversation_id: Option<ConversationId>,
    /// Its name.
    pub title: &'a str,
    /// Its type.
    pub mime: Option<&'a str>,
    /// Its size, in bytes.
    pub bytes: Option<i64>,
    /// The old program and its ids.
    pub origin: &'a crate::model::Origin,
    /// What else is known.
    pub metadata: &'a Map<String, Value>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when it is in the trash.
    pub trashed_at: Option<Timestamp>,
    /// Its text, in pieces.
    pub fragments: &'a [String],
}

/// Writes a document that is not here yet. False: it is.
pub fn write_document(
    write: &mut Write<'_>,
    import: Uuid,
    document: &NewDocument<'_>,
) -> Result<bool, Error> {
    let inserted = write.tx.execute(
        "INSERT OR IGNORE INTO documents
                (id, conversation_id, title, mime, bytes, state, origin, metadata, created_ms, updated_ms, trashed_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, 'fragments', ?6, ?7, ?8, ?8, ?9)",
        params![
            document.id,
            document.conversation_id,
            document.title,
            document.mime,
            document.bytes,
            to_json(document.origin),
            (!document.metadata.is_empty()).then(|| to_json(document.metadata)),
            document.created_at,
            document.trashed_at,
        ],
    )?;
    if inserted == 0 {
        return Ok(false);
    }
    let mut statement = write.tx.prepare_cached(
        "INSERT INTO fragments (document_id, number, content) VALUES (?1, ?2, ?3)",
    )?;
    for (number, content) in document.fragments.iter().enumerate() {
        statement.execute(params![document.id, number as i64, content])?;
    }
    drop(statement);
    write.tx.execute(
        "INSERT OR IGNORE INTO imported_documents VALUES (?1, ?2)",
        params![import.as_bytes(), document.id],
    )?;
    if write.is_attached()? {
        outbox::put(write, Table::Documents, document.id.0, document.id.0)?;
    }
    Ok(true)
}

/// The documents of a conversation, or of none, of which there is text in pieces.
pub fn documents_of(
    connection: &Connection,
    conversation: Option<ConversationId>,
) -> Result<Vec<ExportedDocument>, Error> {
    let mut documents = connection.prepare_cached(
        "SELECT id, conversation_id, title, mime, bytes, origin, metadata, created_ms, trashed_ms
           FROM documents
          WHERE conversation_id IS ?1 AND state = 'fragments'
          ORDER BY rowid",
    )?;
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    let documents = documents.query_map([conversation], |row| {
        Ok(ExportedDocument {
            id: row.get(0)?,
            conversation_id: row.get(1)?,
            title: row.get(2)?,
            mime: row.get(3)?,
            bytes: row.get(4)?,
            origin: json(row.get(5)?).and_then(|value| serde_json::from_value(value).ok()),
            metadata: json(row.get(6)?).and_then(|value| serde_json::from_value(value).ok()),
            created_at: row.get(7)?,
            trashed_at: row.get(8)?,
            fragments: Vec::new(),
        })
    })?;
    let mut documents = documents.collect::<Result<Vec<_>, _>>()?;
    let mut pieces = connection
        .prepare_cached("SELECT content FROM fragments WHERE document_id = ?1 ORDER BY number")?;
    for document in &mut documents {
        let texts = pieces.query_map([document.id], |row| row.get(0))?;
        document.fragments = texts.collect::<Result<_, _>>()?;
    }
    Ok(documents)
}

/// Keeps bytes under their hash; those that are here already are left alone.
pub fn keep_blob(write: &Write<'_>, sha256: &[u8; 32], bytes: &[u8]) -> Result<(), Error> {
    write
        .tx
        .prepare_cached("INSERT OR IGNORE INTO blobs (sha256, bytes) VALUES (?1, ?2)")?
        .execute(params![sha256, bytes])?;
    Ok(())
}

/// Bytes by their hash, in hexadecimal; none where they are not here.
pub fn blob(connection: &Connection, sha256: &str) -> Result<Option<Vec<u8>>, Error> {
    Ok(connection
        .prepare_cached("SELECT bytes FROM blobs WHERE sha256 = unhex(?1)")?
        .query_row([sha256], |row| row.get(0))
        .optional()?)
}

/// How many pieces of a document's text are here; none where the document is not.
pub fn fragments(connection: &Connection, id: DocumentId) -> Result<Option<i64>, Error> {
    let is_here =
        connection.prepare_cached("SELECT 1 FROM documents WHERE id = ?1")?.exists([id])?;
    let count = connection
        .prepare_cached("SELECT count(*) FROM fragments WHERE document_id = ?1")?
        .query_row([id], |row| row.get(0))?;
    Ok(is_here.then_some(count))
}

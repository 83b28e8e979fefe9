//! The tables `imports`, `imported`, `fragments` and `blobs`: what was brought from older programs.

use std::borrow::Cow;
use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ts_rs::TS;
use uuid::Uuid;

use super::sql::to_json;
use super::{Error, Write, bases, conversations, messages, outbox, rows, thread};
use crate::model::wire::{Clocks, Kind, Op, Table};
use crate::model::{Conversation, ConversationId, DocumentId, Message, MessageId, Timestamp};

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

/// A conversation with what of it is to be written.
#[derive(Debug, Clone)]
pub struct Batch<'a> {
    /// Its own row.
    pub conversation: &'a Conversation,
    /// Written beside it: what the old program knew and no column holds.
    pub metadata: &'a Map<String, Value>,
    /// All its messages; those that are here already are left alone.
    pub messages: &'a [Message],
    /// Those of them that are in the trash, and since when.
    pub trashed: &'a [(MessageId, Timestamp)],
    /// The end of the branch that is shown at first.
    pub shown: Option<MessageId>,
}

/// What was written of a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Its own row.
    pub conversations: u64,
    /// Its messages.
    pub messages: u64,
}

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
    /// Its text, in pieces.
    pub fragments: &'a [String],
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

/// The messages of a conversation that are here, in the trash or not; none where it is not. What an undo
/// has put into the trash is not here: the next import brings it back.
pub fn known(
    connection: &Connection,
    id: ConversationId,
) -> Result<Option<HashSet<MessageId>>, Error> {
    let is_here =
        connection.prepare_cached("SELECT 1 FROM conversations WHERE id = ?1")?.exists([id])?;
    if !is_here {
        return Ok(None);
    }
    let mut statement =
        connection.prepare_cached("SELECT id FROM messages WHERE conversation_id = ?1")?;
    let ids = statement.query_map([id], |row| row.get(0))?;
    let mut known = ids.collect::<Result<HashSet<_>, _>>()?;
    for id in taken_back(connection, id)? {
        known.remove(&id);
    }
    Ok(Some(known))
}

/// The messages of a conversation that an undo has put into the trash, where they still are.
fn taken_back(connection: &Connection, id: ConversationId) -> Result<HashSet<MessageId>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT i.rowid, i.conversation_id, i.is_new, i.updated_ms, i.messages
           FROM imported i
           JOIN imports m ON m.id = i.import_id
          WHERE i.conversation_id = ?1 AND i.is_new = 0 AND m.state = 'undone'",
    )?;
    let rows = statement.query_map([id], imported_row)?.collect::<Result<Vec<_>, _>>()?;
    let mut trashed = connection
        .prepare_cached("SELECT 1 FROM messages WHERE id = ?1 AND trashed_ms IS NOT NULL")?;
    let mut found = HashSet::new();
    for message in rows.into_iter().flat_map(|row| row.messages) {
        if trashed.exists([message])? {
            found.insert(message);
        }
    }
    Ok(found)
}

/// Takes out of the trash what an undo had put there and comes again. From here on it is this import's.
fn bring_back(
    write: &mut Write<'_>,
    id: ConversationId,
    fresh: &[Message],
) -> Result<Vec<Message>, Error> {
    let back = taken_back(&write.tx, id)?;
    let (back, new): (Vec<_>, Vec<_>) =
        fresh.iter().cloned().partition(|message| back.contains(&message.id));
    for message in &back {
        messages::set_trashed(write, message.id, false)?;
    }
    if !back.is_empty() {
        write.tx.execute(
            "DELETE FROM imported
              WHERE conversation_id = ?1 AND is_new = 0
                AND import_id IN (SELECT id FROM imports WHERE state = 'undone')",
            [id],
        )?;
    }
    Ok(new)
}

/// Writes what of a conversation is not here yet, and remembers that this import did.
pub fn write(write: &mut Write<'_>, import: Uuid, batch: &Batch<'_>) -> Result<Written, Error> {
    let id = batch.conversation.id;
    let known = known(&write.tx, id)?;
    let is_new = known.is_none();
    let fresh: Cow<'_, [Message]> = match &known {
        Some(known) => {
            batch.messages.iter().filter(|one| !known.contains(&one.id)).cloned().collect()
        }
        None => Cow::Borrowed(batch.messages),
    };
    if is_new {
        insert(write, batch)?;
    }
    let new = match is_new {
        true => Cow::Borrowed(fresh.as_ref()),
        false => Cow::Owned(bring_back(write, id, &fresh)?),
    };
    if !new.is_empty() {
        messages::insert_batch(write, id, &new)?;
        put_away(write, batch, known.as_ref())?;
    }
    if is_new {
        settle(write, batch)?;
    } else if !fresh.is_empty() {
        thread::settle(write, id)?;
    }
    if is_new || !fresh.is_empty() {
        remember(write, import, id, is_new, &fresh)?;
    }
    Ok(Written { conversations: u64::from(is_new), messages: fresh.len() as u64 })
}

fn insert(write: &mut Write<'_>, batch: &Batch<'_>) -> Result<(), Error> {
    let conversation = Conversation { trashed_at: None, ..batch.conversation.clone() };
    conversations::insert(write, &conversation)?;
    if !batch.metadata.is_empty() {
        write.tx.execute(
            "UPDATE conversations SET metadata = ?2 WHERE id = ?1",
            params![conversation.id, to_json(batch.metadata)],
        )?;
    }
    Ok(())
}

/// Into the trash with what was there, if it is not here already.
fn put_away(
    write: &mut Write<'_>,
    batch: &Batch<'_>,
    known: Option<&HashSet<MessageId>>,
) -> Result<(), Error> {
    for (id, since) in batch.trashed {
        if known.is_none_or(|known| !known.contains(id)) {
            messages::set_trashed(write, *id, true)?;
            write
                .tx
                .prepare_cached("UPDATE messages SET trashed_ms = ?2 WHERE id = ?1")?
                .execute(params![id, since])?;
        }
    }
    Ok(())
}

/// The branch that the old program showed, and the trash: a message that is written takes a conversation
/// out of it.
fn settle(write: &mut Write<'_>, batch: &Batch<'_>) -> Result<(), Error> {
    let id = batch.conversation.id;
    match batch.shown.and_then(|shown| batch.messages.iter().find(|one| one.id == shown)) {
        Some(message) => thread::show(write, message)?,
        None => thread::settle(write, id)?,
    }
    if batch.conversation.trashed_at.is_some() {
        let field = conversations::Field::Trashed(batch.conversation.trashed_at);
        conversations::set(write, id, &field)?;
    }
    Ok(())
}

fn remember(
    write: &Write<'_>,
    import: Uuid,
    id: ConversationId,
    is_new: bool,
    fresh: &[Message],
) -> Result<(), Error> {
    let ids: Vec<u8> = fresh.iter().flat_map(|message| message.id.0.into_bytes()).collect();
    write
        .tx
        .prepare_cached(
            "INSERT INTO imported (import_id, conversation_id, is_new, updated_ms, messages)
             VALUES (?1, ?2, ?3, (SELECT updated_ms FROM conversations WHERE id = ?2), ?4)
             ON CONFLICT (import_id, conversation_id) DO UPDATE
                SET updated_ms = excluded.updated_ms,
                    -- Two blobs beside each other are a text.
                    messages = CAST(messages || excluded.messages AS BLOB)",
        )?
        .execute(params![import.as_bytes(), id, is_new, ids])?;
    Ok(())
}

/// Writes a document that is not here yet. False: it is.
pub fn write_document(
    write: &mut Write<'_>,
    import: Uuid,
    document: &NewDocument<'_>,
) -> Result<bool, Error> {
    let inserted = write.tx.execute(
        "INSERT OR IGNORE INTO documents
                (id, conversation_id, title, mime, bytes, state, origin, metadata, created_ms, updated_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, 'fragments', ?6, ?7, ?8, ?8)",
        params![
            document.id,
            document.conversation_id,
            document.title,
            document.mime,
            document.bytes,
            to_json(document.origin),
            (!document.metadata.is_empty()).then(|| to_json(document.metadata)),
            document.created_at,
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

fn imported_row(row: &SqlRow<'_>) -> rusqlite::Result<Imported> {
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

/// What an undo left, because a person had gone on with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Undone {
    /// Conversations that were removed.
    #[ts(type = "number")]
    pub conversations: u64,
    /// Messages that were removed, with them or from conversations that stay.
    #[ts(type = "number")]
    pub messages: u64,
    /// Documents that were removed.
    #[ts(type = "number")]
    pub documents: u64,
    /// Conversations that were changed since, and stay as they are.
    #[ts(type = "number")]
    pub kept: u64,
}

/// Takes back what an import wrote of one conversation, unless a person has changed it since.
pub fn take_back(
    write: &mut Write<'_>,
    imported: &Imported,
    sum: &mut Undone,
) -> Result<(), Error> {
    let id = imported.conversation_id;
    let Some(here) = known(&write.tx, id)? else { return Ok(()) };
    let ours: HashSet<_> = imported.messages.iter().copied().collect();
    let theirs = here.iter().any(|message| !ours.contains(message));
    if !imported.is_new {
        // The conversation was there before: only what came is put into the trash.
        for message in imported.messages.iter().filter(|message| here.contains(message)) {
            messages::set_trashed(write, *message, true)?;
            sum.messages += 1;
        }
        return thread::settle(write, id);
    }
    let row = conversations::uncounted(&write.tx, id)?;
    if theirs || row.updated_at != imported.updated_at {
        sum.kept += 1;
        return Ok(());
    }
    conversations::purge(write, id)?;
    sum.conversations += 1;
    sum.messages += imported.messages.len() as u64;
    Ok(())
}

/// Takes back the documents of an import, and forgets what it wrote.
pub fn take_back_documents(
    write: &mut Write<'_>,
    import: Uuid,
    sum: &mut Undone,
) -> Result<(), Error> {
    let ids: Vec<DocumentId> = write
        .tx
        .prepare("SELECT document_id FROM imported_documents WHERE import_id = ?1")?
        .query_map([import.as_bytes()], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for id in &ids {
        purge_document(write, *id)?;
        write.tx.execute("DELETE FROM fragments WHERE document_id = ?1", [id])?;
        sum.documents += write.tx.execute("DELETE FROM documents WHERE id = ?1", [id])? as u64;
    }
    write.tx.execute("DELETE FROM imported_documents WHERE import_id = ?1", [import.as_bytes()])?;
    // What went to the trash is remembered: it is not here for the next import.
    write
        .tx
        .execute("DELETE FROM imported WHERE import_id = ?1 AND is_new = 1", [import.as_bytes()])?;
    Ok(())
}

/// With an account attached, the server is told of a deletion too.
fn purge_document(write: &mut Write<'_>, id: DocumentId) -> Result<(), Error> {
    if !write.is_attached()? {
        return Ok(());
    }
    if let Some(row) = rows::read(&write.tx, Table::Documents, id.0)? {
        outbox::purge(write, Table::Documents, &row)?;
        bases::drop(&write.tx, Table::Documents, id.0)?;
    }
    Ok(())
}

/// The rows of a table as operations, after this rowid: at most so many, and bytes. None behind the last
/// row. Numbers are rowids' order within the answer.
pub fn operations(
    connection: &Connection,
    table: Table,
    kind: Kind,
    after: i64,
    most: usize,
    bytes: usize,
) -> Result<(Vec<Op>, Option<i64>), Error> {
    let sql =
        format!("SELECT rowid, id FROM {} WHERE rowid > ?1 ORDER BY rowid LIMIT ?2", table.name());
    let ids: Vec<(i64, Uuid)> = connection
        .prepare_cached(&sql)?
        .query_map(params![after, most as i64], |row| {
            Ok((row.get(0)?, Uuid::from_bytes(row.get(1)?)))
        })?
        .collect::<Result<_, _>>()?;
    let (mut ops, mut last, mut size) = (Vec::new(), None, 0);
    for (rowid, id) in ids {
        let Some(row) = rows::read(connection, table, id)? else { continue };
        let fields = if kind == Kind::Purge { Map::new() } else { row.fields.clone() };
        size += fields.values().map(|value| value.as_str().map_or(16, str::len)).sum::<usize>();
        if size > bytes && !ops.is_empty() {
            break;
        }
        let (n, queue) = (ops.len() as i64 + 1, row.queue(table));
        let none = Clocks::default;
        ops.push(Op { n, tbl: table, id, queue, kind, fields, clocks: none(), base: none() });
        last = Some(rowid);
    }
    Ok((ops, last))
}

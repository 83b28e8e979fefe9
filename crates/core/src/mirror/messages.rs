//! The table `messages`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};

use super::sql::{json, to_json};
use super::{BODY, Error, NEW, Row, Table, Write, conversations};
use crate::model::view::TrashedMessage;
use crate::model::{ConversationId, Message, MessageId, MessageState, ModelRef, Timestamp};

pub(super) const COLUMNS: &str = "m.id, m.conversation_id, m.parent_id, m.continues_id, m.role, m.content, m.content_raw,
       m.parts, m.model, m.state, m.tokens_in, m.tokens_out, m.first_token_ms, m.cost_micros, m.metadata,
       m.device_id, m.created_ms, m.updated_ms, m.finished_ms";

pub(super) fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Message> {
    let raw: Option<Vec<u8>> = row.get("content_raw")?;
    Ok(Message {
        id: row.get("id")?,
        conversation_id: row.get("conversation_id")?,
        parent_id: row.get("parent_id")?,
        continues_id: row.get("continues_id")?,
        role: row.get("role")?,
        content: row.get("content")?,
        content_raw: raw.map(|bytes| BASE64.encode(bytes)),
        parts: json(row, "parts")?,
        model: row.get("model")?,
        state: row.get("state")?,
        tokens_in: row.get("tokens_in")?,
        tokens_out: row.get("tokens_out")?,
        first_token_ms: row.get("first_token_ms")?,
        cost_micros: row.get("cost_micros")?,
        metadata: json(row, "metadata")?,
        device_id: row.get("device_id")?,
        created_at: row.get("created_ms")?,
        updated_at: row.get("updated_ms")?,
        finished_at: row.get("finished_ms")?,
    })
}

/// One message, unless it is in the trash.
pub fn get(connection: &Connection, id: MessageId) -> Result<Message, Error> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM messages m WHERE m.id = ?1 AND m.trashed_ms IS NULL"
        ))?
        .query_row([id], from_row)
        .optional()?
        .ok_or(Error::NotFound("message"))
}

/// All messages of all branches, oldest first, without trashed ones.
pub fn of_conversation(connection: &Connection, id: ConversationId) -> Result<Vec<Message>, Error> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}
           FROM messages m
          WHERE m.conversation_id = ?1 AND m.trashed_ms IS NULL
          ORDER BY m.rowid"
    ))?;
    let rows = statement.query_map([id], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those of all branches that are in the trash, oldest first.
pub fn in_the_trash(
    connection: &Connection,
    id: ConversationId,
) -> Result<Vec<TrashedMessage>, Error> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, m.trashed_ms
           FROM messages m
          WHERE m.conversation_id = ?1 AND m.trashed_ms IS NOT NULL
          ORDER BY m.rowid"
    ))?;
    let rows = statement.query_map([id], |row| {
        Ok(TrashedMessage { message: from_row(row)?, deleted_at: row.get("trashed_ms")? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// All messages of all branches, those in the trash too, in no order.
pub fn every(connection: &Connection, id: ConversationId) -> Result<Vec<Message>, Error> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages m WHERE m.conversation_id = ?1"
    ))?;
    let rows = statement.query_map([id], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether the search index is brought up in the same transaction or afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// In this transaction: for batches.
    Now,
    /// By the index's own task, in a moment: for what a person waits for.
    Soon,
}

/// Writes a new message. Its conversation moves up (and out of the trash); the branch that is shown
/// does not change, see [`thread::show`].
pub fn insert(write: &mut Write<'_>, message: &Message, index: Index) -> Result<(), Error> {
    let rowid = insert_row(write, message)?;
    match index {
        Index::Now => super::index::insert_message(&write.tx, rowid, &message.content)?,
        Index::Soon => write.index(Table::Messages, rowid)?,
    }
    conversations::written_in(write, message.conversation_id, 1, message.created_at)?;
    write.synced(Row::Message(message.conversation_id, message.id), NEW)
}

/// Writes many messages of one conversation, indexed, with one count at the end.
pub fn insert_batch(
    write: &mut Write<'_>,
    conversation_id: ConversationId,
    messages: &[Message],
) -> Result<(), Error> {
    let mut last = Timestamp(i64::MIN);
    for message in messages {
        let rowid = insert_row(write, message)?;
        super::index::insert_message(&write.tx, rowid, &message.content)?;
        last = last.max(message.created_at);
    }
    if !messages.is_empty() {
        conversations::written_in(write, conversation_id, messages.len() as i64, last)?;
    }
    write.synced(Row::Messages(conversation_id, messages), NEW)
}

pub(super) fn insert_row(write: &Write<'_>, message: &Message) -> Result<i64, Error> {
    let rowid = new_rowid(&write.tx, message.created_at)?;
    let raw = message.content_raw.as_deref().and_then(|text| BASE64.decode(text).ok());
    write
        .tx
        .prepare_cached(
            "INSERT INTO messages (rowid, id, conversation_id, parent_id, continues_id, role, content, content_raw,
                                   parts, model, state, tokens_in, tokens_out, first_token_ms, cost_micros, metadata,
                                   device_id, created_ms, updated_ms, finished_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        )?
        .execute(params![
            rowid,
            message.id,
            message.conversation_id,
            message.parent_id,
            message.continues_id,
            message.role,
            message.content,
            raw,
            (!message.parts.is_empty()).then(|| to_json(&message.parts)),
            message.model,
            message.state,
            message.tokens_in,
            message.tokens_out,
            message.first_token_ms,
            message.cost_micros,
            message.metadata.as_ref().map(to_json),
            message.device_id,
            message.created_at,
            message.updated_at,
            message.finished_at,
        ])?;
    Ok(rowid)
}

/// Bits below the time in a message's rowid: 65,536 messages fit into one millisecond.
const COUNTER_BITS: u32 = 16;

/// The next free rowid at or after `at`: the time in milliseconds, then a counter.
pub(super) fn new_rowid(connection: &Connection, at: Timestamp) -> Result<i64, Error> {
    let mut statement = connection
        .prepare_cached("SELECT max(rowid) FROM messages WHERE rowid >= ?1 AND rowid < ?2")?;
    let mut first = first_rowid(at);
    loop {
        let next_ms = first + (1 << COUNTER_BITS);
        let last: Option<i64> = statement.query_row([first, next_ms], |row| row.get(0))?;
        match last {
            None => return Ok(first),
            Some(last) if last + 1 < next_ms => return Ok(last + 1),
            // Full: above the last time that is kept there is room for as many again.
            Some(_) => first = next_ms,
        }
    }
}

/// The first rowid of a millisecond.
pub(super) fn first_rowid(at: Timestamp) -> i64 {
    // 2^47 ms is the year 6429; a time before 1970 sorts first.
    at.0.clamp(0, (1 << 46) - 1) << COUNTER_BITS
}

/// What changes while a model answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// The body so far.
    pub content: Option<String>,
    /// Where it is on its way.
    pub state: Option<MessageState>,
    /// The model, where another one took over.
    pub model: Option<ModelRef>,
    /// Tokens of the prompt.
    pub tokens_in: Option<i64>,
    /// Tokens of the answer.
    pub tokens_out: Option<i64>,
    /// Milliseconds to the first token.
    pub first_token_ms: Option<i64>,
    /// Cost in millionths of a US dollar.
    pub cost_micros: Option<i64>,
    /// Why a stopped answer ends where it does, where no person stopped it: `length`.
    pub finish: Option<&'static str>,
}

const BODY_AND_METADATA: &[&str] = &[BODY[0], "metadata"];

/// Stores progress; what is `None` stays, but for `metadata.finish`, which any new state ends. A
/// final state stamps the end and puts the row on the search index's list.
pub fn progress(write: &mut Write<'_>, id: MessageId, progress: &Progress) -> Result<(), Error> {
    let finished = progress.state.is_some_and(MessageState::is_final);
    let (conversation_id, old): (ConversationId, Option<String>) = write
        .tx
        .prepare_cached("SELECT conversation_id, metadata FROM messages WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or(Error::NotFound("message"))?;
    write.before(Row::Message(conversation_id, id))?;
    let (rowid, metadata): (i64, Option<String>) = write
        .tx
        .prepare_cached(
            "UPDATE messages
                SET content        = coalesce(?2, content),
                    state          = coalesce(?3, state),
                    model          = coalesce(?4, model),
                    tokens_in      = coalesce(?5, tokens_in),
                    tokens_out     = coalesce(?6, tokens_out),
                    first_token_ms = coalesce(?7, first_token_ms),
                    cost_micros    = coalesce(?8, cost_micros),
                    metadata       = CASE
                        WHEN ?11 IS NOT NULL
                        THEN json_set(iif(json_valid(metadata), metadata, '{}'), '$.finish', ?11)
                        WHEN ?3 IS NOT NULL AND json_valid(metadata)
                        THEN nullif(json_remove(metadata, '$.finish'), '{}')
                        ELSE metadata
                    END,
                    updated_ms     = ?9,
                    finished_ms    = iif(?10, ?9, iif(?3 IS NULL, finished_ms, NULL))
              WHERE id = ?1
             RETURNING rowid, metadata",
        )?
        .query_row(
            params![
                id,
                progress.content,
                progress.state,
                progress.model,
                progress.tokens_in,
                progress.tokens_out,
                progress.first_token_ms,
                progress.cost_micros,
                write.now,
                finished,
                progress.finish,
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
    if finished {
        write.index(Table::Messages, rowid)?;
        conversations::written_in(write, conversation_id, 0, write.now)?;
    }
    // The body has no clock and the metadata have: they go up as what they are.
    let row = Row::Message(conversation_id, id);
    if metadata == old { write.synced(row, BODY) } else { write.synced(row, BODY_AND_METADATA) }
}

/// Puts a message into the trash, or takes it out. The caller then chooses the branch that is shown
/// ([`super::thread::show`] or [`super::thread::settle`]).
pub fn set_trashed(write: &mut Write<'_>, id: MessageId, trashed: bool) -> Result<(), Error> {
    let at = trashed.then_some(write.now);
    let (rowid, conversation_id, changed): (i64, ConversationId, bool) = write
        .tx
        .query_row(
            "SELECT rowid, conversation_id, (trashed_ms IS NULL) = ?2 FROM messages WHERE id = ?1",
            params![id, trashed],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?
        .ok_or(Error::NotFound("message"))?;
    if !changed {
        return Ok(());
    }
    write.before(Row::Message(conversation_id, id))?;
    write.tx.execute(
        "UPDATE messages SET trashed_ms = ?2, updated_ms = ?3 WHERE id = ?1",
        params![id, at, write.now],
    )?;
    write.index(Table::Messages, rowid)?;
    conversations::written_in(write, conversation_id, if trashed { -1 } else { 1 }, Timestamp(0))?;
    write.synced(Row::Message(conversation_id, id), &["trashed_ms"])
}

/// A message and all below it, from the top down.
pub fn tree_below(connection: &Connection, id: MessageId) -> Result<Vec<MessageId>, Error> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE below (id, conversation_id) AS (
             SELECT id, conversation_id FROM messages WHERE id = ?1
             UNION
             SELECT m.id, m.conversation_id
               FROM below JOIN messages m ON m.conversation_id = below.conversation_id AND m.parent_id = below.id
         )
         SELECT id FROM below",
    )?;
    let rows = statement.query_map([id], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The conversation of a message, in the trash or not.
pub fn conversation_of(connection: &Connection, id: MessageId) -> Result<ConversationId, Error> {
    connection
        .prepare_cached("SELECT conversation_id FROM messages WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?
        .ok_or(Error::NotFound("message"))
}

//! The table `send_queue`: answers that have not been given, in order per conversation.
//!
//! An entry belongs to the process that asks (`runner`); one whose runner has died is taken over by
//! whoever notices. It leaves in the transaction that stores the answer's final state.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};
use uuid::Uuid;

use super::sql::to_json;
use super::{Error, Write};
use crate::error::Failure;
use crate::events::Change;
use crate::model::view::Waiting;
use crate::model::{ConversationId, MessageId, Timestamp};

/// One answer to come.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Counts up; the order within a conversation.
    pub rowid: i64,
    /// The answer.
    pub message_id: MessageId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// The process that asks now.
    pub runner: Option<Uuid>,
    /// How often it was tried.
    pub attempts: i64,
    /// Not before.
    pub retry_at: Option<Timestamp>,
    /// What went wrong last.
    pub failure: Option<Failure>,
    /// Whether it waits for a yes.
    pub held: bool,
    /// When it was put in.
    pub queued_at: Timestamp,
}

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Entry> {
    let runner: Option<[u8; 16]> = row.get("runner")?;
    let failure: Option<String> = row.get("failure")?;
    Ok(Entry {
        rowid: row.get("rowid")?,
        message_id: row.get("message_id")?,
        conversation_id: row.get("conversation_id")?,
        runner: runner.map(Uuid::from_bytes),
        attempts: row.get("attempts")?,
        retry_at: row.get("retry_ms")?,
        failure: failure.and_then(|text| serde_json::from_str(&text).ok()),
        held: row.get("held")?,
        queued_at: row.get("queued_ms")?,
    })
}

const COLUMNS: &str =
    "rowid, message_id, conversation_id, runner, attempts, retry_ms, failure, held, queued_ms";

/// Puts an answer at the end of its conversation's queue. `runner` is set where a process means to
/// ask at once, so that no other takes it.
pub fn enqueue(
    write: &mut Write<'_>,
    conversation_id: ConversationId,
    message_id: MessageId,
    runner: Option<Uuid>,
) -> Result<(), Error> {
    write
        .tx
        .prepare_cached(
            "INSERT INTO send_queue (message_id, conversation_id, runner, queued_ms) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![message_id, conversation_id, runner.map(Uuid::into_bytes), write.now])?;
    tell(write, conversation_id, message_id);
    Ok(())
}

/// All entries, oldest first.
pub fn all(connection: &Connection) -> Result<Vec<Entry>, Error> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM send_queue ORDER BY rowid"))?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The entry of an answer.
pub fn get(connection: &Connection, message_id: MessageId) -> Result<Option<Entry>, Error> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM send_queue WHERE message_id = ?1"))?
        .query_row([message_id], from_row)
        .optional()?)
}

/// The answer that a conversation's queue gives next.
pub fn first(
    connection: &Connection,
    conversation_id: ConversationId,
) -> Result<Option<MessageId>, Error> {
    Ok(connection
        .prepare_cached(
            "SELECT message_id
               FROM send_queue
              WHERE conversation_id = ?1
              ORDER BY rowid
              LIMIT 1",
        )?
        .query_row([conversation_id], |row| row.get(0))
        .optional()?)
}

/// What the thread shows of an answer's entry.
pub fn waiting(connection: &Connection, message_id: MessageId) -> Result<Option<Waiting>, Error> {
    let Some(entry) = get(connection, message_id)? else { return Ok(None) };
    let behind = first(connection, entry.conversation_id)?.filter(|first| *first != message_id);
    Ok(Some(Waiting {
        attempts: entry.attempts,
        retry_at: entry.retry_at,
        failure: entry.failure,
        behind,
        held: entry.held,
        queued_at: entry.queued_at,
    }))
}

/// What changes of an entry; every field is set as it stands here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Turn {
    /// The process that asks now.
    pub runner: Option<Uuid>,
    /// How often it was tried.
    pub attempts: i64,
    /// Not before.
    pub retry_at: Option<Timestamp>,
    /// What went wrong last.
    pub failure: Option<Failure>,
    /// Whether it waits for a yes.
    pub held: bool,
}

/// Stores an entry's turn. Nothing happens when the entry has left meanwhile.
pub fn update(write: &mut Write<'_>, message_id: MessageId, turn: &Turn) -> Result<(), Error> {
    let conversation_id: Option<ConversationId> = write
        .tx
        .prepare_cached(
            "UPDATE send_queue
                SET runner = ?2, attempts = ?3, retry_ms = ?4, failure = ?5, held = ?6
              WHERE message_id = ?1
             RETURNING conversation_id",
        )?
        .query_row(
            params![
                message_id,
                turn.runner.map(Uuid::into_bytes),
                turn.attempts,
                turn.retry_at,
                turn.failure.as_ref().map(to_json),
                turn.held
            ],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(conversation_id) = conversation_id {
        tell(write, conversation_id, message_id);
    }
    Ok(())
}

/// An entry's waiting begins anew: whoever said yes to it now is not asked again at once.
pub fn waits_from_now(write: &mut Write<'_>, message_id: MessageId) -> Result<(), Error> {
    write
        .tx
        .prepare_cached("UPDATE send_queue SET queued_ms = ?2 WHERE message_id = ?1")?
        .execute(params![message_id, write.now])?;
    Ok(())
}

/// Takes an entry for `runner` if nobody has it (or `dead` had it). Tells whether it worked.
pub fn claim(
    write: &mut Write<'_>,
    message_id: MessageId,
    runner: Uuid,
    dead: Option<Uuid>,
) -> Result<bool, Error> {
    let changed = write
        .tx
        .prepare_cached(
            "UPDATE send_queue SET runner = ?2 WHERE message_id = ?1 AND (runner IS NULL OR runner IN (?2, ?3))",
        )?
        .execute(params![message_id, runner.into_bytes(), dead.map(Uuid::into_bytes)])?;
    Ok(changed == 1)
}

/// Takes an answer out of the queue. Tells whether it was there.
pub fn remove(write: &mut Write<'_>, message_id: MessageId) -> Result<bool, Error> {
    let conversation_id: Option<ConversationId> = write
        .tx
        .prepare_cached("DELETE FROM send_queue WHERE message_id = ?1 RETURNING conversation_id")?
        .query_row([message_id], |row| row.get(0))
        .optional()?;
    if let Some(conversation_id) = conversation_id {
        tell(write, conversation_id, message_id);
    }
    Ok(conversation_id.is_some())
}

fn tell(write: &mut Write<'_>, conversation_id: ConversationId, id: MessageId) {
    write.tell(Change::Message { conversation_id, id });
    write.tell(Change::Conversation { id: conversation_id });
}

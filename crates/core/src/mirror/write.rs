//! One transaction, and the one place through which a synced row is written.

use rusqlite::{Transaction, params};

use super::Error;
use crate::events::Change;
use crate::model::{ConversationId, DeviceId, Message, MessageId, Timestamp, UsageId};

/// A transaction that knows its time and what it changed.
#[derive(Debug)]
pub struct Write<'c> {
    /// For statements. Whoever writes a synced row calls [`Write::synced`] beside it.
    pub tx: Transaction<'c>,
    /// The time of this transaction: one for all its rows.
    pub now: Timestamp,
    /// This device.
    pub device_id: DeviceId,
    changes: Vec<Change>,
    dirty: bool,
}

/// Stands for all fields of a row that is new.
pub const NEW: &[&str] = &["*"];

/// A row of a synced table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Row<'a> {
    /// Of `conversations`.
    Conversation(ConversationId),
    /// Of `messages`.
    Message(ConversationId, MessageId),
    /// Many new ones of `messages`, of one conversation.
    Messages(ConversationId, &'a [Message]),
    /// Of `settings`, by key.
    Setting(&'a str),
    /// Of `usage`.
    Usage(UsageId),
    /// Of `devices`.
    Device(DeviceId),
}

/// What the search index covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// `messages`.
    Messages = 1,
    /// `conversations`, by title.
    Conversations = 2,
}

impl<'c> Write<'c> {
    pub(super) fn begin(tx: Transaction<'c>, now: Timestamp, device_id: DeviceId) -> Self {
        Self { tx, now, device_id, changes: Vec::new(), dirty: false }
    }

    /// Says that a synced row was written, and which of its fields; [`NEW`] for a new row.
    ///
    /// This is where a write is recorded for the outbox once an account is attached. Until then a
    /// row without a server seq is simply unsynced, and nothing accumulates. Fields that merge one by
    /// one (a conversation's, a setting's) get their hybrid logical clock here.
    pub fn synced(&mut self, row: Row<'_>, fields: &[&str]) -> Result<(), Error> {
        match row {
            // A new row has the clocks that it came with.
            Row::Conversation(id) if fields == NEW => self.tell(Change::Conversation { id }),
            Row::Messages(id, _) => self.tell(Change::Conversation { id }),
            Row::Conversation(id) => {
                let clocks = self.clocks(fields)?;
                self.tx
                    .prepare_cached(
                        "UPDATE conversations
                        SET clocks = json_patch(clocks, ?2), updated_ms = ?3
                      WHERE id = ?1",
                    )?
                    .execute(params![id, clocks, self.now])?;
                self.tell(Change::Conversation { id });
            }
            Row::Setting(key) => {
                let clocks = self.clocks(fields)?;
                self.tx.execute(
                    "UPDATE settings
                        SET clocks = json_patch(clocks, ?2), updated_ms = ?3
                      WHERE key = ?1",
                    params![key, clocks, self.now],
                )?;
                self.tell(Change::Setting { key: key.to_owned() });
            }
            Row::Message(conversation_id, id) => self.tell(Change::Message { conversation_id, id }),
            Row::Usage(_) | Row::Device(_) => {}
        }
        Ok(())
    }

    /// Says that something that is shown has changed, beside what [`Write::synced`] tells.
    pub fn tell(&mut self, change: Change) {
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    /// Puts a row on the search index's list.
    pub fn index(&mut self, table: Table, rowid: i64) -> Result<(), Error> {
        self.tx
            .prepare_cached("INSERT OR IGNORE INTO index_dirty (kind, row) VALUES (?1, ?2)")?
            .execute(params![table as i64, rowid])?;
        self.dirty = true;
        Ok(())
    }

    /// `{"field": clock, …}` with one new stamp for all: a millisecond and a counter, never behind
    /// one that was given before, even when the computer's clock goes back.
    fn clocks(&self, fields: &[&str]) -> Result<String, Error> {
        let stamp: i64 = self
            .tx
            .prepare_cached("UPDATE mirror SET hlc = max(hlc + 1, ?1 << 16) RETURNING hlc")?
            .query_row(params![self.now.0.max(0)], |row| row.get(0))?;
        let clocks: serde_json::Map<_, _> =
            fields.iter().map(|field| ((*field).to_owned(), stamp.into())).collect();
        Ok(serde_json::Value::Object(clocks).to_string())
    }

    pub(super) fn commit(self) -> Result<(Vec<Change>, bool), Error> {
        self.tx.commit()?;
        Ok((self.changes, self.dirty))
    }
}

//! One transaction, and the one place through which a synced row is written.

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::{Error, bases, outbox, synced};
use crate::events::Change;
use crate::model::wire::{self, setting_id};
use crate::model::{ConversationId, DeviceId, Message, MessageId, Timestamp, UsageId};

/// A transaction that knows its time and what it changed.
#[derive(Debug)]
pub struct Write<'c> {
    /// For statements. Whoever writes a synced row calls [`Write::synced`] beside it.
    pub tx: Transaction<'c>,
    /// The time of this transaction: one for all its rows.
    pub now: Timestamp,
    changes: Vec<Change>,
    dirty: bool,
    /// The server's time less this computer's, where an account is attached; asked for when needed.
    account: Option<Option<i64>>,
}

/// Stands for all fields of a row that is new.
pub const NEW: &[&str] = &["*"];
/// Stands for the body of a message: what streams, and is final in the end.
pub const BODY: &[&str] = &[outbox::BODY];
/// Stands for a row that is removed for good.
pub const PURGED: &[&str] = &["purged"];
/// Settings whose key begins so stay on this device.
pub const LOCAL_SETTING: &str = "local.";

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

impl Row<'_> {
    /// Its table and id on the wire; none for a setting that is never sent.
    fn on_the_wire(&self) -> Option<(wire::Table, Uuid)> {
        match *self {
            Self::Conversation(id) => Some((wire::Table::Conversations, id.0)),
            Self::Message(_, id) => Some((wire::Table::Messages, id.0)),
            Self::Setting(key) if key.starts_with(LOCAL_SETTING) => None,
            Self::Setting(key) => Some((wire::Table::Settings, setting_id(key))),
            Self::Usage(id) => Some((wire::Table::Usage, id.0)),
            Self::Device(id) => Some((wire::Table::Devices, id.0)),
            Self::Messages(..) => None,
        }
    }
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
    pub(super) fn begin(tx: Transaction<'c>, now: Timestamp) -> Self {
        Self { tx, now, changes: Vec::new(), dirty: false, account: None }
    }

    /// This data folder, as a device: as it is now, since it becomes another one where it signs out, or turns
    /// out to be a copy.
    ///
    /// # Errors
    /// The mirror cannot be read.
    pub fn device_id(&self) -> Result<DeviceId, Error> {
        synced::device_id(&self.tx)
    }

    /// Says that a synced row that is there is about to change. With an account attached, what the server
    /// last said of it is copied now, and what of it is on its way is written down: afterwards it
    /// would be too late.
    pub fn before(&mut self, row: Row<'_>) -> Result<(), Error> {
        match row.on_the_wire() {
            Some((table, id)) if self.is_attached()? => bases::before(self, table, id),
            _ => Ok(()),
        }
    }

    /// Says that a synced row was written, and which of its registers; [`NEW`] for a new row, [`BODY`]
    /// for a message's body. Where the row was there before, [`Write::before`] came first.
    ///
    /// This is where a write is recorded for the outbox once an account is attached. Until then a
    /// row without a server seq is simply unsynced, and nothing accumulates. Registers (a
    /// conversation's fields, a setting's value) get their hybrid logical clock here.
    pub fn synced(&mut self, row: Row<'_>, registers: &[&str]) -> Result<(), Error> {
        // Before the new clocks: those that stand there are of what the person saw.
        self.record(row, registers)?;
        if registers != NEW && registers != PURGED {
            let clocked: Vec<_> =
                registers.iter().copied().filter(|name| *name != outbox::BODY).collect();
            self.stamp(row, &clocked)?;
        }
        match row {
            Row::Conversation(id) | Row::Messages(id, _) => self.tell(Change::Conversation { id }),
            Row::Message(conversation_id, id) => self.tell(Change::Message { conversation_id, id }),
            Row::Setting(key) => self.tell(Change::Setting { key: key.to_owned() }),
            Row::Usage(_) | Row::Device(_) => {}
        }
        Ok(())
    }

    fn record(&mut self, row: Row<'_>, registers: &[&str]) -> Result<(), Error> {
        // What is purged was recorded while it was still there: see `outbox::purge`.
        if registers == PURGED || !self.is_attached()? {
            return Ok(());
        }
        if let Row::Messages(id, messages) = row {
            for message in messages {
                outbox::put(self, wire::Table::Messages, message.id.0, id.0)?;
            }
        }
        let Some((table, id)) = row.on_the_wire() else { return Ok(()) };
        let queue = match row {
            Row::Message(conversation_id, _) => conversation_id.0,
            _ => id,
        };
        match registers == NEW {
            true => outbox::put(self, table, id, queue),
            false => outbox::changed(self, table, id, registers),
        }
    }

    /// Gives registers of a row one new clock.
    fn stamp(&mut self, row: Row<'_>, registers: &[&str]) -> Result<(), Error> {
        if registers.is_empty() {
            return Ok(());
        }
        let (table, key): (_, &dyn rusqlite::ToSql) = match &row {
            Row::Conversation(id) => ("conversations WHERE id", id),
            Row::Message(_, id) => ("messages WHERE id", id),
            Row::Setting(key) => ("settings WHERE key", key),
            Row::Device(id) => ("devices WHERE id", id),
            Row::Messages(..) | Row::Usage(_) => return Ok(()),
        };
        // After what stands there, even where that came from a clock that was ahead of this one.
        let latest: Option<i64> = self
            .tx
            .prepare_cached(&format!(
                "SELECT (SELECT max(value)
                           FROM json_each(clocks)
                          WHERE key IN (SELECT value FROM json_each(?2)))
                   FROM {table} = ?1"
            ))?
            .query_row(params![key, super::sql::to_json(&registers)], |row| row.get(0))
            .optional()?
            .flatten();
        let clocks = self.clocks(registers, latest.unwrap_or(0))?;
        let (name, column) = table.split_once(" WHERE ").expect("written above");
        self.tx
            .prepare_cached(&format!(
                "UPDATE {name} SET clocks = json_patch(clocks, ?2), updated_ms = ?3 WHERE {column} = ?1"
            ))?
            .execute(params![key, clocks, self.now])?;
        Ok(())
    }

    /// Whether an account is attached.
    pub(super) fn is_attached(&mut self) -> Result<bool, Error> {
        Ok(self.account()?.is_some())
    }

    /// The server's time less this computer's, where an account is attached.
    fn account(&mut self) -> Result<Option<i64>, Error> {
        if self.account.is_none() {
            self.account = Some(
                self.tx
                    .prepare_cached("SELECT offset_ms FROM account")?
                    .query_row([], |row| row.get(0))
                    .optional()?,
            );
        }
        Ok(self.account.flatten())
    }

    /// This transaction's time by the server's clock, as last seen.
    pub(super) fn server_now(&mut self) -> Result<Timestamp, Error> {
        Ok(self.now.plus_ms(self.account()?.unwrap_or(0)))
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

    /// `{"register": clock, …}` with one new stamp for all: a millisecond of the server's time and a
    /// counter, after `latest` and never behind one that was given before, even when the computer's
    /// clock goes back.
    fn clocks(&mut self, registers: &[&str], latest: i64) -> Result<String, Error> {
        let stamp = self.next_clock(latest)?;
        let clocks: serde_json::Map<_, _> =
            registers.iter().map(|register| ((*register).to_owned(), stamp.into())).collect();
        Ok(serde_json::Value::Object(clocks).to_string())
    }

    /// One new clock after `latest`.
    pub(super) fn next_clock(&mut self, latest: i64) -> Result<i64, Error> {
        let now = self.server_now()?.0.clamp(0, i64::MAX >> 17);
        Ok(self
            .tx
            .prepare_cached("UPDATE mirror SET hlc = max(hlc + 1, ?1 << 16, ?2 + 1) RETURNING hlc")?
            .query_row([now, latest.min(i64::MAX >> 1)], |row| row.get(0))?)
    }

    /// The server said that this device's clocks are ahead: they go on from `to`, or from now where that is
    /// later. Each register goes on from its own ([`Write::synced`]), so none of them goes back.
    pub(super) fn lower_clock(&mut self, to: i64) -> Result<(), Error> {
        let now = self.server_now()?.0.clamp(0, i64::MAX >> 17);
        self.tx.execute("UPDATE mirror SET hlc = min(hlc, max(?1, ?2 << 16))", [to, now])?;
        Ok(())
    }

    /// Wakes the index once this is durable.
    pub(super) fn wake_index(&mut self) {
        self.dirty = true;
    }

    pub(super) fn commit(self) -> Result<(Vec<Change>, bool), Error> {
        self.tx.commit()?;
        Ok((self.changes, self.dirty))
    }
}

//! What rows from the server do to what is counted and shown here.
//!
//! Counts, activity and the shown branch of a conversation are this device's own. A batch of rows gathers
//! what changes of them and writes it once at its end. A message that follows the end of the shown branch
//! moves it; one that stands beside it does not take its place. Where that cannot be told cheaply the
//! conversation goes on the list `unsettled`, and the branch is found anew when it is read or by
//! [`super::thread::settle_listed`].

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::{Error, Table, Write};
use crate::events::Change;
use crate::model::{ConversationId, MessageId};

/// How exactly a batch tells what it changed, and whether it follows branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// A few rows: each is told, and branches are followed.
    Few,
    /// Many: one word for all when the last batch is in, and branches are found later.
    Many,
}

/// What a batch of rows touched.
#[derive(Debug)]
pub(super) struct Touched {
    size: Size,
    conversations: HashMap<Uuid, Conversation>,
}

#[derive(Debug, Default)]
struct Conversation {
    count: i64,
    active_ms: i64,
    end: End,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum End {
    /// Not looked at.
    #[default]
    Unknown,
    /// The end of the shown branch, and whether the batch moved it.
    At(Option<Uuid>, bool),
    /// To be found anew.
    Lost,
}

/// A message, as far as its place is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) id: Uuid,
    pub(super) conversation_id: Uuid,
    pub(super) parent_id: Option<Uuid>,
    pub(super) created_ms: i64,
    pub(super) trashed: bool,
}

impl Touched {
    pub(super) fn new(size: Size) -> Self {
        Self { size, conversations: HashMap::new() }
    }

    /// A message that was not here before is here.
    pub(super) fn added(&mut self, write: &mut Write<'_>, place: Place) -> Result<(), Error> {
        self.tell_message(write, place);
        if place.trashed {
            return Ok(());
        }
        let conversation = self.conversations.entry(place.conversation_id).or_default();
        conversation.count += 1;
        conversation.active_ms = conversation.active_ms.max(place.created_ms);
        match self.size {
            Size::Few => self.follow(write, place),
            Size::Many => {
                conversation.end = End::Lost;
                Ok(())
            }
        }
    }

    /// A message went into the trash, or out of it, or away.
    pub(super) fn moved(&mut self, write: &mut Write<'_>, place: Place, count: i64) {
        self.tell_message(write, place);
        let conversation = self.conversations.entry(place.conversation_id).or_default();
        conversation.count += count;
        conversation.end = End::Lost;
    }

    /// A message changed in its place.
    pub(super) fn tell_message(&self, write: &mut Write<'_>, place: Place) {
        if self.size == Size::Few {
            let (conversation_id, id) =
                (ConversationId(place.conversation_id), MessageId(place.id));
            write.tell(Change::Message { conversation_id, id });
        }
    }

    /// A conversation came: what of it came before is counted.
    pub(super) fn arrived(&mut self, write: &Write<'_>, id: Uuid) -> Result<(), Error> {
        self.conversations.remove(&id);
        let found = write
            .tx
            .prepare_cached(
                "UPDATE conversations
                    SET message_count = m.count, active_ms = max(active_ms, coalesce(m.latest, 0))
                   FROM (SELECT count(*) AS count, max(created_ms) AS latest
                           FROM messages
                          WHERE conversation_id = ?1 AND trashed_ms IS NULL) m
                  WHERE id = ?1
                 RETURNING message_count",
            )?
            .query_row([id.as_bytes()], |row| row.get::<_, i64>(0))
            .optional()?;
        if found.is_some_and(|count| count > 0) {
            lose(write, id)?;
        }
        Ok(())
    }

    /// A conversation went: nothing of it is left to be counted.
    pub(super) fn left(&mut self, id: Uuid) {
        self.conversations.remove(&id);
    }

    fn follow(&mut self, write: &Write<'_>, place: Place) -> Result<(), Error> {
        let end = match self.conversations[&place.conversation_id].end {
            End::Unknown => shown_end(write, place.conversation_id)?,
            known => known,
        };
        let end = match end {
            End::At(leaf, _) if leaf == place.parent_id => match has_child(write, place)? {
                true => End::Lost,
                false => End::At(Some(place.id), true),
            },
            End::At(..) => {
                keep_shown(write, place)?;
                end
            }
            other => other,
        };
        if let Some(conversation) = self.conversations.get_mut(&place.conversation_id) {
            conversation.end = end;
        }
        Ok(())
    }

    /// Writes what was gathered.
    pub(super) fn finish(self, write: &mut Write<'_>) -> Result<(), Error> {
        for (id, conversation) in self.conversations {
            write
                .tx
                .prepare_cached(
                    "UPDATE conversations
                        SET message_count = message_count + ?2, active_ms = max(active_ms, ?3)
                      WHERE id = ?1",
                )?
                .execute(params![id.as_bytes(), conversation.count, conversation.active_ms])?;
            match conversation.end {
                End::Lost => lose(write, id)?,
                End::At(leaf, true) => {
                    write
                        .tx
                        .prepare_cached("UPDATE conversations SET leaf_id = ?2 WHERE id = ?1")?
                        .execute(params![id.as_bytes(), leaf.map(Uuid::into_bytes)])?;
                }
                End::At(..) | End::Unknown => {}
            }
            if self.size == Size::Few {
                write.tell(Change::Conversation { id: ConversationId(id) });
            }
        }
        Ok(())
    }
}

/// The shown branch of a conversation has to be found anew.
pub(super) fn lose(write: &Write<'_>, conversation: Uuid) -> Result<(), Error> {
    write
        .tx
        .prepare_cached("INSERT OR IGNORE INTO unsettled (conversation_id) VALUES (?1)")?
        .execute([conversation.as_bytes()])?;
    Ok(())
}

fn shown_end(write: &Write<'_>, id: Uuid) -> Result<End, Error> {
    let found: Option<(Option<[u8; 16]>, bool)> = write
        .tx
        .prepare_cached(
            "SELECT leaf_id, EXISTS (SELECT 1 FROM unsettled WHERE conversation_id = ?1)
               FROM conversations
              WHERE id = ?1",
        )?
        .query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(match found {
        Some((leaf, false)) => End::At(leaf.map(Uuid::from_bytes), false),
        Some((_, true)) => End::Lost,
        // Its messages came first; it looks for the end itself when it comes.
        None => End::Unknown,
    })
}

fn has_child(write: &Write<'_>, place: Place) -> Result<bool, Error> {
    Ok(write
        .tx
        .prepare_cached(
            "SELECT 1 FROM messages WHERE conversation_id = ?1 AND parent_id = ?2 AND trashed_ms IS NULL",
        )?
        .exists(params![place.conversation_id.as_bytes(), place.id.as_bytes()])?)
}

/// A sibling that came does not take the place of the one that is shown.
fn keep_shown(write: &Write<'_>, place: Place) -> Result<(), Error> {
    write
        .tx
        .prepare_cached(
            "INSERT OR IGNORE INTO branches (conversation_id, parent_id, child_id)
             SELECT conversation_id, coalesce(parent_id, zeroblob(16)), id
               FROM messages
              WHERE conversation_id = ?1 AND parent_id IS ?2 AND trashed_ms IS NULL AND id != ?3
              ORDER BY rowid DESC
              LIMIT 1",
        )?
        .execute(params![
            place.conversation_id.as_bytes(),
            place.parent_id.map(Uuid::into_bytes),
            place.id.as_bytes()
        ])?;
    Ok(())
}

/// What search shows of a row has changed.
pub(super) fn reindex(
    write: &mut Write<'_>,
    table: crate::model::wire::Table,
    rowid: i64,
) -> Result<(), Error> {
    match table {
        crate::model::wire::Table::Messages => write.index(Table::Messages, rowid),
        crate::model::wire::Table::Conversations => write.index(Table::Conversations, rowid),
        _ => Ok(()),
    }
}

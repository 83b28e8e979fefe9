//! Changes that the server refused for good, and messages that are not up there yet.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::Tidemark;
use crate::error::Result;
use crate::mirror::parked::{self, Parked};
use crate::mirror::{self, conversations, rows, synced};
use crate::model::wire::{Kind, Table};
use crate::model::{ConversationId, MessageId, Timestamp};

/// So much of a message is shown, in characters.
const SHOWN: usize = 120;

/// A change that the server refused for good. A person sends it again, changes the row, or gives it up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ParkedView {
    /// Names it, until it is sent again.
    #[ts(type = "number")]
    pub n: i64,
    /// The conversation that it belongs to, for “Edit”.
    pub conversation_id: Option<ConversationId>,
    /// The message, where it is one.
    pub message_id: Option<MessageId>,
    /// What was to be done, such as `A message in “Warfarin”`.
    pub what: String,
    /// The beginning of the text that it carries.
    pub text: String,
    /// Why it was refused, in a sentence.
    pub reason: String,
    /// What helps, in a sentence.
    pub hint: String,
    /// The server's code.
    pub code: String,
    /// How often it was refused.
    #[ts(type = "number")]
    pub attempts: i64,
    /// How many changes of the same conversation wait behind it.
    #[ts(type = "number")]
    pub behind: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A message that is not on the server as it stands here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Unsynced {
    /// The message.
    pub message_id: MessageId,
    /// Since when.
    pub since: Timestamp,
    /// Whether it waits for a person: it, or something before it, was refused.
    pub is_stuck: bool,
}

impl Tidemark {
    /// The changes that the server refused for good, oldest first.
    ///
    /// # Errors
    /// The mirror cannot be read.
    pub fn parked(&self) -> Result<Vec<ParkedView>> {
        self.read(|connection| {
            parked::all(connection)?.into_iter().map(|one| view(connection, one)).collect()
        })
    }

    /// Sends a refused change again, as it is now.
    ///
    /// # Errors
    /// It is not there any more, or the mirror cannot be written.
    pub fn retry_parked(&self, n: i64) -> Result<()> {
        self.write(|write| parked::retry(write, n))
    }

    /// Gives a refused change up: the row is again what the server last said. One that the server has
    /// never taken stays on this computer.
    ///
    /// # Errors
    /// As [`Self::retry_parked`].
    pub fn discard_parked(&self, n: i64) -> Result<()> {
        self.write(|write| parked::discard(write, n))
    }

    /// The messages of a conversation that are not on the server as they stand here; none where no
    /// account is attached.
    ///
    /// # Errors
    /// The mirror cannot be read.
    pub fn unsynced(&self, conversation_id: ConversationId) -> Result<Vec<Unsynced>> {
        self.read(|connection| {
            let waiting = synced::waiting(connection, conversation_id.0)?;
            Ok(waiting
                .into_iter()
                .map(|one| Unsynced {
                    message_id: MessageId(one.id),
                    since: one.since,
                    is_stuck: one.is_stuck,
                })
                .collect())
        })
    }
}

fn view(connection: &rusqlite::Connection, parked: Parked) -> Result<ParkedView, mirror::Error> {
    let in_conversation = matches!(parked.table, Table::Conversations | Table::Messages);
    let conversation_id = in_conversation.then_some(ConversationId(parked.queue));
    let title = conversation_id.and_then(|id| conversations::uncounted(connection, id).ok());
    let title = title.map(|conversation| conversation.title).unwrap_or_default();
    let (reason, hint) = words(&parked.code);
    Ok(ParkedView {
        what: what(&parked, &title),
        text: text(connection, &parked)?,
        reason: reason.to_owned(),
        hint: hint.to_owned(),
        n: parked.n,
        conversation_id,
        message_id: (parked.table == Table::Messages).then_some(MessageId(parked.row_id)),
        code: parked.code,
        attempts: parked.attempts,
        behind: parked.behind,
        created_at: parked.created_at,
    })
}

fn what(parked: &Parked, title: &str) -> String {
    let title = if title.is_empty() { "New chat" } else { title };
    match (parked.table, parked.kind) {
        (Table::Conversations, Kind::Purge) => "The deletion of a conversation".to_owned(),
        (Table::Conversations, Kind::Patch) => format!("A change of “{title}”"),
        (Table::Conversations, _) => format!("The conversation “{title}”"),
        (Table::Messages, Kind::Patch) => format!("A change of a message in “{title}”"),
        (Table::Messages, _) => format!("A message in “{title}”"),
        (Table::Documents | Table::Files, _) => "A document".to_owned(),
        (Table::Settings, _) => "A setting".to_owned(),
        (Table::Usage, _) => "A line of the usage log".to_owned(),
        (Table::Devices, _) => "What this device tells of itself".to_owned(),
    }
}

fn text(connection: &rusqlite::Connection, parked: &Parked) -> Result<String, mirror::Error> {
    let field = match parked.table {
        Table::Messages => "content",
        Table::Conversations | Table::Documents => "title",
        Table::Settings => "key",
        _ => return Ok(String::new()),
    };
    let row = rows::read(connection, parked.table, parked.row_id)?;
    let text = row.as_ref().and_then(|row| row.fields.get(field)).and_then(|text| text.as_str());
    Ok(text.unwrap_or_default().chars().take(SHOWN).collect())
}

/// What a code of docs/sync.md means to a person, and what helps.
fn words(code: &str) -> (&'static str, &'static str) {
    match code {
        "too_large" => {
            ("It is larger than the server takes.", "Shorten it, or keep it on this computer only.")
        }
        "forbidden" => (
            "The server does not let this account change it.",
            "Ask whoever looks after the project, then try again; or give the change up.",
        ),
        "missing" => (
            "The server does not know what it changes.",
            "Try again after a sync, or give the change up.",
        ),
        "unknown_table" | "unknown_kind" => (
            "The server is older than this Tidemark and does not know this kind of change.",
            "Have the server updated, then try again.",
        ),
        _ => (
            "The server does not take it as it is.",
            "Change it, or give the change up; what is shown here stays until then.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_specification_has_its_words() {
        let other = words("something_else");
        for code in ["too_large", "forbidden", "missing", "unknown_table", "unknown_kind"] {
            assert_ne!(words(code), other, "{code}");
        }
        assert_eq!(words("invalid"), other);
    }
}

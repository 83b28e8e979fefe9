//! Values that lost against another device's: shown, and brought back where a person wants that.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ts_rs::TS;

use crate::api::Tidemark;
use crate::error::Result;
use crate::mirror::conflicts::{self, Conflict};
use crate::mirror::{self, conversations, settings, synced};
use crate::model::wire::Table;
use crate::model::{ConversationId, MessageId, Timestamp};

/// So many are listed at most, latest first.
const LISTED: usize = 500;

/// Two devices changed the same thing; one value stands, the other is here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ConflictView {
    /// Names it.
    #[ts(type = "number")]
    pub id: i64,
    /// The conversation that it belongs to.
    pub conversation_id: Option<ConversationId>,
    /// Its title, as it is now.
    pub conversation_title: Option<String>,
    /// The message, where it is one that was changed.
    pub message_id: Option<MessageId>,
    /// The table.
    #[ts(type = "string")]
    pub table: Table,
    /// The setting's key, where it is one that was changed.
    pub setting: Option<String>,
    /// What was changed on both: `title`, `system_prompt`, `body`, a setting's `value`, …
    pub register: String,
    /// The value that stands, as text.
    pub kept: String,
    /// The value that lost, as text.
    pub lost: String,
    /// Whether this device's value lost; else another's lost against this device's.
    pub ours: bool,
    /// The other device, where only one other belongs to the account.
    pub device: Option<String>,
    /// The message that holds the text that lost, beside the one that stands.
    pub copy_id: Option<MessageId>,
    /// Whether both can stand: texts can.
    pub can_keep_both: bool,
    /// When this device learned of it.
    pub at: Timestamp,
}

/// What a person wants of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ConflictChoice {
    /// What stands stays.
    KeepCurrent,
    /// The value that lost takes its place, on all devices.
    BringBack,
    /// Both, one behind the other; a message's two texts stand beside each other already.
    KeepBoth,
}

impl Tidemark {
    /// The conflicts that nobody has settled, latest first: of one conversation, or all.
    ///
    /// # Errors
    /// The mirror cannot be read.
    pub fn conflicts(&self, of: Option<ConversationId>) -> Result<Vec<ConflictView>> {
        self.read(|connection| {
            let found = match of {
                Some(id) => conflicts::of_conversation(connection, id)?,
                None => conflicts::open(connection, LISTED)?,
            };
            let other = synced::only_other_device(connection)?;
            found.into_iter().map(|one| view(connection, one, other.clone())).collect()
        })
    }

    /// Settles a conflict.
    ///
    /// # Errors
    /// There is no such conflict, or the mirror cannot be written.
    pub fn settle_conflict(&self, id: i64, choice: ConflictChoice) -> Result<()> {
        self.write(|write| match choice {
            ConflictChoice::KeepCurrent => conflicts::resolve(write, id),
            ConflictChoice::BringBack => conflicts::bring_back(write, id),
            ConflictChoice::KeepBoth => conflicts::keep_both(write, id),
        })
    }
}

fn view(
    connection: &rusqlite::Connection,
    conflict: Conflict,
    device: Option<String>,
) -> Result<ConflictView, mirror::Error> {
    let title = |id| match conversations::uncounted(connection, id) {
        Ok(conversation) => Ok(Some(conversation.title)),
        Err(mirror::Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    };
    let is_message = conflict.table == Table::Messages;
    let is_setting = conflict.table == Table::Settings;
    let setting = is_setting.then(|| settings::key_of(connection, conflict.row_id)).transpose()?;
    Ok(ConflictView {
        conversation_title: conflict.conversation_id.map(title).transpose()?.flatten(),
        message_id: is_message.then_some(MessageId(conflict.row_id)),
        kept: shown(&conflict.kept, &conflict.register),
        lost: shown(&conflict.lost, &conflict.register),
        can_keep_both: conflicts::can_keep_both(&conflict),
        id: conflict.id,
        conversation_id: conflict.conversation_id,
        table: conflict.table,
        setting: setting.flatten(),
        register: conflict.register,
        ours: conflict.ours,
        device,
        copy_id: conflict.copy_id,
        at: conflict.at,
    })
}

/// A register's value as a person reads it: its main field.
fn shown(values: &Map<String, Value>, register: &str) -> String {
    let main = if mirror::BODY.contains(&register) { "content" } else { register };
    // A setting's value travels as JSON.
    if let ("value", Some(Value::String(text))) = (main, values.get(main))
        && let Ok(Value::String(inner)) = serde_json::from_str(text)
    {
        return inner;
    }
    match values.get(main).or_else(|| values.values().next()) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_shown_as_a_person_reads_it() {
        let values = |value: Value| value.as_object().cloned().unwrap_or_default();
        let title = values(json!({ "title": "Warfarin", "title_by": "person" }));
        assert_eq!(shown(&title, "title"), "Warfarin");
        assert_eq!(shown(&values(json!({ "content": "text", "state": "done" })), "body"), "text");
        assert_eq!(shown(&values(json!({ "value": "\"dark\"" })), "value"), "dark");
        assert_eq!(shown(&values(json!({ "value": "0.7" })), "value"), "0.7");
        assert_eq!(shown(&values(json!({ "pinned": true })), "pinned"), "true");
        assert_eq!(shown(&values(json!({ "model": null })), "model"), "");
    }
}

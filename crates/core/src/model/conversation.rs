//! A conversation: the row that the sidebar shows.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ConversationId, ModelRef, Timestamp};

/// A tree of messages with a title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// What the sidebar shows; empty until the first message names it.
    pub title: String,
    /// Who set the title: a person's is never replaced by a machine's.
    pub title_by: TitleBy,
    /// The model that the next question goes to; none means the default model.
    pub model: Option<ModelRef>,
    /// What the model is told before the first message; none means the default.
    pub system_prompt: Option<String>,
    /// Kept at the top of the sidebar.
    pub pinned: bool,
    /// Out of the sidebar, still found by search.
    pub archived: bool,
    /// When it was put into the trash; purged 30 days later.
    pub trashed_at: Option<Timestamp>,
    /// Where an imported conversation came from.
    pub origin: Option<Origin>,
    /// The id under which the older program continued it.
    pub continuation_id: Option<String>,
    /// Messages in all branches, without trashed ones.
    #[ts(type = "number")]
    pub message_count: i64,
    /// Answers that wait (queued, retrying or needing you); one that arrives is not counted.
    #[ts(type = "number")]
    pub open_count: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a field of the conversation itself last changed.
    pub updated_at: Timestamp,
    /// When it was last written in; the sidebar's order.
    pub active_at: Timestamp,
}

impl Conversation {
    /// A conversation that nothing has been said in and nothing chosen for.
    pub fn blank(id: ConversationId, at: Timestamp) -> Self {
        Self {
            id,
            title: String::new(),
            title_by: TitleBy::Auto,
            model: None,
            system_prompt: None,
            pinned: false,
            archived: false,
            trashed_at: None,
            origin: None,
            continuation_id: None,
            message_count: 0,
            open_count: 0,
            created_at: at,
            updated_at: at,
            active_at: at,
        }
    }
}

/// Who set a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TitleBy {
    /// Taken from the first message.
    Auto,
    /// Typed by a person.
    Person,
    /// Brought by an import.
    Import,
}

/// Where a row came from, when it was not written here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Origin {
    /// The legacy system, such as `pharmgpt-v4`.
    pub system: String,
    /// Its ids there, by name (`user`, `conversation`, `thread`, …).
    #[ts(type = "Record<string, string>")]
    pub ids: std::collections::BTreeMap<String, String>,
}

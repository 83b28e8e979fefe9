//! A message: one node of a conversation's tree.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ConversationId, DeviceId, MessageId, ModelRef, Timestamp};

/// One node of a conversation's tree. Siblings share a parent; the first ones have none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The conversation that it belongs to.
    pub conversation_id: ConversationId,
    /// What it follows; none for the first of a branch.
    pub parent_id: Option<MessageId>,
    /// The answer that this one goes on from, where Continue made a sibling.
    pub continues_id: Option<MessageId>,
    /// Who speaks.
    pub role: Role,
    /// Markdown, always valid Unicode without U+0000.
    pub content: String,
    /// The original bytes in base64, where `content` had to replace what JSON cannot carry.
    pub content_raw: Option<String>,
    /// Attachments, in order.
    pub parts: Vec<Part>,
    /// The model that answered, or will.
    pub model: Option<ModelRef>,
    /// Where it is on its way.
    pub state: MessageState,
    /// Tokens of the prompt, as the provider counted them.
    #[ts(type = "number | null")]
    pub tokens_in: Option<i64>,
    /// Tokens of the answer.
    #[ts(type = "number | null")]
    pub tokens_out: Option<i64>,
    /// Milliseconds from the request to the first token.
    #[ts(type = "number | null")]
    pub first_token_ms: Option<i64>,
    /// Cost in millionths of a US dollar, where a price is known.
    #[ts(type = "number | null")]
    pub cost_micros: Option<i64>,
    /// What an import or a provider told beside the text.
    #[ts(type = "Record<string, unknown> | null")]
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
    /// The device that runs it; only this one may change an unfinished body.
    pub device_id: Option<DeviceId>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the answer ended.
    pub finished_at: Option<Timestamp>,
}

impl Message {
    /// A message that says nothing yet and has its place at the beginning of a branch.
    pub fn blank(
        id: MessageId,
        conversation_id: ConversationId,
        role: Role,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            conversation_id,
            parent_id: None,
            continues_id: None,
            role,
            content: String::new(),
            content_raw: None,
            parts: Vec::new(),
            model: None,
            state: MessageState::Done,
            tokens_in: None,
            tokens_out: None,
            first_token_ms: None,
            cost_micros: None,
            metadata: None,
            device_id: None,
            created_at: at,
            updated_at: at,
            finished_at: None,
        }
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
    /// Instructions inside a thread, from an import.
    System,
    /// The result of a tool, from an import.
    Tool,
}

/// Where a message is on its way. What a person writes is `done` at once; an answer passes from
/// `queued` to one of the final states. (The draft before it is a row of its own.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Waits for its turn or for a connection; goes out by itself.
    Queued,
    /// The request is on its way; no token yet.
    Sending,
    /// Tokens are arriving.
    Streaming,
    /// The provider asked for patience; the send queue knows until when.
    Retrying,
    /// Waits for a person: a key, another model.
    NeedsYou,
    /// Complete.
    Done,
    /// The person stopped it.
    Stopped,
    /// The connection or the app ended in the middle.
    Interrupted,
}

impl MessageState {
    /// Whether the body will not change any more by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Stopped | Self::Interrupted)
    }
}

/// An attachment of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Part {
    /// `image`, `audio`, `pdf` or `file`.
    pub kind: String,
    /// The name that a person saw.
    pub name: Option<String>,
    /// The media type, by content.
    pub mime: Option<String>,
    /// SHA-256 of the bytes in hex, where they are here.
    pub sha256: Option<String>,
    /// Size in bytes.
    #[ts(type = "number | null")]
    pub bytes: Option<i64>,
    /// Where the bytes are, when the old program kept only a link.
    pub url: Option<String>,
}

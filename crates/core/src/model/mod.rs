//! Typed ids and rows; no input or output.
//!
//! What stands here is what the mirror stores, the api returns and TypeScript sees: one name for a
//! thing on every side. Times are [`Timestamp`]: integer milliseconds in SQLite, RFC 3339 in JSON.

mod conversation;
mod hex;
mod ids;
mod message;
mod provider;
pub mod setting;
mod time;
pub mod view;
pub mod wire;

pub use conversation::{Conversation, Origin, TitleBy};
pub use hex::hex;
pub use ids::{ConversationId, DeviceId, DocumentId, FileId, MessageId, UsageId};
pub use message::{Message, MessageState, Part, Role};
pub use provider::{ModelInfo, ModelRef, ProviderConfig, ProviderKind};
pub use time::Timestamp;

/// The largest message body, in bytes of UTF-8. Longer text is offered as a document.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;
/// The longest title, in characters. Longer ones are cut, with an ellipsis.
pub const MAX_TITLE_CHARS: usize = 200;

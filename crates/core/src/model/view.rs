//! The types that the window and the command line both speak, beside the rows: what is
//! read out of several rows at once, and what is asked for.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ts_rs::TS;

use super::{
    Conversation, ConversationId, DocumentId, Message, MessageId, ModelInfo, ModelRef, Origin,
    ProviderConfig, ProviderKind, Timestamp,
};
use crate::error::Failure;

/// What the window shows first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum AppState {
    /// The mirror is open.
    Ready {
        /// Whether first run is behind us.
        first_run_done: bool,
        /// The folder of the mirror, to be shown.
        data_dir: String,
        /// The mirror's id, which names its keyring entries.
        mirror_id: String,
        /// The program's version.
        version: String,
        /// How the key is kept.
        key: KeyStore,
        /// What was saved from a damaged mirror at this start, once.
        salvaged: Option<SalvageReport>,
    },
    /// The key is not at hand: a passphrase or a recovery key opens it.
    Locked {
        /// Why.
        failure: Failure,
        /// Whether a passphrase was set on this mirror (else only the recovery key opens it).
        has_passphrase: bool,
    },
    /// There is no mirror yet and no keyring to keep a key in: a passphrase must be chosen.
    NeedsPassphrase {
        /// Why the keyring cannot be used.
        failure: Failure,
    },
    /// The mirror cannot be used now; nothing was changed.
    Failed {
        /// Why.
        failure: Failure,
        /// The folder of the mirror.
        data_dir: String,
    },
}

/// Where the mirror's key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum KeyStore {
    /// The system's keyring.
    Keyring,
    /// Derived from a passphrase at each start.
    Passphrase,
    /// A file that `TIDEMARK_KEY_FILE` names.
    File,
}

/// What was saved from a damaged mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SalvageReport {
    /// Where the damaged file was set aside.
    pub set_aside: String,
    /// Rows that were read and are here.
    #[ts(type = "number")]
    pub rows_saved: i64,
    /// Rows that are known to have been there and could not be read.
    #[ts(type = "number")]
    pub rows_lost: i64,
    /// Per table: saved and lost.
    pub tables: Vec<SalvagedTable>,
}

/// One line of a [`SalvageReport`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SalvagedTable {
    /// The table.
    pub table: String,
    /// Rows that are here.
    #[ts(type = "number")]
    pub saved: i64,
    /// Rows that could not be read.
    #[ts(type = "number")]
    pub lost: i64,
}

/// Which conversations a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Shelf {
    /// Neither archived nor trashed; pinned first.
    #[default]
    Active,
    /// Archived.
    Archived,
    /// In the trash, latest first.
    Trash,
}

/// A part of a thread: one branch, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ThreadPage {
    /// The conversation.
    pub conversation: Conversation,
    /// Messages of the branch that is shown, oldest first.
    pub messages: Vec<ThreadMessage>,
    /// Whether the branch has older messages than these.
    pub has_before: bool,
    /// Whether the branch has newer messages than these.
    pub has_after: bool,
}

/// A message as a thread shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ThreadMessage {
    /// The row.
    #[serde(flatten)]
    pub message: Message,
    /// Its place among those with the same parent.
    pub siblings: Siblings,
    /// Its place in the send queue, while it has one.
    pub waiting: Option<Waiting>,
}

/// A message's place among its siblings; `count` is 1 where there is no choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Siblings {
    /// From 0, oldest first.
    #[ts(type = "number")]
    pub index: i64,
    /// How many there are.
    #[ts(type = "number")]
    pub count: i64,
    /// The one before, for Alt+←.
    pub previous_id: Option<MessageId>,
    /// The one after, for Alt+→.
    pub next_id: Option<MessageId>,
}

/// Why an answer has not come yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Waiting {
    /// How often it was tried.
    #[ts(type = "number")]
    pub attempts: i64,
    /// When it is tried again, where that is known.
    pub retry_at: Option<Timestamp>,
    /// What went wrong last.
    pub failure: Option<Failure>,
    /// The answer of the same conversation that must come first.
    pub behind: Option<MessageId>,
    /// Whether it waits for a yes, because it waited long and costs money.
    pub held: bool,
    /// When it was put in.
    pub queued_at: Timestamp,
}

/// What to send.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct SendRequest {
    /// Where to; none starts a new conversation.
    pub conversation_id: Option<ConversationId>,
    /// What it follows; none means the end of the branch that is shown.
    #[serde(default)]
    pub parent_id: Option<MessageId>,
    /// Markdown, at most 1 MiB.
    pub content: String,
    /// The original bytes in base64, where `content` had to replace what JSON cannot carry.
    #[serde(default)]
    pub content_raw: Option<String>,
    /// The model to ask; none means the conversation's, else the default.
    #[serde(default)]
    pub model: Option<ModelRef>,
}

/// What was stored when something was sent, regenerated, edited or continued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Sent {
    /// Where.
    pub conversation_id: ConversationId,
    /// The person's message; none where only an answer was asked for.
    pub message_id: Option<MessageId>,
    /// The answer to come; none where none was asked for.
    pub answer_id: Option<MessageId>,
}

/// What the followed answer does. The first one carries the text so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StreamEvent {
    /// The whole text so far; replaces what was shown.
    Snapshot {
        /// The text.
        content: String,
    },
    /// More text, to be appended.
    Text {
        /// The text.
        text: String,
    },
    /// It ended; read the message again.
    End,
}

/// Something that a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SearchHit {
    /// Where.
    pub conversation_id: ConversationId,
    /// The message; none where the title matched.
    pub message_id: Option<MessageId>,
    /// The conversation's title.
    pub title: String,
    /// The passage around the first match, on one line.
    pub snippet: String,
    /// Which parts of `snippet` matched: starts and ends in UTF-16 code units.
    #[ts(type = "Array<[number, number]>")]
    pub highlights: Vec<(u32, u32)>,
    /// Whether the conversation is archived or in the trash.
    pub shelf: Shelf,
    /// When the message was written, or the conversation last active.
    pub created_at: Timestamp,
}

/// What to search for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct SearchRequest {
    /// Words as a person types them; quotes keep words together, the last word may be unfinished.
    pub text: String,
    /// Only in this conversation.
    #[serde(default)]
    pub conversation_id: Option<ConversationId>,
    /// At most so many hits; 50 where none is given, 200 at most.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub limit: Option<u32>,
}

/// A model that can be chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ModelEntry {
    /// How it is named everywhere.
    pub model: ModelRef,
    /// What a person reads, such as `SmolLM2 135M`.
    pub name: String,
    /// What its provider is called, such as `This computer`.
    pub provider_name: String,
    /// How it is spoken to.
    pub provider_kind: ProviderKind,
    /// Whether it can work now.
    pub available: bool,
    /// Why not.
    pub reason: Option<String>,
    /// Whether it is the default.
    pub is_default: bool,
    /// Prices and limits, where they are known.
    pub info: ModelInfo,
}

/// A provider, as the settings show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ProviderView {
    /// As configured.
    #[serde(flatten)]
    pub config: ProviderConfig,
    /// Whether a key is stored for it.
    pub has_key: bool,
}

/// A local model of the catalogue, or one that the person added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct LocalModel {
    /// Its id: the second part of its [`ModelRef`].
    pub id: String,
    /// What a person reads.
    pub name: String,
    /// Why one would choose it, in a sentence.
    pub about: String,
    /// Its licence, by SPDX id or name.
    pub license: String,
    /// Size of the file in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Where it is downloaded from; none for a file that the person pointed at.
    pub url: Option<String>,
    /// SHA-256 of the file in hex, checked before first use.
    pub sha256: Option<String>,
    /// Where it stands.
    pub state: LocalModelState,
}

/// Where a local model stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum LocalModelState {
    /// Not on this computer.
    Absent,
    /// On its way.
    Downloading {
        /// Bytes that are here.
        #[ts(type = "number")]
        received: u64,
        /// Bytes in all.
        #[ts(type = "number")]
        total: u64,
    },
    /// Part of it is here; downloading goes on from there.
    Paused {
        /// Bytes that are here.
        #[ts(type = "number")]
        received: u64,
        /// Why it stopped, where it was not the person.
        failure: Option<Failure>,
    },
    /// Ready to be used.
    Ready {
        /// Where the file is.
        path: String,
    },
    /// The file is there and cannot be used.
    Broken {
        /// Why.
        failure: Failure,
    },
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Setting {
    /// Its key, such as `theme`.
    pub key: String,
    /// Its value, checked when it is set.
    #[ts(type = "unknown")]
    pub value: serde_json::Value,
    /// What it is when nobody sets it.
    #[ts(type = "unknown")]
    pub default: serde_json::Value,
    /// What it does, in a sentence.
    pub about: String,
}

/// What Ctrl+Z would take back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Undoable {
    /// Counts up; an older one can no longer be taken back through a toast of its own.
    #[ts(type = "number")]
    pub id: u64,
    /// What was done, such as `Moved "Warfarin" to the trash`.
    pub label: String,
    /// The conversation that it concerns.
    pub conversation_id: ConversationId,
}

/// What `doctor` found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct DoctorReport {
    /// Whether there is no finding.
    pub ok: bool,
    /// What is wrong, in sentences.
    pub findings: Vec<String>,
    /// The program's version.
    pub version: String,
    /// SQLite's, SQLCipher's and the schema's versions.
    pub versions: std::collections::BTreeMap<String, String>,
    /// The mirror's id.
    pub mirror_id: String,
    /// How the key is kept.
    pub key: KeyStore,
    /// What SQLite's own check says: `ok`, or its complaints.
    pub integrity: Vec<String>,
    /// Rows per table, and of the search index.
    #[ts(type = "Record<string, number>")]
    pub counts: std::collections::BTreeMap<String, i64>,
    /// Bytes of the mirror, its log included.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// How a conversation is written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Everything, losslessly.
    Json,
    /// The branch that is shown, as Markdown.
    Md,
}

/// One conversation, whole: what an export holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ExportedConversation {
    /// The row.
    #[serde(flatten)]
    pub conversation: Conversation,
    /// What no column of it holds: what an older program knew.
    #[serde(default)]
    #[ts(type = "Record<string, unknown> | null")]
    pub metadata: Option<Map<String, Value>>,
    /// The end of the branch that is shown.
    #[serde(default)]
    pub shown: Option<MessageId>,
    /// All messages of all branches, oldest first.
    pub messages: Vec<Message>,
    /// Those in the trash.
    #[serde(default)]
    pub trashed: Vec<TrashedMessage>,
    /// The bytes that hang on them, as far as they are here.
    #[serde(default)]
    pub files: Vec<ExportedFile>,
    /// The documents that belong to it.
    #[serde(default)]
    pub documents: Vec<ExportedDocument>,
}

/// A document of which an older program left nothing but its text, in pieces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ExportedDocument {
    /// Its id.
    pub id: DocumentId,
    /// The conversation that it belongs to.
    pub conversation_id: Option<ConversationId>,
    /// Its name.
    pub title: String,
    /// Its type.
    pub mime: Option<String>,
    /// Its size, in bytes.
    #[ts(type = "number | null")]
    pub bytes: Option<i64>,
    /// The old program and its ids.
    pub origin: Option<Origin>,
    /// What no column holds.
    #[ts(type = "Record<string, unknown> | null")]
    pub metadata: Option<Map<String, Value>>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when it is in the trash.
    #[serde(default)]
    pub trashed_at: Option<Timestamp>,
    /// The pieces, in order; they overlap.
    pub fragments: Vec<String>,
}

/// Bytes that hang on messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ExportedFile {
    /// As the messages' parts name them.
    pub sha256: String,
    /// The bytes.
    pub base64: String,
}

/// A message in the trash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct TrashedMessage {
    /// The row.
    #[serde(flatten)]
    pub message: Message,
    /// Since when.
    pub deleted_at: Timestamp,
}

/// A file of conversations, written by `tidemarkctl export` and read back by the import.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Export {
    /// Always `tidemark-export`.
    pub format: String,
    /// The version of this format; 1.
    #[ts(type = "number")]
    pub version: u32,
    /// When it was written.
    pub exported_at: Timestamp,
    /// The conversations, whole.
    pub conversations: Vec<ExportedConversation>,
    /// Documents that belong to no conversation.
    #[serde(default)]
    pub documents: Vec<ExportedDocument>,
}

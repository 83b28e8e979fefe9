//! What every source yields: records of no program in particular.
//!
//! A source hands them out one by one, in the order of its files; a conversation comes whole, with its
//! messages. Nothing in here is a row yet: ids are derived later (`ids.rs`) from [`Conversation::key`],
//! [`Message::key`] and who owned them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ts_rs::TS;

use super::{Text, When};
use crate::model::view::ExportedDocument;
use crate::model::{ConversationId, MessageId, Role, Timestamp};

/// One thing that a source found.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Somebody whose chats these are.
    Owner(Owner),
    /// A conversation with all its messages.
    Conversation(Box<Conversation>),
    /// A document, as far as the old program kept it.
    Document(Box<Document>),
    /// Something that will not come over.
    Skip(Skip),
    /// Something that is there a second time; the other one comes over.
    Duplicate(Skip),
    /// Something that comes over, and is worth a word.
    Note(Note),
}

/// Somebody whose chats these are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Owner {
    /// Names them within this source, and nothing else; never a path.
    pub key: String,
    /// What they called themselves; none for an orphaned folder.
    pub name: Option<Text>,
    /// Their address, where one was asked for.
    pub email: Option<String>,
    /// How their old password can be checked here, and only here.
    pub proof: Option<Proof>,
}

/// `sha256(password + salt)`, as PharmGPT kept it. Proves ownership on this computer, never a login.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof {
    /// In lower-case hexadecimal.
    pub hash: String,
    /// Appended to the password as text.
    pub salt: String,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proof(…)")
    }
}

/// A conversation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conversation {
    /// Its owner's [`Owner::key`]; none where the source knows of one person only.
    pub owner: Option<String>,
    /// Names it among its owner's: the old id, else something as lasting. Never a path.
    pub key: String,
    /// The id itself, where it is one of ours: our own export's.
    pub own_id: Option<ConversationId>,
    /// As the old program showed it.
    pub title: Text,
    /// When it was begun.
    pub created: When,
    /// When it was last changed.
    pub updated: When,
    /// `provider/model`, or the old program's name for it.
    pub model: Option<String>,
    /// What the model was told beforehand.
    pub system_prompt: Option<Text>,
    /// At the top of the list.
    pub pinned: bool,
    /// Out of the list.
    pub archived: bool,
    /// In the trash.
    pub trashed: bool,
    /// EX-AI's thread id.
    pub continuation_id: Option<String>,
    /// Ids of the old program, by their old names, for provenance.
    pub ids: BTreeMap<String, String>,
    /// What else is worth keeping, as JSON.
    pub metadata: Map<String, Value>,
    /// Parents before children.
    pub messages: Vec<Message>,
    /// Messages of the old program that are none here: hidden ones, and steps towards an answer that
    /// stand in its metadata. Its count is that of `messages` and these.
    pub folded: usize,
    /// The end of the branch that the old program showed: an index into `messages`. None: the last one.
    pub shown: Option<usize>,
    /// Where it stands: file, and place in it.
    pub place: Place,
    /// The row itself, from an export of Tidemark: it keeps its id and all that it has.
    pub own: Option<Box<crate::model::Conversation>>,
    /// The bytes that its messages name by their hash, from an export of Tidemark.
    pub files: Vec<Vec<u8>>,
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The old id; none where the old program gave messages none.
    pub key: Option<String>,
    /// The id itself, where it is one of ours: our own export's.
    pub own_id: Option<MessageId>,
    /// The message that it follows: an earlier index. None: it begins a branch.
    pub parent: Option<usize>,
    /// Who speaks.
    pub role: Role,
    /// As it was written: not trimmed, not normalised.
    pub content: Text,
    /// When.
    pub at: When,
    /// `provider/model`, or the old program's name for it.
    pub model: Option<String>,
    /// Tokens of the question.
    pub tokens_in: Option<i64>,
    /// Tokens of the answer.
    pub tokens_out: Option<i64>,
    /// Millionths of a US dollar.
    pub cost_micros: Option<i64>,
    /// The answer broke off.
    pub interrupted: bool,
    /// In the trash since.
    pub trashed: Option<Timestamp>,
    /// What hung on it.
    pub attachments: Vec<Attachment>,
    /// What else is worth keeping, as JSON: feedback, reasoning, sources, ids of other systems.
    pub metadata: Map<String, Value>,
    /// The row itself, from an export of Tidemark: it keeps its id and all that it has.
    pub own: Option<Box<crate::model::Message>>,
}

impl Message {
    /// A message with nothing but its text.
    pub fn new(role: Role, content: Text, at: When) -> Self {
        Self {
            key: None,
            own_id: None,
            parent: None,
            role,
            content,
            at,
            model: None,
            tokens_in: None,
            tokens_out: None,
            cost_micros: None,
            interrupted: false,
            trashed: None,
            attachments: Vec::new(),
            metadata: Map::new(),
            own: None,
        }
    }
}

/// Something that hung on a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attachment {
    /// `image`, `audio`, `pdf`, `file`.
    pub kind: String,
    /// Its file name; never a path.
    pub name: Option<Text>,
    /// By its content, where the bytes are here; else as the old program said.
    pub mime: Option<String>,
    /// The bytes, where the export has them in itself.
    pub bytes: Option<Vec<u8>>,
    /// The file beside the export that has them; below the root, and listed there. `read` reads it.
    pub file: Option<PathBuf>,
    /// Where it was, where the export has only that.
    pub url: Option<String>,
}

/// A document, as far as the old program kept it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// Its owner's [`Owner::key`].
    pub owner: Option<String>,
    /// The [`Conversation::key`] that it belongs to.
    pub conversation: Option<String>,
    /// Names it within its owner and conversation.
    pub key: String,
    /// Its file name; never a path.
    pub name: Text,
    /// Its type.
    pub mime: Option<String>,
    /// Its size, in bytes, where it was kept.
    pub bytes: Option<i64>,
    /// When it was added.
    pub added: When,
    /// The text pieces that the old program had cut it into, in order; they overlap.
    pub fragments: Vec<Text>,
    /// How many pieces the old program claims.
    pub claimed: Option<i64>,
    /// Ids of the old program.
    pub ids: BTreeMap<String, String>,
    /// What else is worth keeping.
    pub metadata: Map<String, Value>,
    /// All that it is, where that is a row already; its pieces stand above.
    pub own: Option<Box<ExportedDocument>>,
    /// Where it stands.
    pub place: Place,
}

/// Where something stands.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS,
)]
pub struct Place {
    /// The file, below the source's folder, with `/`.
    pub path: String,
    /// The place in it: an id, a line, a number, an offset.
    pub locator: String,
}

/// Something that will not come over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Skip {
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// Why, in a sentence.
    pub reason: String,
    /// What it would have been.
    pub what: Kind,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A whole file.
    File,
    /// Somebody.
    User,
    /// A conversation.
    Conversation,
    /// A message.
    Message,
    /// A document.
    Document,
    /// A piece of a document's text.
    Fragment,
    /// Something that hung on a message.
    Attachment,
}

/// Something that comes over, and is worth a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Note {
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// What is worth knowing, in a sentence.
    pub text: String,
}

impl Place {
    /// A place in a file.
    pub fn new(path: impl Into<String>, locator: impl std::fmt::Display) -> Self {
        Self { path: path.into(), locator: locator.to_string() }
    }

    /// Something that stands here does not come over.
    pub fn skip(&self, what: Kind, reason: impl Into<String>) -> Item {
        Item::Skip(Skip { place: self.clone(), reason: reason.into(), what })
    }

    /// What stands here is there a second time; the other one comes over.
    pub fn duplicate(&self, what: Kind, reason: impl Into<String>) -> Item {
        Item::Duplicate(Skip { place: self.clone(), reason: reason.into(), what })
    }

    /// Something about what stands here is worth a word.
    pub fn note(&self, text: impl Into<String>) -> Item {
        Item::Note(Note { place: self.clone(), text: text.into() })
    }
}

//! From the records of a source to the rows of the mirror: the same rows at every reading.

use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::ids::{MessageKey, Origin as Names};
use super::record::{self, Attachment, Kind, Owner};
use super::report::Counts;
use super::{Item, Text, When};
use crate::chat::body;
use crate::model::{
    self, ConversationId, DocumentId, MAX_MESSAGE_BYTES, MessageId, MessageState, ModelRef, Part,
    Role, Timestamp, TitleBy,
};
use crate::sync::digest::hex;

/// A conversation as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Its own row.
    pub conversation: model::Conversation,
    /// What no column holds.
    pub metadata: Map<String, Value>,
    /// Its messages, parents before children.
    pub messages: Vec<model::Message>,
    /// The end of the branch that is shown.
    pub shown: Option<MessageId>,
    /// Bytes that hang on its messages, by their hash.
    pub blobs: Vec<([u8; 32], Vec<u8>)>,
    /// What of it cannot be a row.
    pub skips: Vec<Item>,
    /// Some time named no zone.
    pub assumed_zone: bool,
    /// Messages of the old program that are none here.
    pub folded: u64,
}

impl Rows {
    /// Messages with what is folded into them, and what hangs on those that are meant.
    pub fn counts(&self, is_meant: impl Fn(MessageId) -> bool) -> Counts {
        let meant = self.messages.iter().filter(|message| is_meant(message.id));
        let (messages, attachments) = meant.fold((0, 0), |(messages, attachments), message| {
            (messages + 1, attachments + message.parts.len() as u64)
        });
        let messages = messages + self.folded;
        Counts { messages, attachments, folded: self.folded, ..Counts::default() }
    }
}

/// The rows of a conversation.
pub fn of_conversation(system: &str, found: record::Conversation, owner: Option<&Owner>) -> Rows {
    let names = Names {
        system,
        owner: found.owner.as_deref().unwrap_or_default(),
        conversation: &found.key,
    };
    let id = found.own_id.unwrap_or_else(|| names.conversation_id());
    let mut made = Making {
        names,
        id,
        used: HashSet::new(),
        before: found.created.at.unwrap_or_default(),
        rows: Vec::with_capacity(found.messages.len()),
        blobs: Vec::new(),
        skips: Vec::new(),
        assumed_zone: found.created.assumed,
        place: &found.place,
    };
    let ids: Vec<_> =
        found.messages.iter().enumerate().map(|(n, one)| made.message_id(n, one)).collect();
    let mut parents: Vec<Option<MessageId>> = Vec::with_capacity(ids.len());
    for (number, message) in found.messages.iter().enumerate() {
        // Where a message is left out, those behind it follow the one before it.
        let parent = message.parent.filter(|parent| *parent < number);
        let above = parent.and_then(|parent| match made.is_left_out(&found.messages[parent]) {
            true => parents[parent],
            false => Some(ids[parent]),
        });
        parents.push(above);
        made.message(message, ids[number], above);
    }
    let shown = found.shown.and_then(|shown| ids.get(shown)).copied();
    let (rows, blobs, skips, assumed_zone) = (made.rows, made.blobs, made.skips, made.assumed_zone);
    let conversation = conversation(system, &found, owner, id, &rows);
    let mut metadata = found.metadata;
    if let Some(model) = &found.model {
        metadata.insert("model".into(), json!(model));
    }
    keep_time(&mut metadata, "created", &found.created);
    keep_bytes(&mut metadata, "title", &found.title);
    let shown = shown.filter(|shown| rows.iter().any(|row| row.id == *shown));
    let folded = found.folded as u64;
    Rows { conversation, metadata, messages: rows, shown, blobs, skips, assumed_zone, folded }
}

fn conversation(
    system: &str,
    found: &record::Conversation,
    owner: Option<&Owner>,
    id: ConversationId,
    messages: &[model::Message],
) -> model::Conversation {
    if let Some(own) = &found.own {
        return own.as_ref().clone();
    }
    let first = messages.iter().map(|message| message.created_at).min();
    let created = found.created.at.or(first).unwrap_or_default();
    let last = messages.iter().map(|message| message.created_at).max().unwrap_or(created);
    let updated = found.updated.at.unwrap_or(last).max(created);
    model::Conversation {
        title: body::title(&found.title.shown),
        title_by: TitleBy::Import,
        system_prompt: found.system_prompt.as_ref().map(|prompt| prompt.shown.clone()),
        pinned: found.pinned,
        archived: found.archived,
        trashed_at: found.trashed.then_some(updated),
        origin: Some(origin(system, &found.key, &found.ids, owner)),
        continuation_id: found.continuation_id.clone(),
        updated_at: updated,
        active_at: last,
        ..model::Conversation::blank(id, created)
    }
}

fn origin(
    system: &str,
    key: &str,
    ids: &BTreeMap<String, String>,
    owner: Option<&Owner>,
) -> model::Origin {
    let mut ids = ids.clone();
    ids.entry("id".into()).or_insert_with(|| key.to_owned());
    if let Some(owner) = owner {
        ids.insert("user_id".into(), owner.key.clone());
        if let Some(name) = &owner.name {
            ids.insert("user".into(), name.shown.clone());
        }
    }
    model::Origin { system: system.to_owned(), ids }
}

struct Making<'a> {
    names: Names<'a>,
    id: ConversationId,
    used: HashSet<MessageId>,
    before: Timestamp,
    rows: Vec<model::Message>,
    blobs: Vec<([u8; 32], Vec<u8>)>,
    skips: Vec<Item>,
    assumed_zone: bool,
    place: &'a record::Place,
}

impl Making<'_> {
    fn message_id(&mut self, number: usize, message: &record::Message) -> MessageId {
        let old = message.own_id.or_else(|| {
            let key = message.key.as_deref()?;
            Some(self.names.message_id(MessageKey::Old(key)))
        });
        // An id that comes twice names only the first.
        if let Some(id) = old.filter(|id| self.used.insert(*id)) {
            return id;
        }
        let (number, role) = (number.to_string(), role(message.role));
        let content = hex(&Sha256::digest(message.content.bytes()));
        let place = MessageKey::Place { number: &number, role, content: &content };
        let id = self.names.message_id(place);
        self.used.insert(id);
        id
    }

    fn is_left_out(&self, message: &record::Message) -> bool {
        message.content.bytes().len() > MAX_MESSAGE_BYTES
            || message.content.shown.len() > MAX_MESSAGE_BYTES
    }

    fn message(&mut self, found: &record::Message, id: MessageId, parent: Option<MessageId>) {
        if self.is_left_out(found) {
            let mib = found.content.bytes().len() as f64 / MAX_MESSAGE_BYTES as f64;
            let reason = format!("A message holds 1 MiB at most, and this one has {mib:.1} MiB.");
            self.skips.push(self.place.skip(Kind::Message, reason));
            return;
        }
        if let Some(own) = &found.own {
            // Our own export: as it was, down to its ids.
            self.rows.push(model::Message { parent_id: parent, ..own.as_ref().clone() });
            return;
        }
        let at = found.at.at.unwrap_or(self.before);
        self.before = at;
        self.assumed_zone |= found.at.assumed;
        let mut metadata = found.metadata.clone();
        keep_time(&mut metadata, "created", &found.at);
        if let Some(key) = &found.key {
            metadata.insert("legacy_id".into(), json!(key));
        }
        let parts = found.attachments.iter().map(|one| self.part(one)).collect();
        let state = if found.interrupted { MessageState::Interrupted } else { MessageState::Done };
        self.rows.push(model::Message {
            parent_id: parent,
            content: found.content.shown.clone(),
            content_raw: found.content.raw.as_ref().map(|raw| BASE64.encode(raw)),
            parts,
            model: found.model.as_deref().map(|name| self.model(name)),
            state,
            tokens_in: found.tokens_in,
            tokens_out: found.tokens_out,
            cost_micros: found.cost_micros,
            metadata: (!metadata.is_empty()).then_some(metadata),
            finished_at: Some(at),
            ..model::Message::blank(id, self.id, found.role, at)
        });
    }

    /// The old program stands for its provider, so that no provider of ours is taken for it.
    fn model(&self, name: &str) -> ModelRef {
        ModelRef::new(self.names.system, name)
    }

    fn part(&mut self, found: &Attachment) -> Part {
        // A file that went away since it was found is like one that the export never had.
        let bytes = found.read().ok().flatten();
        let (hash, size) = match &bytes {
            Some(bytes) => (Some(Sha256::digest(bytes).into()), Some(bytes.len() as i64)),
            None => (None, None),
        };
        self.blobs.extend(hash.zip(bytes));
        Part {
            kind: found.kind.clone(),
            name: found.name.as_ref().map(|name| name.shown.clone()),
            mime: found.mime.clone(),
            sha256: hash.map(|hash: [u8; 32]| hex(&hash)),
            bytes: size,
            url: found.url.clone(),
        }
    }
}

/// A document as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentRows {
    /// Its id.
    pub id: DocumentId,
    /// The conversation that it belongs to.
    pub conversation_id: Option<ConversationId>,
    /// Its name.
    pub title: String,
    /// Its type.
    pub mime: Option<String>,
    /// Its size, in bytes.
    pub bytes: Option<i64>,
    /// The old program and its ids.
    pub origin: model::Origin,
    /// What no column holds.
    pub metadata: Map<String, Value>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Its text, in pieces.
    pub fragments: Vec<String>,
}

/// The rows of a document.
pub fn of_document(system: &str, found: record::Document, owner: Option<&Owner>) -> DocumentRows {
    let of_owner = found.owner.as_deref().unwrap_or_default();
    let conversation = found.conversation.as_deref().unwrap_or_default();
    let names = Names { system, owner: of_owner, conversation };
    let conversation_id = found.conversation.is_some().then(|| names.conversation_id());
    let mut metadata = found.metadata;
    // The bytes themselves are kept nowhere.
    metadata.insert("only_fragments".into(), json!(true));
    if let Some(claimed) = found.claimed {
        metadata.insert("claimed_fragments".into(), json!(claimed));
    }
    keep_time(&mut metadata, "added", &found.added);
    keep_bytes(&mut metadata, "name", &found.name);
    DocumentRows {
        id: names.document_id(&found.key),
        conversation_id,
        title: body::title(&found.name.shown),
        mime: found.mime,
        bytes: found.bytes,
        origin: origin(system, &found.key, &found.ids, owner),
        metadata,
        created_at: found.added.at.unwrap_or_default(),
        fragments: found.fragments.into_iter().map(|fragment| fragment.shown).collect(),
    }
}

/// A time of which something was assumed, or that could not be understood, keeps its text.
fn keep_time(metadata: &mut Map<String, Value>, name: &str, when: &When) {
    if let Some(original) = &when.original {
        metadata.insert(format!("{name}_text"), json!(original));
    }
}

fn keep_bytes(metadata: &mut Map<String, Value>, name: &str, text: &Text) {
    if let Some(raw) = &text.raw {
        metadata.insert(format!("{name}_raw"), json!(BASE64.encode(raw)));
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::System => "system",
        Role::Tool => "tool",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Conversation, Message};

    fn found(texts: &[&str]) -> Conversation {
        let message = |(n, text): (usize, &&str)| Message {
            parent: n.checked_sub(1),
            ..Message::new(Role::User, Text::from(*text), When::default())
        };
        let messages = texts.iter().enumerate().map(message).collect();
        Conversation { key: "c".into(), messages, ..Conversation::default() }
    }

    fn rows(texts: &[&str]) -> Rows {
        of_conversation("test", found(texts), None)
    }

    #[test]
    fn the_same_conversation_has_the_same_rows_and_a_grown_one_keeps_its_ids() {
        let (once, again) = (rows(&["a", "b"]), rows(&["a", "b"]));
        assert_eq!(once, again);
        let grown = rows(&["a", "b", "c"]);
        assert_eq!(grown.messages[..2], once.messages[..]);
        assert_eq!(grown.messages[2].parent_id, Some(once.messages[1].id));
    }

    #[test]
    fn the_same_text_three_times_is_three_messages() {
        let ids: HashSet<_> = rows(&["a", "a", "a"]).messages.iter().map(|one| one.id).collect();
        assert_eq!(ids.len(), 3);
    }

    #[test]
    fn an_old_id_that_comes_twice_names_only_the_first() {
        let mut twice = found(&["a", "b"]);
        twice.messages.iter_mut().for_each(|message| message.key = Some("old".into()));
        let rows = of_conversation("test", twice, None);
        assert_ne!(rows.messages[0].id, rows.messages[1].id);
    }

    #[test]
    fn a_message_that_is_too_large_is_named_and_those_behind_it_follow_the_one_before() {
        let large = "x".repeat(MAX_MESSAGE_BYTES + 1);
        let rows = rows(&["a", &large, "c"]);
        assert_eq!((rows.messages.len(), rows.skips.len()), (2, 1));
        assert_eq!(rows.messages[1].parent_id, Some(rows.messages[0].id));
    }

    #[test]
    fn an_old_model_is_no_model_of_a_provider_of_ours() {
        let mut one = found(&["a"]);
        one.messages[0].model = Some("openai/gpt-4".into());
        let rows = of_conversation("test", one, None);
        assert_eq!(rows.messages[0].model.as_ref().map(ModelRef::provider), Some("test"));
    }
}

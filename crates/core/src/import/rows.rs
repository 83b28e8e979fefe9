//! From the records of a source to the rows of the mirror: the same rows at every reading.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::ids::{MessageKey, Origin as Names};
use super::record::{self, Attachment, Kind, Owner};
use super::report::Counts;
use super::{Item, Text, When};
use crate::chat::body;
use crate::model::hex;
use crate::model::view::ExportedDocument;
use crate::model::{
    self, ConversationId, DocumentId, MAX_MESSAGE_BYTES, MessageId, MessageState, ModelRef, Part,
    Role, Timestamp, TitleBy,
};

/// A conversation as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Its own row.
    pub conversation: model::Conversation,
    /// What no column holds.
    pub metadata: Map<String, Value>,
    /// Its messages, parents before children.
    pub messages: Vec<model::Message>,
    /// Those of them that are in the trash, and since when.
    pub trashed: Vec<(MessageId, Timestamp)>,
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
    /// Messages that this reading has told of before with the same text, and perhaps with other things
    /// beside it: what was told first is what stands.
    pub again: HashSet<MessageId>,
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

/// The messages that a reading has told of, and what each says: a conversation may come in several files.
#[derive(Debug, Default)]
pub struct Told(HashMap<MessageId, u64>);

/// The rows of a conversation.
pub fn of_conversation(
    system: &str,
    mut found: record::Conversation,
    owner: Option<&Owner>,
    told: &mut Told,
) -> Rows {
    let messages = std::mem::take(&mut found.messages);
    let files = std::mem::take(&mut found.files).into_iter();
    let names = Names {
        system,
        owner: found.owner.as_deref().unwrap_or_default(),
        conversation: &found.key,
    };
    let id = found.own_id.unwrap_or_else(|| names.conversation_id());
    let mut made = Making {
        names,
        id,
        told,
        used: HashSet::new(),
        again: HashSet::new(),
        before: found.created.at.unwrap_or_default(),
        rows: Vec::with_capacity(messages.len()),
        trashed: Vec::new(),
        blobs: files.map(|bytes| (Sha256::digest(&bytes).into(), bytes)).collect(),
        skips: Vec::new(),
        assumed_zone: found.created.assumed,
        place: &found.place,
    };
    let ids: Vec<_> = messages.iter().enumerate().map(|(n, one)| made.message_id(n, one)).collect();
    let are_left_out: Vec<_> = messages.iter().map(is_left_out).collect();
    let mut parents: Vec<Option<MessageId>> = Vec::with_capacity(ids.len());
    for (number, message) in messages.into_iter().enumerate() {
        // Where a message is left out, those behind it follow the one before it.
        let parent = message.parent.filter(|parent| *parent < number);
        let above = parent.and_then(|parent| match are_left_out[parent] {
            true => parents[parent],
            false => Some(ids[parent]),
        });
        parents.push(above);
        made.message(message, ids[number], above);
    }
    let shown = found.shown.and_then(|shown| ids.get(shown)).copied();
    let Making { rows, trashed, blobs, skips, assumed_zone, again, .. } = made;
    let conversation = conversation(system, &found, owner, id, &rows);
    let mut metadata = found.metadata;
    if let Some(model) = &found.model {
        metadata.insert("model".into(), json!(model));
    }
    keep_time(&mut metadata, "created", &found.created);
    keep_bytes(&mut metadata, "title", &found.title);
    let shown = shown.filter(|shown| rows.iter().any(|row| row.id == *shown));
    let folded = found.folded as u64;
    Rows {
        conversation,
        metadata,
        messages: rows,
        trashed,
        shown,
        blobs,
        skips,
        assumed_zone,
        again,
        folded,
    }
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
    told: &'a mut Told,
    used: HashSet<MessageId>,
    again: HashSet<MessageId>,
    before: Timestamp,
    rows: Vec<model::Message>,
    trashed: Vec<(MessageId, Timestamp)>,
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
        // An id that comes twice names only the first: in a conversation, and among all that are told
        // unless it is the same message.
        let says = self.says(message);
        if let Some(id) = old.filter(|id| self.is_its(*id, says)) {
            return id;
        }
        let (number, role) = (number.to_string(), role(message.role));
        let content = hex(&Sha256::digest(message.content.bytes()));
        let place = MessageKey::Place { number: &number, role, content: &content };
        let id = self.names.message_id(place);
        self.is_its(id, says);
        id
    }

    /// Gives an id to a message, unless another has it.
    fn is_its(&mut self, id: MessageId, says: u64) -> bool {
        use std::collections::hash_map::Entry;
        if self.used.contains(&id) {
            return false;
        }
        match self.told.0.entry(id) {
            Entry::Vacant(free) => {
                free.insert(says);
            }
            Entry::Occupied(taken) if *taken.get() == says => {
                self.again.insert(id);
            }
            Entry::Occupied(_) => return false,
        }
        self.used.insert(id)
    }

    /// What a message says, and where.
    fn says(&self, message: &record::Message) -> u64 {
        let mut sum = DefaultHasher::new();
        (self.id.0, role(message.role), message.content.bytes()).hash(&mut sum);
        sum.finish()
    }

    fn message(&mut self, found: record::Message, id: MessageId, parent: Option<MessageId>) {
        if is_left_out(&found) {
            let mib = found.content.bytes().len() as f64 / MAX_MESSAGE_BYTES as f64;
            let reason = format!("A message holds 1 MiB at most, and this one has {mib:.1} MiB.");
            self.skips.push(self.place.skip(Kind::Message, reason));
            return;
        }
        self.trashed.extend(found.trashed.map(|since| (id, since)));
        if let Some(own) = found.own {
            // Our own export: as it was, down to its ids. A parent that was deleted for good stays named.
            let (conversation_id, parent_id) = (self.id, parent.or(own.parent_id));
            self.rows.push(model::Message { id, conversation_id, parent_id, ..*own });
            return;
        }
        let at = found.at.at.unwrap_or(self.before);
        self.before = at;
        self.assumed_zone |= found.at.assumed;
        let mut metadata = found.metadata;
        keep_time(&mut metadata, "created", &found.at);
        if let Some(key) = &found.key {
            metadata.insert("legacy_id".into(), json!(key));
        }
        let parts = found.attachments.into_iter().map(|one| self.part(one)).collect();
        let state = if found.interrupted { MessageState::Interrupted } else { MessageState::Done };
        self.rows.push(model::Message {
            parent_id: parent,
            content: found.content.shown,
            content_raw: found.content.raw.map(|raw| BASE64.encode(raw)),
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

    fn part(&mut self, mut found: Attachment) -> Part {
        // A file that went away since it was found is like one that the export never had.
        let bytes = match &found.file {
            Some(_) => found.read().ok().flatten(),
            None => found.bytes.take(),
        };
        let (hash, size) = match &bytes {
            Some(bytes) => (Some(Sha256::digest(bytes).into()), Some(bytes.len() as i64)),
            None => (None, None),
        };
        self.blobs.extend(hash.zip(bytes));
        Part {
            kind: found.kind,
            name: found.name.map(|name| name.shown),
            mime: found.mime,
            sha256: hash.map(|hash: [u8; 32]| hex(&hash)),
            bytes: size,
            url: found.url,
        }
    }
}

fn is_left_out(message: &record::Message) -> bool {
    message.content.bytes().len() > MAX_MESSAGE_BYTES
        || message.content.shown.len() > MAX_MESSAGE_BYTES
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
    /// Since when it is in the trash.
    pub trashed_at: Option<Timestamp>,
    /// Its text, in pieces.
    pub fragments: Vec<String>,
}

/// The rows of a document.
pub fn of_document(system: &str, found: record::Document, owner: Option<&Owner>) -> DocumentRows {
    if let Some(own) = found.own {
        return as_it_was(system, *own);
    }
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
        trashed_at: None,
        fragments: found.fragments.into_iter().map(|fragment| fragment.shown).collect(),
    }
}

fn as_it_was(system: &str, own: ExportedDocument) -> DocumentRows {
    DocumentRows {
        id: own.id,
        conversation_id: own.conversation_id,
        title: own.title,
        mime: own.mime,
        bytes: own.bytes,
        origin: own
            .origin
            .unwrap_or_else(|| origin(system, &own.id.to_string(), &BTreeMap::new(), None)),
        metadata: own.metadata.unwrap_or_default(),
        created_at: own.created_at,
        trashed_at: own.trashed_at,
        fragments: own.fragments,
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
        of_conversation("test", found(texts), None, &mut Told::default())
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
        let rows = of_conversation("test", twice, None, &mut Told::default());
        assert_ne!(rows.messages[0].id, rows.messages[1].id);
    }

    #[test]
    fn a_conversation_that_is_told_twice_keeps_what_each_says() {
        let mut told = Told::default();
        let mut rows = |text: &str| {
            let mut one = found(&["a", text]);
            one.messages.iter_mut().zip(["k", "l"]).for_each(|(m, key)| m.key = Some(key.into()));
            of_conversation("test", one, None, &mut told)
        };
        let (first, second, third) = (rows("half"), rows("half and whole"), rows("half"));
        assert_eq!(first.messages[0].id, second.messages[0].id);
        assert_ne!(first.messages[1].id, second.messages[1].id, "another text is another message");
        assert_eq!(second.messages[1].parent_id, Some(first.messages[0].id));
        assert_eq!((first.again.len(), second.again.len(), third.again.len()), (0, 1, 2));
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
        let rows = of_conversation("test", one, None, &mut Told::default());
        assert_eq!(rows.messages[0].model.as_ref().map(ModelRef::provider), Some("test"));
    }
}

//! Dumps of the tables `conversations`, `messages`, `files` and `conversation_files`.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use super::{BROKEN, finished, has_content, push};
use crate::import::lax::Value;
use crate::import::record::{Conversation, Document, Item, Kind, Message, Place};
use crate::import::sources::dump::{self, Filed, Gathered, Order, Row};
use crate::import::sources::{Sink, speech};
use crate::import::text::Text;
use crate::import::time::{When, Zone};

pub(super) struct Tables {
    zone: Zone,
    conversations: Gathered,
    messages: Gathered,
    files: Gathered,
    /// File, conversation.
    links: HashMap<String, String>,
    /// By file: rows of tables that hold no chats.
    foreign: BTreeMap<String, usize>,
}

impl Tables {
    pub(super) fn new(zone: Zone) -> Self {
        Self {
            zone,
            conversations: Gathered::new(Kind::Conversation),
            messages: Gathered::new(Kind::Message),
            files: Gathered::new(Kind::Document),
            links: HashMap::new(),
            foreign: BTreeMap::new(),
        }
    }

    /// Puts a row aside, by its columns.
    pub(super) fn row(&mut self, row: Row, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let value = &row.value;
        let has = |key: &str| value.get(key).is_some();
        let id = speech::id(value.get("id"));
        if has("continuation_id") {
            let says = dump::says(value, &["continuation_id", "title"]);
            self.conversations.add("", id, None, &says, &row, sink)
        } else if has("conversation_id") && has("role") {
            let group = speech::id(value.get("conversation_id")).unwrap_or_default();
            let at = dump::order_of(value.get("created_at"), self.zone);
            let says = dump::says(value, &["conversation_id", "role", "content"]);
            self.messages.add(&group, id, at, &says, &row, sink)
        } else if has("storage_path") {
            self.files.add("", id, None, &dump::says(value, &["storage_path"]), &row, sink)
        } else if let (Some(conversation), Some(file)) =
            (speech::id(value.get("conversation_id")), speech::id(value.get("file_id")))
        {
            self.links.insert(file, conversation);
            ControlFlow::Continue(())
        } else {
            *self.foreign.entry(row.place.path).or_default() += 1;
            ControlFlow::Continue(())
        }
    }

    /// Everything that was put aside.
    pub(super) fn emit(mut self, sink: &mut dyn FnMut(Item) -> ControlFlow<()>) -> ControlFlow<()> {
        for filed in self.conversations.take("", Order::File) {
            let found = conversation(&filed, self.zone);
            self.with_messages(found, sink)?;
        }
        for key in self.messages.rest() {
            sink(Place::new("", &key).note("Its conversation is missing; its messages get one."))?;
            let title = Text::from("Recovered");
            let mut found = Conversation { key, title, ..Conversation::default() };
            found.metadata.insert("recovered".to_owned(), true.into());
            self.with_messages(found, sink)?;
        }
        for filed in self.files.take("", Order::File) {
            sink(self.file(filed))?;
        }
        ControlFlow::Continue(())
    }

    fn with_messages(
        &mut self,
        mut found: Conversation,
        sink: &mut dyn FnMut(Item) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for filed in self.messages.take(&found.key, Order::Time) {
            match has_content(&filed.value) {
                true => push(&mut found, message(filed, self.zone)),
                false => sink(filed.place.skip(BROKEN.0, BROKEN.1))?,
            }
        }
        sink(finished(found))
    }

    /// A file, of which the dump has the path in its bucket.
    fn file(&self, filed: Filed) -> Item {
        let Filed { value, id, place, .. } = filed;
        let key = id.unwrap_or_else(|| place.locator.clone());
        let path = value.str("storage_path").unwrap_or_default();
        let name = value.get("original_name").and_then(Value::as_text).cloned();
        let bytes = value.get("size_bytes").and_then(|size| match size {
            Value::Text(text) => text.shown.parse().ok(),
            size => size.as_i64(),
        });
        let mut metadata =
            speech::extras(&value, &["id", "original_name", "created_at", "metadata"]);
        metadata.extend(dump::object(value.get("metadata")));
        Item::Document(Box::new(Document {
            conversation: self.links.get(&key).cloned(),
            name: name.unwrap_or_else(|| Text::from(path.rsplit('/').next().unwrap_or_default())),
            mime: value.str("mime_type").map(str::to_owned),
            bytes,
            added: When::read(value.get("created_at"), self.zone),
            ids: [("storage_path".to_owned(), path.to_owned())].into(),
            key,
            metadata,
            place,
            ..Document::default()
        }))
    }
}

fn conversation(filed: &Filed, zone: Zone) -> Conversation {
    const KNOWN: [&str; 6] =
        ["id", "continuation_id", "title", "metadata", "created_at", "updated_at"];
    let value = &filed.value;
    let continuation_id = speech::id(value.get("continuation_id"));
    let key = filed.id.clone().or_else(|| continuation_id.clone()).unwrap_or_default();
    let mut metadata = dump::object(value.get("metadata"));
    metadata.extend(speech::extras(value, &KNOWN));
    let mut ids: BTreeMap<_, _> = [("id".to_owned(), key.clone())].into();
    ids.extend(continuation_id.clone().map(|id| ("continuation_id".to_owned(), id)));
    Conversation {
        key,
        title: speech::content(value.get("title")),
        created: When::read(value.get("created_at"), zone),
        updated: When::read(value.get("updated_at"), zone),
        continuation_id,
        ids,
        metadata,
        place: filed.place.clone(),
        ..Conversation::default()
    }
}

fn message(filed: Filed, zone: Zone) -> Message {
    const KNOWN: [&str; 6] = ["id", "conversation_id", "role", "content", "metadata", "created_at"];
    let value = &filed.value;
    let mut metadata = dump::object(value.get("metadata"));
    let word = |key: &str| metadata.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let model = word("model_used").map(|model| match word("provider_used") {
        Some(provider) => format!("{provider}/{model}"),
        None => model,
    });
    metadata.extend(speech::extras(value, &KNOWN));
    if !filed.others.is_empty() {
        let others = filed.others.iter().map(Value::to_json).collect();
        metadata.insert("other_versions".to_owned(), others);
    }
    let role = speech::role_or_answer(value.get("role"), &mut metadata);
    let at = When::read(value.get("created_at"), zone);
    let mut message = Message::new(role, speech::content(value.get("content")), at);
    let usage = value.get("metadata").map(speech::unwrap);
    if let Some(usage) = usage.as_ref().and_then(|value| value.get("token_usage")) {
        speech::usage(usage, &mut message);
    }
    message.key = filed.id;
    message.model = model;
    message.metadata = metadata;
    message
}

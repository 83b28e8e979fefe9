//! The chat application on MongoDB: `mongoexport` files of `chat_sessions` and `messages`, in every
//! form that the tool has had.
//!
//! The two collections are read in any order and from any number of files; messages wait on a shelf
//! until all sessions are known. What is there twice (an export in two forms, two exports) comes over
//! once, by `_id`.

mod extended;
mod hung;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::Map;

use super::dump::{self, Filed, Gathered, Order, Row};
use super::files::{self, Found};
use super::{Input, Sink, Source, speech};
use crate::import::lax::Value;
use crate::import::record::{Conversation, Item, Kind, Message, Owner, Place};
use crate::import::text::Text;
use crate::import::time::{When, Zone};

/// The chat application on MongoDB.
#[derive(Debug)]
pub(super) struct Mongo;

impl Source for Mongo {
    fn system(&self) -> &'static str {
        "mongo-chat"
    }

    fn name(&self) -> &'static str {
        "MongoDB chat"
    }

    fn recognises(&self, root: &Path) -> bool {
        let is_ours = |file: &Found| {
            dump::form_of(file) == Some(dump::Form::Json)
                && dump::columns(file).iter().any(|column| column == "_id")
        };
        files::all(root).is_ok_and(|files| files.iter().take(200).any(is_ours))
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> io::Result<()> {
        let files = files::all(&input.root)?;
        let mut reading = Reading {
            zone: input.zone,
            sessions: Gathered::new(Kind::Conversation),
            messages: Gathered::new(Kind::Message),
        };
        let _ = reading.run(&files, sink);
        Ok(())
    }
}

struct Reading {
    zone: Zone,
    sessions: Gathered,
    messages: Gathered,
}

impl Reading {
    fn run(&mut self, files: &[Found], sink: &mut Sink<'_>) -> ControlFlow<()> {
        for file in files.iter().filter(|file| dump::form_of(file) == Some(dump::Form::Json)) {
            let mut foreign = 0;
            dump::rows(file, sink, &mut |row, sink| self.row(row, &mut foreign, sink))?;
            if foreign > 0 {
                let text = format!("{foreign} documents of it are neither sessions nor messages.");
                sink(file.place("").note(text))?;
            }
        }
        let knows_sessions = !self.sessions.is_empty();
        let mut owners = HashSet::new();
        for session in self.sessions.take("", Order::File) {
            self.session(session, &mut owners, sink)?;
        }
        for key in self.messages.rest() {
            self.without_session(&key, knows_sessions, sink)?;
        }
        ControlFlow::Continue(())
    }

    /// Puts a document aside, by what it looks like.
    fn row(&mut self, row: Row, foreign: &mut usize, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let Row { table, value, place } = row;
        let value = extended::plain(value);
        let row = Row { table, value, place };
        let has = |key: &str| row.value.get(key).is_some();
        let is_message = (has("content") || has("message") || has("sender")) && has("session_id");
        let is_session = !is_message && (has("title") || row.table == "chat_sessions");
        let id = speech::id(row.value.get("_id")).or_else(|| speech::id(row.value.get("id")));
        match (is_message, is_session) {
            (true, _) => {
                let at = time_of(&row.value, "timestamp", self.zone).at.map(|at| at.0);
                let group = speech::id(row.value.get("session_id")).unwrap_or_default();
                let says = says(&row.value, &["session_id", "sender", "content", "message"]);
                self.messages.add(&group, id, at, &says, &row, sink)
            }
            (_, true) => {
                let says = says(&row.value, &["title", "user_id"]);
                self.sessions.add("", id, None, &says, &row, sink)
            }
            _ if row.value.is_whole() => {
                *foreign += 1;
                ControlFlow::Continue(())
            }
            _ => sink(row.place.skip(Kind::Message, "It breaks off before it says anything.")),
        }
    }

    fn session(
        &mut self,
        session: Filed,
        owners: &mut HashSet<String>,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let Filed { value, id, place, others } = session;
        let owner = speech::id(value.get("user_id"));
        if let Some(key) = owner.as_ref().filter(|key| owners.insert((*key).clone())) {
            let name = Some(Text::from(key.as_str()));
            sink(Item::Owner(Owner { key: key.clone(), name, ..Owner::default() }))?;
        }
        let key = id.unwrap_or_else(|| format!("{}#{}", place.path, place.locator));
        let mut metadata = speech::extras(&value, &["_id", "title", "created_at", "user_id"]);
        if !others.is_empty() {
            let others = others.iter().map(Value::to_json).collect();
            metadata.insert("other_versions".to_owned(), others);
        }
        let conversation = Conversation {
            owner,
            title: speech::content(value.get("title")),
            created: time_of(&value, "created_at", self.zone),
            metadata,
            place,
            ..Conversation::default()
        };
        self.emit(conversation, key, sink)
    }

    /// Messages of a session that is not there; of a program that had no sessions they are all so.
    fn without_session(
        &mut self,
        key: &str,
        knows_sessions: bool,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let mut conversation = Conversation::default();
        if knows_sessions {
            conversation.title = Text::from("Recovered");
            conversation.metadata.insert("recovered".to_owned(), true.into());
            let text =
                format!("Their session {key} is missing; they get a conversation of their own.");
            sink(Place::new("", key).note(text))?;
        }
        self.emit(conversation, key.to_owned(), sink)
    }

    /// A conversation with its messages.
    fn emit(
        &mut self,
        mut conversation: Conversation,
        key: String,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        for filed in self.messages.take(&key, Order::Id) {
            if conversation.place == Place::default() {
                conversation.place = filed.place.clone();
            }
            let Some(mut message) = self.message(filed, sink)? else { continue };
            message.parent = conversation.messages.len().checked_sub(1);
            conversation.messages.push(message);
        }
        let messages = &conversation.messages;
        if conversation.created.at.is_none()
            && let Some(first) = messages.first()
        {
            conversation.created = first.at.clone();
        }
        let last = messages.last().map(|message| message.at.clone());
        conversation.updated = last.unwrap_or_else(|| conversation.created.clone());
        conversation.ids.insert("session_id".to_owned(), key.clone());
        conversation.key = key;
        sink(Item::Conversation(Box::new(conversation)))
    }

    /// A message; none where it breaks off before its content ends.
    fn message(&self, filed: Filed, sink: &mut Sink<'_>) -> ControlFlow<(), Option<Message>> {
        const KNOWN: [&str; 11] = [
            "_id",
            "session_id",
            "sender",
            "role",
            "content",
            "message",
            "timestamp",
            "audio",
            "image",
            "pdf",
            "model",
        ];
        let Filed { value, id, place, others } = filed;
        let content = value.get("content").or_else(|| value.get("message"));
        if !value.is_whole() && !content.is_some_and(Value::is_whole) {
            sink(place.skip(Kind::Message, "It breaks off before its content."))?;
            return ControlFlow::Continue(None);
        }
        let mut metadata = speech::extras(&value, &KNOWN);
        if let Some(content) = content.filter(|_| speech::is_structured(content)) {
            metadata.insert("content".to_owned(), content.to_json());
        }
        for (kind, field) in hung::FIELDS.iter().filter_map(|kind| Some((kind, value.get(kind)?))) {
            // In a form that nobody foresaw: kept as it is.
            let is_empty = field.is_null() || field.as_str().is_some_and(str::is_empty);
            if !is_empty && hung::field(&value, kind).is_empty() {
                metadata.insert((*kind).to_owned(), field.to_json());
            }
        }
        if !others.is_empty() {
            let others = others.iter().map(Value::to_json).collect();
            metadata.insert("other_versions".to_owned(), others);
        }
        let speaker = value.get("sender").or_else(|| value.get("role"));
        let role = speech::role_or_answer(speaker, &mut metadata);
        let at = time_of(&value, "timestamp", self.zone);
        let mut message = Message::new(role, speech::content(content), at);
        message.key = id;
        message.model = value.str("model").map(str::to_owned);
        if let Some(usage) = value.get("usage") {
            speech::usage(usage, &mut message);
        }
        message.attachments = hung::all(&value);
        message.metadata = metadata;
        if let Some(reason) = hung::elsewhere(&message.attachments) {
            sink(place.note(reason))?;
        }
        ControlFlow::Continue(Some(message))
    }
}

/// A time; where it is missing, the one in the first four bytes of the ObjectId.
fn time_of(value: &Value, key: &str, zone: Zone) -> When {
    let time = When::read(value.get(key), zone);
    if time.at.is_some() {
        return time;
    }
    let of_id = speech::id(value.get("_id")).and_then(|id| extended::time_of_id(&id));
    When { at: of_id, ..time }
}

/// The parts of a document that make it the same as another, whatever form it was exported in.
fn says(value: &Value, keys: &[&str]) -> Vec<u8> {
    let parts = keys.iter().filter_map(|key| Some(((*key).to_owned(), value.get(key)?.to_json())));
    serde_json::Value::Object(parts.collect::<Map<_, _>>()).to_string().into_bytes()
}

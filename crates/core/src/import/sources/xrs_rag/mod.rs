//! XRS-RAG: dumps of `chat_sessions`, `chat_messages`, `documents`, `usage_logs` and `user_profiles`,
//! and what its `export_session()` gave. The ids of OpenAI's threads, files and messages are kept.

#[cfg(test)]
mod tests;
mod usage;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::dump::{self, Filed, Gathered, Order, Row};
use super::{Input, Sink, Source, speech};
use crate::import::lax::Value;
use crate::import::record::{Conversation, Document, Item, Kind, Message, Owner, Place};
use crate::import::text::Text;
use crate::import::time::{When, Zone};
use crate::model::Role;
use usage::Usage;

/// XRS-RAG.
#[derive(Debug)]
pub(super) struct XrsRag;

impl Source for XrsRag {
    fn system(&self) -> &'static str {
        "xrs-rag"
    }

    fn name(&self) -> &'static str {
        "XRS-RAG"
    }

    fn recognises(&self, root: &Path) -> bool {
        let lists: [&[&str]; 5] = [
            &["session_id", "session_title"],
            &["session_id", "thread_id"],
            &["message_id", "session_id", "role"],
            &["openai_file_id", "filename"],
            &["session", "messages", "exported_at"],
        ];
        dump::has_columns(root, &lists)
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> io::Result<()> {
        let files = dump::files_of(&input.root)?;
        let mut tables = Tables::new(input.zone);
        let _ = tables.read(&files, sink);
        Ok(())
    }
}

struct Tables {
    zone: Zone,
    profiles: Gathered,
    sessions: Gathered,
    messages: Gathered,
    documents: Gathered,
    usage: Usage,
    /// Either id of a session, and its conversation's key.
    keys: HashMap<String, String>,
    announced: HashSet<String>,
}

impl Tables {
    fn new(zone: Zone) -> Self {
        Self {
            zone,
            profiles: Gathered::new(Kind::User),
            sessions: Gathered::new(Kind::Conversation),
            messages: Gathered::new(Kind::Message),
            documents: Gathered::new(Kind::Document),
            usage: Usage::default(),
            keys: HashMap::new(),
            announced: HashSet::new(),
        }
    }

    fn read(&mut self, files: &[super::files::Found], sink: &mut Sink<'_>) -> ControlFlow<()> {
        for file in files {
            let mut foreign = 0;
            dump::rows(file, sink, &mut |row, sink| self.row(row, &mut foreign, sink))?;
            if foreign > 0 {
                let text = format!("{foreign} rows of it are neither chats nor documents.");
                sink(file.place("").note(text))?;
            }
        }
        self.emit(sink)
    }

    /// Puts a row aside, by its columns.
    fn row(&mut self, row: Row, foreign: &mut usize, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let value = &row.value;
        let has = |key: &str| value.get(key).is_some();
        let id = |keys: &[&str]| keys.iter().find_map(|key| speech::id(value.get(key)));
        if has("role") && has("content") {
            let group = id(&["session_id"]).unwrap_or_default();
            let at = dump::order_of(value.get("created_at"), self.zone);
            let says = dump::says(value, &["role", "content"]);
            self.messages.add(&group, id(&["message_id", "id"]), at, &says, &row, sink)
        } else if has("filename") && (has("document_id") || has("openai_file_id")) {
            let says = dump::says(value, &["filename", "openai_file_id", "status"]);
            let name = id(&["document_id", "openai_file_id", "id"]);
            self.documents.add("", name, None, &says, &row, sink)
        } else if has("operation") || has("tokens_used") {
            self.usage.add(value);
            ControlFlow::Continue(())
        } else if has("session_title") || (has("session_id") && has("thread_id")) {
            let says = dump::says(value, &["session_title", "thread_id"]);
            self.sessions.add("", id(&["id", "session_id"]), None, &says, &row, sink)
        } else if has("username") || (has("email") && has("role")) {
            let says = dump::says(value, &["username", "email"]);
            self.profiles.add("", id(&["id"]), None, &says, &row, sink)
        } else {
            *foreign += usize::from(row.table != "stats");
            ControlFlow::Continue(())
        }
    }

    fn emit(&mut self, sink: &mut Sink<'_>) -> ControlFlow<()> {
        for Filed { value, id, .. } in self.profiles.take("", Order::File) {
            let Some(key) = id else { continue };
            self.announced.insert(key.clone());
            let names = ["username", "full_name", "email"];
            let name = names.iter().find_map(|name| value.str(name)).map(Text::from);
            let email = value.str("email").map(str::to_owned);
            sink(Item::Owner(Owner { key, name, email, ..Owner::default() }))?;
        }
        for filed in self.sessions.take("", Order::File) {
            self.session(filed, sink)?;
        }
        for key in self.messages.rest() {
            sink(
                Place::new("", &key)
                    .note("Its session is missing; its messages get a conversation."),
            )?;
            let title = Text::from("Recovered");
            let mut found = Conversation { key: key.clone(), title, ..Conversation::default() };
            found.metadata.insert("recovered".to_owned(), true.into());
            self.finish(found, &[key], sink)?;
        }
        for filed in self.documents.take("", Order::File) {
            self.document(filed, sink)?;
        }
        match self.usage.rest() {
            0 => ControlFlow::Continue(()),
            rest => {
                let text = format!("{rest} entries of usage belong to no session that is here.");
                sink(Place::new("", "usage_logs").note(text))
            }
        }
    }

    /// Somebody whose profile is not here. An anonymous session is nobody's.
    fn announce(&mut self, key: Option<&String>, sink: &mut Sink<'_>) -> ControlFlow<()> {
        match key.filter(|key| self.announced.insert((*key).clone())) {
            Some(key) => sink(Item::Owner(Owner { key: key.clone(), ..Owner::default() })),
            None => ControlFlow::Continue(()),
        }
    }

    fn session(&mut self, filed: Filed, sink: &mut Sink<'_>) -> ControlFlow<()> {
        const KNOWN: [&str; 8] = [
            "id",
            "session_id",
            "thread_id",
            "user_id",
            "session_title",
            "metadata",
            "created_at",
            "updated_at",
        ];
        let Filed { value, place, others, .. } = filed;
        let owner = speech::id(value.get("user_id"));
        self.announce(owner.as_ref(), sink)?;
        let mut ids = BTreeMap::new();
        for name in ["id", "session_id", "thread_id"] {
            ids.extend(speech::id(value.get(name)).map(|id| (name.to_owned(), id)));
        }
        // Messages point at either, as the program's two halves had it.
        let names: Vec<String> =
            ["id", "session_id"].iter().filter_map(|name| ids.get(*name).cloned()).collect();
        let key = names.first().cloned().unwrap_or_else(|| place.locator.clone());
        let mut metadata = dump::object(value.get("metadata"));
        metadata.extend(speech::extras(&value, &KNOWN));
        if !others.is_empty() {
            let others = others.iter().map(Value::to_json).collect();
            metadata.insert("other_versions".to_owned(), others);
        }
        let updated = ["last_message_at", "updated_at"]
            .iter()
            .map(|name| When::read(value.get(name), self.zone));
        let found = Conversation {
            owner,
            key,
            title: speech::content(value.get("session_title")),
            created: When::read(value.get("created_at"), self.zone),
            updated: updated.into_iter().find(|when| when.at.is_some()).unwrap_or_default(),
            ids,
            metadata,
            place,
            ..Conversation::default()
        };
        self.finish(found, &names, sink)
    }

    /// Adds what belongs to any of the names, and hands the conversation on.
    fn finish(
        &mut self,
        mut found: Conversation,
        names: &[String],
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        for name in names {
            self.keys.insert(name.clone(), found.key.clone());
        }
        let mut rows = self.messages.take_all(names, Order::File);
        let time = |row: &Filed| row.value.get("created_at").cloned();
        let order = |row: &Filed| dump::order_of(time(row).as_ref(), self.zone);
        // Times with a zone and times without cannot be compared: nobody knows which zone was meant.
        let assumed = |row: &Filed| When::read(time(row).as_ref(), self.zone).assumed;
        let first = rows.first().map(assumed);
        if rows.iter().all(|row| order(row).is_some() && Some(assumed(row)) == first) {
            rows.sort_by_key(order);
        }
        for row in rows {
            if found.owner.is_none() {
                found.owner = speech::id(row.value.get("user_id"));
                self.announce(found.owner.as_ref(), sink)?;
            }
            if !row.value.is_whole() && !row.value.get("content").is_some_and(Value::is_whole) {
                sink(row.place.skip(Kind::Message, "It breaks off before its content ends."))?;
                continue;
            }
            let mut message = message(row, self.zone);
            message.parent = found.messages.len().checked_sub(1);
            found.messages.push(message);
        }
        if let Some(usage) = self.usage.take(names) {
            found.metadata.insert("usage".to_owned(), usage);
        }
        let first = found.messages.iter().find(|message| message.at.at.is_some());
        if let (None, Some(first)) = (found.created.at, first) {
            found.created = first.at.clone();
        }
        sink(Item::Conversation(Box::new(found)))
    }

    fn document(&mut self, filed: Filed, sink: &mut Sink<'_>) -> ControlFlow<()> {
        const KNOWN: [&str; 9] = [
            "document_id",
            "filename",
            "content_type",
            "size_bytes",
            "openai_file_id",
            "metadata",
            "text_preview",
            "created_at",
            "user_id",
        ];
        let Filed { value, id, place, .. } = filed;
        let owner = speech::id(value.get("user_id"));
        self.announce(owner.as_ref(), sink)?;
        if value.str("status") == Some("deleted") {
            sink(place.note("The old program had put this document into its trash."))?;
        }
        let mut ids = BTreeMap::new();
        for name in ["document_id", "openai_file_id", "storage_path", "file_path"] {
            ids.extend(speech::id(value.get(name)).map(|id| (name.to_owned(), id)));
        }
        let mut metadata = dump::object(value.get("metadata"));
        metadata.extend(speech::extras(&value, &KNOWN));
        let preview =
            value.get("text_preview").and_then(Value::as_text).filter(|text| !text.is_empty());
        sink(Item::Document(Box::new(Document {
            owner,
            key: id.unwrap_or_else(|| place.locator.clone()),
            name: speech::content(value.get("filename")),
            mime: value.str("content_type").map(str::to_owned),
            bytes: whole(value.get("size_bytes")),
            added: When::read(value.get("created_at"), self.zone),
            fragments: preview.cloned().into_iter().collect(),
            ids,
            metadata,
            place,
            ..Document::default()
        })))
    }
}

fn message(filed: Filed, zone: Zone) -> Message {
    const KNOWN: [&str; 10] = [
        "id",
        "message_id",
        "session_id",
        "role",
        "content",
        "tokens_used",
        "cost_usd",
        "metadata",
        "created_at",
        "user_id",
    ];
    let value = &filed.value;
    let mut metadata = dump::object(value.get("metadata"));
    metadata.extend(speech::extras(value, &KNOWN));
    if !filed.others.is_empty() {
        let others = filed.others.iter().map(Value::to_json).collect();
        metadata.insert("other_versions".to_owned(), others);
    }
    let role = speech::role_or_answer(value.get("role"), &mut metadata);
    let at = When::read(value.get("created_at"), zone);
    let mut message = Message::new(role, speech::content(value.get("content")), at);
    // An estimate of that program's, for this message alone.
    let tokens = whole(value.get("tokens_used"));
    match role {
        Role::User => message.tokens_in = tokens,
        _ => message.tokens_out = tokens,
    }
    message.cost_micros = value.get("cost_usd").and_then(speech::micros);
    message.model = metadata.get("model").and_then(|model| model.as_str()).map(str::to_owned);
    message.key = filed.id;
    message.metadata = metadata;
    message
}

/// A whole number, which CSV has as text.
fn whole(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Text(text) => text.shown.trim().parse().ok(),
        value => value.as_i64(),
    }
}

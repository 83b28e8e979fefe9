//! PharmGPT's tables, in the four forms that they had: users of its own, conversations with the messages
//! inside (as JSON, or as a text that holds JSON) or beside them, documents, and answers in branches.

mod branches;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::dump::{self, Filed, Gathered, Order, Row};
use super::{Input, Sink, Source, pharmgpt, speech};
use crate::import::lax::Value;
use crate::import::record::{Conversation, Document, Item, Kind, Message, Owner, Place, Proof};
use crate::import::text::Text;
use crate::import::time::{When, Zone};
use branches::Branches;

/// PharmGPT, once it had a database.
#[derive(Debug)]
pub(super) struct PharmGptSupabase;

impl Source for PharmGptSupabase {
    fn system(&self) -> &'static str {
        "pharmgpt-supabase"
    }

    fn name(&self) -> &'static str {
        "PharmGPT (Supabase)"
    }

    fn recognises(&self, root: &Path) -> bool {
        // Columns that come before any long text: only the beginning of a row is looked at.
        let lists: [&[&str]; 8] = [
            &["conversation_id", "user_id", "title"],
            &["conversation_id", "user_uuid", "title"],
            &["id", "user_id", "title", "is_pinned"],
            &["id", "user_id", "title", "is_archived"],
            &["id", "user_uuid", "title"],
            &["conversation_uuid", "role"],
            &["id", "conversation_id", "user_id", "role"],
            &["username", "password_hash", "salt"],
        ];
        dump::has_columns(root, &lists)
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> io::Result<()> {
        let files = dump::files_of(&input.root)?;
        let mut tables = Tables::new(input.zone);
        let _ = files
            .iter()
            .try_for_each(|file| {
                let mut foreign = 0;
                dump::rows(file, sink, &mut |row, sink| tables.row(row, &mut foreign, sink))?;
                let text = format!("{foreign} rows of it are neither chats nor documents.");
                if foreign > 0 {
                    sink(file.place("").note(text))
                } else {
                    ControlFlow::Continue(())
                }
            })
            .is_continue()
            .then(|| tables.emit(sink));
        Ok(())
    }
}

struct Tables {
    zone: Zone,
    users: Gathered,
    conversations: Gathered,
    messages: Gathered,
    documents: Gathered,
    branches: Branches,
    /// Rows' ids of conversations, and their keys.
    keys: HashMap<String, String>,
    announced: HashSet<String>,
}

impl Tables {
    fn new(zone: Zone) -> Self {
        Self {
            zone,
            users: Gathered::new(Kind::User),
            conversations: Gathered::new(Kind::Conversation),
            messages: Gathered::new(Kind::Message),
            documents: Gathered::new(Kind::Document),
            branches: Branches::default(),
            keys: HashMap::new(),
            announced: HashSet::new(),
        }
    }

    /// Puts a row aside, by its columns.
    fn row(&mut self, row: Row, foreign: &mut usize, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let value = &row.value;
        let has = |key: &str| value.get(key).is_some();
        let id = speech::id(value.get("id"));
        if has("username") && !has("session_id") {
            let says = dump::says(value, &["username", "user_id"]);
            self.users.add("", id, None, &says, &row, sink)
        } else if has("branch_label") || has("active_response_id") {
            self.branches.add(value);
            ControlFlow::Continue(())
        } else if has("role") && has("content") {
            let columns = ["conversation_uuid", "conversation_id"];
            let group = columns.iter().find_map(|key| speech::id(value.get(key)));
            let at = dump::order_of(value.get("created_at"), self.zone);
            let says = dump::says(value, &["role", "content"]);
            self.messages.add(&group.unwrap_or_default(), id, at, &says, &row, sink)
        } else if has("filename") && (has("document_hash") || has("document_id")) {
            let says = dump::says(value, &["filename", "document_hash", "document_id"]);
            self.documents.add("", id, None, &says, &row, sink)
        } else if has("title") && !has("ticket_id") {
            // One conversation id may be two people's.
            let of_columns = || Some(format!("{}/{}", owner_of(value)?, legacy_id(value)?));
            let says = dump::says(value, &["title", "messages"]);
            self.conversations.add("", id.or_else(of_columns), None, &says, &row, sink)
        } else {
            *foreign += 1;
            ControlFlow::Continue(())
        }
    }

    fn emit(&mut self, sink: &mut Sink<'_>) -> ControlFlow<()> {
        for filed in self.users.take("", Order::File) {
            self.user(&filed.value, sink)?;
        }
        for filed in self.conversations.take("", Order::File) {
            self.conversation(filed, sink)?;
        }
        for key in self.messages.rest() {
            sink(Place::new("", &key).note("Its conversation is missing; its messages get one."))?;
            let title = Text::from("Recovered");
            let mut found = Conversation { key: key.clone(), title, ..Conversation::default() };
            found.metadata.insert("recovered".to_owned(), true.into());
            let rows = self.messages.take(&key, Order::Time);
            let owner = rows.iter().find_map(|row| owner_of(&row.value));
            self.announce(owner.as_ref(), sink)?;
            found.owner = owner;
            found.messages = self.of_rows(rows, sink)?;
            self.finish(found, sink)?;
        }
        for filed in self.documents.take("", Order::File) {
            self.document(filed, sink)?;
        }
        ControlFlow::Continue(())
    }

    /// A row of `users`. Its `id` is what the others point at; the first generation also kept the id of
    /// the files.
    fn user(&mut self, value: &Value, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let Some(key) = speech::id(value.get("id")).or_else(|| speech::id(value.get("user_id")))
        else {
            return ControlFlow::Continue(());
        };
        self.announced.insert(key.clone());
        sink(Item::Owner(Owner {
            key,
            name: value.get("username").and_then(Value::as_text).cloned(),
            email: value.str("email").map(str::to_owned),
            proof: Proof::of(value.str("password_hash"), value.str("salt")),
        }))
    }

    /// Somebody who is in no row of `users`.
    fn announce(&mut self, key: Option<&String>, sink: &mut Sink<'_>) -> ControlFlow<()> {
        match key.filter(|key| self.announced.insert((*key).clone())) {
            Some(key) => sink(Item::Owner(Owner { key: key.clone(), ..Owner::default() })),
            None => ControlFlow::Continue(()),
        }
    }

    fn conversation(&mut self, filed: Filed, sink: &mut Sink<'_>) -> ControlFlow<()> {
        const KNOWN: [&str; 14] = [
            "id",
            "conversation_id",
            "user_id",
            "user_uuid",
            "title",
            "messages",
            "model",
            "created_at",
            "updated_at",
            "is_archived",
            "is_pinned",
            "message_count",
            "metadata",
            "user",
        ];
        let Filed { value, id, place, others } = filed;
        let owner = owner_of(&value);
        self.announce(owner.as_ref(), sink)?;
        let legacy = legacy_id(&value);
        let key = legacy.clone().or_else(|| id.clone()).unwrap_or_else(|| place.locator.clone());
        let mut ids = BTreeMap::new();
        for (name, id) in [("id", &id), ("conversation_id", &legacy)] {
            ids.extend(id.clone().map(|id| (name.to_owned(), id)));
        }
        let names: Vec<_> = [&id, &legacy].into_iter().flatten().cloned().collect();
        names.iter().for_each(|id| drop(self.keys.insert(id.clone(), key.clone())));
        let messages = self.messages.take_all(&names, Order::Time);
        let rows = self.of_rows(messages, sink)?;
        let inside = pharmgpt::messages(value.get("messages"), &place, self.zone, sink)?;
        if !rows.is_empty() && !inside.is_empty() {
            let (rows, inside) = (rows.len(), inside.len());
            let text =
                format!("{inside} messages are inside, {rows} in a table; the more come over.");
            sink(place.note(text))?;
        }
        let mut metadata = dump::object(value.get("metadata"));
        metadata.extend(speech::extras(&value, &KNOWN));
        if !others.is_empty() {
            let others = others.iter().map(Value::to_json).collect();
            metadata.insert("other_versions".to_owned(), others);
        }
        let found = Conversation {
            owner,
            key,
            title: speech::content(value.get("title")),
            created: When::read(value.get("created_at"), self.zone),
            updated: When::read(value.get("updated_at"), self.zone),
            model: value.str("model").map(str::to_owned),
            pinned: is(&value, "is_pinned"),
            archived: is(&value, "is_archived"),
            ids,
            metadata,
            messages: if rows.len() >= inside.len() { rows } else { inside },
            place,
            ..Conversation::default()
        };
        self.finish(found, sink)
    }

    /// Adds the answers in branches, and hands the conversation on.
    fn finish(&mut self, mut found: Conversation, sink: &mut Sink<'_>) -> ControlFlow<()> {
        self.branches.graft(&mut found, self.zone);
        if found.created.at.is_none()
            && let Some(first) = found.messages.first()
        {
            found.created = first.at.clone();
        }
        sink(Item::Conversation(Box::new(found)))
    }

    /// Messages of the table.
    fn of_rows(&self, rows: Vec<Filed>, sink: &mut Sink<'_>) -> ControlFlow<(), Vec<Message>> {
        const KNOWN: [&str; 10] = [
            "id",
            "message_id",
            "conversation_id",
            "conversation_uuid",
            "user_id",
            "user_uuid",
            "role",
            "content",
            "metadata",
            "created_at",
        ];
        let mut messages: Vec<Message> = Vec::new();
        for Filed { value, id, place, others } in rows {
            if !value.is_whole() && !value.get("content").is_some_and(Value::is_whole) {
                sink(place.skip(Kind::Message, "It breaks off before its content ends."))?;
                continue;
            }
            let mut metadata = dump::object(value.get("metadata"));
            metadata.extend(speech::extras(&value, &KNOWN));
            if !others.is_empty() {
                let others = others.iter().map(Value::to_json).collect();
                metadata.insert("other_versions".to_owned(), others);
            }
            let role = speech::role_or_answer(value.get("role"), &mut metadata);
            let at = When::read(value.get("created_at"), self.zone);
            let mut message = Message::new(role, speech::content(value.get("content")), at);
            message.key = id.or_else(|| speech::id(value.get("message_id")));
            message.model =
                metadata.get("model").and_then(|model| model.as_str()).map(str::to_owned);
            message.metadata = metadata;
            message.parent = messages.len().checked_sub(1);
            messages.push(message);
        }
        ControlFlow::Continue(messages)
    }

    fn document(&mut self, filed: Filed, sink: &mut Sink<'_>) -> ControlFlow<()> {
        const KNOWN: [&str; 12] = [
            "id",
            "document_hash",
            "document_id",
            "user_id",
            "user_uuid",
            "conversation_id",
            "filename",
            "file_size",
            "chunk_count",
            "added_at",
            "content",
            "metadata",
        ];
        let Filed { value, id, place, .. } = filed;
        let owner = owner_of(&value);
        self.announce(owner.as_ref(), sink)?;
        let conversation = speech::id(value.get("conversation_id"));
        let conversation = conversation.map(|id| self.keys.get(&id).cloned().unwrap_or(id));
        let hash =
            ["document_hash", "document_id"].iter().find_map(|key| speech::id(value.get(key)));
        let mut ids = BTreeMap::new();
        for (name, id) in [("id", &id), ("document_hash", &hash)] {
            ids.extend(id.clone().map(|id| (name.to_owned(), id)));
        }
        let mut metadata = dump::object(value.get("metadata"));
        metadata.extend(speech::extras(&value, &KNOWN));
        let text = value.get("content").and_then(Value::as_text).filter(|text| !text.is_empty());
        let added = value.get("added_at").filter(|at| !at.is_null()).or(value.get("created_at"));
        sink(Item::Document(Box::new(Document {
            owner,
            conversation,
            key: hash.or(id).unwrap_or_else(|| place.locator.clone()),
            name: speech::content(value.get("filename")),
            mime: value.str("file_type").filter(|kind| kind.contains('/')).map(str::to_owned),
            // A migration wrote 0 where it knew no size.
            bytes: whole(value.get("file_size")).filter(|bytes| *bytes > 0),
            added: When::read(added, self.zone),
            fragments: text.cloned().into_iter().collect(),
            claimed: whole(value.get("chunk_count")),
            ids,
            metadata,
            own: None,
            place,
        })))
    }
}

/// Whose a row is: the second generation has both, and the uuid is the one that counts.
fn owner_of(value: &Value) -> Option<String> {
    ["user_uuid", "user_id"].iter().find_map(|key| speech::id(value.get(key)))
}

/// The id that the files knew; of a row of the messages' table it is the id of another row.
fn legacy_id(value: &Value) -> Option<String> {
    speech::id(value.get("conversation_id"))
}

/// A whole number, which CSV has as text.
pub(super) fn whole(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Text(text) => text.shown.trim().parse().ok(),
        value => value.as_i64(),
    }
}

/// Whether a column is true, which CSV has as text.
fn is(value: &Value, key: &str) -> bool {
    value.is(key) || matches!(value.str(key), Some("true" | "t" | "True" | "TRUE" | "1"))
}

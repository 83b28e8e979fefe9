//! Chatbox's backup (`chatbox-exported-data-….json`, one object of storage keys), and its export of one
//! session.
//!
//! An older topic of a session (`threads`) becomes a conversation of its own, which names the session: in
//! Chatbox they are read one at a time too. What was said instead (`messageForksHash`) becomes branches.
//! Settings are never looked at: they can hold keys. Images and texts of files are not in the backup.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::json;

use super::folder::{self, Beginning};
use super::said::{Said, whole};
use super::tree::{self, Node};
use super::{Input, Sink, Source, files, speech};
use crate::import::lax::{Key, Shape, Value};
use crate::import::record::{Kind, Place};
use crate::import::time::Zone;
use crate::import::{Attachment, Conversation, Item, Message, Text, When};

/// Chatbox.
#[derive(Debug, Clone, Copy)]
pub struct Chatbox;

impl Source for Chatbox {
    fn system(&self) -> &'static str {
        "chatbox"
    }

    fn name(&self) -> &'static str {
        "Chatbox"
    }

    fn recognises(&self, root: &Path) -> bool {
        folder::has(root, is_its)
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> std::io::Result<()> {
        for file in folder::of_program(&input.root, is_its)? {
            if read_file(&file.as_file(), input.zone, sink).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn is_its(beginning: &Beginning) -> bool {
    beginning.object().is_some_and(|whole| {
        whole.get("__exported_items").is_some()
            || whole.str("__source") == Some("chatbox")
            || whole.get("chat-sessions").is_some()
            || whole.entries().iter().any(|(key, _)| key.shown.starts_with("session:"))
    })
}

fn is_walked(way: &[Key]) -> bool {
    matches!(way, [Key::Name(name)] if name.shown == "chat-sessions")
}

fn read_file(file: &files::Found, zone: Zone, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let (mut listed, mut bodies) = (Vec::new(), BTreeSet::new());
    files::walk(file, Shape::One, &is_walked, sink, &mut |way, element, sink| {
        let place = file.place(files::way_of(way));
        let name = way.first().map(Key::name).unwrap_or_default();
        // Of everything else not even the keys are looked at.
        let is_session =
            name.starts_with("session:") || matches!(name, "session" | "chat-sessions");
        if !is_session && name != "chat-sessions-list" {
            return ControlFlow::Continue(());
        }
        let value = files::value(&place, &element, sink)?;
        if !is_session {
            let ids = value.items().iter().filter_map(|one| {
                Some((one.str("id")?.to_owned(), one.str("name").unwrap_or_default().to_owned()))
            });
            listed.extend(ids);
            return ControlFlow::Continue(());
        }
        if value.as_map().is_none() {
            return sink(place.skip(Kind::Conversation, "This is no session."));
        }
        let key = value.str("id").or_else(|| name.strip_prefix("session:"));
        let key = key.map_or_else(|| place.locator.clone(), str::to_owned);
        bodies.insert(key.clone());
        session(&value, &key, &Place::new(place.path, &key), zone, sink)
    })?;
    for (id, name) in listed.into_iter().filter(|(id, _)| !bodies.contains(id)) {
        let reason = format!("“{name}” is listed, but what was said is not in the backup.");
        sink(file.place(id).skip(Kind::Conversation, reason))?;
    }
    ControlFlow::Continue(())
}

/// A topic of a session: its key among them, its messages in a tree, and where it ends.
struct Topic<'a> {
    thread: Option<&'a Value>,
    nodes: Vec<Node>,
    end: Option<String>,
}

impl Topic<'_> {
    fn has(&self, id: &str) -> bool {
        self.nodes.iter().any(|node| node.key == id)
    }

    /// Puts messages behind each other, and behind one that is there.
    fn chain(&mut self, messages: &[&Value], after: Option<&str>, zone: Zone) {
        let mut parent = after.map(str::to_owned);
        for value in messages {
            let number = self.nodes.len();
            let key = value.str("id").map_or_else(|| format!("number {number}"), str::to_owned);
            let message = Some(message(value, &key, zone));
            self.nodes.push(Node { key: key.clone(), parent: parent.replace(key), message });
        }
    }
}

fn session(
    value: &Value,
    key: &str,
    place: &Place,
    zone: Zone,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let mut topics = Vec::new();
    let threads = value.get("threads").map(Value::items).unwrap_or_default();
    for thread in [None].into_iter().chain(threads.iter().map(Some)) {
        let list = thread.unwrap_or(value).get("messages").map(Value::items).unwrap_or_default();
        let mut topic = Topic { thread, nodes: Vec::new(), end: None };
        topic.chain(&whole(list, place, sink)?, None, zone);
        topic.end = topic.nodes.last().map(|node| node.key.clone());
        topics.push(topic);
    }
    branch(value, &mut topics, place, zone, sink)?;
    for topic in topics {
        conversation(value, key, topic, place, zone, sink)?;
    }
    ControlFlow::Continue(())
}

/// Adds what was said instead, behind the message after which it was. That message may be in a branch itself,
/// so this goes on as long as something finds its place.
fn branch(
    value: &Value,
    topics: &mut [Topic<'_>],
    place: &Place,
    zone: Zone,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let entries = value.get("messageForksHash").map(Value::entries).unwrap_or_default();
    let mut open: Vec<(&Text, &Value)> =
        entries.iter().map(|(after, fork)| (after, fork)).collect();
    loop {
        let before = open.len();
        let mut left = Vec::new();
        for (after, fork) in open {
            let at = topics.iter().position(|topic| topic.has(&after.shown));
            match at {
                Some(at) => forks(fork, &after.shown, &mut topics[at], place, zone, sink)?,
                None => left.push((after, fork)),
            }
        }
        open = left;
        if open.len() == before || open.is_empty() {
            break;
        }
    }
    for (after, fork) in open {
        sink(place.note("A branch follows a message that is not there, and begins by itself."))?;
        forks(fork, &after.shown, &mut topics[0], place, zone, sink)?;
    }
    ControlFlow::Continue(())
}

fn forks(
    fork: &Value,
    after: &str,
    topic: &mut Topic<'_>,
    place: &Place,
    zone: Zone,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    for list in fork.get("lists").map(Value::items).unwrap_or_default() {
        // The one that is shown is empty here: its messages are in the main list.
        let messages = list.get("messages").map(Value::items).unwrap_or_default();
        topic.chain(&whole(messages, place, sink)?, Some(after), zone);
    }
    ControlFlow::Continue(())
}

fn conversation(
    session: &Value,
    key: &str,
    topic: Topic<'_>,
    place: &Place,
    zone: Zone,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let tree = tree::grow(topic.nodes);
    let mut ids = vec![("session".to_owned(), key.to_owned())];
    let name = |value: &Value| value.get("name").and_then(Value::as_text).cloned();
    let mut found = Conversation { key: key.to_owned(), ..Conversation::default() };
    found.title = name(session).unwrap_or_default();
    if let Some(thread) = topic.thread {
        let id = thread.str("id").unwrap_or("thread");
        ids.push(("thread".to_owned(), id.to_owned()));
        found.key = format!("{key}/{id}");
        found.metadata.insert("session_title".into(), json!(found.title.shown));
        found.title = name(thread).filter(|name| !name.is_empty()).unwrap_or(found.title);
        found.created = When::read(thread.get("createdAt"), zone);
    } else {
        found.pinned = session.is("starred");
        found.archived = session.is("hidden");
        if let Some(name) = session.str("threadName") {
            found.metadata.insert("thread_title".into(), json!(name));
        }
    }
    if let Some(told) = tree.oddities() {
        sink(place.note(told))?;
    }
    let settings = session.get("settings").unwrap_or(&Value::Null);
    found.model = settings.str("modelId").map(str::to_owned);
    found.ids = ids.into_iter().collect();
    found.shown = topic.end.and_then(|end| tree.find(&end));
    found.messages = tree.messages;
    found.place = Place::new(place.path.clone(), &found.key);
    sink(Item::Conversation(Box::new(found)))
}

fn message(value: &Value, key: &str, zone: Zone) -> Message {
    let mut said = Said::default();
    let parts = value.get("contentParts").map(Value::items).unwrap_or_default();
    parts.iter().for_each(|part| read_part(&mut said, part));
    if parts.is_empty() {
        said.text = speech::content(value.get("content"));
    }
    said.thought(value.str("reasoningContent").unwrap_or_default());
    for picture in value.get("pictures").map(Value::items).unwrap_or_default() {
        said.attachments.push(stored(picture, "image"));
    }
    for file in value.get("files").map(Value::items).unwrap_or_default() {
        said.attachments.push(stored(file, ""));
    }
    for name in ["links", "error", "usage", "aiProvider", "isSummary", "errorCode"] {
        said.keep(name, value.get(name));
    }
    let role = speech::role_or_answer(value.get("role"), &mut said.metadata);
    let tokens = |key| value.get("usage")?.get(key)?.as_i64();
    Message {
        key: Some(key.to_owned()),
        model: value.str("model").map(str::to_owned),
        tokens_in: tokens("inputTokens"),
        tokens_out: tokens("outputTokens"),
        interrupted: value.is("generating"),
        attachments: said.attachments,
        metadata: said.metadata,
        ..Message::new(role, said.text, When::read(value.get("timestamp"), zone))
    }
}

fn read_part(said: &mut Said, part: &Value) {
    match part.str("type").unwrap_or("text") {
        "text" | "info" => said.add(part.get("text")),
        "reasoning" => said.thought(part.str("text").unwrap_or_default()),
        "tool-call" => said.tool(part, &["toolCallId", "toolName", "state", "args", "result"]),
        "image" => said.attachments.push(stored(part, "image")),
        _ => said.list("parts", part.to_json()),
    }
}

/// What the backup only names: its key in the program's storage, or a link.
fn stored(value: &Value, kind: &str) -> Attachment {
    let name = value.get("name").and_then(Value::as_text);
    let link = value.str("url").or_else(|| value.str("storageKey")).unwrap_or_default();
    let mut attachment = Attachment::from_link(link, name, value.str("fileType"));
    if !kind.is_empty() {
        attachment.kind = kind.to_owned();
    }
    attachment.name = attachment.name.filter(|name: &Text| !name.is_empty());
    attachment
}

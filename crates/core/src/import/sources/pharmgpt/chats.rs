//! `conversations.json` and its copies: all conversations of one user, by their ids.

use std::collections::HashMap;
use std::ops::ControlFlow;

use serde_json::Map;

use super::home::Chats;
use crate::import::Text;
use crate::import::lax::{Key, List, Shape, Value};
use crate::import::record::{Conversation, Item, Kind, Message, Place};
use crate::import::sources::{Sink, files, files::Found, speech};
use crate::import::time::{When, Zone};

/// Reads one user's conversations, each once, from the file that has the most of it.
pub(super) fn read(
    owner: &str,
    chats: &Chats<'_>,
    zone: Zone,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let mut index = Index::default();
    let mut is_damaged = chats.own.is_empty();
    for (number, file) in chats.own.iter().enumerate() {
        is_damaged |= index.add(number, file) && number == 0;
    }
    let mut files: Vec<&Found> = chats.own.iter().collect();
    // A backup is asked only where the file in use is missing or damaged: what is not in a sound file
    // was deleted by its owner.
    if is_damaged {
        for file in &chats.backups {
            index.add(files.len(), file);
            files.push(file);
        }
    }
    for (number, file) in files.into_iter().enumerate() {
        let mut from = File { owner, file, number, zone, count: 0, elsewhere: 0, found: 0 };
        from.read(&index, sink)?;
    }
    ControlFlow::Continue(())
}

/// Which file, and which place in it, each conversation is read from.
#[derive(Debug, Default)]
struct Index {
    best: HashMap<String, Pick>,
}

#[derive(Debug)]
struct Pick {
    file: usize,
    number: usize,
    is_whole: bool,
    bytes: usize,
}

impl Index {
    /// Notes a file's conversations. True: it is damaged, or has nothing in it at all.
    fn add(&mut self, file: usize, found: &Found) -> bool {
        let mut number = 0;
        let mut quiet = |_| ControlFlow::Continue(());
        let walked =
            files::walk(found, Shape::One, &|_| false, &mut quiet, &mut |way, element, _| {
                let pick =
                    Pick { file, number, is_whole: element.is_whole, bytes: element.bytes.len() };
                number += 1;
                self.offer(key(way), pick);
                ControlFlow::Continue(())
            });
        walked.continue_value().is_none_or(|walked| walked.is_cut || walked.is_empty)
    }

    /// In one file the last one counts, as the program read it; among files the first one that has it
    /// whole, else the one that has the most of it.
    fn offer(&mut self, key: String, pick: Pick) {
        let is_better = self.best.get(&key).is_none_or(|best| {
            best.file == pick.file || (!best.is_whole && (pick.is_whole || pick.bytes > best.bytes))
        });
        if is_better {
            self.best.insert(key, pick);
        }
    }
}

/// The id; the place, where the file is a list.
fn key(way: &[Key]) -> String {
    match way.first() {
        Some(Key::Name(name)) => name.shown.clone(),
        Some(Key::Number(number)) => format!("#{number}"),
        None => String::new(),
    }
}

/// A file that is read.
struct File<'a> {
    owner: &'a str,
    file: &'a Found,
    number: usize,
    zone: Zone,
    count: usize,
    elsewhere: usize,
    found: usize,
}

impl File<'_> {
    fn read(&mut self, index: &Index, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let file = self.file;
        files::walk(file, Shape::One, &|_| false, sink, &mut |way, element, sink| {
            let number = self.count;
            self.count += 1;
            let place = file.place(files::way_of(way));
            let key = key(way);
            match index.best.get(&key) {
                Some(best) if (best.file, best.number) == (self.number, number) => {}
                Some(best) if best.file == self.number => {
                    let reason = "The same id comes again below; the program read that one.";
                    return sink(place.duplicate(Kind::Conversation, reason));
                }
                _ => {
                    self.elsewhere += 1;
                    return ControlFlow::Continue(());
                }
            }
            self.found += 1;
            let value = files::value(&place, &element, sink)?;
            // All of a long conversation is in memory several times as it is.
            drop(element);
            self.entry(key, &value, place, sink)
        })?;
        if self.number > 0 {
            let (found, elsewhere) = (self.found, self.elsewhere);
            let text = format!("A copy: {found} came from it, {elsewhere} are also elsewhere.");
            sink(file.place("").note(text))?;
        }
        ControlFlow::Continue(())
    }

    /// What stands under an id: a conversation, or several in a list.
    fn entry(
        &self,
        key: String,
        value: &Value,
        place: Place,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        match &*speech::unwrap(value) {
            value @ Value::Map(_) => self.conversation(key, value, place, sink),
            Value::List(List { items, .. }) => {
                for (number, item) in items.iter().enumerate() {
                    let place =
                        Place::new(place.path.clone(), format!("{}/{number}", place.locator));
                    match item.get("messages") {
                        Some(_) => {
                            self.conversation(format!("{key}/{number}"), item, place, sink)?
                        }
                        None => sink(place.skip(Kind::Conversation, not_one(item)))?,
                    }
                }
                ControlFlow::Continue(())
            }
            value => sink(place.skip(Kind::Conversation, not_one(value))),
        }
    }

    fn conversation(
        &self,
        key: String,
        value: &Value,
        place: Place,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        const KNOWN: [&str; 4] = ["title", "messages", "created_at", "model"];
        let messages = messages(value.get("messages"), &place, self.zone, sink)?;
        let created = When::read(value.get("created_at"), self.zone);
        let last = messages.iter().rev().find(|message| message.at.at.is_some());
        sink(Item::Conversation(Box::new(Conversation {
            owner: Some(self.owner.to_owned()),
            ids: [("conversation_id".to_owned(), key.clone())].into(),
            key,
            title: speech::content(value.get("title")),
            updated: last.map_or_else(|| created.clone(), |message| message.at.clone()),
            created,
            model: value.str("model").map(str::to_owned),
            metadata: speech::extras(value, &KNOWN),
            messages,
            place,
            ..Conversation::default()
        })))
    }
}

fn not_one(value: &Value) -> String {
    format!("It is {} where a conversation belongs.", value.kind())
}

/// The messages, in the order of the file, which is the only order there is.
pub(in crate::import::sources) fn messages(
    value: Option<&Value>,
    place: &Place,
    zone: Zone,
    sink: &mut Sink<'_>,
) -> ControlFlow<(), Vec<Message>> {
    let mut messages: Vec<Message> = Vec::new();
    let Some(value) = value else { return ControlFlow::Continue(messages) };
    let unwrapped = speech::unwrap(value);
    let items: Vec<&Value> = match &*unwrapped {
        Value::List(list) => list.items.iter().collect(),
        Value::Map(map) => map.entries.iter().map(|(_, item)| item).collect(),
        Value::Null => Vec::new(),
        other => {
            let reason = format!("It is {} where messages belong.", other.kind());
            sink(place.skip(Kind::Message, reason))?;
            Vec::new()
        }
    };
    for (number, item) in items.into_iter().enumerate() {
        let place = Place::new(place.path.clone(), format!("{}/messages/{number}", place.locator));
        let Some(mut message) = message(item, zone, &place, sink)? else { continue };
        message.parent = messages.len().checked_sub(1);
        messages.push(message);
    }
    ControlFlow::Continue(messages)
}

/// One message; none where nothing is there, or it breaks off before its content ends.
fn message(
    value: &Value,
    zone: Zone,
    place: &Place,
    sink: &mut Sink<'_>,
) -> ControlFlow<(), Option<Message>> {
    let mut metadata = Map::new();
    let text: Text = match value {
        Value::Map(map)
            if !value.is_whole() && !map.get("content").is_some_and(Value::is_whole) =>
        {
            sink(place.skip(Kind::Message, "It breaks off before its end."))?;
            return ControlFlow::Continue(None);
        }
        Value::Map(_) => speech::content(value.get("content")),
        Value::Text(text) => text.clone(),
        other => {
            let reason = format!("It is {} where a message belongs.", other.kind());
            sink(place.skip(Kind::Message, reason))?;
            return ControlFlow::Continue(None);
        }
    };
    if !value.is_whole() {
        sink(place.note("It breaks off behind its content."))?;
    }
    metadata.extend(speech::extras(value, &["role", "content", "timestamp"]));
    if speech::is_structured(value.get("content"))
        && let Some(content) = value.get("content")
    {
        metadata.insert("content".to_owned(), content.to_json());
    }
    let role = speech::role_or_answer(value.get("role"), &mut metadata);
    let mut message = Message::new(role, text, When::read(value.get("timestamp"), zone));
    message.metadata = metadata;
    ControlFlow::Continue(Some(message))
}

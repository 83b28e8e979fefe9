//! ChatGPT's data export: `conversations.json` (a list, or an object with the list in it), since 2026 in
//! shards `conversations-000.json`, …, with assets beside it.
//!
//! A conversation is a map of nodes, each of which names its parent; the order of the map means nothing.
//! The file is walked node by node, and only one conversation is in memory, without what it does not
//! need. What ChatGPT does not show is no message here: reasoning and calls of tools go to the metadata of
//! the answer that came of them, a person's custom instructions become the system prompt, and the rest
//! that has text is kept in the conversation's metadata.

mod assets;
mod content;
mod node;
mod tree;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use self::assets::Assets;
use self::node::Node;
use self::tree::Building;
use super::folder::{self, Beginning, Found};
use super::{Input, Sink, Source};
use crate::import::Item;
use crate::import::lax::{Element, Key, Oddity, Shape, Value, members, parse};
use crate::import::record::Kind;

/// ChatGPT.
#[derive(Debug, Clone, Copy)]
pub struct ChatGpt;

impl Source for ChatGpt {
    fn system(&self) -> &'static str {
        "chatgpt"
    }

    fn name(&self) -> &'static str {
        "ChatGPT"
    }

    fn recognises(&self, root: &Path) -> bool {
        folder::has(root, is_its)
    }

    fn version(&self, root: &Path) -> Option<String> {
        let files = files(root).ok()?;
        let is_sharded = files.iter().any(|file| file.file_name() != "conversations.json");
        Some(if is_sharded { "sharded" } else { "plain" }.to_owned())
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> std::io::Result<()> {
        let files = files(&input.root)?;
        let beside = Beside::new(&input.root);
        for file in files {
            if read_file(&file, input, &beside, sink).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn is_its(beginning: &Beginning) -> bool {
    let is_conversation =
        |value: &Value| value.get("mapping").is_some() || (value.get("current_node").is_some());
    match beginning {
        Beginning::List(first) => is_conversation(first),
        Beginning::Object(whole) => {
            is_conversation(whole)
                || whole
                    .get("conversations")
                    .is_some_and(|list| list.items().first().is_some_and(is_conversation))
        }
        _ => false,
    }
}

/// Its files: those that begin as its own, and the shards beside them however they begin.
fn files(root: &Path) -> std::io::Result<Vec<Found>> {
    let mut files = folder::json(root)?;
    let has_its = files.iter().any(|file| is_its(&Beginning::of(file)));
    let is_shard = |name: &str| {
        let number =
            name.strip_prefix("conversations-").and_then(|rest| rest.strip_suffix(".json"));
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    files.retain(|file| has_its && (is_shard(file.file_name()) || is_its(&Beginning::of(file))));
    Ok(files)
}

/// What lies beside the conversations.
struct Beside {
    assets: Assets,
    feedback: HashMap<String, serde_json::Value>,
}

impl Beside {
    fn new(root: &Path) -> Self {
        Self { assets: Assets::below(root), feedback: feedback(root) }
    }
}

/// What the person thought of answers, by the message's id.
fn feedback(root: &Path) -> HashMap<String, serde_json::Value> {
    /// More are not looked at.
    const MOST: usize = 100_000;
    let mut found = HashMap::new();
    let files = folder::json(root).unwrap_or_default();
    let Some(file) = files.iter().find(|file| file.file_name() == "message_feedback.json") else {
        return found;
    };
    let Ok(opened) = file.open() else { return found };
    // A file that cannot be read to its end gives what was read.
    let _ = members(opened, Shape::One, &|_| false, &mut |_, element| {
        let value = parse(&element.bytes).value;
        if let (Some(id), Some(rating)) = (value.str("id"), value.get("rating")) {
            found.insert(id.to_owned(), rating.to_json());
        }
        if found.len() < MOST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    found
}

/// The way to a conversation, to one of its fields, or to one of its nodes.
enum Way<'a> {
    Conversation(usize),
    Field(usize, &'a str),
    Node(usize, &'a Key),
    Other,
}

fn way(keys: &[Key]) -> Way<'_> {
    let keys = match keys {
        [Key::Name(name), rest @ ..] if name.shown == "conversations" && !rest.is_empty() => rest,
        keys => keys,
    };
    match keys {
        [Key::Number(number)] => Way::Conversation(*number),
        [Key::Number(number), Key::Name(name)] => Way::Field(*number, &name.shown),
        [Key::Number(number), Key::Name(name), node] if name.shown == "mapping" => {
            Way::Node(*number, node)
        }
        // A file that is one conversation.
        [Key::Name(name)] => Way::Field(0, &name.shown),
        [Key::Name(name), node] if name.shown == "mapping" => Way::Node(0, node),
        _ => Way::Other,
    }
}

fn is_walked(keys: &[Key]) -> bool {
    match way(keys) {
        Way::Conversation(_) => true,
        Way::Field(_, name) => matches!(name, "mapping" | "conversations"),
        _ => false,
    }
}

fn read_file(file: &Found, input: &Input, beside: &Beside, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let mut reading = Reading {
        file,
        input,
        beside,
        sink,
        now: None,
        folded: 0,
        ended: ControlFlow::Continue(()),
    };
    let walked = file.open().and_then(|opened| {
        members(opened, Shape::One, &is_walked, &mut |keys, element| reading.member(keys, element))
    });
    reading.flush(walked.as_ref().is_ok_and(|walked| walked.is_cut))?;
    let place = file.place("");
    if reading.folded > 0 {
        let count = reading.folded;
        (reading.sink)(place.note(format!(
            "{count} messages that ChatGPT does not show (instructions, thoughts, calls of tools) stand \
             beside those that it shows."
        )))?;
    }
    match walked {
        Err(_) => (reading.sink)(place.skip(Kind::File, "It cannot be read.")),
        Ok(walked) if walked.is_empty => (reading.sink)(place.skip(Kind::File, "It is empty.")),
        Ok(walked) if walked.is_cut => {
            (reading.sink)(file.place("end").skip(Kind::File, "The file breaks off here."))
        }
        Ok(walked) if walked.garbage.is_some() => {
            (reading.sink)(place.note("Something follows its end, and was passed over."))
        }
        Ok(_) => ControlFlow::Continue(()),
    }
}

struct Reading<'a, 'b> {
    file: &'a Found,
    input: &'a Input,
    beside: &'a Beside,
    sink: &'a mut Sink<'b>,
    now: Option<Building>,
    /// Messages that are not shown, so far.
    folded: usize,
    ended: ControlFlow<()>,
}

impl Reading<'_, '_> {
    fn member(&mut self, keys: &[Key], element: Element) -> ControlFlow<()> {
        let number = match way(keys) {
            Way::Conversation(number) | Way::Field(number, _) | Way::Node(number, _) => number,
            Way::Other => return ControlFlow::Continue(()),
        };
        if self.now.as_ref().is_some_and(|now| now.number != number) {
            self.flush(false)?;
        }
        match way(keys) {
            Way::Conversation(_) => self
                .tell(self.file.place(number).skip(Kind::Conversation, "This is no conversation.")),
            Way::Field(_, name) => self.field(number, name, &element),
            Way::Node(_, key) => self.node(number, key, &element),
            Way::Other => ControlFlow::Continue(()),
        }
    }

    fn building(&mut self, number: usize) -> &mut Building {
        self.now.get_or_insert_with(|| Building::new(number))
    }

    fn field(&mut self, number: usize, name: &str, element: &Element) -> ControlFlow<()> {
        let is_kept = element.is_whole && element.too_large.is_none();
        let building = self.building(number);
        if is_kept && Building::FIELDS.contains(&name) {
            building.field(name, parse(&element.bytes).value);
        }
        ControlFlow::Continue(())
    }

    fn node(&mut self, number: usize, key: &Key, element: &Element) -> ControlFlow<()> {
        let place = self.file.place(format!("{number}: {key}"));
        let reason = match element.too_large {
            Some(size) => Some(format!("It has {size} bytes, which no message has.")),
            None if !element.is_whole => Some("It is cut off.".to_owned()),
            None => None,
        };
        if let Some(reason) = reason {
            self.building(number);
            return self.tell(place.skip(Kind::Message, reason));
        }
        let parsed = parse(&element.bytes);
        let is_torn =
            |(oddity, _): &(Oddity, usize)| matches!(oddity, Oddity::Broken | Oddity::Cut);
        if parsed.oddities.iter().any(is_torn) {
            self.tell(place.note("Something in it is no JSON; what came before comes over."))?;
        }
        if parsed.value.as_map().is_none() {
            self.building(number);
            return self.tell(place.skip(Kind::Message, "This is no message."));
        }
        let node = Node::read(key.to_string(), &parsed.value, self.input.zone, self.beside);
        self.building(number).nodes.push(node);
        ControlFlow::Continue(())
    }

    fn flush(&mut self, is_cut: bool) -> ControlFlow<()> {
        self.ended?;
        let Some(building) = self.now.take() else { return ControlFlow::Continue(()) };
        let items = building.finish(self.file, self.input.zone, is_cut);
        for item in items {
            if let Item::Conversation(found) = &item {
                self.folded += found.folded;
            }
            self.tell(item)?;
        }
        ControlFlow::Continue(())
    }

    fn tell(&mut self, item: Item) -> ControlFlow<()> {
        self.ended = (self.sink)(item);
        self.ended
    }
}

//! LibreChat's export: one conversation a file, as a list of messages or as a tree of them.
//!
//! The tree nests as deep as the conversation is long, so it is walked field by field, without recursion
//! and without a limit of depth. The file names no date but those of the messages: its `exportAt` is a time
//! of day.

use std::ops::ControlFlow;
use std::path::Path;

use super::folder::{self, Beginning, Found};
use super::said::Said;
use super::tree::{self, Node};
use super::{Input, Sink, Source, files};
use crate::import::lax::{Key, Map, Shape, Value};
use crate::import::record::Kind;
use crate::import::time::Zone;
use crate::import::{Attachment, Conversation, Item, Message, Text, When};
use crate::model::Role;

/// LibreChat.
#[derive(Debug, Clone, Copy)]
pub struct LibreChat;

impl Source for LibreChat {
    fn system(&self) -> &'static str {
        "librechat"
    }

    fn name(&self) -> &'static str {
        "LibreChat"
    }

    fn recognises(&self, root: &Path) -> bool {
        folder::has(root, is_its)
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> std::io::Result<()> {
        for file in folder::of_program(&input.root, is_its)? {
            if read_file(&file, input.zone, sink).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn is_its(beginning: &Beginning) -> bool {
    beginning.object().is_some_and(|whole| {
        let has = |key| whole.get(key).is_some();
        has("conversationId") && (has("messages") || has("messagesTree") || has("exportAt"))
    })
}

fn is_walked(way: &[Key]) -> bool {
    match way {
        [Key::Name(name)] => matches!(name.shown.as_str(), "messages" | "messagesTree"),
        [.., Key::Name(name), Key::Number(_)] => name.shown != "messages",
        [first, .., Key::Name(name)] => first.name() == "messagesTree" && name.shown == "children",
        _ => false,
    }
}

/// A file that is being read.
#[derive(Default)]
struct Reading {
    fields: Map,
    nodes: Vec<Node>,
    /// The messages of the tree whose fields still come: how deep, which one there, what is known.
    open: Vec<(usize, usize, Value)>,
}

fn read_file(found: &Found, zone: Zone, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let file = found.as_file();
    let mut reading = Reading::default();
    files::walk(&file, Shape::One, &is_walked, sink, &mut |way, element, sink| {
        let place = file.place(way.last().map(ToString::to_string).unwrap_or_default());
        let value = files::value(&place, &element, sink)?;
        match way {
            [Key::Name(_)] => reading.field(way, value),
            [Key::Name(_), Key::Number(number)] => {
                if value.as_map().is_none() || !value.is_whole() {
                    return sink(place.skip(Kind::Message, "It is no message, or is cut off."));
                }
                reading.message(&value, *number, zone);
            }
            [.., Key::Number(number), Key::Name(name)] if element.is_whole => {
                reading.close(way.len() - 1, *number, zone);
                reading.nested(way.len() - 1, *number, name.clone(), value);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    })?;
    reading.close(0, 0, zone);
    reading.finish(found, sink)
}

impl Reading {
    fn field(&mut self, way: &[Key], value: Value) {
        self.fields.entries.push((Text::from(way[0].name()), value));
    }

    /// A field of a message of the tree.
    fn nested(&mut self, depth: usize, number: usize, name: Text, value: Value) {
        if self.open.last().is_none_or(|(at, _, _)| *at < depth) {
            let mut map = Map { is_whole: true, ..Map::default() };
            // What it lies in is its parent, unless it says otherwise.
            let above = self.open.last().and_then(|(_, _, above)| above.get("messageId").cloned());
            map.entries.extend(above.map(|above| (Text::from("parentMessageId"), above)));
            self.open.push((depth, number, Value::Map(map)));
        }
        if let Some((_, _, Value::Map(map))) = self.open.last_mut() {
            map.entries.push((name, value));
        }
    }

    /// Ends the messages that a field at this depth is no part of.
    fn close(&mut self, depth: usize, number: usize, zone: Zone) {
        while let Some((at, which, _)) = self.open.last() {
            if *at < depth || (*at == depth && *which == number) {
                break;
            }
            // One that is cut off before its text is none.
            let says = |value: &Value| value.get("text").or(value.get("content")).is_some();
            if let Some((_, _, value)) = self.open.pop().filter(|(_, _, value)| says(value)) {
                self.message(&value, self.nodes.len(), zone);
            }
        }
    }

    fn message(&mut self, value: &Value, number: usize, zone: Zone) {
        let key = value.str("messageId").map_or_else(|| format!("number {number}"), str::to_owned);
        let parent = value.str("parentMessageId").filter(|id| !id.starts_with("00000000-0000-"));
        let parent = parent.map(str::to_owned);
        self.nodes.push(Node { message: Some(message(value, &key, zone)), key, parent });
    }

    fn finish(self, file: &Found, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let fields = Value::Map(self.fields);
        let name = || format!("file {}", file.file_name());
        let key = fields.str("conversationId").map_or_else(name, str::to_owned);
        let place = file.place(&key);
        let tree = tree::grow(self.nodes);
        if let Some(told) = tree.oddities() {
            sink(place.note(told))?;
        }
        let options = fields.get("options").unwrap_or(&Value::Null);
        let prompt = options.get("promptPrefix").or_else(|| options.get("system"));
        let mut kept = Said::default();
        for name in ["endpoint", "options", "exportAt"] {
            kept.keep(name, fields.get(name));
        }
        sink(Item::Conversation(Box::new(Conversation {
            title: fields.get("title").and_then(Value::as_text).cloned().unwrap_or_default(),
            model: options.str("model").map(str::to_owned),
            system_prompt: prompt.and_then(Value::as_text).filter(|text| !text.is_empty()).cloned(),
            ids: [("conversationId".to_owned(), key.clone())].into(),
            key,
            metadata: kept.metadata,
            shown: tree.latest_leaf(),
            messages: tree.messages,
            place,
            ..Conversation::default()
        })))
    }
}

fn message(value: &Value, key: &str, zone: Zone) -> Message {
    let mut said = Said::default();
    let parts = value.get("content").map(Value::items).unwrap_or_default();
    parts.iter().for_each(|part| read_part(&mut said, part));
    if said.text.is_empty() {
        said.add(value.get("text"));
    }
    let lists = ["files", "attachments"].into_iter().filter_map(|key| value.get(key));
    for file in lists.flat_map(Value::items) {
        let name = file.get("filename").and_then(Value::as_text);
        let link = file.str("filepath").or_else(|| file.str("file_id")).unwrap_or_default();
        said.attachments.push(Attachment::from_link(link, name, file.str("type")));
    }
    for name in ["sender", "feedback", "error", "finish_reason", "plugin"] {
        said.keep(name, value.get(name));
    }
    let is_user = value.is("isCreatedByUser");
    let tokens = value.get("tokenCount").and_then(Value::as_i64).filter(|tokens| *tokens > 0);
    Message {
        key: Some(key.to_owned()),
        model: value.str("model").filter(|_| !is_user).map(str::to_owned),
        tokens_in: tokens.filter(|_| is_user),
        tokens_out: tokens.filter(|_| !is_user),
        interrupted: value.is("unfinished"),
        attachments: said.attachments,
        metadata: said.metadata,
        ..Message::new(
            if is_user { Role::User } else { Role::Assistant },
            said.text,
            When::read(value.get("createdAt"), zone),
        )
    }
}

fn read_part(said: &mut Said, part: &Value) {
    let text = |key| match part.get(key) {
        Some(nested @ Value::Map(_)) => nested.get("value"),
        text => text,
    };
    match part.str("type").unwrap_or("text") {
        "text" => said.add(text("text")),
        "think" => said.thought(text("think").and_then(Value::as_str).unwrap_or_default()),
        "tool_call" => {
            let call = part.get("tool_call").unwrap_or(part);
            said.tool(call, &["id", "name", "args", "output", "function"]);
        }
        "image_file" => {
            let file = part.get("image_file").unwrap_or(part);
            let link = file.str("filepath").or_else(|| file.str("file_id")).unwrap_or_default();
            let name = file.get("filename").and_then(Value::as_text);
            let image = Attachment::from_link(link, name, file.str("type"));
            said.attachments.push(Attachment { kind: "image".into(), ..image });
        }
        "image_url" => {
            let link = part.at(&["image_url", "url"]).and_then(Value::as_str).unwrap_or_default();
            said.attachments.push(Attachment::from_link(link, None, None));
        }
        "error" => said.keep("error", part.get("error")),
        _ => said.list("parts", part.to_json()),
    }
}

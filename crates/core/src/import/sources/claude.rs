//! Claude's data export: `conversations.json`, a list of conversations with their messages.
//!
//! The blocks of `content` are read, not `text`, in which those that a device did not know were replaced
//! by a fixed sentence. Newer exports name each message's parent. No model is named anywhere. The bytes of
//! uploads are not there; what was extracted from them, and what artifacts hold, comes as attachments.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::json;

use super::folder::{self, Beginning};
use super::said::{Said, whole};
use super::tree::{self, Node};
use super::{Input, Sink, Source, attached, files, speech};
use crate::import::lax::{Shape, Value};
use crate::import::record::{Document, Kind, Place};
use crate::import::time::Zone;
use crate::import::{Attachment, Conversation, Item, Message, Text, When};

/// Claude.
#[derive(Debug, Clone, Copy)]
pub struct Claude;

impl Source for Claude {
    fn system(&self) -> &'static str {
        "claude"
    }

    fn name(&self) -> &'static str {
        "Claude"
    }

    fn recognises(&self, root: &Path) -> bool {
        folder::has(root, is_its)
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> std::io::Result<()> {
        for file in folder::of_program(&input.root, is_its)? {
            if read_conversations(&file.as_file(), input.zone, sink).is_break() {
                return Ok(());
            }
        }
        for file in folder::json(&input.root)? {
            if file.file_name() == "projects.json"
                && read_projects(&file.as_file(), input.zone, sink).is_break()
            {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn is_its(beginning: &Beginning) -> bool {
    beginning.first().is_some_and(|first| first.get("chat_messages").is_some())
}

fn read_conversations(file: &files::Found, zone: Zone, sink: &mut Sink<'_>) -> ControlFlow<()> {
    files::walk(file, Shape::One, &|_| false, sink, &mut |way, element, sink| {
        let place = file.place(files::way_of(way));
        let value = files::value(&place, &element, sink)?;
        if value.as_map().is_none() {
            return sink(place.skip(Kind::Conversation, "This is no conversation."));
        }
        let key =
            value.str("uuid").map_or_else(|| format!("number {}", place.locator), str::to_owned);
        conversation(&value, &key, &file.place(&key), zone, sink)
    })?;
    ControlFlow::Continue(())
}

fn conversation(
    value: &Value,
    key: &str,
    place: &Place,
    zone: Zone,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let messages = value.get("chat_messages").map(Value::items).unwrap_or_default();
    let mut nodes: Vec<Node> = Vec::new();
    for one in whole(messages, place, sink)? {
        let before = nodes.last().map(|node| node.key.clone());
        let own = one.str("uuid").map(str::to_owned);
        let parent = match one.get("parent_message_uuid") {
            // An older export is linear; the first of a newer one names a parent of zeros.
            None => before,
            Some(parent) => parent.as_str().filter(|id| !is_nil(id)).map(str::to_owned),
        };
        let key = own.unwrap_or_else(|| format!("number {}", nodes.len()));
        let message = message(one, &key, zone);
        nodes.push(Node { key, parent, message: Some(message) });
    }
    let tree = tree::grow(nodes);
    if let Some(told) = tree.oddities() {
        sink(place.note(told))?;
    }
    let leaf = value.str("current_leaf_message_uuid").and_then(|leaf| tree.find(leaf));
    let mut metadata = speech::extras(value, &KNOWN);
    metadata.retain(|_, value| value.as_str() != Some(""));
    sink(Item::Conversation(Box::new(Conversation {
        key: key.to_owned(),
        title: value.get("name").and_then(Value::as_text).cloned().unwrap_or_default(),
        created: When::read(value.get("created_at"), zone),
        updated: When::read(value.get("updated_at"), zone),
        pinned: value.is("is_starred"),
        ids: [("uuid".to_owned(), key.to_owned())].into(),
        metadata,
        shown: leaf,
        messages: tree.messages,
        place: place.clone(),
        ..Conversation::default()
    })))
}

/// What has a place of its own.
const KNOWN: [&str; 9] = [
    "uuid",
    "name",
    "created_at",
    "updated_at",
    "chat_messages",
    "account",
    "is_starred",
    "current_leaf_message_uuid",
    "settings",
];

fn is_nil(id: &str) -> bool {
    id.is_empty() || id.starts_with("00000000-0000-")
}

fn message(value: &Value, key: &str, zone: Zone) -> Message {
    let mut said = Said::default();
    let blocks = value.get("content").map(Value::items).unwrap_or_default();
    blocks.iter().for_each(|block| read_block(&mut said, block));
    if blocks.is_empty() {
        said.add(value.get("text"));
    }
    for attachment in value.get("attachments").map(Value::items).unwrap_or_default() {
        said.attachments.push(extracted(attachment));
    }
    for file in value.get("files").map(Value::items).unwrap_or_default() {
        let name = file.get("file_name").and_then(Value::as_text);
        let id = file.str("file_uuid").map(|id| format!("claude:file/{id}"));
        let kind = attached::kind(None, name);
        let name = name.map(attached::last_name);
        said.attachments.push(Attachment { kind, name, url: id, ..Attachment::default() });
    }
    let role = speech::role_or_answer(value.get("sender"), &mut said.metadata);
    if said.metadata.get("original_role").is_some_and(|word| word == "human") {
        said.metadata.remove("original_role");
    }
    Message {
        key: Some(key.to_owned()),
        attachments: said.attachments,
        metadata: said.metadata,
        ..Message::new(role, said.text, When::read(value.get("created_at"), zone))
    }
}

fn read_block(said: &mut Said, block: &Value) {
    match block.str("type").unwrap_or("text") {
        "text" => {
            said.add(block.get("text"));
            for citation in block.get("citations").map(Value::items).unwrap_or_default() {
                said.list("citations", citation.to_json());
            }
        }
        "thinking" => said.thought(block.str("thinking").unwrap_or_default()),
        "tool_use" => {
            said.tool(block, &["id", "name", "input"]);
            said.attachments.extend(artifact(block));
        }
        "tool_result" => {
            said.tool(block, &["tool_use_id", "name", "content", "is_error"]);
        }
        "token_budget" => {}
        _ => said.list("blocks", block.to_json()),
    }
}

/// What an artifact was made of, or replaced by.
fn artifact(block: &Value) -> Option<Attachment> {
    let input = block.get("input").filter(|_| block.str("name") == Some("artifacts"))?;
    let content = input.get("content")?.as_text().filter(|text| !text.is_empty())?;
    Some(Attachment {
        kind: "file".into(),
        name: input.get("title").and_then(Value::as_text).map(attached::last_name),
        mime: input.str("type").map(str::to_owned),
        bytes: Some(content.bytes().to_vec()),
        ..Attachment::default()
    })
}

/// What was extracted from an upload, or pasted.
fn extracted(value: &Value) -> Attachment {
    let text = value.get("extracted_content").and_then(Value::as_text);
    Attachment {
        kind: "file".into(),
        name: value.get("file_name").and_then(Value::as_text).map(attached::last_name),
        mime: Some("text/plain".into()),
        bytes: text.map(|text| text.bytes().to_vec()),
        ..Attachment::default()
    }
}

/// The documents of projects, which are there with their text.
fn read_projects(file: &files::Found, zone: Zone, sink: &mut Sink<'_>) -> ControlFlow<()> {
    files::walk(file, Shape::One, &|_| false, sink, &mut |way, element, sink| {
        let value = files::value(&file.place(files::way_of(way)), &element, sink)?;
        let project = value.str("uuid").unwrap_or_default().to_owned();
        for doc in value.get("docs").map(Value::items).unwrap_or_default() {
            let Some(key) = doc.str("uuid").filter(|_| doc.is_whole()) else { continue };
            let mut document = Document {
                key: key.to_owned(),
                name: doc.get("filename").and_then(Value::as_text).cloned().unwrap_or_default(),
                added: When::read(doc.get("created_at"), zone),
                ids: [("project".to_owned(), project.clone())].into(),
                place: file.place(key),
                ..Document::default()
            };
            let text = doc.get("content").and_then(Value::as_text).cloned().unwrap_or_default();
            document.bytes = Some(text.bytes().len() as i64);
            document.fragments = pieces(text);
            document.metadata.insert("project".into(), json!(value.str("name")));
            sink(Item::Document(Box::new(document)))?;
        }
        ControlFlow::Continue(())
    })?;
    ControlFlow::Continue(())
}

/// A whole text is one piece.
fn pieces(text: Text) -> Vec<Text> {
    if text.is_empty() { Vec::new() } else { vec![text] }
}

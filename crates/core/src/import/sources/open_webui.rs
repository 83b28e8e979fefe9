//! Open WebUI's export: a list of chats, each a row of its table with the chat as JSON in it.
//!
//! `chat.history.messages` is the tree; `chat.messages` is a copy of the branch that was shown, which can be
//! stale and is only read where there is no tree. An administrator's export has everybody's chats.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

use super::folder::{self, Beginning};
use super::said::Said;
use super::tree::{self, Node, Tree};
use super::{Input, Sink, Source, files, speech};
use crate::import::lax::{Shape, Value};
use crate::import::record::{Kind, Owner, Place};
use crate::import::time::Zone;
use crate::import::{Attachment, Conversation, Item, Message, When};
use crate::model::Role;

/// Open WebUI.
#[derive(Debug, Clone, Copy)]
pub struct OpenWebUi;

impl Source for OpenWebUi {
    fn system(&self) -> &'static str {
        "open-webui"
    }

    fn name(&self) -> &'static str {
        "Open WebUI"
    }

    fn recognises(&self, root: &Path) -> bool {
        folder::has(root, is_its)
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> std::io::Result<()> {
        let mut owners = BTreeSet::new();
        for file in folder::of_program(&input.root, is_its)? {
            if read_file(&file.as_file(), input.zone, &mut owners, sink).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn is_its(beginning: &Beginning) -> bool {
    beginning.first().and_then(|first| first.get("chat")).is_some_and(|chat| {
        chat.get("history").is_some() || chat.get("messages").is_some() || !chat.is_whole()
    })
}

fn read_file(
    file: &files::Found,
    zone: Zone,
    owners: &mut BTreeSet<String>,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    files::walk(file, Shape::One, &|_| false, sink, &mut |way, element, sink| {
        let place = file.place(files::way_of(way));
        let row = files::value(&place, &element, sink)?;
        let Some(chat) = row.get("chat").filter(|chat| chat.as_map().is_some()) else {
            return sink(place.skip(Kind::Conversation, "This is no chat."));
        };
        let owner = row.str("user_id").map(str::to_owned);
        if let Some(key) = owner.clone().filter(|key| owners.insert(key.clone())) {
            sink(Item::Owner(Owner { key, ..Owner::default() }))?;
        }
        conversation(&row, chat, owner, &place, zone, sink)
    })?;
    ControlFlow::Continue(())
}

fn conversation(
    row: &Value,
    chat: &Value,
    owner: Option<String>,
    place: &Place,
    zone: Zone,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let id = row.str("id").or_else(|| chat.str("id")).map(str::to_owned);
    let key = id.unwrap_or_else(|| format!("number {}", place.locator));
    let place = Place::new(place.path.clone(), &key);
    let tree = tree::grow(nodes(chat, &place, zone, sink)?);
    if let Some(told) = tree.oddities() {
        sink(place.note(told))?;
    }
    let title =
        [row.get("title"), chat.get("title")].into_iter().flatten().find_map(Value::as_text);
    let mut metadata = speech::extras(row, &KNOWN);
    metadata.extend(row.at(&["meta", "tags"]).map(|tags| ("tags".to_owned(), tags.to_json())));
    let system = chat.at(&["params", "system"]).or_else(|| chat.get("system"));
    let time = |row_key: &str| row.get(row_key).or_else(|| chat.get("timestamp"));
    sink(Item::Conversation(Box::new(Conversation {
        owner,
        title: title.cloned().unwrap_or_default(),
        created: When::read(time("created_at"), zone),
        updated: When::read(time("updated_at"), zone),
        model: chat
            .get("models")
            .and_then(|models| models.items().first()?.as_str())
            .map(str::to_owned),
        system_prompt: system.and_then(Value::as_text).filter(|text| !text.is_empty()).cloned(),
        pinned: row.is("pinned"),
        archived: row.is("archived"),
        ids: [("id".to_owned(), key.clone())].into(),
        key,
        metadata,
        shown: shown(chat, &tree),
        messages: tree.messages,
        place,
        ..Conversation::default()
    })))
}

/// What has a place of its own, or is no more than a setting.
const KNOWN: [&str; 12] = [
    "id",
    "user_id",
    "title",
    "chat",
    "created_at",
    "updated_at",
    "archived",
    "pinned",
    "meta",
    "last_read_at",
    "variables",
    "tasks",
];

fn nodes(
    chat: &Value,
    place: &Place,
    zone: Zone,
    sink: &mut Sink<'_>,
) -> ControlFlow<(), Vec<Node>> {
    let history = chat.at(&["history", "messages"]).map(Value::entries).unwrap_or_default();
    let named = history.iter().map(|(key, value)| (Some(key.shown.clone()), value));
    let list = chat.get("messages").map(Value::items).unwrap_or_default();
    let listed = list.iter().map(|value| (None, value)).filter(|_| history.is_empty());
    let mut nodes: Vec<Node> = Vec::new();
    for (number, (key, value)) in named.chain(listed).enumerate() {
        let before = nodes.last().map(|node| node.key.clone());
        let key = key.or_else(|| value.str("id").map(str::to_owned));
        let key = key.unwrap_or_else(|| format!("number {number}"));
        if value.as_map().is_none() || !value.is_whole() {
            let place = Place::new(place.path.clone(), format!("{} {key}", place.locator));
            sink(place.skip(Kind::Message, "It is no message, or is cut off."))?;
            continue;
        }
        let parent = match value.get("parentId") {
            Some(parent) => parent.as_str().map(str::to_owned),
            None => before.filter(|_| history.is_empty()),
        };
        nodes.push(Node { message: Some(message(value, &key, zone)), key, parent });
    }
    ControlFlow::Continue(nodes)
}

/// The end of the branch that was shown; where it names nothing, the copy of that branch, and else the
/// last answers everywhere, as the program's own repair has it.
fn shown(chat: &Value, tree: &Tree) -> Option<usize> {
    let current = chat.at(&["history", "currentId"]).and_then(Value::as_str);
    let copy = || chat.get("messages")?.items().last()?.str("id");
    let named = current.and_then(|id| tree.find(id)).or_else(|| tree.find(copy()?));
    named.or_else(|| (!tree.messages.is_empty()).then(|| tree.end_of(0)))
}

fn message(value: &Value, key: &str, zone: Zone) -> Message {
    let mut said = Said { text: speech::content(value.get("content")), ..Said::default() };
    let role = speech::role_or_answer(value.get("role"), &mut said.metadata);
    if role == Role::Assistant {
        said.take_thoughts("<details type=\"reasoning\"", "</details>");
    }
    for file in value.get("files").map(Value::items).unwrap_or_default() {
        said.attachments.extend(attachment(file));
    }
    for name in ["sources", "error", "modelName", "usage", "statusHistory"] {
        said.keep(name, value.get(name));
    }
    said.keep("feedback", value.get("annotation"));
    let tokens = |keys: [&str; 3]| {
        let usage = value.get("usage")?;
        keys.iter().find_map(|key| usage.get(key)?.as_i64())
    };
    Message {
        key: Some(key.to_owned()),
        model: value.str("model").map(str::to_owned),
        tokens_in: tokens(["prompt_tokens", "input_tokens", "prompt_eval_count"]),
        tokens_out: tokens(["completion_tokens", "output_tokens", "eval_count"]),
        interrupted: value.get("done").and_then(Value::as_bool) == Some(false),
        attachments: said.attachments,
        metadata: said.metadata,
        ..Message::new(role, said.text, When::read(value.get("timestamp"), zone))
    }
}

fn attachment(file: &Value) -> Option<Attachment> {
    let name = file.get("name").and_then(Value::as_text);
    let link = file.str("url").or_else(|| file.str("id"))?;
    let mut attachment = Attachment::from_link(link, name, file.str("content_type"));
    if file.str("type") == Some("image") {
        attachment.kind = "image".into();
    }
    Some(attachment)
}

//! Conversations that are one record: lines, and `ThreadContext` from memory or Redis.

use std::ops::ControlFlow;

use serde_json::Map;

use super::{BROKEN, finished, has_content, push};
use crate::import::lax::Value;
use crate::import::record::{Attachment, Conversation, Item, Message, Place};
use crate::import::sources::{Sink, speech};
use crate::import::text::Text;
use crate::import::time::{When, Zone};

/// A conversation with nothing but its names. The program shows threads without a title so.
pub(super) fn named(id: &str, key: String, place: Place) -> Conversation {
    let beginning: String = id.chars().take(8).collect();
    Conversation {
        key,
        title: Text::from(format!("Conversation {beginning}")),
        continuation_id: Some(id.to_owned()),
        ids: [("continuation_id".to_owned(), id.to_owned())].into(),
        place,
        ..Conversation::default()
    }
}

/// A thread.
pub(super) fn conversation(
    value: &Value,
    place: Place,
    zone: Zone,
    sink: &mut Sink<'_>,
) -> ControlFlow<(), Item> {
    const KNOWN: [&str; 4] = ["thread_id", "created_at", "last_updated_at", "turns"];
    let of_key = place.locator.strip_prefix("thread:").map(str::to_owned);
    let id = speech::id(value.get("thread_id")).or(of_key).unwrap_or_default();
    let mut found = named(&id, format!("thread:{id}"), place);
    if let Some(parent) = speech::id(value.get("parent_thread_id")) {
        found.ids.insert("parent_thread_id".to_owned(), parent);
    }
    found.created = When::read(value.get("created_at"), zone);
    found.updated = When::read(value.get("last_updated_at"), zone);
    found.metadata = speech::extras(value, &KNOWN);
    for (number, item) in
        value.get("turns").map(Value::items).unwrap_or_default().iter().enumerate()
    {
        let place =
            Place::new(found.place.path.clone(), format!("{}/turns/{number}", found.place.locator));
        if let Some(message) = turn(item, "timestamp", zone, &place, sink)? {
            push(&mut found, message);
        }
    }
    ControlFlow::Continue(finished(found))
}

/// One turn; none where it breaks off before its content ends, or is none.
pub(super) fn turn(
    value: &Value,
    time: &str,
    zone: Zone,
    place: &Place,
    sink: &mut Sink<'_>,
) -> ControlFlow<(), Option<Message>> {
    if !matches!(value, Value::Map(_)) || !has_content(value) {
        sink(place.skip(BROKEN.0, BROKEN.1))?;
        return ControlFlow::Continue(None);
    }
    let known = ["role", "content", time, "model_name", "files", "images"];
    let mut metadata: Map<_, _> = speech::extras(value, &known);
    let content = value.get("content");
    if let Some(content) = content.filter(|_| speech::is_structured(content)) {
        metadata.insert("content".to_owned(), content.to_json());
    }
    let role = speech::role_or_answer(value.get("role"), &mut metadata);
    let mut message =
        Message::new(role, speech::content(content), When::read(value.get(time), zone));
    message.model = value.str("model_name").map(|name| match value.str("model_provider") {
        Some(provider) => format!("{provider}/{name}"),
        None => name.to_owned(),
    });
    if let Some(usage) = value.at(&["model_metadata", "usage"]) {
        speech::usage(usage, &mut message);
    }
    message.attachments = [("files", "file"), ("images", "image")]
        .iter()
        .flat_map(|(key, kind)| paths(value.get(key), kind))
        .collect();
    message.metadata = metadata;
    ControlFlow::Continue(Some(message))
}

/// Files of the server, of which only the paths are known.
fn paths(value: Option<&Value>, kind: &str) -> Vec<Attachment> {
    let paths = value.map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str);
    let attachment = |path: &str| Attachment {
        kind: kind.to_owned(),
        name: path.rsplit(['/', '\\']).next().map(Text::from),
        url: Some(path.to_owned()),
        ..Attachment::default()
    };
    paths.map(attachment).collect()
}

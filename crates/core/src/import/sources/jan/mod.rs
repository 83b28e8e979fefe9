//! Jan on disk: `threads/<id>/thread.json`, and beside it `messages.jsonl`, a message a line; on a telephone
//! the same in one file (`mobile.rs`).
//!
//! Messages are in the order of the lines. Their times are 0, seconds or milliseconds, depending on the
//! release; for 0 the id tells, which begins with a time.

mod mobile;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::folder::{self, Found};
use super::said::Said;
use super::{Input, Sink, Source, files, speech, sqlite};
use crate::import::lax::{Shape, Value, parse};
use crate::import::record::{Kind, Place};
use crate::import::time::Zone;
use crate::import::{Attachment, Conversation, Item, Message, When};
use crate::model::{Role, Timestamp};

/// Jan.
#[derive(Debug, Clone, Copy)]
pub struct Jan;

const NO_THREAD: &str =
    "It cannot be read. The messages of the thread come over without its title.";
const NO_MESSAGE: &str = "It is no message, or is cut off.";

impl Source for Jan {
    fn system(&self) -> &'static str {
        "jan"
    }

    fn name(&self) -> &'static str {
        "Jan"
    }

    fn recognises(&self, root: &Path) -> bool {
        let on_disk = threads(root).is_some_and(|threads| {
            let files = folder::files(&threads, 2).unwrap_or_default();
            files.iter().any(is_thread)
        });
        on_disk || mobile_file(root).is_some()
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> std::io::Result<()> {
        if let Some(file) = mobile_file(&input.root)
            && mobile::read(&file.as_file(), input.zone, sink).is_break()
        {
            return Ok(());
        }
        let Some(threads) = threads(&input.root) else { return Ok(()) };
        let files = folder::files(&threads, 2)?;
        let below = if threads == input.root { "" } else { "threads/" };
        let files = files.into_iter().filter(|file| file.name.contains('/'));
        let mut files: Vec<_> =
            files.map(|file| Found { name: format!("{below}{}", file.name), ..file }).collect();
        files.retain(|file| is_thread(file) || file.file_name() == "messages.jsonl");
        for group in files.chunk_by(|a, b| folder_of(a) == folder_of(b)) {
            if read_thread(group, input.zone, sink).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// The folder of threads: in the root, or the root itself.
fn threads(root: &Path) -> Option<PathBuf> {
    let inside = root.join("threads");
    let is_folder = |path: &PathBuf| path.symlink_metadata().is_ok_and(|meta| meta.is_dir());
    if is_folder(&inside) {
        return Some(inside);
    }
    let is_itself = root.file_name().is_some_and(|name| name == "threads");
    is_itself.then(|| root.to_owned()).filter(is_folder)
}

/// The one file of a telephone: in the root, or the root itself.
fn mobile_file(root: &Path) -> Option<Found> {
    let mut files = folder::files(root, 1).ok()?.into_iter();
    files.find(|file| file.file_name() == mobile::NAME && file.as_file().starts_with(sqlite::MARK))
}

fn is_thread(file: &Found) -> bool {
    file.file_name() == "thread.json"
}

fn folder_of(file: &Found) -> &str {
    file.name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn read_thread(group: &[Found], zone: Zone, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let Some(first) = group.first() else { return ControlFlow::Continue(()) };
    let thread = match group.iter().find(|file| is_thread(file)) {
        Some(file) => thread(file, sink)?,
        None => {
            sink(first.place("").note("It has messages and no thread.json; they come over."))?;
            Value::Null
        }
    };
    let name = folder_of(first).rsplit('/').next().unwrap_or_default();
    let key = thread.str("id").unwrap_or(name).to_owned();
    let mut messages = Vec::new();
    if let Some(file) = group.iter().find(|file| !is_thread(file)) {
        read_messages(&file.as_file(), zone, &mut messages, sink)?;
    }
    let place = Place::new(folder_of(first), &key);
    sink(Item::Conversation(Box::new(conversation(&thread, key, place, messages, zone))))
}

/// What a thread says about itself. It has no messages in it, and is small.
fn thread(file: &Found, sink: &mut Sink<'_>) -> ControlFlow<(), Value> {
    const LARGEST: u64 = 16 << 20;
    let bytes = std::fs::read(&file.path).ok().filter(|_| file.bytes <= LARGEST);
    let value = bytes.map(|bytes| parse(&bytes).value).filter(|value| value.as_map().is_some());
    if value.is_none() {
        sink(file.place("").skip(Kind::File, NO_THREAD))?;
    }
    ControlFlow::Continue(value.unwrap_or(Value::Null))
}

fn conversation(
    thread: &Value,
    key: String,
    place: Place,
    messages: Vec<Message>,
    zone: Zone,
) -> Conversation {
    let assistant = thread.get("assistants").and_then(|list| list.items().first());
    let assistant = assistant.unwrap_or(&Value::Null);
    let instructions = assistant.get("instructions").and_then(Value::as_text);
    let mut kept = Said::default();
    kept.keep("assistants", thread.get("assistants"));
    kept.keep("metadata", thread.get("metadata"));
    Conversation {
        title: thread.get("title").and_then(Value::as_text).cloned().unwrap_or_default(),
        created: When::read(thread.get("created"), zone),
        updated: When::read(thread.get("updated"), zone),
        model: assistant.at(&["model", "id"]).and_then(Value::as_str).map(str::to_owned),
        system_prompt: instructions.filter(|text| !text.is_empty()).cloned(),
        pinned: thread.get("metadata").is_some_and(|metadata| metadata.is("is_favorite")),
        ids: [("thread".to_owned(), key.clone())].into(),
        place,
        key,
        metadata: kept.metadata,
        messages,
        ..Conversation::default()
    }
}

fn read_messages(
    file: &files::Found,
    zone: Zone,
    messages: &mut Vec<Message>,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    files::walk(file, Shape::Many, &|_| false, sink, &mut |way, element, sink| {
        let place = file.place(files::way_of(way));
        let value = files::value(&place, &element, sink)?;
        if value.as_map().is_none() || !value.is_whole() {
            return sink(place.skip(Kind::Message, NO_MESSAGE));
        }
        follow(messages, message(&value, zone));
        ControlFlow::Continue(())
    })?;
    ControlFlow::Continue(())
}

/// Messages of a thread follow each other.
fn follow(messages: &mut Vec<Message>, message: Message) {
    let parent = messages.len().checked_sub(1);
    messages.push(Message { parent, ..message });
}

fn message(value: &Value, zone: Zone) -> Message {
    let mut said = Said::default();
    match value.get("content") {
        Some(Value::List(list)) => list.items.iter().for_each(|part| read_part(&mut said, part)),
        other => said.text = speech::content(other),
    }
    let role = speech::role_or_answer(value.get("role"), &mut said.metadata);
    if role == Role::Assistant {
        said.take_thoughts("<think>", "</think>");
    }
    for name in ["metadata", "attachments", "error_code", "tool_call_id"] {
        said.keep(name, value.get(name));
    }
    let id = value.str("id");
    let mut at = When::read(value.get("created_at"), zone);
    if at.at.is_none() {
        at = id.and_then(time_of_id).map_or(at, When::at);
    }
    Message {
        key: id.map(str::to_owned),
        interrupted: matches!(value.str("status"), Some("stopped" | "error" | "pending")),
        attachments: said.attachments,
        metadata: said.metadata,
        ..Message::new(role, said.text, at)
    }
}

fn read_part(said: &mut Said, part: &Value) {
    let text = match part.get("text") {
        Some(nested @ Value::Map(_)) => nested.get("value"),
        text => text,
    };
    match part.str("type").unwrap_or("text") {
        "text" => said.add(text),
        "reasoning" => said.thought(text.and_then(Value::as_str).unwrap_or_default()),
        "image_url" => {
            let link = part.at(&["image_url", "url"]).and_then(Value::as_str).unwrap_or_default();
            let image = Attachment::from_link(link, None, None);
            said.attachments.push(Attachment { kind: "image".into(), ..image });
        }
        "tool_call" => said.tool(part, &["tool_call_id", "tool_name", "input", "output"]),
        _ => said.list("parts", part.to_json()),
    }
}

/// The time in a ULID: its first ten characters, five bits each, in milliseconds.
fn time_of_id(id: &str) -> Option<Timestamp> {
    const DIGITS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    /// The years 2015 to 2100: what else comes out is no time.
    const SANE: std::ops::Range<i64> = 1_420_070_400_000..4_102_444_800_000;
    let time = id.get(..10).filter(|_| id.len() == 26)?;
    let ms = time.chars().try_fold(0_i64, |sum, digit| {
        Some(sum * 32 + DIGITS.find(digit.to_ascii_uppercase())? as i64)
    })?;
    SANE.contains(&ms).then_some(Timestamp(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_time() {
        assert_eq!(time_of_id("01ARZ3NDEKTSV4RRFFQ69G5FAV"), Some(Timestamp(1_469_922_850_259)));
        for id in ["", "01ARZ3NDEK", "no ULID, but as long as it", "ZZZZZZZZZZZZZZZZZZZZZZZZZZ"] {
            assert_eq!(time_of_id(id), None, "{id}");
        }
    }
}

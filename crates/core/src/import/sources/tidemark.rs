//! Tidemark's own export, which comes back as it was: with its ids, and every field of its rows.

use std::ops::ControlFlow;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::folder::{self, Beginning, Found};
use super::{Input, Sink, Source, files};
use crate::import::lax::{Key, Shape, Value};
use crate::import::record::{Document, Kind, Place};
use crate::import::{Conversation, Item, Message, Text, When};
use crate::model::view::{ExportedConversation, ExportedDocument};

/// Tidemark.
#[derive(Debug, Clone, Copy)]
pub struct Tidemark;

/// The newest version that is read.
const VERSION: i64 = 1;

/// One conversation as a file is held whole.
const LARGEST: u64 = 96 << 20;

impl Source for Tidemark {
    fn system(&self) -> &'static str {
        "tidemark"
    }

    fn name(&self) -> &'static str {
        "Tidemark"
    }

    fn recognises(&self, root: &Path) -> bool {
        folder::has(root, is_its)
    }

    fn version(&self, root: &Path) -> Option<String> {
        let files = folder::json(root).ok()?;
        let version = |file: &Found| Beginning::of(file).object()?.get("version")?.as_i64();
        files.iter().find_map(version).map(|version| version.to_string())
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> std::io::Result<()> {
        for file in folder::of_program(&input.root, is_its)? {
            if read_file(&file, sink).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn is_its(beginning: &Beginning) -> bool {
    beginning.object().is_some_and(|whole| {
        // Sorted by another program, its name may stand behind everything.
        let first = whole.get("conversations").and_then(|list| list.items().first());
        whole.str("format") == Some("tidemark-export")
            || is_conversation(whole)
            || first.is_some_and(is_conversation)
    })
}

/// Whether a file is one conversation.
fn is_conversation(whole: &Value) -> bool {
    ["id", "title_by", "origin", "messages"].iter().all(|key| whole.get(key).is_some())
}

fn read_file(file: &Found, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let beginning = Beginning::of(file);
    let version = beginning.object().and_then(|whole| whole.get("version")?.as_i64());
    if version.is_some_and(|version| version > VERSION) {
        let reason = "It was written by a newer Tidemark. Update this one, and import it then.";
        return sink(file.place("").skip(Kind::File, reason));
    }
    if beginning.object().is_some_and(is_conversation) {
        return match std::fs::read(&file.path).ok().filter(|_| file.bytes <= LARGEST) {
            Some(bytes) => conversation(&bytes, file.place(""), sink),
            None => sink(file.place("").skip(Kind::File, "It cannot be read.")),
        };
    }
    let is_walked = |way: &[Key]| matches!(way, [Key::Name(name)] if matches!(name.shown.as_str(), "conversations" | "documents"));
    let walked = file.as_file();
    files::walk(&walked, Shape::One, &is_walked, sink, &mut |way, element, sink| match way {
        [list, Key::Number(number)] if list.name() == "documents" => {
            document(&element.bytes, file.place(format!("documents/{number}")), sink)
        }
        [_, Key::Number(number)] => conversation(&element.bytes, file.place(number), sink),
        _ => ControlFlow::Continue(()),
    })?;
    ControlFlow::Continue(())
}

fn conversation(bytes: &[u8], place: Place, sink: &mut Sink<'_>) -> ControlFlow<()> {
    match serde_json::from_slice::<ExportedConversation>(bytes) {
        Ok(mut exported) => {
            let documents = std::mem::take(&mut exported.documents);
            sink(Item::Conversation(Box::new(record(exported, place.clone()))))?;
            documents
                .into_iter()
                .try_for_each(|one| sink(Item::Document(Box::new(of_document(one, place.clone())))))
        }
        Err(error) => {
            let reason = format!("It is damaged, and cannot come back as it was: {error}.");
            sink(place.skip(Kind::Conversation, reason))
        }
    }
}

fn document(bytes: &[u8], place: Place, sink: &mut Sink<'_>) -> ControlFlow<()> {
    match serde_json::from_slice::<ExportedDocument>(bytes) {
        Ok(exported) => sink(Item::Document(Box::new(of_document(exported, place)))),
        Err(error) => {
            let reason = format!("It is damaged, and cannot come back as it was: {error}.");
            sink(place.skip(Kind::Document, reason))
        }
    }
}

fn of_document(own: ExportedDocument, place: Place) -> Document {
    Document { key: own.id.to_string(), own: Some(Box::new(own)), place, ..Document::default() }
}

fn record(exported: ExportedConversation, place: Place) -> Conversation {
    let ExportedConversation {
        conversation: own, metadata, shown, messages, trashed, files, ..
    } = exported;
    // What is no base64 hangs on nothing: the messages name it by its hash.
    let files = files.into_iter().filter_map(|file| BASE64.decode(file.base64).ok()).collect();
    let kept = messages.into_iter().map(|message| (message, None));
    let trashed = trashed.into_iter().map(|one| (one.message, Some(one.deleted_at)));
    let nodes = kept.chain(trashed).map(|(message, trashed)| super::tree::Node {
        key: message.id.to_string(),
        parent: message.parent_id.map(|id| id.to_string()),
        message: Some(Message { trashed, ..self::message(message) }),
    });
    let tree = super::tree::grow(nodes.collect());
    Conversation {
        key: own.id.to_string(),
        own_id: Some(own.id),
        title: Text::from(own.title.as_str()),
        created: When::at(own.created_at),
        updated: When::at(own.updated_at),
        pinned: own.pinned,
        archived: own.archived,
        trashed: own.trashed_at.is_some(),
        metadata: metadata.unwrap_or_default(),
        shown: shown.and_then(|shown| tree.find(&shown.to_string())),
        messages: tree.messages,
        own: Some(Box::new(own)),
        files,
        place,
        ..Conversation::default()
    }
}

fn message(own: crate::model::Message) -> Message {
    Message {
        key: Some(own.id.to_string()),
        own_id: Some(own.id),
        own: Some(Box::new(own.clone())),
        ..Message::new(own.role, Text::from(own.content), When::at(own.created_at))
    }
}

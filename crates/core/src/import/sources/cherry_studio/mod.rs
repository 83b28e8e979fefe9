//! Cherry Studio's backup, versions 1 to 5: `data.json`, and files under `Data/Files`.
//!
//! Topics have their messages, but their names only stand in the `localStorage`, as JSON in JSON. From
//! version 4 on a message is a list of blocks, which stand elsewhere in the file and are read one by one, by
//! their place. Of the settings, which hold keys, nothing is looked at. Version 6 copies the program's own
//! database, which no other program reads; how to get an older backup is told.

mod message;
mod store;

use std::ops::ControlFlow;
use std::path::Path;

use self::store::Store;
use super::folder::{self, Beginning, Found};
use super::said::whole;
use super::tree::{self, Node};
use super::{Input, Sink, Source, files};
use crate::import::lax::{Key, Shape, Value};
use crate::import::record::{Kind, Place};
use crate::import::time::Zone;
use crate::import::{Conversation, Item, Text, When};

/// Cherry Studio.
#[derive(Debug, Clone, Copy)]
pub struct CherryStudio;

const ADVICE: &str = "This backup is a copy of Cherry Studio's own database, which only Cherry Studio \
    reads. In Cherry Studio, under Settings → Data, make a backup with the older format (version 5), and \
    import that.";

impl Source for CherryStudio {
    fn system(&self) -> &'static str {
        "cherry-studio"
    }

    fn name(&self) -> &'static str {
        "Cherry Studio"
    }

    fn recognises(&self, root: &Path) -> bool {
        folder::has(root, |beginning| is_data(beginning) || is_copy(beginning))
    }

    fn version(&self, root: &Path) -> Option<String> {
        let mut files = folder::json(root).ok()?.into_iter();
        files.find_map(|file| version(&Beginning::of(&file)))
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> std::io::Result<()> {
        for file in folder::of_program(&input.root, is_copy)? {
            if sink(file.place("").skip(Kind::File, ADVICE)).is_break() {
                return Ok(());
            }
        }
        for file in folder::of_program(&input.root, is_data)? {
            if read_file(&file, input, sink).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn is_data(beginning: &Beginning) -> bool {
    beginning.object().is_some_and(|whole| {
        let has = |key| whole.get(key).is_some();
        has("time")
            && has("version")
            && (has("localStorage") || has("indexedDB") || !whole.is_whole())
    })
}

fn is_copy(beginning: &Beginning) -> bool {
    beginning.object().is_some_and(|whole| {
        let is_its = whole.str("appName").is_some_and(|name| name.starts_with("Cherry"));
        is_its && whole.get("version").and_then(Value::as_i64).is_some_and(|version| version >= 6)
    })
}

fn version(beginning: &Beginning) -> Option<String> {
    (is_data(beginning) || is_copy(beginning)).then_some(())?;
    beginning.object()?.get("version")?.as_i64().map(|version| version.to_string())
}

fn read_file(found: &Found, input: &Input, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let mut store = match Store::of(found, &input.root) {
        Ok(store) => store,
        Err(error) => {
            return sink(found.place("").skip(Kind::File, format!("It cannot be read: {error}.")));
        }
    };
    let file = found.as_file();
    let is_walked = |way: &[Key]| match way {
        [database] => database.name() == "indexedDB",
        [database, table] => database.name() == "indexedDB" && table.name() == "topics",
        _ => false,
    };
    files::walk(&file, Shape::One, &is_walked, sink, &mut |way, element, sink| {
        let place = file.place(files::way_of(way));
        match way {
            [_, table, Key::Number(_)] if table.name() == "topics" => {
                let value = files::value(&place, &element, sink)?;
                topic(&value, &mut store, &place, input.zone, sink)
            }
            // Version 1: a list of keys and values, of all kinds.
            [database, Key::Number(_)] if database.name() == "indexedDB" => {
                let value = files::value(&place, &element, sink)?;
                match value.str("key").filter(|key| key.starts_with("topic:")) {
                    Some(_) => {
                        let topic_value = value.get("value").unwrap_or(&Value::Null);
                        topic(topic_value, &mut store, &place, input.zone, sink)
                    }
                    None => ControlFlow::Continue(()),
                }
            }
            _ => ControlFlow::Continue(()),
        }
    })?;
    store.told.drain(..).try_for_each(&mut *sink)
}

fn topic(
    value: &Value,
    store: &mut Store,
    place: &Place,
    zone: Zone,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    if value.as_map().is_none() {
        return sink(place.skip(Kind::Conversation, "This is no topic."));
    }
    let key = value.str("id").map_or_else(|| place.locator.clone(), str::to_owned);
    let place = Place::new(place.path.clone(), &key);
    let messages = value.get("messages").map(Value::items).unwrap_or_default();
    let (mut line, mut nodes) = (Line::default(), Vec::new());
    for one in whole(messages, &place, sink)? {
        let id = one.str("id").map_or_else(|| format!("number {}", nodes.len()), str::to_owned);
        let parent = line.parent(&id, one);
        let message = message::read(one, &id, store, &place, zone);
        nodes.push(Node { key: id, parent, message: Some(message) });
    }
    let tree = tree::grow(nodes);
    if let Some(told) = tree.oddities() {
        sink(place.note(told))?;
    }
    let named = store.topics.get(&key);
    let text = |name| named.and_then(|named| named.get(name)?.as_text()).cloned();
    let prompt = text("assistant_prompt").filter(|prompt: &Text| !prompt.is_empty());
    sink(Item::Conversation(Box::new(Conversation {
        title: text("name").unwrap_or_default(),
        created: When::read(named.and_then(|named| named.get("createdAt")), zone),
        updated: When::read(named.and_then(|named| named.get("updatedAt")), zone),
        pinned: named.is_some_and(|named| named.is("pinned")),
        system_prompt: text("prompt").filter(|prompt| !prompt.is_empty()).or(prompt),
        ids: [("topic".to_owned(), key.clone())].into(),
        shown: line.end.as_deref().and_then(|end| tree.find(end)),
        key,
        messages: tree.messages,
        place,
        ..Conversation::default()
    })))
}

/// The way along a topic's messages: answers of several models to one question are siblings, and what
/// follows them follows the one that was chosen, else the first.
#[derive(Default)]
struct Line {
    end: Option<String>,
    asked: Option<String>,
    seen: std::collections::HashSet<String>,
}

impl Line {
    fn parent(&mut self, id: &str, message: &Value) -> Option<String> {
        let asked = message.str("askId").filter(|asked| self.seen.contains(*asked));
        let is_sibling = asked.is_some() && asked == self.asked.as_deref();
        let parent = asked.map(str::to_owned).or_else(|| self.end.clone());
        self.asked = asked.map(str::to_owned);
        if !is_sibling || message.is("foldSelected") {
            self.end = Some(id.to_owned());
        }
        self.seen.insert(id.to_owned());
        parent
    }
}

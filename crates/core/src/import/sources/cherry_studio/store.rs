//! What a backup has beside its topics: their names, its files, and where each block stands.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Cursor, Read, Result, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::super::attached::LARGEST;
use super::super::folder::{self, Found};
use crate::import::lax::{Decoded, Key, Map, Shape, Value, members, parse};
use crate::import::{Item, Text};

/// A file that is no UTF-8 is held in memory for its blocks, up to this size.
const HELD: u64 = 128 << 20;

trait Seekable: Read + Seek {}
impl<R: Read + Seek> Seekable for R {}

/// See above.
pub(super) struct Store {
    /// What is known of topics, by id: their entry in the list of their assistant.
    pub(super) topics: HashMap<String, Value>,
    /// What is to be said at the end.
    pub(super) told: Vec<Item>,
    /// Where blocks stand, and how long they are.
    blocks: HashMap<String, (u64, usize)>,
    from: Box<dyn Seekable>,
    /// What is known of files, by id.
    files: HashMap<String, Value>,
    /// Where the bytes of files are, by id.
    paths: HashMap<String, PathBuf>,
}

impl Store {
    /// Reads a backup once, for everything but its topics.
    pub(super) fn of(found: &Found, root: &Path) -> Result<Self> {
        let (from, shift) = seekable(found)?;
        let mut store = Self {
            topics: HashMap::new(),
            told: Vec::new(),
            blocks: HashMap::new(),
            from,
            files: HashMap::new(),
            paths: paths(root),
        };
        let is_walked = |way: &[Key]| match way {
            [top] => matches!(top.name(), "indexedDB" | "localStorage"),
            [top, table] => {
                top.name() == "indexedDB" && matches!(table.name(), "message_blocks" | "files")
            }
            _ => false,
        };
        members(found.open()?, Shape::One, &is_walked, &mut |way, element| {
            match way {
                [top, key]
                    if top.name() == "localStorage" && key.name() == "persist:cherry-studio" =>
                {
                    store.names(&element.bytes);
                }
                [_, table, _] if table.name() == "message_blocks" && element.is_whole => {
                    if let Some(id) = parse(&element.bytes).value.str("id") {
                        let place = (element.offset + shift, element.bytes.len());
                        store.blocks.insert(id.to_owned(), place);
                    }
                }
                [_, table, _] if table.name() == "files" => {
                    let value = parse(&element.bytes).value;
                    if let Some(id) = value.str("id").map(str::to_owned) {
                        store.files.insert(id, value);
                    }
                }
                _ => {}
            }
            ControlFlow::Continue(())
        })?;
        Ok(store)
    }

    /// The names of topics: in a text of JSON, in which `assistants` is a text of JSON again. What else
    /// stands there (`llm` has keys) is not looked into.
    fn names(&mut self, bytes: &[u8]) {
        let inner = |value: &Value| value.as_text().map(|text| parse(text.bytes()).value);
        let Some(outer) = inner(&parse(bytes).value) else { return };
        let Some(assistants) = outer.get("assistants").and_then(inner) else { return };
        let all = assistants.get("assistants").map(Value::items).unwrap_or_default();
        for assistant in all.iter().chain(assistants.get("defaultAssistant")) {
            for topic in assistant.get("topics").map(Value::items).unwrap_or_default() {
                let Some(id) = topic.str("id") else { continue };
                let mut entries = Map { entries: topic.entries().to_vec(), is_whole: true };
                if let Some(prompt) = assistant.get("prompt") {
                    entries.entries.push((Text::from("assistant_prompt"), prompt.clone()));
                }
                self.topics.insert(id.to_owned(), Value::Map(entries));
            }
        }
    }

    /// A block.
    pub(super) fn block(&mut self, id: &str) -> Option<Value> {
        let (offset, length) = *self.blocks.get(id)?;
        let mut bytes = vec![0; length];
        self.from.seek(SeekFrom::Start(offset)).ok()?;
        self.from.read_exact(&mut bytes).ok()?;
        let value = parse(&bytes).value;
        // The file may have changed since it was looked through.
        (value.str("id") == Some(id)).then_some(value)
    }

    /// What is known of a file, and where its bytes are.
    pub(super) fn file(&self, id: &str) -> (Option<&Value>, Option<&PathBuf>) {
        (self.files.get(id), self.paths.get(id))
    }
}

/// The file, from which blocks are read by their place, and how far its beginning is moved by a mark.
fn seekable(found: &Found) -> Result<(Box<dyn Seekable>, u64)> {
    let mut file = found.open()?;
    let mut mark = Vec::new();
    (&mut file).take(4).read_to_end(&mut mark)?;
    let shift = if mark.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let is_utf16 =
        mark.starts_with(b"\xff\xfe") || mark.starts_with(b"\xfe\xff") || mark.contains(&0);
    if !is_utf16 {
        return Ok((Box::new(file), shift));
    }
    let mut bytes = Vec::new();
    Decoded::new(File::open(&found.path)?).take(HELD).read_to_end(&mut bytes)?;
    Ok((Box::new(Cursor::new(bytes)), 0))
}

/// The files beside a backup, by their names without the end.
fn paths(root: &Path) -> HashMap<String, PathBuf> {
    let files = if root.is_dir() { folder::files(root, 4).unwrap_or_default() } else { Vec::new() };
    let data = files
        .into_iter()
        .filter(|file| file.name.to_lowercase().contains("data/files/") && file.bytes <= LARGEST);
    let of = |file: Found| {
        let stem = file.file_name().split('.').next().unwrap_or_default().to_owned();
        (stem, file.path)
    };
    data.map(of).collect()
}

//! Rows that wait for what they belong to: in memory while they are few, in a private temporary file
//! without a name once they are many.

use std::collections::HashMap;
use std::io::{Read, Result, Seek as _, SeekFrom, Write as _};
use std::ops::ControlFlow;

use sha2::{Digest as _, Sha256};
use tempfile::SpooledTempFile;

use super::Row;
use crate::import::lax::{self, Value};
use crate::import::record::{Kind, Place};
use crate::import::sources::Sink;

/// Up to here rows are kept in memory.
const IN_MEMORY: usize = 32 << 20;

/// In which order the rows of a group are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By time, then by id.
    Id,
    /// By time, then as in the files.
    Time,
    /// As in the files.
    File,
}

/// Rows by what they belong to, each once.
#[derive(Debug)]
pub(crate) struct Gathered {
    shelf: SpooledTempFile,
    end: u64,
    /// The groups, in the order in which they were first met.
    order: Vec<String>,
    groups: HashMap<String, Vec<Entry>>,
    /// The rows that were seen, by their ids: what they say.
    seen: HashMap<u128, u128>,
    /// Rows with an id that had been seen, and which say something else.
    others: HashMap<u128, Vec<Slot>>,
    paths: Vec<String>,
    what: Kind,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    offset: u64,
    length: u64,
}

#[derive(Debug)]
struct Entry {
    slot: Slot,
    /// Where it belongs among the others; then by `id`, then by the order of the files.
    at: Option<i64>,
    id: Option<String>,
    path: usize,
    locator: String,
}

/// A row that was put aside.
#[derive(Debug)]
pub(crate) struct Filed {
    pub(crate) value: Value,
    pub(crate) id: Option<String>,
    pub(crate) place: Place,
    /// What other rows with its id say.
    pub(crate) others: Vec<Value>,
}

impl Gathered {
    /// Nothing yet.
    pub(crate) fn new(what: Kind) -> Self {
        Self {
            shelf: SpooledTempFile::new(IN_MEMORY),
            end: 0,
            order: Vec::new(),
            groups: HashMap::new(),
            seen: HashMap::new(),
            others: HashMap::new(),
            paths: Vec::new(),
            what,
        }
    }

    /// Puts a row aside. `says` is all that matters of it: an equal one with the same id is told as a
    /// duplicate; another one is kept beside the first.
    pub(crate) fn add(
        &mut self,
        group: &str,
        id: Option<String>,
        at: Option<i64>,
        says: &[u8],
        row: &Row,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let slot = match self.put(&row.value) {
            Ok(slot) => slot,
            Err(error) => {
                let reason = format!("It could not be kept in a temporary file: {error}.");
                return sink(row.place.skip(self.what, reason));
            }
        };
        if let Some(id) = &id {
            let (name, says) = (digest(id.as_bytes()), digest(says));
            match self.seen.get(&name) {
                None => drop(self.seen.insert(name, says)),
                Some(known) => {
                    let reason = match *known == says {
                        true => "It is there already, word for word.",
                        false => {
                            self.others.entry(name).or_default().push(slot);
                            "Its id is there already; what this one says is kept beside the first."
                        }
                    };
                    return sink(row.place.duplicate(self.what, reason));
                }
            }
        }
        let path = self.path(&row.place.path);
        let entry = Entry { slot, at, id, path, locator: row.place.locator.clone() };
        if !self.groups.contains_key(group) {
            self.order.push(group.to_owned());
        }
        self.groups.entry(group.to_owned()).or_default().push(entry);
        ControlFlow::Continue(())
    }

    /// The rows of a group, which nobody else gets then.
    pub(crate) fn take(&mut self, group: &str, order: Order) -> Vec<Filed> {
        self.take_all(&[group.to_owned()], order)
    }

    /// The rows of several groups, as if they were one.
    pub(crate) fn take_all(&mut self, groups: &[String], order: Order) -> Vec<Filed> {
        let taken = groups.iter().filter_map(|group| self.groups.remove(group)).flatten();
        let mut entries: Vec<_> = taken.collect();
        // As they were met.
        entries.sort_by_key(|entry| entry.slot.offset);
        match order {
            Order::Id => entries.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id))),
            // A row without a time stays where it is only if all do.
            Order::Time if entries.iter().all(|entry| entry.at.is_some()) => {
                entries.sort_by_key(|entry| entry.at);
            }
            Order::Time | Order::File => {}
        }
        entries.into_iter().filter_map(|entry| self.filed(entry).ok()).collect()
    }

    /// Groups that nobody has taken, in the order in which they were met.
    pub(crate) fn rest(&self) -> Vec<String> {
        self.order.iter().filter(|group| self.groups.contains_key(*group)).cloned().collect()
    }

    /// Whether nothing was put aside.
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn filed(&mut self, entry: Entry) -> Result<Filed> {
        let value = self.get(entry.slot)?;
        let others = entry.id.as_ref().and_then(|id| self.others.remove(&digest(id.as_bytes())));
        let others = others.unwrap_or_default().into_iter().filter_map(|slot| self.get(slot).ok());
        let others = others.collect();
        let place = Place::new(self.paths[entry.path].clone(), entry.locator);
        Ok(Filed { value, id: entry.id, place, others })
    }

    fn path(&mut self, path: &str) -> usize {
        if let Some(known) = self.paths.iter().rposition(|known| known == path) {
            return known;
        }
        self.paths.push(path.to_owned());
        self.paths.len() - 1
    }

    fn put(&mut self, value: &Value) -> Result<Slot> {
        let mut bytes = Vec::new();
        encode(value, &mut bytes);
        self.shelf.seek(SeekFrom::Start(self.end))?;
        self.shelf.write_all(&bytes)?;
        let slot = Slot { offset: self.end, length: bytes.len() as u64 };
        self.end += slot.length;
        Ok(slot)
    }

    fn get(&mut self, slot: Slot) -> Result<Value> {
        self.shelf.seek(SeekFrom::Start(slot.offset))?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut self.shelf).take(slot.length).read_to_end(&mut bytes)?;
        Ok(lax::parse(&bytes).value)
    }
}

fn digest(bytes: &[u8]) -> u128 {
    let digest = Sha256::digest(bytes);
    digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// As the lax reader takes it back, byte for byte. Not deeper than that reader goes.
fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Value::Number(number) => out.extend_from_slice(number.as_bytes()),
        Value::Text(text) => encode_text(text.bytes(), out),
        Value::List(list) => {
            out.push(b'[');
            for item in &list.items {
                encode(item, out);
                out.push(b',');
            }
            end(b']', list.is_whole, out);
        }
        Value::Map(map) => {
            out.push(b'{');
            for (key, value) in &map.entries {
                encode_text(key.bytes(), out);
                out.push(b':');
                encode(value, out);
                out.push(b',');
            }
            end(b'}', map.is_whole, out);
        }
    }
}

/// A container that was cut stays open, so that it reads as cut again; only what is around it closes.
fn end(byte: u8, is_whole: bool, out: &mut Vec<u8>) {
    if is_whole {
        out.push(byte);
    }
}

fn encode_text(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in bytes {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_as_it_was() {
        for json in [
            br#"{"a":[1,-2.5e3,NaN,"x\"y\\z\u0000\ud83d",{}],"b":{"c":null,"d":true},"e":[]}"#
                .as_slice(),
            b"{\"raw\": \"caf\xe9 \xff\"}",
            br#"{"a":"whole","b":{"c":["cut"#,
        ] {
            let value = lax::parse(json).value;
            let mut bytes = Vec::new();
            encode(&value, &mut bytes);
            assert_eq!(lax::parse(&bytes).value, value);
        }
    }
}

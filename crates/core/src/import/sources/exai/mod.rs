//! EX-AI: conversations as lines on disk, as `thread:` records, and as dumps of its tables.
//!
//! One thread may be in several of the three. They were kept for different times and do not agree word
//! for word, so each comes over as a conversation of its own with the same continuation id; dumps of one
//! table in several forms are one table.

mod rows;
#[cfg(test)]
mod tests;
mod threads;

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::dump::{self, Row};
use super::files::Found;
use super::{Input, Sink, Source};
use crate::import::lax::Value;
use crate::import::record::{Conversation, Item, Kind, Message, Place};
use crate::import::time::Zone;
use rows::Tables;

/// What keys of threads begin with in Redis.
const REDIS: &str = "thread:";

/// The EX-AI server.
#[derive(Debug)]
pub(super) struct ExAi;

impl Source for ExAi {
    fn system(&self) -> &'static str {
        "ex-ai"
    }

    fn name(&self) -> &'static str {
        "EX-AI"
    }

    fn recognises(&self, root: &Path) -> bool {
        let lists: [&[&str]; 4] = [
            &["ts", "role"],
            &["thread_id", "turns"],
            &["id", "continuation_id", "title"],
            &["conversation_id", "role", "idempotency_key"],
        ];
        dump::has_columns(root, &lists) || dump::has_column(root, |name| name.starts_with(REDIS))
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> io::Result<()> {
        let files = dump::files_of(&input.root)?;
        let mut reading = Reading { zone: input.zone, threads: BTreeMap::new() };
        let _ = reading.run(&files, sink);
        Ok(())
    }
}

struct Reading {
    zone: Zone,
    /// How often each continuation id was met.
    threads: BTreeMap<String, usize>,
}

impl Reading {
    fn run(&mut self, files: &[Found], sink: &mut Sink<'_>) -> ControlFlow<()> {
        let mut tables = Tables::new(self.zone);
        for file in files {
            let columns = dump::columns(file);
            match columns.iter().any(|column| column == "ts") {
                true => self.lines(file, sink)?,
                false => dump::rows(file, sink, &mut |row, sink| self.row(row, &mut tables, sink))?,
            }
        }
        tables.emit(&mut |item| self.emit(item, sink))?;
        for (id, count) in self.threads.iter().filter(|(_, count)| **count > 1) {
            let text = format!("The thread was kept {count} times; each comes over.");
            sink(Place::new("", id).note(text))?;
        }
        ControlFlow::Continue(())
    }

    /// Hands an item on, and notes its thread.
    fn emit(&mut self, item: Item, sink: &mut Sink<'_>) -> ControlFlow<()> {
        if let Item::Conversation(found) = &item
            && let Some(id) = &found.continuation_id
        {
            *self.threads.entry(id.clone()).or_default() += 1;
        }
        sink(item)
    }

    fn row(&mut self, row: Row, tables: &mut Tables, sink: &mut Sink<'_>) -> ControlFlow<()> {
        if row.value.get("turns").is_some() {
            let found = threads::conversation(&row.value, row.place, self.zone, sink)?;
            return self.emit(found, sink);
        }
        // What was taken out of Redis whole: `{"thread:<id>": {…}}`.
        let of_redis = row.value.entries().iter().filter(|(key, _)| key.shown.starts_with(REDIS));
        let mut is_redis = false;
        for (key, value) in of_redis {
            is_redis = true;
            let place = Place::new(row.place.path.clone(), &key.shown);
            let value = super::speech::unwrap(value).into_owned();
            let found = threads::conversation(&value, place, self.zone, sink)?;
            self.emit(found, sink)?;
        }
        match is_redis {
            true => ControlFlow::Continue(()),
            false => tables.row(row, sink),
        }
    }

    /// `logs/conversation/<continuation id>.jsonl`: the order of the lines is the order.
    fn lines(&mut self, file: &Found, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let name = file.name().rsplit_once('.').map_or(file.name(), |(name, _)| name);
        // The same name in two folders is two conversations; the second is named after its folder too.
        let is_known = self.threads.contains_key(name);
        let key = if is_known { format!("{name} {}", file.path) } else { name.to_owned() };
        let mut found = threads::named(name, key, file.place(""));
        dump::rows(file, sink, &mut |row, sink| {
            if let Some(message) = threads::turn(&row.value, "ts", self.zone, &row.place, sink)? {
                push(&mut found, message);
            }
            ControlFlow::Continue(())
        })?;
        self.emit(finished(found), sink)
    }
}

/// Puts a message at the end.
fn push(conversation: &mut Conversation, mut message: Message) {
    message.parent = conversation.messages.len().checked_sub(1);
    conversation.messages.push(message);
}

/// The times that nobody wrote down are those of the messages.
fn finished(mut found: Conversation) -> Item {
    if let (None, Some(first)) = (found.created.at, found.messages.first()) {
        found.created = first.at.clone();
    }
    if let (None, Some(last)) = (found.updated.at, found.messages.last()) {
        found.updated = last.at.clone();
    }
    Item::Conversation(Box::new(found))
}

/// Whether the content of what breaks off is there.
fn has_content(value: &Value) -> bool {
    value.is_whole() || value.get("content").is_some_and(Value::is_whole)
}

/// What a message that breaks off is told as.
const BROKEN: (Kind, &str) = (Kind::Message, "It breaks off before its content ends.");

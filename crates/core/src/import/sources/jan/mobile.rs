//! `jan.db` of Jan on a telephone: the same threads and messages, each as JSON in a row of SQLite.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{NO_MESSAGE, NO_THREAD, conversation, follow, message};
use crate::import::lax::{Value, parse};
use crate::import::record::{Kind, Place};
use crate::import::sources::Sink;
use crate::import::sources::files::Found;
use crate::import::sources::sqlite::{self, Copy};
use crate::import::time::Zone;
use crate::import::{Item, Message};

/// The name of the file.
pub(super) const NAME: &str = "jan.db";
/// No name of a thread or message is longer, in characters: they are all in memory.
const LONGEST_NAME: i64 = 256;

/// The rows of each thread's messages, in the order of writing, and of the thread itself where it has one.
#[derive(Default)]
struct Index(BTreeMap<String, (Option<i64>, Vec<i64>)>);

/// Reads all threads of a file.
pub(super) fn read(file: &Found, zone: Zone, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let damaged = |why: &dyn std::fmt::Display| {
        file.place("").skip(Kind::File, format!("It cannot be read to its end: {why}."))
    };
    let copy = match Copy::of(file) {
        Ok(copy) => copy,
        Err(error) => return sink(damaged(&error)),
    };
    let mut index = Index::default();
    match index.fill(&copy) {
        Ok(0) => {}
        Ok(nameless) => sink(damaged(&format!("{nameless} rows have no name")))?,
        Err(error) => sink(damaged(&error))?,
    }
    for (key, (thread, rows)) in index.0 {
        read_thread(&copy.connection, file, &key, (thread, &rows), zone, sink)?;
    }
    ControlFlow::Continue(())
}

impl Index {
    /// Gives how many rows have no name that says which thread they belong to.
    fn fill(&mut self, copy: &Copy) -> rusqlite::Result<u64> {
        copy.has_tables(&["threads", "messages"])?;
        let threads = self.take(copy, "threads", "id", |thread, row| {
            thread.0 = Some(row);
        })?;
        let messages = self.take(copy, "messages", "thread_id", |thread, row| {
            thread.1.push(row);
        })?;
        Ok(threads + messages)
    }

    fn take(
        &mut self,
        copy: &Copy,
        table: &str,
        name: &str,
        put: fn(&mut (Option<i64>, Vec<i64>), i64),
    ) -> rusqlite::Result<u64> {
        let sql = format!(
            "SELECT CASE WHEN length({name}) <= ?1 THEN {name} END, rowid FROM {table} ORDER BY rowid"
        );
        let mut statement = copy.connection.prepare(&sql)?;
        let (mut rows, mut nameless) = (statement.query([LONGEST_NAME])?, 0);
        while let Some(row) = rows.next()? {
            match row.get_ref(0)? {
                ValueRef::Null => nameless += 1,
                name => put(self.0.entry(sqlite::text(name).shown).or_default(), row.get(1)?),
            }
        }
        Ok(nameless)
    }
}

fn read_thread(
    connection: &Connection,
    file: &Found,
    key: &str,
    (thread, rows): (Option<i64>, &[i64]),
    zone: Zone,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let place = file.place(key);
    let thread = match thread.map(|row| data(connection, "threads", row)) {
        Some(Some(value)) => value,
        Some(None) => {
            sink(place.skip(Kind::File, NO_THREAD))?;
            Value::Null
        }
        None => Value::Null,
    };
    let mut messages: Vec<Message> = Vec::new();
    for row in rows {
        match data(connection, "messages", *row) {
            Some(value) => follow(&mut messages, message(&value, zone)),
            None => {
                let at = Place::new(place.path.clone(), format!("{key}, row {row}"));
                sink(at.skip(Kind::Message, NO_MESSAGE))?;
            }
        }
    }
    let found = conversation(&thread, key.to_owned(), place, messages, zone);
    sink(Item::Conversation(Box::new(found)))
}

/// What a row says; none where it cannot be read, or is no object.
fn data(connection: &Connection, table: &str, row: i64) -> Option<Value> {
    let sql = format!("SELECT data FROM {table} WHERE rowid = ?1");
    let mut statement = connection.prepare_cached(&sql).ok()?;
    let bytes: Vec<u8> = statement
        .query_row([row], |row| Ok(row.get_ref(0)?.as_bytes().unwrap_or_default().to_vec()))
        .ok()?;
    let value = parse(&bytes).value;
    (value.as_map().is_some() && value.is_whole()).then_some(value)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::import::sources::Source as _;
    use crate::import::sources::jan::Jan;
    use crate::import::sources::testing::{Haul, fixture, hashes};

    /// The threads of the fixture as a telephone keeps them.
    fn telephone(root: &Path, set_up: &str) -> Connection {
        let store = Connection::open(root.join(NAME)).expect("a file");
        store.execute_batch(set_up).expect("set up");
        let tables = "CREATE TABLE threads (id TEXT PRIMARY KEY, data TEXT NOT NULL);
            CREATE TABLE messages (id TEXT PRIMARY KEY, thread_id TEXT, data TEXT NOT NULL)";
        store.execute_batch(tables).expect("made");
        for thread in fs::read_dir(fixture("other-exports/jan/threads")).expect("readable") {
            let thread = thread.expect("an entry").path();
            let name = thread.file_name().expect("a name").to_string_lossy().into_owned();
            let data = fs::read_to_string(thread.join("thread.json")).expect("a thread");
            store.execute("INSERT INTO threads VALUES (?1, ?2)", [&name, &data]).expect("written");
            let lines = fs::read_to_string(thread.join("messages.jsonl")).unwrap_or_default();
            for (n, line) in lines.lines().enumerate() {
                let row = [&format!("{name} {n}"), &name, &line.to_owned()];
                store.execute("INSERT INTO messages VALUES (?1, ?2, ?3)", row).expect("written");
            }
        }
        store
    }

    fn texts(haul: &Haul) -> Vec<(String, Vec<String>)> {
        let all = haul.conversations.iter();
        let mut all: Vec<_> = all.map(|one| (one.title.shown.clone(), hashes(one))).collect();
        all.sort();
        all
    }

    #[test]
    fn a_telephone_s_threads_are_those_of_the_desktop() {
        let root = tempfile::tempdir().expect("a folder");
        drop(telephone(root.path(), ""));
        assert!(Jan.recognises(root.path()) && Jan.recognises(&root.path().join(NAME)));
        let (mobile, desktop) =
            (Haul::of(&Jan, root.path()), Haul::of(&Jan, &fixture("other-exports/jan")));
        assert!(!texts(&desktop).is_empty());
        assert_eq!(texts(&mobile), texts(&desktop));
        let first = &mobile.conversations[0];
        assert!(first.messages.iter().skip(1).all(|message| message.parent.is_some()));
    }

    #[test]
    fn what_is_only_in_the_log_comes_over_and_the_log_stays_as_it_is() {
        let root = tempfile::tempdir().expect("a folder");
        let open =
            telephone(root.path(), "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
        let log = root.path().join("jan.db-wal");
        let before = fs::read(&log).expect("a log");
        let mobile = Haul::of(&Jan, root.path());
        assert_eq!(texts(&mobile), texts(&Haul::of(&Jan, &fixture("other-exports/jan"))));
        assert_eq!(fs::read(&log).expect("a log"), before);
        drop(open);
    }

    #[test]
    fn a_row_that_is_no_message_costs_itself_and_a_view_everything() {
        let root = tempfile::tempdir().expect("a folder");
        let store = telephone(root.path(), "");
        let whole = Haul::of(&Jan, root.path()).messages();
        let torn = "UPDATE messages SET data = substr(data, 1, 20) WHERE rowid = 1";
        store.execute_batch(torn).expect("torn");
        let haul = Haul::of(&Jan, root.path());
        assert_eq!((haul.messages(), haul.skips.len()), (whole - 1, 1));
        let view =
            "ALTER TABLE messages RENAME TO real; CREATE VIEW messages AS SELECT * FROM real";
        store.execute_batch(view).expect("changed");
        let haul = Haul::of(&Jan, root.path());
        assert_eq!((haul.conversations.len(), haul.skips.len()), (0, 1));
    }
}

//! What the core does while faults happen, and what must hold afterwards.
//!
//! A [`Workload`] is a list of steps, each one transaction of the core. Clock and ids are a counter's,
//! so that two runs write the same rows: what a run with no fault left after step `k` is what a
//! faulty run that was told of `k` steps must find, or what step `k + 1` would have left (it may have
//! become durable before anybody could be told). Nothing in between.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::json;
use tidemark_core::chat::send::{self, Context, Want};
use tidemark_core::clock::{Clock, ManualClock};
use tidemark_core::events::Events;
use tidemark_core::mirror::key::{KEY_BYTES, Key};
use tidemark_core::mirror::messages::{self, Progress};
use tidemark_core::mirror::{
    self, Error, Mirror, Write, account, apply, conversations, drafts, index, migrate, outbox,
    send_queue, settings, settle, thread, usage,
};
use tidemark_core::model::view::{SearchRequest, SendRequest, Sent, Shelf};
use tidemark_core::model::wire;
use tidemark_core::model::{
    ConversationId, Message, MessageId, MessageState, ModelRef, TitleBy, UsageId,
};

/// When the first row is written.
const START_MS: i64 = 1_790_000_000_000;

/// The mirror's id in all faults.
pub const MIRROR: uuid::Uuid = uuid::Uuid::from_bytes([7; 16]);

/// The key of all mirrors here.
pub fn key() -> Key {
    Key::from_bytes(&[42; KEY_BYTES]).expect("48 bytes")
}

/// An open mirror with its clock.
#[derive(Debug)]
pub struct Session {
    /// The mirror.
    pub mirror: Mirror,
    clock: Arc<ManualClock>,
}

impl Session {
    /// Opens the mirror at `path` as the app does.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_at(path, 0)
    }

    /// Opens it `later_ms` after the first time, so that its ids differ from earlier ones.
    pub fn open_at(path: &Path, later_ms: i64) -> Result<Self, Error> {
        let clock = ManualClock::at(START_MS + later_ms);
        let mirror = mirror::open(path, &key(), MIRROR, clock.clone(), Events::default())?;
        Ok(Self { mirror, clock })
    }

    fn write<T>(&self, work: impl FnOnce(&mut Write<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.clock.advance(7);
        self.mirror.write(work)
    }

    /// Sends a question as the app does: message, branch, answer and queue entry in one transaction.
    pub fn send(&self, to: Option<ConversationId>, content: &str) -> Result<Sent, Error> {
        let model = ModelRef("local/test".to_owned());
        let request = SendRequest {
            conversation_id: to,
            content: content.to_owned(),
            ..SendRequest::default()
        };
        self.write(|write| {
            let clock: &dyn Clock = &*self.clock;
            let context = Context { clock, default_model: Some(&model), runner: None };
            send::send(write, context, &request, Want::Answer)
        })
    }

    /// Appends to an answer.
    fn append(&self, id: MessageId, text: &str) -> Result<(), Error> {
        self.write(|write| {
            let content = Some(messages::get(&write.tx, id)?.content + text);
            let state = Some(MessageState::Streaming);
            messages::progress(write, id, &Progress { content, state, ..Progress::default() })
        })
    }

    /// Ends an answer: the queue entry goes in the same transaction.
    fn finish(&self, id: MessageId) -> Result<(), Error> {
        let usage_id = UsageId(self.clock.new_id());
        self.write(|write| {
            let state = Some(MessageState::Done);
            let progress = Progress { state, tokens_out: Some(12), ..Progress::default() };
            messages::progress(write, id, &progress)?;
            send_queue::remove(write, id)?;
            usage::log(write, usage_id, &messages::get(&write.tx, id)?)
        })
    }
}

/// One transaction of the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A question in a new chat.
    SendNew,
    /// A question in the latest chat.
    Send,
    /// More text for the latest open answer.
    Append,
    /// The latest open answer ends.
    Finish,
    /// A title by a person.
    Rename,
    /// What is typed.
    Draft,
    /// A setting.
    Setting,
    /// The latest chat into the trash.
    Trash,
    /// The oldest trashed chat is deleted for good.
    Purge,
    /// A message into the trash.
    TrashMessage,
    /// The index takes a batch off its list.
    CatchUp,
    /// The index is emptied and asked to rebuild itself.
    Rebuild,
    /// The log is written back into the file.
    Checkpoint,
    /// The log is written back and emptied.
    Truncate,
    /// An account is attached.
    Attach,
    /// A page of the server's is applied, its cursor with it.
    Pull,
    /// What waits is marked as on its way.
    Take,
    /// The outcomes of what is on its way are stored.
    Settle,
}

impl Step {
    /// Whether a power cut may take it back: what can be had again from the server does not wait for the
    /// disk. It goes whole, with all that came after it.
    pub fn can_be_had_again(self) -> bool {
        self == Self::Pull
    }
}

/// Runs one step.
pub fn run(session: &Session, number: usize, step: Step) -> Result<(), Error> {
    let text = words(number);
    let mirror = &session.mirror;
    match step {
        Step::SendNew => session.send(None, &text).map(|_| ()),
        Step::Send => session.send(latest(mirror)?, &text).map(|_| ()),
        Step::Append => with_open_answer(mirror, |id| session.append(id, &text)),
        Step::Finish => with_open_answer(mirror, |id| session.finish(id)),
        Step::Rename => set(session, conversations::Field::Title(text, TitleBy::Person)),
        Step::Draft => {
            let to = latest(mirror)?;
            session.write(|write| drafts::set(write, to, &text))
        }
        Step::Setting => session.write(|write| settings::set(write, "theme", &text.into())),
        Step::Trash => {
            let now = session.clock.now();
            set(session, conversations::Field::Trashed(Some(now)))
        }
        Step::Purge => {
            let trashed = mirror.read(|c| conversations::list(c, Shelf::Trash))?;
            let Some(last) = trashed.last() else { return Ok(()) };
            session.write(|write| conversations::purge(write, last.id))
        }
        Step::TrashMessage => {
            let Some(message) = last_message(mirror)? else { return Ok(()) };
            session.write(|write| {
                send_queue::remove(write, message.id)?;
                messages::set_trashed(write, message.id, true)
            })
        }
        Step::CatchUp => index::catch_up(mirror).and_then(|_| index::merge(mirror)).map(drop),
        Step::Rebuild => index::rebuild(mirror),
        Step::Checkpoint => checkpoint(mirror, "PASSIVE"),
        Step::Truncate => checkpoint(mirror, "TRUNCATE"),
        Step::Attach => session.write(|write| {
            account::attach(write, "https://tide.example", uuid::Uuid::max(), "ann@tide.example")
        }),
        Step::Pull => pull(session, number),
        Step::Take => outbox::take(mirror, 1_000, 8 << 20, None).map(|_| ()),
        Step::Settle => {
            // Asked by hand: taking would mark more, which is a transaction of its own.
            let sent = mirror.read(|c| {
                let mut sent =
                    c.prepare("SELECT n FROM outbox WHERE state = 'in_flight' ORDER BY n")?;
                let rows = sent.query_map([], |row| row.get(0))?;
                Ok(rows.collect::<Result<Vec<i64>, _>>()?)
            })?;
            let outcomes: Vec<_> = sent
                .into_iter()
                .map(|n| wire::Settled { n, outcome: outcome(n, number) })
                .collect();
            settle::settle(mirror, &outcomes).map(|_| ())
        }
    }
}

/// Every fifth operation is refused, so that there is something parked.
fn outcome(n: i64, number: usize) -> wire::Outcome {
    if n % 5 == 4 {
        let (code, message) = ("invalid".to_owned(), "no".to_owned());
        return wire::Outcome::Rejected { code, message };
    }
    let (seq, nonce) = (number as i64 * 100 + n, Some(7));
    wire::Outcome::Applied(wire::Accepted { seq, nonce, ..wire::Accepted::default() })
}

/// A page with a new chat of another device's, and its changes of the oldest chat here.
fn pull(session: &Session, number: usize) -> Result<(), Error> {
    session.clock.advance(7);
    let chat = |id: uuid::Uuid, title: &str| json!([id, title, "person", false, false, START_MS, session.clock.now().0, {"title": (number as i64) << 40}]);
    let seq = number as i64 * 100;
    let (new, message) = (session.clock.new_id(), session.clock.new_id());
    let mut changes = vec![json!(["conversations", seq, "U", new, chat(new, &words(number))])];
    let all = session.mirror.read(|c| conversations::list(c, Shelf::Active))?;
    changes.extend(all.last().map(|oldest| {
        json!(["conversations", seq, "U", oldest.id, chat(oldest.id.0, "from elsewhere")])
    }));
    changes.push(json!([
        "messages",
        seq,
        "U",
        message,
        [message, new, "user", words(number + 1), "done", START_MS, START_MS, {}]
    ]));
    let text = json!({
        "head": {"seq": seq, "nonce": 7}, "horizon": 0, "server_ms": START_MS, "schema": [1, 1],
        "has_more": false, "known": true, "cursor": {"seq": seq, "nonce": 7, "tbl": null, "row_id": null},
        "columns": {
            "conversations": ["id", "title", "title_by", "pinned", "archived", "created_ms", "updated_ms", "clocks"],
            "messages": ["id", "conversation_id", "role", "content", "state", "created_ms", "updated_ms", "clocks"],
        },
        "changes": changes,
    })
    .to_string();
    let page = serde_json::from_str(&text).expect("a page");
    apply::page(&session.mirror, &page, apply::Gone::Leave).map(|_| ())
}

fn set(session: &Session, field: conversations::Field) -> Result<(), Error> {
    let Some(id) = latest(&session.mirror)? else { return Ok(()) };
    session.write(|write| conversations::set(write, id, &field))
}

fn with_open_answer(
    mirror: &Mirror,
    work: impl FnOnce(MessageId) -> Result<(), Error>,
) -> Result<(), Error> {
    match mirror.read(send_queue::all)?.last() {
        Some(entry) => work(entry.message_id),
        None => Ok(()),
    }
}

fn latest(mirror: &Mirror) -> Result<Option<ConversationId>, Error> {
    let all = mirror.read(|c| conversations::list(c, Shelf::Active))?;
    Ok(all.first().map(|conversation| conversation.id))
}

fn last_message(mirror: &Mirror) -> Result<Option<Message>, Error> {
    let Some(id) = latest(mirror)? else { return Ok(None) };
    let all = mirror.read(|c| messages::of_conversation(c, id))?;
    Ok(all.last().cloned())
}

fn checkpoint(mirror: &Mirror, mode: &str) -> Result<(), Error> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    mirror.read(|c| Ok(c.query_row(&sql, [], |_| Ok(()))?))
}

/// Text of some length, so that now and then it needs pages of its own.
fn words(number: usize) -> String {
    let long = if number % 5 == 4 { 900 } else { 6 };
    (0..long).map(|n| format!("tide{} ", (number * 31 + n * 7) % 97)).collect()
}

/// A named list of steps.
#[derive(Debug, Clone)]
pub struct Workload {
    /// Its name, for messages.
    pub name: &'static str,
    /// What is there before, made without faults.
    pub before: Vec<Step>,
    /// What is done while faults happen, after opening.
    pub steps: Vec<Step>,
}

/// The rows of all tables that are not the index's, as text: what a person would miss.
pub fn rows(connection: &Connection) -> Result<String, Error> {
    let mut text = String::new();
    for table in [
        "conversations",
        "messages",
        "branches",
        "send_queue",
        "drafts",
        "settings",
        "usage",
        "mirror",
        "account",
        "outbox",
        "bases",
        "pull",
        "heads",
        "conflicts",
    ] {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))?;
        let columns = statement.column_count();
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            text.push_str(table);
            for column in 0..columns {
                text.push_str(&format!("|{:?}", row.get_ref(column)?));
            }
            text.push('\n');
        }
    }
    Ok(text)
}

/// What is wrong with an open mirror: I3 and I4, and that the schema is whole.
pub fn complaints(mirror: &Mirror) -> Result<Vec<String>, Error> {
    let mut found = integrity(mirror)?;
    found.extend(mirror.read(uncovered)?);
    while index::catch_up(mirror)? > 0 {}
    found.extend(mirror.read(not_indexed)?);
    found.extend(integrity(mirror)?);
    mirror.read(|c| {
        if migrate::version(c)? != migrate::latest() {
            found.push("the schema is not the latest".to_owned());
        }
        let request = SearchRequest { text: "tide".to_owned(), ..SearchRequest::default() };
        let messages: i64 = c.query_row(
            "SELECT count(*) FROM messages WHERE trashed_ms IS NULL AND content LIKE '%tide%'",
            [],
            |row| row.get(0),
        )?;
        if messages > 0 && mirror::search::search(c, &request)?.is_empty() {
            found.push("search finds nothing".to_owned());
        }
        Ok(())
    })?;
    Ok(found)
}

fn integrity(mirror: &Mirror) -> Result<Vec<String>, Error> {
    // SQLCipher's check reads the file alone: a page that a cut checkpoint left torn is in the log.
    checkpoint(mirror, "TRUNCATE")?;
    mirror.read(|c| {
        let mut found = Vec::new();
        for check in ["PRAGMA integrity_check", "PRAGMA cipher_integrity_check"] {
            let mut statement = c.prepare(check)?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            for row in rows {
                found.extend(Some(row?).filter(|text| text != "ok"));
            }
        }
        for (what, sql) in [
            ("an open answer is not in the queue", "SELECT count(*) FROM messages m WHERE m.state IN ('queued', 'streaming') AND m.trashed_ms IS NULL AND NOT EXISTS (SELECT 1 FROM send_queue q WHERE q.message_id = m.id)"),
            ("a queue entry has no answer", "SELECT count(*) FROM send_queue q WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = q.message_id)"),
            ("a message has no conversation", "SELECT count(*) FROM messages m WHERE NOT EXISTS (SELECT 1 FROM conversations c WHERE c.id = m.conversation_id)"),
            ("a conversation's count is wrong", "SELECT count(*) FROM conversations c WHERE c.message_count != (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id AND m.trashed_ms IS NULL)"),
        ] {
            let count: i64 = c.query_row(sql, [], |row| row.get(0))?;
            if count > 0 {
                found.push(format!("{what}: {count}"));
            }
        }
        Ok(found)
    })
}

/// Messages that are neither in the index nor on its list.
fn uncovered(c: &Connection) -> Result<Option<String>, Error> {
    let count: i64 = c.query_row(
        "SELECT count(*)
           FROM messages m
          WHERE m.trashed_ms IS NULL
            AND m.rowid NOT IN (SELECT id FROM message_index_docsize)
            AND m.rowid NOT IN (SELECT row FROM index_dirty WHERE kind = 1)",
        [],
        |row| row.get(0),
    )?;
    Ok((count > 0).then(|| format!("{count} messages are neither indexed nor going to be")))
}

/// The index against the rows, after it caught up.
fn not_indexed(c: &Connection) -> Result<Option<String>, Error> {
    let (missing, extra): (i64, i64) = c.query_row(
        "SELECT (SELECT count(*) FROM messages
                  WHERE trashed_ms IS NULL AND rowid NOT IN (SELECT id FROM message_index_docsize)),
                (SELECT count(*) FROM message_index_docsize
                  WHERE id NOT IN (SELECT rowid FROM messages WHERE trashed_ms IS NULL))",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok((missing + extra > 0)
        .then(|| format!("the index misses {missing} and has {extra} too many")))
}

/// Sends one more question and reads it back: the mirror is in use again.
pub fn goes_on(path: &Path) -> Result<(), Error> {
    let session = Session::open_at(path, 86_400_000)?;
    let sent = session.send(None, "tide goes on")?;
    let id = sent.message_id.ok_or(Error::NotFound("message"))?;
    let message = session.mirror.read(|c| messages::get(c, id))?;
    let page = session.mirror.read(|c| thread::up_from(c, message.id, 10))?;
    if page.len() == 1 { Ok(()) } else { Err(Error::NotFound("message")) }
}

//! What the mirror's half of sync promises, with a server made of a few lines.

mod branches;
mod pages;
mod pushes;
mod speed;

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::apply::Gone;
use super::conversations::{self, Field};
use super::messages::{self, Index};
use super::*;
use crate::clock::{Clock, ManualClock};
use crate::events::Events;
use crate::model::wire::{
    self, Accepted, Clocks, Cursor, FullRow, Head, Kind, Op, Outcome, Page, Settled,
};
use crate::model::{Conversation, ConversationId, Message, MessageId, MessageState, Role, TitleBy};

const START_MS: i64 = 1_790_000_000_000;

/// A device with an account.
struct Device {
    mirror: Mirror,
    clock: Arc<ManualClock>,
    _folder: TempDir,
}

impl Device {
    fn new() -> Self {
        let device = Self::without_account();
        device.attach();
        device
    }

    fn without_account() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = ManualClock::at(START_MS);
        let key = Key::random().expect("random");
        let path = folder.path().join(FILE);
        let mirror = open(&path, &key, clock.new_id(), clock.clone(), Events::default());
        Self { mirror: mirror.expect("opens"), clock, _folder: folder }
    }

    fn attach(&self) {
        let user = Uuid::from_u128(7);
        self.write(|write| account::attach(write, "https://p.example", user, "ann@example.org"));
    }

    fn write<T>(&self, work: impl FnOnce(&mut Write<'_>) -> Result<T, Error>) -> T {
        self.clock.advance(5);
        self.mirror.write(work).expect("writes")
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> T {
        self.mirror.read(work).expect("reads")
    }

    fn count(&self, sql: &str) -> i64 {
        self.read(|c| Ok(c.query_row(sql, [], |row| row.get(0))?))
    }

    fn conversation(&self, title: &str) -> ConversationId {
        let id = ConversationId(self.clock.new_id());
        self.write(|write| {
            let blank = Conversation::blank(id, write.now);
            let conversation =
                Conversation { title: title.to_owned(), title_by: TitleBy::Person, ..blank };
            conversations::insert(write, &conversation)
        });
        id
    }

    fn rename(&self, id: ConversationId, title: &str) {
        let field = Field::Title(title.to_owned(), TitleBy::Person);
        self.write(|write| conversations::set(write, id, &field));
    }

    fn title(&self, id: ConversationId) -> String {
        self.read(|c| conversations::get(c, id)).title
    }

    fn message(
        &self,
        to: ConversationId,
        parent: Option<MessageId>,
        content: &str,
        state: MessageState,
    ) -> MessageId {
        let id = MessageId(self.clock.new_id());
        self.write(|write| {
            let role = if state == MessageState::Done { Role::User } else { Role::Assistant };
            let blank = Message::blank(id, to, role, write.now);
            let device_id = Some(write.device_id()?);
            let content = content.to_owned();
            let message = Message { parent_id: parent, content, state, device_id, ..blank };
            messages::insert(write, &message, Index::Soon)?;
            thread::show_new(write, &message)
        });
        id
    }

    fn content(&self, id: MessageId) -> String {
        self.read(|c| messages::get(c, id)).content
    }

    fn progress(&self, id: MessageId, content: &str, state: MessageState) {
        let progress = messages::Progress {
            content: Some(content.to_owned()),
            state: Some(state),
            ..messages::Progress::default()
        };
        self.write(|write| messages::progress(write, id, &progress));
    }

    fn take(&self) -> Vec<Op> {
        outbox::take(&self.mirror, 1_000, 8 << 20, None).expect("takes")
    }

    fn settle(&self, n: i64, outcome: Outcome) -> settle::Settlement {
        self.settle_all(vec![Settled { n, outcome }])
    }

    fn settle_all(&self, outcomes: Vec<Settled>) -> settle::Settlement {
        settle::settle(&self.mirror, &outcomes).expect("settles")
    }

    /// Everything that waits is applied, from `seq` on.
    fn push(&self, seq: i64) -> Vec<Op> {
        let ops = self.take();
        let outcomes =
            ops.iter().zip(seq..).map(|(op, seq)| Settled { n: op.n, outcome: applied(seq) });
        self.settle_all(outcomes.collect());
        ops
    }

    fn apply(&self, changes: Vec<Value>) -> apply::Applied {
        let text = page(changes);
        let page: Page<'_> = serde_json::from_str(&text).expect("a page");
        apply::page(&self.mirror, &page, Gone::Leave).expect("applies")
    }

    fn counts(&self) -> outbox::Counts {
        self.read(outbox::counts)
    }

    fn base(&self, table: wire::Table, id: Uuid) -> bases::Base {
        self.read(|c| bases::of(c, table, id)).expect("the server knows it")
    }
}

fn applied(seq: i64) -> Outcome {
    Outcome::Applied(Accepted { seq, nonce: Some(seq), ..Accepted::default() })
}

fn columns(table: wire::Table) -> Vec<&'static str> {
    let fields = table.fields().iter().map(|field| field.name);
    ["id"].into_iter().chain(fields).chain(["updated_ms", "clocks"]).collect()
}

/// A page whose cursor stands after its last change.
fn page(changes: Vec<Value>) -> String {
    let last = changes.last().map_or(0, |change| change[1].as_i64().expect("a seq"));
    let columns: Map<String, Value> = wire::Table::ALL
        .into_iter()
        .map(|table| (table.name().to_owned(), json!(columns(table))))
        .collect();
    json!({
        "head": {"seq": last, "nonce": last}, "horizon": 0, "server_ms": START_MS, "schema": [1, 1],
        "has_more": false, "known": true, "columns": columns, "changes": changes,
        "cursor": {"seq": last, "nonce": last, "tbl": null, "row_id": null},
    })
    .to_string()
}

fn change(table: wire::Table, seq: i64, id: Uuid, fields: &Value, clocks: Value) -> Value {
    let row: Vec<Value> = columns(table)
        .into_iter()
        .map(|name| match name {
            "id" => json!(id),
            "updated_ms" => json!(START_MS),
            "clocks" => clocks.clone(),
            name => fields.get(name).cloned().unwrap_or(Value::Null),
        })
        .collect();
    json!([table.name(), seq, "U", id, row])
}

fn conversation_fields(title: &str) -> Value {
    json!({"title": title, "title_by": "person", "pinned": false, "archived": false, "created_ms": START_MS})
}

fn conversation_change(seq: i64, id: ConversationId, title: &str, clock: i64) -> Value {
    let clocks = json!({"title": clock});
    change(wire::Table::Conversations, seq, id.0, &conversation_fields(title), clocks)
}

fn message_fields(conversation: ConversationId, content: &str, at: i64) -> Value {
    json!({"conversation_id": conversation, "role": "user", "content": content, "state": "done",
           "created_ms": START_MS + at})
}

fn message_change(
    seq: i64,
    id: MessageId,
    conversation: ConversationId,
    parent: Option<MessageId>,
    content: &str,
) -> Value {
    let mut fields = message_fields(conversation, content, seq);
    fields["parent_id"] = json!(parent);
    change(wire::Table::Messages, seq, id.0, &fields, json!({}))
}

fn deletion(table: wire::Table, seq: i64, id: Uuid) -> Value {
    json!([table.name(), seq, "D", id, null])
}

/// A row as an outcome brings it.
fn full(seq: i64, fields: Value, clocks: Clocks) -> FullRow {
    FullRow { seq, clocks, fields: fields.as_object().expect("an object").clone() }
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0192_f0c1_0000_7000_8000_0000_0000_0000 + n)
}

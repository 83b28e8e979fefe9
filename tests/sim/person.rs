//! What persons do, and the book of it: what a device told its person was saved.

use serde_json::{Value, json};
use tidemark_core::mirror::messages::{self, Index, Progress};
use tidemark_core::mirror::{Mirror, conversations, parked, settings, synced};
use tidemark_core::model::view::Shelf;
use tidemark_core::model::wire::{Kind, Table, setting_id};
use tidemark_core::model::{
    Conversation, ConversationId, Message, MessageId, MessageState, Role, TitleBy,
};
use uuid::Uuid;

use super::server::REFUSED_WORD;
use crate::faults::Rng;

/// Something that was saved: a value that nobody else ever writes.
#[derive(Debug, Clone)]
pub(super) struct Saved {
    /// By which device.
    pub(super) device: usize,
    /// Whose it is.
    pub(super) user: Uuid,
    /// Where.
    pub(super) table: Table,
    /// Which row.
    pub(super) row: Uuid,
    /// Its conversation, where it has one.
    pub(super) conversation: Option<Uuid>,
    /// Which field.
    pub(super) field: &'static str,
    /// What.
    pub(super) value: String,
    /// What the person saw there before.
    pub(super) before: Option<String>,
}

/// A refused change that a person gave up.
#[derive(Debug)]
pub(super) struct GivenUp {
    /// On which device.
    pub(super) device: usize,
    /// Of which row.
    pub(super) row: Uuid,
    /// What of it: registers, or `body`; none: all of a row that the server never took.
    pub(super) registers: Vec<String>,
    /// How much had been saved before.
    pub(super) after: usize,
}

/// A conversation that a person put into the trash, or deleted for good.
#[derive(Debug)]
pub(super) struct Purged {
    /// Which.
    pub(super) conversation: Uuid,
    /// On which device.
    pub(super) device: usize,
    /// How much had been saved before.
    pub(super) after: usize,
    /// Its texts then: they may have been saved under another id, before it came back as "Recovered".
    pub(super) texts: Vec<String>,
}

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// In the order of doing.
    pub(super) saved: Vec<Saved>,
    /// Conversations that a person deleted for good.
    pub(super) purged: Vec<Purged>,
    /// Conversations that a person put into the trash.
    pub(super) trashed: Vec<Purged>,
    /// Refused changes that a person gave up.
    pub(super) given_up: Vec<GivenUp>,
    /// How much had been saved when the server was restored, each time.
    pub(super) restored: Vec<usize>,
    /// Rows that a device removed because a complete manifest did not have them, after the server was restored. Who slept
    /// beyond the horizon cannot tell what was deleted from what the server lost.
    pub(super) absent: Vec<Uuid>,
    /// Settings that a script wrote, and whose they are.
    pub(super) scripts: Vec<(Uuid, String)>,
    words: u64,
}

impl Book {
    fn word(&mut self, device: usize, what: &str) -> String {
        self.words += 1;
        format!("{what} {} of {device}", self.words)
    }
}

/// One thing that a person does. Tells what, for the trace; none where nothing was to be done.
pub(super) fn act(
    rng: &mut Rng,
    book: &mut Book,
    device: usize,
    user: Uuid,
    mirror: &Mirror,
) -> Option<String> {
    let person = Person { device, user, mirror };
    match rng.below(24) {
        0..=2 => person.begins(rng, book),
        3..=8 => person.writes(rng, book),
        9..=12 => person.renames(rng, book),
        13 | 14 => person.instructs(rng, book),
        15 | 16 => person.sets(rng, book),
        17 => person.trashes(rng, book, true),
        18 => person.trashes(rng, book, false),
        19 => person.purges(rng, book),
        20 | 21 => person.is_answered(rng, book),
        22 => person.pins(rng),
        _ => person.unparks(rng, book),
    }
}

struct Person<'a> {
    device: usize,
    user: Uuid,
    mirror: &'a Mirror,
}

impl Person<'_> {
    fn saved(
        &self,
        book: &mut Book,
        at: (Table, Uuid, Option<Uuid>),
        field: &'static str,
        value: &str,
        before: Option<String>,
    ) {
        let (table, row, conversation) = at;
        let (device, user, value) = (self.device, self.user, value.to_owned());
        book.saved.push(Saved { device, user, table, row, conversation, field, value, before });
    }

    fn any(&self, rng: &mut Rng, shelf: Shelf) -> Option<Conversation> {
        let mut all = self.mirror.read(|c| conversations::list(c, shelf)).expect("it lists");
        // The order of a list with equal times is SQLite's business.
        all.sort_by_key(|conversation| conversation.id.0);
        let at = rng.below(all.len() as u64) as usize;
        all.into_iter().nth(at)
    }

    fn begins(&self, rng: &mut Rng, book: &mut Book) -> Option<String> {
        let id = ConversationId(self.mirror.clock().new_id());
        let title = book.word(self.device, "title");
        let mut conversation = Conversation::blank(id, self.mirror.clock().now());
        conversation.title.clone_from(&title);
        if rng.one_in(2) {
            conversation.title_by = TitleBy::Person;
        }
        self.mirror.write(|w| conversations::insert(w, &conversation)).ok()?;
        self.saved(book, (Table::Conversations, id.0, Some(id.0)), "title", &title, None);
        Some(format!("begins {id}"))
    }

    fn writes(&self, rng: &mut Rng, book: &mut Book) -> Option<String> {
        let conversation = self.any(rng, Shelf::Active)?.id;
        let mut content = book.word(self.device, "message");
        if rng.one_in(12) {
            content.push_str(REFUSED_WORD);
        }
        let id = self.insert(rng, conversation, Role::User, &content, MessageState::Done)?;
        let at = (Table::Messages, id.0, Some(conversation.0));
        self.saved(book, at, "content", &content, None);
        Some(format!("writes {id}"))
    }

    fn insert(
        &self,
        rng: &mut Rng,
        conversation: ConversationId,
        role: Role,
        content: &str,
        state: MessageState,
    ) -> Option<MessageId> {
        let id = MessageId(self.mirror.clock().new_id());
        let mut message = Message::blank(id, conversation, role, self.mirror.clock().now());
        let all = self.mirror.read(|c| messages::of_conversation(c, conversation)).ok()?;
        message.parent_id = match rng.below(4) {
            0 => None,
            _ => all.last().map(|last| last.id),
        };
        message.content = content.to_owned();
        message.state = state;
        message.device_id = Some(self.mirror.read(synced::device_id).ok()?);
        self.mirror.write(|w| messages::insert(w, &message, Index::Soon)).ok()?;
        Some(id)
    }

    /// A model answers: the row is there at once, the text comes in two steps.
    fn is_answered(&self, rng: &mut Rng, book: &mut Book) -> Option<String> {
        let conversation = self.any(rng, Shelf::Active)?.id;
        let mine = Some(self.mirror.read(synced::device_id).ok()?);
        let all = self.mirror.read(|c| messages::of_conversation(c, conversation)).ok()?;
        let open = all.iter().find(|m| !m.state.is_final() && m.device_id == mine).map(|m| m.id);
        let Some(id) = open else {
            let state = MessageState::Queued;
            let id = self.insert(rng, conversation, Role::Assistant, "", state)?;
            return Some(format!("asks {id}"));
        };
        let ends = rng.one_in(2);
        let content = book.word(self.device, "answer");
        let state = if ends { MessageState::Done } else { MessageState::Streaming };
        let progress =
            Progress { content: Some(content.clone()), state: Some(state), ..Progress::default() };
        self.mirror.write(|w| messages::progress(w, id, &progress)).ok()?;
        if ends {
            self.saved(
                book,
                (Table::Messages, id.0, Some(conversation.0)),
                "content",
                &content,
                None,
            );
        }
        Some(format!("is answered {id}"))
    }

    fn renames(&self, rng: &mut Rng, book: &mut Book) -> Option<String> {
        let conversation = self.any(rng, Shelf::Active)?;
        let mut title = book.word(self.device, "title");
        if rng.one_in(15) {
            title.push_str(REFUSED_WORD);
        }
        let field = conversations::Field::Title(title.clone(), TitleBy::Person);
        self.mirror.write(|w| conversations::set(w, conversation.id, &field)).ok()?;
        let id = conversation.id.0;
        let at = (Table::Conversations, id, Some(id));
        self.saved(book, at, "title", &title, Some(conversation.title));
        Some(format!("renames {id}"))
    }

    fn instructs(&self, rng: &mut Rng, book: &mut Book) -> Option<String> {
        let conversation = self.any(rng, Shelf::Active)?;
        let prompt = book.word(self.device, "prompt");
        let field = conversations::Field::SystemPrompt(Some(prompt.clone()));
        self.mirror.write(|w| conversations::set(w, conversation.id, &field)).ok()?;
        let id = conversation.id.0;
        let at = (Table::Conversations, id, Some(id));
        self.saved(book, at, "system_prompt", &prompt, conversation.system_prompt);
        Some(format!("instructs {id}"))
    }

    fn sets(&self, rng: &mut Rng, book: &mut Book) -> Option<String> {
        let key = format!("sim.{}", rng.below(3));
        let before = self.mirror.read(|c| settings::get(c, &key)).ok()?;
        let value = json!(book.word(self.device, "setting"));
        self.mirror.write(|w| settings::set(w, &key, &value)).ok()?;
        let at = (Table::Settings, setting_id(&key), None);
        let before = before.as_ref().map(Value::to_string);
        self.saved(book, at, "value", &value.to_string(), before);
        Some(format!("sets {key}"))
    }

    fn trashes(&self, rng: &mut Rng, book: &mut Book, trashed: bool) -> Option<String> {
        let shelf = if trashed { Shelf::Active } else { Shelf::Trash };
        let id = self.any(rng, shelf)?.id;
        let at = trashed.then(|| self.mirror.clock().now());
        let field = conversations::Field::Trashed(at);
        self.mirror.write(|w| conversations::set(w, id, &field)).ok()?;
        if trashed {
            book.trashed.push(self.took_away(book, id));
        }
        Some(format!("trashes {id} {trashed}"))
    }

    fn purges(&self, rng: &mut Rng, book: &mut Book) -> Option<String> {
        let id = self.any(rng, Shelf::Trash)?.id;
        let took = self.took_away(book, id);
        self.mirror.write(|w| conversations::purge(w, id)).ok()?;
        book.purged.push(took);
        Some(format!("purges {id}"))
    }

    fn took_away(&self, book: &Book, id: ConversationId) -> Purged {
        let texts = self.mirror.read(|c| {
            let mut statement = c.prepare(
                "SELECT content FROM messages WHERE conversation_id = ?1
                 UNION ALL SELECT title FROM conversations WHERE id = ?1
                 UNION ALL SELECT system_prompt FROM conversations WHERE id = ?1",
            )?;
            let texts = statement.query_map([id.0.as_bytes()], |row| row.get(0))?;
            Ok(texts.collect::<Result<Vec<Option<String>>, _>>()?.into_iter().flatten().collect())
        });
        let (device, after) = (self.device, book.saved.len());
        Purged { conversation: id.0, device, after, texts: texts.unwrap_or_default() }
    }

    fn pins(&self, rng: &mut Rng) -> Option<String> {
        let conversation = self.any(rng, Shelf::Active)?;
        let field = conversations::Field::Pinned(!conversation.pinned);
        self.mirror.write(|w| conversations::set(w, conversation.id, &field)).ok()?;
        Some(format!("pins {}", conversation.id))
    }

    /// A refused change is tried again, or given up.
    fn unparks(&self, rng: &mut Rng, book: &mut Book) -> Option<String> {
        let all = self.mirror.read(parked::all).ok()?;
        let one = all.get(rng.below(all.len() as u64) as usize)?;
        let n = one.n;
        if rng.one_in(2) {
            self.mirror.write(|w| parked::retry(w, n)).ok()?;
            return Some(format!("tries {n} again"));
        }
        self.mirror.write(|w| parked::discard(w, n)).ok()?;
        let (device, row, after) = (self.device, one.row_id, book.saved.len());
        let whole = matches!(one.kind, Kind::Put | Kind::Ensure);
        let registers = if whole { Vec::new() } else { one.registers.clone() };
        book.given_up.push(GivenUp { device, row, registers, after });
        Some(format!("gives {n} up"))
    }
}

//! Everything that a person was told is saved is there, was seen and replaced, lies among the conflicts, or
//! was deleted or given up by a person who knew of it.

use serde_json::Value;
use tidemark_core::mirror::{conflicts, parked};
use tidemark_core::model::wire::Table;
use uuid::Uuid;

use super::super::device::{Account, Device};
use super::super::person::{Purged, Saved};
use super::super::server::{REFUSED_WORD, Sight};
use super::{Evidence, bare, screen};

/// What was saved and is lost.
pub(super) fn lost(evidence: &Evidence<'_>) -> Vec<String> {
    let losers: Vec<String> = evidence.devices.iter().flat_map(losers).collect();
    let screens: Vec<Vec<String>> =
        evidence.devices.iter().map(|device| screen(device.mirror())).collect();
    let fates = evidence.book.saved.iter().enumerate().map(|(at, saved)| {
        let screen = &screens[saved.device];
        Fate { at, saved, evidence, losers: &losers, screen }
    });
    let lost = fates.filter(|fate| fate.is_due() && !fate.is_accounted_for());
    lost.map(|fate| format!("{:?} is lost", fate.saved)).collect()
}

/// What became of one saved value.
struct Fate<'a> {
    /// The place in the book.
    at: usize,
    saved: &'a Saved,
    evidence: &'a Evidence<'a>,
    /// Values that lay among any device's conflicts.
    losers: &'a [String],
    /// What the device that saved it shows.
    screen: &'a [String],
}

impl Fate<'_> {
    /// Whether the device had the time to send it: it is not revoked, and the account that it was saved
    /// under is signed in.
    fn is_due(&self) -> bool {
        let device = &self.evidence.devices[self.saved.device];
        !device.revoked && device.account().user == self.saved.user
    }

    fn is_accounted_for(&self) -> bool {
        self.stands()
            || self.was_replaced()
            || self.losers.iter().any(|value| value.contains(bare(&self.saved.value)))
            || self.was_deleted()
            || self.was_given_up()
            || self.waits()
            || self.is_to_be_told()
            || self.was_absent()
    }

    /// A device that slept beyond the horizon took it for deleted, when a restored server did not have it.
    fn was_absent(&self) -> bool {
        let rows = [Some(self.saved.row), self.saved.conversation];
        rows.iter().flatten().any(|row| self.evidence.book.absent.contains(row))
    }

    /// The device that replaced it left the account, or was shut out, before it could store what it replaced: the
    /// server keeps the outcome for it. Or the server was restored before it had told. Or somebody in between
    /// refused to carry it once more, for good as it looked, when it had arrived; that stands among the refused.
    fn is_to_be_told(&self) -> bool {
        let Saved { table, field, row, user, .. } = self.saved;
        let book = &self.evidence.book;
        book.saved.iter().enumerate().any(|(at, other)| {
            let device = &self.evidence.devices[other.device];
            let is_refused = || parked(device.account()).iter().any(|(_, refused)| refused == row);
            // What was saved before may arrive later.
            let is_not_told = device.revoked
                || device.account().user != *user
                || is_refused()
                || at > self.at && book.restored.iter().any(|restored| *restored > at);
            (other.table, other.field, other.row, other.user) == (*table, *field, *row, *user)
                && other.device != self.saved.device
                && is_not_told
        })
    }

    fn sight(&self) -> &Sight {
        &self.evidence.sights[&self.saved.user]
    }

    /// The server has it: where it was saved, in a sibling, or in what came back as "Recovered"; and in a
    /// conversation, or nobody would ever see it.
    fn stands(&self) -> bool {
        let Saved { table, field, value, .. } = self.saved;
        self.sight().of(*table).any(|(_, _, row)| {
            let text = row.fields.get(*field).and_then(Value::as_str);
            let is = text.is_some_and(|text| text.contains(bare(value)));
            is && (*table != Table::Messages || self.is_shown(row.fields.get("conversation_id")))
        })
    }

    /// Whether a conversation is there; one that its person keeps on this device was given up.
    fn is_shown(&self, conversation: Option<&Value>) -> bool {
        let id: Option<Uuid> = conversation.and_then(|id| id.as_str()?.parse().ok());
        id.is_some_and(|id| {
            self.sight().row(Table::Conversations, id).is_some()
                || self.evidence.book.given_up.iter().any(|one| one.row == id)
                || self.is_parked_away(id)
        })
    }

    /// Whether a device could not send the conversation itself, so that its person knows.
    fn is_parked_away(&self, conversation: Uuid) -> bool {
        let parked = parked(self.evidence.devices[self.saved.device].account());
        parked.into_iter().any(|(_, row)| row == conversation)
    }

    /// Somebody saw it, where it was saved or where it had come back, and wrote something else.
    fn was_replaced(&self) -> bool {
        let Saved { table, field, value, .. } = self.saved;
        self.evidence.book.saved[self.at + 1..].iter().any(|later| {
            let before = later.before.as_deref().unwrap_or_default();
            (later.table, later.field) == (*table, *field) && before.contains(bare(value))
        })
    }

    /// A person deleted its conversation for good: on the device that had saved it, or on another, where the
    /// server had it by then. What a person had put into the trash here goes with a deletion elsewhere.
    fn was_deleted(&self) -> bool {
        let Some(conversation) = self.saved.conversation else { return false };
        let gone = || self.sight().row(Table::Conversations, conversation).is_none();
        let book = self.evidence.book;
        let took = |purged: &Purged| {
            purged.texts.iter().any(|text| text.contains(bare(&self.saved.value)))
        };
        self.did_after(&book.purged, conversation)
            || book.purged.iter().any(took)
            || self.evidence.witness.deleted_after(&self.saved.value, conversation)
            || (self.did_after(&book.trashed, conversation) && gone())
    }

    fn did_after(&self, done: &[Purged], conversation: Uuid) -> bool {
        done.iter().any(|one| {
            one.conversation == conversation
                && one.device == self.saved.device
                && one.after > self.at
        })
    }

    /// Its person gave it up: a change is undone, a new row stays here.
    fn was_given_up(&self) -> bool {
        let register = if self.saved.field == "content" { "body" } else { self.saved.field };
        let mut of_it = self.evidence.book.given_up.iter().filter(|one| {
            (one.device, one.row) == (self.saved.device, self.saved.row) && one.after > self.at
        });
        of_it.any(|one| match one.registers.is_empty() {
            true => self.is_on_screen(),
            false => one.registers.iter().any(|name| name == register),
        })
    }

    /// It was refused, or waits behind what was: it is on the screen, in a conversation (the one that it was
    /// saved in, or one that came back) of which something is parked.
    fn waits(&self) -> bool {
        let account = self.evidence.devices[self.saved.device].account();
        let queues: Vec<Uuid> = parked(account).into_iter().map(|(queue, _)| queue).collect();
        let held_up = homes(account, &self.saved.value).iter().any(|home| queues.contains(home));
        held_up || (self.saved.value.contains(REFUSED_WORD) && self.is_on_screen())
    }

    fn is_on_screen(&self) -> bool {
        self.screen.iter().any(|text| text.contains(bare(&self.saved.value)))
    }
}

/// The conversations (or settings) that show a value.
fn homes(account: &Account, value: &str) -> Vec<Uuid> {
    let homes = account.mirror.read(|c| {
        let mut statement = c.prepare(
            "SELECT conversation_id FROM messages WHERE instr(content, ?1)
             UNION SELECT id FROM conversations WHERE instr(title, ?1) OR instr(system_prompt, ?1)
             UNION SELECT id FROM settings WHERE instr(value, ?1)",
        )?;
        let homes = statement.query_map([bare(value)], |row| row.get(0).map(Uuid::from_bytes))?;
        Ok(homes.collect::<Result<_, _>>()?)
    });
    homes.expect("it reads")
}

/// Queue and row of what was refused.
fn parked(account: &Account) -> Vec<(Uuid, Uuid)> {
    let all = account.mirror.read(parked::all).expect("it lists");
    all.into_iter().map(|one| (one.queue, one.row_id)).collect()
}

fn losers(device: &Device) -> Vec<String> {
    let of =
        |account: &Account| account.mirror.read(|c| conflicts::open(c, 10_000)).expect("it lists");
    let all = device.accounts.iter().flat_map(of);
    all.map(|conflict| texts(&Value::Object(conflict.lost))).collect()
}

/// The texts in a value, unescaped.
fn texts(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(texts).collect::<Vec<_>>().join("\n"),
        Value::Object(all) => all.values().map(texts).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

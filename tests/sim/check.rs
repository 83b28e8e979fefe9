//! What has to hold when the calm has done its work.

mod foreign;
mod saved;

use std::collections::{BTreeMap, BTreeSet};

use tidemark_core::mirror::{Mirror, bases, index, outbox, parked, synced};
use tidemark_core::model::wire::{Kind, Table};
use uuid::Uuid;

use super::device::{Account, Device};
use super::person::Book;
use super::server::{REFUSAL, Sight, Stored};
use super::witness::Witness;

/// A device with a clock this much ahead has not taken over what it was told, in milliseconds.
const AHEAD_MS: i64 = 60_000;
/// Outcomes that a server may keep for one device.
const OUTCOMES: usize = 40;

/// All that there is to look at.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    pub(super) now_ms: i64,
    pub(super) devices: &'a [Device],
    pub(super) book: &'a Book,
    pub(super) witness: &'a Witness,
    /// What the server has of each user.
    pub(super) sights: &'a BTreeMap<Uuid, Sight>,
}

/// What does not hold.
pub(super) fn all(evidence: &Evidence<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for (at, device) in evidence.devices.iter().enumerate() {
        let mut say = |what: String| found.push(format!("device {at}: {what}"));
        for account in &device.accounts {
            foreign::rows(evidence, at, account, &mut say);
            indexed(&account.mirror, &mut say);
        }
        // The account that is not signed in rests where it was; a revoked device as well.
        if !device.revoked {
            evidence.at_rest(device, &mut say);
        }
    }
    found.extend(saved::lost(evidence));
    found
}

impl Evidence<'_> {
    fn at_rest(&self, device: &Device, say: &mut impl FnMut(String)) {
        let account = device.account();
        let sight = &self.sights[&account.user];
        let Some(process) = device.processes.iter().find(|p| Some(p.id) == device.lock) else {
            return say("no program of it may sync".into());
        };
        if !process.state.rests() {
            say(format!("it is not at rest: {:?}", process.state.status().state));
        }
        outbox_is_empty(account, sight, say);
        bases_agree(account, sight, say);
        self.clock_is_told(account, say);
    }

    /// A device whose clock was ahead has taken over what the server shifted: its next change must not be
    /// ahead again, or it would beat changes that come after it. One that was never told goes on as it was.
    fn clock_is_told(&self, account: &Account, say: &mut impl FnMut(String)) {
        let device = account.mirror.read(synced::device_id).expect("it has one").0;
        if !self.witness.told_of_its_clock(device) {
            return;
        }
        let clock: i64 = account
            .mirror
            .read(|c| Ok(c.query_row("SELECT hlc FROM mirror", [], |row| row.get(0))?))
            .expect("it has one");
        let ahead_ms = (clock >> 16) - self.now_ms;
        if ahead_ms > AHEAD_MS && account.mirror.read(parked::all).expect("it lists").is_empty() {
            say(format!("its clock is {ahead_ms} ms ahead"));
        }
    }
}

/// Nothing waits but what was refused, and what waits behind that.
fn outbox_is_empty(account: &Account, sight: &Sight, say: &mut impl FnMut(String)) {
    let counts = account.mirror.read(outbox::counts).expect("it counts");
    if counts.waiting + counts.in_flight > 0 {
        say(format!("{} operations wait, {} have no outcome", counts.waiting, counts.in_flight));
    }
    for one in account.mirror.read(parked::all).expect("it lists") {
        let deserved = one.message.contains(REFUSAL) || one.code == "too_large";
        if !deserved {
            say(format!("operation {} is parked: {} {}", one.n, one.code, one.message));
        }
    }
    let device = account.mirror.read(synced::device_id).expect("it has one").0;
    let kept = sight.outcomes.get(&device).copied().unwrap_or_default();
    if kept > OUTCOMES {
        say(format!("{kept} outcomes are kept for it"));
    }
}

/// What this device takes for the server's is the server's, row by row.
fn bases_agree(account: &Account, sight: &Sight, say: &mut impl FnMut(String)) {
    let purged = refused_purges(account);
    for table in Table::ALL {
        let mut here: BTreeSet<Uuid> =
            account.mirror.read(|c| synced::ids(c, table)).expect("it lists").into_iter().collect();
        for (id, version, row) in sight.of(table) {
            here.remove(&id);
            let base = account.mirror.read(|c| bases::of(c, table, id)).expect("it reads");
            match base {
                Some(base) => base_agrees((table, id), &base, version, row, say),
                None if purged.contains(&id) || purged.contains(&conversation(row)) => {}
                None => say(format!("{} {id} of {version} is missing", table.name())),
            }
        }
        for id in here {
            say(format!("{} {id} is here and not on the server", table.name()));
        }
    }
}

/// Conversations that are gone here and whose deletion the server refused: it is for the person to decide.
fn refused_purges(account: &Account) -> BTreeSet<Uuid> {
    let parked = account.mirror.read(parked::all).expect("it lists");
    parked.iter().filter(|one| one.kind == Kind::Purge).map(|one| one.row_id).collect()
}

fn conversation(row: &Stored) -> Uuid {
    let id = row.fields.get("conversation_id").and_then(serde_json::Value::as_str);
    id.and_then(|id| id.parse().ok()).unwrap_or_default()
}

fn base_agrees(
    (table, id): (Table, Uuid),
    base: &bases::Base,
    version: i64,
    row: &Stored,
    say: &mut impl FnMut(String),
) {
    let name = table.name();
    if base.seq != version {
        say(format!("{name} {id} is at {} and not at {version}", base.seq));
    }
    for (field, value) in &row.fields {
        if base.fields.get(field) != Some(value) {
            let mine = base.fields.get(field);
            say(format!("{name} {id} has {field} {mine:?}, not {value}"));
        }
    }
    if base.clocks != row.clocks {
        say(format!("{name} {id} has clocks {:?}, not {:?}", base.clocks, row.clocks));
    }
}

/// The search index covers what it should, once it has caught up.
fn indexed(mirror: &Mirror, say: &mut impl FnMut(String)) {
    while index::catch_up(mirror).expect("it indexes") > 0 {}
    let coverage = mirror.read(index::coverage).expect("it counts");
    if coverage.indexed != coverage.messages {
        say(format!("{} of {} messages are indexed", coverage.indexed, coverage.messages));
    }
}

/// The texts in a mirror: what a person sees, or could.
fn screen(mirror: &Mirror) -> Vec<String> {
    texts(
        mirror,
        "SELECT title FROM conversations
         UNION ALL SELECT system_prompt FROM conversations WHERE system_prompt IS NOT NULL
         UNION ALL SELECT content FROM messages
         UNION ALL SELECT key FROM settings
         UNION ALL SELECT value FROM settings",
    )
}

fn texts(mirror: &Mirror, sql: &str) -> Vec<String> {
    mirror
        .read(|c| {
            let mut statement = c.prepare(sql)?;
            let texts = statement.query_map([], |row| row.get(0))?;
            Ok(texts.collect::<Result<_, _>>()?)
        })
        .expect("it reads")
}

/// A saved value as it stands inside other texts: JSON's quotes belong to the text around it.
fn bare(value: &str) -> &str {
    value.trim_matches('"')
}

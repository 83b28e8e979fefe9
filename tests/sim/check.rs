//! What has to hold when the calm has done its work.

use std::collections::BTreeSet;

use tidemark_core::mirror::{Mirror, bases, conflicts, index, outbox, parked, synced};
use tidemark_core::model::wire::Table;
use uuid::Uuid;

use super::device::{Account, Device};
use super::person::{Book, Saved};
use super::server::{Mark, REFUSED_WORD, Server};

/// What does not hold on a device.
pub fn device(at: usize, device: &Device, server: &Server) -> Vec<String> {
    let mut found = Vec::new();
    for (place, account) in device.accounts.iter().enumerate() {
        let mut say = |what: String| found.push(format!("device {at}: {what}"));
        foreign_rows(account, &mut say);
        indexed(&account.mirror, &mut say);
        // The account that is not signed in rests where it was; a revoked device as well.
        if place != device.active || device.revoked {
            continue;
        }
        let Some(process) = device.processes.iter().find(|p| Some(p.id) == device.lock) else {
            say("no program of it may sync".into());
            continue;
        };
        if !process.state.rests() {
            say(format!("it is not at rest: {:?}", process.state.status().state));
        }
        outbox_is_empty(account, server, &mut say);
        bases_agree(account, server, &mut say);
        clock_is_told(account, server, &mut say);
    }
    found
}

/// Nothing waits but what was refused, and what waits behind that.
fn outbox_is_empty(account: &Account, server: &Server, say: &mut impl FnMut(String)) {
    let counts = account.mirror.read(outbox::counts).expect("it counts");
    if counts.waiting + counts.in_flight > 0 {
        say(format!("{} operations wait, {} have no outcome", counts.waiting, counts.in_flight));
    }
    for one in account.mirror.read(parked::all).expect("it lists") {
        let deserved = one.message.contains("a word that is refused")
            || matches!(one.code.as_str(), "missing" | "too_large");
        if !deserved {
            say(format!("operation {} is parked: {} {}", one.n, one.code, one.message));
        }
    }
    let device = account.mirror.read(synced::device_id).expect("it has one").0;
    let kept = server.ledger_of(account.user, device);
    if kept > 200 {
        say(format!("{kept} outcomes are kept for it"));
    }
}

/// What this device takes for the server's is the server's, row by row.
fn bases_agree(account: &Account, server: &Server, say: &mut impl FnMut(String)) {
    let Some(scope) = server.look(account.user) else { return };
    for table in Table::ALL {
        let mut here: BTreeSet<Uuid> =
            account.mirror.read(|c| synced::ids(c, table)).expect("it lists").into_iter().collect();
        for (id, entry, row) in scope.of(table) {
            here.remove(&id);
            let base = account.mirror.read(|c| bases::of(c, table, id)).expect("it reads");
            let Some(base) = base else {
                say(format!("{} {id} of seq {} is missing", table.name(), entry.seq));
                continue;
            };
            if base.seq != entry.version(server.bug) {
                say(format!("{} {id} is at {} and not at {}", table.name(), base.seq, entry.seq));
            }
            for (field, value) in &row.fields {
                if base.fields.get(field) != Some(value) {
                    let mine = base.fields.get(field);
                    say(format!("{} {id} has {field} {mine:?}, not {value}", table.name()));
                }
            }
            if base.clocks != row.clocks {
                say(format!(
                    "{} {id} has clocks {:?}, not {:?}",
                    table.name(),
                    base.clocks,
                    row.clocks
                ));
            }
        }
        for id in here {
            say(format!("{} {id} is here and not on the server", table.name()));
        }
    }
}

/// A device whose clock was ahead has taken over what the server shifted: its next change must not be
/// ahead again, or it would beat changes that come after it. One that was never told goes on as it was.
fn clock_is_told(account: &Account, server: &Server, say: &mut impl FnMut(String)) {
    let device = account.mirror.read(synced::device_id).expect("it has one").0;
    if !server.books.shifted.contains(&device) {
        return;
    }
    let clock: i64 = account
        .mirror
        .read(|c| Ok(c.query_row("SELECT hlc FROM mirror", [], |row| row.get(0))?))
        .expect("it has one");
    let ahead_ms = (clock >> 16) - server.now_ms;
    if ahead_ms > 60_000 && account.mirror.read(parked::all).expect("it lists").is_empty() {
        say(format!("its clock is {ahead_ms} ms ahead"));
    }
}

/// A mirror has its own user's rows: what the persons wrote says whose it is.
fn foreign_rows(account: &Account, say: &mut impl FnMut(String)) {
    let ids = account.mirror.read(|c| synced::ids(c, Table::Devices)).expect("it lists");
    if ids.len() > 40 {
        say(format!("it knows {} devices of one person", ids.len()));
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

/// Everything that a person was told is saved is there, was seen and replaced, lies among the
/// conflicts, or was deleted or given up by a person.
pub fn saved(book: &Book, devices: &[Device], server: &Server) -> Vec<String> {
    let lost: Vec<String> = devices.iter().flat_map(losers).collect();
    book.saved
        .iter()
        .enumerate()
        .filter(|(_, saved)| !devices[saved.device].revoked)
        .filter(|(_, saved)| is_current(devices, saved))
        .filter(|(at, saved)| !accounted(*at, saved, book, &lost, devices, server))
        .map(|(_, saved)| format!("{:?} is lost", saved))
        .collect()
}

/// Whether the device has the account signed in that it was saved under: otherwise it has not had the
/// time to send it.
fn is_current(devices: &[Device], saved: &Saved) -> bool {
    devices[saved.device].account().user == saved.user
}

fn accounted(
    at: usize,
    saved: &Saved,
    book: &Book,
    lost: &[String],
    devices: &[Device],
    server: &Server,
) -> bool {
    let stands = server
        .look(saved.user)
        .and_then(|scope| scope.rows.get(&(saved.table.code(), saved.row)))
        .and_then(|row| row.fields.get(saved.field))
        .and_then(|value| value.as_str())
        .is_some_and(|value| value == saved.value);
    let replaced = || {
        book.saved[at + 1..].iter().any(|later| {
            (later.table, later.row, later.field) == (saved.table, saved.row, saved.field)
                && later.before.as_ref() == Some(&saved.value)
        })
    };
    let shown_as_conflict = || lost.iter().any(|value| value.contains(&saved.value));
    stands
        || saved.value.contains(REFUSED_WORD)
        || replaced()
        || shown_as_conflict()
        || was_purged(at, saved, book, server)
        || book.given_up.contains(&(saved.device, saved.row))
        || lives_on(saved, server)
        || waits_behind(saved, devices)
}

/// A person deleted it, or its conversation, for good. Where another device saved the conversation from that,
/// it is there without what the deleting one had changed and not sent yet.
fn was_purged(at: usize, saved: &Saved, book: &Book, server: &Server) -> bool {
    let gone = || {
        let change = server.look(saved.user).map(|scope| &scope.change);
        let entry = change.and_then(|change| change.get(&(saved.table.code(), saved.row)));
        entry.is_none_or(|entry| entry.mark == Mark::Deleted)
    };
    let of_it = book.purged.iter().filter(|one| Some(one.conversation) == saved.conversation);
    let mut of_it = of_it.peekable();
    of_it.peek().is_some()
        && (gone() || of_it.any(|one| one.device == saved.device && one.after > at))
}

/// It is in another row: a sibling, or what came back as "Recovered".
fn lives_on(saved: &Saved, server: &Server) -> bool {
    let Some(scope) = server.look(saved.user) else { return false };
    scope.of(saved.table).any(|(_, _, row)| {
        row.fields.get(saved.field).and_then(|value| value.as_str()) == Some(&saved.value)
    })
}

/// It waits in a queue whose first operation the server refused.
fn waits_behind(saved: &Saved, devices: &[Device]) -> bool {
    let mirror = &devices[saved.device].account().mirror;
    let all = mirror.read(parked::all).expect("it lists");
    all.iter().any(|one| Some(one.queue) == saved.conversation || one.row_id == saved.row)
}

fn losers(device: &Device) -> Vec<String> {
    let of =
        |account: &Account| account.mirror.read(|c| conflicts::open(c, 10_000)).expect("it lists");
    let all = device.accounts.iter().flat_map(of);
    all.flat_map(|conflict| {
        let lost = serde_json::Value::Object(conflict.lost);
        [lost.to_string(), texts(&lost)]
    })
    .collect()
}

/// The texts in a value, unescaped.
fn texts(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(all) => all.iter().map(texts).collect::<Vec<_>>().join("\n"),
        serde_json::Value::Object(all) => all.values().map(texts).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

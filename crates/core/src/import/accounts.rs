//! Moving an organisation: each person's data from an old program into their own account.
//!
//! Everybody's part is imported into a mirror of its own first, in a folder that goes away, so that it
//! is planned, derived and verified like any import; from there its rows are pushed with the service
//! role's key into the account's scope. Ids are derived and rows are pushed as `ensure`, so the whole
//! can be run again after anything: what is there stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use ts_rs::TS;
use uuid::Uuid;

use super::report::{Counts, Plan, Report, Share};
use super::run::{self, Request};
use super::sources::Source;
use super::survey::Whose;
use crate::clock::SystemClock;
use crate::error::{Code, Failure, Result};
use crate::events::Events;
use crate::mirror::key::Key;
use crate::mirror::{self, Mirror, imports};
use crate::model::wire::{Kind, MAX_PUSH_BYTES, Op, Outcome, Table};
use crate::remote::{self, Admin};

/// Operations of one push.
const OPS: usize = 400;
/// Of what a push may be, this much is used.
const BYTES: usize = MAX_PUSH_BYTES / 2;
/// Between two pushes, so that those who work meanwhile do not wait.
const PAUSE: Duration = Duration::from_millis(100);
/// After a refusal that may pass: so often, with twice the wait each time.
const TRIES: u32 = 8;
/// The tables that an import fills, parents first.
const TABLES: [Table; 3] = [Table::Conversations, Table::Messages, Table::Documents];

/// Which old name gets which account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountMap {
    /// Name or key → e-mail address, in lower case.
    pub accounts: BTreeMap<String, String>,
    /// What is wrong with the map, in sentences.
    pub conflicts: Vec<String>,
}

impl AccountMap {
    /// Reads `name,address` lines; a first line without an `@` is a heading, quotes are those of CSV.
    pub fn read(text: &str) -> Self {
        let mut map = Self::default();
        let mut refused = BTreeSet::new();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let fields = fields(line);
            let [name, email, ..] = fields.as_slice() else {
                if !line.trim().is_empty() {
                    map.conflicts.push(format!("Line {} has no address.", number + 1));
                }
                continue;
            };
            let email = email.trim().to_lowercase();
            if !email.contains('@') {
                if number > 0 {
                    map.conflicts.push(format!("Line {} has no address.", number + 1));
                }
                continue;
            }
            match map.accounts.get(name) {
                Some(other) if *other != email => {
                    map.conflicts.push(format!("“{name}” has two addresses: {other} and {email}."));
                    refused.insert(name.clone());
                }
                _ => drop(map.accounts.insert(name.clone(), email)),
            }
        }
        // Nobody's data goes to an address that is not certain.
        map.accounts.retain(|name, _| !refused.contains(name));
        map.note_shared();
        map
    }

    /// Where somebody's chats go: by each of their names, else by their key. More than one: nobody can
    /// tell whose they are.
    fn addresses_of(&self, share: &Share) -> Vec<String> {
        let of_names: BTreeSet<_> =
            share.names().filter_map(|name| self.accounts.get(name)).collect();
        match of_names.is_empty() {
            true => self.accounts.get(&share.key).cloned().into_iter().collect(),
            false => of_names.into_iter().cloned().collect(),
        }
    }

    fn note_shared(&mut self) {
        let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, email) in &self.accounts {
            names.entry(email).or_default().push(name);
        }
        let shared = names.into_iter().filter(|(_, names)| names.len() > 1);
        let sentences = shared
            .map(|(email, names)| format!("{} go to one account, {email}.", names.join(" and ")));
        self.conflicts.extend(sentences.collect::<Vec<_>>());
    }
}

/// The fields of a line of CSV.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' | ';' | '\t' if !quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

/// What came of moving an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Moved {
    /// The old program.
    pub source: String,
    /// Everybody's part.
    pub people: Vec<Person>,
    /// People whom the map does not name: nothing of theirs was moved.
    pub unmapped: Vec<String>,
    /// What is odd about the map.
    pub conflicts: Vec<String>,
    /// Whether everybody's part is verified and on the server.
    pub verified: bool,
}

/// One person's part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Person {
    /// Their old name, or key.
    pub name: String,
    /// Their account's address.
    pub email: String,
    /// Their account.
    #[ts(type = "string")]
    pub user_id: Uuid,
    /// The account was made for them.
    pub made: bool,
    /// What the old program had of theirs.
    pub found: Counts,
    /// Rows that are on the server now, or were before.
    #[ts(type = "number")]
    pub pushed: u64,
    /// Rows that the server refused, and why.
    pub refused: Vec<String>,
    /// Everything that was read is there as it was read.
    pub verified: bool,
    /// What will not come over.
    pub skipped: Vec<super::record::Skip>,
}

/// What is to be done with everybody's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Into the accounts.
    Into,
    /// Out of them again: what was moved is deleted there, accounts stay.
    Out,
}

/// Moves everybody whom the map names. `work` is an empty folder that goes away afterwards.
///
/// # Errors
/// The source cannot be read, the project cannot be reached or does not take the key, or it was stopped.
/// What was moved stays, and the same command goes on.
pub async fn move_all(
    admin: &Admin,
    source: Arc<dyn Source>,
    request: &Request,
    map: &AccountMap,
    direction: Direction,
    work: &Path,
    stop: &CancellationToken,
) -> Result<Moved> {
    let told = |error: remote::Error| error.failure(&admin.place());
    let plan = in_mirror(work, "plan", &source, request, stop, Job::Plan).await?.plan;
    let mut accounts: BTreeMap<String, Uuid> = BTreeMap::new();
    for known in admin.accounts().await.map_err(told)? {
        if let Some(email) = known.email {
            accounts.insert(email.to_lowercase(), known.id);
        }
    }
    let mut moved = Moved {
        source: source.system().to_owned(),
        conflicts: map.conflicts.clone(),
        ..Moved::default()
    };
    for share in &plan.people {
        let name = share.name.clone().unwrap_or_else(|| share.key.clone());
        let email = match map.addresses_of(share).as_slice() {
            [email] => email.clone(),
            [] => {
                moved.unmapped.push(name);
                continue;
            }
            several => {
                let several = several.join(" and ");
                moved.conflicts.push(format!("“{name}” shares an id with others: {several}."));
                moved.unmapped.push(name);
                continue;
            }
        };
        let (user_id, made) = match accounts.get(&email) {
            Some(id) => (*id, false),
            None if direction == Direction::Out => continue,
            None => (admin.make(&email, source.system()).await.map_err(told)?.id, true),
        };
        accounts.insert(email.clone(), user_id);
        let whose = Request { whose: Whose::Of([share.key.clone()].into()), ..request.clone() };
        let folder = format!("person-{}", moved.people.len());
        let report = in_mirror(work, &folder, &source, &whose, stop, Job::Run).await?;
        let mut person = Person {
            name,
            email: email.clone(),
            user_id,
            made,
            found: report.plan.counts,
            verified: report.report.verified,
            skipped: report.plan.skipped.clone(),
            ..Person::default()
        };
        push_all(admin, &report.mirror, direction, &mut person, stop).await?;
        let _ = std::fs::remove_dir_all(work.join(&folder));
        moved.people.push(person);
    }
    moved.verified = moved.people.iter().all(|person| person.verified && person.refused.is_empty());
    Ok(moved)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Plan,
    Run,
}

struct Done {
    mirror: Mirror,
    plan: Plan,
    report: Report,
}

/// Runs a part of the import in a mirror of its own, encrypted with a key that nobody keeps.
async fn in_mirror(
    work: &Path,
    folder: &str,
    source: &Arc<dyn Source>,
    request: &Request,
    stop: &CancellationToken,
    job: Job,
) -> Result<Done> {
    let path = work.join(folder);
    let (source, stop) = (Arc::clone(source), stop.clone());
    let request = Request { backups: None, auto_rollback: false, ..request.clone() };
    let done = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&path).map_err(mirror::Error::from)?;
        let key = Key::random()?;
        let (clock, events) = (Arc::new(SystemClock), Events::default());
        let mirror = mirror::open(&path.join("mirror.db"), &key, Uuid::now_v7(), clock, events)?;
        let mut told = |_| {};
        let report = match job {
            Job::Plan => Report {
                plan: run::plan(&mirror, source.as_ref(), &request, &stop, &mut told)?,
                ..Report::default()
            },
            Job::Run => run::run(&mirror, source.as_ref(), &request, &stop, &mut told)?,
        };
        Ok(Done { mirror, plan: report.plan.clone(), report })
    })
    .await;
    done.unwrap_or_else(|_| Err(Failure::new(Code::Internal, "A part of the import failed.")))
}

async fn push_all(
    admin: &Admin,
    mirror: &Mirror,
    direction: Direction,
    person: &mut Person,
    stop: &CancellationToken,
) -> Result<()> {
    for table in TABLES {
        // A conversation takes its messages and documents along.
        if direction == Direction::Out && table == Table::Messages {
            continue;
        }
        let mut after = i64::MIN;
        loop {
            let (ops, last) = mirror
                .read(|c| imports::operations(c, table, kind(direction), after, OPS, BYTES))?;
            let Some(last) = last else { break };
            after = last;
            push(admin, person, &ops, stop).await?;
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

fn kind(direction: Direction) -> Kind {
    match direction {
        Direction::Into => Kind::Ensure,
        Direction::Out => Kind::Purge,
    }
}

/// One batch, again and again where the refusal may pass.
async fn push(
    admin: &Admin,
    person: &mut Person,
    ops: &[Op],
    stop: &CancellationToken,
) -> Result<()> {
    let mut waits = PAUSE;
    for attempt in 1..=TRIES {
        if stop.is_cancelled() {
            return Err(Failure::new(
                Code::Interrupted,
                "It was stopped. What was moved is there.",
            )
            .hint("Run the same command again, and it goes on."));
        }
        match admin.push(person.user_id, ops).await {
            Ok(pushed) if pushed.outcomes.iter().all(|one| !passes(&one.outcome)) => {
                pushed.outcomes.iter().for_each(|one| note(person, &one.outcome));
                return Ok(());
            }
            Err(error) if attempt == TRIES || !may_pass(&error) => {
                return Err(error.failure(&admin.place()));
            }
            Ok(_) | Err(_) => {}
        }
        tokio::time::sleep(waits).await;
        waits = (waits * 2).min(Duration::from_secs(30));
    }
    Err(Failure::new(Code::ProviderBusy, "The project did not take a batch after many tries.")
        .hint("Run the same command again later, and it goes on."))
}

fn passes(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Retry { .. } | Outcome::Behind)
}

fn may_pass(error: &remote::Error) -> bool {
    match error.http_status() {
        Some(status) => matches!(status, 408 | 409 | 425 | 429 | 500..=599),
        None => true,
    }
}

fn note(person: &mut Person, outcome: &Outcome) {
    match outcome {
        Outcome::Rejected { code, message } => person.refused.push(format!("{code}: {message}")),
        // Somebody deleted it since: that stands.
        Outcome::Gone { .. } => {}
        _ => person.pushed += 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_with_its_heading_quotes_and_any_separator() {
        let map = AccountMap::read(
            "\u{feff}name,address\n\"Curie, Marie\",Marie@Example.com\nbob;bob@example.com\n\n",
        );
        let expected = [("Curie, Marie", "marie@example.com"), ("bob", "bob@example.com")];
        let expected = expected.map(|(name, email)| (name.to_owned(), email.to_owned()));
        assert_eq!((map.accounts, map.conflicts), (expected.into(), Vec::new()));
    }

    #[test]
    fn a_name_with_two_addresses_goes_to_none_of_them() {
        let map = AccountMap::read("bob,a@example.com\nbob,b@example.com\nann,c@example.com");
        assert_eq!(map.accounts.keys().collect::<Vec<_>>(), ["ann"]);
        assert_eq!(map.conflicts.len(), 1);
    }

    #[test]
    fn two_names_of_one_address_are_said_and_one_letter_more_is_another_name() {
        let map = AccountMap::read("bob,a@example.com\nBob,a@example.com\nb ob,c@example.com\nx");
        assert_eq!(map.accounts.len(), 3);
        assert_eq!(
            map.conflicts,
            ["Line 4 has no address.", "Bob and bob go to one account, a@example.com."]
        );
    }
}

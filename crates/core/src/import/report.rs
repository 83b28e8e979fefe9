//! What a plan and a report say: counts that add up, and everything that will not come over by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::record::{Kind, Note, Owner, Skip};

/// So many skipped things, and so many notes, are named one by one; beyond, they are counted.
const NAMED: usize = 10_000;

/// A row with its place in the indexes.
const ROW_BYTES: u64 = 1_500;
/// Read four times, written once.
const ROWS_A_SECOND: u64 = 5_000;
const BYTES_A_SECOND: u64 = 20 << 20;

/// Numbers of things.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(rename = "ImportCounts")]
pub struct Counts {
    /// People whose chats they are.
    #[ts(type = "number")]
    pub users: u64,
    /// Conversations.
    #[ts(type = "number")]
    pub conversations: u64,
    /// Messages of the old program, those that are `folded` into others included.
    #[ts(type = "number")]
    pub messages: u64,
    /// Of them, those that are no messages here: what the old program did not show (instructions, steps
    /// towards an answer) stands in the metadata of what it showed.
    #[ts(type = "number")]
    pub folded: u64,
    /// Documents.
    #[ts(type = "number")]
    pub documents: u64,
    /// Pieces of documents' text.
    #[ts(type = "number")]
    pub fragments: u64,
    /// What hangs on messages.
    #[ts(type = "number")]
    pub attachments: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        self.users += other.users;
        self.conversations += other.conversations;
        self.messages += other.messages;
        self.folded += other.folded;
        self.documents += other.documents;
        self.fragments += other.fragments;
        self.attachments += other.attachments;
    }
}

/// What one person has in a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Share {
    /// Names them in the source.
    pub key: String,
    /// What they called themselves; none for a folder that belongs to nobody.
    pub name: Option<String>,
    /// Other names that have the same id: the chats are of all of them.
    pub other_names: Vec<String>,
    /// The keys of others whose names look alike, but for case, Unicode form, blanks or letters.
    pub twins: Vec<String>,
    /// They had a password there, which can be checked.
    pub protected: bool,
    /// Whether that password was given; none where there was none.
    pub proven: Option<bool>,
    /// Their address.
    pub email: Option<String>,
    /// Conversations.
    #[ts(type = "number")]
    pub conversations: u64,
    /// Messages.
    #[ts(type = "number")]
    pub messages: u64,
    /// Documents.
    #[ts(type = "number")]
    pub documents: u64,
}

impl Share {
    /// What they called themselves.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.name.iter().chain(&self.other_names).map(String::as_str)
    }

    pub(super) fn add(&mut self, owner: &Owner) {
        let name = owner.name.as_ref().map(|name| name.shown.clone());
        match &self.name {
            Some(_) => self.other_names.extend(name),
            None => self.name = name,
        }
        self.email = self.email.take().or_else(|| owner.email.clone());
        self.protected |= owner.proof.is_some();
        self.proven = self.protected.then_some(false);
    }
}

/// What would come over. Nothing has been written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Plan {
    /// The old program.
    pub source: String,
    /// What people call it.
    pub name: String,
    /// Which of its layouts.
    pub version: Option<String>,
    /// Where it is.
    pub path: String,
    /// What was found, those that are here already and those that are skipped left in.
    #[serde(flatten)]
    pub counts: Counts,
    /// Conversations of which everything is here already.
    #[ts(type = "number")]
    pub duplicates: u64,
    /// All that is here already, by kind.
    pub already_here: Counts,
    /// Whose it is.
    pub people: Vec<Share>,
    /// What will not come over, and why.
    pub skipped: Vec<Skip>,
    /// How many more were skipped than are named.
    #[ts(type = "number")]
    pub skipped_unnamed: u64,
    /// What comes over and is worth a word.
    pub warnings: Vec<Note>,
    /// What had to be assumed: the zone of times that name none.
    pub assumptions: BTreeMap<String, String>,
    /// The size of what is read, in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// What it may take on the disk, in bytes, the backup included: an estimate.
    #[serde(default)]
    #[ts(type = "number")]
    pub disk_bytes: u64,
    /// How long it may take, in seconds: an estimate.
    #[serde(default)]
    #[ts(type = "number")]
    pub seconds: u64,
}

/// What came of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Report {
    /// The import.
    pub id: String,
    /// As the source was read in this run.
    #[serde(flatten)]
    pub plan: Plan,
    /// What was written, by this run and those of the same import that were cut off.
    pub imported: Counts,
    /// Whether every count adds up, and every row that was read stands in the mirror as it was read.
    pub verified: bool,
    /// Where not.
    pub mismatches: Vec<Mismatch>,
    /// The archive of the source, in the folder of backups.
    pub backup: Option<String>,
    /// The whole was taken back, because it was not verified and that was asked for.
    pub rolled_back: bool,
}

/// Something that is not as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Mismatch {
    /// What: a conversation's id, or the name of a count.
    pub what: String,
    /// As it was read.
    pub expected: String,
    /// As it is.
    pub found: String,
}

impl Plan {
    /// Whether something will not come over.
    pub fn has_skips(&self) -> bool {
        !self.skipped.is_empty() || self.skipped_unnamed > 0
    }

    /// What it may take: of the source once for the backup, twice for its text with the search index, and
    /// something for each row. It has been less so far.
    pub(super) fn estimate(&mut self) {
        let rows = self.counts.messages + self.counts.fragments + self.counts.conversations;
        self.disk_bytes = 3 * self.bytes + rows * ROW_BYTES;
        self.seconds = (rows / ROWS_A_SECOND + self.bytes / BYTES_A_SECOND).max(1);
        let (mib, seconds) = (self.disk_bytes.div_ceil(1 << 20), self.seconds);
        let disk = format!("an estimate: at most about {mib} MiB, the backup included");
        self.assumptions.insert("disk".into(), disk);
        let time = format!("an estimate: about {seconds} s on this kind of computer");
        self.assumptions.insert("time".into(), time);
    }

    pub(super) fn skip(&mut self, skip: Skip) {
        match self.skipped.len() < NAMED {
            true => self.skipped.push(skip),
            false => self.skipped_unnamed += 1,
        }
    }

    pub(super) fn note(&mut self, note: Note) {
        if self.warnings.len() < NAMED {
            self.warnings.push(note);
        }
    }

    /// Skipped things of a kind, as far as they are named.
    pub fn skipped_of(&self, kind: Kind) -> u64 {
        self.skipped.iter().filter(|skip| skip.what == kind).count() as u64
    }
}

impl Report {
    /// Whether each count is what was written and what was here already.
    pub(super) fn check_counts(&mut self) {
        let (found, here, new) = (self.plan.counts, self.plan.already_here, self.imported);
        let table = [
            ("users", found.users, here.users + new.users),
            ("conversations", found.conversations, here.conversations + new.conversations),
            ("messages", found.messages, here.messages + new.messages),
            ("folded", found.folded, here.folded + new.folded),
            ("attachments", found.attachments, here.attachments + new.attachments),
            ("documents", found.documents, here.documents + new.documents),
            ("fragments", found.fragments, here.fragments + new.fragments),
        ];
        for (what, expected, found) in table {
            if expected != found {
                self.mismatches.push(Mismatch {
                    what: what.to_owned(),
                    expected: expected.to_string(),
                    found: found.to_string(),
                });
            }
        }
    }

    /// The report as a person reads it.
    pub fn text(&self) -> String {
        let counts = |counts: &Counts| {
            format!(
                "{} conversations, {} messages, {} documents, {} fragments, {} attachments",
                counts.conversations,
                counts.messages,
                counts.documents,
                counts.fragments,
                counts.attachments
            )
        };
        let plan = &self.plan;
        let mut lines = vec![
            format!("{} at {}", plan.name, plan.path),
            format!("Found:        {}", counts(&plan.counts)),
            format!("Imported:     {}", counts(&self.imported)),
            format!("Already here: {}", counts(&plan.already_here)),
            format!("Skipped:      {}", plan.skipped.len() as u64 + plan.skipped_unnamed),
        ];
        lines.extend(
            plan.assumptions.iter().map(|(what, how)| format!("Assumed:      {what}: {how}")),
        );
        let place = |path: &str, locator: &str| [path, locator].join(" ").trim().to_owned();
        let proven = plan.people.iter().filter(|share| share.proven == Some(true));
        lines.extend(proven.map(|share| {
            let name = share.name.as_deref().unwrap_or(&share.key);
            format!("Proven:       {name} gave their old password")
        }));
        let skips = plan.skipped.iter();
        lines.extend(skips.map(|skip| {
            format!("- skipped: {}: {}", place(&skip.place.path, &skip.place.locator), skip.reason)
        }));
        let notes = plan.warnings.iter();
        lines.extend(notes.map(|note| {
            format!("- note: {}: {}", place(&note.place.path, &note.place.locator), note.text)
        }));
        let wrong = self.mismatches.iter();
        lines.extend(wrong.map(|one| {
            format!(
                "- NOT VERIFIED: {}: {} was read, {} is here",
                one.what, one.expected, one.found
            )
        }));
        lines.push(match (self.rolled_back, self.verified) {
            (true, _) => "Not verified, and taken back.".to_owned(),
            (false, true) => {
                "Verified: everything that was read is here as it was read.".to_owned()
            }
            (false, false) => {
                format!("NOT VERIFIED. Take it back with: tidemarkctl import undo {}", self.id)
            }
        });
        lines.join("\n")
    }
}

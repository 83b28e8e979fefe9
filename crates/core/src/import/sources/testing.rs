//! What the tests of the sources share: fixtures, and everything that a source finds in them.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{Input, Source};
use crate::import::record::{Conversation, Document, Item, Note, Owner, Skip};
use crate::import::time::Zone;

/// A fixture: the copy that travels with the project, else the one beside it.
pub(crate) fn fixture(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let above = here.ancestors();
    let copies = above.map(|folder| folder.join("tests/fixtures/legacy").join(name));
    let originals = above.map(|folder| folder.join("shared/legacy/fixtures").join(name));
    copies
        .chain(originals)
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("no fixture {name}"))
}

/// A JSON file of a fixture.
pub(crate) fn json(name: &str) -> serde_json::Value {
    let bytes = fs::read(fixture(name)).expect("a fixture");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// Everything that a source found.
#[derive(Debug, Default)]
pub(crate) struct Haul {
    pub(crate) owners: Vec<Owner>,
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) documents: Vec<Document>,
    pub(crate) skips: Vec<Skip>,
    pub(crate) duplicates: Vec<Skip>,
    pub(crate) notes: Vec<Note>,
}

impl Haul {
    /// Reads a root.
    pub(crate) fn of(source: &dyn Source, root: &Path) -> Self {
        let mut haul = Self::default();
        let input = Input { root: root.to_owned(), zone: Zone::default() };
        let read = source.read(&input, &mut |item| {
            haul.take(item);
            ControlFlow::Continue(())
        });
        read.expect("a root that can be read");
        haul
    }

    fn take(&mut self, item: Item) {
        match item {
            Item::Owner(owner) => self.owners.push(owner),
            Item::Conversation(conversation) => self.conversations.push(*conversation),
            Item::Document(document) => self.documents.push(*document),
            Item::Skip(skip) => self.skips.push(skip),
            Item::Duplicate(skip) => self.duplicates.push(skip),
            Item::Note(note) => self.notes.push(note),
        }
    }

    /// How many messages are in all conversations.
    pub(crate) fn messages(&self) -> usize {
        self.conversations.iter().map(|conversation| conversation.messages.len()).sum()
    }

    /// Owners with a name, conversations, messages, documents: what the truth files count.
    pub(crate) fn counts(&self) -> [usize; 4] {
        let users = self.owners.iter().filter(|owner| owner.name.is_some()).count();
        [users, self.conversations.len(), self.messages(), self.documents.len()]
    }

    /// The conversation of a key.
    pub(crate) fn conversation(&self, key: &str) -> &Conversation {
        let mut of_key = self.conversations.iter().filter(|found| found.key == key);
        of_key.next().unwrap_or_else(|| panic!("no conversation {key}"))
    }

    /// Whether a note says this.
    pub(crate) fn notes_say(&self, words: &str) -> bool {
        self.notes.iter().any(|note| note.text.contains(words))
    }
}

/// The SHA-256 of each message's bytes, in order.
pub(crate) fn hashes(conversation: &Conversation) -> Vec<String> {
    conversation.messages.iter().map(|message| sha256(message.content.bytes())).collect()
}

/// In hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A copy of a folder, to be changed.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).expect("copied")),
        }
    }
}

/// Bytes and times of everything below a folder.
pub(crate) fn state(folder: &Path) -> Vec<(PathBuf, String, std::time::SystemTime)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let modified = fs::metadata(&path).and_then(|data| data.modified()).expect("a time");
        match path.is_dir() {
            true => {
                all.extend(state(&path));
                all.push((path, String::new(), modified));
            }
            false => all.push((path.clone(), sha256(&fs::read(&path).expect("bytes")), modified)),
        }
    }
    all.sort();
    all
}

//! Which folder is what.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use crate::import::sources::files::{self, Found, Listing};

/// Other programs' words.
const FOREIGN: [&str; 4] =
    ["\"mapping\"", "\"chat_messages\"", "\"conversations\"", "\"conversationId\""];

/// Whoever wrote a file that is out of its place.
const UNKNOWN: &str = "unknown";

/// The folders of one installation.
#[derive(Debug, Default)]
pub(super) struct Homes {
    /// The one in use; the newest backup, where there is no other.
    pub(super) live: Option<Home>,
    /// The others, newest first.
    pub(super) backups: Vec<Home>,
}

/// A `user_data` folder, or a copy of one.
#[derive(Debug, Default)]
pub(super) struct Home {
    pub(super) users: Option<Found>,
    pub(super) uploads: Option<Found>,
    pub(super) sessions: Option<Found>,
    /// By the id of their user, best first.
    pub(super) chats: BTreeMap<String, Vec<Found>>,
    /// By the id of their user.
    pub(super) rags: BTreeMap<String, Found>,
    pub(super) others: Vec<Found>,
}

/// The files that a user's conversations may be in.
#[derive(Debug, Default)]
pub(super) struct Chats<'a> {
    /// In use, and what the program put beside them; best first.
    pub(super) own: &'a [Found],
    /// In backups, newest first.
    pub(super) backups: Vec<&'a Found>,
}

impl Homes {
    /// Those at a root, which is the program's folder or `user_data` itself.
    pub(super) fn find(root: &Path) -> io::Result<Self> {
        if fs::symlink_metadata(root)?.is_file() {
            return Ok(Self { live: Home::lone(root)?, backups: Vec::new() });
        }
        let listing = Found::root(root).list()?;
        let inner = listing.folders.iter().find(|folder| folder.name() == "user_data");
        let mut homes: Vec<Home> =
            backups_of(&listing).into_iter().filter_map(|folder| Home::below(&folder)).collect();
        let live = Home::of(&listing).or_else(|| Home::below(inner?));
        let live = live.or_else(|| (!homes.is_empty()).then(|| homes.remove(0)));
        let live = live.map_or_else(|| Home::lone(root), |live| Ok(Some(live)))?;
        Ok(Self { live, backups: homes })
    }

    /// The files with a user's conversations.
    pub(super) fn chats_of(&self, id: &str) -> Chats<'_> {
        let live = self.live.as_ref().and_then(|home| home.chats.get(id));
        let backups = self.backups.iter().filter_map(|home| home.chats.get(id));
        Chats {
            own: live.map(Vec::as_slice).unwrap_or_default(),
            backups: backups.flatten().collect(),
        }
    }

    /// The folder with a user's documents: the one in use, else that of the newest backup.
    pub(super) fn rag_of(&self, id: &str) -> Option<&Found> {
        self.live.iter().chain(&self.backups).find_map(|home| home.rags.get(id))
    }

    /// The ids that folders are named after.
    pub(super) fn ids(&self) -> BTreeSet<&str> {
        let homes = self.live.iter().chain(&self.backups);
        homes
            .flat_map(|home| home.chats.keys().chain(home.rags.keys()))
            .map(String::as_str)
            .collect()
    }
}

/// `user_data_backup_<stamp>`, newest first.
fn backups_of(listing: &Listing) -> Vec<Found> {
    let is_backup = |folder: &&Found| folder.name().starts_with("user_data_backup_");
    let mut folders: Vec<_> = listing.folders.iter().filter(is_backup).cloned().collect();
    folders.reverse();
    folders
}

impl Home {
    /// A folder, or the `user_data` in it.
    fn below(folder: &Found) -> Option<Self> {
        let listing = folder.list().ok()?;
        let inner = listing.folders.iter().find(|folder| folder.name() == "user_data");
        Self::of(&listing).or_else(|| Self::of(&inner?.list().ok()?))
    }

    /// The conversations of one user, out of their place: the file, or its folder. None: this is neither.
    fn lone(root: &Path) -> io::Result<Option<Self>> {
        let is_file = fs::symlink_metadata(root)?.is_file();
        let folder = if is_file { root.parent().unwrap_or(root) } else { root };
        let mut others = Vec::new();
        let mut files = match is_file {
            true => files::all(root)?,
            false => conversation_files(&Found::root(root), &mut others),
        };
        files.retain(is_of_chats);
        let Some(first) = files.first() else { return Ok(None) };
        let folder = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let id = folder.strip_prefix("conversations_");
        let id = id.or_else(|| first.name().strip_suffix("_conversations.json"));
        let chats = [(id.unwrap_or(UNKNOWN).to_owned(), files)].into();
        Ok(Some(Self { chats, others, ..Self::default() }))
    }

    /// None: this is no such folder.
    fn of(listing: &Listing) -> Option<Self> {
        let mut home = Self { others: listing.others.clone(), ..Self::default() };
        for file in &listing.files {
            match file.name() {
                "users.json" => home.users = Some(file.clone()),
                "uploads.json" => home.uploads = Some(file.clone()),
                "sessions.json" => home.sessions = Some(file.clone()),
                name => {
                    // `shared_conversations.json` is ChatGPT's.
                    let id = name.strip_suffix("_conversations.json").filter(|id| *id != "shared");
                    let Some(id) = id else { continue };
                    home.chats.entry(id.to_owned()).or_default().push(file.clone());
                }
            }
        }
        for folder in &listing.folders {
            if let Some(id) = folder.name().strip_prefix("conversations_") {
                let files = home.chats.entry(id.to_owned()).or_default();
                let flat = std::mem::take(files);
                files.extend(conversation_files(folder, &mut home.others));
                files.extend(flat);
            } else if let Some(id) = folder.name().strip_prefix("rag_") {
                home.rags.insert(id.to_owned(), folder.clone());
            }
        }
        home.is_one().then_some(home)
    }

    /// The version that wrote last, as far as what it left tells. Only version 4 makes ids of names, and
    /// only version 2 has its documents at the user.
    pub(super) fn version(&self) -> &'static str {
        let has = |rag: &Found, begins: &str| {
            let listing = rag.list().unwrap_or_default();
            listing.folders.iter().any(|folder| folder.name().starts_with(begins))
        };
        let is_of_name = |id: &String| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
        let mut ids = self.chats.keys().chain(self.rags.keys());
        if self.uploads.is_some() || self.sessions.is_some() || ids.any(is_of_name) {
            "4"
        } else if self.rags.values().any(|rag| has(rag, "conversation_")) {
            "3"
        } else if self.rags.values().any(|rag| has(rag, "chroma_db")) {
            "2"
        } else {
            "1"
        }
    }

    /// Other programs have a `users.json` too; this one's holds password hashes.
    fn is_one(&self) -> bool {
        let has_hashes = |users: &Found| {
            let start = users.beginning(8_192);
            let is_there = |word: &[u8]| start.windows(word.len()).any(|part| part == word);
            is_there(b"\"password_hash\"") || is_there(b"\"user_id\"")
        };
        !self.chats.is_empty()
            || !self.rags.is_empty()
            || self.users.as_ref().is_some_and(has_hashes)
    }
}

/// Whether a file has this program's conversations, by its name and beginning: ChatGPT and Claude have
/// a `conversations.json` too.
fn is_of_chats(file: &Found) -> bool {
    let name = file.name();
    let is_named = name.starts_with("conversations.json") || name.ends_with("_conversations.json");
    let start = file.beginning(8_192);
    let has = |word: &[u8]| start.windows(word.len()).any(|part| part == word);
    let is_object = start.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let is_foreign = FOREIGN.iter().any(|word| has(word.as_bytes()));
    is_named && is_object && !is_foreign && has(b"\"messages\"") && has(b"\"title\"")
}

/// `conversations.json`, then the copies that version 4 made of what it could not read, newest first.
fn conversation_files(folder: &Found, others: &mut Vec<Found>) -> Vec<Found> {
    let Ok(listing) = folder.list() else { return Vec::new() };
    others.extend(listing.others.iter().cloned());
    let is_copy = |file: &&Found| file.name().starts_with("conversations.json.backup_");
    let mut copies: Vec<_> = listing.files.iter().filter(is_copy).cloned().collect();
    // By the number of the second: all have ten digits for centuries to come.
    copies.reverse();
    let live = listing.files.iter().find(|file| file.name() == "conversations.json");
    live.into_iter().cloned().chain(copies).collect()
}

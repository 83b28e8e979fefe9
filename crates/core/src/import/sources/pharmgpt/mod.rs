//! PharmGPT on disk, versions 1 to 4 and what later ones left: `user_data` and its backups.
//!
//! | looking for | look in |
//! |---|---|
//! | which folder is what | `home.rs` |
//! | `users.json`, and folders of nobody | `users.rs` |
//! | `conversations.json` and its copies | `chats.rs` |
//! | `documents_metadata.json`, `uploads.json` | `documents.rs` |
//! | the pieces of text in `chroma.sqlite3` | `chroma.rs` |
//!
//! Everything is found by listing folders and comparing names: no id out of a file becomes a path.
//! Copies (`conversations.json.backup_*`, `user_data_backup_*`) fill in what the live files lack or
//! have damaged; what a person deleted stays deleted.

mod chats;
mod chroma;
mod documents;
mod home;
#[cfg(test)]
mod tests;
mod users;

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::{Input, Sink, Source};
use crate::import::record::{Item, Kind};
pub(super) use chats::messages;
use home::Homes;
use users::User;

/// PharmGPT, which was PharmBot.
#[derive(Debug)]
pub(super) struct PharmGpt;

impl Source for PharmGpt {
    fn system(&self) -> &'static str {
        "pharmgpt"
    }

    fn name(&self) -> &'static str {
        "PharmGPT"
    }

    fn recognises(&self, root: &Path) -> bool {
        Homes::find(root).is_ok_and(|homes| homes.live.is_some())
    }

    fn version(&self, root: &Path) -> Option<String> {
        Homes::find(root).ok()?.live.map(|live| live.version().to_owned())
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> io::Result<()> {
        let homes = Homes::find(&input.root)?;
        let _ = read(&homes, input, sink);
        Ok(())
    }
}

fn read(homes: &Homes, input: &Input, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let Some(live) = &homes.live else { return ControlFlow::Continue(()) };
    for odd in &live.others {
        let reason = "It is a link or no regular file; those are not followed.";
        sink(odd.place("").skip(Kind::File, reason))?;
    }
    if let Some(sessions) = &live.sessions {
        sink(sessions.place("").note("Sign-ins of the old program are not brought over."))?;
    }
    let users = users::read(homes, sink)?;
    let mut uploads = documents::Uploads::read(live, sink)?;
    for user in &users {
        one(homes, user, &mut uploads, input, sink)?;
    }
    uploads.rest(sink)
}

/// Everything of one user. A folder of nobody has an owner only if something is in it.
fn one(
    homes: &Homes,
    user: &User,
    uploads: &mut documents::Uploads,
    input: &Input,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let mut is_told = user.is_listed;
    if is_told {
        user.announce(sink)?;
    }
    let mut sink = |item: Item| {
        if !is_told && matches!(item, Item::Conversation(_) | Item::Document(_)) {
            is_told = true;
            user.announce(sink)?;
        }
        sink(item)
    };
    let chats = homes.chats_of(&user.id);
    chats::read(&user.id, &chats, input.zone, &mut sink)?;
    documents::read(&user.id, homes, uploads, input.zone, &mut sink)
}

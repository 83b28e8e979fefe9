//! `users.json`, and folders of nobody.

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;

use md5::{Digest as _, Md5};

use super::home::Homes;
use crate::import::Text;
use crate::import::lax::{Key, Shape, Value};
use crate::import::record::{Item, Kind, Owner, Place, Proof};
use crate::import::sources::{Sink, files, files::Found, speech};
use crate::model::hex;

/// Whoever folders are named after.
#[derive(Debug)]
pub(super) struct User {
    /// What the folders have in their names; never made a path.
    pub(super) id: String,
    /// More than one where several names share the id; one without a name for a folder of nobody.
    owners: Vec<Owner>,
    /// It stands in `users.json`.
    pub(super) is_listed: bool,
}

impl User {
    /// Says whose the following is.
    pub(super) fn announce(&self, sink: &mut Sink<'_>) -> ControlFlow<()> {
        self.owners.iter().try_for_each(|owner| sink(Item::Owner(owner.clone())))
    }
}

/// Everyone: those of `users.json` in its order, those whom only a backup of it knows, and the folders
/// of nobody.
pub(super) fn read(homes: &Homes, sink: &mut Sink<'_>) -> ControlFlow<(), Vec<User>> {
    let mut users = Vec::new();
    let mut ids: BTreeSet<String> = homes.ids().into_iter().map(str::to_owned).collect();
    let mut hints = Vec::new();
    for home in homes.live.iter().chain(&homes.backups) {
        let Some(file) = &home.users else { continue };
        let mut quiet = |_| ControlFlow::Continue(());
        let is_live = homes.live.as_ref().is_some_and(|live| live.users.as_ref() == Some(file));
        let list = if is_live { entries(file, sink)? } else { entries(file, &mut quiet)? };
        match list.is_whole {
            true => add(list.entries, is_live, &mut ids, &mut users, sink)?,
            false => hints.extend(list.entries),
        }
    }
    // Who stands in a list that breaks off may be hinted at: who else shared the id, and whether the
    // name had been changed, nobody can tell. Their password still proves whose it is.
    for id in ids {
        let hint = hints.iter().find(|hint| hint.id.as_deref() == Some(&id));
        let mut owner = Owner { key: id.clone(), ..Owner::default() };
        if let Some(hint) = hint {
            let text = format!("This may be “{}”; the list of users breaks off.", hint.name.shown);
            sink(hint.place.note(text))?;
            owner.proof = hint.owner.proof.clone();
        }
        users.push(User { id, owners: vec![owner], is_listed: false });
    }
    ControlFlow::Continue(users)
}

/// An entry of `users.json`.
struct Entry {
    id: Option<String>,
    name: Text,
    owner: Owner,
    place: Place,
}

struct Entries {
    entries: Vec<Entry>,
    is_whole: bool,
}

fn entries(file: &Found, sink: &mut Sink<'_>) -> ControlFlow<(), Entries> {
    let mut entries = Vec::new();
    let walked = files::walk(file, Shape::One, &|_| false, sink, &mut |way, element, sink| {
        let place = file.place(files::way_of(way));
        let value = files::value(&place, &element, sink)?;
        match (way.first(), &value) {
            (Some(Key::Name(name)), Value::Map(_)) => {
                entries.push(entry(name.clone(), &value, place));
                ControlFlow::Continue(())
            }
            _ => sink(place.skip(Kind::User, format!("It is {}, and no user.", value.kind()))),
        }
    })?;
    ControlFlow::Continue(Entries { entries, is_whole: !walked.is_cut })
}

fn entry(name: Text, value: &Value, place: Place) -> Entry {
    let owner = Owner {
        key: String::new(),
        name: Some(name.clone()),
        email: value.str("email").map(str::to_owned),
        proof: Proof::of(value.str("password_hash"), value.str("salt")),
    };
    Entry { id: speech::id(value.get("user_id")), name, owner, place }
}

/// Takes entries over. Whoever is taken has no folder of nobody left. Of a backup only whoever owns a
/// folder that is still of nobody.
fn add(
    entries: Vec<Entry>,
    is_live: bool,
    ids: &mut BTreeSet<String>,
    users: &mut Vec<User>,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let stored: HashSet<&String> = entries.iter().filter_map(|entry| entry.id.as_ref()).collect();
    let nobodys: Vec<String> = ids.iter().filter(|id| !stored.contains(id)).cloned().collect();
    let without_id = entries.iter().filter(|entry| entry.id.is_none()).count();
    let mut taken = BTreeSet::new();
    for entry in entries {
        let id = match &entry.id {
            Some(id) => id.clone(),
            None => guessed(&entry, &nobodys, without_id == 1, sink)?,
        };
        if !is_live && !ids.contains(&id) {
            continue;
        }
        taken.insert(id.clone());
        let owner = Owner { key: id.clone(), ..entry.owner };
        if let Some(twin) = users.iter_mut().find(|user| user.id == id) {
            let text = format!(
                "“{}” has the id of another user; the chats are of both.",
                entry.name.shown
            );
            sink(entry.place.note(text))?;
            twin.owners.push(owner);
            continue;
        }
        if !is_live {
            let text = format!(
                "“{}” is missing in users.json, and known from a backup.",
                entry.name.shown
            );
            sink(entry.place.note(text))?;
        }
        users.push(User { id, owners: vec![owner], is_listed: true });
    }
    ids.retain(|id| !taken.contains(id));
    ControlFlow::Continue(())
}

/// The id of whoever has none stored: version 4 made it of the name; before, it was a random UUID, and
/// only if there is one such person and one such folder do they belong together.
fn guessed(
    entry: &Entry,
    nobodys: &[String],
    is_only_one: bool,
    sink: &mut Sink<'_>,
) -> ControlFlow<(), String> {
    let of_name = hex(&Md5::digest(entry.name.bytes()));
    if nobodys.contains(&of_name) {
        sink(entry.place.note("The id was missing; it is that of the name."))?;
        return ControlFlow::Continue(of_name);
    }
    let mut uuids = nobodys.iter().filter(|id| uuid::Uuid::parse_str(id).is_ok() && id.len() == 36);
    if let (true, Some(id), None) = (is_only_one, uuids.next(), uuids.next()) {
        sink(
            entry.place.note("The id was missing; the only folder of nobody was taken for theirs."),
        )?;
        return ControlFlow::Continue(id.clone());
    }
    sink(entry.place.note("The id is missing, and no folder belongs to the name."))?;
    ControlFlow::Continue(of_name)
}

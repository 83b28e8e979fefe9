//! Who is in a source, and which of them is meant by a name.
//!
//! Old programs told names apart byte by byte, so `bob` and `Bob`, two forms of `é`, and a Latin and a
//! Cyrillic `a` are different people, and one id may have two names. A name that a person types means
//! whoever has exactly that name; where nobody has, or more than one, nobody is guessed at.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::confusable_detection::skeleton;

use super::record::{Item, Owner};
use super::report::Share;
use super::sources::{Input, Source};
use super::survey::Whose;
use crate::error::{Code, Failure, Result};

/// So many are named to choose from.
const NAMED: usize = 20;

/// Everybody in a source, by key: more than one owner where several names share an id, none for chats
/// whose owner the source does not tell of. Chats of nobody have the empty key.
#[derive(Debug, Clone, Default)]
pub struct People(BTreeMap<String, Vec<Owner>>);

impl People {
    /// Reads a source for nothing but its people.
    ///
    /// # Errors
    /// The source's root cannot be read.
    pub fn of(source: &dyn Source, input: &Input) -> std::io::Result<Self> {
        let mut people = Self::default();
        source.read(input, &mut |item| {
            people.take(item);
            ControlFlow::Continue(())
        })?;
        Ok(people)
    }

    fn take(&mut self, item: Item) {
        let key = match item {
            Item::Owner(owner) => {
                self.0.entry(owner.key.clone()).or_default().push(owner);
                return;
            }
            Item::Conversation(found) => found.owner,
            Item::Document(found) => found.owner,
            _ => return,
        };
        self.0.entry(key.unwrap_or_default()).or_default();
    }

    /// The keys of those who are named, by key or by name.
    ///
    /// # Errors
    /// Nobody is called so, or more than one are: the hint names their keys.
    pub fn named(&self, names: &[String]) -> Result<Whose> {
        // A source that knows of one person only means that one.
        if self.0.keys().all(String::is_empty) {
            return Ok(Whose::All);
        }
        let keys = names.iter().map(|name| self.one(name).map(str::to_owned));
        Ok(Whose::Of(keys.collect::<Result<_>>()?))
    }

    /// The key of whoever is meant. A key means its owner, even where another is called so.
    pub(crate) fn one(&self, name: &str) -> Result<&str> {
        if let Some((key, _)) = self.0.get_key_value(name) {
            return Ok(key);
        }
        let mut called = self.0.iter().filter(|(_, owners)| is_called(owners, name));
        match (called.next(), called.next()) {
            (Some((key, _)), None) => Ok(key),
            (Some(_), Some(_)) => {
                let called = self.0.iter().filter(|(_, owners)| is_called(owners, name));
                Err(choose(format!("Several people are called “{name}”."), called))
            }
            (None, _) => Err(self.nobody(name)),
        }
    }

    /// The owners that a key or name means: those of the name where one is named, else those of the key.
    pub(crate) fn owners(&self, name: &str) -> Result<Vec<&Owner>> {
        let key = self.one(name)?;
        let owners = self.0.get(key).map(Vec::as_slice).unwrap_or_default();
        let of_name: Vec<_> = owners.iter().filter(|owner| shown(owner) == Some(name)).collect();
        Ok(if of_name.is_empty() { owners.iter().collect() } else { of_name })
    }

    fn nobody(&self, name: &str) -> Failure {
        let wanted = looks(name);
        let is_like =
            |owner: &Owner| shown(owner).is_some_and(|name| !wanted.is_disjoint(&looks(name)));
        let mut like = self.0.iter().filter(|(_, owners)| owners.iter().any(is_like)).peekable();
        match like.peek() {
            None => choose(format!("Nobody is called “{name}”."), self.0.iter()),
            Some(_) => {
                let message =
                    format!("Nobody is called “{name}” to the letter, but others look so.");
                choose(message, like)
            }
        }
    }
}

fn shown(owner: &Owner) -> Option<&str> {
    owner.name.as_ref().map(|name| name.shown.as_str())
}

fn is_called(owners: &[Owner], name: &str) -> bool {
    owners.iter().any(|owner| shown(owner) == Some(name))
}

fn choose<'a>(
    message: String,
    people: impl Iterator<Item = (&'a String, &'a Vec<Owner>)>,
) -> Failure {
    let one = |(key, owners): (&String, &Vec<Owner>)| {
        let names: Vec<_> = owners.iter().filter_map(shown).collect();
        match names.is_empty() {
            true => format!("{key} (belongs to nobody)"),
            false => format!("{key} (“{}”)", names.join("”, “")),
        }
    };
    let people: Vec<_> = people.filter(|(key, _)| !key.is_empty()).map(one).take(NAMED).collect();
    Failure::new(Code::InvalidInput, format!("{message} Nothing was changed."))
        .hint(format!("Name one of these keys: {}", people.join(", ")))
}

/// Notes who is easily taken for whom.
pub(super) fn tell_twins(people: &mut [Share]) {
    let mut alike: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for share in &*people {
        for look in share.names().flat_map(looks) {
            alike.entry(look).or_default().insert(share.key.clone());
        }
    }
    for share in people {
        let looks: Vec<_> = share.names().flat_map(looks).collect();
        let twins: BTreeSet<_> =
            looks.iter().filter_map(|look| alike.get(look)).flatten().collect();
        share.twins = twins.into_iter().filter(|key| **key != share.key).cloned().collect();
    }
}

/// What a name looks like, without case, form, blanks around it and what nobody sees (UTS 39).
fn looks(name: &str) -> BTreeSet<String> {
    let visible: String = name.nfkc().filter(|char| !is_invisible(*char)).collect();
    let visible = visible.trim();
    [visible.to_owned(), visible.to_lowercase(), visible.to_uppercase()]
        .iter()
        .map(|form| skeleton(form).collect::<String>())
        .filter(|look| !look.is_empty())
        .collect()
}

fn is_invisible(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

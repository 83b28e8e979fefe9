//! Reading a source from one end to the other, the same way for the plan, the run and the verification.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::people;
use super::record::{Item, Owner};
use super::report::{Counts, Plan, Share};
use super::rows::{self, DocumentRows, Rows, Told};
use super::sources::{Input, Source};

/// Whose chats come over. Names become keys in `people.rs`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's, those of folders that belong to nobody too.
    #[default]
    All,
    /// Of these people, by key; the empty one is that of chats whose owner the source does not tell of.
    Of(BTreeSet<String>),
}

impl Whose {
    fn means(&self, key: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Of(people) => people.contains(key.unwrap_or_default()),
        }
    }
}

/// What comes of reading, as rows.
pub enum Found {
    /// A conversation.
    Conversation(Box<Rows>),
    /// A document.
    Document(Box<DocumentRows>),
}

/// Reads a source once. `each` gets the rows; what is counted and what is odd stands in the plan.
///
/// # Errors
/// The source's root cannot be read.
pub fn read(
    source: &dyn Source,
    input: &Input,
    whose: &Whose,
    each: &mut dyn FnMut(Found, &mut Plan) -> ControlFlow<()>,
) -> std::io::Result<Plan> {
    let mut reading = Reading {
        system: source.system(),
        whose,
        owners: BTreeMap::new(),
        shares: BTreeMap::new(),
        told: Told::default(),
        plan: Plan {
            source: source.system().to_owned(),
            name: source.name().to_owned(),
            version: source.version(&input.root),
            path: input.root.display().to_string(),
            ..Plan::default()
        },
        assumed_zone: false,
    };
    source.read(input, &mut |item| reading.take(item, each))?;
    Ok(reading.end(input))
}

struct Reading<'a> {
    system: &'a str,
    whose: &'a Whose,
    owners: BTreeMap<String, Owner>,
    shares: BTreeMap<String, Share>,
    told: Told,
    plan: Plan,
    assumed_zone: bool,
}

impl Reading<'_> {
    fn take(
        &mut self,
        item: Item,
        each: &mut dyn FnMut(Found, &mut Plan) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match item {
            Item::Owner(owner) => self.owner(owner),
            Item::Skip(skip) => self.plan.skip(skip),
            Item::Duplicate(_) => self.plan.duplicates += 1,
            Item::Note(note) => self.plan.note(note),
            Item::Conversation(found) => {
                if let Some(rows) = self.conversation(*found) {
                    return each(Found::Conversation(Box::new(rows)), &mut self.plan);
                }
            }
            Item::Document(found) => {
                if self.whose.means(found.owner.as_deref()) {
                    let owner = found.owner.as_ref().and_then(|key| self.owners.get(key));
                    let key = found.owner.clone();
                    let rows = rows::of_document(self.system, *found, owner);
                    self.plan.counts.documents += 1;
                    self.plan.counts.fragments += rows.fragments.len() as u64;
                    self.share(key.as_deref()).documents += 1;
                    return each(Found::Document(Box::new(rows)), &mut self.plan);
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn owner(&mut self, owner: Owner) {
        if !self.whose.means(Some(&owner.key)) {
            return;
        }
        if owner.name.is_some() {
            self.plan.counts.users += 1;
        }
        self.share(Some(&owner.key)).add(&owner);
        // Two names of one id own the chats together; the first stands on each.
        self.owners.entry(owner.key.clone()).or_insert(owner);
    }

    fn conversation(&mut self, found: super::Conversation) -> Option<Rows> {
        let key = found.owner.clone();
        if !self.whose.means(key.as_deref()) {
            return None;
        }
        let owner = key.as_ref().and_then(|key| self.owners.get(key));
        let mut rows = rows::of_conversation(self.system, found, owner, &mut self.told);
        for skip in rows.skips.drain(..) {
            if let Item::Skip(skip) = skip {
                self.plan.skip(skip);
            }
        }
        self.assumed_zone |= rows.assumed_zone;
        let counts = Counts { conversations: 1, ..rows.counts(|_| true) };
        let messages = counts.messages;
        self.plan.counts.add(counts);
        let share = self.share(key.as_deref());
        share.conversations += 1;
        share.messages += messages;
        Some(rows)
    }

    fn share(&mut self, key: Option<&str>) -> &mut Share {
        let key = key.unwrap_or_default();
        let new = || Share { key: key.to_owned(), ..Share::default() };
        self.shares.entry(key.to_owned()).or_insert_with(new)
    }

    fn end(self, input: &Input) -> Plan {
        let mut plan = self.plan;
        plan.people = self.shares.into_values().collect();
        people::tell_twins(&mut plan.people);
        if self.assumed_zone {
            let zone = format!("times that name no zone are those of UTC{}", input.zone.0);
            plan.assumptions.insert("time_zone".into(), zone);
        }
        plan
    }
}

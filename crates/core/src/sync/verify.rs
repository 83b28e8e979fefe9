//! Repair at rest: which tables differ from what the server digested.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::digest::{SyncDigest, content_hash};
use crate::mirror::{Error, Mirror, bases, synced};
use crate::model::wire::{Digests, Table};

/// The tables whose digests are not those of the bases here. A page of conversations is compared from
/// `after` to its last one, or to the end.
pub(super) fn differing(
    mirror: &Mirror,
    digests: &Digests,
    after: Option<Uuid>,
) -> Result<Vec<Table>, Error> {
    let mut differ = Vec::new();
    if !conversations_agree(mirror, digests, after)? {
        differ.extend([Table::Conversations, Table::Messages]);
    }
    for (name, digest) in digests.others.iter().flatten() {
        let Some(table) = Table::named(name) else { continue };
        let ids = mirror.read(|c| synced::ids(c, table))?;
        if digest_of(mirror, &mut ids.into_iter().map(|id| (table, id)))? != *digest {
            differ.push(table);
        }
    }
    Ok(differ)
}

fn conversations_agree(
    mirror: &Mirror,
    digests: &Digests,
    after: Option<Uuid>,
) -> Result<bool, Error> {
    let last = digests.conversations.last().map(|(id, _)| *id).filter(|_| digests.has_more);
    let mut here: BTreeSet<Uuid> = mirror.read(synced::conversations)?.into_iter().collect();
    here.retain(|id| after.is_none_or(|after| *id > after) && last.is_none_or(|last| *id <= last));
    for (id, digest) in &digests.conversations {
        here.remove(id);
        if digest_of_conversation(mirror, *id)? != *digest {
            return Ok(false);
        }
    }
    Ok(here.is_empty())
}

/// What the bases here come to, conversation by conversation and table by table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DigestsHere {
    /// Conversation → digest in hexadecimal.
    pub conversations: BTreeMap<Uuid, String>,
    /// Table → digest in hexadecimal, of the tables that belong to no conversation.
    pub others: BTreeMap<String, String>,
}

/// All digests of the bases here.
///
/// # Errors
/// Those of reading.
pub fn digests_here(mirror: &Mirror) -> Result<DigestsHere, Error> {
    let mut here = DigestsHere::default();
    for id in mirror.read(synced::conversations)? {
        here.conversations.insert(id, digest_of_conversation(mirror, id)?);
    }
    for table in Table::ALL.into_iter().skip(2) {
        let ids = mirror.read(|c| synced::ids(c, table))?;
        let digest = digest_of(mirror, &mut ids.into_iter().map(|id| (table, id)))?;
        here.others.insert(table.name().to_owned(), digest);
    }
    Ok(here)
}

/// The digest of a conversation's base and those of its messages.
///
/// # Errors
/// Those of reading.
pub fn digest_of_conversation(mirror: &Mirror, id: Uuid) -> Result<String, Error> {
    let messages = mirror.read(|c| synced::messages(c, id))?;
    let own = std::iter::once((Table::Conversations, id));
    digest_of(mirror, &mut own.chain(messages.into_iter().map(|id| (Table::Messages, id))))
}

fn digest_of(
    mirror: &Mirror,
    of: &mut dyn Iterator<Item = (Table, Uuid)>,
) -> Result<String, Error> {
    mirror.read(|c| {
        let mut sum = SyncDigest::default();
        for (table, id) in of {
            if let Some(base) = bases::of(c, table, id)? {
                sum.row(table, id, base.seq, &content_hash(table, &base.fields));
            }
        }
        Ok(sum.hex())
    })
}

//! `doctor --server`: do both sides say the same? Only looks; the engine mends what differs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::{keeper, no_account};
use crate::api::Tidemark;
use crate::error::{Code, Failure, Result};
use crate::mirror::{account, cursors};
use crate::model::hex;
use crate::model::wire::{Digests, Head, Table};
use crate::remote::Server;
use crate::sync::failures::{Decision, Fault, decide};
use crate::sync::server::{Ask, Remote as _, Told};
use crate::sync::{digests_here, store};

/// Conversations of one question.
const PAGE: u32 = 1_000;

/// What both sides say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ServerReport {
    /// Whether all digests are the same.
    pub ok: bool,
    /// The version of the account on the server.
    #[ts(type = "number")]
    pub head: i64,
    /// The version up to which this device has pulled.
    #[ts(type = "number | null")]
    pub cursor: Option<i64>,
    /// Changes that have not reached the server. Digests are over what the server last said, so these
    /// make no difference.
    #[ts(type = "number")]
    pub pending: u64,
    /// Table → its digest on both sides; conversations with their messages are one.
    pub tables: BTreeMap<String, TableReport>,
    /// The conversations that differ.
    #[ts(type = "Array<string>")]
    pub differing: Vec<Uuid>,
}

/// One table's digests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TableReport {
    /// Over the bases here, in hexadecimal.
    pub here: String,
    /// Over the rows of the server.
    pub server: String,
}

impl Tidemark {
    /// Compares the digests of both sides. Asks the server, and writes nothing.
    ///
    /// # Errors
    /// No account is attached, or the project cannot be asked.
    pub async fn compare_with_server(&self) -> Result<ServerReport> {
        let attached = self.off(|core| core.read(account::get)).await?.ok_or_else(no_account)?;
        let tokens = self.session().await?.ok_or_else(no_account)?;
        let server = Server::new(tokens, attached.user_id, keeper::about(self));
        let device_id = self.off(|core| core.read(crate::mirror::synced::device_id)).await?.0;
        told(server.ask(Ask::Hello { device_id }).await)?;
        let mut sum = Sum::default();
        let mut after = None;
        loop {
            let page = digests(&server, after).await?;
            after = page.conversations.last().map(|(id, _)| *id);
            let has_more = page.has_more && after.is_some();
            sum.add(page);
            if !has_more {
                break;
            }
        }
        self.off(move |core| core.report(sum)).await
    }

    fn report(&self, sum: Sum) -> Result<ServerReport> {
        let (cursor, counts) =
            self.read(|connection| Ok((cursors::pull(connection)?, store::counts(connection)?)))?;
        let here = digests_here(self.mirror())?;
        let mut tables = BTreeMap::from([(
            Table::Conversations.name().to_owned(),
            TableReport {
                here: together(&here.conversations),
                server: together(&sum.conversations),
            },
        )]);
        for (name, server) in sum.others {
            let table = here.others.get(&name).cloned().unwrap_or_default();
            tables.insert(name, TableReport { here: table, server });
        }
        let differing = differing(&here.conversations, &sum.conversations);
        Ok(ServerReport {
            ok: tables.values().all(|table| table.here == table.server),
            head: sum.head.seq,
            cursor: cursor.map(|cursor| cursor.seq),
            pending: counts.waiting + counts.parked,
            tables,
            differing,
        })
    }
}

/// What the server told, page by page.
#[derive(Default)]
struct Sum {
    head: Head,
    conversations: BTreeMap<Uuid, String>,
    others: BTreeMap<String, String>,
}

impl Sum {
    fn add(&mut self, page: Digests) {
        self.head = page.head;
        self.conversations.extend(page.conversations);
        self.others.extend(page.others.into_iter().flatten());
    }
}

async fn digests(server: &Server, after: Option<Uuid>) -> Result<Digests> {
    match told(server.ask(Ask::Digest { after, max: PAGE }).await)? {
        Told::Digests(digests) => Ok(digests),
        _ => Err(Failure::new(Code::Internal, "The server answered another question.")),
    }
}

fn told(answer: Result<Told, Fault>) -> Result<Told> {
    answer.map_err(|fault| match decide(&fault) {
        Decision::Pause(why) => {
            Failure::new(Code::Refused, format!("The server did not answer: {}.", why.sentence()))
                .hint(why.remedy())
        }
        Decision::Refresh | Decision::Hello => {
            Failure::new(Code::KeyRejected, "The session is over.").hint("Sync, or sign in again.")
        }
        Decision::Retry | Decision::UnknownPoint | Decision::Halve { .. } => {
            Failure::new(Code::Offline, "The project cannot be reached. Nothing was changed.")
                .hint("Check the network, and try again.")
        }
    })
}

/// One digest of many: SHA-256 over ids and digests, by id.
fn together(conversations: &BTreeMap<Uuid, String>) -> String {
    use sha2::Digest as _;
    let mut sum = sha2::Sha256::new();
    for (id, digest) in conversations {
        sum.update(id.as_bytes());
        sum.update(digest);
    }
    hex(&sum.finalize())
}

fn differing(here: &BTreeMap<Uuid, String>, server: &BTreeMap<Uuid, String>) -> Vec<Uuid> {
    let mut ids: Vec<_> = here.keys().chain(server.keys()).copied().collect();
    ids.sort_unstable();
    ids.dedup();
    ids.retain(|id| here.get(id) != server.get(id));
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_that_only_one_side_has_differs() {
        let id = Uuid::from_u128;
        let side = |ids: &[(u128, &str)]| {
            ids.iter().map(|(n, digest)| (id(*n), (*digest).to_owned())).collect::<BTreeMap<_, _>>()
        };
        let (here, server) =
            (side(&[(1, "a"), (2, "b"), (3, "c")]), side(&[(1, "a"), (2, "x"), (4, "d")]));
        assert_eq!(differing(&here, &server), [id(2), id(3), id(4)]);
        assert_ne!(together(&here), together(&server));
        assert_eq!(together(&here), together(&here.clone()));
    }
}

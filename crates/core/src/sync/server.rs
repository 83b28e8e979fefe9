//! What the engine asks of a server, and what it is told.
//!
//! [`Remote`] is implemented over HTTP by `remote`, and by the simulator's model of the SQL functions.
//! The answers are those of docs/sync.md, "Calls". An answer that is not of this shape is a [`Fault`]
//! of the kind [`FaultKind::NotOurs`].
//!
//! Answers that carry rows stay text ([`Rows`]) until the mirror takes them: the rows are decoded
//! once, borrowed, on the thread that writes them. What the engine decides by is read beforehand.

use std::future::Future;

use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;

use super::failures::{Fault, FaultKind, Service};
use crate::model::wire::{
    After, Anchor, Cursor, Digests, Head, Hello, Manifest, Push, Pushed, Summary, Table,
};

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// `sync_hello`: this device introduces itself.
    Hello {
        /// The data folder, as a device.
        device_id: Uuid,
    },
    /// A new token for the old one. The answer is [`Told::Refreshed`] once the token is stored.
    Refresh,
    /// `sync_pull`.
    Pull {
        /// From where; none: from the beginning.
        after: Option<Cursor>,
        /// The head that a push was answered with, where that is later.
        known: Option<Head>,
        /// Rows at most.
        max: u32,
    },
    /// `sync_snapshot`.
    Snapshot {
        /// Of which table.
        table: Table,
        /// From where.
        after: Option<After>,
        /// The latest point that this device knows: rows of a server that does not know it are not told.
        known: Option<Head>,
        /// Rows at most.
        max: u32,
    },
    /// `sync_push`.
    Push(Push),
    /// `sync_anchor`.
    Anchor {
        /// Descending.
        points: Vec<Head>,
    },
    /// `sync_manifest`.
    Manifest {
        /// Of which table.
        table: Table,
        /// From where.
        after: Option<Uuid>,
        /// The latest point that this device knows: rows of a server that does not know it are not told.
        known: Option<Head>,
        /// Rows at most.
        max: u32,
    },
    /// `sync_rows`.
    Rows {
        /// Of which table.
        table: Table,
        /// Which.
        ids: Vec<Uuid>,
        /// The latest point that this device knows: rows of a server that does not know it are not told.
        known: Option<Head>,
    },
    /// `sync_digest`.
    Digest {
        /// From where.
        after: Option<Uuid>,
        /// Conversations at most.
        max: u32,
    },
}

/// The answer to an [`Ask`] of the same name.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// To [`Ask::Hello`].
    Hello(Hello),
    /// To [`Ask::Refresh`].
    Refreshed,
    /// To [`Ask::Pull`].
    Page(Summary, Rows),
    /// To [`Ask::Snapshot`].
    Snapshot {
        /// Where to go on; none: the table is at its end.
        after: Option<After>,
        /// How many rows it has.
        count: usize,
        /// The whole answer.
        rows: Rows,
    },
    /// To [`Ask::Push`].
    Pushed(Pushed),
    /// To [`Ask::Anchor`].
    Anchor(Anchor),
    /// To [`Ask::Manifest`].
    Manifest(Manifest),
    /// To [`Ask::Rows`].
    Rows {
        /// The rows that it has, by id.
        got: Vec<Uuid>,
        /// There was no room for all: the others have to be asked for again.
        has_more: bool,
        /// The whole answer.
        rows: Rows,
    },
    /// To [`Ask::Digest`].
    Digests(Digests),
}

/// The text of an answer that carries rows: JSON that [`crate::model::wire`] reads.
#[derive(Clone, PartialEq, Eq)]
pub struct Rows(pub String);

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Rows are what people wrote: their size is all that a log may have.
        write!(f, "Rows({} bytes)", self.0.len())
    }
}

impl Told {
    /// Reads the answer of `sync_pull`.
    ///
    /// # Errors
    /// [`FaultKind::NotOurs`] where it is not one.
    pub fn page(text: String) -> Result<Self, Fault> {
        let PageShape {
            head,
            horizon,
            server_ms,
            schema,
            has_more,
            known,
            below_horizon,
            changes,
            cursor,
        } = read(&text)?;
        let changes = changes.len();
        let summary = Summary {
            head,
            horizon,
            server_ms,
            schema,
            has_more,
            known,
            below_horizon,
            cursor,
            changes,
        };
        Ok(Self::Page(summary, Rows(text)))
    }

    /// Reads the answer of `sync_snapshot`.
    ///
    /// # Errors
    /// As for [`Told::page`].
    pub fn snapshot(text: String) -> Result<Self, Fault> {
        let SnapshotShape { after, has_more, rows } = read(&text)?;
        let (after, count) = (after.filter(|_| has_more), rows.len());
        Ok(Self::Snapshot { after, count, rows: Rows(text) })
    }

    /// Reads the answer of `sync_rows`.
    ///
    /// # Errors
    /// As for [`Told::page`].
    pub fn rows(text: String) -> Result<Self, Fault> {
        let RowsShape { rows, has_more } = read(&text)?;
        let got = rows.into_iter().map(|Row(_, id, _)| id).collect();
        Ok(Self::Rows { got, has_more, rows: Rows(text) })
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|_| Fault::silent(Service::Rest, FaultKind::NotOurs))
}

/// A page, its rows skipped.
#[derive(Deserialize)]
struct PageShape {
    head: Head,
    horizon: i64,
    server_ms: i64,
    schema: [i64; 2],
    has_more: bool,
    known: bool,
    #[serde(default)]
    below_horizon: bool,
    changes: Vec<IgnoredAny>,
    cursor: Cursor,
}

#[derive(Deserialize)]
struct SnapshotShape {
    #[serde(default)]
    after: Option<After>,
    has_more: bool,
    rows: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct RowsShape {
    rows: Vec<Row>,
    #[serde(default)]
    has_more: bool,
}

/// `[seq, row_id, row]`
#[derive(Deserialize)]
struct Row(IgnoredAny, Uuid, IgnoredAny);

/// A server, as the session of one user on one device reaches it.
///
/// An implementation sends each ask once and retries nothing: what a fault means is decided by
/// [`super::failures::decide`]. It gives up after a time of its own with [`FaultKind::TimedOut`]. A
/// token that [`Ask::Refresh`] brought is stored before the answer is given. Dropping the future
/// abandons the request.
pub trait Remote: Send + Sync + 'static {
    /// Sends one request and reads its answer, which is the [`Told`] of the same name.
    fn ask(&self, ask: Ask) -> impl Future<Output = Result<Told, Fault>> + Send;
}

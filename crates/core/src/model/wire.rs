//! What client, server, stand-in and simulator say to each other: `docs/sync.md` as serde types.
//!
//! No input or output, and no decision: only names, shapes and the tables' fields in their canonical
//! order. A row of a page is borrowed from the page's text ([`Cell`]), so that a page of 2,000 rows is
//! decoded in one pass and without a tree of values. Shapes that stand as arrays on the wire (a
//! change, an outcome, a manifest's row) are arrays here too, whatever their Rust type looks like.
//!
//! | looking for | look in |
//! |---|---|
//! | tables, fields, registers, ids that are derived | `table.rs` |
//! | a value of a row | `cell.rs` |
//! | `sync_pull`, `sync_snapshot`, `sync_rows` | `page.rs` |
//! | `sync_push` | `push.rs` |
//! | `sync_hello`, `sync_anchor`, `sync_manifest`, `sync_digest` | `server.rs` |

mod cell;
mod page;
mod push;
mod server;
mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use cell::Cell;
pub use page::{Change, Entry, EntryKind, Page, Rows, Snapshot, Summary};
pub use push::{Accepted, FullRow, Kind, Op, Outcome, Push, Pushed, Settled};
pub use server::{Anchor, Device, Digests, Hello, Listed, Manifest};
pub use table::{Field, FieldKind, Register, Table, recovered_id, setting_id};

/// The schema of the wire that this program speaks.
pub const SCHEMA: i64 = 1;

/// The most operations of one push.
pub const MAX_OPS: usize = 1_000;
/// The most bytes of one push.
pub const MAX_PUSH_BYTES: usize = 8 << 20;
/// The most rows of one page.
pub const MAX_ROWS: u32 = 2_000;

/// Register → hybrid logical clock (`milliseconds << 16 | counter`).
pub type Clocks = BTreeMap<String, i64>;

/// The version of a scope, and the random number that tells it from the same seq of a restored server.
/// `{"seq": …, "nonce": …}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Head {
    /// One more for each transaction that wrote in the scope; 0 before the first.
    pub seq: i64,
    /// 63 random bits; 0 before the first transaction.
    #[serde(default)]
    pub nonce: i64,
}

/// Where a pull goes on: after `seq`, or inside it after (`tbl`, `row_id`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The transaction that was applied last, or that is being applied.
    pub seq: i64,
    /// Its nonce.
    #[serde(default)]
    pub nonce: i64,
    /// The table of the last row inside the transaction; none: the transaction is done.
    #[serde(default)]
    pub tbl: Option<String>,
    /// The last row inside the transaction.
    #[serde(default)]
    pub row_id: Option<Uuid>,
}

impl Cursor {
    /// After all of a transaction.
    pub fn at(head: Head) -> Self {
        Self { seq: head.seq, nonce: head.nonce, tbl: None, row_id: None }
    }

    /// The transaction that it stands at.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, nonce: self.nonce }
    }
}

/// Where a snapshot of one table goes on. Handed back as it came; what is inside is the server's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct After(pub serde_json::Value);

#[cfg(test)]
mod tests;

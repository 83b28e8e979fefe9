//! Rows that come from the server: `sync_pull`, `sync_snapshot`, `sync_rows`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use super::{After, Cell, Cursor, Head};

/// The answer of `sync_pull`. Parse it with `serde_json::from_str`: rows borrow from the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<'a> {
    /// The scope's head when the page was read.
    pub head: Head,
    /// Below this seq the server no longer knows what was deleted.
    pub horizon: i64,
    /// The server's time.
    pub server_ms: i64,
    /// The oldest and the newest schema that the server speaks.
    pub schema: [i64; 2],
    /// Whether there is more after [`Page::cursor`].
    pub has_more: bool,
    /// Whether the server knows the cursor that was asked from. Where not, there are no changes, and
    /// the server may have been restored.
    pub known: bool,
    /// Whether the cursor is below the horizon: compare a manifest. Then there are no changes.
    #[serde(default)]
    pub below_horizon: bool,
    /// Table → names of the values of its rows, in order.
    #[serde(default)]
    pub columns: BTreeMap<String, Vec<String>>,
    /// What changed, by seq, table and row.
    #[serde(borrow)]
    pub changes: Vec<Change<'a>>,
    /// Where the next pull goes on.
    pub cursor: Cursor,
}

/// All of a [`Page`] but its rows: what the engine decides by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// [`Page::head`].
    pub head: Head,
    /// [`Page::horizon`].
    pub horizon: i64,
    /// [`Page::server_ms`].
    pub server_ms: i64,
    /// [`Page::schema`].
    pub schema: [i64; 2],
    /// [`Page::has_more`].
    pub has_more: bool,
    /// [`Page::known`].
    pub known: bool,
    /// [`Page::below_horizon`].
    pub below_horizon: bool,
    /// [`Page::cursor`].
    pub cursor: Cursor,
    /// How many changes the page has.
    pub changes: usize,
}

impl Page<'_> {
    /// The page without its rows.
    pub fn summary(&self) -> Summary {
        Summary {
            head: self.head,
            horizon: self.horizon,
            server_ms: self.server_ms,
            schema: self.schema,
            has_more: self.has_more,
            known: self.known,
            below_horizon: self.below_horizon,
            cursor: self.cursor.clone(),
            changes: self.changes.len(),
        }
    }
}

/// One row of a page: `[tbl, seq, op, row_id, row | null]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Change<'a> {
    /// The table's name. One that [`super::Table::named`] does not know comes from a newer server.
    #[serde(borrow)]
    pub tbl: Cow<'a, str>,
    /// The transaction that changed it last.
    pub seq: i64,
    /// What happened.
    pub op: EntryKind,
    /// Which row.
    pub row_id: Uuid,
    /// Its values in the order of [`Page::columns`]; none for `D` and `X`.
    #[serde(borrow)]
    pub row: Option<Vec<Cell<'a>>>,
}

impl Serialize for Change<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        (&self.tbl, self.seq, self.op, self.row_id, &self.row).serialize(out)
    }
}

/// What a change table's entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryKind {
    /// There, and this is the row.
    U,
    /// Gone for all.
    D,
    /// Left this scope.
    X,
}

/// The answer of `sync_snapshot`: rows of one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot<'a> {
    /// Names of the rows' values, in order.
    pub columns: Vec<String>,
    /// The rows.
    #[serde(borrow)]
    pub rows: Vec<Entry<'a>>,
    /// Where to go on; none: the table is done.
    #[serde(default)]
    pub after: Option<After>,
    /// Whether there is more.
    pub has_more: bool,
}

/// The answer of `sync_rows`: those of the rows asked for that there are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rows<'a> {
    /// Names of the rows' values, in order.
    pub columns: Vec<String>,
    /// The rows.
    #[serde(borrow)]
    pub rows: Vec<Entry<'a>>,
}

/// A row of a snapshot: `[seq, row_id, row]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Entry<'a> {
    /// The transaction that changed it last.
    pub seq: i64,
    /// Which row.
    pub row_id: Uuid,
    /// Its values in the order of the columns.
    #[serde(borrow)]
    pub row: Vec<Cell<'a>>,
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        (self.seq, self.row_id, &self.row).serialize(out)
    }
}

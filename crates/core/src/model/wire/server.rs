//! What the server tells of itself: `sync_hello`, `sync_anchor`, `sync_manifest`, `sync_digest`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use super::Head;

/// The argument `device` of `sync_hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its id.
    pub id: Uuid,
    /// The name that a person gave the computer.
    pub name: String,
    /// `linux`, `windows` or `macos`.
    pub platform: String,
    /// Tidemark's version.
    pub app_version: String,
}

/// The answer of `sync_hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The oldest and the newest schema that the server speaks.
    pub schema: [i64; 2],
    /// The server's time.
    pub server_ms: i64,
    /// Who is signed in.
    pub user_id: Uuid,
    /// `user` or `admin`.
    pub role: String,
    /// The profile's state.
    pub state: String,
    /// The scope's head.
    pub head: Head,
    /// Below this seq the server no longer knows what was deleted.
    pub horizon: i64,
    /// Operations up to this number are settled and forgotten: a number at or below it is never done.
    #[serde(default)]
    pub acked_through: i64,
    /// The highest number of this device's operations that the server has seen.
    #[serde(default)]
    pub numbered_through: i64,
}

/// The answer of `sync_anchor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The highest of the points that the server knows, `[seq, nonce]`.
    pub known: Option<(i64, i64)>,
    /// The scope's head.
    pub head: Head,
}

/// The answer of `sync_manifest`: all rows of one table, by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The rows.
    pub rows: Vec<Listed>,
    /// Whether there are more after the last.
    pub has_more: bool,
    /// The scope's head.
    pub head: Head,
    /// How many rows the table has in all; on the first page only.
    #[serde(default)]
    pub count: Option<i64>,
    /// Whose they are.
    pub user_id: Uuid,
}

/// A row of a manifest: `[id, seq, hash]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Listed {
    /// Which row.
    pub id: Uuid,
    /// The transaction that changed it last.
    pub seq: i64,
    /// Its content hash, in hexadecimal.
    pub hash: String,
}

impl Serialize for Listed {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        (self.id, self.seq, &self.hash).serialize(out)
    }
}

/// The answer of `sync_digest`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// `[conversation, digest in hexadecimal]`, by id.
    pub conversations: Vec<(Uuid, String)>,
    /// Table → digest in hexadecimal, of the tables that belong to no conversation; on the first page only.
    #[serde(default)]
    pub others: Option<BTreeMap<String, String>>,
    /// Whether there are more conversations after the last.
    pub has_more: bool,
    /// The scope's head.
    pub head: Head,
}

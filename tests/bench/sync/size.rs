//! What a mirror takes on the disk, and the same rows in plain tables.

use std::fs;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use tidemark_core::mirror::Mirror;
use tidemark_tests::device;

/// Sizes in MB.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Sizes {
    /// The mirror, with its search index.
    pub(crate) mirror_mb: f64,
    /// The mirror before it was indexed.
    pub(crate) without_index_mb: f64,
    /// The rows of conversations and messages in a file without encryption, keys and indexes.
    pub(crate) plain_mb: f64,
}

/// The size of the mirror's file, with nothing left in its log.
pub(crate) fn of(mirror: &Mirror) -> anyhow::Result<f64> {
    mirror.checkpoint()?;
    mb(mirror.path())
}

/// The size of the same rows in plain tables.
pub(crate) fn plain(mirror: &Mirror) -> anyhow::Result<f64> {
    let path = mirror.path().with_extension("plain");
    let connection = Connection::open(mirror.path())?;
    device::key()?.unlock(&connection)?;
    let name = path.to_str().unwrap_or_default();
    connection.execute("ATTACH DATABASE ?1 AS plain KEY ''", [name])?;
    connection.execute_batch(
        "CREATE TABLE plain.conversations AS SELECT * FROM conversations;
         CREATE TABLE plain.messages AS SELECT * FROM messages;
         DETACH DATABASE plain;",
    )?;
    let size = mb(&path)?;
    fs::remove_file(path)?;
    Ok(size)
}

fn mb(path: &std::path::Path) -> anyhow::Result<f64> {
    Ok(fs::metadata(path)?.len() as f64 / 1e6)
}

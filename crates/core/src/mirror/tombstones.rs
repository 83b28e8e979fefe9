//! The table `tombstones`: rows that were deleted for all, so that a restored server hears of it again.

use rusqlite::params;
use uuid::Uuid;

use super::{Error, Write};
use crate::model::wire::Table;

/// How long one is kept, in milliseconds: as long as a server remembers.
const KEPT_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

/// Remembers a deletion, and forgets what is too old to matter.
pub(super) fn remember(
    write: &mut Write<'_>,
    table: Table,
    id: Uuid,
    seq: i64,
) -> Result<(), Error> {
    let at = write.server_now()?;
    write
        .tx
        .prepare_cached(
            "INSERT OR REPLACE INTO tombstones (tbl, row_id, seq, at_ms) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![table.code(), id.as_bytes(), seq, at])?;
    write
        .tx
        .prepare_cached("DELETE FROM tombstones WHERE at_ms < ?1")?
        .execute([at.plus_ms(-KEPT_MS)])?;
    Ok(())
}

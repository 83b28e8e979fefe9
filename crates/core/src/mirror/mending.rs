//! Whether rows are on the server that are gone here by a deletion that does not stand (it lost, or was given up),
//! and have to be fetched.
//!
//! Written beside what told it, so that it is done whatever becomes of this program meanwhile.

use rusqlite::{Connection, OptionalExtension};

use super::{Error, Mirror, Write};

/// There are such rows.
pub(super) fn begin(write: &Write<'_>) -> Result<(), Error> {
    write.tx.execute("UPDATE account SET mending = 1", [])?;
    Ok(())
}

/// Whether there are.
pub fn is_due(connection: &Connection) -> Result<bool, Error> {
    Ok(connection
        .prepare_cached("SELECT mending FROM account")?
        .query_row([], |row| row.get(0))
        .optional()?
        .unwrap_or(false))
}

/// All that differed was fetched.
pub fn end(mirror: &Mirror) -> Result<(), Error> {
    if !mirror.read(is_due)? {
        return Ok(());
    }
    mirror.write(|write| {
        write.tx.execute("UPDATE account SET mending = 0", [])?;
        Ok(())
    })
}

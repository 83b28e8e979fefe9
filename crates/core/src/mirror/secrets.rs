//! The table `secrets`: provider keys, only where a key file stands in for the keyring.

use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use super::{Error, Write};

/// A secret by name.
pub fn get(connection: &Connection, name: &str) -> Result<Option<Zeroizing<String>>, Error> {
    Ok(connection
        .query_row("SELECT value FROM secrets WHERE name = ?1", [name], |row| row.get(0))
        .optional()?
        .map(Zeroizing::new))
}

/// Sets a secret, or removes it.
pub fn set(write: &mut Write<'_>, name: &str, value: Option<&str>) -> Result<(), Error> {
    match value {
        Some(value) => write.tx.execute(
            "INSERT INTO secrets (name, value) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET value = excluded.value",
            params![name, value],
        )?,
        None => write.tx.execute("DELETE FROM secrets WHERE name = ?1", [name])?,
    };
    Ok(())
}

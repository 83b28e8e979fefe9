//! The table `settings`: JSON values by key. What keys there are, and what they may hold, is the
//! api's business.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use uuid::Uuid;

use super::{Error, Row, Write};
use crate::model::wire::setting_id;

/// A setting's value; none where nobody set it, or where it cannot be read.
pub fn get(connection: &Connection, key: &str) -> Result<Option<Value>, Error> {
    let text: Option<String> = connection
        .prepare_cached("SELECT value FROM settings WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// The key of the setting with this id; none where there is no such setting.
pub fn key_of(connection: &Connection, id: Uuid) -> Result<Option<String>, Error> {
    let key = connection
        .prepare_cached("SELECT key FROM settings WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(key)
}

/// Sets a value.
pub fn set(write: &mut Write<'_>, key: &str, value: &Value) -> Result<(), Error> {
    write.before(Row::Setting(key))?;
    write.tx.execute(
        "INSERT INTO settings (id, key, value, updated_ms)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        params![setting_id(key).as_bytes(), key, value.to_string(), write.now],
    )?;
    write.synced(Row::Setting(key), &["value"])
}

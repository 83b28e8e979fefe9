//! What the sync engine reads beside the tables' own questions: ids of rows that the server knows, and
//! the device's id as it is now.

use rusqlite::Connection;
use uuid::Uuid;

use super::Error;
use crate::model::wire::Table;
use crate::model::{DeviceId, Timestamp};

/// The rows of a table that the server knows, by id.
pub fn ids(connection: &Connection, table: Table) -> Result<Vec<Uuid>, Error> {
    let sql = format!("SELECT id FROM {} WHERE server_seq IS NOT NULL ORDER BY id", table.name());
    collect(connection, &sql, [])
}

/// The messages of a conversation that the server knows, by id.
pub fn messages(connection: &Connection, conversation: Uuid) -> Result<Vec<Uuid>, Error> {
    let sql = "SELECT id FROM messages
                WHERE conversation_id = ?1 AND server_seq IS NOT NULL ORDER BY id";
    collect(connection, sql, [conversation.into_bytes()])
}

/// The conversations that the server knows, or knows messages of, by id.
pub fn conversations(connection: &Connection) -> Result<Vec<Uuid>, Error> {
    let sql = "SELECT id FROM conversations WHERE server_seq IS NOT NULL
               UNION
               SELECT conversation_id FROM messages WHERE server_seq IS NOT NULL
               ORDER BY 1";
    collect(connection, sql, [])
}

fn collect<P: rusqlite::Params>(
    connection: &Connection,
    sql: &str,
    params: P,
) -> Result<Vec<Uuid>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map(params, |row| row.get(0).map(Uuid::from_bytes))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// This data folder's id as a device, as it is now: one that was found to be a copy took another.
pub fn device_id(connection: &Connection) -> Result<DeviceId, Error> {
    Ok(connection
        .prepare_cached("SELECT device_id FROM mirror WHERE only = 1")?
        .query_row([], |row| row.get(0))?)
}

/// When the oldest operation without an outcome was made.
pub fn waits_since(connection: &Connection) -> Result<Option<Timestamp>, Error> {
    Ok(connection
        .prepare_cached(
            "SELECT created_ms FROM outbox WHERE state IN ('waiting', 'in_flight') ORDER BY n LIMIT 1",
        )?
        .query_map([], |row| row.get(0))?
        .next()
        .transpose()?)
}

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

/// A device, as it stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// The computer's name.
    pub name: String,
    /// `linux`, `macos` or `windows`.
    pub platform: String,
    /// The version of Tidemark that it last ran.
    pub app_version: String,
    /// Since when it belongs to the account.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// All devices that are known here.
pub fn devices(connection: &Connection) -> Result<Vec<Device>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, platform, app_version, created_ms, revoked_ms FROM devices ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Device {
            id: row.get(0)?,
            name: row.get(1)?,
            platform: row.get(2)?,
            app_version: row.get(3)?,
            created_at: row.get(4)?,
            revoked_at: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The name of the account's one other device in use; none where there is none, or several.
pub fn only_other_device(connection: &Connection) -> Result<Option<String>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT name FROM devices
          WHERE revoked_ms IS NULL AND id != (SELECT device_id FROM mirror WHERE only = 1)
          LIMIT 2",
    )?;
    let mut names: Vec<String> =
        statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names.pop().filter(|_| names.is_empty()))
}

/// A message that is not on the server as it stands here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The message.
    pub id: Uuid,
    /// Since when.
    pub since: Timestamp,
    /// Whether the server refused it, or something before it in its conversation.
    pub is_stuck: bool,
}

/// The messages of a conversation that have operations without an outcome.
pub fn waiting(connection: &Connection, conversation: Uuid) -> Result<Vec<Waiting>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT row_id, min(created_ms),
                max(state = 'parked' OR EXISTS (SELECT 1 FROM outbox p
                                                 WHERE p.queue = o.queue AND p.n < o.n AND p.state = 'parked'))
           FROM outbox o
          WHERE queue = ?1 AND tbl = ?2 AND state IN ('waiting', 'in_flight', 'parked')
          GROUP BY row_id
          ORDER BY min(n)",
    )?;
    let of = rusqlite::params![conversation.as_bytes(), Table::Messages.code()];
    let found = statement.query_map(of, |row| {
        let id = row.get(0).map(Uuid::from_bytes)?;
        Ok(Waiting { id, since: row.get(1)?, is_stuck: row.get(2)? })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
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

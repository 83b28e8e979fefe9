//! Opening the file: key, pragmas, refusals, connections.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use tokio::sync::Notify;
use uuid::Uuid;

use super::key::Key;
use super::{Error, Inner, Mirror, READERS, SLOW, migrate};
use crate::clock::SharedClock;
use crate::events::Events;
use crate::model::DeviceId;
use crate::timings::Timings;

/// The file's name in the data folder.
pub const FILE: &str = "mirror.db";

/// How long a writer waits for another process.
const BUSY: Duration = Duration::from_secs(5);

/// Opens the mirror at `path`, makes it where there is none, and brings its schema up to date.
///
/// `id` is the mirror's id, given to a new file. A newer file is refused before anything is written.
///
/// # Errors
/// [`Error::WrongKey`] stands for "not readable with this key": whoever knows the key's fingerprint
/// tells a wrong key from a damaged first page.
pub fn open(
    path: &Path,
    key: &Key,
    id: Uuid,
    clock: SharedClock,
    events: Events,
) -> Result<Mirror, Error> {
    let mut writer = connect(path, key, Access::Write)?;
    prepare_file(&writer)?;
    migrate::apply(&mut writer, migrate::MIGRATIONS, clock.now())?;
    let id = identity(&writer, id, &clock)?;
    let readers = (0..READERS)
        .map(|_| connect(path, key, Access::Read).map(Into::into))
        .collect::<Result<_, _>>()?;
    Ok(Mirror {
        inner: Arc::new(Inner {
            path: path.to_owned(),
            key: key.clone(),
            id,
            clock,
            events,
            writer: Mutex::new(writer.into()),
            readers: Mutex::new(readers),
            reader_free: Condvar::new(),
            dirty: Notify::new(),
            persons: Default::default(),
            timings: Timings::slow_from(SLOW),
        }),
    })
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    Read,
}

/// One connection, keyed and checked: the first read fails on a wrong key, and a newer file is
/// refused before anything is written.
pub(super) fn connect(path: &Path, key: &Key, access: Access) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags)?;
    // Whoever leaves last writes the log back into the file; one that is refused must not.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // What it finds becomes an error of ours; standard error belongs to the command line.
    connection.pragma_update(None, "cipher_log_level", "NONE")?;
    key.unlock(&connection)?;
    connection.busy_timeout(BUSY)?;
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        .map_err(|error| match Error::from(error) {
            Error::Corrupt(_) => Error::WrongKey,
            other => other,
        })?;
    migrate::refuse_newer(&connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    // Temporary tables and sorters would be written in the clear: keep them in memory.
    connection.execute_batch(
        "PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = OFF;",
    )?;
    let cache_kib = if access == Access::Write { -16_000 } else { -8_000 };
    connection.pragma_update(None, "cache_size", cache_kib)?;
    connection.set_prepared_statement_cache_capacity(64);
    if access == Access::Read {
        connection.pragma_update(None, "query_only", true)?;
    }
    Ok(connection)
}

/// What is written into the file itself.
fn prepare_file(connection: &Connection) -> Result<(), Error> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection
        .execute_batch("PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000;")?;
    Ok(())
}

pub(super) fn identity(
    connection: &Connection,
    id: Uuid,
    clock: &SharedClock,
) -> Result<Uuid, Error> {
    if let Some(found) = read_identity(connection)? {
        return Ok(found);
    }
    // Another process may be making the same file: the first one's ids hold.
    connection.execute(
        "INSERT INTO mirror (only, id, device_id, created_ms)
         VALUES (1, ?1, ?2, ?3)
         ON CONFLICT DO NOTHING",
        params![id.as_bytes(), DeviceId(clock.new_id()), clock.now()],
    )?;
    read_identity(connection)?.ok_or(Error::NotFound("mirror"))
}

fn read_identity(connection: &Connection) -> Result<Option<Uuid>, Error> {
    Ok(connection
        .query_row("SELECT id FROM mirror WHERE only = 1", [], |row| {
            row.get(0).map(Uuid::from_bytes)
        })
        .optional()?)
}

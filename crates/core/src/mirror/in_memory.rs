//! A mirror without a file, for the simulator: the same code over SQLite's in-memory file system, ready
//! in a fraction of a millisecond because the schema is copied from one that was made before.

use std::cell::OnceCell;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Notify;
use uuid::Uuid;

use super::key::Key;
use super::{Error, Inner, Mirror, SLOW, migrate, open};
use crate::clock::SharedClock;
use crate::events::Events;
use crate::model::Timestamp;
use crate::timings::Timings;

thread_local! {
    static TEMPLATE: OnceCell<Connection> = const { OnceCell::new() };
}

/// A new mirror under a name that nobody else in this process has. It ends with its last owner.
pub fn in_memory(
    name: &str,
    id: Uuid,
    clock: SharedClock,
    events: Events,
) -> Result<Mirror, Error> {
    let mut writer = connect(name)?;
    TEMPLATE.with(|cell| match cell.get() {
        Some(template) => copy(template, &mut writer),
        None => {
            let mut template = Connection::open_in_memory()?;
            migrate::apply(&mut template, migrate::MIGRATIONS, Timestamp(0))?;
            copy(&template, &mut writer)?;
            let _ = cell.set(template);
            Ok(())
        }
    })?;
    let id = open::identity(&writer, id, &clock)?;
    let reader = connect(name)?;
    reader.pragma_update(None, "query_only", true)?;
    Ok(Mirror {
        inner: Arc::new(Inner {
            path: Path::new(name).to_owned(),
            key: Key::from_bytes(&[0; 48]).expect("48 bytes are a key"),
            id,
            clock,
            events,
            writer: Mutex::new(writer.into()),
            readers: Mutex::new(vec![reader.into()]),
            reader_free: Condvar::new(),
            dirty: Notify::new(),
            persons: Default::default(),
            timings: Timings::slow_from(SLOW),
        }),
    })
}

fn connect(name: &str) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(format!("file:/{name}?vfs=memdb"), flags)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

fn copy(from: &Connection, to: &mut Connection) -> Result<(), Error> {
    let backup = Backup::new(from, to)?;
    while backup.step(-1)? == StepResult::More {}
    Ok(())
}

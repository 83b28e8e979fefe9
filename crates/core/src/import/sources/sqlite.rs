//! A SQLite file that somebody else wrote, and that may be made to harm.
//!
//! It is copied into a private folder, with the log that may lie beside it; only the copy is opened, with
//! nothing in its schema trusted, read from real tables alone, and not for longer than any true file needs.
//! The original is read once and never opened by SQLite.

use std::fs::File;
use std::io;

use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::files::Found;
use crate::import::Text;

/// Steps of SQLite's machine that one file may take; the largest true ones need a tenth.
const STEPS: u64 = 400_000_000;
const STEPS_BETWEEN: i32 = 100_000;
/// No value is longer, in bytes.
const LONGEST: i32 = 8 << 20;

/// How each such file begins.
pub(super) const MARK: &[u8] = b"SQLite format 3\0";

/// An open copy, which goes with this.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) connection: Connection,
    _folder: TempDir,
}

impl Copy {
    /// Copies and opens it.
    pub(super) fn of(file: &Found) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tidemark-").tempdir()?;
        let copy = folder.path().join("store");
        io::copy(&mut file.open()?, &mut File::create_new(&copy)?)?;
        let log = file.beside("-wal");
        let has_log = match log.open() {
            Ok(mut log) => {
                io::copy(&mut log, &mut File::create_new(folder.path().join("store-wal"))?)? > 0
            }
            Err(_) => false,
        };
        let mut url = url::Url::from_file_path(&copy)
            .map_err(|()| io::Error::other("the temporary folder has no name"))?;
        // A log is brought into the copy when that is opened, which therefore has to be written.
        url.set_query(Some(if has_log { "mode=rw" } else { "mode=ro&immutable=1" }));
        let connection = open(url.as_str(), has_log).map_err(io::Error::other)?;
        Ok(Self { connection, _folder: folder })
    }

    /// A view, or a virtual table, under one of these names would run what somebody else wrote; a column
    /// that is computed would, too.
    pub(super) fn has_tables(&self, names: &[&str]) -> rusqlite::Result<()> {
        let mut table = self.connection.prepare(
            "SELECT count(*)
               FROM sqlite_master
              WHERE name = ?1
                AND type = 'table'
                AND rootpage > 0
                AND sql LIKE 'CREATE TABLE %'",
        )?;
        let mut computed = self
            .connection
            .prepare("SELECT count(*) FROM pragma_table_xinfo(?1) WHERE hidden <> 0")?;
        for name in names {
            let count =
                |of: &mut rusqlite::Statement<'_>| of.query_row([name], |row| row.get::<_, i64>(0));
            if (count(&mut table)?, count(&mut computed)?) != (1, 0) {
                let why = "it has not the tables of such a store";
                return Err(rusqlite::Error::InvalidPath(why.into()));
            }
        }
        Ok(())
    }
}

fn open(url: &str, has_log: bool) -> rusqlite::Result<Connection> {
    let mode = match has_log {
        true => OpenFlags::SQLITE_OPEN_READ_WRITE,
        false => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let flags = mode | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(url, flags)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST)?;
    let mut steps = 0;
    connection.progress_handler(
        STEPS_BETWEEN,
        Some(move || {
            steps += STEPS_BETWEEN as u64;
            steps > STEPS
        }),
    )?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF;
         PRAGMA query_only = ON;
         PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0;
         PRAGMA cache_size = -4096;",
    )?;
    Ok(connection)
}

/// A value as text, whatever bytes it has.
pub(super) fn text(value: ValueRef<'_>) -> Text {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Text::from_bytes(bytes.to_vec()),
        ValueRef::Integer(number) => Text::from(number.to_string()),
        ValueRef::Real(number) => Text::from(number.to_string()),
        ValueRef::Null => Text::default(),
    }
}

//! Schema migrations: `migrations/mirror/*.sql`, in order, each in one transaction.
//!
//! The text of what was applied is remembered by its SHA-256, so that a migration that was changed
//! after its release is noticed instead of trusted. A file with a newer schema is left alone.

use rusqlite::{Connection, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use super::Error;
use crate::model::Timestamp;

/// One step of the schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Counts from 1 without gaps.
    pub version: i64,
    /// The file's name.
    pub name: &'static str,
    /// The file's text.
    pub sql: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal),* $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../../../migrations/mirror/", $name)),
        }),*]
    };
}

/// All migrations, oldest first.
pub const MIGRATIONS: &[Migration] =
    migrations![1 "0001_first.sql", 2 "0002_sync.sql", 3 "0003_import.sql", 4 "0004_mending.sql"];

/// The newest schema that this program knows.
pub fn latest() -> i64 {
    MIGRATIONS.len() as i64
}

/// The schema of a file; 0 for a new one. Reads only.
pub fn version(connection: &Connection) -> Result<i64, Error> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Refuses a file with a newer schema, before anything is written to it.
pub fn refuse_newer(connection: &Connection) -> Result<(), Error> {
    let (found, known) = (version(connection)?, latest());
    if found > known { Err(Error::Newer { found, known }) } else { Ok(()) }
}

/// Brings a file to `migrations`' last version. Done twice it does nothing; a crash between two
/// steps leaves the earlier one, whole.
pub fn apply(
    connection: &mut Connection,
    migrations: &[Migration],
    now: Timestamp,
) -> Result<(), Error> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (
             version    INTEGER PRIMARY KEY,
             name       TEXT    NOT NULL,
             sha256     BLOB    NOT NULL,
             applied_ms INTEGER NOT NULL
         ) STRICT",
    )?;
    for migration in migrations {
        // Asked without the write lock first: whoever only opens waits for nobody.
        if applied(connection, migration.version)?.is_some_and(|hash| hash == digest(migration)) {
            continue;
        }
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have been faster, so what is there is asked under the write lock.
        match applied(&tx, migration.version)? {
            Some(hash) if hash == digest(migration) => continue,
            Some(_) => return Err(Error::MigrationChanged(migration.version)),
            None => {}
        }
        tx.execute_batch(migration.sql)?;
        tx.execute(
            "INSERT INTO migrations (version, name, sha256, applied_ms) VALUES (?1, ?2, ?3, ?4)",
            params![migration.version, migration.name, digest(migration), now],
        )?;
        tx.pragma_update(None, "user_version", migration.version)?;
        tx.commit()?;
    }
    Ok(())
}

fn applied(connection: &Connection, version: i64) -> Result<Option<Vec<u8>>, Error> {
    let mut statement = connection.prepare("SELECT sha256 FROM migrations WHERE version = ?1")?;
    let mut rows = statement.query([version])?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

/// Over the text with Unix line ends, so that a checkout's line ends do not count.
fn digest(migration: &Migration) -> Vec<u8> {
    Sha256::digest(migration.sql.replace("\r\n", "\n")).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Connection {
        Connection::open_in_memory().expect("memory is there")
    }

    #[test]
    fn versions_count_from_one_without_gaps() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.version, index as i64 + 1, "{}", migration.name);
            assert!(migration.name.starts_with(&format!("{:04}_", migration.version)));
        }
    }

    #[test]
    fn applying_twice_changes_nothing() {
        let mut connection = memory();
        apply(&mut connection, MIGRATIONS, Timestamp(1)).expect("applies");
        let before = connection.changes();
        apply(&mut connection, MIGRATIONS, Timestamp(2)).expect("applies again");
        assert_eq!(connection.changes(), before);
        assert_eq!(version(&connection).expect("has one"), latest());
    }

    #[test]
    fn a_changed_migration_is_noticed() {
        let mut connection = memory();
        let one = [Migration { version: 1, name: "0001_a.sql", sql: "CREATE TABLE a (x) " }];
        let other = [Migration { version: 1, name: "0001_a.sql", sql: "CREATE TABLE a (y) " }];
        apply(&mut connection, &one, Timestamp(1)).expect("applies");
        let error = apply(&mut connection, &other, Timestamp(1)).expect_err("differs");
        assert!(matches!(error, Error::MigrationChanged(1)), "{error:?}");
    }

    #[test]
    fn a_migration_that_fails_leaves_the_version_before_it() {
        let mut connection = memory();
        let steps = [
            Migration { version: 1, name: "0001_a.sql", sql: "CREATE TABLE a (x)" },
            Migration {
                version: 2,
                name: "0002_b.sql",
                sql: "CREATE TABLE b (x); CREATE TABLE a (x)",
            },
        ];
        apply(&mut connection, &steps, Timestamp(1)).expect_err("the second fails");
        assert_eq!(version(&connection).expect("has one"), 1);
        assert!(connection.prepare("SELECT * FROM b").is_err(), "half a migration is visible");
    }

    #[test]
    fn a_clock_that_stood_under_an_older_name_is_found_under_the_wire_s() {
        let mut connection = memory();
        apply(&mut connection, &MIGRATIONS[..1], Timestamp(1)).expect("applies");
        connection
            .execute_batch(
                r#"INSERT INTO conversations (id, clocks, created_ms, updated_ms, active_ms)
                   VALUES (zeroblob(16), '{"title":3,"trashed":7}', 1, 1, 1),
                          (randomblob(16), '{"title":3}', 1, 1, 1)"#,
            )
            .expect("written");
        apply(&mut connection, MIGRATIONS, Timestamp(2)).expect("applies");
        let clocks: Vec<String> = connection
            .prepare("SELECT clocks FROM conversations ORDER BY rowid")
            .and_then(|mut s| s.query_map([], |r| r.get(0))?.collect())
            .expect("listed");
        assert_eq!(clocks, [r#"{"title":3,"trashed_ms":7}"#, r#"{"title":3}"#]);
    }

    #[test]
    fn every_table_is_strict() {
        let mut connection = memory();
        apply(&mut connection, MIGRATIONS, Timestamp(1)).expect("applies");
        let loose: Vec<String> = connection
            .prepare(
                "SELECT name FROM pragma_table_list
                  WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
            )
            .and_then(|mut s| s.query_map([], |r| r.get(0))?.collect())
            .expect("listed");
        assert_eq!(loose, Vec::<String>::new());
    }
}

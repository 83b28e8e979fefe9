//! Putting salvaged rows into a fresh mirror.

use std::collections::HashSet;

use rusqlite::types::Value;
use rusqlite::{Transaction, params, params_from_iter};

use super::gather::Sink;
use super::shape::Table;
use super::survey::Record;
use crate::mirror::Error;

/// Tables that say something of the file itself; a fresh one has its own.
pub(super) const OF_THE_FILE: [&str; 2] = ["migrations", "mirror"];

/// Inserts rows as they come; the first of two with the same key stays.
pub(super) struct Fill<'t, 'c> {
    tx: &'t Transaction<'c>,
    tables: &'t [Table],
    saved: Vec<HashSet<i64>>,
    schema: i64,
    /// The old file's device, last hybrid clock and age.
    identity: Option<(Vec<u8>, i64, i64)>,
}

impl<'t, 'c> Fill<'t, 'c> {
    pub(super) fn new(tx: &'t Transaction<'c>, tables: &'t [Table]) -> Self {
        let saved = tables.iter().map(|_| HashSet::new()).collect();
        Self { tx, tables, saved, schema: 0, identity: None }
    }

    /// The rowids that a table got (a running number where it has none).
    pub(super) fn saved(&self, table: usize) -> &HashSet<i64> {
        &self.saved[table]
    }

    /// The newest migration that the damaged file says it had.
    pub(super) fn schema(&self) -> i64 {
        self.schema
    }

    /// Makes the fresh file the same device as the damaged one, with clocks that do not go back.
    pub(super) fn identity(&self) -> Result<(), Error> {
        if let Some((device, hlc, created_ms)) = &self.identity {
            self.tx.execute(
                "UPDATE mirror SET device_id = ?1, hlc = max(hlc, ?2), created_ms = min(created_ms, ?3)",
                params![device, hlc, created_ms],
            )?;
        }
        for table in ["conversations", "settings"] {
            self.tx.execute(
                &format!(
                    "UPDATE mirror
                        SET hlc = max(hlc, (SELECT coalesce(max(c.value), 0)
                                              FROM {table} t, json_each(t.clocks) c
                                             WHERE json_valid(t.clocks) AND c.type = 'integer'))"
                ),
                [],
            )?;
        }
        Ok(())
    }

    fn of_the_file(&mut self, name: &str, record: &Record) {
        match (name, record.columns.as_slice()) {
            ("migrations", _) => self.schema = self.schema.max(record.rowid),
            (
                "mirror",
                [_, _, Value::Blob(device), Value::Integer(hlc), Value::Integer(created)],
            ) => {
                let identity = (device.clone(), *hlc, *created);
                self.identity.get_or_insert(identity);
            }
            _ => {}
        }
    }

    fn insert(&mut self, index: usize, record: &Record) -> Result<(), Error> {
        let table = &self.tables[index];
        let columns = &table.columns[..record.columns.len().min(table.columns.len())];
        let names: Vec<_> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let places: Vec<_> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
        let sql = format!(
            "INSERT OR IGNORE INTO {} ({}) VALUES ({})",
            table.name,
            names.join(", "),
            places.join(", ")
        );
        let rowid = Value::Integer(record.rowid);
        let values = columns
            .iter()
            .zip(&record.columns)
            .map(|(column, value)| if column.is_rowid { &rowid } else { value });
        let inserted = self.tx.prepare_cached(&sql)?.execute(params_from_iter(values));
        match inserted {
            Ok(1) if table.without_rowid => {
                let number = self.saved[index].len() as i64;
                self.saved[index].insert(number);
            }
            Ok(1) => {
                self.saved[index].insert(record.rowid);
            }
            // A row that the schema does not take is as good as one that cannot be read.
            Ok(_) => {}
            Err(error) if is_constraint(&error) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

impl Sink for Fill<'_, '_> {
    fn row(&mut self, table: usize, record: &Record) -> Result<(), Error> {
        let name = &self.tables[table].name;
        if OF_THE_FILE.contains(&name.as_str()) {
            let name = name.clone();
            self.of_the_file(&name, record);
            return Ok(());
        }
        self.insert(table, record)
    }
}

fn is_constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}

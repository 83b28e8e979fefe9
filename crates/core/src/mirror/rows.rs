//! Synced rows, table by table alike: between their columns here and their fields on the wire.
//!
//! Columns have the names of the wire's fields, so one description ([`Table::fields`]) makes every
//! statement. What a person's click writes goes through the file of its table; what comes from the
//! server or goes there comes through here.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::types::{ToSql, ToSqlOutput, Value as SqlValue, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Error;
use crate::model::hex;
use crate::model::wire::{Cell, Clocks, Field, FieldKind, Table};

/// A row as it stands here, in the words of the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its rowid.
    pub rowid: i64,
    /// Its id.
    pub id: Uuid,
    /// The transaction that changed it last on the server, as far as this device knows; none where the
    /// server has never seen it.
    pub seq: Option<i64>,
    /// When it last changed.
    pub updated_ms: i64,
    /// Register → clock.
    pub clocks: Clocks,
    /// Field → value, all of the table's.
    pub fields: Map<String, Value>,
    /// Field → value, of a newer server's.
    pub extra: Map<String, Value>,
}

impl Stored {
    /// The id that stands in a field.
    pub(super) fn id_in(&self, field: &str) -> Option<Uuid> {
        self.fields.get(field)?.as_str()?.parse().ok()
    }

    /// The queue of its operations.
    pub(super) fn queue(&self, table: Table) -> Uuid {
        let named = match table {
            Table::Messages => self.id_in("conversation_id"),
            Table::Files => self.id_in("document_id").or_else(|| self.id_in("message_id")),
            _ => None,
        };
        named.unwrap_or(self.id)
    }

    /// The clock of a register; of one that never changed, when the row was made.
    pub(super) fn clock(&self, register: &str) -> i64 {
        self.clocks.get(register).copied().unwrap_or_else(|| {
            let made = self.fields.get("created_ms").and_then(Value::as_i64);
            made.unwrap_or(self.updated_ms).clamp(0, i64::MAX >> 16) << 16
        })
    }

    /// Some of its fields.
    pub(super) fn only(&self, names: &[&str]) -> Map<String, Value> {
        let named = names.iter().filter_map(|name| self.fields.get_key_value(*name));
        named.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// The columns that [`read`] takes, in the order that [`from_row`] expects.
fn columns(table: Table) -> &'static str {
    static ALL: OnceLock<Vec<String>> = OnceLock::new();
    &ALL.get_or_init(|| {
        let names = |table: &Table| {
            let fields: Vec<_> = table.fields().iter().map(|field| field.name).collect();
            format!("rowid, id, server_seq, updated_ms, clocks, extra, {}", fields.join(", "))
        };
        Table::ALL.iter().map(names).collect()
    })[usize::from(table.code()) - 1]
}

fn from_row(table: Table, row: &Row<'_>) -> rusqlite::Result<Stored> {
    let mut fields = Map::new();
    for (index, field) in table.fields().iter().enumerate() {
        fields.insert(field.name.to_owned(), to_wire(row.get_ref(6 + index)?, field.kind));
    }
    Ok(Stored {
        rowid: row.get(0)?,
        id: row.get(1).map(Uuid::from_bytes)?,
        seq: row.get(2)?,
        updated_ms: row.get(3)?,
        clocks: parsed(row.get_ref(4)?),
        extra: parsed(row.get_ref(5)?),
        fields,
    })
}

fn parsed<T: serde::de::DeserializeOwned + Default>(value: ValueRef<'_>) -> T {
    let text = value.as_str_or_null().ok().flatten();
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// A column's value as it travels.
fn to_wire(value: ValueRef<'_>, kind: FieldKind) -> Value {
    match value {
        ValueRef::Integer(number) if kind == FieldKind::Bool => (number != 0).into(),
        ValueRef::Integer(number) => number.into(),
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned().into(),
        ValueRef::Blob(bytes) => match kind {
            FieldKind::Id => {
                Uuid::from_slice(bytes).map_or(Value::Null, |id| id.to_string().into())
            }
            FieldKind::Hex => hex(bytes).into(),
            _ => BASE64.encode(bytes).into(),
        },
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
    }
}

/// One row.
pub fn read(connection: &Connection, table: Table, id: Uuid) -> Result<Option<Stored>, Error> {
    let sql = format!("SELECT {} FROM {} WHERE id = ?1", columns(table), table.name());
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([id.as_bytes()], |row| from_row(table, row)).optional()?)
}

/// Rows after a rowid, in its order; `filter` is a condition on them.
pub(super) fn after(
    connection: &Connection,
    table: Table,
    filter: &str,
    rowid: i64,
    limit: usize,
) -> Result<Vec<Stored>, Error> {
    let sql = format!(
        "SELECT {} FROM {} WHERE rowid > ?1 AND ({filter}) ORDER BY rowid LIMIT ?2",
        columns(table),
        table.name()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([rowid, limit as i64], |row| from_row(table, row))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A value of the wire, ready for its column.
#[derive(Debug)]
pub(super) enum Bound<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Id([u8; 16]),
    Bytes(Vec<u8>),
}

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(SqlValue::Null),
            Self::Int(number) => (*number).into(),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Id(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// What a cell is in its column; none where it cannot stand there.
pub(super) fn bind<'a>(cell: &'a Cell<'_>, kind: FieldKind) -> Option<Bound<'a>> {
    Some(match (cell, kind) {
        (Cell::Null, _) => Bound::Null,
        (Cell::Bool(value), FieldKind::Bool) => Bound::Int((*value).into()),
        (Cell::Int(number), FieldKind::Int | FieldKind::Bool) => Bound::Int(*number),
        (Cell::Text(text), FieldKind::Text | FieldKind::Json) => Bound::Text(text),
        (Cell::Text(text), FieldKind::Id) => Bound::Id(text.parse::<Uuid>().ok()?.into_bytes()),
        (Cell::Text(text), FieldKind::Base64) => Bound::Bytes(BASE64.decode(text.as_ref()).ok()?),
        (Cell::Text(text), FieldKind::Hex) => Bound::Bytes(unhex(text)?),
        _ => return None,
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pairs = digits.chunks_exact(2).map(|pair| std::str::from_utf8(pair).ok());
    let bytes = pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect();
    if digits.len().is_multiple_of(2) { bytes } else { None }
}

/// Sets fields of a row to values of the wire. Tells whether the row is there and took them.
pub(super) fn set(
    connection: &Connection,
    table: Table,
    id: Uuid,
    fields: &[(&Field, Cell<'_>)],
) -> Result<bool, Error> {
    if fields.is_empty() {
        return Ok(true);
    }
    let places = fields.iter().enumerate();
    let sets: Vec<_> =
        places.map(|(index, (field, _))| format!("{} = ?{}", field.name, index + 2)).collect();
    let sql = format!("UPDATE {} SET {} WHERE id = ?1", table.name(), sets.join(", "));
    let mut values = vec![Bound::Id(id.into_bytes())];
    for (field, cell) in fields {
        let Some(value) = bind(cell, field.kind) else { return Ok(false) };
        values.push(value);
    }
    let changed = connection.prepare_cached(&sql)?.execute(params_from_iter(&values));
    match changed {
        Ok(changed) => Ok(changed == 1),
        Err(error) if is_misfit(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What the server said of a row, beside its fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp<'a> {
    pub(super) seq: Option<i64>,
    pub(super) updated_ms: i64,
    /// JSON.
    pub(super) clocks: &'a str,
    /// JSON; none where there is nothing.
    pub(super) extra: Option<&'a str>,
}

/// Sets a row's stamp; `updated_ms` only goes up, and `extra` stays where none comes.
pub(super) fn stamp(
    connection: &Connection,
    table: Table,
    id: Uuid,
    stamp: Stamp<'_>,
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE {}
            SET server_seq = ?2, updated_ms = max(updated_ms, ?3), clocks = ?4, extra = coalesce(?5, extra)
          WHERE id = ?1",
        table.name()
    );
    connection.prepare_cached(&sql)?.execute(rusqlite::params![
        id.as_bytes(),
        stamp.seq,
        stamp.updated_ms,
        stamp.clocks,
        stamp.extra
    ])?;
    Ok(())
}

/// Whether a row was refused by a rule of its table: a value that this version does not know.
pub(super) fn is_misfit(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TypeMismatch)
    )
}

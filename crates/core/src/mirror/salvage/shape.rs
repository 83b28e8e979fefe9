//! What a row of each table looks like, taken from a fresh mirror's schema.
//!
//! A migration may add columns at a table's end; rows written before it are shorter and take their
//! defaults. A migration that rebuilds a table must teach this module the old form.

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::mirror::Error;

/// Tables that are made anew and not salvaged: what the index holds, and what the file says of itself.
const NOT_SALVAGED: [&str; 1] = ["index_dirty"];

/// A table, as its rows stand in the file.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Whether its rows stand in a tree of their own kind, ordered by key.
    pub(super) without_rowid: bool,
}

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    kind: String,
    not_null: bool,
    optional: bool,
    /// Whether it is another name of the rowid: NULL in the record.
    pub(super) is_rowid: bool,
}

impl Table {
    /// Whether a record can be a row of this table.
    pub(super) fn fits(&self, record: &[Value]) -> bool {
        record.len() <= self.columns.len()
            && self.columns.iter().zip(record).all(|(column, value)| column.fits(value))
            && self.columns[record.len()..].iter().all(|column| column.optional)
    }

    /// How many columns a record leaves out.
    pub(super) fn left_out(&self, record: &[Value]) -> usize {
        self.columns.len().saturating_sub(record.len())
    }
}

impl Column {
    fn fits(&self, value: &Value) -> bool {
        match value {
            Value::Null => self.is_rowid || !self.not_null,
            Value::Integer(_) => self.kind == "INTEGER" && !self.is_rowid,
            Value::Text(_) => self.kind == "TEXT",
            Value::Blob(bytes) => self.kind == "BLOB" && (!self.is_id() || bytes.len() == 16),
            Value::Real(_) => self.kind == "REAL",
        }
    }

    fn is_id(&self) -> bool {
        self.name == "id" || self.name.ends_with("_id")
    }
}

/// The tables of a fresh mirror whose rows are looked for.
pub(super) fn tables(fresh: &Connection) -> Result<Vec<Table>, Error> {
    let mut statement = fresh.prepare(
        "SELECT name, wr
           FROM pragma_table_list
          WHERE schema = 'main' AND type = 'table' AND strict
          ORDER BY name",
    )?;
    let found: Vec<(String, bool)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    found
        .into_iter()
        .filter(|(name, _)| !NOT_SALVAGED.contains(&name.as_str()))
        .map(|(name, without_rowid)| {
            Ok(Table { columns: columns(fresh, &name, without_rowid)?, name, without_rowid })
        })
        .collect()
}

fn columns(fresh: &Connection, table: &str, without_rowid: bool) -> Result<Vec<Column>, Error> {
    let mut statement = fresh.prepare(
        "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk FROM pragma_table_info(?1) ORDER BY cid",
    )?;
    let columns = statement.query_map([table], |row| {
        let (kind, not_null, default): (String, bool, bool) =
            (row.get(1)?, row.get(2)?, row.get(3)?);
        let in_key = row.get::<_, i64>(4)? > 0;
        Ok(Column {
            name: row.get(0)?,
            is_rowid: in_key && !without_rowid && kind == "INTEGER",
            optional: !in_key && (default || !not_null),
            not_null: not_null || in_key,
            kind,
        })
    })?;
    Ok(columns.collect::<Result<_, _>>()?)
}

/// A row of `sqlite_schema`: what it makes, its name, its table and its first page.
pub(super) fn schema_row(record: &[Value]) -> Option<(&str, &str, &str, u32)> {
    let [Value::Text(kind), Value::Text(name), Value::Text(table), Value::Integer(root), sql] =
        record
    else {
        return None;
    };
    let known = ["table", "index", "view", "trigger"].contains(&kind.as_str());
    let sql = matches!(sql, Value::Text(_) | Value::Null);
    (known && sql).then_some((kind, name, table, u32::try_from(*root).ok()?))
}

//! The table `conflicts`: values that lost against another device's, kept until a person has seen them.
//!
//! Bringing one back is a new write of this device like any other, with a new clock. A body that lost
//! stands in a message of its own beside the one that won; here is only where.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::sql::to_json;
use super::touched::{Size, Touched};
use super::{Error, Write, bases, incoming, outbox, rows};
use crate::events::Change;
use crate::model::wire::{Cell, Table};
use crate::model::{ConversationId, MessageId, Timestamp};

/// A value that lost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conflict {
    /// Counts up.
    pub id: i64,
    /// The table.
    pub table: Table,
    /// The row.
    pub row_id: Uuid,
    /// The conversation that it belongs to.
    pub conversation_id: Option<ConversationId>,
    /// What was changed on both sides: a register, or `body`.
    pub register: String,
    /// Field → value that lost.
    pub lost: Map<String, Value>,
    /// Field → value that stands.
    pub kept: Map<String, Value>,
    /// Whether this device's value lost; else another's lost against this device's.
    pub ours: bool,
    /// The message that holds the lost body.
    pub copy_id: Option<MessageId>,
    /// When this device learned of it.
    pub at: Timestamp,
}

const COLUMNS: &str =
    "id, tbl, row_id, conversation_id, register, lost, kept, ours, copy_id, at_ms";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Option<Conflict>> {
    let Some(table) = Table::from_code(row.get(1)?) else { return Ok(None) };
    let id = |value: Option<[u8; 16]>| value.map(Uuid::from_bytes);
    Ok(Some(Conflict {
        id: row.get(0)?,
        table,
        row_id: row.get(2).map(Uuid::from_bytes)?,
        conversation_id: id(row.get(3)?).map(ConversationId),
        register: row.get(4)?,
        lost: super::sql::json(row, "lost")?,
        kept: super::sql::json(row, "kept")?,
        ours: row.get(7)?,
        copy_id: id(row.get(8)?).map(MessageId),
        at: row.get(9)?,
    }))
}

/// Conflicts that nobody has resolved, latest first.
pub fn open(connection: &Connection, limit: usize) -> Result<Vec<Conflict>, Error> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM conflicts WHERE resolved_ms IS NULL ORDER BY id DESC LIMIT ?1"
    ))?;
    let rows = statement.query_map([limit as i64], from_row)?;
    Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
}

/// How many are open.
pub fn count(connection: &Connection) -> Result<i64, Error> {
    Ok(connection
        .prepare_cached("SELECT count(*) FROM conflicts WHERE resolved_ms IS NULL")?
        .query_row([], |row| row.get(0))?)
}

/// Those of one conversation, latest first.
pub fn of_conversation(
    connection: &Connection,
    id: ConversationId,
) -> Result<Vec<Conflict>, Error> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}
           FROM conflicts
          WHERE conversation_id = ?1 AND resolved_ms IS NULL
          ORDER BY id DESC"
    ))?;
    let rows = statement.query_map([id], from_row)?;
    Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
}

/// What is recorded of a value that lost.
pub(super) struct Loss<'a> {
    pub(super) table: Table,
    pub(super) row_id: Uuid,
    pub(super) register: &'a str,
    pub(super) lost: &'a Map<String, Value>,
    pub(super) kept: &'a Map<String, Value>,
    pub(super) ours: bool,
    pub(super) copy_id: Option<Uuid>,
}

/// Records a value that lost.
pub(super) fn record(write: &mut Write<'_>, loss: &Loss<'_>) -> Result<(), Error> {
    let conversation: Option<[u8; 16]> = match loss.table {
        Table::Conversations => Some(loss.row_id.into_bytes()),
        Table::Messages => write
            .tx
            .query_row(
                "SELECT conversation_id FROM messages WHERE id = ?1",
                [loss.row_id.as_bytes()],
                |row| row.get(0),
            )
            .optional()?,
        _ => None,
    };
    let at = write.server_now()?;
    write.tx.execute(
        "INSERT INTO conflicts (tbl, row_id, conversation_id, register, lost, kept, ours, copy_id, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            loss.table.code(),
            loss.row_id.as_bytes(),
            conversation,
            loss.register,
            to_json(loss.lost),
            to_json(loss.kept),
            loss.ours,
            loss.copy_id.map(Uuid::into_bytes),
            at
        ],
    )?;
    if let Some(id) = conversation {
        write.tell(Change::Conversation { id: ConversationId(Uuid::from_bytes(id)) });
    }
    Ok(())
}

fn get(write: &Write<'_>, id: i64) -> Result<Conflict, Error> {
    write
        .tx
        .query_row(&format!("SELECT {COLUMNS} FROM conflicts WHERE id = ?1"), [id], from_row)
        .optional()?
        .flatten()
        .ok_or(Error::NotFound("conflict"))
}

/// Lets what stands stand: the conflict is not shown any more.
pub fn resolve(write: &mut Write<'_>, id: i64) -> Result<(), Error> {
    let conflict = get(write, id)?;
    write.tx.execute(
        "UPDATE conflicts SET resolved_ms = ?2 WHERE id = ?1 AND resolved_ms IS NULL",
        params![id, write.now],
    )?;
    if let Some(id) = conflict.conversation_id {
        write.tell(Change::Conversation { id });
    }
    Ok(())
}

/// Makes the lost value the row's again, as a new change of this device, and resolves the conflict. A
/// lost body is there already, beside the one that won.
pub fn bring_back(write: &mut Write<'_>, id: i64) -> Result<(), Error> {
    let conflict = get(write, id)?;
    if conflict.table.register(&conflict.register).is_some() {
        change(write, conflict.table, conflict.row_id, &conflict.register, &conflict.lost)?;
    }
    resolve(write, id)
}

/// What stands between two texts that are kept both.
fn between(table: Table, register: &str) -> Option<&'static str> {
    match (table, register) {
        (Table::Conversations | Table::Documents, "title") => Some(" / "),
        (Table::Conversations, "system_prompt") => Some("\n\n"),
        _ => None,
    }
}

/// Whether both values can stand: a message's two texts do already, a title's can be joined.
pub fn can_keep_both(conflict: &Conflict) -> bool {
    conflict.copy_id.is_some() || between(conflict.table, &conflict.register).is_some()
}

/// Keeps both values: a text is put behind the one that stands now, as a new change of this device. A
/// lost body is there already. What cannot be joined stays as it is, and so does its conflict.
pub fn keep_both(write: &mut Write<'_>, id: i64) -> Result<(), Error> {
    let conflict = get(write, id)?;
    let (table, register) = (conflict.table, conflict.register.as_str());
    if let Some(between) = between(table, register) {
        let now = rows::read(&write.tx, table, conflict.row_id)?.ok_or(Error::NotFound("row"))?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let lost = text(conflict.lost.get(register)).unwrap_or_default();
        let stands = text(now.fields.get(register)).unwrap_or_default();
        let both = [stands, lost].into_iter().filter(|text| !text.is_empty());
        let both = both.collect::<Vec<_>>().join(between);
        let mut values = conflict.lost.clone();
        values.insert(register.to_owned(), Value::String(both));
        // Whoever says that both stay has named it.
        if let Some(by) = values.get_mut("title_by") {
            *by = Value::String("person".into());
        }
        change(write, table, conflict.row_id, register, &values)?;
    } else if conflict.copy_id.is_none() {
        return Err(Error::NotFound("conflict whose two values can both stand"));
    }
    resolve(write, id)
}

/// Changes one register of a row to values of the wire, as a person's change.
pub(super) fn change(
    write: &mut Write<'_>,
    table: Table,
    id: Uuid,
    register: &str,
    values: &Map<String, Value>,
) -> Result<(), Error> {
    let old = rows::read(&write.tx, table, id)?.ok_or(Error::NotFound("row"))?;
    bases::before(write, table, id)?;
    let fields: Vec<_> = values
        .iter()
        .filter_map(|(name, value)| Some((table.field(name)?, Cell::from(value.clone()))))
        .collect();
    rows::set(&write.tx, table, id, &fields)?;
    let clock = write.next_clock(old.clock(register))?;
    let sql = format!(
        "UPDATE {} SET clocks = json_set(clocks, '$.' || ?2, ?3), updated_ms = ?4 WHERE id = ?1",
        table.name()
    );
    write.tx.execute(&sql, params![id.as_bytes(), register, clock, write.now])?;
    outbox::changed(write, table, id, &[register])?;
    let mut touched = Touched::new(Size::Few);
    let names: Vec<_> = fields.iter().map(|(field, _)| field.name).collect();
    incoming::retell(write, table, &old, &names, values, &mut touched)?;
    touched.finish(write)
}

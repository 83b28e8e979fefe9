//! One row from the server meets the row that is here.
//!
//! A row that is new here is inserted in one statement, which is nearly all that a first sync does. Else
//! the base takes what came, if it is not older, and what is shown takes those fields that this
//! device is not changing. Values that this version cannot store are kept as they came
//! (`unread_rows`), so that one odd row never holds up a page.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rusqlite::{CachedStatement, params};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::bases::{self, Base};
use super::outbox::{self, Pending};
use super::rows::{self, Stamp, Stored};
use super::sql::to_json;
use super::touched::{Place, Touched, reindex};
use super::{Error, Write, messages};
use crate::events::Change;
use crate::faults::{self, Bug};
use crate::model::wire::{Cell, Clocks, Table};
use crate::model::{ConversationId, Timestamp};

/// Where each field of a table stands in the rows of one answer.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) table: Table,
    /// By field, in canonical order.
    fields: Vec<Option<usize>>,
    updated_ms: Option<usize>,
    clocks: Option<usize>,
    unknown: Vec<(usize, String)>,
    insert: String,
}

impl Layout {
    pub(super) fn new(table: Table, columns: &[String]) -> Self {
        let at = |name: &str| columns.iter().position(|column| column == name);
        let known = |name: &str| {
            matches!(name, "id" | "updated_ms" | "clocks" | "seq") || table.field(name).is_some()
        };
        let places = columns.iter().enumerate();
        Self {
            table,
            fields: table.fields().iter().map(|field| at(field.name)).collect(),
            updated_ms: at("updated_ms"),
            clocks: at("clocks"),
            unknown: places
                .filter(|(_, name)| !known(name))
                .map(|(place, name)| (place, name.clone()))
                .collect(),
            insert: insert_sql(table),
        }
    }
}

/// The columns of an insert: id, seq, updated_ms, clocks, extra, the fields, and what is this device's own.
fn insert_sql(table: Table) -> String {
    let fields: Vec<_> = table.fields().iter().map(|field| field.name).collect();
    let own = match table {
        Table::Messages => ", rowid",
        Table::Conversations => ", active_ms",
        _ => "",
    };
    let count = 5 + fields.len() + usize::from(!own.is_empty());
    let places: Vec<_> = (1..=count).map(|place| format!("?{place}")).collect();
    format!(
        "INSERT OR IGNORE INTO {} (id, server_seq, updated_ms, clocks, extra, {}{own}) VALUES ({})",
        table.name(),
        fields.join(", "),
        places.join(", ")
    )
}

/// A row as it came.
#[derive(Debug)]
pub(super) struct Incoming<'a> {
    pub(super) layout: &'a Layout,
    pub(super) id: Uuid,
    pub(super) seq: i64,
    pub(super) cells: &'a [Cell<'a>],
}

const NULL: Cell<'static> = Cell::Null;

impl<'a> Incoming<'a> {
    fn table(&self) -> Table {
        self.layout.table
    }

    fn cell(&self, place: Option<usize>) -> &'a Cell<'a> {
        place.and_then(|place| self.cells.get(place)).unwrap_or(&NULL)
    }

    fn named(&self, name: &str) -> &'a Cell<'a> {
        let field = self.table().fields().iter().position(|field| field.name == name);
        self.cell(field.and_then(|field| self.layout.fields[field]))
    }

    fn updated_ms(&self) -> i64 {
        let updated = self.cell(self.layout.updated_ms).as_i64();
        updated.or_else(|| self.named("created_ms").as_i64()).unwrap_or(0)
    }

    fn clocks(&self) -> Cow<'static, str> {
        match self.cell(self.layout.clocks) {
            Cell::Json(Value::Object(clocks)) if clocks.values().all(Value::is_i64) => {
                to_json(clocks).into()
            }
            Cell::Json(Value::Object(clocks)) => {
                // Whatever else stands there is no clock.
                let clocks: BTreeMap<_, _> =
                    clocks.iter().filter_map(|(name, at)| Some((name, at.as_i64()?))).collect();
                to_json(&clocks).into()
            }
            _ => "{}".into(),
        }
    }

    fn extra(&self) -> Option<String> {
        let unknown = self.layout.unknown.iter().filter(|(place, _)| *place < self.cells.len());
        let extra: Map<_, _> = unknown
            .map(|(place, name)| (name.clone(), self.cells[*place].to_value()))
            .filter(|(_, value)| !value.is_null())
            .collect();
        (!extra.is_empty()).then(|| to_json(&extra))
    }

    fn base(&self) -> Base {
        let fields = self.table().fields().iter().zip(&self.layout.fields);
        Base {
            seq: self.seq,
            updated_ms: self.updated_ms(),
            clocks: serde_json::from_str(&self.clocks()).unwrap_or_default(),
            fields: fields
                .filter(|(_, place)| place.is_some())
                .map(|(field, place)| (field.name.to_owned(), self.cell(*place).to_value()))
                .collect(),
        }
    }

    fn place(&self) -> Option<Place> {
        let id = |name| self.named(name).as_str().and_then(|text| text.parse().ok());
        Some(Place {
            id: self.id,
            conversation_id: id("conversation_id")?,
            parent_id: id("parent_id"),
            created_ms: self.named("created_ms").as_i64()?,
            trashed: *self.named("trashed_ms") != Cell::Null,
        })
    }

    /// Takes the row in.
    pub(super) fn apply(&self, write: &mut Write<'_>, touched: &mut Touched) -> Result<(), Error> {
        let Some(own) = self.own() else { return self.keep(write) };
        match self.insert(write, own)? {
            Inserted::Yes(rowid) => self.inserted(write, touched, rowid),
            Inserted::Misfit => self.keep(write),
            Inserted::No => match rows::read(&write.tx, self.table(), self.id)? {
                Some(row) => self.meet(write, touched, row),
                None => self.insert_elsewhere(write, touched, own),
            },
        }
    }

    /// What is this device's own in a new row: a message's rowid, which carries its time, or when a
    /// conversation was active. None where the row lacks what it is made of.
    fn own(&self) -> Option<Option<i64>> {
        let created = self.named("created_ms").as_i64();
        match self.table() {
            Table::Messages => Some(Some(messages::first_rowid(Timestamp(created?)))),
            Table::Conversations => Some(Some(created?)),
            _ => Some(None),
        }
    }

    fn insert(&self, write: &Write<'_>, own: Option<i64>) -> Result<Inserted, Error> {
        let mut statement = write.tx.prepare_cached(&self.layout.insert)?;
        if !self.bind(&mut statement, own)? {
            return Ok(Inserted::Misfit);
        }
        match statement.raw_execute() {
            Ok(0) => Ok(Inserted::No),
            Ok(_) => Ok(Inserted::Yes(write.tx.last_insert_rowid())),
            Err(error) if rows::is_misfit(&error) => Ok(Inserted::Misfit),
            Err(error) => Err(error.into()),
        }
    }

    fn bind(&self, statement: &mut CachedStatement<'_>, own: Option<i64>) -> Result<bool, Error> {
        statement.raw_bind_parameter(1, self.id.as_bytes())?;
        statement.raw_bind_parameter(2, self.seq)?;
        statement.raw_bind_parameter(3, self.updated_ms())?;
        statement.raw_bind_parameter(4, self.clocks().as_ref())?;
        statement.raw_bind_parameter(5, self.extra())?;
        let fields = self.table().fields().iter().zip(&self.layout.fields);
        let mut place = 6;
        for (field, at) in fields {
            let Some(value) = rows::bind(self.cell(*at), field.kind) else { return Ok(false) };
            statement.raw_bind_parameter(place, value)?;
            place += 1;
        }
        if let Some(own) = own {
            statement.raw_bind_parameter(place, own)?;
        }
        Ok(true)
    }

    fn inserted(
        &self,
        write: &mut Write<'_>,
        touched: &mut Touched,
        rowid: i64,
    ) -> Result<(), Error> {
        reindex(write, self.table(), rowid)?;
        match (self.table(), self.place()) {
            (Table::Messages, Some(place)) => touched.added(write, place),
            (Table::Conversations, _) => {
                write.tell(Change::Conversation { id: ConversationId(self.id) });
                touched.arrived(write, self.id)
            }
            _ => {
                tell(write, self.table(), self.named("key").as_str());
                Ok(())
            }
        }
    }

    /// Nothing was inserted and the id is not here: another message has the rowid, or a rule of the
    /// table refused the row.
    fn insert_elsewhere(
        &self,
        write: &mut Write<'_>,
        touched: &mut Touched,
        own: Option<i64>,
    ) -> Result<(), Error> {
        let own = match (self.table(), self.named("created_ms").as_i64()) {
            (Table::Messages, Some(ms)) => Some(messages::new_rowid(&write.tx, Timestamp(ms))?),
            _ => own,
        };
        match self.insert(write, own)? {
            Inserted::Yes(rowid) => self.inserted(write, touched, rowid),
            Inserted::No | Inserted::Misfit => self.keep(write),
        }
    }

    /// The row is here already.
    fn meet(&self, write: &mut Write<'_>, touched: &mut Touched, row: Stored) -> Result<(), Error> {
        let mut pending = outbox::pending(&write.tx, self.table(), self.id)?;
        let older = row.seq.is_some_and(|seq| self.seq < seq);
        if older && !faults::on(Bug::OlderOverwrites) {
            return Ok(());
        }
        if pending.any && faults::on(Bug::PullSkipsPending) {
            return Ok(());
        }
        let base = self.base();
        if row.seq.is_none() && !pending.any && differs(&row, &base) {
            // Both sides have it and neither knew of the other: it is offered, and merges there.
            outbox::ensure(write, self.table(), &row)?;
            pending = outbox::pending(&write.tx, self.table(), self.id)?;
        }
        if pending.any {
            bases::put(&write.tx, self.table(), self.id, &base)?;
        }
        let overwrites = faults::on(Bug::PullOverwritesPending);
        let pending = if overwrites { Pending::default() } else { pending };
        let shown = show(write, self.table(), row, &base, &pending, self.extra(), touched)?;
        if shown { Ok(()) } else { self.keep(write) }
    }

    /// Keeps a row that this version cannot store.
    fn keep(&self, write: &Write<'_>) -> Result<(), Error> {
        let mut row = self.base().fields;
        row.extend(
            self.layout.unknown.iter().filter_map(|(place, name)| {
                Some((name.clone(), self.cells.get(*place)?.to_value()))
            }),
        );
        keep(write, self.table().name(), self.id, self.seq, &row)
    }
}

fn differs(row: &Stored, base: &Base) -> bool {
    base.fields.iter().any(|(name, value)| row.fields.get(name) != Some(value))
}

enum Inserted {
    Yes(i64),
    No,
    Misfit,
}

/// Keeps a row as it came, of a table that this version does not know or cannot store it in.
pub(super) fn keep(
    write: &Write<'_>,
    table: &str,
    id: Uuid,
    seq: i64,
    row: &Map<String, Value>,
) -> Result<(), Error> {
    write
        .tx
        .prepare_cached(
            "INSERT OR REPLACE INTO unread_rows (tbl, row_id, seq, row) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![table, id.as_bytes(), seq, to_json(row)])?;
    Ok(())
}

/// Makes a row show its base where nothing of it is pending. Tells whether the values fit the table.
pub(super) fn show(
    write: &mut Write<'_>,
    table: Table,
    row: Stored,
    base: &Base,
    pending: &Pending,
    extra: Option<String>,
    touched: &mut Touched,
) -> Result<bool, Error> {
    let changed: Vec<_> = table
        .fields()
        .iter()
        .filter(|field| !pending.covers(table, field.name))
        .filter_map(|field| Some((field, base.fields.get(field.name)?)))
        .filter(|(field, value)| row.fields.get(field.name) != Some(value))
        .map(|(field, value)| (field, Cell::from(value.clone())))
        .collect();
    if !rows::set(&write.tx, table, row.id, &changed)? {
        return Ok(false);
    }
    // Each clock is of the value that stands beside it.
    let pending_clocks = row.clocks.iter().filter(|(name, _)| pending.covers_register(name));
    let others = base.clocks.iter().filter(|(name, _)| !pending.covers_register(name));
    let clocks: Clocks =
        others.chain(pending_clocks).map(|(name, at)| (name.clone(), *at)).collect();
    let stamp = Stamp {
        seq: Some(base.seq),
        updated_ms: base.updated_ms,
        clocks: &to_json(&clocks),
        extra: extra.as_deref(),
    };
    rows::stamp(&write.tx, table, row.id, stamp)?;
    let names: Vec<_> = changed.iter().map(|(field, _)| field.name).collect();
    retell(write, table, &row, &names, &base.fields, touched)?;
    Ok(true)
}

/// What else changes with a row's fields.
pub(super) fn retell(
    write: &mut Write<'_>,
    table: Table,
    row: &Stored,
    changed: &[&str],
    now: &Map<String, Value>,
    touched: &mut Touched,
) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    if changed.iter().any(|name| matches!(*name, "content" | "title" | "trashed_ms")) {
        reindex(write, table, row.rowid)?;
    }
    match (table, place_of(row)) {
        (Table::Messages, Some(place)) => {
            let trashed = now.get("trashed_ms").is_some_and(|at| !at.is_null());
            match (changed.contains(&"trashed_ms"), place.trashed, trashed) {
                (true, false, true) => touched.moved(write, place, -1),
                (true, true, false) => touched.moved(write, place, 1),
                _ => touched.tell_message(write, place),
            }
        }
        (Table::Conversations, _) => {
            write.tell(Change::Conversation { id: ConversationId(row.id) });
        }
        _ => tell(write, table, row.fields.get("key").and_then(Value::as_str)),
    }
    Ok(())
}

/// A stored message's place.
pub(super) fn place_of(row: &Stored) -> Option<Place> {
    Some(Place {
        id: row.id,
        conversation_id: row.id_in("conversation_id")?,
        parent_id: row.id_in("parent_id"),
        created_ms: row.fields.get("created_ms")?.as_i64()?,
        trashed: row.fields.get("trashed_ms").is_some_and(|at| !at.is_null()),
    })
}

fn tell(write: &mut Write<'_>, table: Table, key: Option<&str>) {
    if let (Table::Settings, Some(key)) = (table, key) {
        write.tell(Change::Setting { key: key.to_owned() });
    }
}

/// For a value that no page brought: an outcome's row.
pub(super) fn insert_base(
    write: &mut Write<'_>,
    table: Table,
    id: Uuid,
    base: &Base,
    touched: &mut Touched,
) -> Result<(), Error> {
    let mut columns: Vec<String> = base.fields.keys().cloned().collect();
    let mut cells: Vec<Cell<'_>> = base.fields.values().map(|v| Cell::from(v.clone())).collect();
    columns.extend(["updated_ms".to_owned(), "clocks".to_owned()]);
    let clocks = base.clocks.iter().map(|(name, at)| (name.clone(), (*at).into())).collect();
    cells.extend([Cell::Int(base.updated_ms), Cell::Json(Value::Object(clocks))]);
    let layout = Layout::new(table, &columns);
    Incoming { layout: &layout, id, seq: base.seq, cells: &cells }.apply(write, touched)
}

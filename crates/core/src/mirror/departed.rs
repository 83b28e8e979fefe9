//! A row that the server no longer has, for all (`D`) or for this person (`X`).
//!
//! It leaves this mirror. Where this device had changed it, it comes back as a copy under an id that every
//! device derives alike (the row's and the deletion's), so that two devices that bring it back make one
//! copy. A conversation comes back with its messages. What this device's person had put into the trash
//! stays gone, and so does what was merely offered (`ensure`).

use rusqlite::params;
use serde_json::Value;
use uuid::Uuid;

use super::apply::Gone;
use super::conflicts::{self, Loss};
use super::incoming::place_of;
use super::outbox::{self, Entry, OpState};
use super::rows::{self, Stored};
use super::touched::{Touched, lose, reindex};
use super::{Error, Write, bases, conversations};
use crate::model::ConversationId;
use crate::model::wire::{Kind, Table, recovered_id};

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    /// It was not here, or a newer version of it is.
    WasNotHere,
    /// It is gone.
    Removed,
    /// It came back as a copy.
    Recovered,
}

/// Lets a row go that was deleted by transaction `seq`.
pub(super) fn depart(
    write: &mut Write<'_>,
    table: Table,
    id: Uuid,
    seq: i64,
    row: Option<Stored>,
    gone: Gone,
    touched: &mut Touched,
) -> Result<Went, Error> {
    let Some(row) = row else {
        forget(write, table, id)?;
        return Ok(Went::WasNotHere);
    };
    if row.seq.is_some_and(|known| known > seq) {
        return Ok(Went::WasNotHere);
    }
    let quietly = !is_changed(write, table, id)? || trashed_here(write, table, &row)?;
    if gone == Gone::Stay || !quietly {
        let ops = outbox::of_row(&write.tx, table, id)?;
        recover(write, table, row, seq, &ops, touched)?;
        return Ok(Went::Recovered);
    }
    remove(write, table, &row, touched)?;
    Ok(Went::Removed)
}

/// Whether it was this device's person who put it into the trash, and the server does not know: what else they
/// changed of it goes with it. Trashed by another device it is only what that one wanted.
fn trashed_here(write: &Write<'_>, table: Table, row: &Stored) -> Result<bool, Error> {
    if row.fields.get("trashed_ms").is_none_or(Value::is_null) {
        return Ok(false);
    }
    // A row that is merely offered may have been put there by anyone.
    let is_ours = |op: &Entry| op.kind == Kind::Put || op.registers.contains_key("trashed_ms");
    Ok(outbox::of_row(&write.tx, table, row.id)?.iter().any(is_ours))
}

/// Whether a person changed something of it that the server does not have.
fn is_changed(write: &Write<'_>, table: Table, id: Uuid) -> Result<bool, Error> {
    // What was merely offered was written elsewhere, or is there. Where it was refused, it is only here.
    let is_refused = |op: &Entry| matches!(op.state, OpState::Parked | OpState::Kept);
    let counts = |op: &Entry| op.kind != Kind::Purge && (!op.is_offer() || is_refused(op));
    let ops = match table {
        Table::Conversations => outbox::of_queue(&write.tx, id)?,
        _ => outbox::of_row(&write.tx, table, id)?,
    };
    Ok(ops.iter().any(counts))
}

/// Removes a row, and all that is its own, from this mirror.
pub(super) fn remove(
    write: &mut Write<'_>,
    table: Table,
    row: &Stored,
    touched: &mut Touched,
) -> Result<(), Error> {
    forget(write, table, row.id)?;
    if table == Table::Conversations {
        write.tx.execute("DELETE FROM outbox WHERE queue = ?1", [row.id.as_bytes()])?;
        write.tx.execute(
            "DELETE FROM bases
              WHERE tbl = 2 AND row_id IN (SELECT id FROM messages WHERE conversation_id = ?1)",
            [row.id.as_bytes()],
        )?;
        touched.left(row.id);
        let id = ConversationId(row.id);
        conversations::remove(write, id, row.rowid)?;
        write.tell(crate::events::Change::Conversation { id });
        return Ok(());
    }
    let sql = format!("DELETE FROM {} WHERE id = ?1", table.name());
    write.tx.prepare_cached(&sql)?.execute([row.id.as_bytes()])?;
    if let (Table::Messages, Some(place)) = (table, place_of(row)) {
        write.tx.execute("DELETE FROM send_queue WHERE message_id = ?1", [row.id.as_bytes()])?;
        reindex(write, table, row.rowid)?;
        touched.moved(write, place, if place.trashed { 0 } else { -1 });
    }
    Ok(())
}

/// Forgets what was pending on a row.
fn forget(write: &Write<'_>, table: Table, id: Uuid) -> Result<(), Error> {
    for op in outbox::of_row(&write.tx, table, id)? {
        // What is on its way gets its outcome; a purge is what happened anyway.
        if op.state != OpState::InFlight {
            outbox::delete(&write.tx, op.n)?;
        }
    }
    bases::drop(&write.tx, table, id)
}

/// Brings a row back under the id that all devices give it. `ops`: what this device has changed of it.
pub(super) fn recover(
    write: &mut Write<'_>,
    table: Table,
    row: Stored,
    seq: i64,
    ops: &[Entry],
    touched: &mut Touched,
) -> Result<(), Error> {
    match table {
        Table::Conversations => conversation(write, row, seq, ops, touched),
        _ => {
            freeze(write, table, &row)?;
            forget(write, table, row.id)?;
            let id = recovered_id(row.id, seq);
            if let Some(copy) = rows::read(&write.tx, table, id)? {
                keep_beside(write, table, &copy, &row, ops)?;
                return remove(write, table, &row, touched);
            }
            rename(write, table, row.id, id)?;
            if let Some(conversation) =
                row.id_in("conversation_id").filter(|_| table == Table::Messages)
            {
                rename_shown(write, conversation, row.id, id)?;
                lose(write, conversation)?;
            }
            outbox::put(write, table, id, Stored { id, ..row.clone() }.queue(table))
        }
    }
}

/// Another device has brought the row back already, as it knew it: what this one had changed lies beside the copy.
fn keep_beside(
    write: &mut Write<'_>,
    table: Table,
    copy: &Stored,
    row: &Stored,
    ops: &[Entry],
) -> Result<(), Error> {
    let is_changed =
        |name: &str| ops.iter().any(|op| op.kind == Kind::Put || op.registers.contains_key(name));
    for register in table.registers().iter().filter(|register| is_changed(register.name)) {
        let (lost, kept) = (row.only(register.fields), copy.only(register.fields));
        let [here, there] = [&lost, &kept].map(|fields| fields.get(register.fields[0]));
        // A copy is named after what it is a copy of, and never in the trash.
        let is_there = here == there || there == Some(&title(row).into());
        if !is_there && register.name != "trashed_ms" {
            let (row_id, register) = (copy.id, register.name);
            let loss = Loss {
                table,
                row_id,
                register,
                lost: &lost,
                kept: &kept,
                ours: true,
                copy_id: None,
            };
            conflicts::record(write, &loss)?;
        }
    }
    Ok(())
}

fn freeze(write: &Write<'_>, table: Table, row: &Stored) -> Result<(), Error> {
    let ops = outbox::of_row(&write.tx, table, row.id)?;
    outbox::freeze(write, row, &ops)
}

fn conversation(
    write: &mut Write<'_>,
    old: Stored,
    seq: i64,
    ops: &[Entry],
    touched: &mut Touched,
) -> Result<(), Error> {
    let id = recovered_id(old.id, seq);
    let copy = rows::read(&write.tx, Table::Conversations, id)?;
    let messages = messages_of(write, old.id)?;
    for message in &messages {
        freeze(write, Table::Messages, message)?;
        forget(write, Table::Messages, message.id)?;
        move_message(write, message, id, seq)?;
    }
    freeze(write, Table::Conversations, &old)?;
    forget(write, Table::Conversations, old.id)?;
    if let Some(copy) = copy {
        keep_beside(write, Table::Conversations, &copy, &old, ops)?;
        remove(write, Table::Conversations, &old, touched)?;
    } else {
        touched.left(old.id);
        rename(write, Table::Conversations, old.id, id)?;
        write.tx.execute(
            "UPDATE conversations SET title = ?2, trashed_ms = NULL WHERE id = ?1",
            params![id.as_bytes(), title(&old)],
        )?;
        reindex(write, Table::Conversations, old.rowid)?;
        outbox::put(write, Table::Conversations, id, id)?;
    }
    for table in ["branches", "send_queue", "drafts"] {
        let sql =
            format!("UPDATE OR IGNORE {table} SET conversation_id = ?2 WHERE conversation_id = ?1");
        write.tx.execute(&sql, params![old.id.as_bytes(), id.as_bytes()])?;
    }
    for message in messages {
        let new = recovered_id(message.id, seq);
        rename_shown(write, id, message.id, new)?;
        outbox::put(write, Table::Messages, new, id)?;
    }
    touched.arrived(write, id)?;
    lose(write, id)?;
    write.tell(crate::events::Change::Conversation { id: ConversationId(old.id) });
    write.tell(crate::events::Change::Conversation { id: ConversationId(id) });
    Ok(())
}

fn title(old: &Stored) -> String {
    let title = old.fields.get("title").and_then(Value::as_str).unwrap_or_default();
    let title: String = title.chars().take(crate::model::MAX_TITLE_CHARS - 11).collect();
    format!("Recovered: {title}")
}

fn messages_of(write: &Write<'_>, conversation: Uuid) -> Result<Vec<Stored>, Error> {
    let mut statement = write
        .tx
        .prepare_cached("SELECT id FROM messages WHERE conversation_id = ?1 ORDER BY rowid")?;
    let ids: Vec<[u8; 16]> = statement
        .query_map([conversation.as_bytes()], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let rows =
        ids.into_iter().map(|id| rows::read(&write.tx, Table::Messages, Uuid::from_bytes(id)));
    rows.filter_map(Result::transpose).collect()
}

/// Moves a message into the conversation that came back; one that is there already stays as it is.
fn move_message(
    write: &Write<'_>,
    message: &Stored,
    conversation: Uuid,
    seq: i64,
) -> Result<(), Error> {
    let above = |name| message.id_in(name).map(|id| recovered_id(id, seq).into_bytes());
    rename(write, Table::Messages, message.id, recovered_id(message.id, seq))?;
    write
        .tx
        .prepare_cached(
            "UPDATE messages SET conversation_id = ?2, parent_id = ?3, continues_id = ?4 WHERE rowid = ?1",
        )?
        .execute(params![
            message.rowid,
            conversation.as_bytes(),
            above("parent_id"),
            above("continues_id")
        ])?;
    Ok(())
}

/// Gives a row another id, under which no server knows it; where that id is taken the row goes.
fn rename(write: &Write<'_>, table: Table, old: Uuid, new: Uuid) -> Result<(), Error> {
    let sql =
        format!("UPDATE OR REPLACE {} SET id = ?2, server_seq = NULL WHERE id = ?1", table.name());
    write.tx.prepare_cached(&sql)?.execute(params![old.as_bytes(), new.as_bytes()])?;
    Ok(())
}

/// What this device keeps by a message's id.
fn rename_shown(write: &Write<'_>, conversation: Uuid, old: Uuid, new: Uuid) -> Result<(), Error> {
    for sql in [
        "UPDATE OR IGNORE branches SET parent_id = ?3 WHERE conversation_id = ?1 AND parent_id = ?2",
        "UPDATE branches SET child_id = ?3 WHERE conversation_id = ?1 AND child_id = ?2",
        "UPDATE conversations SET leaf_id = ?3 WHERE id = ?1 AND leaf_id = ?2",
        "UPDATE OR IGNORE send_queue SET message_id = ?3 WHERE conversation_id = ?1 AND message_id = ?2",
    ] {
        write.tx.prepare_cached(sql)?.execute(params![
            conversation.as_bytes(),
            old.as_bytes(),
            new.as_bytes()
        ])?;
    }
    Ok(())
}

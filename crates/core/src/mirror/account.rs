//! The table `account`: the project and user that this mirror belongs to, and the server's time.
//!
//! With no account nothing is recorded for sending. Attaching one begins the scan of [`super::attach`];
//! detaching keeps or removes the rows, as the person says, and never by itself.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::{Error, Mirror, Write, outbox};
use crate::events::Change;
use crate::model::wire::{Table, setting_id};
use crate::model::{DeviceId, Timestamp};

/// The account that a mirror is attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The project's address.
    pub project: String,
    /// Who is signed in; also the scope.
    pub user_id: Uuid,
    /// For the person to see.
    pub email: String,
    /// Since when.
    pub attached_at: Timestamp,
}

/// The account; none where none is attached.
pub fn get(connection: &Connection) -> Result<Option<Account>, Error> {
    Ok(connection
        .prepare_cached("SELECT project, user_id, email, attached_ms FROM account")?
        .query_row([], |row| {
            Ok(Account {
                project: row.get(0)?,
                user_id: row.get(1).map(Uuid::from_bytes)?,
                email: row.get(2)?,
                attached_at: row.get(3)?,
            })
        })
        .optional()?)
}

/// Attaches an account to a mirror that has none. What was written before goes up with
/// [`super::attach::offer`].
pub fn attach(
    write: &mut Write<'_>,
    project: &str,
    user_id: Uuid,
    email: &str,
) -> Result<(), Error> {
    name_settings(write)?;
    write.tx.execute(
        "INSERT INTO account (only, project, user_id, email, attached_ms, scan_tbl)
         VALUES (1, ?1, ?2, ?3, ?4, ?5)",
        params![project, user_id.as_bytes(), email, write.now, Table::Conversations.code()],
    )?;
    write.tell(Change::Everything);
    Ok(())
}

/// A setting that was stored before its id mattered gets it.
fn name_settings(write: &Write<'_>) -> Result<(), Error> {
    let keys: Vec<String> = write
        .tx
        .prepare("SELECT key FROM settings WHERE id IS NULL")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for key in keys {
        write.tx.execute(
            "UPDATE settings SET id = ?2 WHERE key = ?1",
            params![key, setting_id(&key).as_bytes()],
        )?;
    }
    Ok(())
}

/// What stays when an account is detached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// All rows; they are unsynced from then on.
    Keep,
    /// Only what no server has: nothing of the account's.
    Remove,
}

/// Detaches the account. What was pending is forgotten with it, so whoever calls this has asked before
/// (see [`super::outbox::counts`]). Rows that stay can be attached to another account.
pub fn detach(write: &mut Write<'_>, leaving: Leaving) -> Result<(), Error> {
    if leaving == Leaving::Remove {
        remove_rows(write)?;
    }
    for table in Table::ALL {
        let sql =
            format!("UPDATE {} SET server_seq = NULL WHERE server_seq IS NOT NULL", table.name());
        write.tx.execute(&sql, [])?;
    }
    // The outbox's numbers go on: AUTOINCREMENT never gives one twice.
    for table in [
        "account",
        "outbox",
        "bases",
        "pull",
        "heads",
        "pushed_heads",
        "tombstones",
        "unread_rows",
        "conflicts",
    ] {
        write.tx.execute(&format!("DELETE FROM {table}"), [])?;
    }
    write.tell(Change::Everything);
    Ok(())
}

fn remove_rows(write: &mut Write<'_>) -> Result<(), Error> {
    write.tx.execute_batch(
        "INSERT OR IGNORE INTO index_dirty
         SELECT 1, m.rowid
           FROM messages m JOIN conversations c ON c.id = m.conversation_id
          WHERE c.server_seq IS NOT NULL OR m.server_seq IS NOT NULL;
         INSERT OR IGNORE INTO index_dirty
         SELECT 2, rowid FROM conversations WHERE server_seq IS NOT NULL;
         DELETE FROM messages
          WHERE server_seq IS NOT NULL
             OR conversation_id IN (SELECT id FROM conversations WHERE server_seq IS NOT NULL);",
    )?;
    for table in Table::ALL {
        let sql = format!("DELETE FROM {} WHERE server_seq IS NOT NULL", table.name());
        write.tx.execute(&sql, [])?;
    }
    for table in ["branches", "send_queue", "drafts", "unsettled"] {
        let sql = format!(
            "DELETE FROM {table}
              WHERE conversation_id != zeroblob(16)
                AND conversation_id NOT IN (SELECT id FROM conversations)"
        );
        write.tx.execute(&sql, [])?;
    }
    // A conversation that stays may have lost messages.
    write.tx.execute_batch(
        "UPDATE conversations
            SET message_count = (SELECT count(*) FROM messages m
                                  WHERE m.conversation_id = conversations.id AND m.trashed_ms IS NULL);
         INSERT OR IGNORE INTO unsettled SELECT id FROM conversations;",
    )?;
    write.wake_index();
    Ok(())
}

/// The server's time less this computer's, in milliseconds, as last seen; 0 where none was.
pub fn offset_ms(connection: &Connection) -> Result<i64, Error> {
    Ok(connection
        .prepare_cached("SELECT offset_ms FROM account")?
        .query_row([], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}

/// Takes note of how far the server's clock is ahead of this computer's, in milliseconds. Clocks of
/// changes are built from it; what is on its way keeps those that it was sent with.
pub fn saw_offset(mirror: &Mirror, offset: i64) -> Result<(), Error> {
    // Only the engine takes operations on their way, and it waits for this: none joins those looked at.
    let mut frozen = Some(0);
    while let Some(after) = frozen {
        frozen = mirror.write_behind(|write| {
            let next = outbox::freeze_new_rows(write, after)?;
            if next.is_none() {
                write.tx.execute("UPDATE account SET offset_ms = ?1", [offset])?;
            }
            Ok(next)
        })?;
    }
    Ok(())
}

/// Makes this data folder a device of its own, where it turned out to be a copy of another's, or signs out.
pub fn become_another_device(write: &mut Write<'_>, id: DeviceId) -> Result<(), Error> {
    write.tx.execute("UPDATE mirror SET device_id = ?1", [id])?;
    Ok(())
}

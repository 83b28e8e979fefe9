//! A backup of what users have, and putting it back under a running server.
//!
//! Tables are copied row by row for these users alone, and put back with triggers off, as `pg_restore`
//! does: to the functions there is no difference to a whole database that was restored.

use super::call::id;
use uuid::Uuid;

/// Tables, and the column that says whose a row is.
const TABLES: [(&str, &str); 12] = [
    ("public.conversations", "user_id"),
    ("public.messages", "user_id"),
    ("public.documents", "user_id"),
    ("public.files", "user_id"),
    ("public.user_preferences", "user_id"),
    ("public.usage_logs", "user_id"),
    ("public.devices", "user_id"),
    ("sync.head", "scope"),
    ("sync.txn", "scope"),
    ("sync.change", "scope"),
    ("sync.ledger", "user_id"),
    ("sync.device", "user_id"),
];
/// Sessions, which go back only where Auth does.
const SESSIONS: (&str, &str) = ("auth.sessions", "user_id");

fn copy_of(table: &str) -> String {
    format!("sim.{}", table.replace('.', "_"))
}

fn tables() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLES.into_iter().chain([SESSIONS])
}

/// Makes room for one backup.
pub(super) fn room() -> String {
    tables().map(|(table, _)| format!("CREATE TABLE {} (LIKE {table});", copy_of(table))).collect()
}

/// Takes one.
pub(super) fn take(users: &[Uuid]) -> String {
    let users = list(users);
    let copies = tables().map(|(table, column)| {
        let copy = copy_of(table);
        format!("DELETE FROM {copy}; INSERT INTO {copy} SELECT * FROM {table} WHERE {column} IN ({users});")
    });
    copies.collect()
}

/// Puts it back. `same_number`: a scope whose next transaction will have the number of its head's.
pub(super) fn put_back(users: &[Uuid], with_auth: bool, same_number: Option<Uuid>) -> String {
    let users = list(users);
    let copies = tables().filter(|table| with_auth || *table != SESSIONS).map(|(table, column)| {
        let copy = copy_of(table);
        format!("DELETE FROM {table} WHERE {column} IN ({users}); INSERT INTO {table} SELECT * FROM {copy};")
    });
    let numbered = same_number.map(|user| {
        let next = "(pg_current_xact_id()::text::numeric + 1)::text::xid8";
        format!("UPDATE sync.head SET xid = {next} WHERE scope = {};", id(Some(user)))
    });
    let copies: String = copies.collect();
    format!(
        "BEGIN; SET LOCAL session_replication_role = replica; {copies} {} COMMIT",
        numbered.unwrap_or_default()
    )
}

/// Users as a list of literals.
pub(super) fn list(users: &[Uuid]) -> String {
    users.iter().map(|user| id(Some(*user))).collect::<Vec<_>>().join(", ")
}

//! What `doctor` asks of a mirror.

use std::time::Duration;

use rusqlite::Connection;

use crate::mirror::{Error, index};

/// References that must hold at rest, each with a query that counts those that do not.
const REFERENCES: [(&str, &str); 6] = [
    (
        "messages without their conversation",
        "SELECT count(*) FROM messages WHERE conversation_id NOT IN (SELECT id FROM conversations)",
    ),
    (
        "messages without the one that they follow",
        "SELECT count(*) FROM messages m
          WHERE m.parent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages p WHERE p.id = m.parent_id)",
    ),
    (
        "answers that wait without a place in the queue",
        "SELECT count(*) FROM messages
          WHERE state IN ('queued', 'sending', 'streaming', 'retrying', 'needs_you')
            AND trashed_ms IS NULL AND id NOT IN (SELECT message_id FROM send_queue)
            AND (device_id IS NULL OR device_id = (SELECT device_id FROM mirror))",
    ),
    (
        "places in the queue without their answer",
        "SELECT count(*) FROM send_queue WHERE message_id NOT IN (SELECT id FROM messages)",
    ),
    (
        "conversations whose shown end is missing",
        "SELECT count(*) FROM conversations c
          WHERE c.leaf_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = c.leaf_id)",
    ),
    (
        "conversations that count their messages wrongly",
        "SELECT count(*) FROM conversations c
          WHERE c.message_count != (SELECT count(*) FROM messages m
                                     WHERE m.conversation_id = c.id AND m.trashed_ms IS NULL)",
    ),
];

/// Everything that is wrong with a mirror, in sentences; empty where nothing is. Reads every page, so
/// it is for `doctor` and for quiet times, not for a start.
pub fn check(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut findings = seals(connection)?;
    findings.extend(structure(connection)?);
    // Damage can make any query fail; what was found before it is the answer then.
    match references(connection) {
        Ok(found) => findings.extend(found),
        Err(_) if !findings.is_empty() => {}
        Err(error) => return Err(error),
    }
    Ok(findings)
}

/// SQLCipher's own check of every page. It reads the file and not the log, so the log is written back
/// first (a torn page under it is no damage), and a page that is being written is looked at again.
fn seals(connection: &Connection) -> Result<Vec<String>, Error> {
    for last in [false, false, true] {
        let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        let found = lines(connection, "PRAGMA cipher_integrity_check")?;
        if found.is_empty() || last {
            return Ok(found.into_iter().map(|line| format!("The file: {line}.")).collect());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(Vec::new())
}

fn structure(connection: &Connection) -> Result<Vec<String>, Error> {
    // FTS5 remembers the index's segments for each connection, and its part of the check does not
    // look whether another one has replaced them: it would call a rebuilt index damaged. A query
    // does look. One snapshot, so that nothing is replaced between the query and the check.
    let _snapshot = connection.unchecked_transaction()?;
    for index in ["message_index", "title_index"] {
        let _ =
            lines(connection, &format!("SELECT 'x' FROM {index} WHERE {index} MATCH 'x' LIMIT 1"));
    }
    match lines(connection, "PRAGMA integrity_check(20)") {
        Ok(found) => {
            let found = found.into_iter().filter(|line| line != "ok");
            Ok(found.map(|line| format!("SQLite: {line}.")).collect())
        }
        Err(Error::Corrupt(error)) => Ok(vec![format!("SQLite: {error}.")]),
        Err(error) => Err(error),
    }
}

fn references(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut findings = Vec::new();
    for (what, sql) in REFERENCES {
        let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        if count > 0 {
            findings.push(format!("There are {count} {what}."));
        }
    }
    let coverage = index::coverage(connection)?;
    let off = coverage.messages.abs_diff(coverage.indexed);
    if off > coverage.dirty.unsigned_abs() {
        findings.push(format!("The search index differs by {off} messages; rebuild it."));
    }
    Ok(findings)
}

fn lines(connection: &Connection, sql: &str) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

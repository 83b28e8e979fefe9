//! What `doctor` looks at.

use std::collections::BTreeMap;

use super::{DoctorReport, Tidemark};
use crate::error::Result;
use crate::mirror::{Error, index, migrate};

/// Tables whose rows are counted.
const COUNTED: [&str; 8] = [
    "conversations",
    "messages",
    "send_queue",
    "drafts",
    "settings",
    "usage",
    "documents",
    "files",
];

impl Tidemark {
    /// Checks the mirror: its pages, its search index, its key, its versions. Reads only.
    pub fn doctor(&self) -> Result<DoctorReport> {
        let mirror = &self.inner.mirror;
        let (integrity, counts, coverage, versions) = self.read(|connection| {
            Ok((
                integrity(connection)?,
                counts(connection)?,
                index::coverage(connection)?,
                versions(connection)?,
            ))
        })?;
        let mut findings = Vec::new();
        if integrity != ["ok"] {
            findings.push(
                "The mirror is damaged. Restart Tidemark: it saves every row that can be read."
                    .to_owned(),
            );
        }
        if coverage.messages != coverage.indexed && coverage.dirty == 0 {
            findings.push(format!(
                "The search index holds {} of {} messages. Run “tidemarkctl doctor --rebuild-index”.",
                coverage.indexed, coverage.messages
            ));
        }
        let bytes = ["", "-wal"].iter().map(|end| {
            let mut path = mirror.path().as_os_str().to_owned();
            path.push(end);
            std::fs::metadata(path).map(|metadata| metadata.len()).unwrap_or(0)
        });
        Ok(DoctorReport {
            ok: findings.is_empty(),
            findings,
            version: self.inner.version.clone(),
            versions,
            mirror_id: mirror.id().to_string(),
            key: self.inner.kept,
            integrity,
            counts,
            bytes: bytes.sum(),
        })
    }

    /// Empties the search index and fills it again, in the background.
    pub fn rebuild_index(&self) -> Result<()> {
        Ok(index::rebuild(&self.inner.mirror)?)
    }
}

fn integrity(connection: &rusqlite::Connection) -> Result<Vec<String>, Error> {
    let mut complaints: Vec<String> = lines(connection, "PRAGMA cipher_integrity_check")?;
    let quick = lines(connection, "PRAGMA quick_check(20)")?;
    complaints.extend(quick.into_iter().filter(|line| line != "ok"));
    complaints.truncate(40);
    Ok(if complaints.is_empty() { vec!["ok".into()] } else { complaints })
}

fn lines(connection: &rusqlite::Connection, sql: &str) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn counts(connection: &rusqlite::Connection) -> Result<BTreeMap<String, i64>, Error> {
    let mut counts = BTreeMap::new();
    for table in COUNTED {
        let count =
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        counts.insert(table.to_owned(), count);
    }
    let coverage = index::coverage(connection)?;
    counts.insert("message_index".into(), coverage.indexed);
    counts.insert("index_dirty".into(), coverage.dirty);
    Ok(counts)
}

fn versions(connection: &rusqlite::Connection) -> Result<BTreeMap<String, String>, Error> {
    let cipher: String = connection.query_row("PRAGMA cipher_version", [], |row| row.get(0))?;
    Ok(BTreeMap::from([
        ("sqlite".to_owned(), rusqlite::version().to_owned()),
        ("sqlcipher".to_owned(), cipher),
        ("schema".to_owned(), migrate::version(connection)?.to_string()),
    ]))
}

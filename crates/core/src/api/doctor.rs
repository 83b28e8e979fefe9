//! What `doctor` looks at.

use std::collections::BTreeMap;

use super::{DoctorReport, Tidemark};
use crate::error::Result;
use crate::mirror::{Error, index, migrate, salvage};

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
    /// Checks the mirror: every page, references, the search index, versions. Where it finds damage,
    /// the next start sets the file aside and saves every row that can be read.
    pub fn doctor(&self) -> Result<DoctorReport> {
        let mirror = &self.inner.mirror;
        let integrity = self.mirror().check()?;
        let mut findings = Vec::new();
        if !integrity.is_empty() {
            salvage::ask(mirror.path())?;
            findings.push(
                "The mirror is damaged; nothing was deleted. Restart Tidemark: it saves every row that can be read."
                    .to_owned(),
            );
        }
        let (counts, coverage, versions) = self.read(|connection| {
            Ok((counts(connection)?, index::coverage(connection)?, versions(connection)?))
        })?;
        if coverage.messages != coverage.indexed && coverage.dirty == 0 {
            findings.push(format!(
                "The search index holds {} of {} messages. Run “tidemarkctl doctor --rebuild-index”.",
                coverage.indexed, coverage.messages
            ));
        }
        Ok(DoctorReport {
            ok: findings.is_empty(),
            findings,
            version: self.inner.version.clone(),
            versions,
            mirror_id: mirror.id().to_string(),
            key: self.inner.kept,
            integrity: if integrity.is_empty() { vec!["ok".into()] } else { integrity },
            counts,
            bytes: self.bytes(),
        })
    }

    /// The size of the file and its log.
    pub(super) fn bytes(&self) -> u64 {
        let size = |end: &&str| {
            let mut path = self.inner.mirror.path().as_os_str().to_owned();
            path.push(end);
            std::fs::metadata(path).map(|metadata| metadata.len()).unwrap_or(0)
        };
        ["", "-wal"].iter().map(size).sum()
    }

    /// Empties the search index and fills it again, in the background.
    pub fn rebuild_index(&self) -> Result<()> {
        Ok(index::rebuild(&self.inner.mirror)?)
    }
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

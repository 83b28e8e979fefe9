//! Changes to `chroma.sqlite3`: by SQL, as far as it takes them, and to its pages.

use std::path::Path;

use rusqlite::Connection;
use tidemark_tests::faults::Rng;

use super::change;
use super::tree::Tree;

/// What a person, a later version, or somebody who means harm may have done.
const SQL: [&str; 30] = [
    "UPDATE embeddings SET embedding_id = id || 'x'",
    "UPDATE embeddings SET embedding_id = embedding_id || '_99999999999999999999'",
    "UPDATE embeddings SET embedding_id = ''  WHERE id = 1",
    "UPDATE embeddings SET embedding_id = zeroblob(100000 + id) WHERE id < 100",
    "UPDATE embeddings SET id = -id",
    "DELETE FROM embeddings WHERE id % 2",
    "DELETE FROM embedding_metadata WHERE id % 3",
    "UPDATE embedding_metadata SET string_value = CAST(x'ff00e9' AS TEXT)",
    "UPDATE embedding_metadata SET string_value = x'00ff'",
    "UPDATE embedding_metadata SET string_value = NULL, float_value = 9e999",
    "UPDATE OR REPLACE embedding_metadata SET key = 'chroma:document'",
    "UPDATE embedding_metadata SET string_value = hex(zeroblob(100000)) WHERE id < 3",
    "INSERT INTO embedding_metadata (id, key, string_value) SELECT id, key || rowid, string_value FROM embedding_metadata",
    "INSERT INTO embeddings (segment_id, embedding_id, seq_id)
       WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n LIMIT 3000) SELECT 's', 'many_' || n, n FROM n",
    "DROP TABLE embedding_metadata",
    "DROP TABLE embeddings",
    "ALTER TABLE embeddings RENAME TO was",
    "ALTER TABLE embeddings RENAME COLUMN embedding_id TO id_2",
    "ALTER TABLE embedding_metadata ADD COLUMN more TEXT AS (hex(zeroblob(1000000)))",
    "CREATE VIEW embeddings AS WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n) SELECT n AS id, 'x_' || n AS embedding_id FROM n",
    "CREATE TABLE t2 AS SELECT * FROM embedding_metadata; DROP TABLE embedding_metadata; CREATE VIEW embedding_metadata AS SELECT * FROM t2",
    "DROP TABLE embedding_metadata; CREATE TABLE embedding_metadata (id INT, key TEXT, string_value TEXT AS (printf('%.*c', 60000000, 'x')), int_value, float_value, bool_value);
     WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n LIMIT 100) INSERT INTO embedding_metadata (id, key) SELECT n, 'chroma:document' FROM n",
    "CREATE TRIGGER t AFTER INSERT ON embeddings BEGIN DELETE FROM embeddings; END",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = 'CREATE TABLE embeddings (id)' WHERE name = 'embeddings'",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = 2 WHERE name LIKE 'embedding%'",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = 2000000000 WHERE name = 'embeddings'",
    "PRAGMA journal_mode = WAL",
    "PRAGMA page_size = 512; VACUUM",
    "PRAGMA encoding = 'UTF-16be'; PRAGMA user_version = -1",
    "VACUUM",
];

/// One of the seeds, its store changed.
pub(super) fn changed(seeds: &[Tree], rng: &mut Rng) -> Tree {
    let mut tree = seeds[rng.below(seeds.len() as u64) as usize].clone();
    for (path, bytes) in &mut tree.0 {
        if path.ends_with("chroma.sqlite3") {
            if !rng.one_in(3) {
                *bytes = by_sql(bytes, rng);
            }
            if rng.one_in(2) {
                pages(bytes, rng);
            }
        } else if path.ends_with("documents_metadata.json") && rng.one_in(3) {
            change::file(bytes, rng);
        }
    }
    tree
}

/// One of the seeds, its pages changed, and those of a log.
pub(super) fn torn(seeds: &[Tree], rng: &mut Rng) -> Tree {
    let mut tree = seeds[rng.below(seeds.len() as u64) as usize].clone();
    for (_, bytes) in &mut tree.0 {
        pages(bytes, rng);
    }
    tree
}

fn by_sql(bytes: &[u8], rng: &mut Rng) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let store = opened(&path, bytes).expect("opens");
    for _ in 0..=rng.below(3) {
        // What does not fit what an earlier one left is passed over.
        let _ = store.execute_batch(SQL[rng.below(SQL.len() as u64) as usize]);
    }
    drop(store);
    std::fs::read(path).expect("readable")
}

/// Files of at most 32 MB: a case's memory is to be the importer's, not that of whoever holds the file.
fn opened(path: &Path, bytes: &[u8]) -> rusqlite::Result<Connection> {
    std::fs::write(path, bytes).expect("written");
    let store = Connection::open(path)?;
    store.execute_batch(
        "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA max_page_count = 8192",
    )?;
    Ok(store)
}

/// Pages torn, zeroed, exchanged, or written by somebody else.
fn pages(bytes: &mut Vec<u8>, rng: &mut Rng) {
    const PAGE: usize = 4096;
    for _ in 0..=rng.below(4) {
        let count = (bytes.len() / PAGE) as u64;
        if count == 0 {
            return;
        }
        let (one, other) = (rng.below(count) as usize * PAGE, rng.below(count) as usize * PAGE);
        match rng.below(6) {
            0 => bytes[one..one + PAGE].fill(0),
            1 => bytes.copy_within(one..one + PAGE, other),
            2 => bytes.truncate(one),
            // The heads of pages, where cells are counted and placed.
            3 => bytes[one + rng.below(12) as usize] ^= 1 << rng.below(8),
            4 => bytes[rng.below(100) as usize] ^= 1 << rng.below(8),
            _ => change::noise(bytes, rng),
        }
    }
}

/// The control: what is done by SQL has to be done, or the cases are all alike.
#[test]
fn every_statement_changes_some_store() {
    let stores = super::seeds::stores();
    for sql in SQL {
        let takes = |tree: &Tree| {
            let (_, bytes) = tree.0.iter().find(|(path, _)| path.ends_with("chroma.sqlite3"))?;
            let folder = tempfile::tempdir().ok()?;
            let store = opened(&folder.path().join("store"), bytes).ok()?;
            if sql.starts_with("CREATE VIEW embeddings") {
                store.execute_batch("ALTER TABLE embeddings RENAME TO was").ok()?;
            }
            store.execute_batch(sql).ok()
        };
        assert!(stores.iter().any(|tree| takes(tree).is_some()), "{sql}");
    }
}

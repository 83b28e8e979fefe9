//! The core's digests against `tests/fixtures/sync/digests.json`, which SQL is checked against too
//! (`tests/server/06_digests.sql`): both agree with a third that was written for neither.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use tidemark_core::model::wire::{Table, setting_id};
use tidemark_core::sync::digest::{SyncDigest, content_hash, hex};
use uuid::Uuid;

#[derive(Deserialize)]
struct Vectors {
    setting_ids: BTreeMap<String, Uuid>,
    rows: Vec<Vector>,
    conversations: Vec<(Uuid, String)>,
    others: BTreeMap<String, String>,
    empty: String,
}

#[derive(Deserialize)]
struct Vector {
    tbl: Table,
    seq: i64,
    row: Map<String, Value>,
    content_hash: String,
}

impl Vector {
    fn id(&self, field: &str) -> Option<Uuid> {
        self.row.get(field)?.as_str()?.parse().ok()
    }

    /// Whether a conversation's digest covers it.
    fn belongs_to(&self, conversation: Uuid) -> bool {
        match self.tbl {
            Table::Conversations => self.id("id") == Some(conversation),
            Table::Messages => self.id("conversation_id") == Some(conversation),
            _ => false,
        }
    }
}

fn vectors() -> Vectors {
    let mut vectors: Vectors =
        serde_json::from_str(include_str!("../../fixtures/sync/digests.json"))
            .expect("the vectors are JSON");
    vectors.rows.sort_by_key(|vector| (vector.tbl, vector.id("id")));
    vectors
}

fn digest<'a>(rows: impl Iterator<Item = &'a Vector>) -> String {
    let mut digest = SyncDigest::default();
    for vector in rows {
        let id = vector.id("id").expect("each row has an id");
        digest.row(vector.tbl, id, vector.seq, &content_hash(vector.tbl, &vector.row));
    }
    digest.hex()
}

#[test]
fn the_core_hashes_rows_as_the_vectors_say() {
    let vectors = vectors();
    assert!(vectors.rows.len() >= 16, "there are vectors");
    for vector in &vectors.rows {
        let found = hex(&content_hash(vector.tbl, &vector.row));
        assert_eq!(found, vector.content_hash, "{:?}", vector.row);
    }
    for (key, id) in &vectors.setting_ids {
        assert_eq!(setting_id(key), *id, "{key}");
    }
}

#[test]
fn the_core_digests_tables_and_conversations_as_the_vectors_say() {
    let vectors = vectors();
    for (id, expected) in &vectors.conversations {
        assert_eq!(
            digest(vectors.rows.iter().filter(|row| row.belongs_to(*id))),
            *expected,
            "{id}"
        );
    }
    for (table, expected) in &vectors.others {
        let rows = vectors.rows.iter().filter(|row| row.tbl.name() == table);
        assert_eq!(digest(rows), *expected, "{table}");
    }
    assert_eq!(digest(std::iter::empty()), vectors.empty);
}

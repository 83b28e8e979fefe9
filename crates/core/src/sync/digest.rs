//! Digests, the same on every side to the byte (docs/sync.md, "Digests").
//!
//! [`content_hash`] is of one row, [`SyncDigest`] of many rows with their ids and seqs: two mirrors of
//! one scope that are at rest have the same. [`content_digest`] is of a conversation without ids and
//! seqs: an export and what was imported from it have the same.

pub use crate::model::hex;
use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::model::wire::Table;

/// The fields of a row, as on the wire.
pub type Fields = Map<String, Value>;

/// The hash of a row's content: its fields in canonical order. Fields that the table does not have count
/// for nothing; one that is absent counts as null.
pub fn content_hash(table: Table, fields: &Fields) -> [u8; 32] {
    let mut sum = Sha256::new();
    for field in table.fields() {
        add(&mut sum, fields.get(field.name));
    }
    sum.finalize().into()
}

/// A field: `00` where null; else `01`, the length of its text in 32 bits, its text.
fn add(sum: &mut Sha256, value: Option<&Value>) {
    let text = match value {
        None | Some(Value::Null) => return sum.update([0]),
        Some(Value::Bool(value)) => if *value { "1" } else { "0" }.to_owned(),
        Some(Value::String(text)) => return add_text(sum, text),
        Some(other) => other.to_string(),
    };
    add_text(sum, &text);
}

fn add_text(sum: &mut Sha256, text: &str) {
    let length = u32::try_from(text.len()).expect("no field is as long as 4 GiB");
    sum.update([1]);
    sum.update(length.to_be_bytes());
    sum.update(text);
}

/// A digest over rows, which come ordered by table code and id.
#[derive(Debug, Clone, Default)]
pub struct SyncDigest(Sha256);

impl SyncDigest {
    /// Adds a row.
    pub fn row(&mut self, table: Table, id: Uuid, seq: i64, content: &[u8; 32]) {
        self.0.update([table.code()]);
        self.0.update(id.as_bytes());
        self.0.update(seq.to_be_bytes());
        self.0.update(content);
    }

    /// The digest, in hexadecimal.
    pub fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}

/// What of a conversation belongs to its content: all but ids.
const OF_CONVERSATION: [&str; 11] = [
    "title",
    "title_by",
    "model",
    "system_prompt",
    "pinned",
    "archived",
    "trashed_ms",
    "origin",
    "continuation_id",
    "metadata",
    "created_ms",
];

/// What of a message belongs to its content: all but ids, and but the device that ran it.
const OF_MESSAGE: [&str; 14] = [
    "role",
    "content",
    "content_raw",
    "parts",
    "model",
    "state",
    "tokens_in",
    "tokens_out",
    "first_token_ms",
    "cost_micros",
    "metadata",
    "created_ms",
    "finished_ms",
    "trashed_ms",
];

/// The digest of a conversation and its messages without ids and seqs: version 1.
///
/// *Body* of a message: SHA-256 of its fields (those of a message above), each as in a content hash. *Node*:
/// SHA-256 of `02`, its body, the body of the message that it continues (32 zero bytes where none is
/// here), the number of its children in 32 bits, and their nodes in ascending order. *Digest*: SHA-256
/// of `01`, the conversation's fields, the number of its roots in 32 bits, and their nodes in ascending
/// order. A message whose parent is not here is a root; so is, without children, each one of a ring.
pub fn content_digest(conversation: &Fields, messages: &[(Uuid, Fields)]) -> [u8; 32] {
    let bodies: BTreeMap<Uuid, [u8; 32]> = messages.iter().map(|(id, m)| (*id, body(m))).collect();
    let tree = Tree::of(messages);
    let mut nodes: BTreeMap<Uuid, [u8; 32]> = BTreeMap::new();
    for (id, message) in tree.leaves_first() {
        let continued = id_in(message, "continues_id").and_then(|id| bodies.get(&id));
        let children = tree.children(Some(id)).filter_map(|child| nodes.get(&child)).copied();
        let mut sum = Sha256::new();
        sum.update([2]);
        sum.update(bodies[&id]);
        sum.update(continued.unwrap_or(&[0; 32]));
        add_sorted(&mut sum, children.collect());
        nodes.insert(id, sum.finalize().into());
    }
    let mut sum = Sha256::new();
    sum.update([1]);
    OF_CONVERSATION.iter().for_each(|name| add(&mut sum, conversation.get(*name)));
    add_sorted(&mut sum, tree.children(None).map(|id| nodes[&id]).collect());
    sum.finalize().into()
}

fn body(message: &Fields) -> [u8; 32] {
    let mut sum = Sha256::new();
    OF_MESSAGE.iter().for_each(|name| add(&mut sum, message.get(*name)));
    sum.finalize().into()
}

fn add_sorted(sum: &mut Sha256, mut nodes: Vec<[u8; 32]>) {
    nodes.sort_unstable();
    sum.update(u32::try_from(nodes.len()).unwrap_or(u32::MAX).to_be_bytes());
    nodes.iter().for_each(|node| sum.update(node));
}

fn id_in(fields: &Fields, name: &str) -> Option<Uuid> {
    fields.get(name)?.as_str()?.parse().ok()
}

/// A conversation's messages by what they follow.
struct Tree<'a> {
    messages: BTreeMap<Uuid, &'a Fields>,
    below: BTreeMap<Option<Uuid>, Vec<Uuid>>,
}

impl<'a> Tree<'a> {
    fn of(messages: &'a [(Uuid, Fields)]) -> Self {
        let messages: BTreeMap<_, _> = messages.iter().map(|(id, fields)| (*id, fields)).collect();
        let mut below: BTreeMap<Option<Uuid>, Vec<Uuid>> = BTreeMap::new();
        for (id, fields) in &messages {
            let parent = id_in(fields, "parent_id").filter(|id| messages.contains_key(id));
            below.entry(parent).or_default().push(*id);
        }
        let mut tree = Self { messages, below };
        tree.uproot_rings();
        tree
    }

    /// Messages that no root leads to become roots, so that each one counts.
    fn uproot_rings(&mut self) {
        let reached: std::collections::BTreeSet<Uuid> = self.downwards().into_iter().collect();
        let lost: Vec<Uuid> =
            self.messages.keys().filter(|id| !reached.contains(id)).copied().collect();
        for children in self.below.values_mut() {
            children.retain(|id| reached.contains(id));
        }
        self.below.entry(None).or_default().extend(lost);
    }

    fn downwards(&self) -> Vec<Uuid> {
        let mut order: Vec<Uuid> = self.children(None).collect();
        let mut at = 0;
        while let Some(id) = order.get(at).copied() {
            order.extend(self.children(Some(id)));
            at += 1;
        }
        order
    }

    fn children(&self, parent: Option<Uuid>) -> impl Iterator<Item = Uuid> {
        self.below.get(&parent).into_iter().flatten().copied()
    }

    fn leaves_first(&self) -> impl Iterator<Item = (Uuid, &'a Fields)> {
        self.downwards().into_iter().rev().map(|id| (id, self.messages[&id]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        value.as_object().cloned().expect("an object")
    }

    fn message(parent: Option<Uuid>, content: &str) -> Fields {
        fields(json!({
            "parent_id": parent, "role": "user", "content": content, "state": "done",
            "created_ms": 1_790_000_000_000_i64,
        }))
    }

    #[test]
    fn a_row_has_the_hash_that_the_documentation_says() {
        let row = fields(json!({"key": "théme", "value": "\"dark\""}));
        let bytes =
            [&[1, 0, 0, 0, 6][..], "théme".as_bytes(), &[1, 0, 0, 0, 6], b"\"dark\""].concat();
        let expected: [u8; 32] = Sha256::digest(bytes).into();
        assert_eq!(content_hash(Table::Settings, &row), expected);
    }

    #[test]
    fn null_is_not_the_empty_text_and_a_boolean_is_a_digit() {
        let with =
            |value: Value| content_hash(Table::Conversations, &fields(json!({"pinned": value})));
        assert_ne!(with(Value::Null), with(json!("")));
        assert_eq!(with(json!(true)), with(json!("1")));
        assert_eq!(with(json!(7)), with(json!("7")));
    }

    #[test]
    fn ids_seqs_and_the_order_of_messages_do_not_change_a_contents_digest() {
        let conversation = fields(json!({"title": "Tides"}));
        let build = |ids: [u128; 3]| {
            let [a, b, c] = ids.map(Uuid::from_u128);
            vec![
                (a, message(None, "question")),
                (b, message(Some(a), "one answer")),
                (c, message(Some(a), "another")),
            ]
        };
        let first = content_digest(&conversation, &build([1, 2, 3]));
        let mut other = build([30, 20, 10]);
        other.reverse();
        assert_eq!(content_digest(&conversation, &other), first);
        let mut changed = build([1, 2, 3]);
        changed[2].1 = message(Some(changed[1].0), "another");
        assert_ne!(content_digest(&conversation, &changed), first, "it hangs elsewhere");
    }

    #[test]
    fn a_continued_answer_is_told_by_what_it_continues() {
        let conversation = Fields::new();
        let build = |continues: u128| {
            let mut last = message(None, "c");
            last.insert("continues_id".into(), json!(Uuid::from_u128(continues)));
            let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);
            vec![(a, message(None, "a")), (b, message(None, "b")), (c, last)]
        };
        let digest = |continues| content_digest(&conversation, &build(continues));
        assert_ne!(digest(1), digest(2));
        assert_eq!(digest(8), digest(9), "what is not here is nothing");
    }

    #[test]
    fn a_long_thread_and_a_ring_are_digested_without_a_deep_stack() {
        let conversation = Fields::new();
        let id = |n: u128| Uuid::from_u128(n);
        let long: Vec<_> =
            (1..20_000_u128).map(|n| (id(n), message((n > 1).then(|| id(n - 1)), "x"))).collect();
        let ring = [(id(1), message(Some(id(2)), "x")), (id(2), message(Some(id(1)), "y"))];
        let without = [(id(1), message(None, "x")), (id(2), message(None, "y"))];
        assert_ne!(content_digest(&conversation, &long), content_digest(&conversation, &long[1..]));
        assert_eq!(content_digest(&conversation, &ring), content_digest(&conversation, &without));
    }
}

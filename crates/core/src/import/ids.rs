//! The ids that imported rows get: the same at every run and on every computer.
//!
//! UUIDv5 under [`NAMESPACE`] of the names below, each as its length in bytes (32 bits, big-endian)
//! and its UTF-8 bytes, so that no two lists of names have the same bytes. The inputs are written down
//! in docs/importing.md; they never change.

use uuid::Uuid;

use crate::model::{ConversationId, DocumentId, FileId, MessageId};

/// UUIDv5 of `tidemark.import` under the namespace of URLs.
pub const NAMESPACE: Uuid = Uuid::from_u128(0xec11_59a4_b97a_5ebd_a1b0_e8b6_384c_be04);

/// Whose a conversation was, and which.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The old program: [`super::Source::system`].
    pub system: &'a str,
    /// Its owner's key; empty where the source knows of one person only.
    pub owner: &'a str,
    /// Its own key.
    pub conversation: &'a str,
}

impl Origin<'_> {
    /// The conversation's id.
    pub fn conversation_id(&self) -> ConversationId {
        ConversationId(derived(&["conversation", self.system, self.owner, self.conversation]))
    }

    /// A message's id: by its old id, else by its number among the conversation's, who speaks, and
    /// its text, so that a grown conversation keeps the ids of what it had.
    pub fn message_id(&self, key: MessageKey<'_>) -> MessageId {
        let [a, b, c] = match key {
            MessageKey::Old(id) => ["old", id, ""],
            MessageKey::Place { number, role, content } => [number, role, content],
        };
        let of = ["message", self.system, self.owner, self.conversation, a, b, c];
        MessageId(derived(&of))
    }

    /// A document's id.
    pub fn document_id(&self, document: &str) -> DocumentId {
        let of = ["document", self.system, self.owner, self.conversation, document];
        DocumentId(derived(&of))
    }

    /// The id of a file that hung on a message: its number there.
    pub fn file_id(&self, message: MessageId, number: usize) -> FileId {
        FileId(derived(&["file", &message.to_string(), &number.to_string()]))
    }
}

/// What names a message.
#[derive(Debug, Clone, Copy)]
pub enum MessageKey<'a> {
    /// The old program's id.
    Old(&'a str),
    /// It had none.
    Place {
        /// Its number among the conversation's, in decimal.
        number: &'a str,
        /// Who speaks.
        role: &'a str,
        /// SHA-256 of its bytes, in hexadecimal.
        content: &'a str,
    },
}

fn derived(names: &[&str]) -> Uuid {
    let mut bytes = Vec::new();
    for name in names {
        bytes.extend_from_slice(&(name.len() as u32).to_be_bytes());
        bytes.extend_from_slice(name.as_bytes());
    }
    Uuid::new_v5(&NAMESPACE, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_is_what_it_says() {
        assert_eq!(NAMESPACE, Uuid::new_v5(&Uuid::NAMESPACE_URL, b"tidemark.import"));
    }

    #[test]
    fn names_that_only_differ_in_where_they_end_have_different_ids() {
        assert_ne!(derived(&["ab", "c"]), derived(&["a", "bc"]));
        assert_ne!(derived(&["a"]), derived(&["a", ""]));
    }

    #[test]
    fn the_ids_are_those_of_the_first_release() {
        let origin = Origin { system: "pharmgpt", owner: "u", conversation: "c" };
        let ids = [
            origin.conversation_id().to_string(),
            origin.message_id(MessageKey::Old("m")).to_string(),
            origin.document_id("d").to_string(),
        ];
        // Written down once, by another program; a change would import everything a second time.
        let written = [
            "90b632e0-ebaa-55e4-9a85-fca4a475ac31",
            "3a6e5aec-2471-5b0a-aaa5-9e109b0b8d94",
            "80145ae1-33f3-5a33-bffa-2f8610ec2d0d",
        ];
        assert_eq!(ids, written);
    }
}

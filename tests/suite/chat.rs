//! A person's chat, from the question to the answer: what is stored, shown, undone and exported.

mod branches;
mod following;
mod organising;
mod sending;
mod stopping;
mod undoing;

use crate::desk::{Desk, Person, imported, line, slow, store, to};
use tidemark_core::Code;
use tidemark_core::model::{ConversationId, Message, MessageState, Role, TitleBy};
use tidemark_tests::model_server::{Reply, Script};

/// A provider that repeats what it is told.
fn parrot() -> Desk {
    Desk::new(Script::default())
}

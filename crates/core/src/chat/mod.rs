//! The use cases of a chat. Each is one transaction that is durable when it returns.
//!
//! A person's message is `done` the moment it is stored. The answer to it is a row of its own, put
//! into the send queue in the same transaction; [`queue`] asks the models, in order per
//! conversation, and survives whatever ends the process. Regenerate and edit make siblings, so
//! nothing that was said is ever overwritten; [`undo`] takes back what a click can do.
//!
//! | looking for | look in |
//! |---|---|
//! | send, say, edit, regenerate, continue | `send.rs` |
//! | rename, pin, archive, trash, duplicate | `organise.rs` |
//! | what is asked next, and when | `queue/plan.rs` (pure), `queue/mod.rs` (acts) |
//! | what a model is told | `prompt.rs` (pure) |
//! | what cannot be stored as it is | `body.rs` |

pub mod body;
pub mod instance;
pub mod organise;
pub mod prompt;
pub mod queue;
pub mod send;
pub mod streams;
pub mod title;
pub mod undo;

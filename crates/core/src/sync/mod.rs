//! Sync: the mirror and a Supabase project come to say the same.
//!
//! The wire is specified in docs/sync.md. This module decides; [`crate::mirror`] stores, and `remote`
//! speaks HTTP. What is decided is decided in pure code, [`step()`]: one event in, some actions out,
//! so that the simulator (`tests/sim`) can run several devices against a server that fails, under a
//! clock of its own, hundreds of thousands of times.
//!
//! | looking for | look in |
//! |---|---|
//! | what a failure means | `failures.rs`: the one table |
//! | events and actions | `event.rs`; the state between them: `state.rs`, `backoff.rs` |
//! | what comes next | `step.rs` |
//! | hello, the first sync, pages | `pull.rs` |
//! | batches and their outcomes | `push.rs` |
//! | a restored server | `restore.rs` |
//! | a device that slept too long; repair at rest | `compare.rs` |
//! | what the engine asks of a server | `server.rs` |
//! | the engine's jobs, done by the mirror | `store.rs` |
//! | the task that runs it all | `engine.rs` |
//! | digests of both sides | `digest.rs`, `verify.rs` |
//! | what a person is told | `status.rs` |

pub mod backoff;
mod compare;
pub mod digest;
pub mod engine;
pub mod event;
pub mod failures;
mod pull;
mod push;
mod restore;
pub mod server;
mod state;
pub mod status;
mod step;
pub mod store;
mod verify;

pub use engine::Engine;
pub use event::{Action, Done, Event, Job, Memory, StoreFault, Verdict};
pub use state::{Limits, Now, State};
pub use step::step;
pub use verify::{DigestsHere, digest_of_conversation, digests_here};

#[cfg(test)]
mod tests;

//! The simulator: several devices, one server, a network that fails, and a clock of its own, in one
//! thread and from one seed.
//!
//! What runs is the real thing: the engine's [`step`](tidemark_core::sync::step()), its jobs done by the
//! real mirror over SQLite. The server is a model of the SQL functions ([`model`]), which makes thousands of
//! seeds a matter of seconds, or the functions themselves in a real PostgreSQL ([`postgres`]); time,
//! network, persons and deaths come from the seed. Each seed is run twice and has to leave the same trace.
//! A run has two parts: a storm, in which everything fails that can, and a calm, at whose end all has to
//! be well ([`check`]).
//!
//! | looking for | look in |
//! |---|---|
//! | one seed from beginning to end | `life.rs` |
//! | what a seed has in store | `storm.rs` |
//! | what happens, and when | `world.rs`; to devices and the server: `incident.rs` |
//! | a device: its mirror and its processes | `device.rs`; what its program does: `work.rs` |
//! | a request's way there and back | `post.rs`; what the network does to it: `network.rs` |
//! | what persons do | `person.rs` |
//! | what the world asks of a server | `server.rs`, `auth.rs` |
//! | the model | `model.rs` and `model/` |
//! | the real one | `postgres.rs` and `postgres/` |
//! | what has to hold | `witness.rs` at each answer, `check.rs` and `check/` at the end |

mod auth;
mod check;
mod device;
mod incident;
mod life;
mod network;
mod person;
mod post;
mod storm;
mod trace;
mod witness;
mod work;
mod world;

pub mod model;
#[cfg(unix)]
pub mod postgres;
pub mod server;

pub use life::{Bug, Outcome, run, run_against, run_twice};

//! The simulator: several devices, one server, a network that fails, and a clock of its own, in one
//! thread and from one seed.
//!
//! What runs is the real thing: the engine's [`step`](tidemark_core::sync::step()), its jobs done by the
//! real mirror over SQLite. Only the server is a model ([`server`]), and time, network, persons and
//! deaths come from the seed. Each seed is run twice and has to leave the same trace. A run has two
//! parts: a storm, in which everything fails that can, and a calm, at whose end all has to be well
//! ([`check`]).
//!
//! | looking for | look in |
//! |---|---|
//! | what happens, and when | `world.rs` |
//! | a device: its mirror, its processes, what it did | `device.rs` |
//! | what the network does to a request | `network.rs` |
//! | what persons do | `person.rs` |
//! | what has to hold at the end | `check.rs` |
//! | the model of the SQL functions | `server.rs` and `server/` |

pub mod check;
pub mod device;
pub mod network;
pub mod person;
pub mod server;
pub mod world;

pub use world::{Bug, Outcome, run, run_twice};

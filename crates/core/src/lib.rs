//! Tidemark without a window.
//!
//! This crate keeps the encrypted mirror, asks the models and holds every use case of the chat. It
//! works with no network and no display, and never touches the terminal, the environment or the
//! home directory: paths, keys, time and ids come in from whoever opens it. The desktop shell and
//! `tidemarkctl` are two thin callers of [`api`].
//!
//! Direction of dependence: shell, command line, tests → [`api`] → [`chat`], [`sync`] → [`mirror`],
//! [`providers`] → [`model`].

pub mod api;
pub mod chat;
pub mod clock;
pub mod error;
pub mod events;
pub mod faults;
pub mod import;
pub mod mirror;
pub mod model;
pub mod providers;
pub mod remote;
pub mod secrets;
pub mod sync;
pub mod tasks;
pub mod timings;

pub use error::{Code, Failure, Result};

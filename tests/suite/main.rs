//! The suites that need more than one crate, in one binary.

mod bad_input;
mod chat;
mod cli;
mod corruption;
#[cfg(unix)]
mod crowd;
mod desk;
mod importing;
mod io_errors;
mod migrations;
mod power_loss;
mod providers;
mod queue;
mod remote;
mod search;
mod secrets;
#[cfg(unix)]
mod server;
mod sim;
#[cfg(unix)]
mod stack;
#[cfg(unix)]
mod syncing;
mod two_processes;

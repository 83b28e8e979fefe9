//! The suites that need more than one crate, in one binary.

mod chat;
mod corruption;
mod desk;
mod io_errors;
mod migrations;
mod power_loss;
mod providers;
mod two_processes;

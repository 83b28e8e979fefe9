//! Shared by the suites.

pub mod model_server;

pub mod faults;

//! Shared by the suites.

pub mod model_server;

//! Shared by the suites.

pub mod model_server;

#[cfg(unix)]
pub mod stack;

pub mod device;

pub mod faults;

pub mod sim;

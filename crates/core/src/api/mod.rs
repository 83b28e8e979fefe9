//! What the window and the command line both call.

mod types;
pub mod typescript;

pub use types::*;

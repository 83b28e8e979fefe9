//! What the window and the command line both call.

pub mod typescript;

pub use crate::model::view::*;

//! JSON as programs really wrote it: laxer than the standard, torn, or with something behind it.
//!
//! Python writes `NaN`, half characters and whatever nesting it was given; programs are killed while
//! they write; editors save another encoding. One such value must not cost the file. Two layers:
//! [`members`] walks a document of any size and hands out its members as bytes, one at a time;
//! [`parse`] makes a [`Value`] of one member, and says what was odd about it.

mod bytes;
mod parse;
mod stream;
mod value;

pub use bytes::Decoded;
pub use parse::{Oddity, Parsed, parse};
pub use stream::{Element, Key, Shape, Walked, members};
pub use value::{List, Map, Value};

//! Import: what older programs left on disk comes over, once, and the report proves it.
//!
//! A source only reads: it turns whatever its program wrote into the records of `record.rs`, one at a
//! time, and says what it could not read and why. Everything else (ids, the plan, the run, the
//! verification, the undo) is the same for all of them and knows no format.
//!
//! | looking for | look in |
//! |---|---|
//! | JSON as programs really wrote it | `lax/` |
//! | what every source yields | `record.rs`, `text.rs`, `time.rs` |
//! | a format | the file of its program in `sources/` |
//! | the ids that rows get | `ids.rs` |
//! | who is meant by a name | `people.rs`; proof by their old password: `proof.rs` |
//! | from records to rows | `rows.rs` |
//! | one reading of a source, with its counts | `survey.rs` |
//! | what was read and waits to be written | `waiting.rs` |
//! | plan, run, verification, undo | `run/`; what they say: `report.rs` |
//! | noticing that a source changes | `watch.rs` |
//! | everybody's part into their own account | `accounts.rs` |
//! | the archive of the source | `backup.rs` |
//! | the archive that a source came in | `archive.rs` |

pub mod accounts;
pub mod archive;
pub mod backup;
pub mod find;
pub mod ids;
pub mod lax;
pub mod people;
mod proof;
pub mod record;
pub mod report;
pub mod rows;
pub mod run;
pub mod sources;
pub mod survey;
pub mod text;
pub mod time;
mod waiting;
pub mod watch;

pub use record::{Attachment, Conversation, Document, Item, Message, Note, Owner, Skip};
pub use sources::{Input, Source};
pub use text::Text;
pub use time::When;

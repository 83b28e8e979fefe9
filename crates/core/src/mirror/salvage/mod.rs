//! What happens to a damaged mirror: it is found, set aside and never deleted, and every row that
//! can be read is carried into a fresh one, with a count of those that cannot.
//!
//! SQLite stops at the first page that it cannot read. Here the pages are opened one by one: the log's
//! committed frames first, then the file; a page whose code does not match is left out, and the rows
//! of all others are read from their leaves, whether or not a tree still leads there. The damaged
//! file is only ever read.
//!
//! | looking for | look in |
//! |---|---|
//! | a page, SQLCipher's seal | `page.rs` |
//! | the log and what lies behind a damaged part of it | `log.rs`, `wal_index.rs` (whether some is missing) |
//! | SQLite's cells and records | `record.rs` |
//! | which page is whose | `survey.rs` |
//! | how losses are counted | `gather.rs` |
//! | putting rows in, and references right | `fill.rs`, `repair.rs` |
//! | setting aside and taking the place | `recover.rs` |
//! | what `doctor` asks | `check.rs` |

mod check;
mod fill;
mod gather;
mod log;
mod page;
mod pages;
mod record;
mod recover;
mod repair;
mod shape;
mod survey;
mod wal_index;

use std::path::Path;

use super::key::Key;
use super::{Error, Mirror, migrate};
use crate::model::view::SalvagedTable;

pub use check::check;
pub use recover::{ask, finish, open_or_recover, recover};
pub use wal_index::log_is_damaged;

/// How carefully a damaged file is read. Everything but [`Care::Full`] is a control that the tests
/// use to show what it is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// The log is applied, and pages whose code does not match are left out.
    Full,
    /// The log is ignored.
    WithoutLog,
    /// Damaged pages are believed.
    WithoutCode,
}

/// What was carried over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Per table: saved and lost. Tables of which nothing was there are left out.
    pub tables: Vec<SalvagedTable>,
    /// Pages that could not be read.
    pub damaged_pages: usize,
}

/// Carries every readable row of the file at `damaged` into the fresh mirror `into`, keeps its rowids,
/// puts references and counts right, and leaves all of it on the search index's list.
///
/// Rows that are lost are counted from what an index names where one could be read whole, else
/// reckoned: see `gather.rs`.
///
/// # Errors
/// [`Error::WrongKey`] where neither a page nor the salt in front of the file is of this key.
/// [`Error::Newer`] where the damaged file has a newer schema: only a newer program can read it.
pub fn salvage(damaged: &Path, key: &Key, into: &Mirror, care: Care) -> Result<Salvaged, Error> {
    let mut pages = pages::Pages::open(damaged, key, care)?;
    if !pages.can_be_of(key)? {
        return Err(Error::WrongKey);
    }
    let tables = into.read(shape::tables)?;
    let mut gather = gather::Gather::new(&mut pages, &tables);
    into.write(|write| {
        let mut fill = fill::Fill::new(&write.tx, &tables);
        gather.rows(&mut fill)?;
        let (found, known) = (fill.schema(), migrate::latest());
        if found > known {
            return Err(Error::Newer { found, known });
        }
        fill.identity()?;
        let report = report(&gather, &fill, &tables);
        repair::repair(write)?;
        Ok(Salvaged { tables: report, damaged_pages: gather.damaged() })
    })
}

fn report(
    gather: &gather::Gather<'_>,
    fill: &fill::Fill<'_, '_>,
    tables: &[shape::Table],
) -> Vec<SalvagedTable> {
    tables
        .iter()
        .enumerate()
        .filter(|(_, table)| !fill::OF_THE_FILE.contains(&table.name.as_str()))
        .map(|(index, table)| SalvagedTable {
            table: table.name.clone(),
            saved: fill.saved(index).len() as i64,
            lost: gather.lost(index, fill.saved(index)),
        })
        .filter(|line| line.saved + line.lost > 0)
        .collect()
}

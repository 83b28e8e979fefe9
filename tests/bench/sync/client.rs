//! One client, in a process of its own: its time and its memory are nobody else's.
//!
//! It reads an [`Order`] from its standard input and prints what came of it as one line of JSON. The
//! stack, whose gateway also costs time, is in the process that gives the order.

mod applying;
mod meeting;
mod pulling;
mod pushing;
mod raw;

use std::io::Read as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidemark_tests::device::Person;

pub(crate) use applying::Applied;
pub(crate) use meeting::{Idle, Met};
pub(crate) use pulling::{Pulled, Written};
pub(crate) use pushing::Pushed;

/// What to do and to measure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Order {
    /// A first sync. Answers with [`Pulled`].
    Pull {
        person: Person,
        folder: PathBuf,
        /// A person writes meanwhile.
        write: bool,
        /// The search index is brought up to it afterwards.
        index: bool,
    },
    /// The pages of a first sync, read and let go. Answers with a [`super::cost::Cost`].
    ReadPages { person: Person, folder: PathBuf },
    /// Rows of the peers' table, read and let go. Answers with a [`super::cost::Cost`].
    ReadTable { person: Person, rows: u64 },
    /// Rows written into a new mirror. Answers with a [`super::cost::Cost`].
    Insert { folder: PathBuf, rows: u64 },
    /// The pages of a first sync, fetched before and applied. Answers with [`Applied`].
    Apply { person: Person, folder: PathBuf },
    /// Messages written offline and sent when the network is back. Answers with [`Pushed`].
    Push { person: Person, folder: PathBuf, count: u64 },
    /// The same rows in one call of a function that only inserts. Answers with a [`super::cost::Cost`].
    PushRaw { person: Person, count: u64 },
    /// A look of an engine at rest. Answers with [`Idle`].
    Rest { person: Person, folder: PathBuf },
    /// Two devices; what one writes, the other sees. Answers with [`Met`].
    Meet { person: Person, folder: PathBuf, rounds: u64, poll_ms: Option<i64> },
}

/// Does what standard input says.
pub(crate) fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .init();
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let order: Order = serde_json::from_str(&text)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let answer = runtime.block_on(obey(order))?;
    println!("{answer}");
    Ok(())
}

async fn obey(order: Order) -> anyhow::Result<Value> {
    let answer = match order {
        Order::Pull { person, folder, write, index } => {
            serde_json::to_value(pulling::pull(&person, &folder, write, index).await?)
        }
        Order::ReadPages { person, folder } => {
            serde_json::to_value(applying::read_pages(&person, &folder).await?)
        }
        Order::ReadTable { person, rows } => {
            serde_json::to_value(raw::read_table(&person, rows).await?)
        }
        Order::Insert { folder, rows } => serde_json::to_value(raw::insert(&folder, rows)?),
        Order::Apply { person, folder } => {
            serde_json::to_value(applying::apply(&person, &folder).await?)
        }
        Order::Push { person, folder, count } => {
            serde_json::to_value(pushing::push(&person, &folder, count).await?)
        }
        Order::PushRaw { person, count } => serde_json::to_value(raw::push(&person, count).await?),
        Order::Rest { person, folder } => {
            serde_json::to_value(meeting::rest(&person, &folder).await?)
        }
        Order::Meet { person, folder, rounds, poll_ms } => {
            serde_json::to_value(meeting::meet(&person, &folder, rounds, poll_ms).await?)
        }
    };
    Ok(answer?)
}

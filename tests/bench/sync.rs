//! `./dev bench sync`: sync against its limits and its peers, on one server of this machine.
//!
//! Every client is a process of its own: ours by an order to this same program ([`client`]), the peers'
//! by small programs for Node ([`others`], `tests/bench/peers`). What is compared takes turns.

pub(crate) mod client;
pub(crate) mod cost;
mod filled;
mod growing;
mod others;
mod pulls;
mod pushes;
mod resting;
mod size;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use tempfile::TempDir;

use crate::report::Report;
use filled::Filled;

/// Parts of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// First pulls of 20,000 messages, their limits, search, size
    Pull,
    /// Applying pages, against PowerSync's core
    Apply,
    /// Pushes
    Push,
    /// An engine at rest, and the way from one device to another
    Rest,
    /// 100,000 messages: the first list, and a person who writes meanwhile
    Write,
    /// 1,000,000 messages: memory
    Million,
}

/// A run.
struct Run {
    server: Filled,
    folder: PathBuf,
    report: Report,
    clients: u64,
}

/// Measures these parts; none: all.
pub(crate) fn measure(only: &[Part]) -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).context("this is not in a target folder")?;
    let folder = TempDir::with_prefix_in("bench-", target)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(all(only, folder.path()))?;
    report.end(&target.join("bench/sync.json"))
}

async fn all(only: &[Part], folder: &Path) -> anyhow::Result<Report> {
    let wants = |part| only.is_empty() || only.contains(&part);
    let report = Report::begin();
    let server = Filled::start().await?;
    let mut run = Run { server, folder: folder.to_owned(), report, clients: 0 };
    if wants(Part::Pull) || wants(Part::Apply) {
        pulls::measure(&mut run, wants(Part::Pull), wants(Part::Apply)).await?;
    }
    if wants(Part::Push) {
        pushes::measure(&mut run).await?;
    }
    if wants(Part::Rest) {
        resting::measure(&mut run).await?;
    }
    if wants(Part::Write) {
        growing::writing(&mut run).await?;
    }
    if wants(Part::Million) {
        growing::million(&mut run).await?;
    }
    Ok(run.report)
}

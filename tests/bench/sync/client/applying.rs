//! The pages of a first sync, apart from the engine: what reading them costs, and what applying them.

use std::path::Path;

use anyhow::{bail, ensure};
use serde::{Deserialize, Serialize};
use tidemark_core::mirror::synced;
use tidemark_core::model::wire::{After, Head, MAX_ROWS, Table};
use tidemark_core::sync::event::Stage;
use tidemark_core::sync::server::{Ask, Remote as _, Rows, Told};
use tidemark_core::sync::{Job, Limits, store};
use tidemark_tests::device::{Device, Person};

use crate::sync::cost::{Cost, Stopwatch, thread_cpu_ms};

/// The tables that have rows here.
const TABLES: [Table; 2] = [Table::Conversations, Table::Messages];

/// What applying cost.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Applied {
    /// Of the one thread that applies.
    pub(crate) cost: Cost,
    /// Text that was applied, in MB.
    pub(crate) mb: f64,
}

/// Reads all pages and lets them go.
pub(super) async fn read_pages(person: &Person, folder: &Path) -> anyhow::Result<Cost> {
    let (device, _) = greeted(person, folder).await?;
    let watch = Stopwatch::start();
    for table in TABLES {
        let mut after = None;
        while let (_, Some(next)) = page(&device, table, after.take()).await? {
            after = Some(next);
        }
    }
    Ok(watch.cost())
}

/// Fetches all pages, then applies them as the engine has it done.
pub(super) async fn apply(person: &Person, folder: &Path) -> anyhow::Result<Applied> {
    let (device, head) = greeted(person, folder).await?;
    let mut pages: Vec<(Table, Rows, Option<After>)> = Vec::new();
    for table in TABLES {
        let mut after = None;
        loop {
            let (rows, next) = page(&device, table, after.take()).await?;
            pages.push((table, rows, next.clone()));
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    let mb = pages.iter().map(|(_, rows, _)| rows.0.len()).sum::<usize>() as f64 / 1e6;
    let mirror = device.mirror.clone();
    let cost = tokio::task::spawn_blocking(move || {
        let perform = |job| store::perform(&mirror, &job);
        perform(Job::Begin { head })?;
        let (watch, cpu_ms) = (Stopwatch::start(), thread_cpu_ms());
        for (table, rows, after) in pages {
            let next = Some(Stage { table, after });
            perform(Job::Snapshot { table, rows, next })?;
        }
        Ok(Cost { cpu_ms: thread_cpu_ms() - cpu_ms, ..watch.cost() })
    });
    let cost = cost.await?;
    let cost = cost.map_err(|fault: tidemark_core::sync::StoreFault| {
        anyhow::anyhow!("a page was not applied: {fault:?}")
    })?;
    let rows: i64 = device
        .mirror
        .read(|c| Ok(c.query_row("SELECT count(*) FROM messages", [], |row| row.get(0))?))?;
    ensure!(rows > 0, "the pages were let pass, and not applied");
    Ok(Applied { cost, mb })
}

/// A device that the server knows, and whose engine does nothing; and the head that it was told.
async fn greeted(person: &Person, folder: &Path) -> anyhow::Result<(Device, Head)> {
    let device = Device::open(person, folder, Limits::default(), 1).await?;
    let hello = Ask::Hello { device_id: device.mirror.read(synced::device_id)?.0 };
    match device.remote.ask(hello).await {
        Ok(Told::Hello(hello)) => Ok((device, hello.head)),
        told => bail!("no hello: {told:?}"),
    }
}

async fn page(
    device: &Device,
    table: Table,
    after: Option<After>,
) -> anyhow::Result<(Rows, Option<After>)> {
    match device.remote.ask(Ask::Snapshot { table, after, known: None, max: MAX_ROWS }).await {
        Ok(Told::Snapshot { after, rows, .. }) => Ok((rows, after)),
        told => bail!("no page: {told:?}"),
    }
}

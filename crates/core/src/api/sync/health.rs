//! How well it goes: the connection, the requests, the queries, what waits.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Failed, Slow, SyncStatus, Timing};
use crate::api::Tidemark;
use crate::error::Result;

/// What the health page shows. Of this process, since its start; nothing of it leaves the computer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Health {
    /// Where sync is, and what waits.
    pub sync: SyncStatus,
    /// Whether the server rings when something changes.
    pub doorbell: Doorbell,
    /// How long requests took, by name.
    pub requests: Vec<Timing>,
    /// How long reads and writes of the mirror took, the wait for their turn included.
    pub queries: Vec<Timing>,
    /// The requests and queries that took long, latest first.
    pub slow: Vec<Slow>,
    /// The requests that failed, latest first.
    pub failures: Vec<Failed>,
    /// The size of the mirror's file and its log, in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// Whether the server rings when something changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Doorbell {
    /// It does.
    Up,
    /// It does not, for now: changes are asked for every minute.
    Down,
}

impl Tidemark {
    /// How well it goes.
    ///
    /// # Errors
    /// The mirror cannot be read.
    pub fn health(&self) -> Result<Health> {
        let (keeper, queries) = (&self.inner.keeper, self.inner.mirror.timings());
        let mut slow = keeper.requests().slow();
        slow.extend(queries.slow());
        slow.sort_by_key(|slow| std::cmp::Reverse(slow.at));
        Ok(Health {
            sync: self.sync_status()?,
            doorbell: if keeper.bell() { Doorbell::Up } else { Doorbell::Down },
            requests: keeper.requests().all(),
            queries: queries.all(),
            slow,
            failures: keeper.requests().failures(),
            bytes: self.bytes(),
        })
    }
}

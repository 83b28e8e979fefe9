//! Repair at rest: once a day both sides' digests are compared, and what differs is fetched again.
//!
//! Nothing should ever differ. A disk that forgot, or a fault of ours, is found so before a person finds
//! it.

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::SyncState;
use crate::api::Tidemark;
use crate::error::Result;
use crate::mirror::settings;

/// How often it is looked whether a day is over.
const LOOK: Duration = Duration::from_secs(600);
/// Between two comparisons, in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// When the last one was begun; `local.` settings never leave this device.
const BEGUN: &str = "local.verified_ms";

/// Compares once a day, while all is up to date.
pub(super) async fn daily(core: Tidemark, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        match core.off(|core| core.is_due()).await {
            Ok(true) => core.verify_sync(),
            Ok(false) => {}
            Err(failure) => tracing::warn!(%failure, "both sides were not compared"),
        }
    }
}

impl Tidemark {
    /// Whether a day is over; then the next one begins.
    fn is_due(&self) -> Result<bool> {
        let status = self.inner.keeper.status();
        if !status.is_some_and(|status| matches!(status.state, SyncState::UpToDate { .. })) {
            return Ok(false);
        }
        let now = self.clock().now().0;
        let begun = self.read(|connection| settings::get(connection, BEGUN))?;
        // A clock that was set back counts as a day.
        let is_recent = |begun: i64| (0..DAY_MS).contains(&now.saturating_sub(begun));
        if begun.and_then(|begun| begun.as_i64()).is_some_and(is_recent) {
            return Ok(false);
        }
        self.write(|write| settings::set(write, BEGUN, &json!(now)))?;
        Ok(true)
    }
}

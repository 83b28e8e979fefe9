//! The core, as the commands reach it, and what the shell runs beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tauri::AppHandle;
use tauri::async_runtime;
use tauri::ipc::Channel;
use tidemark_core::api::{App, AppState, OpenOptions, StreamEvent, Tidemark};
use tidemark_core::model::MessageId;
use tidemark_core::tasks::Tasks;
use tidemark_core::{Code, Failure, Result};

use crate::launch::Launch;
use crate::{events, follow};

/// How long what passes messages to the page may take to stop.
const CLOSE: Duration = Duration::from_secs(1);

/// The core and what the shell runs beside it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shell {
    inner: Arc<Inner>,
}

struct Inner {
    launch: Launch,
    app: App,
    window: AppHandle,
    tasks: Tasks,
    started: Instant,
    /// Whether changes are being passed on.
    listening: AtomicBool,
}

impl Shell {
    /// Begins to open the mirror, on another thread.
    pub(crate) fn start(window: AppHandle, launch: Launch) -> Self {
        let runtime = async_runtime::handle().inner().clone();
        let _inside = runtime.enter();
        let app = App::start(OpenOptions {
            key_file: launch.key_file.clone(),
            organisation: launch.organisation.clone(),
            model_dirs: launch.models_dir.clone().into_iter().collect(),
            run_queue: true,
            ..OpenOptions::new(&launch.data_dir)
        });
        let tasks = Tasks::on(runtime.clone());
        let (started, listening) = (Instant::now(), AtomicBool::new(false));
        Self { inner: Arc::new(Inner { launch, app, window, tasks, started, listening }) }
    }

    /// What the program was started with.
    pub(crate) fn launch(&self) -> &Launch {
        &self.inner.launch
    }

    /// What the window shows first; waits until the mirror is open, or is known not to open.
    pub(crate) async fn state(&self) -> AppState {
        let state = self.inner.app.state().await;
        self.listen();
        state
    }

    /// Tries again to open a mirror that did not open.
    pub(crate) async fn reopen(&self) -> AppState {
        let state = self.inner.app.reopen().await;
        self.listen();
        state
    }

    /// Opens a locked mirror.
    pub(crate) async fn unlock(&self, passphrase: String) -> Result<AppState> {
        let state = self.inner.app.unlock(passphrase).await?;
        self.listen();
        Ok(state)
    }

    /// Makes the first mirror where there is no keyring.
    pub(crate) async fn choose_passphrase(&self, passphrase: String) -> Result<AppState> {
        let state = self.inner.app.choose_passphrase(passphrase).await?;
        self.listen();
        Ok(state)
    }

    /// The open core. Waits while it opens: a page that was reloaded asks at once.
    pub(crate) async fn core(&self) -> Result<Tidemark> {
        match self.inner.app.core() {
            Ok(core) => Ok(core),
            Err(_) => {
                self.state().await;
                self.inner.app.core()
            }
        }
    }

    /// Runs what may wait for the disk where it holds up nobody.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tidemark) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let core = self.core().await?;
        let done = async_runtime::spawn_blocking(move || work(&core)).await;
        done.unwrap_or_else(|_panic| {
            Err(Failure::new(Code::Internal, "That did not work, and it is a fault of Tidemark.")
                .hint("Everything that was saved is safe. The log says more."))
        })
    }

    /// Passes an answer on to the page, until it ends.
    pub(crate) async fn follow(&self, id: MessageId, page: Channel<StreamEvent>) -> Result<()> {
        let answer = self.core().await?.follow(id);
        let stop = self.inner.tasks.stop_token();
        let following = async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = follow::forward(answer, page) => {}
            }
        };
        self.inner.tasks.spawn("follow", following);
        Ok(())
    }

    /// Stops all tasks and closes the mirror.
    pub(crate) async fn close(&self) {
        tokio::join!(self.inner.tasks.close(CLOSE), self.inner.app.close());
    }

    /// From the first answer of `app_state` on, so that what the page read is never out of date.
    fn listen(&self) {
        let Ok(core) = self.inner.app.core() else { return };
        if self.inner.listening.swap(true, Ordering::SeqCst) {
            return;
        }
        let after_ms = self.inner.started.elapsed().as_millis();
        tracing::info!(after_ms, "the mirror is open and the page has asked for it");
        let (stop, window) = (self.inner.tasks.stop_token(), self.inner.window.clone());
        let changes = core.changes();
        let listening = async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = events::forward(window, core, changes) => {}
            }
        };
        self.inner.tasks.spawn("changes", listening);
    }
}

//! Tasks with a name, an owner and an end.
//!
//! Nothing is detached: on close every task is told to stop, waited for, and aborted only after the
//! deadline. State changes are single transactions, so that stopping at any `.await` is safe.

use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The tasks of one owner.
#[derive(Debug)]
pub struct Tasks {
    runtime: Handle,
    stop: CancellationToken,
    running: Mutex<Vec<(&'static str, JoinHandle<()>)>>,
}

impl Tasks {
    /// Tasks that run on `runtime`.
    pub fn on(runtime: Handle) -> Self {
        Self { runtime, stop: CancellationToken::new(), running: Mutex::default() }
    }

    /// Cancelled when the owner closes.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.child_token()
    }

    /// Whether [`Tasks::close`] has begun.
    pub fn is_closing(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Starts a task. After [`Tasks::close`] it is dropped unstarted.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        if self.stop.is_cancelled() {
            return;
        }
        let handle = self.runtime.spawn(task);
        let mut running = self.running.lock().expect("no task panics while it holds the list");
        running.retain(|(_, handle)| !handle.is_finished());
        running.push((name, handle));
    }

    /// Tells all to stop, waits up to `deadline`, aborts what is left.
    pub async fn close(&self, deadline: Duration) {
        self.stop.cancel();
        let running = std::mem::take(&mut *self.running.lock().expect("as above"));
        let until = tokio::time::Instant::now() + deadline;
        for (name, mut handle) in running {
            if tokio::time::timeout_at(until, &mut handle).await.is_err() {
                tracing::warn!(task = name, "did not stop in time");
                handle.abort();
                let _ = handle.await;
            }
        }
    }
}

//! The send queue at work: asks the models, in order per conversation.
//!
//! [`plan`] decides what to do from the rows alone; this file does it. An answer's row and its entry
//! always move in one transaction, and text that arrived is stored at most [`STORE_EVERY`] after it
//! came, so that a kill leaves an interrupted answer and never a lost one. Only the window runs the
//! whole queue ([`Queue::run`]); the command line asks for its own answers ([`Queue::answer`]).

mod answer;
pub mod plan;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::plan::{Now, Plan, Queued, Step};
use super::instance::Instance;
use super::prompt::Style;
use super::streams::Streams;
use crate::error::Failure;
use crate::mirror::messages::{self, Progress};
use crate::mirror::send_queue::{self, Turn};
use crate::mirror::{Error, Mirror, settings};
use crate::model::{MessageId, MessageState, ModelInfo, ModelRef, setting};
use crate::providers::Provider;
use crate::tasks::Tasks;

/// How long text may be only in memory.
pub const STORE_EVERY: Duration = Duration::from_millis(400);

/// How long the queue sleeps at most: other processes write entries without waking this one.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Finds who answers for a model.
pub trait Models: Send + Sync + std::fmt::Debug {
    /// The provider of a model.
    ///
    /// # Errors
    /// There is none with that name, or it has no key: it needs a person.
    fn provider(&self, model: &ModelRef) -> Result<Arc<dyn Provider>, Failure>;

    /// Prices and limits, where they are known.
    fn info(&self, model: &ModelRef) -> ModelInfo;

    /// Whether asking it may cost money.
    fn costs(&self, model: &ModelRef) -> bool;
}

/// The send queue of one process. Cheap to share.
#[derive(Debug, Clone)]
pub struct Queue {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    mirror: Mirror,
    instance: Instance,
    models: Arc<dyn Models>,
    streams: Streams,
    tasks: Arc<Tasks>,
    running: Mutex<HashSet<MessageId>>,
    wake: Notify,
}

impl Queue {
    /// A queue over a mirror; asks nothing until it is told to.
    pub fn new(
        mirror: Mirror,
        instance: Instance,
        models: Arc<dyn Models>,
        streams: Streams,
        tasks: Arc<Tasks>,
    ) -> Self {
        let inner = Inner {
            mirror,
            instance,
            models,
            streams,
            tasks,
            running: Mutex::default(),
            wake: Notify::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// This process's id in the queue.
    pub fn runner(&self) -> uuid::Uuid {
        self.inner.instance.id()
    }

    /// Looks at the queue again, because something was put in or a key was set.
    pub fn wake(&self) {
        self.inner.wake.notify_one();
    }

    /// Runs the queue until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let wake_at = match self.turn().await {
                Ok(plan) => plan.wake_at,
                Err(error) => {
                    tracing::error!(%error, "the send queue could not be read");
                    None
                }
            };
            let now = self.inner.mirror.clock().now();
            let sleep = wake_at.map_or(LOOK_EVERY, |at| {
                Duration::from_millis(at.0.saturating_sub(now.0).max(0).unsigned_abs())
                    .min(LOOK_EVERY)
            });
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.inner.wake.notified() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// One look at the queue: plans, and starts what may go.
    async fn turn(&self) -> Result<Plan, Error> {
        let queue = self.clone();
        let plan = on_disk(move || queue.plan()).await?;
        for step in &plan.steps {
            self.act(*step).await?;
        }
        Ok(plan)
    }

    async fn act(&self, step: Step) -> Result<(), Error> {
        let queue = self.clone();
        match step {
            Step::Start(id) => {
                self.start(id);
                Ok(())
            }
            Step::Interrupt(id) => on_disk(move || queue.end(id, MessageState::Interrupted)).await,
            Step::Requeue(id) => {
                on_disk(move || queue.set(id, MessageState::Queued, &Turn::default()).map(|_| ()))
                    .await
            }
            Step::Hold(id) => {
                let held = Turn { held: true, ..Turn::default() };
                on_disk(move || queue.set(id, MessageState::Queued, &held).map(|_| ())).await
            }
        }
    }

    /// Asks in a task of its own, unless it is being asked.
    fn start(&self, id: MessageId) {
        if !self.lock_running().insert(id) {
            return;
        }
        let queue = self.clone();
        self.inner.tasks.spawn("answer", async move {
            queue.ask(id).await;
            queue.lock_running().remove(&id);
            queue.wake();
        });
    }

    /// Asks for one answer and waits until it has ended or is parked; the command line's way.
    pub async fn answer(&self, id: MessageId) {
        if self.lock_running().insert(id) {
            self.ask(id).await;
            self.lock_running().remove(&id);
        }
    }

    /// Lets this process's claim on an answer go, so that another may ask.
    pub fn release(&self, id: MessageId) -> Result<(), Error> {
        self.inner.mirror.write(|write| {
            let Some(entry) = send_queue::get(&write.tx, id)? else { return Ok(()) };
            let turn = Turn {
                runner: None,
                attempts: entry.attempts,
                retry_at: entry.retry_at,
                failure: entry.failure,
                held: entry.held,
            };
            send_queue::update(write, id, &turn)
        })
    }

    fn plan(&self) -> Result<Plan, Error> {
        let inner = &self.inner;
        // Before the rows and after them: an answer that begins or ends between the two is running
        // as far as this plan knows, and wakes the next one.
        let mut running = self.lock_running().clone();
        let entries = inner.mirror.read(|connection| {
            send_queue::all(connection)?
                .into_iter()
                .map(|entry| {
                    let answer = messages::get(connection, entry.message_id)?;
                    let costs =
                        answer.model.as_ref().is_some_and(|model| inner.models.costs(model));
                    Ok(Queued {
                        entry,
                        state: answer.state,
                        has_text: !answer.content.is_empty(),
                        costs,
                    })
                })
                .filter(|queued: &Result<_, Error>| !matches!(queued, Err(Error::NotFound(_))))
                .collect::<Result<Vec<_>, Error>>()
        })?;
        running.extend(self.lock_running().iter());
        let is_alive = |id| inner.instance.is_alive(id);
        let now = Now {
            at: inner.mirror.clock().now(),
            me: self.runner(),
            running: &running,
            is_alive: &is_alive,
            hold_after_ms: self.hold_after_ms()?,
        };
        Ok(plan::plan(&entries, &now))
    }

    fn hold_after_ms(&self) -> Result<i64, Error> {
        let known = setting::known("hold_after_hours")?;
        let stored = self.inner.mirror.read(|connection| settings::get(connection, known.key))?;
        Ok(known.or_default(stored).as_i64().unwrap_or(24) * 60 * 60 * 1000)
    }

    /// Sets state and turn of an entry together. `false` where the entry has left meanwhile: the
    /// person stopped it, here or in another process.
    fn set(&self, id: MessageId, state: MessageState, turn: &Turn) -> Result<bool, Error> {
        self.inner.mirror.write(|write| {
            if send_queue::get(&write.tx, id)?.is_none() {
                return Ok(false);
            }
            messages::progress(write, id, &Progress { state: Some(state), ..Progress::default() })?;
            send_queue::update(write, id, turn)?;
            Ok(true)
        })
    }

    /// Takes an entry out with a final state, unless it has left already.
    fn end(&self, id: MessageId, state: MessageState) -> Result<(), Error> {
        self.inner.mirror.write(|write| {
            if send_queue::remove(write, id)? {
                messages::progress(
                    write,
                    id,
                    &Progress { state: Some(state), ..Progress::default() },
                )?;
            }
            Ok(())
        })
    }

    fn lock_running(&self) -> std::sync::MutexGuard<'_, HashSet<MessageId>> {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the person wants this conversation's model to be asked.
fn style(connection: &rusqlite::Connection, system: Option<String>) -> Result<Style, Error> {
    let value = |key: &str| -> Result<serde_json::Value, Error> {
        let known = setting::known(key)?;
        Ok(known.or_default(settings::get(connection, key)?))
    };
    Ok(Style {
        system: match system {
            Some(prompt) => Some(prompt),
            None => value("default_system_prompt")?.as_str().map(str::to_owned),
        },
        temperature: value("temperature")?.as_f64().map(|t| t as f32),
        max_tokens: value("max_answer_tokens")?.as_u64().and_then(|n| u32::try_from(n).ok()),
    })
}

/// Runs what waits for the disk outside the async runtime's own threads.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that shuts down cancels what it has not begun.
            Err(_) => {
                Err(Failure::new(crate::error::Code::Internal, "Tidemark is closing.").into())
            }
        },
    }
}

//! Asking llama.cpp.
//!
//! One thread owns the model and its context, because llama.cpp's objects are not to be moved
//! about; it is started by the first question and answers one question after the other, in the
//! order in which they came. The model stays loaded between questions and goes after a while of
//! idleness, or when another one is asked.

mod bench;
mod prompt;
mod session;
mod worker;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as jobs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{LocalModels, LocalOptions};
use crate::error::{Code, Failure};
use crate::model::ModelInfo;
use crate::providers::{Answer, Ask, Piece, Provider, ProviderError};

pub use bench::{DirectSpeed, direct_speed};
use worker::{Job, Question, Worker};

/// How long a stopped answer may take to tell its usage.
const STOPPING: Duration = Duration::from_millis(400);

/// The model inside this process.
#[derive(Debug)]
pub struct LocalProvider {
    models: Arc<LocalModels>,
    options: LocalOptions,
    closing: CancellationToken,
    thread: Mutex<Option<Thread>>,
}

#[derive(Debug)]
struct Thread {
    jobs: jobs::Sender<Job>,
    handle: JoinHandle<()>,
}

impl LocalProvider {
    /// A provider of the models in `models`. Nothing is loaded yet.
    pub fn new(models: Arc<LocalModels>, options: LocalOptions) -> Arc<Self> {
        Arc::new(Self {
            models,
            options,
            closing: CancellationToken::new(),
            thread: Mutex::default(),
        })
    }

    /// Lets go of the model's memory and file once the answers under way are done.
    pub fn unload(&self) {
        if let Some(thread) = &*self.lock() {
            let _ = thread.jobs.send(Job::Unload);
        }
    }

    /// Ends the answers under way and the thread; blocks until it has ended, which takes no longer
    /// than one step of the model. What is asked afterwards fails.
    pub fn shutdown(&self) {
        self.closing.cancel();
        let thread = self.lock().take();
        if let Some(Thread { jobs, handle }) = thread {
            drop(jobs);
            let _ = handle.join();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Thread>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a job to the thread, which is started by the first one and again after a panic.
    fn send(&self, job: Job) -> Result<(), Failure> {
        let mut thread = self.lock();
        if self.closing.is_cancelled() {
            return Err(Failure::new(Code::WrongState, "The app is closing."));
        }
        let running = match thread.take() {
            Some(running) if !running.handle.is_finished() => running,
            _ => self.start()?,
        };
        let sent = running.jobs.send(job);
        *thread = Some(running);
        sent.map_err(|_| Failure::new(Code::Internal, "The local model stopped. Ask again."))
    }

    fn start(&self) -> Result<Thread, Failure> {
        let (sender, receiver) = jobs::channel();
        let worker =
            Worker::new(self.models.clone(), self.options.clone(), self.closing.child_token());
        let handle = std::thread::Builder::new()
            .name("local-model".into())
            // llama.cpp splits text with recursive regular expressions.
            .stack_size(64 << 20)
            .spawn(move || worker.run(&receiver))
            .map_err(|error| {
                tracing::error!(%error, "cannot start the local model's thread");
                Failure::new(Code::OutOfMemory, "The local model cannot be started.")
                    .hint("Close other programs, then ask again.")
            })?;
        Ok(Thread { jobs: sender, handle })
    }
}

impl Drop for LocalProvider {
    fn drop(&mut self) {
        // Without waiting: the last owner may be a task that must not block.
        self.closing.cancel();
    }
}

#[async_trait::async_trait]
impl Provider for LocalProvider {
    fn ask(&self, ask: Ask, stop: CancellationToken) -> Answer {
        let (pieces, received) = mpsc::unbounded_channel();
        let begun = Arc::new(AtomicBool::new(false));
        let question = Question { ask, stop: stop.clone(), pieces, begun: begun.clone() };
        match self.send(Job::Ask(Box::new(question))) {
            Ok(()) => answer(received, stop, begun),
            Err(failure) => {
                futures::stream::once(async { Err(ProviderError::NeedsYou(failure)) }).boxed()
            }
        }
    }

    async fn models(&self) -> Result<Vec<ModelInfo>, ProviderError> {
        let models = self.models.clone();
        tokio::task::spawn_blocking(move || models.ready()).await.map_err(|_| {
            ProviderError::NeedsYou(Failure::new(Code::Internal, "The models cannot be listed."))
        })
    }

    async fn reachable(&self) -> bool {
        true
    }
}

type Received = mpsc::UnboundedReceiver<Result<Piece, ProviderError>>;

/// The pieces as they come. After a stop: what the thread still tells, for a moment, if it had
/// begun; a question that still waits its turn ends at once.
fn answer(received: Received, stop: CancellationToken, begun: Arc<AtomicBool>) -> Answer {
    let state = (received, stop, begun);
    futures::stream::unfold(state, |(mut received, stop, begun)| async move {
        let piece = tokio::select! {
            biased;
            piece = received.recv() => piece?,
            () = stop.cancelled() => {
                if !begun.load(Ordering::SeqCst) {
                    return None;
                }
                tokio::time::timeout(STOPPING, received.recv()).await.ok()??
            }
        };
        Some((piece, (received, stop, begun)))
    })
    .boxed()
}

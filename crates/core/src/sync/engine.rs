//! The thin driver: runs what [`step()`] decides, against a real server, a real mirror and a real clock.
//!
//! One task, owned by whoever opened the mirror. It waits for what it is told ([`Engine::tell`]), for
//! the answer of the one request that is on its way, for the one job that the mirror does, for its
//! timer, and for the stop token. Stopping at any moment is safe: all that has to survive is in
//! the mirror.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::event::{Action, Event, Job, StoreFault};
use super::server::{Ask, Remote};
use super::state::{Limits, Now, State};
use super::status::SyncStatus;
use super::step::step;
use super::store;
use crate::events::Listener;
use crate::mirror::{Mirror, mending, outbox};
use crate::tasks::Tasks;

/// Changes that come within this time are looked at together.
const TOGETHER: Duration = Duration::from_millis(20);
/// What could not be read is read again after this time.
const AGAIN: Duration = Duration::from_secs(1);

/// The sync of one mirror. Dropping it changes nothing; its task ends with its owner's [`Tasks`].
#[derive(Debug, Clone)]
pub struct Engine {
    inbox: mpsc::UnboundedSender<Event>,
    status: watch::Receiver<SyncStatus>,
    rest: watch::Receiver<Rest>,
    /// How many events it was told.
    told: Arc<AtomicU64>,
}

/// Whether it rests, having heard so many events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Rest {
    rests: bool,
    heard: u64,
}

impl Engine {
    /// Starts the task. Nothing happens before [`Event::SignedIn`].
    ///
    /// `lock` is a file in the data folder: whoever holds its lock is the one process that syncs.
    /// `seed` chooses the jitter of the waits.
    pub fn start<R: Remote>(
        mirror: Mirror,
        remote: Arc<R>,
        lock: PathBuf,
        limits: Limits,
        seed: u64,
        tasks: &Tasks,
    ) -> Self {
        let (inbox, events) = mpsc::unbounded_channel();
        let began = Instant::now();
        let now = Now { mono_ms: 0, wall_ms: mirror.clock().now().0 };
        let state = State::new(limits, now, seed);
        let (shown, status) = watch::channel(state.status());
        let (resting, rest) = watch::channel(Rest::default());
        let changes = mirror.events().subscribe();
        let driver = Driver {
            began,
            state,
            mirror,
            remote,
            lock_path: lock,
            lock: None,
            shown,
            resting,
            heard: 0,
            asked: FuturesUnordered::new(),
            jobs: VecDeque::new(),
            job: None,
            counted: None,
            numbered: -1,
        };
        tasks.spawn("sync", driver.run(events, changes, tasks.stop_token()));
        Self { inbox, status, rest, told: Arc::default() }
    }

    /// Tells the engine what happened. After its end nobody listens, which is no error.
    pub fn tell(&self, event: Event) {
        self.told.fetch_add(1, Ordering::SeqCst);
        let _ = self.inbox.send(event);
    }

    /// Where sync is.
    pub fn status(&self) -> SyncStatus {
        self.status.borrow().clone()
    }

    /// Whether nothing is under way, and nothing is left that could be done now, with all that it was
    /// told.
    pub fn rests(&self) -> bool {
        self.has_rest(*self.rest.borrow())
    }

    /// Waits until nothing is left to do; for ever, where something always is.
    pub async fn rested(&self) {
        if self.rest.clone().wait_for(|rest| self.has_rest(*rest)).await.is_err() {
            std::future::pending().await
        }
    }

    /// What it was told and has not heard yet may end its rest.
    fn has_rest(&self, rest: Rest) -> bool {
        rest.rests && rest.heard == self.told.load(Ordering::SeqCst)
    }

    /// Hears of every change of the status.
    pub fn watch(&self) -> watch::Receiver<SyncStatus> {
        self.status.clone()
    }
}

struct Driver<R> {
    began: Instant,
    state: State,
    mirror: Mirror,
    remote: Arc<R>,
    lock_path: PathBuf,
    lock: Option<File>,
    shown: watch::Sender<SyncStatus>,
    resting: watch::Sender<Rest>,
    heard: u64,
    asked: FuturesUnordered<BoxFuture<'static, Event>>,
    jobs: VecDeque<(u64, Job)>,
    job: Option<BoxFuture<'static, Event>>,
    counted: Option<BoxFuture<'static, (i64, Event)>>,
    /// The highest number of an operation that the engine heard of.
    numbered: i64,
}

impl<R: Remote> Driver<R> {
    async fn run(
        mut self,
        mut inbox: mpsc::UnboundedReceiver<Event>,
        mut changes: Listener,
        stop: CancellationToken,
    ) {
        loop {
            let due = self.due();
            tokio::select! {
                () = stop.cancelled() => return self.end().await,
                Some(event) = inbox.recv() => {
                    self.heard += 1;
                    self.take(event);
                }
                Some(event) = self.asked.next(), if !self.asked.is_empty() => self.take(event),
                event = ended(&mut self.job) => {
                    self.job = None;
                    self.take(event);
                    self.next_job();
                }
                Some(_) = changes.next(), if self.counted.is_none() => self.count(),
                found = ended(&mut self.counted) => {
                    self.counted = None;
                    self.wrote(found);
                }
                () = sleep_until(due) => self.take(Event::Tick),
            }
        }
    }

    /// What the mirror is doing is waited for: whoever stops the engine may detach the account next.
    async fn end(mut self) {
        if let Some(job) = self.job.take() {
            job.await;
        }
    }

    fn now(&self) -> Now {
        let mono_ms = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        Now { mono_ms, wall_ms: self.mirror.clock().now().0 }
    }

    fn due(&self) -> Option<Instant> {
        let due = self.state.due()?;
        Some(self.began + Duration::from_millis(due.max(0).unsigned_abs()))
    }

    fn take(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let now = self.now();
            for action in step(&mut self.state, now, event) {
                events.extend(self.act(action));
            }
        }
        let rest = Rest { rests: self.state.rests(), heard: self.heard };
        self.resting.send_if_modified(|before| std::mem::replace(before, rest) != rest);
    }

    /// Does an action. What is known at once comes back as an event.
    fn act(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Lock => return Some(Event::Locked(self.take_lock())),
            Action::Unlock => self.lock = None,
            Action::Ask { epoch, request, ask } => self.ask(epoch, request, ask),
            Action::Do { epoch, job } => {
                self.jobs.push_back((epoch, job));
                self.next_job();
            }
            Action::Abandon => self.asked.clear(),
            Action::Show => {
                self.shown.send_replace(self.state.status());
            }
        }
        None
    }

    fn ask(&mut self, epoch: u64, request: u64, ask: Ask) {
        let remote = Arc::clone(&self.remote);
        self.asked.push(Box::pin(async move {
            let told = remote.ask(ask).await;
            Event::Told { epoch, request, told }
        }));
    }

    /// One job at a time, in the order of asking, whatever became of the epoch that asked.
    fn next_job(&mut self) {
        if self.job.is_some() {
            return;
        }
        let Some((epoch, job)) = self.jobs.pop_front() else { return };
        let mirror = self.mirror.clone();
        let work = tokio::task::spawn_blocking(move || store::perform(&mirror, &job));
        self.job = Some(Box::pin(async move {
            // A panic rolled its transaction back; it is a fault like others.
            let done = work.await.unwrap_or(Err(StoreFault::Broken));
            Event::Done { epoch, done }
        }));
    }

    /// The system lets go of the lock whatever ends the process.
    fn take_lock(&mut self) -> bool {
        if self.lock.is_some() {
            return true;
        }
        let file = OpenOptions::new().create(true).append(true).open(&self.lock_path);
        self.lock = file.ok().filter(|file| file.try_lock().is_ok());
        self.lock.is_some()
    }

    /// Something was written, here or by another process: is there more to push than before?
    fn count(&mut self) {
        let mirror = self.mirror.clone();
        self.counted = Some(Box::pin(async move {
            tokio::time::sleep(TOGETHER).await;
            until_read(|| {
                let mirror = mirror.clone();
                let read = move || {
                    mirror.read(|c| {
                        let (counts, mending) = (store::counts(c)?, mending::is_due(c)?);
                        Ok((outbox::last_number(c)?, Event::Wrote { counts, mending }))
                    })
                };
                async { tokio::task::spawn_blocking(read).await.ok()?.ok() }
            })
            .await
        }));
    }

    /// Outcomes and pages change rows too; only a new operation is a reason to push, and a deletion that was given up
    /// one to fetch.
    fn wrote(&mut self, (number, event): (i64, Event)) {
        if number > self.numbered || matches!(event, Event::Wrote { mending: true, .. }) {
            self.numbered = number;
            self.take(event);
        }
    }
}

/// Reads until it can be read: nobody says a second time that something was written.
async fn until_read<T, F: Future<Output = Option<T>>>(mut read: impl FnMut() -> F) -> T {
    loop {
        if let Some(value) = read().await {
            return value;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn ended<T>(work: &mut Option<BoxFuture<'static, T>>) -> T {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_written_goes_up_also_where_the_mirror_could_not_be_read_at_first() {
        let mut answers = [None, None, Some(7)].into_iter();
        let began = Instant::now();
        let read = until_read(|| std::future::ready(answers.next().flatten()));
        assert_eq!((read.await, began.elapsed()), (7, 2 * AGAIN));
    }
}

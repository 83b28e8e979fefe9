//! Who keeps the engine running: one for each account that the mirror is attached to, one after the
//! other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{Mutex, Notify, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::measured::Measured;
use super::{Pause, SyncState, SyncStatus};
use super::{repair, waking};
use crate::api::Tidemark;
use crate::error::Result;
use crate::events::{Change, Listener};
use crate::mirror::account::{self, Account};
use crate::remote::realtime::{Bell, Doorbell, Rhythm};
use crate::remote::{AboutDevice, Server, Tokens};
use crate::sync::{Engine, Event, Limits};
use crate::tasks::Tasks;
use crate::timings::Timings;

/// The file in the data folder whose lock says which process syncs.
const LOCK: &str = "sync.lock";
/// How long an engine may take to stop: a page that is being applied is applied to its end.
const END: Duration = Duration::from_secs(2);
/// A request that takes this long is listed by itself.
const SLOW_REQUEST: Duration = Duration::from_secs(2);
/// Whether another process has signed in again is asked so often, at most.
const AGAIN: Duration = Duration::from_secs(10);
/// A mirror that cannot be read is tried again.
const UNREADABLE: Duration = Duration::from_secs(5);

/// The engine of this process, if it has one, and what is known about it.
#[derive(Debug)]
pub(in crate::api) struct Keeper {
    /// Whoever attaches or detaches an account holds it: no engine runs meanwhile.
    engine: Mutex<Option<Running>>,
    /// For those who only tell something.
    inbox: std::sync::Mutex<Option<Engine>>,
    status: watch::Sender<Option<SyncStatus>>,
    bell: watch::Sender<bool>,
    requests: Arc<Timings>,
    begun: AtomicBool,
    /// The account may be another one.
    look: Notify,
}

#[derive(Debug)]
struct Running {
    account: Account,
    engine: Engine,
    tasks: Tasks,
    /// Dropping it hangs up.
    _bell: Bell,
}

impl Default for Keeper {
    fn default() -> Self {
        Self {
            engine: Mutex::default(),
            inbox: Default::default(),
            status: watch::Sender::default(),
            bell: watch::Sender::default(),
            requests: Arc::new(Timings::slow_from(SLOW_REQUEST)),
            begun: AtomicBool::default(),
            look: Notify::new(),
        }
    }
}

impl Keeper {
    /// Where the engine of this process is; none where it has none.
    pub(super) fn status(&self) -> Option<SyncStatus> {
        self.status.borrow().clone()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Option<SyncStatus>> {
        self.status.subscribe()
    }

    /// The engine of this process, where it has one.
    pub(super) fn engine(&self) -> Option<Engine> {
        self.inbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Whether the doorbell hangs.
    pub(super) fn bell(&self) -> bool {
        *self.bell.borrow()
    }

    pub(super) fn requests(&self) -> &Timings {
        &self.requests
    }

    /// True for the first who asks.
    pub(super) fn begin(&self) -> bool {
        !self.begun.swap(true, Ordering::SeqCst)
    }

    /// Tells the engine something, where there is one.
    pub(in crate::api) fn tell(&self, event: Event) {
        if let Some(engine) = self.engine() {
            engine.tell(event);
        }
    }

    /// Runs `work` while no engine runs, and waits for the end of the one that does. [`keep`] starts
    /// the next one, where an account is attached then.
    pub(in crate::api) async fn without_engine<T>(&self, work: impl Future<Output = T>) -> T {
        let mut running = self.engine.lock().await;
        self.stop(&mut running).await;
        let done = work.await;
        self.look.notify_one();
        done
    }

    async fn stop(&self, running: &mut Option<Running>) {
        self.put_inbox(None);
        if let Some(ended) = running.take() {
            ended.tasks.close(END).await;
        }
        self.bell.send_replace(false);
    }

    fn put_inbox(&self, engine: Option<Engine>) {
        *self.inbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = engine;
    }
}

/// Keeps an engine running for whatever account the mirror is attached to.
pub(super) async fn keep(core: Tidemark, stop: CancellationToken) {
    let mut changes = core.changes();
    waking::watch(&core, &stop);
    core.inner.tasks.spawn("repair", repair::daily(core.clone(), stop.clone()));
    let mut asked_again = Instant::now();
    loop {
        // Another process may have signed in again.
        if core.waits_for_sign_in() && asked_again.elapsed() > AGAIN {
            asked_again = Instant::now();
            core.inner.keeper.tell(Event::Now);
        }
        let wait = match settle(&core).await {
            Ok(status) => follow(&core, status, &mut changes, &stop).await,
            Err(failure) => {
                tracing::warn!(%failure, "sync could not begin");
                tokio::select! {
                    () = stop.cancelled() => Wait::Over,
                    () = tokio::time::sleep(UNREADABLE) => Wait::Look,
                }
            }
        };
        if wait == Wait::Over {
            break;
        }
    }
    let keeper = &core.inner.keeper;
    keeper.stop(&mut *keeper.engine.lock().await).await;
}

#[derive(Debug, PartialEq, Eq)]
enum Wait {
    /// The account may be another one.
    Look,
    /// The program ends.
    Over,
}

/// Brings the engine in line with the account: the right one, or none.
async fn settle(core: &Tidemark) -> Result<Option<watch::Receiver<SyncStatus>>> {
    let keeper = &core.inner.keeper;
    let mut running = keeper.engine.lock().await;
    let attached = core.off(|core| core.read(account::get)).await?;
    if let (Some(account), Some(now)) = (&attached, &*running)
        && now.account == *account
    {
        return Ok(Some(now.engine.watch()));
    }
    keeper.stop(&mut running).await;
    let tokens = core.session().await?;
    let Some((account, tokens)) = attached.zip(tokens) else {
        core.show_sync(SyncStatus::default());
        return Ok(None);
    };
    let begun = start(core, account, tokens).await;
    keeper.put_inbox(Some(begun.engine.clone()));
    let status = begun.engine.watch();
    *running = Some(begun);
    Ok(Some(status))
}

async fn start(core: &Tidemark, account: Account, tokens: Tokens) -> Running {
    let tasks = Tasks::on(Handle::current());
    let mirror = core.mirror().clone();
    let server = Server::new(tokens.clone(), account.user_id, about(core));
    let requests = core.inner.keeper.requests.clone();
    let remote = Arc::new(Measured::new(server, requests, mirror.clone()));
    let lock = mirror.path().with_file_name(LOCK);
    let seed = mirror.clock().new_id().as_u64_pair().1;
    let engine = Engine::start(mirror, remote, lock, Limits::default(), seed, &tasks);
    let bell = hang(core, &tasks, tokens, account.user_id, engine.clone());
    engine.tell(Event::SignedIn { user_id: account.user_id });
    Running { account, engine, tasks, _bell: bell }
}

fn hang(core: &Tidemark, tasks: &Tasks, tokens: Tokens, scope: Uuid, engine: Engine) -> Bell {
    let up = core.inner.keeper.bell.clone();
    Bell::hang(tasks, tokens, scope, Rhythm::default(), move |rang| match rang {
        Doorbell::Up => {
            up.send_replace(true);
            // What happened before it hung has to be asked for.
            engine.tell(Event::Woke);
        }
        Doorbell::Rang(seq) => {
            engine.tell(Event::Rang { seq: i64::try_from(seq).unwrap_or(i64::MAX) })
        }
        Doorbell::Down(_) => {
            up.send_replace(false);
        }
    })
}

pub(super) fn about(core: &Tidemark) -> AboutDevice {
    AboutDevice {
        name: sysinfo::System::host_name().unwrap_or_else(|| "Computer".to_owned()),
        platform: std::env::consts::OS.to_owned(),
        app_version: core.inner.version.clone(),
    }
}

/// Passes the engine's status on until the account may have changed.
async fn follow(
    core: &Tidemark,
    status: Option<watch::Receiver<SyncStatus>>,
    changes: &mut Listener,
    stop: &CancellationToken,
) -> Wait {
    let mut status = status;
    loop {
        if let Some(status) = &mut status {
            let now = status.borrow_and_update().clone();
            // An engine that has not begun knows of no account.
            if now.state != SyncState::LocalOnly {
                core.show_sync(now);
            }
        }
        tokio::select! {
            () = stop.cancelled() => return Wait::Over,
            () = changed(&mut status) => {}
            () = core.inner.keeper.look.notified() => return Wait::Look,
            change = changes.next() => match change {
                Some(Change::Everything) => return Wait::Look,
                Some(_) => {}
                None => return Wait::Over,
            },
        }
    }
}

/// An engine that has ended says nothing more; the account tells when there is another.
async fn changed(status: &mut Option<watch::Receiver<SyncStatus>>) {
    let heard = match status {
        Some(status) => status.changed().await.is_ok(),
        None => std::future::pending().await,
    };
    if !heard {
        *status = None;
    }
}

impl Tidemark {
    /// Shows a status to whoever looks, where it is another one.
    fn show_sync(&self, status: SyncStatus) {
        let changed = self.inner.keeper.status.send_if_modified(|shown| {
            let is_news = shown.as_ref() != Some(&status);
            *shown = Some(status);
            is_news
        });
        if changed {
            self.inner.mirror.events().publish([Change::Sync]);
        }
    }

    fn waits_for_sign_in(&self) -> bool {
        let state = self.inner.keeper.status().map(|status| status.state);
        state == Some(SyncState::Paused { why: Pause::SignIn })
    }
}

//! A first sync, from signing in to nothing left to do.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tidemark_core::mirror::{Mirror, conversations, index, messages, thread};
use tidemark_core::model::view::Shelf;
use tidemark_core::model::{Conversation, ConversationId, Message, MessageId, MessageState, Role};
use tidemark_core::sync::Limits;
use tidemark_core::sync::status::SyncState;
use tidemark_tests::device::{Device, Person};

use crate::samples::Samples;
use crate::sync::cost::{Cost, Memory, Stopwatch, forget_peak};
use crate::sync::size::{self, Sizes};

/// A list of so many conversations fills the sidebar of a tall window.
const LIST: usize = 50;
/// A person's writes before the sync, to compare with.
const QUIET_WRITES: usize = 600;
/// Between two of a person's writes.
const PAUSE: Duration = Duration::from_millis(3);
/// The longest that a first sync may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// A first sync.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pulled {
    /// All of it.
    pub(crate) cost: Cost,
    /// Until the list of conversations could be used, in milliseconds.
    pub(crate) list_ms: f64,
    /// Requests that it took.
    pub(crate) requests: usize,
    /// Messages that are here.
    pub(crate) rows: i64,
    /// Before and after.
    pub(crate) memory: Memory,
    /// Above what was in use before, at its most, in MB.
    pub(crate) peak_mb: f64,
    /// Catching up of the search index, where that was asked for, and what lies on the disk then.
    pub(crate) index: Option<(Cost, Sizes)>,
    /// A person's writes, where one wrote.
    pub(crate) written: Option<Written>,
}

/// How long a person's writes took, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) idle_p50: f64,
    pub(crate) idle_p99: f64,
    pub(crate) busy_p50: f64,
    pub(crate) busy_p99: f64,
    /// Writes during the sync.
    pub(crate) count: usize,
}

pub(super) async fn pull(
    person: &Person,
    folder: &Path,
    write: bool,
    index: bool,
) -> anyhow::Result<Pulled> {
    let device = Device::open(person, folder, Limits::default(), 1).await?;
    let scribe = write.then(|| Scribe::new(device.mirror.clone())).transpose()?;
    let idle = scribe.as_ref().map(|scribe| scribe.write(|count| count < QUIET_WRITES));
    let before = Memory::of_this_process();
    forget_peak()?;
    let list = first_list(device.mirror.clone());
    let (stop, watch) = (Arc::new(AtomicBool::new(false)), Stopwatch::start());
    device.sign_in();
    let writing = scribe.map(|scribe| scribe.spawn(Arc::clone(&stop)));
    first_sync_is_done(&device).await?;
    stop.store(true, Ordering::Relaxed);
    device.level(PATIENCE).await?;
    let (cost, memory) = (watch.cost(), Memory::of_this_process());
    let requests = device.remote.take().len();
    let written = written(idle.transpose()?, writing)?;
    let rows = device.mirror.read(|c| {
        Ok(c.query_row("SELECT count(*) FROM messages", [], |row| row.get::<_, i64>(0))?)
    })?;
    let list_ms = list.await??.as_secs_f64() * 1e3;
    let index = index.then(|| catch_up(&device.mirror)).transpose()?;
    device.close().await;
    let peak_mb = memory.peak_mb - before.now_mb;
    Ok(Pulled { cost, list_ms, requests, rows, memory: before, peak_mb, index, written })
}

async fn first_sync_is_done(device: &Device) -> anyhow::Result<()> {
    let mut shown = device.engine.watch();
    let done = shown.wait_for(|status| {
        !matches!(status.state, SyncState::LocalOnly | SyncState::Connecting | SyncState::FirstSync)
    });
    tokio::time::timeout(PATIENCE, done).await.context("the first sync does not end")??;
    Ok(())
}

/// From now until the list of conversations has enough to fill the sidebar.
fn first_list(mirror: Mirror) -> tokio::task::JoinHandle<anyhow::Result<Duration>> {
    let (began, mut changes) = (Instant::now(), mirror.events().subscribe());
    tokio::spawn(async move {
        loop {
            changes.next().await.context("the mirror was closed")?;
            if mirror.read(|c| conversations::list(c, Shelf::Active))?.len() >= LIST {
                return Ok(began.elapsed());
            }
        }
    })
}

/// Brings the index up, as its own task does, merging included; and what lies on the disk then.
fn catch_up(mirror: &Mirror) -> anyhow::Result<(Cost, Sizes)> {
    while thread::settle_listed(mirror, 50)? > 0 {}
    let without = size::of(mirror)?;
    let watch = Stopwatch::start();
    while index::catch_up(mirror)? > 0 {}
    let cost = watch.cost();
    while index::merge(mirror)? {}
    Ok((
        cost,
        Sizes {
            mirror_mb: size::of(mirror)?,
            without_index_mb: without,
            plain_mb: size::plain(mirror)?,
        },
    ))
}

/// A person who writes messages.
struct Scribe {
    mirror: Mirror,
    conversation: ConversationId,
}

impl Scribe {
    fn new(mirror: Mirror) -> anyhow::Result<Self> {
        let conversation = ConversationId(mirror.clock().new_id());
        mirror.write(|write| {
            conversations::insert(write, &Conversation::blank(conversation, write.now))
        })?;
        Ok(Self { mirror, conversation })
    }

    /// Writes as long as `go` says so of how many there are.
    fn write(&self, go: impl Fn(usize) -> bool) -> anyhow::Result<Samples> {
        let (mut samples, mut count) = (Samples::default(), 0);
        while go(count) {
            let id = MessageId(self.mirror.clock().new_id());
            samples.time(|| {
                self.mirror.write(|write| {
                    let blank = Message::blank(id, self.conversation, Role::User, write.now);
                    let content = format!("How much of dose {count} reaches the blood, and why?");
                    let message = Message { content, state: MessageState::Done, ..blank };
                    messages::insert(write, &message, messages::Index::Soon)
                })
            })?;
            count += 1;
            std::thread::sleep(PAUSE);
        }
        Ok(samples)
    }

    fn spawn(self, stop: Arc<AtomicBool>) -> JoinHandle<anyhow::Result<(Samples, usize)>> {
        std::thread::spawn(move || {
            let samples = self.write(|_| !stop.load(Ordering::Relaxed))?;
            let count = samples.count();
            Ok((samples, count))
        })
    }
}

fn written(
    idle: Option<Samples>,
    writing: Option<JoinHandle<anyhow::Result<(Samples, usize)>>>,
) -> anyhow::Result<Option<Written>> {
    let (Some(idle), Some(writing)) = (idle, writing) else { return Ok(None) };
    let joined = writing.join().map_err(|_| anyhow::anyhow!("the person's thread panicked"))?;
    let (busy, count) = joined?;
    Ok(Some(Written {
        idle_p50: idle.quantile(0.5),
        idle_p99: idle.quantile(0.99),
        busy_p50: busy.quantile(0.5),
        busy_p99: busy.quantile(0.99),
        count,
    }))
}

//! Old programs that are still in use: what is new there since it was last brought over.
//!
//! Sources that were imported from (and not taken back), and those that were found, are kept in sight.
//! A change makes a quiet plan in the background, of each source once a minute at most and only while no
//! import runs; what it would bring is told, and the next run brings it. A file that is half written
//! at the moment is no fault: its next change is looked at again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use ts_rs::TS;

use super::{Asked, ImportRequest};
use crate::api::Tidemark;
use crate::error::Result;
use crate::import::run::{self, Request};
use crate::import::sources::{Input, Sink, Source};
use crate::import::survey::Whose;
use crate::import::watch::{Changes, Eyes, Pace, Stamp, stamp};
use crate::mirror::imports::{self, State};

/// New chats in a source that is still written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ImportNews {
    /// Where.
    pub path: String,
    /// The program, as in plans and reports.
    pub source: String,
    /// What people call it.
    pub name: String,
    /// Conversations that are not here.
    #[ts(type = "number")]
    pub conversations: u64,
    /// Messages that are not here, those of conversations that are here included.
    #[ts(type = "number")]
    pub messages: u64,
}

/// What is kept in sight, and what is new there.
#[derive(Debug)]
pub(in crate::api) struct Watching {
    news: watch::Sender<Vec<ImportNews>>,
    /// Beside those that were imported from.
    found: Mutex<BTreeSet<PathBuf>>,
    /// An import came to its end, or something was found.
    poke: Notify,
    running: AtomicUsize,
    is_on: AtomicBool,
    pace: Pace,
}

impl Watching {
    pub(in crate::api) fn new(pace: Pace) -> Self {
        Self {
            news: watch::Sender::new(Vec::new()),
            found: Mutex::default(),
            poke: Notify::new(),
            running: AtomicUsize::new(0),
            is_on: AtomicBool::new(false),
            pace,
        }
    }

    pub(super) fn found(&self, paths: impl IntoIterator<Item = PathBuf>) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).extend(paths);
        self.poke.notify_one();
    }

    /// While this is held, no source is read for news.
    pub(super) fn busy(&self) -> Busy<'_> {
        self.running.fetch_add(1, Ordering::SeqCst);
        Busy(self)
    }

    fn is_busy(&self) -> bool {
        self.running.load(Ordering::SeqCst) > 0
    }
}

/// An import runs.
pub(super) struct Busy<'a>(&'a Watching);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.poke.notify_one();
    }
}

impl Tidemark {
    /// What is new in sources that are still written to: those that were imported from, those that
    /// [`Self::import_find`] found since this process began, and `also` these. The list has an entry for
    /// each source with something new, and changes as they do. The first call begins the watching, which
    /// ends with this mirror. To be called within a runtime.
    pub fn watch_imports(&self, also: &[PathBuf]) -> watch::Receiver<Vec<ImportNews>> {
        let watching = &self.inner.watching;
        watching.found(also.iter().filter_map(|path| path.canonicalize().ok()));
        if !watching.is_on.swap(true, Ordering::SeqCst) {
            let stop = self.stop_token();
            self.inner.tasks.spawn("import news", watch_all(self.clone(), stop));
        }
        watching.news.subscribe()
    }

    /// Which sources are to be watched, and whose chats of them were wanted.
    fn watched(&self) -> Result<BTreeMap<PathBuf, Wanted>> {
        let found = &self.inner.watching.found;
        let found = found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut wanted: BTreeMap<_, _> =
            found.into_iter().map(|path| (path, Wanted::default())).collect();
        for import in self.read(imports::all)?.into_iter().rev() {
            let path = PathBuf::from(&import.source);
            match import.state {
                // What was taken back is not wanted.
                State::Undone => drop(wanted.remove(&path)),
                _ => wanted.entry(path).or_default().add(&import),
            }
        }
        Ok(wanted)
    }

    /// What would come over of a source; none where it cannot be read at the moment.
    fn news_of(
        &self,
        path: &Path,
        wanted: &Wanted,
        stop: &CancellationToken,
    ) -> Option<ImportNews> {
        let request =
            ImportRequest { path: path.display().to_string(), ..ImportRequest::default() };
        let Asked { source, request, unpacked: _unpacked } = self.asked(&request).ok()?;
        let whose = wanted.whose.clone().map_or(Whose::All, Whose::Of);
        let request = Request { whose, ..request };
        let source = Stoppable { source: source.as_ref(), stop };
        let plan = run::plan(self.mirror(), &source, &request, stop, &mut |_| {}).ok()?;
        let (found, here) = (plan.counts, plan.already_here);
        Some(ImportNews {
            path: path.display().to_string(),
            source: plan.source,
            name: plan.name,
            conversations: found.conversations.saturating_sub(here.conversations),
            messages: found.messages.saturating_sub(here.messages),
        })
    }
}

/// What was wanted of a source.
#[derive(Debug, Clone, Default, PartialEq)]
struct Wanted {
    /// By key; none: everybody's.
    whose: Option<BTreeSet<String>>,
    /// When it was last brought over.
    brought: Option<SystemTime>,
}

impl Wanted {
    fn add(&mut self, import: &imports::Import) {
        let users = import.options["users"].as_array();
        let keys = |users: &Vec<serde_json::Value>| {
            users.iter().filter_map(|user| user.as_str().map(str::to_owned)).collect()
        };
        let its: Option<BTreeSet<String>> = users.map(keys);
        self.whose = match (self.brought, self.whose.take(), its) {
            (None, _, its) => its,
            (Some(_), Some(before), Some(its)) => Some(before.into_iter().chain(its).collect()),
            (Some(_), _, _) => None,
        };
        let began = u64::try_from(import.began_at.0).unwrap_or_default();
        self.brought = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(began));
    }
}

/// A source whose reading ends when this is closed.
struct Stoppable<'a> {
    source: &'a dyn Source,
    stop: &'a CancellationToken,
}

impl Source for Stoppable<'_> {
    fn system(&self) -> &'static str {
        self.source.system()
    }

    fn name(&self) -> &'static str {
        self.source.name()
    }

    fn recognises(&self, root: &Path) -> bool {
        self.source.recognises(root)
    }

    fn version(&self, root: &Path) -> Option<String> {
        self.source.version(root)
    }

    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> std::io::Result<()> {
        self.source.read(input, &mut |item| match self.stop.is_cancelled() {
            true => std::ops::ControlFlow::Break(()),
            false => sink(item),
        })
    }
}

/// A source in sight.
#[derive(Debug, Default)]
struct Watched {
    wanted: Wanted,
    /// As it was last looked at.
    stamp: Option<Stamp>,
    looked: Option<Instant>,
    /// When it is looked at next.
    due: Option<Instant>,
}

impl Watched {
    /// Later changes do not put it off: a program that never rests would never be looked at.
    fn is_changed(&mut self, pace: &Pace) {
        let soon = Instant::now() + pace.quiet;
        let rested = self.looked.map_or(soon, |looked| looked + pace.between);
        self.due.get_or_insert(soon.max(rested));
    }
}

struct Sources {
    core: Tidemark,
    stop: CancellationToken,
    eyes: Eyes,
    changes: Arc<Changes>,
    watched: BTreeMap<PathBuf, Watched>,
}

async fn watch_all(core: Tidemark, stop: CancellationToken) {
    let changes = Arc::new(Changes::default());
    let eyes = Eyes::new(Arc::clone(&changes));
    let mut sources = Sources {
        core,
        stop: stop.clone(),
        eyes,
        changes: Arc::clone(&changes),
        watched: BTreeMap::new(),
    };
    let pace = sources.core.inner.watching.pace;
    loop {
        let core = sources.core.clone();
        let next = sources.next();
        let poll = sources.eyes.is_polling();
        let turn = tokio::select! {
            () = stop.cancelled() => return,
            () = core.inner.watching.poke.notified() => Turn::Choose,
            () = changes.wait() => Turn::Note,
            () = tokio::time::sleep(pace.poll), if poll => Turn::Poll,
            () = at(next) => Turn::Look,
        };
        // What waits for the disk does not hold up the others.
        let done = tokio::task::spawn_blocking(move || {
            sources.take(turn);
            sources
        });
        match done.await {
            Ok(back) => sources = back,
            Err(_) => return,
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[derive(Debug, Clone, Copy)]
enum Turn {
    Choose,
    Note,
    Poll,
    Look,
}

impl Sources {
    /// When one is looked at next; never while an import runs, whose end wakes this.
    fn next(&self) -> Option<Instant> {
        let is_busy = self.core.inner.watching.is_busy();
        self.watched.values().filter_map(|one| one.due).min().filter(|_| !is_busy)
    }

    fn take(&mut self, turn: Turn) {
        match turn {
            Turn::Choose => self.choose(),
            Turn::Note => {
                let changed = self.changes.take();
                changed.iter().for_each(|path| self.note(path));
            }
            Turn::Poll => {
                let polled = self.eyes.polled();
                polled.iter().for_each(|path| self.note(path));
            }
            Turn::Look => self.look(),
        }
    }

    fn note(&mut self, path: &Path) {
        let pace = self.core.inner.watching.pace;
        if let Some(one) = self.watched.get_mut(path) {
            // What looks as it did is not read.
            match one.due.is_none() && stamp(path) == one.stamp {
                true => {}
                false => one.is_changed(&pace),
            }
        }
    }

    /// Which are in sight: after an import, or when something was found.
    fn choose(&mut self) {
        let Ok(wanted) = self.core.watched() else { return };
        let pace = self.core.inner.watching.pace;
        let told: BTreeSet<_> = self
            .core
            .inner
            .watching
            .news
            .borrow()
            .iter()
            .map(|news| PathBuf::from(&news.path))
            .collect();
        self.watched.retain(|path, _| wanted.contains_key(path));
        // In sight first: what changes from here on is told.
        self.eyes.turn_to(&wanted.keys().cloned().collect());
        for (path, wanted) in wanted {
            let is_new = !self.watched.contains_key(&path);
            let one = self.watched.entry(path.clone()).or_default();
            if is_new {
                one.stamp = stamp(&path);
                let newest = one.stamp.map(|stamp| stamp.newest);
                let is_newer = wanted.brought.zip(newest).is_some_and(|(at, newest)| newest >= at);
                one.due = is_newer.then(|| Instant::now() + pace.quiet);
            } else if one.wanted != wanted && told.contains(&path) {
                // It was brought over: what was new is not.
                one.due = Some(Instant::now());
            }
            one.wanted = wanted;
        }
        self.tell(|all| all.retain(|old| self.watched.contains_key(Path::new(&old.path))));
    }

    fn look(&mut self) {
        let now = Instant::now();
        let due = self.watched.iter().find(|(_, one)| one.due.is_some_and(|due| due <= now));
        let Some(path) = due.map(|(path, _)| path.clone()) else { return };
        let Some(one) = self.watched.get_mut(&path) else { return };
        (one.looked, one.due) = (Some(now), None);
        one.stamp = stamp(&path);
        let news = self.core.news_of(&path, &one.wanted, &self.stop);
        if self.stop.is_cancelled() {
            return;
        }
        let text = path.display().to_string();
        let news = news.filter(|news| news.conversations + news.messages > 0);
        self.tell(|all| {
            all.retain(|old| old.path != text);
            all.extend(news);
        });
    }

    /// Changes what is told, and tells it where that is a change.
    fn tell(&self, change: impl FnOnce(&mut Vec<ImportNews>)) {
        let is_new = self.core.inner.watching.news.send_if_modified(|all| {
            let before = all.clone();
            change(all);
            all.sort_by(|one, other| one.path.cmp(&other.path));
            *all != before
        });
        if is_new {
            self.core.tell_import();
        }
    }
}

//! Noticing that a source changes while an old program still writes to it.
//!
//! The system tells of changes (`notify`); where it cannot, because its watches are used up or the folder
//! is on another computer, or is not there at the moment, its state is looked at now and then. Only
//! names, sizes and times are looked at here, nothing is opened, and nothing is done while nothing
//! changes. What is new is for the caller to find out.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

/// So many files and folders are looked at, at most.
const ENTRIES: usize = 200_000;

/// How soon and how often is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// After a change: an old program writes its file in several steps.
    pub quiet: Duration,
    /// Between two readings of one source.
    pub between: Duration,
    /// Between two looks at a source of which the system does not tell.
    pub poll: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            quiet: Duration::from_secs(2),
            between: Duration::from_secs(60),
            poll: Duration::from_secs(60),
        }
    }
}

/// What stands at a path, as far as names, sizes and times tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    all: u64,
    /// When its newest file was written.
    pub newest: SystemTime,
}

/// The stamp of a file or folder; none where nothing is there. Links are not followed.
pub fn stamp(root: &Path) -> Option<Stamp> {
    let mut open = vec![root.to_owned()];
    let mut all = DefaultHasher::new();
    let (mut newest, mut seen) = (SystemTime::UNIX_EPOCH, 0);
    fs::symlink_metadata(root).ok()?;
    while let Some(path) = open.pop() {
        seen += 1;
        let Ok(data) = fs::symlink_metadata(&path) else { continue };
        path.hash(&mut all);
        if data.is_dir() {
            let mut below: Vec<_> =
                fs::read_dir(&path).into_iter().flatten().flatten().map(|one| one.path()).collect();
            below.sort();
            open.append(&mut below);
        } else {
            let modified = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            (data.len(), modified).hash(&mut all);
            newest = newest.max(modified);
        }
        if seen > ENTRIES {
            break;
        }
    }
    Some(Stamp { all: all.finish(), newest })
}

/// Which sources changed since they were last asked for.
#[derive(Debug, Default)]
pub struct Changes {
    seen: Mutex<Seen>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Seen {
    roots: BTreeSet<PathBuf>,
    changed: BTreeSet<PathBuf>,
    /// Of these the system tells no longer: they were moved or deleted.
    lost: BTreeSet<PathBuf>,
}

impl Changes {
    /// Waits until some have changed.
    pub async fn wait(&self) {
        self.wake.notified().await;
    }

    /// Takes those that have.
    pub fn take(&self) -> BTreeSet<PathBuf> {
        std::mem::take(&mut self.seen().changed)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, event: notify::Result<Event>) {
        let mut seen = self.seen();
        let Seen { roots, changed, lost } = &mut *seen;
        match event {
            Ok(event) if !is_change(&event.kind) && !event.need_rescan() => return,
            Ok(event) if !event.need_rescan() && !event.paths.is_empty() => {
                for path in &event.paths {
                    changed.extend(roots.iter().filter(|root| path.starts_with(root)).cloned());
                }
                if matches!(
                    event.kind,
                    EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
                ) {
                    lost.extend(event.paths.into_iter().filter(|path| roots.contains(path)));
                }
            }
            // Some were missed: any may have changed.
            Ok(_) | Err(_) => changed.extend(roots.iter().cloned()),
        }
        if !seen.changed.is_empty() {
            self.wake.notify_one();
        }
    }
}

/// Our own reading is told too, and is no change.
fn is_change(kind: &EventKind) -> bool {
    !matches!(kind, EventKind::Access(_))
        || matches!(kind, EventKind::Access(AccessKind::Close(AccessMode::Write)))
}

/// How a source is kept in sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// The system tells.
    Told,
    /// Its state is looked at now and then.
    Polled,
}

/// Keeps sources in sight. Ends with its drop.
pub struct Eyes {
    watcher: Option<RecommendedWatcher>,
    changes: Arc<Changes>,
    sights: BTreeMap<PathBuf, Sight>,
}

impl Eyes {
    /// Sees nothing yet. Changes go to `changes`.
    pub fn new(changes: Arc<Changes>) -> Self {
        let told = Arc::clone(&changes);
        let config = Config::default().with_follow_symlinks(false);
        let watcher = RecommendedWatcher::new(move |event| told.note(event), config);
        let watcher = watcher
            .inspect_err(|error| tracing::info!(%error, "changes are looked for now and then"))
            .ok();
        Self { watcher, changes, sights: BTreeMap::new() }
    }

    /// Keeps these in sight and no others. Waits for the disk.
    pub fn turn_to(&mut self, roots: &BTreeSet<PathBuf>) {
        let gone: Vec<_> =
            self.sights.keys().filter(|root| !roots.contains(*root)).cloned().collect();
        gone.iter().for_each(|root| self.leave(root));
        self.changes.seen().roots.clone_from(roots);
        for root in roots {
            if !self.sights.contains_key(root) {
                let sight = self.watch(root);
                self.sights.insert(root.clone(), sight);
            }
        }
    }

    /// Those whose state has to be looked at. Waits for the disk, and tries to be told of them again.
    pub fn polled(&mut self) -> Vec<PathBuf> {
        let lost = std::mem::take(&mut self.changes.seen().lost);
        for root in lost {
            self.unwatch(&root);
            self.sights.entry(root).and_modify(|sight| *sight = Sight::Polled);
        }
        let is_polled =
            |(root, sight): (&PathBuf, &Sight)| (*sight == Sight::Polled).then(|| root.clone());
        let polled: Vec<_> = self.sights.iter().filter_map(is_polled).collect();
        for root in &polled {
            let sight = self.watch(root);
            self.sights.insert(root.clone(), sight);
        }
        polled
    }

    /// Whether some have to be looked at now and then.
    pub fn is_polling(&self) -> bool {
        self.sights.values().any(|sight| *sight == Sight::Polled)
            || !self.changes.seen().lost.is_empty()
    }

    fn watch(&mut self, root: &Path) -> Sight {
        let Some(watcher) = &mut self.watcher else { return Sight::Polled };
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        if !root.exists() || is_remote(root, &mounts) {
            return Sight::Polled;
        }
        // A file is replaced as often as it is written: its folder knows.
        let watched = match root.is_dir() {
            true => watcher.watch(root, RecursiveMode::Recursive),
            false => watcher.watch(root.parent().unwrap_or(root), RecursiveMode::NonRecursive),
        };
        match watched {
            Ok(()) => Sight::Told,
            Err(error) => {
                tracing::info!(%error, "a source is looked at now and then");
                self.unwatch(root);
                Sight::Polled
            }
        }
    }

    fn leave(&mut self, root: &Path) {
        self.unwatch(root);
        self.sights.remove(root);
    }

    fn unwatch(&mut self, root: &Path) {
        // A folder that several files share stays; what it tells of others is of no root.
        if let Some(watcher) = self.watcher.as_mut().filter(|_| !root.is_file()) {
            let _ = watcher.unwatch(root);
        }
    }
}

/// Whether another computer may change it without this one being told.
fn is_remote(path: &Path, mounts: &str) -> bool {
    const REMOTE: [&str; 12] = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "vboxsf", "virtiofs", "davfs",
        "fuse.",
    ];
    let text = path.to_string_lossy();
    let named = ["\\\\?\\UNC\\", "//", "/Volumes/", "/net/", "/Network/"];
    let mount = mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ');
            let (at, kind) = (fields.nth(1)?.replace("\\040", " "), fields.next()?);
            path.starts_with(&at).then_some((at.len(), kind))
        })
        .max_by_key(|(len, _)| *len);
    named.iter().any(|start| text.starts_with(start))
        || mount.is_some_and(|(_, kind)| {
            REMOTE
                .iter()
                .any(|name| kind == *name || (name.ends_with('.') && kind.starts_with(name)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_the_same_until_something_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a/b.json");
        fs::create_dir(folder.path().join("a")).expect("a folder");
        fs::write(&file, "[]").expect("written");
        let before = stamp(folder.path());
        fs::read(&file).expect("read");
        assert_eq!(stamp(folder.path()), before, "reading changes nothing");
        fs::write(&file, "[1]").expect("written");
        let after = stamp(folder.path());
        assert!(after.is_some() && after != before);
        fs::rename(&file, folder.path().join("a/c.json")).expect("renamed");
        assert_ne!(stamp(folder.path()), after);
        assert_eq!(stamp(&folder.path().join("none")), None);
    }

    #[test]
    fn what_another_computer_can_change_is_looked_at() {
        let mounts = "/dev/sda1 / ext4 rw 0 0\nserver:/x /home/ann/shared\\040files nfs4 rw 0 0\n\
            sshfs /mnt/far fuse.sshfs rw 0 0\n";
        for (path, remote) in [
            ("/home/ann/data", false),
            ("/home/ann/shared files/data", true),
            ("/mnt/far/x", true),
            ("/mnt/farther", false),
            ("\\\\?\\UNC\\server\\x", true),
        ] {
            assert_eq!(is_remote(Path::new(path), mounts), remote, "{path}");
        }
    }

    #[test]
    fn what_is_not_there_is_looked_at_until_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("a path").join("source");
        let mut eyes = Eyes::new(Arc::default());
        eyes.turn_to(&[root.clone()].into());
        assert_eq!((eyes.is_polling(), eyes.polled()), (true, vec![root.clone()]));
        fs::create_dir(&root).expect("a folder");
        assert_eq!((eyes.polled(), eyes.is_polling()), (vec![root.clone()], false));
        eyes.watcher = None;
        eyes.turn_to(&[].into());
        eyes.turn_to(&[root].into());
        assert!(eyes.is_polling(), "where the system does not tell");
    }

    #[test]
    fn our_own_reading_is_no_change() {
        let root = PathBuf::from("/source");
        let changes = Changes::default();
        changes.seen().roots.insert(root.clone());
        let read = Event::new(EventKind::Access(AccessKind::Open(AccessMode::Any)));
        changes.note(Ok(read.add_path(root.join("a.json"))));
        assert!(changes.take().is_empty());
        let elsewhere =
            Event::new(EventKind::Modify(ModifyKind::Any)).add_path("/sources/a".into());
        changes.note(Ok(elsewhere));
        assert!(changes.take().is_empty());
        let written = Event::new(EventKind::Access(AccessKind::Close(AccessMode::Write)));
        changes.note(Ok(written.add_path(root.join("a.json"))));
        assert_eq!(changes.take(), [root].into());
    }
}

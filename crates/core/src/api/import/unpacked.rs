//! Where archives are unpacked: a folder that goes away with the import, or with the next start where a
//! crash left it behind.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

const PREFIX: &str = "unpacked-";

/// A folder of unpacked files, which goes away with its owner.
///
/// What is in it is not encrypted, so none may stay: a locked file beside it says that somebody works with
/// it, and the system lets go of that lock whatever ends the process.
#[derive(Debug)]
pub(super) struct Unpacked {
    folder: PathBuf,
    lock: Option<File>,
}

impl Unpacked {
    /// An empty one that only its owner may read, beside this file.
    pub(super) fn beside(mirror: &Path, id: Uuid) -> io::Result<Self> {
        let folder = mirror.with_file_name(format!("{PREFIX}{id}"));
        let lock = File::create(lock_of(&folder))?;
        // Some network file systems have no locks; nothing is swept there.
        let _ = lock.try_lock();
        private_folder(&folder)?;
        Ok(Self { folder, lock: Some(lock) })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        remove(&self.folder);
        drop(self.lock.take());
        let _ = fs::remove_file(lock_of(&self.folder));
    }
}

/// Removes what crashes left beside this file.
pub(in crate::api) fn sweep(mirror: &Path) {
    let entries = mirror.parent().and_then(|folder| fs::read_dir(folder).ok());
    for entry in entries.into_iter().flatten().flatten() {
        let folder = entry.path();
        let is_one = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
            && entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_one && let Ok(lock) = File::create(lock_of(&folder)) {
            match lock.try_lock() {
                Ok(()) => drop(Unpacked { folder, lock: Some(lock) }),
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
            }
        }
    }
}

fn lock_of(folder: &Path) -> PathBuf {
    folder.with_extension("lock")
}

fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder) {
        tracing::warn!(%error, "an unpacked archive was left behind");
    }
}

fn private_folder(path: &Path) -> io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_left_unpacked_goes_with_the_next_start_and_what_is_in_use_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let mirror = folder.path().join("mirror.db");
        let left = folder.path().join(format!("{PREFIX}{}", Uuid::from_u128(1)));
        fs::create_dir(&left).expect("a folder");
        fs::write(left.join("chats.json"), "in plain text").expect("a file");
        let used = Unpacked::beside(&mirror, Uuid::from_u128(2)).expect("a folder");
        sweep(&mirror);
        assert_eq!((left.exists(), lock_of(&left).exists()), (false, false));
        assert!(used.folder().exists());
        let path = used.folder().to_owned();
        drop(used);
        assert_eq!((path.exists(), lock_of(&path).exists()), (false, false));
    }
}

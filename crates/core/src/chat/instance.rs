//! This process, as the send queue knows it.
//!
//! A process holds a lock on a file named by its id for as long as it lives; the system lets go of
//! the lock whatever ends it, `kill -9` included. So "does whoever asks this model still live?" has an
//! answer that no crash can falsify, and the window and the command line can share one queue.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use uuid::Uuid;

/// A live process.
#[derive(Debug)]
pub struct Instance {
    id: Uuid,
    folder: PathBuf,
    /// Locked while this lives.
    _lock: File,
    /// The dead stay dead: what was found once is not asked again.
    dead: Mutex<HashMap<Uuid, ()>>,
}

impl Instance {
    /// Begins to live, with a lock file in `folder`.
    pub fn begin(folder: &Path, id: Uuid) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(lock_path(folder, id))?;
        lock.lock()?;
        Ok(Self { id, folder: folder.to_owned(), _lock: lock, dead: Mutex::default() })
    }

    /// Whether any process lives in `folder`; asked before there is an instance of our own.
    pub fn any_alive(folder: &Path) -> bool {
        let Ok(entries) = std::fs::read_dir(folder) else { return false };
        let locks = entries
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|end| end == "lock"));
        locks.into_iter().any(|entry| {
            let file = OpenOptions::new().write(true).open(entry.path());
            file.is_ok_and(|file| file.try_lock().is_err())
        })
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Whether the process with this id still lives. When in doubt, it does.
    pub fn is_alive(&self, id: Uuid) -> bool {
        if id == self.id {
            return true;
        }
        let mut dead = self.dead.lock().expect("nothing panics while it is held");
        if dead.contains_key(&id) {
            return false;
        }
        let alive = self.probe(id);
        if !alive {
            dead.insert(id, ());
        }
        alive
    }

    fn probe(&self, id: Uuid) -> bool {
        let path = lock_path(&self.folder, id);
        match OpenOptions::new().write(true).open(&path) {
            Err(error) => error.kind() != io::ErrorKind::NotFound,
            Ok(file) => match file.try_lock() {
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
                Ok(()) => {
                    let _ = std::fs::remove_file(&path);
                    false
                }
            },
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Removed while still locked: nobody can find it alive and unlocked.
        let _ = std::fs::remove_file(lock_path(&self.folder, self.id));
    }
}

fn lock_path(folder: &Path, id: Uuid) -> PathBuf {
    folder.join(format!("{id}.lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_alive_until_its_lock_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let (ann, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let here = Instance::begin(folder.path(), ann).expect("begins");
        let other = Instance::begin(folder.path(), bob).expect("begins");
        assert!(here.is_alive(ann) && here.is_alive(bob));
        drop(other);
        assert!(!here.is_alive(bob));
        assert!(Instance::any_alive(folder.path()));
        drop(here);
        assert!(!Instance::any_alive(folder.path()));
    }

    #[test]
    fn a_lock_file_that_a_crash_left_is_not_a_life() {
        let folder = tempfile::tempdir().expect("a folder");
        let here = Instance::begin(folder.path(), Uuid::from_u128(1)).expect("begins");
        let crashed = Uuid::from_u128(9);
        std::fs::write(lock_path(folder.path(), crashed), []).expect("written");
        assert!(!here.is_alive(crashed));
        assert!(!lock_path(folder.path(), crashed).exists(), "it is cleaned up");
    }
}

//! Locks and shared memory between the connections of one simulated disk.

use std::collections::BTreeMap;

use rusqlite::ffi;

/// Who holds which lock of a file: a level per handle, after SQLite's five.
#[derive(Debug, Default)]
pub(super) struct FileLocks(BTreeMap<u64, i32>);

impl FileLocks {
    /// Raises `who` to `level` where the others allow it.
    pub(super) fn lock(&mut self, who: u64, level: i32) -> i32 {
        let mut others = self.0.iter().filter(|(other, _)| **other != who).map(|(_, held)| *held);
        let allowed = match level {
            ffi::SQLITE_LOCK_SHARED => others.all(|held| held < ffi::SQLITE_LOCK_PENDING),
            ffi::SQLITE_LOCK_RESERVED => others.all(|held| held < ffi::SQLITE_LOCK_RESERVED),
            _ => others.all(|held| held == ffi::SQLITE_LOCK_NONE),
        };
        if !allowed {
            return ffi::SQLITE_BUSY;
        }
        let held = self.0.entry(who).or_insert(ffi::SQLITE_LOCK_NONE);
        *held = level.max(*held);
        ffi::SQLITE_OK
    }

    pub(super) fn unlock(&mut self, who: u64, level: i32) {
        if level == ffi::SQLITE_LOCK_NONE {
            self.0.remove(&who);
        } else if let Some(held) = self.0.get_mut(&who) {
            *held = level.min(*held);
        }
    }

    pub(super) fn is_reserved(&self) -> bool {
        self.0.values().any(|held| *held >= ffi::SQLITE_LOCK_RESERVED)
    }

    pub(super) fn is_exclusive(&self) -> bool {
        self.0.values().any(|held| *held == ffi::SQLITE_LOCK_EXCLUSIVE)
    }
}

/// The memory that the connections of a write-ahead log share, and its eight locks.
#[derive(Debug, Default)]
pub(super) struct SharedMemory {
    /// Eight-byte words, so that SQLite's structures are aligned.
    regions: Vec<Box<[u64]>>,
    /// Per handle: the slots that it shares, and those that it has alone.
    held: BTreeMap<u64, (u8, u8)>,
}

impl SharedMemory {
    /// A region's address, made where it is not there and `extend` says so.
    pub(super) fn region(&mut self, index: usize, bytes: usize, extend: bool) -> Option<*mut u64> {
        if self.regions.len() <= index && !extend {
            return None;
        }
        while self.regions.len() <= index {
            self.regions.push(vec![0; bytes.div_ceil(8)].into_boxed_slice());
        }
        self.regions.get_mut(index).map(|region| region.as_mut_ptr())
    }

    pub(super) fn is_there(&self) -> bool {
        !self.regions.is_empty()
    }

    pub(super) fn lock(&mut self, who: u64, first: u32, count: u32, flags: i32) -> i32 {
        let slots = (((1_u32 << count) - 1) << first) as u8;
        let (shared, alone) = self
            .held
            .iter()
            .filter(|(other, _)| **other != who)
            .fold((0, 0), |(shared, alone), (_, held)| (shared | held.0, alone | held.1));
        let mine = self.held.entry(who).or_default();
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            mine.0 &= !slots;
            mine.1 &= !slots;
        } else if flags & ffi::SQLITE_SHM_SHARED != 0 {
            if alone & slots != 0 {
                return ffi::SQLITE_BUSY;
            }
            mine.0 |= slots;
        } else {
            if (alone | shared) & slots != 0 {
                return ffi::SQLITE_BUSY;
            }
            mine.1 |= slots;
        }
        ffi::SQLITE_OK
    }

    /// Whether somebody writes the log back into the file: slot 1 is SQLite's checkpoint lock.
    pub(super) fn checkpointing(&self) -> bool {
        self.held.values().any(|(_, alone)| alone & 2 != 0)
    }

    pub(super) fn leave(&mut self, who: u64) {
        self.held.remove(&who);
    }
}

//! A disk in memory that remembers what was written since the last fsync.

use std::collections::BTreeMap;

use rusqlite::ffi;

use super::locks::{FileLocks, SharedMemory};
use super::rng::Rng;

/// What a disk writes at once.
const SECTOR: usize = 512;

/// What is going to happen to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Nothing.
    Healthy,
    /// The power goes at the n-th call that changes something, counted from 1.
    CutAt(u64),
    /// The n-th call of any kind fails, counted from 1.
    FailAt {
        /// Which.
        call: u64,
        /// How.
        fault: Fault,
        /// Whether all calls after it fail too.
        for_ever: bool,
    },
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// EIO: the hardware.
    Io,
    /// ENOSPC: no room to write.
    Full,
    /// EROFS: mounted read-only, as Linux does after an error.
    ReadOnly,
}

/// What an fsync is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syncs {
    /// What it should be.
    Honest,
    /// Nothing: the same as `synchronous=OFF`.
    Ignored,
    /// Nothing after a commit, something around a checkpoint: the same as `synchronous=NORMAL`.
    NotOnCommit,
}

/// What is asked of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Open,
    Read,
    Write,
    Truncate,
    Sync,
    Delete,
    ShareMemory,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { len: usize },
}

/// A file: as it is read now, as it is for sure, and the changes in between.
#[derive(Debug, Clone, Default)]
struct File {
    now: Vec<u8>,
    safe: Option<Vec<u8>>,
    since: Vec<Change>,
    /// What stood under this name before an unlink that may yet be undone.
    before: Option<Vec<u8>>,
    deleted: bool,
}

/// A simulated disk with its locks.
#[derive(Debug)]
pub struct Disk {
    files: BTreeMap<String, File>,
    pub(super) locks: BTreeMap<String, FileLocks>,
    pub(super) memory: BTreeMap<String, SharedMemory>,
    rng: Rng,
    plan: Plan,
    syncs: Syncs,
    calls: u64,
    changes: u64,
    powered: bool,
    boots: u64,
    struck: bool,
}

impl Disk {
    /// An empty disk.
    pub fn new(seed: u64) -> Self {
        Self {
            files: BTreeMap::new(),
            locks: BTreeMap::new(),
            memory: BTreeMap::new(),
            rng: Rng::new(seed),
            plan: Plan::Healthy,
            syncs: Syncs::Honest,
            calls: 0,
            changes: 0,
            powered: true,
            boots: 0,
            struck: false,
        }
    }

    /// The files as they are read now, all of them taken as safe.
    pub fn image(&self) -> BTreeMap<String, Vec<u8>> {
        let there = self.files.iter().filter(|(_, file)| !file.deleted);
        there.map(|(name, file)| (name.clone(), file.now.clone())).collect()
    }

    /// Starts from an image, with counters at zero.
    pub fn load(&mut self, image: &BTreeMap<String, Vec<u8>>, seed: u64, plan: Plan, syncs: Syncs) {
        let file = |bytes: &Vec<u8>| File {
            now: bytes.clone(),
            safe: Some(bytes.clone()),
            ..File::default()
        };
        self.files = image.iter().map(|(name, bytes)| (name.clone(), file(bytes))).collect();
        self.rng = Rng::new(seed);
        (self.syncs, self.calls, self.changes, self.struck) = (syncs, 0, 0, false);
        self.plan = plan;
        self.power_on();
    }

    /// Nothing fails from now on. What was written stays as it is: this is no restart.
    pub fn heal(&mut self) {
        self.plan = Plan::Healthy;
    }

    /// Whether the planned fault has happened.
    pub fn struck(&self) -> bool {
        self.struck
    }

    /// How many calls there were, and how many of them changed something.
    pub fn counted(&self) -> (u64, u64) {
        (self.calls, self.changes)
    }

    /// The bytes of a file, to be read or damaged by a test.
    pub fn bytes(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        self.files.get_mut(name).filter(|file| !file.deleted).map(|file| &mut file.now)
    }

    /// Takes the power away, where it was not gone already, and gives it back: what was not synced
    /// is there in part.
    pub fn reboot(&mut self) {
        let mut files = std::mem::take(&mut self.files);
        files.retain(|_, file| file.after_power_loss(&mut self.rng));
        self.files = files;
        self.plan = Plan::Healthy;
        self.syncs = Syncs::Honest;
        self.power_on();
    }

    fn power_on(&mut self) {
        self.powered = true;
        self.boots += 1;
        self.locks.clear();
        self.memory.clear();
    }

    /// Which start this is: a handle of an earlier one is dead.
    pub(super) fn boots(&self) -> u64 {
        self.boots
    }

    /// Counts a call and says whether it may happen; else SQLite's code for the failure.
    pub(super) fn permit(&mut self, call: Call) -> Result<(), i32> {
        if !self.powered {
            return Err(code(Fault::Io, call).unwrap_or(ffi::SQLITE_IOERR));
        }
        self.calls += 1;
        if matches!(call, Call::Write | Call::Truncate | Call::Sync | Call::Delete) {
            self.changes += 1;
        }
        match self.plan {
            Plan::FailAt { call: at, fault, for_ever }
                if self.calls == at || (for_ever && self.calls > at) =>
            {
                match code(fault, call) {
                    Some(code) => {
                        self.struck = true;
                        Err(code)
                    }
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Whether the change that was just permitted is the one at which the power goes.
    fn power_goes(&mut self) -> bool {
        let goes = self.powered && self.plan == Plan::CutAt(self.changes);
        if goes {
            (self.powered, self.struck) = (false, true);
        }
        goes
    }

    pub(super) fn exists(&self, name: &str) -> bool {
        self.files.get(name).is_some_and(|file| !file.deleted)
    }

    pub(super) fn create(&mut self, name: &str) {
        let file = self.files.entry(name.to_owned()).or_default();
        if file.deleted {
            let before = file.before.take();
            *file = File { before, ..File::default() };
        }
    }

    pub(super) fn len(&self, name: &str) -> usize {
        self.files.get(name).map_or(0, |file| file.now.len())
    }

    /// Fills `out` and tells how many bytes there were; the rest is zeroed.
    pub(super) fn read(&self, name: &str, at: usize, out: &mut [u8]) -> usize {
        let bytes = self.files.get(name).map_or(&[][..], |file| &file.now);
        let there = bytes.get(at..).unwrap_or_default();
        let len = there.len().min(out.len());
        out[..len].copy_from_slice(&there[..len]);
        out[len..].fill(0);
        len
    }

    pub(super) fn write(&mut self, name: &str, at: usize, bytes: &[u8]) -> Result<(), i32> {
        let permit = self.permit(Call::Write);
        // A disk that fills up or fails in the middle has written the part before.
        let kept = match permit {
            Ok(()) => bytes.len(),
            Err(_) if !self.powered => return permit,
            Err(_) => self.rng.below(bytes.len() as u64 / SECTOR as u64 + 1) as usize * SECTOR,
        };
        let bytes = &bytes[..kept.min(bytes.len())];
        if let Some(file) = self.files.get_mut(name) {
            apply(&mut file.now, &Change::Write { at, bytes: bytes.to_vec() });
            file.since.push(Change::Write { at, bytes: bytes.to_vec() });
        }
        permit?;
        if self.power_goes() { Err(ffi::SQLITE_IOERR_WRITE) } else { Ok(()) }
    }

    pub(super) fn truncate(&mut self, name: &str, len: usize) -> Result<(), i32> {
        self.permit(Call::Truncate)?;
        if let Some(file) = self.files.get_mut(name) {
            apply(&mut file.now, &Change::Truncate { len });
            file.since.push(Change::Truncate { len });
        }
        if self.power_goes() { Err(ffi::SQLITE_IOERR_TRUNCATE) } else { Ok(()) }
    }

    pub(super) fn sync(&mut self, name: &str, checkpointing: bool) -> Result<(), i32> {
        self.permit(Call::Sync)?;
        if self.power_goes() {
            return Err(ffi::SQLITE_IOERR_FSYNC);
        }
        let Some(file) = self.files.get_mut(name) else { return Ok(()) };
        let header = matches!(file.since.last(), Some(Change::Write { at: 0, .. }));
        let worth = match self.syncs {
            Syncs::Honest => true,
            Syncs::Ignored => false,
            Syncs::NotOnCommit => !name.ends_with("-wal") || checkpointing || header,
        };
        if worth {
            let is_new = file.safe.replace(file.now.clone()).is_none();
            file.since.clear();
            file.before = None;
            // As SQLite's own on Unix: the first fsync of a new log is one of the folder too, and
            // with it every unlink before it is for sure.
            if is_new && (name.ends_with("-wal") || name.ends_with("-journal")) {
                self.files.values_mut().for_each(|file| file.before = None);
            }
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, name: &str, durably: bool) -> Result<(), i32> {
        self.permit(Call::Delete)?;
        if let Some(file) = self.files.get_mut(name) {
            let before = file.safe.take().or(file.before.take()).filter(|_| !durably);
            *file = File { before, deleted: true, ..File::default() };
        }
        if self.power_goes() { Err(ffi::SQLITE_IOERR_DELETE) } else { Ok(()) }
    }
}

impl File {
    /// Becomes what is found after the power came back; false where the file is not there.
    fn after_power_loss(&mut self, rng: &mut Rng) -> bool {
        if let Some(before) = self.before.take() {
            // The unlink (and all that came after it under this name) never reached the disk.
            if self.safe.is_none() && rng.one_in(2) {
                *self = Self { now: before.clone(), safe: Some(before), ..Self::default() };
                return true;
            }
        }
        if self.deleted || (self.safe.is_none() && rng.one_in(2)) {
            return false;
        }
        let mut bytes = self.safe.take().unwrap_or_default();
        lose(&mut bytes, &self.since, rng);
        *self = Self { now: bytes.clone(), safe: Some(bytes), ..Self::default() };
        true
    }
}

/// Applies a random part of what was not synced.
fn lose(bytes: &mut Vec<u8>, since: &[Change], rng: &mut Rng) {
    match rng.below(5) {
        0 => {}
        1 => since.iter().for_each(|change| apply(bytes, change)),
        2 => {
            let kept = rng.below(since.len() as u64 + 1) as usize;
            since[..kept].iter().for_each(|change| apply(bytes, change));
        }
        3 => since.iter().filter(|_| rng.one_in(2)).for_each(|change| apply(bytes, change)),
        _ => since.iter().for_each(|change| tear(bytes, change, rng)),
    }
}

/// Applies some of a change's sectors.
fn tear(bytes: &mut Vec<u8>, change: &Change, rng: &mut Rng) {
    let Change::Write { at, bytes: new } = change else {
        if rng.one_in(2) {
            apply(bytes, change);
        }
        return;
    };
    let mut from = 0;
    while from < new.len() {
        let to = (((at + from) / SECTOR + 1) * SECTOR - at).min(new.len());
        if !rng.one_in(3) {
            apply(bytes, &Change::Write { at: at + from, bytes: new[from..to].to_vec() });
        }
        from = to;
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, bytes: new } => {
            let end = at + new.len();
            if bytes.len() < end && !new.is_empty() {
                bytes.resize(end, 0);
            }
            if !new.is_empty() {
                bytes[*at..end].copy_from_slice(new);
            }
        }
        Change::Truncate { len } => bytes.resize(*len, 0),
    }
}

/// What SQLite's own file system answers for a fault; none where the fault does not touch the call.
fn code(fault: Fault, call: Call) -> Option<i32> {
    match (fault, call) {
        (Fault::Full, Call::Write) => Some(ffi::SQLITE_FULL),
        (Fault::Full, Call::ShareMemory) => Some(ffi::SQLITE_IOERR_SHMSIZE),
        (Fault::Full | Fault::ReadOnly, Call::Read) | (Fault::Full, Call::Delete) => None,
        (Fault::Full, Call::Truncate) | (Fault::ReadOnly, Call::Sync) => None,
        // A folder that cannot be written: the shared memory cannot be made there either.
        (_, Call::Open) | (Fault::ReadOnly, Call::ShareMemory) => Some(ffi::SQLITE_CANTOPEN),
        (_, Call::Read) => Some(ffi::SQLITE_IOERR_READ),
        (_, Call::Write) => Some(ffi::SQLITE_IOERR_WRITE),
        (_, Call::Truncate) => Some(ffi::SQLITE_IOERR_TRUNCATE),
        (_, Call::Sync) => Some(ffi::SQLITE_IOERR_FSYNC),
        (_, Call::Delete) => Some(ffi::SQLITE_IOERR_DELETE),
        (Fault::Io, Call::ShareMemory) => Some(ffi::SQLITE_IOERR_SHMMAP),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_synced_is_there_after_every_power_loss() {
        for seed in 0..200 {
            let mut disk = Disk::new(seed);
            disk.create("a");
            disk.write("a", 0, &[1; 2000]).expect("written");
            disk.sync("a", false).expect("synced");
            disk.write("a", 2000, &[2; 2000]).expect("written");
            disk.reboot();
            assert_eq!(disk.bytes("a").expect("there")[..2000], [1; 2000]);
        }
    }

    #[test]
    fn what_was_not_synced_is_lost_now_and_then_and_torn_at_sectors() {
        let (mut lost, mut torn) = (0, 0);
        for seed in 0..200 {
            let mut disk = Disk::new(seed);
            disk.create("a");
            disk.sync("a", false).expect("synced");
            disk.write("a", 0, &[1; 2048]).expect("written");
            disk.reboot();
            let kept = disk.bytes("a").expect("there").iter().filter(|byte| **byte == 1).count();
            assert_eq!(kept % SECTOR, 0, "seed {seed}");
            lost += usize::from(kept == 0);
            torn += usize::from(kept > 0 && kept < 2048);
        }
        assert!(lost > 10 && torn > 10, "{lost} lost, {torn} torn of 200");
    }

    #[test]
    fn nothing_works_between_the_cut_and_the_next_start() {
        let mut disk = Disk::new(1);
        disk.create("a");
        disk.plan = Plan::CutAt(1);
        assert!(disk.write("a", 0, &[1; 10]).is_err());
        assert!(disk.sync("a", false).is_err());
        assert!(disk.permit(Call::Read).is_err());
        disk.reboot();
        assert!(disk.permit(Call::Read).is_ok());
    }
}

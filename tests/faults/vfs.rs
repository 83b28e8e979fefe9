//! SQLite's file system for simulated disks: the only place here that speaks C.
//!
//! It is the process's default, so that the core opens its mirror through it unchanged. Paths below
//! [`ROOT`] name a [`Machine`]'s disk; all others go to the file system that was the default before.
#![allow(unsafe_code)] // SQLite's file system is a table of C functions.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use rusqlite::ffi;

use super::disk::{Call, Disk};

/// What simulated paths start with; after it the machine's number.
const ROOT: &str = "/tidemark-fault/";

static MACHINES: Mutex<BTreeMap<u64, Shared>> = Mutex::new(BTreeMap::new());
static NUMBERS: AtomicU64 = AtomicU64::new(1);
static REGISTER: Once = Once::new();
/// The file system that was the default, as an address: SQLite never frees it.
static REAL: AtomicU64 = AtomicU64::new(0);

type Shared = Arc<Mutex<Disk>>;

/// A computer with one simulated disk. Its files are gone when it is dropped.
#[derive(Debug)]
pub struct Machine {
    number: u64,
    disk: Shared,
}

impl Machine {
    /// A new one with an empty disk.
    pub fn new(seed: u64) -> Self {
        REGISTER.call_once(register);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let disk = Arc::new(Mutex::new(Disk::new(seed)));
        lock(&MACHINES).insert(number, disk.clone());
        Self { number, disk }
    }

    /// The path under which the core finds a file of this machine.
    pub fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("{ROOT}{}/{name}", self.number))
    }

    /// Its disk. Let go before SQLite is called.
    pub fn disk(&self) -> MutexGuard<'_, Disk> {
        lock(&self.disk)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        lock(&MACHINES).remove(&self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An open file. SQLite owns the memory and sees only the first field.
#[repr(C)]
struct Handle {
    methods: *const ffi::sqlite3_io_methods,
    open: *mut Open,
}

struct Open {
    disk: Shared,
    name: String,
    who: u64,
    boot: u64,
    delete_on_close: bool,
}

/// The machine's disk and the name on it, for a simulated path.
fn find(path: &str) -> Option<(Shared, String)> {
    let (number, name) = path.strip_prefix(ROOT)?.split_once('/')?;
    let disk = lock(&MACHINES).get(&number.parse().ok()?)?.clone();
    Some((disk, name.to_owned()))
}

fn register() {
    // SAFETY: the default file system is a valid, immutable table that lives as long as the process;
    // the copy is leaked, so that it does too. Every function left as it was ignores its first
    // argument (SQLite's own ones do).
    unsafe {
        let real = ffi::sqlite3_vfs_find(std::ptr::null());
        REAL.store(real as u64, Ordering::SeqCst);
        let mut vfs = std::ptr::read(real);
        vfs.szOsFile = vfs.szOsFile.max(size_of::<Handle>() as c_int);
        vfs.pNext = std::ptr::null_mut();
        vfs.zName = c"tidemark-fault".as_ptr();
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        vfs.xAccess = Some(access);
        vfs.xFullPathname = Some(full_path);
        ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 1);
    }
}

fn real() -> *mut ffi::sqlite3_vfs {
    REAL.load(Ordering::SeqCst) as *mut ffi::sqlite3_vfs
}

/// A C string as text; none where it is null or no UTF-8.
///
/// # Safety
/// `text` is null or a string that outlives the answer.
unsafe fn text<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, and a string by the caller's word.
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives a path or null, and `szOsFile` bytes of memory for the file.
    unsafe {
        let Some((disk, name)) = text(path).and_then(find) else {
            return (*real()).xOpen.expect("has one")(real(), path, file, flags, out);
        };
        let handle = file.cast::<Handle>();
        (*handle).methods = std::ptr::null();
        let boot = {
            let mut disk = lock(&disk);
            if let Err(code) = disk.permit(Call::Open) {
                return code;
            }
            if !disk.exists(&name) {
                if flags & ffi::SQLITE_OPEN_CREATE == 0 {
                    return ffi::SQLITE_CANTOPEN;
                }
                disk.create(&name);
            }
            disk.boots()
        };
        let delete_on_close = flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
        let who = NUMBERS.fetch_add(1, Ordering::Relaxed);
        (*handle).open = Box::into_raw(Box::new(Open { disk, name, who, boot, delete_on_close }));
        (*handle).methods = &METHODS;
        if !out.is_null() {
            *out = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    durably: c_int,
) -> c_int {
    // SAFETY: SQLite gives a path.
    unsafe {
        let Some((disk, name)) = text(path).and_then(find) else {
            return (*real()).xDelete.expect("has one")(real(), path, durably);
        };
        let mut disk = lock(&disk);
        if !disk.exists(&name) {
            return ffi::SQLITE_IOERR_DELETE_NOENT;
        }
        answer(disk.delete(&name, durably != 0))
    }
}

unsafe extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives a path and a place for the answer.
    unsafe {
        let Some((disk, name)) = text(path).and_then(find) else {
            return (*real()).xAccess.expect("has one")(real(), path, flags, out);
        };
        let disk = lock(&disk);
        // As SQLite's own does: an empty file does not count as there.
        let there =
            disk.exists(&name) && (flags != ffi::SQLITE_ACCESS_EXISTS || disk.len(&name) > 0);
        *out = c_int::from(there);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_path(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite gives a path, and `room` bytes for the answer.
    unsafe {
        let Some(name) = text(path).filter(|path| path.starts_with(ROOT)) else {
            return (*real()).xFullPathname.expect("has one")(real(), path, room, out);
        };
        if name.len() + 1 > room as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(path, out, name.len() + 1);
    }
    ffi::SQLITE_OK
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock_file),
    xUnlock: Some(unlock_file),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

fn answer(result: Result<(), i32>) -> c_int {
    result.err().unwrap_or(ffi::SQLITE_OK)
}

/// What stands behind a file that [`open`] filled in.
///
/// # Safety
/// `file` was opened by [`open`] and not closed yet.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a Open {
    // SAFETY: `open` put a box there, which `close` frees; SQLite closes once, and uses no file after.
    unsafe { &*(*file.cast::<Handle>()).open }
}

/// Runs `work` on the file's disk, unless the handle is of before the last power loss.
///
/// # Safety
/// As [`opened`].
unsafe fn with(
    file: *mut ffi::sqlite3_file,
    work: impl FnOnce(&mut Disk, &Open) -> c_int,
) -> c_int {
    // SAFETY: by the caller's word.
    let open = unsafe { opened(file) };
    let mut disk = lock(&open.disk);
    if disk.boots() != open.boot {
        return ffi::SQLITE_IOERR;
    }
    work(&mut disk, open)
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes what `open` opened, once.
    unsafe {
        with(file, |disk, open| {
            if let Some(locks) = disk.locks.get_mut(&open.name) {
                locks.unlock(open.who, ffi::SQLITE_LOCK_NONE);
            }
            if open.delete_on_close { answer(disk.delete(&open.name, false)) } else { 0 }
        });
        drop(Box::from_raw((*file.cast::<Handle>()).open));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    out: *mut c_void,
    len: c_int,
    at: i64,
) -> c_int {
    // SAFETY: SQLite gives `len` bytes of room.
    unsafe {
        let out = std::slice::from_raw_parts_mut(out.cast::<u8>(), len as usize);
        with(file, |disk, open| match disk.permit(Call::Read) {
            Err(code) => code,
            Ok(()) if disk.read(&open.name, at as usize, out) == out.len() => ffi::SQLITE_OK,
            Ok(()) => ffi::SQLITE_IOERR_SHORT_READ,
        })
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    len: c_int,
    at: i64,
) -> c_int {
    // SAFETY: SQLite gives `len` bytes.
    unsafe {
        let bytes = std::slice::from_raw_parts(bytes.cast::<u8>(), len as usize);
        with(file, |disk, open| answer(disk.write(&open.name, at as usize, bytes)))
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: i64) -> c_int {
    // SAFETY: an open file of ours.
    unsafe { with(file, |disk, open| answer(disk.truncate(&open.name, len as usize))) }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: an open file of ours.
    unsafe {
        with(file, |disk, open| {
            let main = open.name.trim_end_matches("-wal");
            // The last one out checkpoints under the file's own lock instead.
            let checkpointing = disk.memory.get(main).is_some_and(|memory| memory.checkpointing())
                || disk.locks.get(main).is_some_and(|locks| locks.is_exclusive());
            answer(disk.sync(&open.name, checkpointing))
        })
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: an open file of ours, and a place for the answer.
    unsafe {
        with(file, |disk, open| {
            *out = disk.len(&open.name) as i64;
            ffi::SQLITE_OK
        })
    }
}

unsafe extern "C" fn lock_file(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file of ours.
    unsafe {
        with(file, |disk, open| {
            disk.locks.entry(open.name.clone()).or_default().lock(open.who, level)
        })
    }
}

unsafe extern "C" fn unlock_file(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file of ours.
    unsafe {
        with(file, |disk, open| {
            disk.locks.entry(open.name.clone()).or_default().unlock(open.who, level);
            ffi::SQLITE_OK
        })
    }
}

unsafe extern "C" fn check_reserved(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: an open file of ours, and a place for the answer.
    unsafe {
        with(file, |disk, open| {
            let reserved = disk.locks.get(&open.name).is_some_and(|locks| locks.is_reserved());
            *out = c_int::from(reserved);
            ffi::SQLITE_OK
        })
    }
}

unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    4096
}

/// As SQLite's own on Unix: a torn write leaves the bytes beside it alone.
unsafe extern "C" fn characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    index: c_int,
    bytes: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: an open file of ours, and a place for the answer. The memory lives until the disk's
    // next start or end, and a handle of before that answers without touching it.
    unsafe {
        *out = std::ptr::null_mut();
        with(file, |disk, open| {
            let there = disk.memory.get(&open.name).is_some_and(|memory| memory.is_there());
            if !there
                && extend != 0
                && let Err(code) = disk.permit(Call::ShareMemory)
            {
                return code;
            }
            let memory = disk.memory.entry(open.name.clone()).or_default();
            let region = memory.region(index as usize, bytes as usize, extend != 0);
            *out = region.map_or(std::ptr::null_mut(), <*mut u64>::cast);
            ffi::SQLITE_OK
        })
    }
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: an open file of ours.
    unsafe {
        with(file, |disk, open| {
            let memory = disk.memory.entry(open.name.clone()).or_default();
            memory.lock(open.who, first as u32, count as u32, flags)
        })
    }
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    fence(Ordering::SeqCst);
    // SAFETY: an open file of ours. Taking the lock orders what two threads see.
    unsafe { with(file, |_, _| ffi::SQLITE_OK) };
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: an open file of ours.
    unsafe {
        with(file, |disk, open| {
            if let Some(memory) = disk.memory.get_mut(&open.name) {
                memory.leave(open.who);
            }
            if delete != 0 {
                disk.memory.remove(&open.name);
            }
            ffi::SQLITE_OK
        })
    }
}

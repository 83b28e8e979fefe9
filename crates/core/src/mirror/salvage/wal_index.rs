//! Whether a part of the log is missing that had been committed.
//!
//! SQLite takes a log up to its first damage for the whole, and a missing log for an empty one. The
//! index beside it (`-shm`) remembers how far it had been committed and how far written back; a clean
//! end removes the index before the log. So an index that knows of more than the log holds tells that
//! something is gone, which nothing else can.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use super::log::{self, Log};
use super::pages::beside;

/// What the index says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Committed {
    frames: u32,
    written_back: u32,
    salts: [u32; 2],
}

/// Whether frames are missing that had been committed and not written back. Ask before the mirror is
/// opened: opening makes a new index.
///
/// After a power cut the answer can be yes for what only the search index had written; what is
/// salvaged then is everything. Where another process has the mirror open the answer is no.
pub fn log_is_damaged(mirror: &Path) -> bool {
    for _ in 0..3 {
        let Some(before) = committed(mirror) else { return false };
        let Ok(log) = read_log(mirror) else { return false };
        // Somebody writes: then the log is in good hands.
        if committed(mirror) == Some(before) {
            return before.frames > before.written_back && !holds(&log, &before);
        }
    }
    false
}

fn holds(log: &Log, committed: &Committed) -> bool {
    log.frames >= committed.frames && log.salts == committed.salts
}

fn read_log(mirror: &Path) -> std::io::Result<Log> {
    match File::open(beside(mirror, "-wal")) {
        Ok(file) => log::read(BufReader::new(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Log::default()),
        Err(error) => Err(error),
    }
}

/// The index's header: two equal copies, in the machine's own byte order but for the salts.
fn committed(mirror: &Path) -> Option<Committed> {
    let bytes = fs::read(beside(mirror, "-shm")).ok()?;
    let (first, rest) = bytes.split_at_checked(48)?;
    let initialised = first[12] == 1;
    if !initialised || rest.get(..48)? != first {
        return None;
    }
    let own = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    Some(Committed {
        frames: own(16)?,
        written_back: own(96)?,
        salts: [log::word(first, 32), log::word(first, 36)],
    })
}

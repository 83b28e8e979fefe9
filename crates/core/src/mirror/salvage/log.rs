//! The write-ahead log: which of its pages are committed, and which lie behind a damaged one.
//!
//! SQLite believes a log up to the first frame whose checksum fails and silently forgets the rest. The
//! pages behind it are still sealed by themselves, so those of the same generation are told apart
//! here as [`Log::beyond`] and give their rows after all others.

use std::collections::HashMap;
use std::io::{self, Read};

use super::page::PAGE;

const HEADER: usize = 32;
const FRAME: usize = 24;

/// Where a log's pages are: offsets of sealed pages within its file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    /// The latest committed version of each page.
    pub(super) committed: HashMap<u32, u64>,
    /// The latest version of each page behind the first damage.
    pub(super) beyond: HashMap<u32, u64>,
    /// Pages of the database after the last commit.
    pub(super) pages: Option<u32>,
    /// Frames up to the last one that SQLite would believe, committed or not.
    pub(super) frames: u32,
    /// The salts of the header, as they stand there.
    pub(super) salts: [u32; 2],
}

/// Reads a log. A file that is no log gives an empty answer.
pub(super) fn read(mut input: impl Read) -> io::Result<Log> {
    let mut log = Log::default();
    let mut header = [0; HEADER];
    if !fill(&mut input, &mut header)? {
        return Ok(log);
    }
    log.salts = [word(&header, 16), word(&header, 20)];
    let big = word(&header, 0) & 1 == 1;
    let mut sum = checksum([0, 0], &header[..24], big);
    let mut believed = word(&header, 0) & !1 == 0x377f_0682
        && word(&header, 8) as usize == PAGE
        && sum == [word(&header, 24), word(&header, 28)];
    let mut salts = believed.then_some(log.salts);
    let mut open: HashMap<u32, u64> = HashMap::new();
    let mut frame = vec![0; FRAME + PAGE];
    let mut at = HEADER as u64;
    while fill(&mut input, &mut frame)? {
        let (number, size) = (word(&frame, 0), word(&frame, 4));
        let found = [word(&frame, 8), word(&frame, 12)];
        // Where the header is damaged, the first frame tells the generation: it is never an old one.
        let current = found == *salts.get_or_insert(found) && number > 0;
        sum = checksum(checksum(sum, &frame[..8], big), &frame[FRAME..], big);
        believed &= current && sum == [word(&frame, 16), word(&frame, 20)];
        let place = at + FRAME as u64;
        if believed {
            open.insert(number, place);
            log.frames += 1;
            if size > 0 {
                log.committed.extend(open.drain());
                log.pages = Some(size);
            }
        } else if current {
            log.beyond.insert(number, place);
        }
        at += (FRAME + PAGE) as u64;
    }
    Ok(log)
}

/// Reads exactly as many bytes as fit; false where there are fewer.
fn fill(input: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// SQLite's own checksum over pairs of words.
fn checksum([mut a, mut b]: [u32; 2], bytes: &[u8], big: bool) -> [u32; 2] {
    let word = |w: &[u8]| {
        let w = [w[0], w[1], w[2], w[3]];
        if big { u32::from_be_bytes(w) } else { u32::from_le_bytes(w) }
    };
    for pair in bytes.chunks_exact(8) {
        a = a.wrapping_add(word(pair)).wrapping_add(b);
        b = b.wrapping_add(word(&pair[4..])).wrapping_add(a);
    }
    [a, b]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    /// A log of three commits.
    fn written() -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).expect("opens");
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).expect("a log");
        for sql in ["CREATE TABLE a (x)", "INSERT INTO a VALUES (1)", "INSERT INTO a VALUES (2)"] {
            connection.execute_batch(sql).expect("written");
        }
        std::fs::read(folder.path().join("a.db-wal")).expect("there")
    }

    #[test]
    fn the_latest_committed_version_of_each_page_is_found() {
        let bytes = written();
        let log = read(&bytes[..]).expect("read");
        assert_eq!((log.frames, log.pages, log.committed.len()), (4, Some(2), 2));
        assert_eq!(log.beyond.len(), 0);
        let last = (bytes.len() - PAGE) as u64;
        assert_eq!(log.committed[&2], last, "the last insert's page is the last frame");
    }

    #[test]
    fn frames_behind_a_damaged_one_are_told_apart() {
        let mut bytes = written();
        bytes[HEADER + 2 * (FRAME + PAGE) + FRAME + 50] ^= 1;
        let log = read(&bytes[..]).expect("read");
        assert_eq!(log.frames, 2, "the first commit");
        assert_eq!(log.beyond.len(), 1, "the same page twice");
    }

    #[test]
    fn a_damaged_header_leaves_all_frames_beyond() {
        let mut bytes = written();
        bytes[17] ^= 1;
        let log = read(&bytes[..]).expect("read");
        assert_eq!((log.frames, log.committed.len(), log.beyond.len()), (0, 0, 2));
    }

    #[test]
    fn a_log_cut_anywhere_is_read_without_a_panic() {
        let bytes = written();
        for len in (0..bytes.len()).step_by(97) {
            read(&bytes[..len]).expect("read");
        }
    }
}

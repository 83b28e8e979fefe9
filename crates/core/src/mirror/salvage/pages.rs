//! A damaged mirror's pages, by number: the log's version first, then the file's.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::super::key::Key;
use super::Care;
use super::log::{self, Log};
use super::page::{Cipher, PAGE, USABLE, Verify};
use super::record::Cell;

/// The page that SQLite never uses, because it locks its bytes: the one at 1 GiB.
const LOCK_PAGE: u32 = (1 << 30) / PAGE as u32 + 1;

/// Which version of a page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// The last committed one.
    Committed,
    /// One that lies behind a damaged frame of the log, where there is one.
    Beyond,
}

/// Reads sealed pages and opens them.
pub(super) struct Pages {
    file: File,
    log: Option<(File, Log)>,
    cipher: Cipher,
    count: u32,
}

impl Pages {
    pub(super) fn open(path: &Path, key: &Key, care: Care) -> io::Result<Self> {
        let file = File::open(path)?;
        let verify = if care == Care::WithoutCode { Verify::Nothing } else { Verify::Code };
        let log = match File::open(beside(path, "-wal")) {
            Ok(log) if care != Care::WithoutLog => {
                let read = log::read(io::BufReader::new(&log))?;
                Some((log, read))
            }
            _ => None,
        };
        let mut pages = Self { file, log, cipher: Cipher::new(key, verify), count: 0 };
        pages.count = pages.measure()?;
        Ok(pages)
    }

    /// How many pages the database has: as page 1 says, else the log, else the file's length.
    fn measure(&mut self) -> io::Result<u32> {
        let length = self.file.metadata()?.len().div_ceil(PAGE as u64);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let committed = self.log.as_ref().and_then(|(_, log)| log.pages);
        let said = self.read(1, Version::Committed).map(|page| log::word(&page, 28));
        // A number that no file can have says that page 1 is not what it should be.
        let most = length.max(committed.unwrap_or(0)).saturating_mul(64).saturating_add(64);
        let said = said.filter(|said| (1..=most).contains(said));
        Ok(said.or(committed).unwrap_or(length))
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Whether the file can be this key's: its salt stands in front, or a page opens, or all is zeroed.
    /// A file of another key is nothing to be salvaged.
    pub(super) fn can_be_of(&mut self, key: &Key) -> io::Result<bool> {
        let mut salt = [0; 16];
        let there = read_at(&mut self.file, 0, &mut salt);
        if there.is_err() || salt == [0; 16] || salt == key.bytes()[32..] {
            return Ok(true);
        }
        Ok(self.numbers().any(|number| self.read(number, Version::Committed).is_some()))
    }

    /// The numbers of all pages that hold something.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        (1..=self.count).filter(|number| *number != LOCK_PAGE)
    }

    /// The numbers of pages behind a damaged frame of the log.
    pub(super) fn beyond(&self) -> Vec<u32> {
        let log = self.log.as_ref();
        let mut numbers: Vec<u32> =
            log.iter().flat_map(|(_, log)| log.beyond.keys()).copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// A page, opened; none where it is damaged or not there.
    pub(super) fn read(&mut self, number: u32, version: Version) -> Option<Vec<u8>> {
        let mut sealed = vec![0; PAGE];
        if let Some((file, log)) = &mut self.log {
            let beyond = log.beyond.get(&number).filter(|_| version == Version::Beyond);
            for at in [beyond, log.committed.get(&number)].into_iter().flatten() {
                if read_at(file, *at, &mut sealed).is_ok()
                    && let Some(page) = self.cipher.open(number, &sealed)
                {
                    return Some(page);
                }
            }
        }
        read_at(&mut self.file, u64::from(number.checked_sub(1)?) * PAGE as u64, &mut sealed)
            .ok()?;
        self.cipher.open(number, &sealed)
    }

    /// A cell's whole payload, with what stands on pages of its own; none where one is damaged.
    pub(super) fn payload(&mut self, cell: &Cell, version: Version) -> Option<Vec<u8>> {
        let mut payload = cell.local.clone();
        let mut next = cell.overflow;
        while payload.len() < cell.bytes {
            let page = self.read(next.filter(|next| *next > 1)?, version)?;
            next = Some(log::word(&page, 0));
            let wanted = (cell.bytes - payload.len()).min(USABLE - 4);
            payload.extend_from_slice(&page[4..4 + wanted]);
        }
        Some(payload)
    }
}

fn read_at(file: &mut File, at: u64, bytes: &mut [u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(bytes)
}

/// A path with something behind its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

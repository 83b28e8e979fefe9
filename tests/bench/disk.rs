//! What the disk can do by itself.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A page of the mirror.
const PAGE: usize = 4096;
/// As many pages as the mirror's log holds before it is written from the start again.
const PAGES: u64 = 1000;

/// A file of the size of a full log, written in place: the cheapest durable write there is.
#[derive(Debug)]
pub(crate) struct Disk {
    file: File,
    next: u64,
}

impl Disk {
    /// A file in this folder.
    pub(crate) fn at(folder: &Path) -> anyhow::Result<Self> {
        let file = File::create(folder.join("fdatasync"))?;
        for page in 0..PAGES {
            file.write_all_at(&[1; PAGE], page * PAGE as u64)?;
        }
        file.sync_all()?;
        Ok(Self { file, next: 0 })
    }

    /// Writes one page and waits until the disk has it.
    pub(crate) fn write(&mut self) -> std::io::Result<()> {
        self.next = (self.next + 1) % PAGES;
        self.file.write_all_at(&[self.next as u8; PAGE], self.next * PAGE as u64)?;
        self.file.sync_data()
    }
}

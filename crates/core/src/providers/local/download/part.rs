//! A download that is not complete: the bytes so far, and what they were the beginning of.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// `<name>.part` beside the file to be, and `<name>.part.json` with what the server said.
#[derive(Debug, Clone)]
pub(in crate::providers::local) struct Part {
    pub(super) bytes: PathBuf,
    notes: PathBuf,
}

/// What tells that the server's file is still the one that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// The hash that the whole must have: a new version of the app may want another file.
    pub(super) sha256: String,
    /// The server's own mark for these bytes, only a strong one (RFC 9110, 8.8.3).
    pub(super) etag: Option<String>,
}

impl Part {
    /// The part of the file at `path`.
    pub(in crate::providers::local) fn of(path: &Path) -> Self {
        Self { bytes: with_suffix(path, ".part"), notes: with_suffix(path, ".part.json") }
    }

    /// How many bytes are here.
    pub(in crate::providers::local) fn received(&self) -> u64 {
        fs::metadata(&self.bytes).map_or(0, |meta| meta.len())
    }

    /// Deletes it, if it is there.
    pub(in crate::providers::local) fn delete(&self) -> io::Result<()> {
        for path in [&self.bytes, &self.notes] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// What it is the beginning of; none means that it cannot be gone on from.
    pub(super) fn origin(&self, sha256: &str) -> Option<Origin> {
        let origin: Origin = serde_json::from_slice(&fs::read(&self.notes).ok()?).ok()?;
        (origin.sha256 == sha256).then_some(origin)
    }

    /// Notes what the bytes to come are the beginning of.
    pub(super) fn note(&self, origin: &Origin) -> io::Result<()> {
        fs::write(&self.notes, serde_json::to_vec(origin)?)
    }

    /// The bytes, whole and checked, become the file.
    pub(super) fn finish(&self, path: &Path) -> io::Result<()> {
        replace(&self.bytes, path)?;
        let _ = fs::remove_file(&self.notes);
        Ok(())
    }
}

/// Moves a synced file into place so that a power cut leaves one or the other.
pub(super) fn replace(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    // A folder can be opened and synced on Unix only; NTFS journals the rename by itself.
    #[cfg(unix)]
    if let Some(folder) = to.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(suffix);
    path.with_file_name(name)
}

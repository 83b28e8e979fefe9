//! Which files were found to have the bytes that they should.
//!
//! A model of the catalogue is hashed once before its first use. That takes seconds for a large
//! one, so what was found is remembered beside the models, by size and time of change: a file that
//! was written since is hashed again. Somebody who can write both files could forge it, and could
//! as well replace the app.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::hex;

/// Remembers in a file of a folder.
#[derive(Debug)]
pub(super) struct Verified {
    file: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    sha256: String,
    bytes: u64,
    changed_ns: u64,
}

type Notes = BTreeMap<String, Seen>;

impl Verified {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self { file: folder.join("verified.json") }
    }

    /// Whether the file has this hash; reads all of it unless that was done before.
    pub(super) fn check(&self, path: &Path, sha256: &str) -> std::io::Result<bool> {
        let seen = Seen::at(path, sha256)?;
        let mut notes = self.notes();
        let name = path.to_string_lossy().into_owned();
        if notes.get(&name) == Some(&seen) {
            return Ok(true);
        }
        if hash_file(path)? != sha256 {
            return Ok(false);
        }
        notes.insert(name, seen);
        self.write(&notes);
        Ok(true)
    }

    /// Remembers a file that was hashed while it was written.
    pub(super) fn note(&self, path: &Path, sha256: &str) {
        if let Ok(seen) = Seen::at(path, sha256) {
            let mut notes = self.notes();
            notes.insert(path.to_string_lossy().into_owned(), seen);
            self.write(&notes);
        }
    }

    fn notes(&self) -> Notes {
        let text = fs::read(&self.file).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// A note that is lost costs another hashing, and nothing else.
    fn write(&self, notes: &Notes) {
        let temporary = self.file.with_extension("json.new");
        let bytes = serde_json::to_vec_pretty(notes).unwrap_or_default();
        let written = self.file.parent().map_or(Ok(()), fs::create_dir_all);
        let written = written.and_then(|()| fs::write(&temporary, bytes));
        if let Err(error) = written.and_then(|()| fs::rename(&temporary, &self.file)) {
            tracing::debug!(%error, "cannot remember that a model was verified");
        }
    }
}

impl Seen {
    fn at(path: &Path, sha256: &str) -> std::io::Result<Self> {
        let meta = fs::metadata(path)?;
        let changed = meta.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self {
            sha256: sha256.to_owned(),
            bytes: meta.len(),
            changed_ns: u64::try_from(changed.as_nanos()).unwrap_or(0),
        })
    }
}

/// The file's SHA-256 in lower-case hex.
pub(super) fn hash_file(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_file_is_hashed_once_and_again_after_it_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("model");
        fs::write(&file, "abc").expect("writes");
        let verified = Verified::in_folder(folder.path());
        assert!(verified.check(&file, ABC).expect("reads"));
        assert_eq!(verified.notes().len(), 1);
        fs::write(&file, "abd").expect("writes");
        let later = UNIX_EPOCH + std::time::Duration::from_secs(1);
        File::options().append(true).open(&file).expect("opens").set_modified(later).expect("sets");
        assert!(!verified.check(&file, ABC).expect("reads"), "the note was for other bytes");
    }

    #[test]
    fn notes_that_cannot_be_read_or_written_only_cost_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("model");
        fs::write(&file, "abc").expect("writes");
        fs::write(folder.path().join("verified.json"), "{ half").expect("writes");
        assert!(Verified::in_folder(folder.path()).check(&file, ABC).expect("reads"));
        let nowhere = Verified::in_folder(&file.join("no folder"));
        assert!(nowhere.check(&file, ABC).expect("reads"));
    }
}

//! Proof by the old password: whose chats they are, asked and answered on this computer.
//!
//! It is for a computer that several people used, where one should not bring over another's chats by a
//! slip. It protects nothing: whoever can read the files can read the chats. The password is compared
//! and forgotten; what is remembered, until this process ends, is who gave it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Asked, ImportRequest, people};
use crate::api::Tidemark;
use crate::error::Result;
use crate::providers::secret::Secret;

/// After a wrong password; doubles with each.
const PATIENCE: Duration = Duration::from_millis(250);
/// So often it doubles: to 4 seconds.
const DOUBLINGS: u32 = 4;

/// Whether a password is the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Proven {
    /// It is.
    Matches,
    /// It is not.
    Differs,
    /// There was none, or none that can be checked: nothing can be proven.
    Unprotected,
}

/// Who gave their old password to this process, and how often a wrong one was given.
#[derive(Debug, Default)]
pub(in crate::api) struct Proofs(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    wrong: u32,
    proven: BTreeMap<PathBuf, BTreeSet<String>>,
}

impl Proofs {
    /// The keys of those who did, of a source.
    pub(super) fn of(&self, named: &Path) -> BTreeSet<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.proven.get(named).cloned().unwrap_or_default()
    }

    /// Notes the answer of `check`. One attempt at a time, and the next one waits after a wrong one.
    fn answer(&self, named: &Path, key: &str, check: impl FnOnce() -> bool) -> Proven {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if check() {
            known.wrong = 0;
            known.proven.entry(named.to_owned()).or_default().insert(key.to_owned());
            return Proven::Matches;
        }
        std::thread::sleep(PATIENCE * 2_u32.pow(known.wrong.min(DOUBLINGS)));
        known.wrong += 1;
        Proven::Differs
    }
}

impl Tidemark {
    /// Whether a password is that of a person in a source, named by key or name. Where it is, reports of
    /// imports from there say so until this process ends. Waits for the disk, and after a wrong one.
    ///
    /// # Errors
    /// Nothing that is known stands at the path, it cannot be read, or nobody in it is called so.
    pub fn import_prove(&self, path: &str, person: &str, password: &Secret) -> Result<Proven> {
        let wanted = ImportRequest { path: path.to_owned(), ..ImportRequest::default() };
        let Asked { source, request, unpacked: _unpacked } = self.asked(&wanted)?;
        let people = people(source.as_ref(), &request.input)?;
        let key = people.one(person)?;
        let owners = people.owners(person)?;
        let proofs: Vec<_> = owners.iter().filter_map(|owner| owner.proof.as_ref()).collect();
        if proofs.is_empty() {
            return Ok(Proven::Unprotected);
        }
        let check = || proofs.iter().any(|proof| proof.is_of(password));
        Ok(self.inner.proofs.answer(&request.named, key, check))
    }
}

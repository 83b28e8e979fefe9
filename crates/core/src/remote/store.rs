//! Where a session is kept between two runs of the program: the keyring, or whatever stands in.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::secrets::{Keyring, KeyringError};

/// Windows' keyring takes 2,560 bytes an entry.
const KEYRING_ROOM: usize = 2_400;

/// The place where a session is kept could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the session cannot be kept: {0}")]
pub struct StoreError(pub String);

/// Keeps one session. Its functions may wait for a disk or a keyring.
pub trait SessionStore: Send + Sync + std::fmt::Debug {
    /// What is kept; none where nothing is.
    ///
    /// # Errors
    /// It cannot be read now.
    fn load(&self) -> Result<Option<Zeroizing<String>>, StoreError>;

    /// Keeps this. When it returns, it survives a power cut.
    ///
    /// # Errors
    /// It could not be kept.
    fn save(&self, text: &str) -> Result<(), StoreError>;

    /// Forgets it; nothing there is no error.
    ///
    /// # Errors
    /// It could not be removed.
    fn clear(&self) -> Result<(), StoreError>;

    /// How many bytes fit.
    fn room(&self) -> usize {
        usize::MAX
    }
}

/// An entry of the keyring.
#[derive(Debug)]
pub struct InKeyring {
    keyring: Arc<dyn Keyring>,
    entry: String,
}

impl InKeyring {
    /// The entry of the mirror with this id: two data folders never share one.
    pub fn new(keyring: Arc<dyn Keyring>, mirror_id: &str) -> Self {
        Self { keyring, entry: format!("session:{mirror_id}") }
    }
}

impl From<KeyringError> for StoreError {
    fn from(error: KeyringError) -> Self {
        Self(error.to_string())
    }
}

impl SessionStore for InKeyring {
    fn load(&self) -> Result<Option<Zeroizing<String>>, StoreError> {
        let bytes = self.keyring.get(&self.entry)?;
        // Bytes that are no text are no session of ours.
        let text = |bytes: Zeroizing<Vec<u8>>| std::str::from_utf8(&bytes).ok().map(str::to_owned);
        Ok(bytes.and_then(text).map(Zeroizing::new))
    }

    fn save(&self, text: &str) -> Result<(), StoreError> {
        Ok(self.keyring.set(&self.entry, text.as_bytes())?)
    }

    fn clear(&self) -> Result<(), StoreError> {
        Ok(self.keyring.delete(&self.entry)?)
    }

    fn room(&self) -> usize {
        KEYRING_ROOM
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::MemoryKeyring;

    #[test]
    fn each_mirror_has_an_entry_of_its_own() {
        let keyring: Arc<MemoryKeyring> = Arc::default();
        let (one, two) = (InKeyring::new(keyring.clone(), "1"), InKeyring::new(keyring, "2"));
        one.save("session").expect("kept");
        assert_eq!(one.load().expect("read").expect("there").as_str(), "session");
        assert_eq!(two.load().expect("read"), None);
        one.clear().expect("removed");
        one.clear().expect("nothing there is no error");
        assert_eq!(one.load().expect("read"), None);
    }

    #[test]
    fn a_locked_keyring_is_an_error_and_no_missing_session() {
        let keyring: Arc<MemoryKeyring> = Arc::default();
        keyring.locked.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(InKeyring::new(keyring, "1").load().is_err());
    }
}

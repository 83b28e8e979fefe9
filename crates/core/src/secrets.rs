//! Secrets in the system's keyring, behind a deadline.
//!
//! A keyring that has to ask its person can block for ever, so every call runs on a thread of its
//! own and is given up after [`DEADLINE`]; one that was given up is not asked again by this process
//! until somebody wants it to. Linux: Secret Service; macOS: Keychain; Windows: Credential Manager.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use zeroize::Zeroizing;

/// How long a keyring may take.
pub const DEADLINE: Duration = Duration::from_secs(3);

/// The name under which all entries stand.
const SERVICE: &str = "app.tidemark.desktop";

/// Why a secret could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is no keyring, it is locked, or it refused.
    #[error("the keyring cannot be used: {0}")]
    Unavailable(String),
    /// It did not answer in time.
    #[error("the keyring did not answer")]
    TimedOut,
}

/// Where secrets are kept, by name. A trait, so that a test can do without a desktop.
pub trait Keyring: Send + Sync + std::fmt::Debug {
    /// The secret with this name; `None` where there is none.
    ///
    /// # Errors
    /// The keyring cannot be used now.
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError>;

    /// Sets a secret.
    ///
    /// # Errors
    /// The keyring cannot be used now.
    fn set(&self, name: &str, secret: &[u8]) -> Result<(), KeyringError>;

    /// Removes a secret; one that is not there is no error.
    ///
    /// # Errors
    /// The keyring cannot be used now.
    fn delete(&self, name: &str) -> Result<(), KeyringError>;

    /// Somebody wants it to be asked again, after it was given up.
    fn ask_again(&self) {}
}

/// The system's keyring.
#[derive(Debug, Default)]
pub struct SystemKeyring {
    gave_up: AtomicBool,
}

impl SystemKeyring {
    fn call<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(keyring::Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<T, KeyringError> {
        if self.gave_up.load(Ordering::Relaxed) {
            return Err(KeyringError::TimedOut);
        }
        let (sender, receiver) = mpsc::channel();
        let name = name.to_owned();
        // Not joined: a prompt may keep it for as long as the person looks at it.
        std::thread::Builder::new()
            .name("keyring".into())
            .spawn(move || {
                let _ = sender.send(keyring::Entry::new(SERVICE, &name).and_then(work));
            })
            .map_err(|error| KeyringError::Unavailable(error.kind().to_string()))?;
        match receiver.recv_timeout(DEADLINE) {
            Ok(result) => {
                result.map_err(|error| KeyringError::Unavailable(describe(&error).to_owned()))
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.gave_up.store(true, Ordering::Relaxed);
                Err(KeyringError::TimedOut)
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(KeyringError::Unavailable("it failed".into()))
            }
        }
    }
}

impl Keyring for SystemKeyring {
    fn ask_again(&self) {
        self.gave_up.store(false, Ordering::Relaxed);
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        self.call(name, |entry| match entry.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), KeyringError> {
        let secret = Zeroizing::new(secret.to_vec());
        self.call(name, move |entry| entry.set_secret(&secret))
    }

    fn delete(&self, name: &str) -> Result<(), KeyringError> {
        self.call(name, |entry| match entry.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(error),
        })
    }
}

/// In words of ours: an error of the keyring's own may quote what it holds.
fn describe(error: &keyring::Error) -> &'static str {
    match error {
        keyring::Error::NoStorageAccess(_) => "it is locked",
        keyring::Error::NoDefaultStore => "there is none",
        keyring::Error::TooLong(..) => "the entry is too long for it",
        _ => "it reported a failure",
    }
}

/// A keyring in memory, for tests.
#[derive(Default)]
pub struct MemoryKeyring {
    entries: std::sync::Mutex<std::collections::HashMap<String, Vec<u8>>>,
    /// Whether it acts as though it were locked.
    pub locked: AtomicBool,
}

impl std::fmt::Debug for MemoryKeyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryKeyring").field("locked", &self.locked).finish_non_exhaustive()
    }
}

impl MemoryKeyring {
    fn entries(
        &self,
    ) -> Result<std::sync::MutexGuard<'_, std::collections::HashMap<String, Vec<u8>>>, KeyringError>
    {
        if self.locked.load(Ordering::Relaxed) {
            return Err(KeyringError::Unavailable("it is locked".into()));
        }
        Ok(self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Keyring for MemoryKeyring {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        Ok(self.entries()?.get(name).cloned().map(Zeroizing::new))
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), KeyringError> {
        self.entries()?.insert(name.to_owned(), secret.to_vec());
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), KeyringError> {
        self.entries()?.remove(name);
        Ok(())
    }
}

//! `mirror.json`: what must be known before the mirror can be opened, and no secret.
//!
//! It names the mirror (and with it the keyring entry), says how the key is kept, and carries the
//! key's fingerprint, which tells a wrong key from a damaged file. Where a passphrase stands in for
//! a keyring, it also carries the key wrapped with it.

use std::io;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::key::Key;
use crate::error::{Code, Failure};
use crate::model::view::KeyStore;

/// The file's name in the data folder.
pub const FILE: &str = "mirror.json";

/// Says how a mirror is opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The mirror's id.
    pub mirror_id: Uuid,
    /// How the key is kept.
    pub key: KeyStore,
    /// [`Key::fingerprint`].
    pub fingerprint: String,
    /// Whether the mirror's file has been made. A card is written before it, so that a power cut
    /// between the two leaves a card that begins again and not a file that nobody can open.
    #[serde(default = "made")]
    pub made: bool,
    /// The key, wrapped with a passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapped: Option<Wrapped>,
}

/// What a card says that does not say it.
fn made() -> bool {
    true
}

impl Card {
    /// Reads the card of a folder; `None` where there is none.
    ///
    /// # Errors
    /// It cannot be read, or is no card.
    pub fn read(folder: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(folder.join(FILE)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the card so that a power cut leaves the old or the new one.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        use io::Write as _;
        let draft = folder.join(format!("{FILE}.new"));
        let mut file = std::fs::File::create(&draft)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        std::fs::rename(&draft, folder.join(FILE))?;
        sync_folder(folder)
    }
}

/// Makes a rename in `folder` durable.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Windows has no handle on a folder that could be flushed; NTFS journals the rename itself.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A key that a passphrase opens: Argon2id, then ChaCha20-Poly1305.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wrapped {
    /// KiB of memory.
    memory_kib: u32,
    /// Passes.
    passes: u32,
    /// 16 bytes in base64, new for each wrapping; the derived key is used once, so the nonce is zero.
    salt: String,
    /// The key and its tag, in base64.
    sealed: String,
}

/// OWASP's first choice for Argon2id (19 MiB and 2 passes) is meant for servers; a desktop can
/// spend more: 64 MiB and 3 passes, as RFC 9106 recommends for little memory.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// What a card may ask for: more is no card of ours, and would only exhaust the computer.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 32;

impl Wrapped {
    /// Wraps `key` with `passphrase`.
    ///
    /// # Errors
    /// The passphrase is shorter than 8 characters.
    pub fn seal(key: &Key, passphrase: &str) -> Result<Self, Failure> {
        if passphrase.chars().count() < 8 {
            return Err(Failure::new(
                Code::InvalidInput,
                "The passphrase is too short; nothing was changed.",
            )
            .hint("Use at least 8 characters; a few words are easier to remember and better."));
        }
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| {
            Failure::new(
                Code::Internal,
                "This computer gave no random numbers, so no key could be made.",
            )
        })?;
        let cipher = cipher(passphrase, &salt, MEMORY_KIB, PASSES).ok_or_else(unusable)?;
        let sealed =
            cipher.encrypt(&Default::default(), key.bytes().as_slice()).map_err(|_| unusable())?;
        Ok(Self {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            salt: BASE64.encode(salt),
            sealed: BASE64.encode(sealed),
        })
    }

    /// The key, if `passphrase` is the one.
    pub fn open(&self, passphrase: &str) -> Option<Key> {
        if self.memory_kib > MOST_MEMORY_KIB || self.passes > MOST_PASSES {
            return None;
        }
        let salt = BASE64.decode(&self.salt).ok()?;
        let sealed = BASE64.decode(&self.sealed).ok()?;
        let cipher = cipher(passphrase, &salt, self.memory_kib, self.passes)?;
        let bytes = Zeroizing::new(cipher.decrypt(&Default::default(), sealed.as_slice()).ok()?);
        Key::from_bytes(&bytes)
    }
}

fn cipher(passphrase: &str, salt: &[u8], memory_kib: u32, passes: u32) -> Option<ChaCha20Poly1305> {
    let mut derived = Zeroizing::new([0; 32]);
    Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        Params::new(memory_kib, passes, 1, Some(32)).ok()?,
    )
    .hash_password_into(passphrase.as_bytes(), salt, derived.as_mut())
    .ok()?;
    ChaCha20Poly1305::new_from_slice(derived.as_ref()).ok()
}

fn unusable() -> Failure {
    Failure::new(Code::Internal, "The key could not be wrapped; nothing was changed.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_passphrase_opens_a_wrapped_key() {
        let key = Key::random().expect("random");
        let wrapped = Wrapped::seal(&key, "correct horse").expect("sealed");
        assert!(wrapped.open("correct horse") == Some(key));
        assert!(wrapped.open("correct horses").is_none());
    }

    #[test]
    fn a_short_passphrase_is_refused() {
        let key = Key::random().expect("random");
        assert_eq!(Wrapped::seal(&key, "seven77").expect_err("short").code, Code::InvalidInput);
    }

    #[test]
    fn a_card_that_asks_for_the_whole_memory_is_refused() {
        let key = Key::random().expect("random");
        let mut wrapped = Wrapped::seal(&key, "correct horse").expect("sealed");
        wrapped.memory_kib = u32::MAX;
        assert!(wrapped.open("correct horse").is_none());
    }

    #[test]
    fn a_card_comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Card::read(folder.path()).expect("read"), None);
        let card = Card {
            mirror_id: Uuid::from_u128(7),
            key: KeyStore::Keyring,
            fingerprint: "ab".into(),
            made: true,
            wrapped: None,
        };
        card.write(folder.path()).expect("written");
        assert_eq!(Card::read(folder.path()).expect("read"), Some(card));
    }
}

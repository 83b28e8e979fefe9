//! The mirror's key: 48 random bytes (32 of key, 16 of salt), and where they are kept.
//!
//! The salt is part of the key and not of the file, so that a lost first page loses no more than
//! itself. The bytes stand in the system's keyring under the mirror's id; where there is no
//! keyring they are wrapped with a passphrase (Argon2id, ChaCha20-Poly1305) in `mirror.json`; for
//! tests and headless machines a file of mode 0600 holds them. The recovery key that a person
//! writes down is the same 48 bytes in base 32.

use std::fmt;
use std::path::Path;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::Error;
use crate::error::{Code, Failure};

/// How many bytes a key has.
pub const KEY_BYTES: usize = 48;

/// A mirror's key. Wiped from memory when dropped; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<[u8; KEY_BYTES]>);

/// How pages are sealed, as pragmas. They hold for the process; all its encrypted files are ours.
const CODES: [(&str, &str); 2] = [
    ("cipher_default_hmac_algorithm", "HMAC_SHA256"),
    ("cipher_default_kdf_algorithm", "PBKDF2_HMAC_SHA256"),
];

impl Key {
    /// A new random key.
    pub fn random() -> Result<Self, Failure> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(bytes.as_mut()).map_err(|_| {
            Failure::new(
                Code::Internal,
                "This computer gave no random numbers, so no key could be made.",
            )
        })?;
        Ok(Self(bytes))
    }

    /// A key from its bytes; `None` unless there are 48.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// Reads a key file: 48 bytes, on Unix readable by its owner only.
    pub fn from_file(path: &Path) -> Result<Self, Failure> {
        let unusable = |why: &str| {
            Failure::new(Code::Locked, format!("The key file cannot be used: {why}. The mirror was not opened."))
                .hint("TIDEMARK_KEY_FILE must name a file of exactly 48 bytes that only its owner can read.")
        };
        let metadata =
            std::fs::metadata(path).map_err(|error| unusable(&error.kind().to_string()))?;
        if !metadata.is_file() {
            return Err(unusable("it is not a regular file"));
        }
        if !owner_only(&metadata) {
            return Err(unusable("others can read it"));
        }
        if metadata.len() != KEY_BYTES as u64 {
            return Err(unusable("it does not have 48 bytes"));
        }
        let bytes = Zeroizing::new(
            std::fs::read(path).map_err(|error| unusable(&error.kind().to_string()))?,
        );
        Self::from_bytes(&bytes).ok_or_else(|| unusable("it does not have 48 bytes"))
    }

    /// The bytes, for keyring and wrapping.
    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Gives it to a connection that has read nothing yet, with the codes that seal our pages:
    /// HMAC-SHA256 is as hard to forge as SQLCipher's default of SHA512, and processors have
    /// instructions for it (docs/decisions/0007).
    pub fn unlock(&self, connection: &Connection) -> Result<(), Error> {
        // As defaults, before the key: a connection that has one keeps room for the longer code.
        for (name, value) in CODES {
            connection.pragma_update(None, name, value)?;
        }
        Ok(connection.pragma_update(None, "key", self.pragma().as_str())?)
    }

    /// As SQLCipher takes a raw key with its salt: `x'…96 hex digits…'`.
    fn pragma(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 * KEY_BYTES + 3));
        text.push_str("x'");
        for byte in self.0.iter() {
            text.push(char::from_digit(u32::from(byte >> 4), 16).expect("a nibble"));
            text.push(char::from_digit(u32::from(byte & 15), 16).expect("a nibble"));
        }
        text.push('\'');
        text
    }

    /// Tells a wrong key from a damaged file: half of a SHA-256 over a random key gives nothing away.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"tidemark mirror key v1");
        hash.update(self.0.as_ref());
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// What a person writes down: 16 groups of five letters and digits, the last one a check.
    pub fn recovery(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(self.0.to_vec());
        bytes.extend_from_slice(&Sha256::digest(self.0.as_ref())[..2]);
        let mut letters = Zeroizing::new(base32(&bytes));
        let grouped = letters
            .as_bytes()
            .chunks(5)
            .map(|group| std::str::from_utf8(group).expect("base 32 is ASCII"))
            .collect::<Vec<_>>()
            .join("-");
        letters.zeroize();
        Zeroizing::new(grouped)
    }

    /// Reads what a person wrote down, forgiving case, blanks and the letters that look like digits.
    pub fn from_recovery(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(unbase32(text)?);
        let (key, check) = bytes.split_at_checked(KEY_BYTES)?;
        (Sha256::digest(key)[..2] == *check).then(|| Self::from_bytes(key)).flatten()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(unix)]
fn owner_only(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 == 0
}

/// Windows has no mode; a profile's folder is its owner's by its access list.
#[cfg(not(unix))]
fn owner_only(_: &std::fs::Metadata) -> bool {
    true
}

/// Crockford's alphabet: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut buffer, mut bits) = (0_u32, 0);
    for byte in bytes {
        buffer = buffer << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(buffer >> bits & 31) as usize]));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(buffer << (5 - bits) & 31) as usize]));
    }
    text
}

fn unbase32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut buffer, mut bits) = (0_u32, 0);
    for letter in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let letter = match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let value = ALPHABET.iter().position(|c| char::from(*c) == letter)?;
        buffer = buffer << 5 | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits & 255) as u8);
        }
        buffer &= (1 << bits) - 1;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_key_comes_back_as_it_was_written_down() {
        let key = Key::random().expect("random");
        let written = key.recovery();
        assert_eq!(written.split('-').count(), 16);
        let sloppy = written.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert!(Key::from_recovery(&sloppy) == Some(key));
    }

    #[test]
    fn a_mistyped_recovery_key_is_noticed() {
        let key = Key::from_bytes(&[7; KEY_BYTES]).expect("48");
        let mut wrong = key.recovery().to_string();
        wrong.replace_range(0..1, if wrong.starts_with('Z') { "Y" } else { "Z" });
        assert!(Key::from_recovery(&wrong).is_none());
        assert!(Key::from_recovery("").is_none());
        assert!(Key::from_recovery("hello?").is_none());
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let key = Key::from_bytes(&[7; KEY_BYTES]).expect("48");
        assert_eq!(format!("{key:?}"), "Key(…)");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        std::fs::write(&path, [1; KEY_BYTES]).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
        assert_eq!(Key::from_file(&path).expect_err("refused").code, Code::Locked);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
        assert!(Key::from_file(&path).is_ok());
        std::fs::write(&path, [1; 47]).expect("written");
        assert!(Key::from_file(&path).is_err());
    }
}

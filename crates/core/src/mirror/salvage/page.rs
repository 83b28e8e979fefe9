//! One encrypted page: SQLCipher 4's layout with shorter codes, opened by code of our own.
//!
//! SQLCipher seals each page by itself (AES-256-CBC, then HMAC-SHA256 over ciphertext, IV and page
//! number), so a damaged page says nothing about its neighbours. SQLite gives up on a file as soon as
//! one page on its way cannot be read; this reads every page that is whole.

use aes::Aes256;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::NoPadding};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::super::key::Key;

/// Bytes of a page in the file.
pub(super) const PAGE: usize = 4096;
/// Bytes at a page's end that SQLCipher keeps: the IV, then the code.
const RESERVE: usize = IV + CODE;
const IV: usize = 16;
const CODE: usize = 32;
/// Bytes of a page that SQLite uses.
pub(super) const USABLE: usize = PAGE - RESERVE;
/// What the salt stands in for at the beginning of page 1.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Whether a page is used whose code does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verify {
    /// No: what is salvaged is what was written.
    Code,
    /// Yes. Only a control in the tests asks for it, to show that the code is needed.
    Nothing,
}

/// Opens pages.
pub(super) struct Cipher {
    key: Zeroizing<[u8; 32]>,
    code: Hmac<Sha256>,
    verify: Verify,
}

impl Cipher {
    pub(super) fn new(key: &Key, verify: Verify) -> Self {
        let (secret, salt) = key.bytes().split_at(32);
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(secret);
        let salt: Vec<u8> = salt.iter().map(|byte| byte ^ 0x3a).collect();
        let derived = stretch_twice(secret, &salt);
        Self { key, code: hmac(&derived), verify }
    }

    /// A page as SQLite sees it, [`USABLE`] bytes long; none where it is damaged.
    pub(super) fn open(&self, number: u32, sealed: &[u8]) -> Option<Vec<u8>> {
        let (body, code) = sealed.get(..PAGE)?.split_at(PAGE - CODE);
        let skip = if number == 1 { MAGIC.len() } else { 0 };
        if self.verify == Verify::Code {
            let mut expected = self.code.clone();
            expected.update(&body[skip..]);
            expected.update(&number.to_le_bytes());
            expected.verify_slice(code).ok()?;
        }
        let (text, iv) = body.split_at(USABLE);
        let mut plain = text.to_vec();
        let cipher = cbc::Decryptor::<Aes256>::new_from_slices(self.key.as_ref(), iv).ok()?;
        cipher.decrypt_padded::<NoPadding>(&mut plain[skip..]).ok()?;
        plain[..skip].copy_from_slice(&MAGIC[..skip]);
        Some(plain)
    }
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// PBKDF2-HMAC-SHA256 with two rounds, one block: how SQLCipher gets the code's key from a raw key.
fn stretch_twice(secret: &[u8], salt: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut first = hmac(secret);
    first.update(salt);
    first.update(&1_u32.to_be_bytes());
    let first = first.finalize().into_bytes();
    let mut second = hmac(secret);
    second.update(&first);
    let second = second.finalize().into_bytes();
    Zeroizing::new(first.iter().zip(second).map(|(a, b)| a ^ b).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    fn key() -> Key {
        Key::from_bytes(&[9; 48]).expect("48 bytes")
    }

    fn file() -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).expect("opens");
        key().unlock(&connection).expect("keyed");
        connection
            .execute_batch("CREATE TABLE tide (word TEXT); INSERT INTO tide VALUES ('flood')")
            .expect("written");
        drop(connection);
        std::fs::read(&path).expect("there")
    }

    #[test]
    fn what_sqlcipher_sealed_is_opened() {
        let cipher = Cipher::new(&key(), Verify::Code);
        let pages: Vec<_> = file()
            .chunks(PAGE)
            .zip(1..)
            .map(|(page, number)| cipher.open(number, page).expect("opens"))
            .collect();
        assert!(pages[0].starts_with(MAGIC));
        assert!(pages[1].windows(5).any(|text| text == b"flood"));
    }

    #[test]
    fn a_flipped_bit_a_wrong_place_and_a_wrong_key_are_noticed() {
        let cipher = Cipher::new(&key(), Verify::Code);
        let file = file();
        let second = &file[PAGE..2 * PAGE];
        assert!(cipher.open(2, second).is_some());
        assert!(cipher.open(3, second).is_none(), "a page moved elsewhere");
        for at in [0, 2000, USABLE, PAGE - 1] {
            let mut flipped = second.to_vec();
            flipped[at] ^= 1;
            assert!(cipher.open(2, &flipped).is_none(), "a bit at {at}");
        }
        let other = Cipher::new(&Key::from_bytes(&[8; 48]).expect("48 bytes"), Verify::Code);
        assert!(other.open(2, second).is_none());
        assert!(cipher.open(2, &second[..100]).is_none(), "a short page");
        assert!(cipher.open(2, &[0; PAGE]).is_none(), "a zeroed page");
    }
}

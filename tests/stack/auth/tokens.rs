//! The second form of a refresh token: nothing is stored of it but a counter and a key per session.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const SIGNATURE: usize = 16;
const CHECKSUM: usize = 4;

/// Which session a token belongs to, and how often that was refreshed before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) session: Uuid,
    pub(super) counter: i64,
}

impl Counted {
    /// The token, signed with the session's key.
    pub(super) fn token(self, key: &[u8]) -> String {
        let mut bytes = self.body();
        bytes.extend(&signature(&bytes, key)[..SIGNATURE]);
        let checksum = Sha256::digest(&bytes);
        bytes.extend(&checksum[..CHECKSUM]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token; `None` where it is none. The signature is checked with [`Self::is_signed`].
    pub(super) fn parse(token: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signed, checksum) = bytes.split_at(bytes.len().checked_sub(CHECKSUM)?);
        if Sha256::digest(signed)[..CHECKSUM] != *checksum {
            return None;
        }
        let body = &signed[..signed.len().checked_sub(SIGNATURE)?];
        let (version, body) = body.split_first()?;
        let session = Uuid::from_slice(body.get(..16)?).ok()?;
        let counter = varint(body.get(16..)?)?;
        (*version == 0).then_some(Self { session, counter })
    }

    /// Whether `token`, which was parsed to this, was signed with `key`.
    pub(super) fn is_signed(self, token: &str, key: &[u8]) -> bool {
        self.token(key) == token
    }

    fn body(self) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(self.session.as_bytes());
        let mut rest = self.counter.unsigned_abs();
        while rest >= 0x80 {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        bytes
    }
}

fn signature(body: &[u8], key: &[u8]) -> Vec<u8> {
    let mut mac: Hmac<Sha256> = Mac::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

/// An unsigned number, seven bits a byte, the low ones first.
fn varint(bytes: &[u8]) -> Option<i64> {
    let (last, head) = bytes.split_last()?;
    if bytes.len() > 9 || last & 0x80 != 0 || head.iter().any(|byte| byte & 0x80 == 0) {
        return None;
    }
    let digits = bytes.iter().rev().map(|byte| i64::from(byte & 0x7f));
    Some(digits.fold(0, |number, digit| number << 7 | digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_a_changed_one_is_not() {
        for counter in [0, 1, 127, 128, 300, 1 << 40] {
            let counted = Counted { session: Uuid::from_u128(5), counter };
            let token = counted.token(b"key");
            assert_eq!(Counted::parse(&token), Some(counted));
            assert!(counted.is_signed(&token, b"key") && !counted.is_signed(&token, b"other"));
            let changed =
                token.replacen(&token[5..6], if &token[5..6] == "x" { "y" } else { "x" }, 1);
            assert_eq!(Counted::parse(&changed), None);
        }
        assert_eq!(Counted::parse("abcdefghijklmnopqrstuv"), None);
        assert_eq!(Counted::parse(""), None);
    }
}

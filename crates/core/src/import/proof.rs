//! The old password: it proves on this computer whose chats they are, and nothing else.
//!
//! PharmGPT kept `sha256(password + salt)`, one round, in all its versions and in its tables. That is too
//! weak for a login, so it never becomes one; it is good enough to ask “is this you?” where several
//! people used one computer.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use unicode_normalization::UnicodeNormalization as _;

use super::record::Proof;
use crate::model::hex;
use crate::providers::secret::Secret;

/// A SHA-256 in hexadecimal.
const HASH_LEN: usize = 64;

impl Proof {
    /// What an old program kept, where it is a hash that can be checked.
    pub fn of(hash: Option<&str>, salt: Option<&str>) -> Option<Self> {
        let (hash, salt) = (hash?.to_ascii_lowercase(), salt?.to_owned());
        let is_hash = hash.len() == HASH_LEN && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then_some(Self { hash, salt })
    }

    /// Whether it is the password. Compared in constant time, and in each form of Unicode that a
    /// keyboard may give it: the old program took it as the browser sent it.
    pub fn is_of(&self, password: &Secret) -> bool {
        let typed = password.expose();
        let forms = [
            Secret::exact(typed),
            Secret::exact(typed.nfc().collect::<String>()),
            Secret::exact(typed.nfd().collect::<String>()),
        ];
        forms.iter().fold(false, |is_it, form| is_it | self.is_exactly(form))
    }

    fn is_exactly(&self, password: &Secret) -> bool {
        let mut hash = Sha256::new();
        hash.update(password.expose());
        hash.update(&self.salt);
        hex(&hash.finalize()).as_bytes().ct_eq(self.hash.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(password: &str, salt: &str) -> Proof {
        let hash = hex(&Sha256::digest(format!("{password}{salt}")));
        Proof::of(Some(&hash.to_uppercase()), Some(salt)).expect("a hash")
    }

    #[test]
    fn the_password_is_told_from_all_others() {
        let proof = proof("пароль ", "00ff");
        assert!(proof.is_of(&Secret::exact("пароль ")));
        for other in ["пароль", "Пароль ", "", "пароль 00", "пароль 00ff"] {
            assert!(!proof.is_of(&Secret::exact(other)), "{other:?}");
        }
    }

    #[test]
    fn a_keyboard_of_another_unicode_form_types_the_same_password() {
        for (kept, typed) in [("caf\u{e9}", "cafe\u{301}"), ("cafe\u{301}", "caf\u{e9}")] {
            assert!(proof(kept, "salt").is_of(&Secret::exact(typed)));
        }
    }

    #[test]
    fn what_is_no_hash_protects_nothing() {
        let short = "ab".repeat(31);
        let odd = "zz".repeat(32);
        for hash in
            ["", &short, &odd, "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"]
        {
            assert_eq!(Proof::of(Some(hash), Some("salt")), None, "{hash:?}");
        }
    }
}

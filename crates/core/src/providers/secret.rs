//! A key on its way from the keyring to a request's header.

use zeroize::Zeroizing;

/// A provider's key. It is wiped from memory when dropped and never shown: neither `Debug` nor a
/// log line has it.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a key as a person pasted it: blanks and line ends around it are no part of it.
    pub fn new(key: impl Into<String>) -> Self {
        let key = Zeroizing::new(key.into());
        Self(Zeroizing::new(key.trim().to_owned()))
    }

    /// Takes a password as it was typed: blanks are part of it.
    pub fn exact(password: impl Into<String>) -> Self {
        Self(Zeroizing::new(password.into()))
    }

    /// The key itself, for a header and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing is left of it but blanks.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(format!("{:?}", Some(Secret::new("sk-planted"))), "Some(Secret(…))");
    }

    #[test]
    fn a_password_keeps_its_blanks() {
        assert_eq!(Secret::exact(" pass word ").expose(), " pass word ");
    }

    #[test]
    fn blanks_around_a_pasted_key_are_dropped() {
        assert_eq!(Secret::new(" sk-1\r\n").expose(), "sk-1");
        assert!(Secret::new(" \n").is_empty());
    }
}

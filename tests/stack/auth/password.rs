//! Passwords: what is asked of them, and their hashes.

use argon2::password_hash::PasswordHash;
use argon2::{Argon2, PasswordVerifier};

use super::Auth;
use super::error::AuthError;

/// bcrypt looks at no more.
const LONGEST: usize = 72;
const SHORTEST: usize = 6;

/// Refuses what is too long for the hash.
pub(super) fn fits(password: &str) -> Result<(), AuthError> {
    if password.len() > LONGEST {
        return Err(AuthError::invalid("Password cannot be longer than 72 characters"));
    }
    Ok(())
}

/// Refuses what is too weak.
pub(super) fn is_strong(password: &str) -> Result<(), AuthError> {
    fits(password)?;
    if password.len() < SHORTEST {
        let message = format!("Password should be at least {SHORTEST} characters.");
        return Err(AuthError::weak_password(&message, vec!["length"]));
    }
    Ok(())
}

impl Auth {
    /// Hashes a password: bcrypt, computed by the database's extension.
    pub(super) async fn hash(&self, password: &str) -> Result<String, AuthError> {
        let db = self.hashing.get().await?;
        let cost = i32::from(self.options.password_cost);
        let sql = "SELECT extensions.crypt($1, extensions.gen_salt('bf', $2))";
        Ok(db.query_one(sql, &[&password, &cost]).await?.get(0))
    }

    /// Whether a password belongs to a hash.
    pub(super) async fn matches(&self, password: &str, hash: &str) -> Result<bool, AuthError> {
        if hash.starts_with("$argon2") {
            let Ok(hash) = PasswordHash::new(hash) else { return Ok(false) };
            return Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        }
        let Some(hash) = as_2a(hash) else { return Ok(false) };
        let db = self.hashing.get().await?;
        let sql = "SELECT extensions.crypt($1, $2) = $2";
        Ok(db.query_one(sql, &[&password, &hash]).await?.get(0))
    }
}

/// The forms of bcrypt differ in their name alone, for passwords that are text.
fn as_2a(hash: &str) -> Option<String> {
    let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|form| hash.strip_prefix(form))?;
    Some(format!("$2a${rest}"))
}

/// Whether a hash that an administrator brings is one of the kinds that can be checked.
pub(super) fn is_hash(hash: &str) -> bool {
    match hash.strip_prefix("$argon2") {
        Some(_) => PasswordHash::new(hash).is_ok_and(|hash| {
            matches!(hash.algorithm.as_str(), "argon2i" | "argon2id")
                && hash.version == Some(19)
                && hash.salt.is_some()
                && hash.hash.is_some()
        }),
        None => as_2a(hash).is_some_and(|hash| {
            let cost = hash.get(4..6).and_then(|cost| cost.parse().ok());
            hash.len() == 60 && cost.is_some_and(|cost: u8| (4..=31).contains(&cost))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_bcrypt_or_argon2_and_whole() {
        let rest = "10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        assert!(is_hash(&format!("$2a${rest}")) && is_hash(&format!("$2y${rest}")));
        assert!(!is_hash("$2a$10$short") && !is_hash("plain") && !is_hash("$argon2id$v=19$"));
        let argon2 = "$argon2id$v=19$m=16,t=2,p=1$MTIzNDU2Nzg$3q5yAwIQQ6k6Zh7QoWXPQA";
        assert!(is_hash(argon2));
        assert!(!is_hash(&argon2.replace("id", "d")) && !is_hash(&argon2.replace("19", "16")));
    }
}

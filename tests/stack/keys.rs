//! A project's secret, its keys, and the tokens that it signs: JSON Web Tokens with HS256.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

/// Ten years: the two legacy keys are tokens that do not run out.
const KEY_LIFE_S: i64 = 10 * 365 * 24 * 3600;

/// The secret and what was made of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Keys {
    /// What tokens are signed with.
    pub jwt_secret: String,
    /// The key of every client, as a token of the role `anon`.
    pub anon: String,
    /// The key of servers, as a token of the role `service_role`.
    pub service_role: String,
    /// The newer form of the first: opaque, and no token.
    pub publishable: String,
    /// The newer form of the second.
    pub secret: String,
}

impl Keys {
    /// New ones; `now` is in seconds since 1970.
    pub fn new(now: i64) -> Self {
        let jwt_secret = random_text(40);
        let key = |role| {
            let claims = json!({ "iss": "supabase", "ref": "devstack", "role": role,
                                 "iat": now, "exp": now + KEY_LIFE_S });
            sign(&claims, &jwt_secret)
        };
        Self {
            anon: key("anon"),
            service_role: key("service_role"),
            publishable: format!("sb_publishable_{}", random_text(22)),
            secret: format!("sb_secret_{}", random_text(22)),
            jwt_secret,
        }
    }

    /// The token that stands for a key, where it is a key of this project.
    pub(super) fn token_of(&self, key: &str) -> Option<&str> {
        if key == self.anon || key == self.publishable {
            Some(&self.anon)
        } else if key == self.service_role || key == self.secret {
            Some(&self.service_role)
        } else {
            None
        }
    }

    /// Signs an access token.
    pub(super) fn sign(&self, claims: &Value) -> String {
        sign(claims, &self.jwt_secret)
    }

    /// The claims of a token that is valid at `now`.
    pub(super) fn verify(&self, token: &str, now: i64) -> Result<Value, Refused> {
        verify(token, &self.jwt_secret, now)
    }
}

/// Why a token is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Not three parts of JSON, or another algorithm.
    Malformed,
    /// Signed with something else.
    Signature,
    /// Ran out so many seconds ago.
    Expired(i64),
    /// No `exp`, or no `role`.
    Claims,
}

fn sign(claims: &Value, secret: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let body = URL_SAFE_NO_PAD.encode(claims.to_string());
    let signature = URL_SAFE_NO_PAD.encode(mac(&header, &body, secret).finalize().into_bytes());
    format!("{header}.{body}.{signature}")
}

fn verify(token: &str, secret: &str, now: i64) -> Result<Value, Refused> {
    let mut parts = token.split('.');
    let (Some(header), Some(body), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refused::Malformed);
    };
    let (head, claims) = (decode(header)?, decode(body)?);
    if head["alg"] != "HS256" || !claims.is_object() {
        return Err(Refused::Malformed);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refused::Malformed)?;
    mac(header, body, secret).verify_slice(&signature).map_err(|_| Refused::Signature)?;
    let expires = claims["exp"].as_i64().ok_or(Refused::Claims)?;
    if !claims["role"].is_string() {
        return Err(Refused::Claims);
    }
    if expires <= now {
        return Err(Refused::Expired(now - expires));
    }
    Ok(claims)
}

fn decode(part: &str) -> Result<Value, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Refused::Malformed)
}

fn mac(header: &str, body: &str, secret: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(header.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    mac
}

/// Seconds since 1970.
pub(super) fn now_s() -> i64 {
    chrono::Utc::now().timestamp()
}

/// Random bytes.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    bytes
}

/// So many random characters `[a-z0-9]`.
pub(super) fn random_text(length: usize) -> String {
    const SIGNS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        // 252 is the last multiple of 36 below 256: what lies above would favour some signs.
        let [byte] = random::<1>();
        if byte < 252 {
            text.push(SIGNS[usize::from(byte) % SIGNS.len()] as char);
        }
    }
    text
}

/// A random UUID (version 4).
pub(super) fn random_uuid() -> uuid::Uuid {
    uuid::Builder::from_random_bytes(random()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_refused_for_what_is_wrong_with_it() {
        let claims = json!({ "role": "authenticated", "exp": 1_000 });
        let token = sign(&claims, "secret");
        assert_eq!(verify(&token, "secret", 999), Ok(claims.clone()));
        assert_eq!(verify(&token, "secret", 1_000), Err(Refused::Expired(0)));
        assert_eq!(verify(&token, "other", 999), Err(Refused::Signature));
        assert_eq!(verify("a.b", "secret", 0), Err(Refused::Malformed));
        let bare = sign(&json!({ "exp": 1_000 }), "secret");
        assert_eq!(verify(&bare, "secret", 999), Err(Refused::Claims));
    }

    #[test]
    fn a_token_without_a_signature_is_none() {
        let body = URL_SAFE_NO_PAD.encode(r#"{"role":"service_role","exp":9999999999}"#);
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        assert_eq!(verify(&format!("{header}.{body}."), "secret", 0), Err(Refused::Malformed));
    }

    #[test]
    fn both_forms_of_a_key_stand_for_one_token() {
        let keys = Keys::new(0);
        assert_eq!(keys.token_of(&keys.publishable), keys.token_of(&keys.anon));
        assert_eq!(keys.token_of(&keys.secret), Some(keys.service_role.as_str()));
        assert_eq!(keys.token_of("sb_secret_"), None);
    }
}

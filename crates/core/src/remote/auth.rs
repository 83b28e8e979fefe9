//! Supabase Auth: sign up, sign in, refresh, sign out, and what a forgotten password needs.
//!
//! Each function is one request and decides nothing. Only codes count, never statuses or messages,
//! and a success is looked at before it is believed: signing up may answer with a session, a user
//! that has to confirm an address, or one that does not exist.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::{Error, Fault, Result, Service};
use super::link::{Link, Request};
use super::session::{Moment, Session, User};
use crate::clock::SharedClock;
use crate::providers::secret::Secret;

/// No answer of Auth's is larger, metadata included.
const MOST: usize = 1 << 20;
/// Where neither the answer nor the token says how long it lasts: the server's default.
const USUAL_LIFETIME: u64 = 3600;

/// Supabase Auth of one project. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Auth {
    link: Link,
    clock: SharedClock,
}

/// What signing up came to.
#[derive(Debug)]
pub enum SignedUp {
    /// Signed in at once.
    In(Box<Session>),
    /// A message was sent to the address; opening its link, or entering its code, goes on. Also the
    /// answer where the address is already taken, so that nobody can find that out.
    Confirm,
}

/// Whose sessions end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignOut {
    /// This one.
    Here,
    /// All of the user's.
    Everywhere,
    /// All but this one.
    Elsewhere,
}

impl SignOut {
    fn scope(self) -> &'static str {
        match self {
            // The server's default is everywhere, so it is always said.
            Self::Here => "scope=local",
            Self::Everywhere => "scope=global",
            Self::Elsewhere => "scope=others",
        }
    }
}

/// What a code from a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A new account's address.
    SignUp,
    /// A forgotten password.
    Recovery,
    /// A changed address.
    EmailChange,
}

impl Proof {
    fn name(self) -> &'static str {
        match self {
            Self::SignUp => "signup",
            Self::Recovery => "recovery",
            Self::EmailChange => "email_change",
        }
    }
}

impl Auth {
    /// Auth of the project at the end of this link.
    pub fn new(link: Link, clock: SharedClock) -> Self {
        Self { link, clock }
    }

    /// The way there.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Now, for a session's age.
    pub(super) fn now(&self) -> Moment {
        Moment::now(self.clock.now())
    }

    /// Makes an account.
    ///
    /// # Errors
    /// `weak_password`, `user_already_exists`, `signup_disabled`, `email_address_invalid`, and others.
    pub async fn sign_up(&self, email: &str, password: &Secret) -> Result<SignedUp> {
        let body = json!({ "email": email, "password": password.expose() });
        let answer = self.post("/auth/v1/signup", None, None, body).await?;
        let is_session = serde_json::from_slice::<Value>(&answer)
            .map_err(|_| garbled())?
            .get("access_token")
            .is_some();
        match is_session {
            true => Ok(SignedUp::In(Box::new(self.session(&answer)?))),
            false => read_user(&answer).map(|_| SignedUp::Confirm),
        }
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// `invalid_credentials`, `email_not_confirmed`, `user_banned`, and others.
    pub async fn sign_in(&self, email: &str, password: &Secret) -> Result<Session> {
        let body = json!({ "email": email, "password": password.expose() });
        let answer = self.post("/auth/v1/token", Some("grant_type=password"), None, body).await?;
        self.session(&answer)
    }

    /// Gets the next pair of tokens. A refresh token that was sent before and whose answer was lost
    /// may be sent again: it gets the same child.
    ///
    /// # Errors
    /// `refresh_token_not_found`, `refresh_token_already_used`, `session_expired`, `conflict`, and others.
    pub async fn refresh(&self, refresh: &Secret) -> Result<Session> {
        let body = json!({ "refresh_token": refresh.expose() });
        let query = Some("grant_type=refresh_token");
        let answer = self.post("/auth/v1/token", query, None, body).await?;
        self.session(&answer)
    }

    /// Ends sessions. Needs a token that has not ended.
    ///
    /// # Errors
    /// `bad_jwt` where the token has ended, `session_not_found` where the session has.
    pub async fn sign_out(&self, access: &Secret, whose: SignOut) -> Result<()> {
        let query = Some(whose.scope());
        self.post("/auth/v1/logout", query, Some(access), json!({})).await.map(|_| ())
    }

    /// Who the token speaks for, as the server knows it now.
    ///
    /// # Errors
    /// `bad_jwt`, `session_not_found`, `user_not_found`, `user_banned`.
    pub async fn user(&self, access: &Secret) -> Result<User> {
        let request = self.request(Method::GET, "/auth/v1/user", None, Some(access), None);
        read_user(&self.link.send(request).await?)
    }

    /// Sends a message with which a forgotten password can be replaced. Says nothing about whether
    /// there is such an account.
    ///
    /// # Errors
    /// `over_email_send_rate_limit`, with the seconds to wait.
    pub async fn recover(&self, email: &str) -> Result<()> {
        self.post("/auth/v1/recover", None, None, json!({ "email": email })).await.map(|_| ())
    }

    /// Sends the message that confirms a new account's address again.
    ///
    /// # Errors
    /// `over_email_send_rate_limit`, with the seconds to wait.
    pub async fn resend(&self, email: &str) -> Result<()> {
        let body = json!({ "type": "signup", "email": email });
        self.post("/auth/v1/resend", None, None, body).await.map(|_| ())
    }

    /// Signs in with the code from a message.
    ///
    /// # Errors
    /// `otp_expired`, whether it is wrong or late.
    pub async fn verify(&self, email: &str, code: &Secret, proof: Proof) -> Result<Session> {
        let body = json!({ "type": proof.name(), "email": email, "token": code.expose() });
        let answer = self.post("/auth/v1/verify", None, None, body).await?;
        self.session(&answer)
    }

    /// Sets another password. Ends all other sessions of the user.
    ///
    /// # Errors
    /// `weak_password`, `same_password`, `reauthentication_needed`, `current_password_required`.
    pub async fn update_password(
        &self,
        access: &Secret,
        password: &Secret,
        current: Option<&Secret>,
    ) -> Result<User> {
        let mut body = json!({ "password": password.expose() });
        if let Some(current) = current {
            body["current_password"] = json!(current.expose());
        }
        let body = Some(to_bytes(&body));
        let request = self.request(Method::PUT, "/auth/v1/user", None, Some(access), body);
        read_user(&self.link.send(request).await?)
    }

    async fn post(
        &self,
        path: &str,
        query: Option<&str>,
        token: Option<&Secret>,
        body: Value,
    ) -> Result<Vec<u8>> {
        let body = Some(to_bytes(&body));
        self.link.send(self.request(Method::POST, path, query, token, body)).await
    }

    fn request<'a>(
        &self,
        method: Method,
        path: &'a str,
        query: Option<&'a str>,
        token: Option<&'a Secret>,
        body: Option<Vec<u8>>,
    ) -> Request<'a> {
        let patience = self.link.patience().short;
        Request { service: Service::Auth, method, path, query, token, body, most: MOST, patience }
    }

    fn session(&self, answer: &[u8]) -> Result<Session> {
        let answer: Tokens = serde_json::from_slice(answer).map_err(|_| garbled())?;
        let lifetime = answer.lifetime_s();
        let session = Session {
            access: Secret::new(answer.access_token),
            refresh: Secret::new(answer.refresh_token),
            lifetime: Duration::from_secs(lifetime),
            received: self.now(),
            user: answer.user.into(),
        };
        match session.access.is_empty() || session.refresh.is_empty() {
            true => Err(garbled()),
            false => Ok(session),
        }
    }
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: String,
    expires_in: Option<u64>,
    user: UserBody,
}

#[derive(Deserialize)]
struct UserBody {
    id: Uuid,
    #[serde(default)]
    email: Option<String>,
}

impl From<UserBody> for User {
    fn from(body: UserBody) -> Self {
        Self { id: body.id, email: body.email.unwrap_or_default() }
    }
}

/// When a token was made and when it ends, by the server's clock.
#[derive(Deserialize)]
struct Life {
    iat: u64,
    exp: u64,
}

impl Tokens {
    /// What the token itself says counts before what is said of it: a hook of the project's may have
    /// changed the one and not the other.
    fn lifetime_s(&self) -> u64 {
        let payload = self.access_token.split('.').nth(1).unwrap_or_default();
        let payload = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
        let life = serde_json::from_slice::<Life>(&payload).ok();
        let said = life.map(|life| life.exp.saturating_sub(life.iat));
        said.or(self.expires_in).unwrap_or(USUAL_LIFETIME)
    }
}

fn read_user(answer: &[u8]) -> Result<User> {
    let user: UserBody = serde_json::from_slice(answer).map_err(|_| garbled())?;
    Ok(user.into())
}

fn to_bytes(body: &Value) -> Vec<u8> {
    serde_json::to_vec(body).expect("a value always serialises")
}

fn garbled() -> Error {
    Error::silent(Service::Auth, Fault::Garbled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::remote::{Patience, Project};

    fn auth() -> Auth {
        let project =
            Project::parse("https://abc.supabase.co", "sb_publishable_1").expect("usable");
        Auth::new(Link::new(project, Patience::default()), ManualClock::at(0))
    }

    fn answer(access: &str, expires_in: &str) -> String {
        format!(
            r#"{{"access_token":"{access}","token_type":"bearer","expires_in":{expires_in},
                "expires_at":1790003600,"refresh_token":"abcdefghijkl","weak_password":null,
                "user":{{"id":"00000000-0000-4000-8000-000000000001","email":"ann@example.com",
                "aud":"authenticated","identities":[],"is_anonymous":false}}}}"#
        )
    }

    fn token(payload: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_session_is_read_as_auth_writes_it() {
        let session = auth().session(answer("opaque", "3600").as_bytes()).expect("a session");
        assert_eq!(session.refresh.expose(), "abcdefghijkl");
        assert_eq!(session.user.email, "ann@example.com");
        assert_eq!(session.lifetime, Duration::from_secs(3600));
    }

    #[test]
    fn the_token_knows_best_how_long_it_lasts() {
        let lifetime = |access: &str, expires_in: &str| {
            auth().session(answer(access, expires_in).as_bytes()).expect("one").lifetime.as_secs()
        };
        assert_eq!(lifetime(&token(r#"{"iat":100,"exp":160}"#), "3600"), 60);
        assert_eq!(lifetime(&token(r#"{"iat":100,"exp":90}"#), "3600"), 0);
        assert_eq!(lifetime(&token("{}"), "1800"), 1800);
        assert_eq!(lifetime("opaque", "null"), 3600);
    }

    #[test]
    fn half_a_session_is_none() {
        for broken in [
            "{}",
            r#"{"access_token":"a","refresh_token":"r"}"#,
            &answer("", "3600"),
            &answer("a", "3600").replace("abcdefghijkl", ""),
            &answer("a", "3600").replace("00000000-0000-4000-8000-000000000001", "me"),
        ] {
            let error = auth().session(broken.as_bytes()).expect_err("refused");
            assert_eq!(error.fault, Fault::Garbled, "{broken}");
        }
    }
}

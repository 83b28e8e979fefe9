//! Stands in for Supabase Auth: what the official client and ours ask of it, answered as the real
//! one answers, refusals and their codes included. Factors, OAuth, phones and PKCE are left out.
//!
//! All state is in the schema `auth`, where our SQL functions read it. Each request works as the
//! role `supabase_auth_admin`, so that a trigger of ours on `auth.users` meets the same rights there.

mod admin;
mod bearer;
mod error;
mod mail;
mod password;
mod refresh;
mod sessions;
mod signing_in;
mod tokens;
mod users;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::header::HeaderValue;
use hyper::{Method, Response};
use serde::Serialize;
use serde_json::{Value, json};

use super::call::{Body, Call, answer, json};
use super::db::Pool;
use super::keys::Keys;
use error::AuthError;

/// What is longer is not read.
const LARGEST_BODY: usize = 1024 * 1024;

type Answer = Result<Response<Body>, AuthError>;

/// How a project is set up.
#[derive(Debug, Clone)]
pub struct AuthOptions {
    /// Whether a new address has to be confirmed by mail.
    pub confirm: Confirm,
    /// How long an access token is good for.
    pub token_life: Duration,
    /// For so long after its use a refresh token may come again and fork its chain.
    pub reuse_interval: Duration,
    /// The form of the refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// The cost of a password's hash (bcrypt); the real one takes 10.
    pub password_cost: u8,
    /// One address gets no two mails within this time.
    pub mail_spacing: Duration,
    /// How long a code that was mailed is good for.
    pub code_life: Duration,
    /// Whether one may sign in without an address.
    pub anonymous: bool,
}

impl Default for AuthOptions {
    fn default() -> Self {
        Self {
            confirm: Confirm::AtOnce,
            token_life: Duration::from_secs(3600),
            reuse_interval: Duration::from_secs(10),
            refresh_tokens: RefreshTokens::V1,
            password_cost: 10,
            mail_spacing: Duration::from_secs(1),
            code_life: Duration::from_secs(3600),
            anonymous: false,
        }
    }
}

/// When a new address counts as confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    /// At the sign-up.
    AtOnce,
    /// When the code of the mail comes back.
    ByMail,
}

/// The two forms of refresh tokens that the real server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshTokens {
    /// Twelve characters, a row each; within the reuse interval their chain may fork.
    V1,
    /// A signed counter of the session; detected reuse ends the session.
    V2,
}

/// What would have been mailed.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// To whom.
    pub to: String,
    /// `signup`, `recovery`, `magiclink`, `invite` or `email_change`.
    pub kind: String,
    /// The six digits.
    pub code: String,
    /// What the link carries in their place.
    pub token_hash: String,
}

/// The service.
pub(super) struct Auth {
    db: Pool,
    /// Of the superuser: hashes need an extension that the service's own role may not use.
    hashing: Pool,
    keys: Keys,
    issuer: String,
    options: AuthOptions,
    mails: Mutex<Vec<Mail>>,
}

impl Auth {
    pub(super) fn new(
        db: Pool,
        hashing: Pool,
        keys: Keys,
        issuer: String,
        options: AuthOptions,
    ) -> Self {
        Self { db, hashing, keys, issuer, options, mails: Mutex::default() }
    }

    /// Every mail so far, oldest first.
    pub(super) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers a request; `path` is without the service's prefix.
    pub(super) async fn answer(&self, path: &str, call: &Call) -> Response<Body> {
        let answered = match call.body.len() {
            ..=LARGEST_BODY => self.route(path, call).await,
            _ => Err(AuthError::new(413, "request_entity_too_large", "Request body is too large")),
        };
        match answered {
            Ok(response) => response,
            Err(error) => error.response(asks_for_the_new_form(call)),
        }
    }

    async fn route(&self, path: &str, call: &Call) -> Answer {
        let (get, post) = (call.method == Method::GET, call.method == Method::POST);
        match path.trim_end_matches('/') {
            "/signup" if post => self.sign_up(call).await,
            "/token" if post => self.token(call).await,
            "/user" if get => self.user(call).await,
            "/user" if call.method == Method::PUT => self.update_user(call).await,
            "/logout" if post => self.log_out(call).await,
            "/recover" if post => self.recover(call).await,
            "/otp" | "/magiclink" if post => self.one_time_password(call).await,
            "/resend" if post => self.resend(call).await,
            "/verify" if post => self.verify(call).await,
            "/verify" if get => self.follow(call).await,
            "/settings" if get => Ok(self.settings()),
            "/health" if get => Ok(health()),
            "/.well-known/jwks.json" if get => Ok(key_set()),
            path if path.starts_with("/admin/") || path == "/invite" => {
                self.admin(path, call).await
            }
            // The router's own word, and no JSON.
            _ => Ok(answer(404, "404 page not found\n")),
        }
    }

    async fn token(&self, call: &Call) -> Answer {
        match call.parameter("grant_type").as_deref() {
            Some("password") => self.password_grant(call).await,
            Some("refresh_token") => self.refresh_grant(call).await,
            _ => Err(AuthError::new(400, "invalid_credentials", "unsupported_grant_type")),
        }
    }

    fn settings(&self) -> Response<Body> {
        let at_once = self.options.confirm == Confirm::AtOnce;
        json(
            200,
            &json!({
                "external": { "email": true, "phone": false,
                              "anonymous_users": self.options.anonymous },
                "disable_signup": false,
                "mailer_autoconfirm": at_once,
                "phone_autoconfirm": false,
                "sms_provider": "",
                "saml_enabled": false,
                "saml_private_key_next_configured": false,
                "passkeys_enabled": false,
            }),
        )
    }
}

fn health() -> Response<Body> {
    json(
        200,
        &json!({ "version": "devstack", "name": "GoTrue",
                 "description": "Stands in for GoTrue, a user registration and authentication API" }),
    )
}

/// Symmetric keys are never listed: a project that signs with HS256 has an empty set.
fn key_set() -> Response<Body> {
    let mut response = json(200, &json!({ "keys": [] }));
    response.headers_mut().insert("cache-control", HeaderValue::from_static("public, max-age=600"));
    response
}

/// Any date from 2024 on asks for it; what is no date does not.
fn asks_for_the_new_form(call: &Call) -> bool {
    let date = call.header("x-supabase-api-version").unwrap_or_default();
    let date = chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d");
    date.is_ok_and(|date| date >= chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap_or_default())
}

/// The body as an object; an empty one is malformed too.
fn object(call: &Call) -> Result<Value, AuthError> {
    match serde_json::from_slice::<Value>(&call.body) {
        Ok(value) if value.is_object() => Ok(value),
        _ => Err(AuthError::new(400, "bad_json", "Could not parse request body as JSON")),
    }
}

/// A text of the body; absent and null are empty.
fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_default()
}

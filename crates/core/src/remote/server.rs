//! A project as the engine reaches it: [`sync::server::Remote`] over HTTP, for one user on one device.
//!
//! Each ask is one request, and nothing is tried twice: what a fault means is the engine's to decide.
//! An answer that comes when somebody else has signed in meanwhile is dropped.
//!
//! [`sync::server::Remote`]: crate::sync::server::Remote

use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use uuid::Uuid;

use super::error::{self, Error};
use super::rest::{Body, Rest, Weight};
use super::tokens::{Access, TokenError, Tokens};
use crate::model::wire::{Device, Head, SCHEMA};
use crate::providers::secret::Secret;
use crate::sync::failures::{Fault, FaultKind, Service};
use crate::sync::server::{Ask, Remote, Told};

/// What a device tells of itself, beside its id.
#[derive(Debug, Clone)]
pub struct AboutDevice {
    /// The name that a person gave the computer.
    pub name: String,
    /// `linux`, `windows` or `macos`.
    pub platform: String,
    /// Tidemark's version.
    pub app_version: String,
}

/// One project, one user, one device.
#[derive(Debug)]
pub struct Server {
    rest: Rest,
    tokens: Tokens,
    user: Uuid,
    about: AboutDevice,
    /// The token that was sent last: the one that a refusal is about.
    sent: Mutex<Option<Secret>>,
}

impl Server {
    /// Speaks for `user` with whatever `tokens` hands out for them.
    pub fn new(tokens: Tokens, user: Uuid, about: AboutDevice) -> Self {
        let rest = Rest::new(tokens.auth().link().clone());
        Self { rest, tokens, user, about, sent: Mutex::default() }
    }

    /// Whose tokens it sends.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    async fn refresh(&self) -> Result<Told, Fault> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match sent {
            Some(refused) => self.tokens.renew(&refused).await,
            None => self.tokens.access().await,
        }
        .map(|_| Told::Refreshed)
        .map_err(no_token)
    }

    async fn access(&self) -> Result<Access, Fault> {
        let access = self.tokens.access().await.map_err(no_token)?;
        self.is_ours(access.user.id)?;
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(access.token.clone());
        Ok(access)
    }

    fn is_ours(&self, user: Uuid) -> Result<(), Fault> {
        match user == self.user {
            true => Ok(()),
            // Whoever attached this server is not signed in any more.
            false => Err(signed_out()),
        }
    }

    /// Calls a function, and drops the answer where the user has changed meanwhile.
    async fn call(
        &self,
        function: &'static str,
        arguments: &impl Serialize,
        weight: Weight,
    ) -> Result<Body, Fault> {
        let access = self.access().await?;
        let answer = self.rest.call(&access.token, function, arguments, weight).await;
        self.tokens.holder().user.map_or_else(|| Err(signed_out()), |user| self.is_ours(user))?;
        answer.map_err(|error| fault(&error))
    }

    async fn read<T: DeserializeOwned>(
        &self,
        function: &'static str,
        arguments: &impl Serialize,
        weight: Weight,
    ) -> Result<T, Fault> {
        self.call(function, arguments, weight).await?.read().map_err(|error| fault(&error))
    }

    async fn rows(
        &self,
        function: &'static str,
        arguments: &impl Serialize,
        told: fn(String) -> Result<Told, Fault>,
    ) -> Result<Told, Fault> {
        let body = self.call(function, arguments, Weight::Page).await?;
        told(only(body.into_text().map_err(|error| fault(&error))?))
    }

    fn device(&self, id: Uuid) -> Device {
        let AboutDevice { name, platform, app_version } = self.about.clone();
        Device { id, name, platform, app_version }
    }
}

impl Remote for Server {
    async fn ask(&self, ask: Ask) -> Result<Told, Fault> {
        use Weight::{Light, Page};
        match ask {
            Ask::Refresh => self.refresh().await,
            Ask::Hello { device_id } => {
                let hello = json!({ "device": self.device(device_id), "schema": SCHEMA });
                self.read("sync_hello", &hello, Light).await.map(Told::Hello)
            }
            Ask::Pull { after, known, max } => {
                let pull = json!({ "after": after, "max": max, "known": known });
                self.rows("sync_pull", &pull, Told::page).await
            }
            Ask::Snapshot { table, after, known, max } => {
                let snapshot = json!({ "tbl": table, "after": after, "max": max, "known": known });
                self.rows("sync_snapshot", &snapshot, Told::snapshot).await
            }
            Ask::Push(push) => self.read("sync_push", &push, Page).await.map(Told::Pushed),
            Ask::Anchor { points } => {
                let points: Vec<_> =
                    points.iter().map(|&Head { seq, nonce }| (seq, nonce)).collect();
                let anchor = json!({ "points": points });
                self.read("sync_anchor", &anchor, Light).await.map(Told::Anchor)
            }
            Ask::Manifest { table, after, known, max } => {
                let manifest = json!({ "tbl": table, "after": after, "max": max, "known": known });
                self.read("sync_manifest", &manifest, Page).await.map(Told::Manifest)
            }
            Ask::Rows { table, ids, known } => {
                let rows = json!({ "tbl": table, "ids": ids, "known": known });
                self.rows("sync_rows", &rows, Told::rows).await
            }
            Ask::Digest { after, max } => {
                let digest = json!({ "after": after, "max": max });
                self.read("sync_digest", &digest, Page).await.map(Told::Digests)
            }
        }
    }
}

/// The document of a set of one, as functions that carry rows answer: docs/sync.md, "Calls".
fn only(mut set: String) -> String {
    if set.starts_with('[') && set.ends_with(']') {
        set.pop();
        set.remove(0);
    }
    set
}

fn signed_out() -> Fault {
    Fault::status(Service::Auth, 400, "session_not_found")
}

fn no_token(error: TokenError) -> Fault {
    match error {
        TokenError::SignedOut => signed_out(),
        TokenError::Ended(error) if error.http_status().is_none() => signed_out(),
        TokenError::Ended(error) | TokenError::Remote(error) => fault(&error),
        // A keyring that is locked now may be open later.
        TokenError::Store(_) => silent(Service::Auth, FaultKind::Unreachable, "not_kept"),
    }
}

/// The fault that an error is, in the engine's words.
pub fn fault(error: &Error) -> Fault {
    use error::Fault as F;
    let service = match error.service {
        error::Service::Rest => Service::Rest,
        error::Service::Auth => Service::Auth,
        error::Service::Realtime => Service::Realtime,
        error::Service::Gateway => Service::Gateway,
    };
    match error.fault {
        F::Status(status) => Fault::status(service, status, error.code()),
        F::TimedOut => Fault::silent(service, FaultKind::TimedOut),
        F::Unreachable | F::Cut => Fault::silent(service, FaultKind::Unreachable),
        F::Untrusted => silent(service, FaultKind::Unreachable, "untrusted"),
        F::Clock => silent(service, FaultKind::Unreachable, "clock"),
        F::Setup => silent(service, FaultKind::Unreachable, "setup"),
        F::Portal => silent(service, FaultKind::NotOurs, "portal"),
        F::Oversized => Fault::silent(service, FaultKind::TooMuch),
        F::Garbled | F::Foreign => Fault::silent(service, FaultKind::NotOurs),
    }
}

/// The code is for whoever reads the last error; nothing is decided by it.
fn silent(service: Service, kind: FaultKind, code: &str) -> Fault {
    Fault { code: Some(code.to_owned()), ..Fault::silent(service, kind) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::failures::{Decision, Pause, decide};

    #[test]
    fn every_error_is_decided_by_the_one_table() {
        use error::{Fault as F, Service as S};
        let silent = |fault| Error::silent(S::Rest, fault);
        let status = |service, status, code| Error::status(service, status, Some(code));
        let table = [
            (silent(F::Unreachable), Decision::Retry),
            (silent(F::Cut), Decision::Retry),
            (silent(F::Portal), Decision::Retry),
            (silent(F::Garbled), Decision::Retry),
            (silent(F::Untrusted), Decision::Retry),
            (silent(F::TimedOut), Decision::Halve { wait: true }),
            (silent(F::Oversized), Decision::Halve { wait: true }),
            (status(S::Rest, 401, "PGRST303"), Decision::Refresh),
            (status(S::Rest, 403, "device_revoked"), Decision::Pause(Pause::DeviceRevoked)),
            (status(S::Auth, 400, "refresh_token_already_used"), Decision::Pause(Pause::SignIn)),
            (status(S::Gateway, 540, "project_paused"), Decision::Pause(Pause::ProjectPaused)),
            (Error::status(S::Gateway, 401, None), Decision::Pause(Pause::WrongKey)),
        ];
        for (error, expected) in table {
            assert_eq!(decide(&fault(&error)), expected, "{error}");
        }
    }

    #[test]
    fn whoever_is_not_signed_in_is_asked_to_sign_in() {
        let foreign = Error::silent(error::Service::Auth, error::Fault::Foreign);
        for error in [TokenError::SignedOut, TokenError::Ended(foreign)] {
            assert_eq!(decide(&no_token(error)), Decision::Pause(Pause::SignIn));
        }
    }

    #[test]
    fn a_locked_keyring_is_tried_again() {
        let error = TokenError::Store(super::super::StoreError("it is locked".into()));
        assert_eq!(decide(&no_token(error)), Decision::Retry);
    }
}

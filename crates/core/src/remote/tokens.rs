//! Who holds the session: hands out access tokens, and gets new ones, one refresh at a time.
//!
//! What it promises:
//! - Callers that need a new token at the same time share one refresh.
//! - A new pair of tokens is kept before it is used. Where it cannot be kept, it is not used, and
//!   keeping it is tried again first: the old refresh token would get the same pair once more.
//! - Before a refresh, and before a session counts as ended, the kept session is read again: another
//!   process of ours may have gone on with it.
//! - Only the server's word ends a session. No network, no time and too many requests never do.
//!
//! A caller may stop waiting at any point. A refresh whose answer is lost so is repeated with the
//! same token, which Auth answers with the same pair.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::auth::{Auth, SignOut};
use super::error::{Error, Fault, Service};
use super::session::{Session, User};
use super::store::{SessionStore, StoreError};
use crate::providers::secret::Secret;

/// A refresh that came to nothing while the old token still lasts is not repeated sooner.
const AGAIN: Duration = Duration::from_secs(15);

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignedOut,
    /// The server ended the session: sign in again. What is here stays.
    #[error("the session has ended: {0}")]
    Ended(Error),
    /// No new token for now; the session stays.
    #[error(transparent)]
    Remote(Error),
    /// The session cannot be read or kept on this computer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A token to speak with, and for whom.
#[derive(Debug, Clone)]
pub struct Access {
    /// Goes into a header and nowhere else.
    pub token: Secret,
    /// Who it speaks for.
    pub user: User,
}

/// Who is signed in, as far as was read, and a count of the pairs of tokens, so that whoever shows one
/// to somebody notices the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holder {
    /// The user.
    pub user: Option<Uuid>,
    /// One more for each pair, and for each sign-out.
    pub pairs: u64,
}

/// Holds the session of one project. Cheap to clone; clones are one holder.
#[derive(Debug, Clone)]
pub struct Tokens {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    auth: Auth,
    store: Arc<dyn SessionStore>,
    held: Mutex<Held>,
    holder: watch::Sender<Holder>,
}

#[derive(Debug, Default)]
struct Held {
    session: Option<Session>,
    /// The store was read.
    read: bool,
    /// The session is not in the store yet.
    unkept: bool,
    /// The server ended the session.
    ended: Option<Error>,
    /// No refresh before.
    not_before: Option<Instant>,
}

impl Tokens {
    /// Holds what the store has.
    pub fn new(auth: Auth, store: Arc<dyn SessionStore>) -> Self {
        let held = Mutex::default();
        let holder = watch::Sender::default();
        Self { inner: Arc::new(Inner { auth, store, held, holder }) }
    }

    /// Where the session comes from.
    pub fn auth(&self) -> &Auth {
        &self.inner.auth
    }

    /// Changes with each new pair of tokens, and when nobody is signed in any more.
    pub fn changes(&self) -> watch::Receiver<Holder> {
        self.inner.holder.subscribe()
    }

    /// Who holds a session now. Waits for nothing, not even for a refresh.
    pub fn holder(&self) -> Holder {
        *self.inner.holder.borrow()
    }

    /// Who is signed in; no network is asked.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn user(&self) -> Result<Option<User>, StoreError> {
        let mut held = self.inner.held.lock().await;
        self.read(&mut held).await?;
        Ok(held.session.as_ref().map(|session| session.user.clone()))
    }

    /// Takes a session over, after signing in.
    ///
    /// # Errors
    /// It could not be kept, and is not used.
    pub async fn adopt(&self, session: Session) -> Result<(), StoreError> {
        let mut held = self.inner.held.lock().await;
        self.keep(&session).await?;
        *held = Held { read: true, ..Held::default() };
        self.hold(&mut held, session);
        Ok(())
    }

    /// A token that lasts for a request.
    ///
    /// # Errors
    /// Nobody is signed in, the session has ended, or a new token cannot be had now.
    pub async fn access(&self) -> Result<Access, TokenError> {
        let mut held = self.inner.held.lock().await;
        self.ready(&mut held).await?;
        let now = self.auth().now();
        let session = held.session.as_ref().ok_or(TokenError::SignedOut)?;
        if !session.is_stale(now) {
            return Ok(access(session));
        }
        let rests = held.not_before.is_some_and(|at| Instant::now() < at);
        if rests && !session.has_ended(now) {
            return Ok(access(session));
        }
        let lasting = (!session.has_ended(now)).then(|| access(session));
        match (self.refresh(&mut held, None).await, lasting) {
            // It was replaced early: what went wrong may pass before it ends.
            (Err(TokenError::Remote(_)), Some(lasting)) => {
                held.not_before = Some(Instant::now() + AGAIN);
                Ok(lasting)
            }
            (refreshed, _) => refreshed,
        }
    }

    /// Another token than this one, which a server refused. Callers that were refused with the same
    /// token share one refresh.
    ///
    /// # Errors
    /// As [`Self::access`].
    pub async fn renew(&self, refused: &Secret) -> Result<Access, TokenError> {
        let mut held = self.inner.held.lock().await;
        self.ready(&mut held).await?;
        let session = held.session.as_ref().ok_or(TokenError::SignedOut)?;
        if session.access.expose() != refused.expose() && !session.is_stale(self.auth().now()) {
            return Ok(access(session));
        }
        self.refresh(&mut held, Some(refused)).await
    }

    /// Signs out. Here, the session is gone from this computer whatever the server says.
    ///
    /// # Errors
    /// Elsewhere and everywhere: the server could not be told, and everything stays as it was.
    pub async fn sign_out(&self, whose: SignOut) -> Result<(), TokenError> {
        match whose {
            SignOut::Here => {
                let gone = self.forget().await?;
                if let Some(session) = gone
                    && let Err(error) = self.auth().sign_out(&session.access, whose).await
                {
                    tracing::info!(%error, "the server was not told of the sign-out");
                }
                Ok(())
            }
            SignOut::Everywhere => {
                self.tell(whose).await?;
                Ok(self.forget().await.map(|_| ())?)
            }
            SignOut::Elsewhere => self.tell(whose).await,
        }
    }

    async fn tell(&self, whose: SignOut) -> Result<(), TokenError> {
        let access = self.access().await?;
        self.auth().sign_out(&access.token, whose).await.map_err(TokenError::Remote)
    }

    /// Forgets the session on this computer.
    ///
    /// # Errors
    /// It is still kept.
    pub async fn forget(&self) -> Result<Option<Session>, StoreError> {
        let mut held = self.inner.held.lock().await;
        let _ = self.read(&mut held).await;
        self.on_disk(|store| store.clear()).await?;
        let gone = held.session.take();
        self.let_go(&mut held);
        Ok(gone)
    }

    /// Everything that comes before a token can be handed out: the store was read, what is new is
    /// kept, an ended session was not replaced by another process.
    async fn ready(&self, held: &mut Held) -> Result<(), TokenError> {
        self.read(held).await?;
        if held.unkept
            && let Some(session) = held.session.clone()
        {
            self.keep(&session).await?;
            self.hold(held, session);
        }
        match held.ended.clone() {
            Some(_) if self.another(held).await? => Ok(()),
            Some(error) => Err(TokenError::Ended(error)),
            None => Ok(()),
        }
    }

    async fn read(&self, held: &mut Held) -> Result<(), StoreError> {
        if !held.read {
            held.session = self.kept().await?;
            held.read = true;
            self.announce(held);
        }
        Ok(())
    }

    /// Takes over what another process kept, or that it signed out; says whether that is something
    /// else than we hold.
    async fn another(&self, held: &mut Held) -> Result<bool, StoreError> {
        match (self.kept().await?, &held.session) {
            (Some(kept), Some(session)) if session.is(&kept) => return Ok(false),
            (Some(kept), _) => self.hold(held, kept),
            (None, _) => self.let_go(held),
        }
        Ok(true)
    }

    /// Gets the next pair, from another process or from Auth: never the token that was refused.
    async fn refresh(
        &self,
        held: &mut Held,
        refused: Option<&Secret>,
    ) -> Result<Access, TokenError> {
        let taken_over = self.another(held).await?;
        let session = held.session.clone().ok_or(TokenError::SignedOut)?;
        let is_refused = refused.is_some_and(|token| token.expose() == session.access.expose());
        if taken_over && !is_refused && !session.is_stale(self.auth().now()) {
            return Ok(access(&session));
        }
        match self.exchange(&session).await {
            Ok(next) => self.accept(held, next).await,
            // Another process may have been quicker, and its pair be the one that counts.
            Err(error) if ends(&error) && self.another(held).await? => {
                let session = held.session.clone().ok_or(TokenError::SignedOut)?;
                match self.exchange(&session).await {
                    Ok(next) => self.accept(held, next).await,
                    Err(error) => Err(failed(held, error)),
                }
            }
            Err(error) => Err(failed(held, error)),
        }
    }

    async fn exchange(&self, session: &Session) -> Result<Session, Error> {
        let next = self.auth().refresh(&session.refresh).await?;
        match next.user.id == session.user.id {
            true => Ok(next),
            // Whoever this is, it is not who is signed in here.
            false => Err(Error::silent(Service::Auth, Fault::Foreign)),
        }
    }

    async fn accept(&self, held: &mut Held, next: Session) -> Result<Access, TokenError> {
        // Held but not handed out: the refresh token before it is still the one that is kept.
        held.session = Some(next.clone());
        held.unkept = true;
        self.keep(&next).await?;
        self.hold(held, next);
        Ok(access(held.session.as_ref().ok_or(TokenError::SignedOut)?))
    }

    fn hold(&self, held: &mut Held, session: Session) {
        *held = Held { session: Some(session), read: true, ..Held::default() };
        self.announce(held);
    }

    fn let_go(&self, held: &mut Held) {
        *held = Held { read: true, ..Held::default() };
        self.announce(held);
    }

    fn announce(&self, held: &Held) {
        let user = held.session.as_ref().map(|session| session.user.id);
        self.inner.holder.send_modify(|holder| *holder = Holder { user, pairs: holder.pairs + 1 });
    }

    async fn keep(&self, session: &Session) -> Result<(), StoreError> {
        let room = self.inner.store.room();
        let text = session.to_text(self.auth().link().project(), room);
        self.on_disk(move |store| store.save(&text)).await
    }

    async fn kept(&self) -> Result<Option<Session>, StoreError> {
        let text = self.on_disk(|store| store.load()).await?;
        let project = self.auth().link().project();
        Ok(text.and_then(|text| Session::from_text(&text, project)))
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn SessionStore) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(&self.inner.store);
        let done = tokio::task::spawn_blocking(move || work(store.as_ref())).await;
        done.unwrap_or_else(|_| Err(StoreError("it failed".into())))
    }
}

fn access(session: &Session) -> Access {
    Access { token: session.access.clone(), user: session.user.clone() }
}

fn failed(held: &mut Held, error: Error) -> TokenError {
    if !ends(&error) {
        return TokenError::Remote(error);
    }
    held.ended = Some(error.clone());
    TokenError::Ended(error)
}

/// Whether Auth will never give another token for this session.
///
/// A status without a code is a gateway's, `conflict` and the limits pass.
fn ends(error: &Error) -> bool {
    let refused = matches!(error.fault, Fault::Status(400 | 403 | 404 | 422));
    let foreign = error.fault == Fault::Foreign;
    let passes = matches!(error.code(), "" | "conflict" | "bad_json" | "unknown");
    foreign || (error.service == Service::Auth && refused && !passes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_auth_says_of_the_session_ends_it() {
        let status = |status, code| Error::status(Service::Auth, status, Some(code));
        for code in [
            "refresh_token_not_found",
            "refresh_token_already_used",
            "session_not_found",
            "session_expired",
            "validation_failed",
            "user_banned",
        ] {
            assert!(ends(&status(400, code)), "{code}");
        }
        assert!(ends(&Error::silent(Service::Auth, Fault::Foreign)));
        for (number, code) in [
            (409, "conflict"),
            (429, "over_request_rate_limit"),
            (500, "unexpected_failure"),
            (504, "request_timeout"),
            (400, ""),
        ] {
            assert!(!ends(&status(number, code)), "{number} {code}");
        }
        assert!(!ends(&Error::status(Service::Gateway, 401, None)));
        for fault in [Fault::Unreachable, Fault::TimedOut, Fault::Cut, Fault::Portal] {
            assert!(!ends(&Error::silent(Service::Auth, fault)), "{fault:?}");
        }
    }
}

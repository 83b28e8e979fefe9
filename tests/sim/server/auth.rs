//! Auth: sessions, access tokens that expire, refresh tokens that rotate.

use std::collections::BTreeMap;

use tidemark_core::sync::failures::{Fault, Service};
use uuid::Uuid;

use super::{Server, refuse};

/// How long an access token lives, in milliseconds.
pub(super) const TOKEN_MS: i64 = 600_000;

/// What a device holds: a session, and which generation of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The session.
    pub session: u64,
    /// The generation of the refresh token.
    pub generation: u64,
    /// When the access token ends.
    pub until_ms: i64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Auth {
    sessions: BTreeMap<u64, Session>,
    next: u64,
}

#[derive(Debug, Clone)]
struct Session {
    user: Uuid,
    generation: u64,
    ended: bool,
}

impl Auth {
    pub(super) fn check(&self, token: Token, now_ms: i64) -> Result<Uuid, Fault> {
        if token.until_ms <= now_ms {
            return Err(refuse(401, "PGRST303"));
        }
        match self.sessions.get(&token.session) {
            Some(session) if !session.ended => Ok(session.user),
            _ => Err(refuse(401, "session_ended")),
        }
    }
}

impl Server {
    /// A person signs in with a password.
    pub fn sign_in(&mut self, user: Uuid) -> Token {
        // Numbers go on whatever was restored: a session's id is never given twice.
        self.auth.next = self.auth.next.max(self.rng.below(1 << 40)) + 1;
        let session = self.auth.next;
        self.auth.sessions.insert(session, Session { user, generation: 0, ended: false });
        Token { session, generation: 0, until_ms: self.now_ms + TOKEN_MS }
    }

    /// A new token for the old one. A re-sent parent gets the same child; anything older ends the
    /// session, because somebody else may hold it.
    pub fn refresh(&mut self, token: Token) -> Result<Token, Fault> {
        let until_ms = self.now_ms + TOKEN_MS;
        let gone = Fault::status(Service::Auth, 400, "refresh_token_not_found");
        let session =
            self.auth.sessions.get_mut(&token.session).filter(|s| !s.ended).ok_or(gone)?;
        if token.generation == session.generation {
            session.generation += 1;
        } else if token.generation + 1 < session.generation {
            session.ended = true;
            return Err(Fault::status(Service::Auth, 400, "refresh_token_already_used"));
        }
        Ok(Token { generation: session.generation, until_ms, ..token })
    }
}

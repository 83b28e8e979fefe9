//! Auth: sessions, access tokens that expire, refresh tokens that rotate.

use std::collections::BTreeMap;

use tidemark_core::sync::failures::{Fault, Service};
use uuid::Uuid;

use super::server::{Token, refuse};

/// How long an access token lives, in milliseconds.
const TOKEN_MS: i64 = 600_000;

/// The sessions. Cloning them is a backup.
#[derive(Debug, Clone, Default)]
pub(super) struct Auth {
    sessions: BTreeMap<u64, Session>,
}

#[derive(Debug, Clone)]
struct Session {
    user: Uuid,
    generation: u64,
    ended: bool,
}

impl Auth {
    /// Whose token it is, where it is still good.
    pub(super) fn check(&self, token: Token, now_ms: i64) -> Result<Uuid, Fault> {
        if token.until_ms <= now_ms {
            return Err(refuse(401, "PGRST303"));
        }
        match self.sessions.get(&token.session) {
            Some(session) if !session.ended => Ok(session.user),
            _ => Err(refuse(401, "session_ended")),
        }
    }

    /// A person signs in with a password. The session's id is `chance`: it is never given twice, whatever
    /// was restored.
    pub(super) fn sign_in(&mut self, user: Uuid, now_ms: i64, chance: u64) -> Token {
        let session = chance >> 1;
        self.sessions.insert(session, Session { user, generation: 0, ended: false });
        Token { session, generation: 0, until_ms: now_ms + TOKEN_MS }
    }

    /// A new token for the old one. A re-sent parent gets the same child; anything older ends the
    /// session, because somebody else may hold it.
    pub(super) fn refresh(&mut self, token: Token, now_ms: i64) -> Result<Token, Fault> {
        let until_ms = now_ms + TOKEN_MS;
        let gone = Fault::status(Service::Auth, 400, "refresh_token_not_found");
        let session = self.sessions.get_mut(&token.session).filter(|s| !s.ended).ok_or(gone)?;
        if token.generation == session.generation {
            session.generation += 1;
        } else if token.generation + 1 < session.generation {
            session.ended = true;
            return Err(Fault::status(Service::Auth, 400, "refresh_token_already_used"));
        }
        Ok(Token { generation: session.generation, until_ms, ..token })
    }
}

//! The exchange of a refresh token for the next one, step by step as the real server does it.
//!
//! What a strict rotation gets wrong, and this does not: a token whose answer was lost may come again
//! at any time, and gets the very child that it had; and for a while after its use a token may
//! fork its chain.

use std::time::Duration;

use tokio_postgres::Transaction;
use uuid::Uuid;

use super::error::AuthError;
use super::sessions::{carried, child, origin};
use super::tokens::Counted;
use super::users::User;
use super::{Answer, Auth, object, text};
use crate::stack::call::Call;
use crate::stack::keys::random;

/// How long a refresh waits for another one of the same session.
const PATIENCE: Duration = Duration::from_secs(5);

/// A refresh token as it was sent.
enum Sent<'a> {
    /// Of the first form.
    Row(&'a str),
    /// Of the second form.
    Counted(Counted, &'a str),
}

/// How one attempt went.
enum Attempt {
    /// The session, its user and the token that it has now.
    Granted(Uuid, User, String),
    /// Not any more; what led there is to be kept.
    Refused(AuthError),
    /// Another refresh holds the session.
    Busy,
}

impl<'a> Sent<'a> {
    fn parse(token: &'a str) -> Result<Self, AuthError> {
        let plain = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit();
        if token.len() == 12 && token.chars().all(plain) {
            return Ok(Self::Row(token));
        }
        let counted = Some(token).filter(|token| token.len() > 12).and_then(Counted::parse);
        let counted = counted.ok_or_else(|| AuthError::invalid("Refresh token is not valid"))?;
        Ok(Self::Counted(counted, token))
    }
}

impl Auth {
    /// `grant_type=refresh_token`.
    pub(super) async fn refresh_grant(&self, call: &Call) -> Answer {
        let body = object(call)?;
        let sent = Sent::parse(text(&body, "refresh_token"))?;
        let started = tokio::time::Instant::now();
        while started.elapsed() < PATIENCE {
            let mut db = self.db.get().await?;
            let tx = db.transaction().await?;
            let attempt = match &sent {
                Sent::Row(token) => self.exchange(&tx, token).await?,
                Sent::Counted(counted, token) => self.count_on(&tx, *counted, token).await?,
            };
            match attempt {
                Attempt::Granted(session, user, token) => {
                    touch(&tx, session, call).await?;
                    let tokens = self.tokens(&tx, &user, session, &token).await?;
                    tx.commit().await?;
                    return Ok(carried(&tokens));
                }
                Attempt::Refused(error) => {
                    tx.commit().await?;
                    return Err(error);
                }
                Attempt::Busy => tx.rollback().await?,
            }
            drop(db);
            let [random] = random::<1>();
            tokio::time::sleep(Duration::from_millis(10 + u64::from(random) % 20)).await;
        }
        let message =
            "Too many concurrent token refresh requests on the same session or refresh token";
        Err(AuthError::new(409, "conflict", message))
    }

    /// One attempt with a token of the first form.
    async fn exchange(&self, tx: &Transaction<'_>, token: &str) -> Result<Attempt, AuthError> {
        let sql = "SELECT user_id::uuid, session_id FROM auth.refresh_tokens WHERE token = $1";
        let Some(row) = tx.query_opt(sql, &[&token]).await? else {
            return Ok(Attempt::Refused(AuthError::refresh_token_not_found()));
        };
        let (user, session): (Uuid, Option<Uuid>) = (row.get(0), row.get(1));
        let Some(user) = User::by_id(tx, user).await? else {
            return Ok(Attempt::Refused(AuthError::refresh_token_not_found()));
        };
        if user.is_banned {
            return Ok(Attempt::Refused(AuthError::banned(400)));
        }
        let Some(session) = session else {
            tx.execute("DELETE FROM auth.refresh_tokens WHERE token = $1", &[&token]).await?;
            let message = "Invalid Refresh Token: No Valid Session Found";
            return Ok(Attempt::Refused(AuthError::new(400, "session_not_found", message)));
        };
        if let Some(refused) = self.outlived(tx, session).await? {
            return Ok(Attempt::Refused(refused));
        }
        let sql = "SELECT 1
                     FROM auth.sessions s
                     JOIN auth.refresh_tokens t ON t.session_id = s.id
                    WHERE s.id = $1 AND t.token = $2
                      FOR UPDATE SKIP LOCKED";
        if tx.query_opt(sql, &[&session, &token]).await?.is_none() {
            return Ok(Attempt::Busy);
        }
        self.rotate(tx, user, session, token).await
    }

    /// The next token of a session that is locked.
    async fn rotate(
        &self,
        tx: &Transaction<'_>,
        user: User,
        session: Uuid,
        token: &str,
    ) -> Result<Attempt, AuthError> {
        let sql = "SELECT revoked,
                          updated_at + make_interval(secs => $2) > clock_timestamp()
                     FROM auth.refresh_tokens
                    WHERE token = $1";
        let row = tx.query_one(sql, &[&token, &self.options.reuse_interval.as_secs_f64()]).await?;
        let (revoked, fresh): (bool, bool) = (row.get(0), row.get(1));
        if revoked {
            let sql = "SELECT token, parent FROM auth.refresh_tokens
                        WHERE session_id = $1 AND NOT revoked
                        ORDER BY id DESC LIMIT 1";
            let newest = tx.query_opt(sql, &[&session]).await?;
            if let Some(newest) = newest.filter(|row| row.get::<_, Option<&str>>(1) == Some(token))
            {
                // Its answer was lost: the same child once more.
                return Ok(Attempt::Granted(session, user, newest.get(0)));
            }
            if !fresh {
                revoke(tx, "session_id = $1 AND NOT revoked", &session).await?;
                return Ok(Attempt::Refused(AuthError::already_used()));
            }
        } else {
            revoke(tx, "token = $1", &token).await?;
        }
        let next = child(tx, user.id, session, Some(token)).await?;
        Ok(Attempt::Granted(session, user, next))
    }

    /// One attempt with a token of the second form.
    async fn count_on(
        &self,
        tx: &Transaction<'_>,
        sent: Counted,
        token: &str,
    ) -> Result<Attempt, AuthError> {
        let sql = "SELECT user_id, decode(refresh_token_hmac_key, 'base64')
                     FROM auth.sessions WHERE id = $1";
        let row = tx.query_opt(sql, &[&sent.session]).await?;
        let known =
            row.and_then(|row| Some((row.get::<_, Uuid>(0), row.get::<_, Option<Vec<u8>>>(1)?)));
        let Some((user, key)) = known.filter(|(_, key)| sent.is_signed(token, key)) else {
            return Ok(Attempt::Refused(AuthError::refresh_token_not_found()));
        };
        let Some(user) = User::by_id(tx, user).await? else {
            return Ok(Attempt::Refused(AuthError::refresh_token_not_found()));
        };
        if user.is_banned {
            return Ok(Attempt::Refused(AuthError::banned(400)));
        }
        if let Some(refused) = self.outlived(tx, sent.session).await? {
            return Ok(Attempt::Refused(refused));
        }
        let sql = "SELECT refresh_token_counter,
                          COALESCE(refreshed_at AT TIME ZONE 'UTC', created_at)
                              + make_interval(secs => $2) > clock_timestamp()
                     FROM auth.sessions
                    WHERE id = $1
                      FOR UPDATE SKIP LOCKED";
        let interval = self.options.reuse_interval.as_secs_f64();
        let Some(row) = tx.query_opt(sql, &[&sent.session, &interval]).await? else {
            return Ok(Attempt::Busy);
        };
        let (counter, fresh): (i64, bool) = (row.get(0), row.get(1));
        let next = match counter - sent.counter {
            ..0 => {
                let message = "Refresh Token Not Issued By This Server";
                return Ok(Attempt::Refused(AuthError::invalid(message)));
            }
            0 => counter + 1,
            1 => counter,
            _ if fresh => counter,
            _ => {
                tx.execute("DELETE FROM auth.sessions WHERE id = $1", &[&sent.session]).await?;
                return Ok(Attempt::Refused(AuthError::already_used()));
            }
        };
        let sql = "UPDATE auth.sessions SET refresh_token_counter = $2 WHERE id = $1";
        tx.execute(sql, &[&sent.session, &next]).await?;
        let token = Counted { counter: next, ..sent }.token(&key);
        Ok(Attempt::Granted(sent.session, user, token))
    }

    /// Why a session is over, where it is.
    async fn outlived(
        &self,
        tx: &Transaction<'_>,
        session: Uuid,
    ) -> Result<Option<AuthError>, AuthError> {
        let sql = "SELECT COALESCE(not_after < now(), false) FROM auth.sessions WHERE id = $1";
        let over = tx.query_opt(sql, &[&session]).await?.is_some_and(|row| row.get(0));
        let message = "Invalid Refresh Token: Session Expired";
        Ok(over.then(|| AuthError::new(400, "session_expired", message)))
    }
}

async fn revoke(
    tx: &Transaction<'_>,
    which: &str,
    value: &(dyn tokio_postgres::types::ToSql + Sync),
) -> Result<(), AuthError> {
    let sql = format!(
        "UPDATE auth.refresh_tokens SET revoked = true, updated_at = clock_timestamp() WHERE {which}"
    );
    tx.execute(&sql, &[value]).await?;
    Ok(())
}

/// The session was used just now, from there.
async fn touch(tx: &Transaction<'_>, session: Uuid, call: &Call) -> Result<(), AuthError> {
    let (ip, agent) = origin(call);
    tx.execute(
        "UPDATE auth.sessions
            SET refreshed_at = clock_timestamp() AT TIME ZONE 'UTC', updated_at = now(),
                user_agent = $2, ip = $3::text::inet
          WHERE id = $1",
        &[&session, &agent, &ip],
    )
    .await?;
    Ok(())
}

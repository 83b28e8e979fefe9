//! What a person asks with a token of its own: itself, changes of itself, the end of its sessions.

use hyper::Response;
use serde_json::Value;
use uuid::Uuid;

use super::error::AuthError;
use super::password::is_strong;
use super::signing_in::address;
use super::users::{User, merged};
use super::{Answer, Auth, object, text};
use crate::stack::call::{Body, Call, answer, json};
use crate::stack::keys::now_s;

/// Who asks, in which session.
struct Bearer {
    user: User,
    session: Option<Uuid>,
}

impl Auth {
    /// The claims of the token that a request carries.
    pub(super) fn claims_of(&self, call: &Call) -> Result<Value, AuthError> {
        let Some(token) = call.bearer() else {
            let message = "This endpoint requires a valid Bearer token";
            return Err(AuthError::new(401, "no_authorization", message));
        };
        self.keys.verify(token, now_s()).map_err(|refused| {
            let why = match refused {
                crate::stack::keys::Refused::Expired(_) => {
                    "token has invalid claims: token is expired"
                }
                crate::stack::keys::Refused::Signature => "signature is invalid",
                _ => "token is malformed",
            };
            let message = format!("invalid JWT: unable to parse or verify signature, {why}");
            AuthError::new(403, "bad_jwt", message)
        })
    }

    async fn who(&self, call: &Call) -> Result<Bearer, AuthError> {
        let claims = self.claims_of(call)?;
        let Some(sub) = claims["sub"].as_str() else {
            return Err(AuthError::new(403, "bad_jwt", "invalid claim: missing sub claim"));
        };
        let message = "invalid claim: sub claim must be a UUID";
        let id = Uuid::parse_str(sub).map_err(|_| AuthError::new(400, "bad_jwt", message))?;
        if claims["aud"] != "authenticated" {
            return Err(AuthError::invalid("Requested audience does not match the token's"));
        }
        let db = self.db.get().await?;
        let user = User::by_id(&*db, id).await?.ok_or_else(|| {
            let message = "User from sub claim in JWT does not exist";
            AuthError::new(403, "user_not_found", message)
        })?;
        if user.is_banned {
            return Err(AuthError::banned(403));
        }
        let session = claims["session_id"].as_str().and_then(|id| Uuid::parse_str(id).ok());
        if let Some(session) = session {
            let sql = "SELECT 1 FROM auth.sessions WHERE id = $1 AND user_id = $2";
            if db.query_opt(sql, &[&session, &id]).await?.is_none() {
                let message = "Session from session_id claim in JWT does not exist";
                return Err(AuthError::new(403, "session_not_found", message));
            }
        }
        Ok(Bearer { user, session })
    }

    /// `GET /user`.
    pub(super) async fn user(&self, call: &Call) -> Answer {
        Ok(json(200, &self.who(call).await?.user.shown()))
    }

    /// `PUT /user`.
    pub(super) async fn update_user(&self, call: &Call) -> Answer {
        let Bearer { user, session } = self.who(call).await?;
        let body = object(call)?;
        if body["app_metadata"].as_object().is_some_and(|map| !map.is_empty()) {
            let message = "Updating app_metadata requires admin privileges";
            return Err(AuthError::new(403, "not_admin", message));
        }
        let hash = match body["password"].as_str() {
            Some(password) => Some(self.new_password(&user, password).await?),
            None => None,
        };
        let mut db = self.db.get().await?;
        let tx = db.transaction().await?;
        if let Some(hash) = hash {
            let sql =
                "UPDATE auth.users SET encrypted_password = $2, updated_at = now() WHERE id = $1";
            tx.execute(sql, &[&user.id, &hash]).await?;
            // Whoever knew the old one is out; the caller stays.
            let sql = "DELETE FROM auth.sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2";
            tx.execute(sql, &[&user.id, &session]).await?;
            tx.execute("DELETE FROM auth.one_time_tokens WHERE user_id = $1", &[&user.id]).await?;
        }
        if body["data"].is_object() {
            let data = merged(&user.user_metadata(), &body["data"]);
            let sql =
                "UPDATE auth.users SET raw_user_meta_data = $2, updated_at = now() WHERE id = $1";
            tx.execute(sql, &[&user.id, &data]).await?;
        }
        if !text(&body, "email").is_empty() && address(&body)? != user.text("email") {
            let email = address(&body)?;
            if User::by_email(&tx, &email).await?.is_some() {
                return Err(AuthError::email_exists());
            }
            let sql = "UPDATE auth.users SET email_change = $2, updated_at = now() WHERE id = $1";
            tx.execute(sql, &[&user.id, &email]).await?;
            self.send(&tx, &user, "email_change", &email).await?;
        }
        let user = User::by_id(&tx, user.id).await?.ok_or_else(AuthError::credentials)?;
        tx.commit().await?;
        Ok(json(200, &user.shown()))
    }

    async fn new_password(&self, user: &User, password: &str) -> Result<String, AuthError> {
        is_strong(password)?;
        let old = user.text("encrypted_password");
        if !old.is_empty() && self.matches(password, old).await? {
            let message = "New password should be different from the old password.";
            return Err(AuthError::new(422, "same_password", message));
        }
        self.hash(password).await
    }

    /// `POST /logout`: all sessions, unless the scope says otherwise.
    pub(super) async fn log_out(&self, call: &Call) -> Result<Response<Body>, AuthError> {
        let scope = call.parameter("scope").unwrap_or_default();
        let Bearer { user, session } = self.who(call).await?;
        let db = self.db.get().await?;
        let ended = match (scope.as_str(), session) {
            ("" | "global", _) | ("local" | "others", None) => {
                db.execute("DELETE FROM auth.sessions WHERE user_id = $1", &[&user.id]).await?
            }
            ("local", Some(id)) => {
                db.execute("DELETE FROM auth.sessions WHERE id = $1", &[&id]).await?
            }
            ("others", Some(id)) => {
                let sql = "DELETE FROM auth.sessions WHERE user_id = $1 AND id <> $2";
                db.execute(sql, &[&user.id, &id]).await?
            }
            _ => return Err(AuthError::invalid(format!("Unsupported logout scope {scope:?}"))),
        };
        tracing::debug!(ended, "sessions ended");
        Ok(answer(204, ""))
    }
}

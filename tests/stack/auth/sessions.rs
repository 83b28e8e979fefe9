//! Sessions, and the tokens that are given out for one.

use hyper::Response;
use hyper::header::HeaderValue;
use serde_json::{Value, json};
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::error::AuthError;
use super::tokens::Counted;
use super::users::User;
use super::{Auth, RefreshTokens};
use crate::stack::call::{Body, Call, json};
use crate::stack::keys::{now_s, random, random_text, random_uuid};

impl Auth {
    /// Begins a session and answers with its tokens; `method` is how the person showed who it is.
    pub(super) async fn begin(
        &self,
        db: &impl GenericClient,
        user: &User,
        method: &str,
        call: &Call,
    ) -> Result<Value, AuthError> {
        let session = random_uuid();
        let (ip, agent) = origin(call);
        db.execute(
            "INSERT INTO auth.sessions (id, user_id, created_at, updated_at, aal, user_agent, ip)
             VALUES ($1, $2, now(), now(), 'aal1', $3, $4::text::inet)",
            &[&session, &user.id, &agent, &ip],
        )
        .await?;
        db.execute(
            "INSERT INTO auth.mfa_amr_claims (id, session_id, created_at, updated_at,
                    authentication_method)
             VALUES ($1, $2, now(), now(), $3)",
            &[&random_uuid(), &session, &method],
        )
        .await?;
        db.execute(
            "UPDATE auth.users SET last_sign_in_at = now(), updated_at = now() WHERE id = $1",
            &[&user.id],
        )
        .await?;
        let refresh = self.first_token(db, user.id, session).await?;
        let user = User::by_id(db, user.id).await?.ok_or_else(AuthError::credentials)?;
        self.tokens(db, &user, session, &refresh).await
    }

    async fn first_token(
        &self,
        db: &impl GenericClient,
        user: Uuid,
        session: Uuid,
    ) -> Result<String, AuthError> {
        match self.options.refresh_tokens {
            RefreshTokens::V1 => child(db, user, session, None).await,
            RefreshTokens::V2 => {
                let key = random::<32>();
                let sql = "UPDATE auth.sessions
                              SET refresh_token_hmac_key = encode($2, 'base64'),
                                  refresh_token_counter = 0
                            WHERE id = $1";
                db.execute(sql, &[&session, &key.as_slice()]).await?;
                Ok(Counted { session, counter: 0 }.token(&key))
            }
        }
    }

    /// The answer that carries a session.
    pub(super) async fn tokens(
        &self,
        db: &impl GenericClient,
        user: &User,
        session: Uuid,
        refresh: &str,
    ) -> Result<Value, AuthError> {
        let now = now_s();
        let life = i64::try_from(self.options.token_life.as_secs()).unwrap_or(3600);
        let claims = self.claims(db, user, session, now, now + life).await?;
        Ok(json!({
            "access_token": self.keys.sign(&claims),
            "token_type": "bearer",
            "expires_in": life,
            "expires_at": now + life,
            "refresh_token": refresh,
            "user": user.shown(),
        }))
    }

    async fn claims(
        &self,
        db: &impl GenericClient,
        user: &User,
        session: Uuid,
        now: i64,
        expires: i64,
    ) -> Result<Value, AuthError> {
        let row = db
            .query_one(
                "SELECT s.aal::text,
                        COALESCE((SELECT jsonb_agg(jsonb_build_object(
                                             'method', a.authentication_method, 'timestamp',
                                             floor(extract(epoch FROM a.created_at))::bigint)
                                         ORDER BY a.created_at DESC)
                                    FROM auth.mfa_amr_claims a
                                   WHERE a.session_id = s.id), '[]')
                   FROM auth.sessions s
                  WHERE s.id = $1",
                &[&session],
            )
            .await?;
        Ok(json!({
            "iss": self.issuer,
            "sub": user.id,
            "aud": user.text("aud"),
            "iat": now,
            "exp": expires,
            "role": user.text("role"),
            "email": user.text("email"),
            "phone": user.text("phone"),
            "app_metadata": user.app_metadata(),
            "user_metadata": user.user_metadata(),
            "aal": row.get::<_, Option<String>>(0),
            "amr": row.get::<_, Value>(1),
            "session_id": session,
            "is_anonymous": user.is_anonymous(),
        }))
    }
}

/// A new refresh token of the first form.
pub(super) async fn child(
    db: &impl GenericClient,
    user: Uuid,
    session: Uuid,
    parent: Option<&str>,
) -> Result<String, AuthError> {
    let token = random_text(12);
    db.execute(
        "INSERT INTO auth.refresh_tokens (instance_id, token, user_id, revoked, created_at,
                updated_at, parent, session_id)
         VALUES ('00000000-0000-0000-0000-000000000000', $1, $2, false, clock_timestamp(),
                clock_timestamp(), $3, $4)",
        &[&token, &user.to_string(), &parent, &session],
    )
    .await?;
    Ok(token)
}

/// Address and program of a caller, as the session keeps them.
pub(super) fn origin(call: &Call) -> (String, String) {
    let agent = call.header("user-agent").unwrap_or_default();
    (call.address().to_string(), agent.to_owned())
}

/// The answer, with the headers that tell whose session it is.
pub(super) fn carried(tokens: &Value) -> Response<Body> {
    let mut response = json(200, tokens);
    let user = tokens["user"]["id"].as_str().unwrap_or_default();
    if let Ok(user) = HeaderValue::from_str(user) {
        response.headers_mut().insert("sb-auth-user-id", user);
    }
    response
}

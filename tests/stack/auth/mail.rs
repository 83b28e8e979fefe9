//! Codes that are mailed, here into a list that tests read, and what their return proves.

use std::sync::PoisonError;

use hyper::Response;
use hyper::header::{HeaderValue, LOCATION};
use serde_json::{Value, json};
use sha2::{Digest, Sha224};
use tokio_postgres::{GenericClient, Transaction};
use uuid::Uuid;

use super::error::AuthError;
use super::sessions::carried;
use super::signing_in::{address, said};
use super::users::{NewUser, User};
use super::{Answer, Auth, Mail, object, text};
use crate::stack::call::{Body, Call, answer, json};
use crate::stack::keys::{random, random_uuid};

/// In which column of a user, and as which type of token, a kind of mail is kept.
fn kept_as(kind: &str) -> Option<(&'static str, &'static str)> {
    match kind {
        "signup" | "invite" => Some(("confirmation", "confirmation_token")),
        "recovery" | "magiclink" => Some(("recovery", "recovery_token")),
        "email_change" => Some(("email_change", "email_change_token_new")),
        _ => None,
    }
}

impl Auth {
    /// `POST /recover`: the answer is the same for everybody.
    pub(super) async fn recover(&self, call: &Call) -> Answer {
        let email = address(&object(call)?)?;
        self.send_to_known(&email, "recovery").await?;
        Ok(json(200, &json!({})))
    }

    /// `POST /otp`: a code to sign in with.
    pub(super) async fn one_time_password(&self, call: &Call) -> Answer {
        let body = object(call)?;
        let email = address(&body)?;
        if self.send_to_known(&email, "magiclink").await? {
            return Ok(json(200, &json!({})));
        }
        if body["create_user"] == false {
            return Err(AuthError::new(422, "otp_disabled", "Signups not allowed for otp"));
        }
        let user_metadata = said(&body, "data");
        self.send_to_new(NewUser { email, user_metadata, ..NewUser::default() }, "signup").await?;
        Ok(json(200, &json!({})))
    }

    /// `POST /resend`.
    pub(super) async fn resend(&self, call: &Call) -> Answer {
        let body = object(call)?;
        let (email, kind) = (address(&body)?, text(&body, "type"));
        if !matches!(kind, "signup" | "email_change") {
            return Err(AuthError::invalid(
                "Missing one of these types: signup, email_change, sms, phone_change",
            ));
        }
        let user = User::by_email(&*self.db.get().await?, &email).await?;
        // An address that is confirmed, or unknown, gets nothing, and the same answer.
        if kind == "email_change" || user.is_some_and(|user| !user.is_confirmed()) {
            self.send_to_known(&email, kind).await?;
        }
        Ok(json(200, &json!({})))
    }

    /// `POST /invite`.
    pub(super) async fn invite(&self, call: &Call) -> Answer {
        let body = object(call)?;
        let email = address(&body)?;
        let known = User::by_email(&*self.db.get().await?, &email).await?;
        if known.is_some_and(|user| user.is_confirmed()) {
            return Err(AuthError::email_exists());
        }
        let user_metadata = said(&body, "data");
        let new = NewUser { email, user_metadata, is_invited: true, ..NewUser::default() };
        let user = self.send_to_new(new, "invite").await?;
        Ok(json(200, &user.shown()))
    }

    /// `POST /admin/generate_link`: the mail that would be sent, and is not.
    pub(super) async fn generate_link(&self, call: &Call) -> Answer {
        let body = object(call)?;
        let (email, mut kind) = (address(&body)?, text(&body, "type"));
        let hash = match text(&body, "password") {
            "" => None,
            password => Some(self.hash(password).await?),
        };
        let mut db = self.db.get().await?;
        let tx = db.transaction().await?;
        let user = match User::by_email(&tx, &email).await? {
            Some(user) if kind == "signup" && user.is_confirmed() => {
                drop(user);
                return Err(AuthError::email_exists());
            }
            Some(user) => user,
            None if kind == "recovery" => {
                return Err(AuthError::new(
                    404,
                    "user_not_found",
                    "User with this email not found",
                ));
            }
            None => {
                if kind == "magiclink" {
                    kind = "signup";
                }
                let user_metadata = said(&body, "data");
                let new = NewUser {
                    email: email.clone(),
                    password: hash,
                    user_metadata,
                    ..NewUser::default()
                };
                new.insert(&tx).await?
            }
        };
        let mail = self.write(&tx, &user, kind, &email).await?;
        let user = User::by_id(&tx, user.id).await?.ok_or_else(AuthError::credentials)?;
        tx.commit().await?;
        let redirect = text(&body, "redirect_to");
        let mut shown = user.shown();
        shown["action_link"] = json!(format!(
            "{}/verify?token={}&type={kind}&redirect_to={redirect}",
            self.issuer, mail.token_hash
        ));
        shown["email_otp"] = json!(mail.code);
        shown["hashed_token"] = json!(mail.token_hash);
        shown["verification_type"] = json!(kind);
        shown["redirect_to"] = json!(redirect);
        Ok(json(200, &shown))
    }

    /// Whether the address is somebody's, who then has a mail.
    async fn send_to_known(&self, email: &str, kind: &str) -> Result<bool, AuthError> {
        let mut db = self.db.get().await?;
        let tx = db.transaction().await?;
        let Some(user) = User::by_email(&tx, email).await? else { return Ok(false) };
        self.send(&tx, &user, kind, email).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn send_to_new(&self, new: NewUser, kind: &str) -> Result<User, AuthError> {
        let mut db = self.db.get().await?;
        let tx = db.transaction().await?;
        let user = match User::by_email(&tx, &new.email).await? {
            Some(user) => user,
            None => new.insert(&tx).await?,
        };
        let user = self.send(&tx, &user, kind, user.text("email")).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Mails a code, unless the last one is too fresh; returns the user as it is then.
    pub(super) async fn send(
        &self,
        db: &impl GenericClient,
        user: &User,
        kind: &str,
        to: &str,
    ) -> Result<User, AuthError> {
        let (column, _) = kept_as(kind).ok_or_else(|| AuthError::invalid("Invalid type"))?;
        let sql = format!(
            "SELECT ceil(extract(epoch FROM {column}_sent_at + make_interval(secs => $2) - now()))::bigint
               FROM auth.users WHERE id = $1"
        );
        let spacing = self.options.mail_spacing.as_secs_f64();
        let wait: Option<i64> = db.query_one(&sql, &[&user.id, &spacing]).await?.get(0);
        if let Some(wait) = wait.filter(|wait| *wait > 0) {
            let message =
                format!("For security purposes, you can only request this after {wait} seconds.");
            return Err(AuthError::new(429, "over_email_send_rate_limit", message));
        }
        let mail = self.write(db, user, kind, to).await?;
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
        User::by_id(db, user.id).await?.ok_or_else(AuthError::credentials)
    }

    /// Makes a code and keeps what proves it.
    async fn write(
        &self,
        db: &impl GenericClient,
        user: &User,
        kind: &str,
        to: &str,
    ) -> Result<Mail, AuthError> {
        let (column, token_type) =
            kept_as(kind).ok_or_else(|| AuthError::invalid("Invalid type"))?;
        let code = format!("{:06}", u32::from_le_bytes(random()) % 1_000_000);
        let token_hash = proof(to, &code);
        let token_column = if column == "email_change" {
            "email_change_token_new".to_owned()
        } else {
            format!("{column}_token")
        };
        let sql = format!(
            "UPDATE auth.users SET {token_column} = $2, {column}_sent_at = now(), updated_at = now() WHERE id = $1"
        );
        db.execute(&sql, &[&user.id, &token_hash]).await?;
        db.execute(
            "INSERT INTO auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to)
             VALUES ($1, $2, $3::text::auth.one_time_token_type, $4, $5)
             ON CONFLICT (user_id, token_type) DO UPDATE
                SET token_hash = excluded.token_hash, relates_to = excluded.relates_to,
                    created_at = now(), updated_at = now()",
            &[&random_uuid(), &user.id, &token_type, &token_hash, &to],
        )
        .await?;
        Ok(Mail { to: to.to_owned(), kind: kind.to_owned(), code, token_hash })
    }

    /// `POST /verify`: a code, or the hash of the link, for a session.
    pub(super) async fn verify(&self, call: &Call) -> Answer {
        let body = object(call)?;
        let kind = text(&body, "type");
        let hash = match text(&body, "token_hash") {
            "" => proof(&address(&body)?, text(&body, "token")),
            hash => hash.trim_start_matches("pkce_").to_owned(),
        };
        Ok(carried(&self.redeem(kind, &hash, call).await?))
    }

    async fn redeem(&self, kind: &str, hash: &str, call: &Call) -> Result<Value, AuthError> {
        let types: &[&str] = match kind {
            "email" => &["confirmation_token", "recovery_token"],
            kind => match kept_as(kind) {
                Some((_, "confirmation_token")) => &["confirmation_token"],
                Some((_, "recovery_token")) => &["recovery_token"],
                Some(_) => &["email_change_token_new"],
                None => return Err(AuthError::invalid("Invalid type")),
            },
        };
        let mut db = self.db.get().await?;
        let tx = db.transaction().await?;
        let sql = "DELETE FROM auth.one_time_tokens
                    WHERE token_hash = $1 AND token_type::text = ANY ($2)
                      AND created_at + make_interval(secs => $3) > timezone('utc', now())
                   RETURNING user_id, token_type::text";
        let life = self.options.code_life.as_secs_f64();
        let Some(row) = tx.query_opt(sql, &[&hash, &types, &life]).await? else {
            let message = "Token has expired or is invalid";
            return Err(AuthError::new(403, "otp_expired", message));
        };
        let user = User::by_id(&tx, row.get::<_, Uuid>(0)).await?;
        let user = user.ok_or_else(AuthError::credentials)?;
        if user.is_banned {
            return Err(AuthError::banned(403));
        }
        let user = self.proved(&tx, user, row.get(1)).await?;
        let tokens = self.begin(&tx, &user, "otp", call).await?;
        tx.commit().await?;
        Ok(tokens)
    }

    /// What a code that came back proves.
    async fn proved(&self, tx: &Transaction<'_>, user: User, by: &str) -> Result<User, AuthError> {
        if by == "email_change_token_new" {
            tx.execute(
                "UPDATE auth.users
                    SET email = email_change, email_change = '', email_change_token_new = ''
                  WHERE id = $1",
                &[&user.id],
            )
            .await?;
            tx.execute(
                "UPDATE auth.identities i
                    SET identity_data = i.identity_data || jsonb_build_object('email', u.email)
                   FROM auth.users u
                  WHERE u.id = i.user_id AND u.id = $1 AND i.provider = 'email'",
                &[&user.id],
            )
            .await?;
        } else if by == "recovery_token" {
            tx.execute("UPDATE auth.users SET recovery_token = '' WHERE id = $1", &[&user.id])
                .await?;
        }
        self.confirm(tx, &user).await
    }

    /// `GET /verify`: what the link of a mail opens. Always a redirect, tokens or error in it.
    pub(super) async fn follow(&self, call: &Call) -> Result<Response<Body>, AuthError> {
        let of = |name| call.parameter(name).unwrap_or_default();
        let to = Some(of("redirect_to")).filter(|to| !to.is_empty());
        let to = to.unwrap_or_else(|| "http://localhost:3000".to_owned());
        let fragment = match self.redeem(&of("type"), &of("token"), call).await {
            Ok(tokens) => format!(
                "access_token={}&expires_at={}&expires_in={}&refresh_token={}&sb=&token_type=bearer&type={}",
                tokens["access_token"].as_str().unwrap_or_default(),
                tokens["expires_at"],
                tokens["expires_in"],
                tokens["refresh_token"].as_str().unwrap_or_default(),
                of("type"),
            ),
            Err(_) => "error=access_denied&error_code=otp_expired\
                       &error_description=Email+link+is+invalid+or+has+expired&sb="
                .to_owned(),
        };
        let mut response = answer(303, "");
        if let Ok(location) = HeaderValue::from_str(&format!("{to}#{fragment}")) {
            response.headers_mut().insert(LOCATION, location);
        }
        Ok(response)
    }
}

/// Of the code nothing is kept but this.
fn proof(address: &str, code: &str) -> String {
    let hash = Sha224::digest(format!("{address}{code}"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

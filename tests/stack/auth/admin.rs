//! What the service role may do with users.

use std::time::Duration;

use hyper::Method;
use hyper::header::HeaderValue;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::AuthError;
use super::password::{fits, is_hash, is_strong};
use super::signing_in::{address, said};
use super::users::{NewUser, User, merged};
use super::{Answer, Auth, object, text};
use crate::stack::call::{Call, json};
use crate::stack::keys::random_text;

impl Auth {
    /// All routes under `/admin`, and `/invite`.
    pub(super) async fn admin(&self, path: &str, call: &Call) -> Answer {
        let claims = self.claims_of(call)?;
        if !matches!(claims["role"].as_str(), Some("service_role" | "supabase_admin")) {
            return Err(AuthError::new(403, "not_admin", "User not allowed"));
        }
        match (&call.method, path) {
            (&Method::POST, "/admin/users") => self.create(call).await,
            (&Method::GET, "/admin/users") => self.list(call).await,
            (&Method::POST, "/admin/generate_link") => self.generate_link(call).await,
            (&Method::POST, "/invite") => self.invite(call).await,
            (method, path) => match path.strip_prefix("/admin/users/") {
                Some(id) if method == Method::GET => Ok(json(200, &self.known(id).await?.shown())),
                Some(id) if method == Method::PUT => self.change(id, call).await,
                Some(id) if method == Method::DELETE => self.delete(id, call).await,
                _ => Err(AuthError::new(404, "not_found", "Not found")),
            },
        }
    }

    async fn known(&self, id: &str) -> Result<User, AuthError> {
        let message = "user_id must be an UUID";
        let id =
            Uuid::parse_str(id).map_err(|_| AuthError::new(404, "validation_failed", message))?;
        let user = User::by_id(&*self.db.get().await?, id).await?;
        user.ok_or_else(|| AuthError::new(404, "user_not_found", "User not found"))
    }

    async fn create(&self, call: &Call) -> Answer {
        let body = object(call)?;
        if text(&body, "email").is_empty() {
            return Err(AuthError::invalid(
                "Cannot create a user without either an email or phone",
            ));
        }
        let (email, ban) = (address(&body)?, ban_of(&body)?);
        let hash = self.brought(&body).await?;
        let mut db = self.db.get().await?;
        let tx = db.transaction().await?;
        if User::by_email(&tx, &email).await?.is_some() {
            return Err(AuthError::email_exists());
        }
        let id = match body["id"].as_str().map(Uuid::parse_str) {
            Some(Ok(id)) if !id.is_nil() => Some(id),
            None => None,
            _ => return Err(AuthError::invalid("ID must conform to the uuid v4 format")),
        };
        let role = Some(text(&body, "role")).filter(|role| !role.is_empty()).map(ToOwned::to_owned);
        let new = NewUser {
            id,
            email,
            password: Some(hash),
            role,
            app_metadata: said(&body, "app_metadata"),
            user_metadata: said(&body, "user_metadata"),
            is_confirmed: body["email_confirm"] == true,
            ..NewUser::default()
        };
        let user = new.insert(&tx).await?;
        if let Some(ban) = ban {
            set_ban(&tx, user.id, ban).await?;
        }
        let user = User::by_id(&tx, user.id).await?.ok_or_else(AuthError::credentials)?;
        tx.commit().await?;
        Ok(json(200, &user.shown()))
    }

    /// The hash of a password that is given as it is, or as its hash, or not at all.
    async fn brought(&self, body: &Value) -> Result<String, AuthError> {
        let (password, hash) = (text(body, "password"), text(body, "password_hash"));
        match (password.is_empty(), hash.is_empty()) {
            (false, false) => {
                Err(AuthError::invalid("Only a password or a password hash should be provided"))
            }
            // The rules of strength are for the person that chooses one.
            (false, true) => {
                fits(password)?;
                self.hash(password).await
            }
            (true, false) if is_hash(hash) => Ok(hash.to_owned()),
            (true, false) => Err(AuthError::new(500, "unexpected_failure", "Error creating user")),
            (true, true) => self.hash(&random_text(64)).await,
        }
    }

    async fn list(&self, call: &Call) -> Answer {
        let number = |name, usual| match call.parameter(name).filter(|text| !text.is_empty()) {
            Some(text) => text.parse::<i64>().ok().filter(|number| *number > 0),
            None => Some(usual),
        };
        let (Some(page), Some(per_page)) = (number("page", 1), number("per_page", 50)) else {
            return Err(AuthError::invalid(
                "Bad Pagination Parameters: page and per_page are numbers",
            ));
        };
        let (users, total) = User::page(&*self.db.get().await?, page, per_page).await?;
        let shown: Vec<_> = users.iter().map(User::shown).collect();
        let mut response = json(200, &json!({ "users": shown, "aud": "authenticated" }));
        let last = (total + per_page - 1) / per_page;
        let link = |to, rel| format!("</admin/users?page={to}&per_page={per_page}>; rel=\"{rel}\"");
        let mut links = vec![link(last.max(1), "last")];
        if page < last {
            links.insert(0, link(page + 1, "next"));
        }
        let headers = response.headers_mut();
        headers.insert("x-total-count", HeaderValue::from(total));
        if let Ok(links) = HeaderValue::from_str(&links.join(", ")) {
            headers.insert("link", links);
        }
        Ok(response)
    }

    async fn change(&self, id: &str, call: &Call) -> Answer {
        let user = self.known(id).await?;
        let (body, ban) = (object(call)?, ban_of(&object(call)?)?);
        let hash = match body["password"].as_str() {
            Some(password) => {
                is_strong(password)?;
                Some(self.hash(password).await?)
            }
            None => None,
        };
        let mut db = self.db.get().await?;
        let tx = db.transaction().await?;
        let failed = |error| {
            let _logged = AuthError::from(error);
            AuthError::new(500, "unexpected_failure", "Error updating user")
        };
        let confirmed = body["email_confirm"] == true;
        let email = Some(text(&body, "email")).filter(|email| !email.is_empty());
        let email = email.map(|_| address(&body)).transpose()?;
        let role = Some(text(&body, "role")).filter(|role| !role.is_empty());
        let app = merged(&user.app_metadata(), &body["app_metadata"]);
        let own = merged(&user.user_metadata(), &body["user_metadata"]);
        tx.execute(
            "UPDATE auth.users
                SET email = COALESCE($2::text, email), role = COALESCE($3::text, role),
                    encrypted_password = COALESCE($4::text, encrypted_password),
                    email_confirmed_at = CASE WHEN $5 THEN COALESCE(email_confirmed_at, now())
                                              ELSE email_confirmed_at END,
                    raw_app_meta_data = $6, raw_user_meta_data = $7, updated_at = now()
              WHERE id = $1",
            &[&user.id, &email, &role, &hash, &confirmed, &app, &own],
        )
        .await
        .map_err(failed)?;
        if hash.is_some() {
            tx.execute("DELETE FROM auth.sessions WHERE user_id = $1", &[&user.id]).await?;
        }
        if let Some(ban) = ban {
            set_ban(&tx, user.id, ban).await?;
        }
        let user = User::by_id(&tx, user.id).await?.ok_or_else(AuthError::credentials)?;
        tx.commit().await?;
        Ok(json(200, &user.shown()))
    }

    async fn delete(&self, id: &str, call: &Call) -> Answer {
        let user = self.known(id).await?;
        let soft = !call.body.is_empty() && object(call)?["should_soft_delete"] == true;
        let mut db = self.db.get().await?;
        let tx = db.transaction().await?;
        if soft {
            // The row stays, so that what points at it does; nothing in it says who it was.
            tx.execute(
                "UPDATE auth.users
                    SET deleted_at = now(), updated_at = now(), encrypted_password = '',
                        email = encode(sha256(convert_to(id::text || email, 'UTF8')), 'hex'),
                        raw_app_meta_data = '{}', raw_user_meta_data = '{}'
                  WHERE id = $1",
                &[&user.id],
            )
            .await?;
            tx.execute("DELETE FROM auth.sessions WHERE user_id = $1", &[&user.id]).await?;
            tx.execute("DELETE FROM auth.identities WHERE user_id = $1", &[&user.id]).await?;
        } else {
            let deleted = tx.execute("DELETE FROM auth.users WHERE id = $1", &[&user.id]).await;
            deleted.map_err(|error| {
                let _logged = AuthError::from(error);
                AuthError::new(500, "unexpected_failure", "Database error deleting user")
            })?;
        }
        tx.commit().await?;
        Ok(json(200, &json!({})))
    }
}

/// What a body says of a ban: nothing, its end, or its length.
fn ban_of(body: &Value) -> Result<Option<Option<Duration>>, AuthError> {
    match body["ban_duration"].as_str() {
        None | Some("") => Ok(None),
        Some("none") => Ok(Some(None)),
        Some(text) => match go_duration(text) {
            Some(length) => Ok(Some(Some(length))),
            None => Err(AuthError::invalid(format!("invalid format for ban duration: {text:?}"))),
        },
    }
}

async fn set_ban(
    tx: &tokio_postgres::Transaction<'_>,
    user: Uuid,
    ban: Option<Duration>,
) -> Result<(), AuthError> {
    let seconds = ban.map(|length| length.as_secs_f64());
    let sql =
        "UPDATE auth.users SET banned_until = now() + make_interval(secs => $2) WHERE id = $1";
    tx.execute(sql, &[&user, &seconds]).await?;
    Ok(())
}

/// A duration as Go writes it: `1h30m`, `2.5s`, `300ms`.
fn go_duration(text: &str) -> Option<Duration> {
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|sign: char| !sign.is_ascii_digit() && sign != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|sign: char| sign.is_ascii_digit()).unwrap_or(rest.len());
        total += number
            * match &rest[..end] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[end..];
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(total).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        assert_eq!(go_duration("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(go_duration("2.5s"), Some(Duration::from_millis(2500)));
        assert_eq!(go_duration("876000h"), Some(Duration::from_secs(3_153_600_000)));
        for wrong in ["", "1", "1d", "h", "1h x"] {
            assert_eq!(go_duration(wrong), None, "{wrong}");
        }
    }
}

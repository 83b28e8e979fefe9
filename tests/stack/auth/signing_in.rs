//! Signing up and signing in with a password.

use serde_json::{Map, Value, json};

use super::error::AuthError;
use super::password::{fits, is_strong};
use super::sessions::carried;
use super::users::{NewUser, User};
use super::{Answer, Auth, Confirm, object, text};
use crate::stack::call::{Call, json};
use crate::stack::keys::random_uuid;

/// The address of a body, in lower case, where it looks like one.
pub(super) fn address(body: &Value) -> Result<String, AuthError> {
    let email = text(body, "email").trim().to_lowercase();
    let well_formed = email.split_once('@').is_some_and(|(name, host)| {
        let plain = |part: &str| !part.is_empty() && !part.contains(['@', ' ', '<', '>']);
        plain(name) && plain(host) && !host.starts_with('.') && !host.ends_with('.')
    });
    if !well_formed || email.len() > 255 {
        return Err(AuthError::invalid("Unable to validate email address: invalid format"));
    }
    Ok(email)
}

/// What a person says of itself.
pub(super) fn said(body: &Value, name: &str) -> Map<String, Value> {
    body[name].as_object().cloned().unwrap_or_default()
}

impl Auth {
    /// `POST /signup`: one of four answers, all of status 200.
    pub(super) async fn sign_up(&self, call: &Call) -> Answer {
        let body = object(call)?;
        if !text(&body, "phone").is_empty() {
            return Err(AuthError::new(
                400,
                "phone_provider_disabled",
                "Phone signups are disabled",
            ));
        }
        if text(&body, "email").is_empty() {
            return self.sign_up_unnamed(&body, call).await;
        }
        let (email, password) = (address(&body)?, text(&body, "password"));
        if password.is_empty() {
            return Err(AuthError::invalid("Signup requires a valid password"));
        }
        is_strong(password)?;
        let hash = self.hash(password).await?;
        let at_once = self.options.confirm == Confirm::AtOnce;
        let mut db = self.db.get().await?;
        let tx = db.transaction().await?;
        let user = match User::by_email(&tx, &email).await? {
            Some(known) if known.is_confirmed() && at_once => {
                let message = "User already registered";
                return Err(AuthError::new(422, "user_already_exists", message));
            }
            Some(known) if known.is_confirmed() => return Ok(json(200, &invented(&email))),
            // Its password stays: whoever signs up now may be somebody else.
            Some(known) => known,
            None => {
                let user_metadata = said(&body, "data");
                let new =
                    NewUser { email, password: Some(hash), user_metadata, ..NewUser::default() };
                new.insert(&tx).await?
            }
        };
        if at_once {
            let user = self.confirm(&tx, &user).await?;
            let tokens = self.begin(&tx, &user, "password", call).await?;
            tx.commit().await?;
            return Ok(carried(&tokens));
        }
        let user = self.send(&tx, &user, "signup", user.text("email")).await?;
        tx.commit().await?;
        Ok(json(200, &user.shown()))
    }

    async fn sign_up_unnamed(&self, body: &Value, call: &Call) -> Answer {
        if !self.options.anonymous {
            let message = "Anonymous sign-ins are disabled";
            return Err(AuthError::new(422, "anonymous_provider_disabled", message));
        }
        let mut db = self.db.get().await?;
        let tx = db.transaction().await?;
        let user_metadata = said(body, "data");
        let user = NewUser { user_metadata, is_anonymous: true, ..NewUser::default() };
        let user = user.insert(&tx).await?;
        let tokens = self.begin(&tx, &user, "anonymous", call).await?;
        tx.commit().await?;
        Ok(carried(&tokens))
    }

    /// `grant_type=password`. A ban is told before the password is looked at.
    pub(super) async fn password_grant(&self, call: &Call) -> Answer {
        let body = object(call)?;
        let email = text(&body, "email").trim().to_lowercase();
        if email.is_empty() && text(&body, "phone").is_empty() {
            return Err(AuthError::invalid("missing email or phone"));
        }
        let mut db = self.db.get().await?;
        let user = User::by_email(&*db, &email).await?.ok_or_else(AuthError::credentials)?;
        let hash = user.text("encrypted_password");
        if hash.is_empty() {
            return Err(AuthError::credentials());
        }
        if user.is_banned {
            return Err(AuthError::banned(400));
        }
        let password = text(&body, "password");
        if fits(password).is_err() || !self.matches(password, hash).await? {
            return Err(AuthError::credentials());
        }
        if !user.is_confirmed() {
            return Err(AuthError::new(400, "email_not_confirmed", "Email not confirmed"));
        }
        let tx = db.transaction().await?;
        let mut tokens = self.begin(&tx, &user, "password", call).await?;
        tx.commit().await?;
        // Present, and null, also when there is nothing to say.
        tokens["weak_password"] = Value::Null;
        Ok(carried(&tokens))
    }

    /// The address is the person's.
    pub(super) async fn confirm(
        &self,
        db: &impl tokio_postgres::GenericClient,
        user: &User,
    ) -> Result<User, AuthError> {
        db.execute(
            "UPDATE auth.users
                SET email_confirmed_at = COALESCE(email_confirmed_at, now()), updated_at = now(),
                    confirmation_token = '',
                    raw_user_meta_data = COALESCE(raw_user_meta_data, '{}')
                                         || '{\"email_verified\": true}'
              WHERE id = $1",
            &[&user.id],
        )
        .await?;
        User::by_id(db, user.id).await?.ok_or_else(AuthError::credentials)
    }
}

/// What an address that is taken answers where addresses are confirmed by mail: nobody shall learn
/// that it is. The empty list of identities is the only tell.
fn invented(email: &str) -> Value {
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    json!({
        "id": random_uuid(), "aud": "authenticated", "role": "", "email": email, "phone": "",
        "app_metadata": { "provider": "email", "providers": ["email"] }, "user_metadata": {},
        "identities": [], "confirmation_sent_at": now, "created_at": now, "updated_at": now,
        "is_anonymous": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_in_lower_case_or_refused() {
        let of = |email: &str| address(&json!({ "email": email })).ok();
        assert_eq!(of(" Ann@Example.ORG ").as_deref(), Some("ann@example.org"));
        for not_one in ["", "ann", "ann@", "@example.org", "a b@example.org", "a@b@c"] {
            assert_eq!(of(not_one), None, "{not_one}");
        }
    }
}

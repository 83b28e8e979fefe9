//! Users: found, made, changed, and shown as the API shows them.

use serde_json::{Map, Value, json};
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::error::AuthError;
use crate::stack::keys::random_uuid;

/// What every look-up of the real server asks for.
const INSTANCE: &str = "00000000-0000-0000-0000-000000000000";

/// A row of `auth.users`.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: Uuid,
    pub(super) is_banned: bool,
    /// All columns, by name.
    columns: Value,
    /// Absent in lists, where the real server does not load them.
    identities: Option<Value>,
}

impl User {
    const SELECT: &str = "
        SELECT u.id,
               to_jsonb(u),
               COALESCE(u.banned_until > now(), false),
               COALESCE((SELECT jsonb_agg(to_jsonb(i) ORDER BY i.created_at)
                           FROM auth.identities i
                          WHERE i.user_id = u.id), '[]')
          FROM auth.users u
         WHERE u.instance_id = '00000000-0000-0000-0000-000000000000'";

    fn of(row: &Row) -> Self {
        Self {
            id: row.get(0),
            columns: row.get(1),
            is_banned: row.get(2),
            identities: Some(row.get(3)),
        }
    }

    pub(super) async fn by_id(
        db: &impl GenericClient,
        id: Uuid,
    ) -> Result<Option<Self>, AuthError> {
        let sql = format!("{} AND u.id = $1", Self::SELECT);
        Ok(db.query_opt(&sql, &[&id]).await?.as_ref().map(Self::of))
    }

    pub(super) async fn by_email(
        db: &impl GenericClient,
        email: &str,
    ) -> Result<Option<Self>, AuthError> {
        let sql = format!("{} AND lower(u.email) = $1 AND NOT u.is_sso_user", Self::SELECT);
        Ok(db.query_opt(&sql, &[&email]).await?.as_ref().map(Self::of))
    }

    /// A page of all users, the newest first, and how many there are.
    pub(super) async fn page(
        db: &impl GenericClient,
        page: i64,
        per_page: i64,
    ) -> Result<(Vec<Self>, i64), AuthError> {
        let sql = format!("{} ORDER BY u.created_at DESC, u.id LIMIT $1 OFFSET $2", Self::SELECT);
        let rows = db.query(&sql, &[&per_page, &((page - 1) * per_page)]).await?;
        let total: i64 = db.query_one("SELECT count(*) FROM auth.users", &[]).await?.get(0);
        let bare = |row| Self { identities: None, ..Self::of(row) };
        Ok((rows.iter().map(bare).collect(), total))
    }

    /// A column that is a text; absent is empty.
    pub(super) fn text(&self, column: &str) -> &str {
        self.columns[column].as_str().unwrap_or_default()
    }

    pub(super) fn is_confirmed(&self) -> bool {
        !self.columns["confirmed_at"].is_null()
    }

    pub(super) fn is_anonymous(&self) -> bool {
        self.columns["is_anonymous"] == true
    }

    pub(super) fn app_metadata(&self) -> Value {
        or_object(&self.columns["raw_app_meta_data"])
    }

    pub(super) fn user_metadata(&self) -> Value {
        or_object(&self.columns["raw_user_meta_data"])
    }

    /// As the API shows it: some fields always, the others where they say something.
    pub(super) fn shown(&self) -> Value {
        let mut shown = json!({
            "id": self.id,
            "aud": self.text("aud"),
            "role": self.text("role"),
            "email": self.text("email"),
            "phone": self.text("phone"),
            "app_metadata": self.app_metadata(),
            "user_metadata": self.user_metadata(),
            "identities": self.identities.as_ref().map(shown_identities),
            "created_at": zulu(&self.columns["created_at"]),
            "updated_at": zulu(&self.columns["updated_at"]),
            "is_anonymous": self.is_anonymous(),
        });
        for column in [
            "email_confirmed_at",
            "phone_confirmed_at",
            "confirmed_at",
            "invited_at",
            "confirmation_sent_at",
            "recovery_sent_at",
            "email_change_sent_at",
            "phone_change_sent_at",
            "reauthentication_sent_at",
            "last_sign_in_at",
            "banned_until",
            "deleted_at",
        ] {
            if !self.columns[column].is_null() {
                shown[column] = zulu(&self.columns[column]);
            }
        }
        for (field, column) in [("new_email", "email_change"), ("new_phone", "phone_change")] {
            if !self.text(column).is_empty() {
                shown[field] = json!(self.text(column));
            }
        }
        shown
    }
}

fn or_object(value: &Value) -> Value {
    if value.is_object() { value.clone() } else { json!({}) }
}

/// PostgreSQL writes `+00:00` where Go writes `Z`.
fn zulu(time: &Value) -> Value {
    let text = time.as_str().unwrap_or_default();
    json!(text.strip_suffix("+00:00").map_or(text.to_owned(), |bare| format!("{bare}Z")))
}

fn shown_identities(rows: &Value) -> Value {
    let shown = |row: &Value| {
        json!({
            "identity_id": row["id"],
            "id": row["provider_id"],
            "user_id": row["user_id"],
            "identity_data": row["identity_data"],
            "provider": row["provider"],
            "last_sign_in_at": zulu(&row["last_sign_in_at"]),
            "created_at": zulu(&row["created_at"]),
            "updated_at": zulu(&row["updated_at"]),
            "email": row["email"],
        })
    };
    Value::Array(rows.as_array().into_iter().flatten().map(shown).collect())
}

/// A user that is to be.
#[derive(Debug, Default)]
pub(super) struct NewUser {
    pub(super) id: Option<Uuid>,
    pub(super) email: String,
    /// The hash.
    pub(super) password: Option<String>,
    pub(super) role: Option<String>,
    pub(super) app_metadata: Map<String, Value>,
    pub(super) user_metadata: Map<String, Value>,
    pub(super) is_confirmed: bool,
    pub(super) is_anonymous: bool,
    pub(super) is_invited: bool,
}

impl NewUser {
    /// Makes it, with the identity of its address.
    pub(super) async fn insert(self, db: &impl GenericClient) -> Result<User, AuthError> {
        let id = self.id.unwrap_or_else(random_uuid);
        let provider = if self.is_anonymous {
            json!({})
        } else {
            json!({ "provider": "email", "providers": ["email"] })
        };
        let app = merged(&provider, &Value::Object(self.app_metadata));
        let identity = json!({ "sub": id, "email": self.email, "email_verified": false,
                               "phone_verified": false });
        let mut user_metadata = Value::Object(self.user_metadata);
        if !self.is_anonymous {
            user_metadata = merged(&user_metadata, &identity);
            user_metadata["email_verified"] = json!(self.is_confirmed);
        }
        let email = Some(&self.email).filter(|_| !self.is_anonymous);
        let role = self.role.as_deref().unwrap_or("authenticated");
        db.execute(
            "INSERT INTO auth.users (instance_id, id, aud, role, email, encrypted_password,
                    email_confirmed_at, invited_at, confirmation_token, recovery_token,
                    email_change_token_new, email_change, raw_app_meta_data, raw_user_meta_data,
                    created_at, updated_at, is_anonymous)
             VALUES ($1::text::uuid, $2, 'authenticated', $3, $4, $5,
                    CASE WHEN $6 THEN now() END, CASE WHEN $7 THEN now() END, '', '', '', '',
                    $8, $9, now(), now(), $10)",
            &[
                &INSTANCE,
                &id,
                &role,
                &email,
                &self.password.unwrap_or_default(),
                &self.is_confirmed,
                &self.is_invited,
                &app,
                &user_metadata,
                &self.is_anonymous,
            ],
        )
        .await
        .map_err(refused_insert)?;
        if !self.is_anonymous {
            db.execute(
                "INSERT INTO auth.identities (provider_id, user_id, identity_data, provider,
                        last_sign_in_at, created_at, updated_at)
                 VALUES ($1::text, $2, $3, 'email', now(), now(), now())",
                &[&id.to_string(), &id, &identity],
            )
            .await
            .map_err(refused_insert)?;
        }
        Self::found(db, id).await
    }

    async fn found(db: &impl GenericClient, id: Uuid) -> Result<User, AuthError> {
        let gone = || AuthError::new(500, "unexpected_failure", "Database error finding user");
        User::by_id(db, id).await?.ok_or_else(gone)
    }
}

/// A trigger of ours may refuse, too: the real server says no more than this.
fn refused_insert(error: tokio_postgres::Error) -> AuthError {
    let _logged = AuthError::from(error);
    AuthError::new(500, "unexpected_failure", "Database error saving new user")
}

/// `base` with the keys of `over`; a null there deletes its key.
pub(super) fn merged(base: &Value, over: &Value) -> Value {
    let mut merged = base.as_object().cloned().unwrap_or_default();
    for (key, value) in over.as_object().into_iter().flatten() {
        if value.is_null() {
            merged.remove(key);
        } else {
            merged.insert(key.clone(), value.clone());
        }
    }
    Value::Object(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_merges_key_by_key_and_null_deletes() {
        let merged = merged(&json!({"a": 1, "b": {"c": 2}}), &json!({"a": null, "b": 3, "d": 4}));
        assert_eq!(merged, json!({"b": 3, "d": 4}));
    }

    #[test]
    fn a_time_ends_in_z() {
        assert_eq!(zulu(&json!("2026-01-02T03:04:05.6+00:00")), json!("2026-01-02T03:04:05.6Z"));
    }
}

//! What a person asks of their account beside sync: sessions, devices, leaving for good; and what an
//! administrator asks.
//!
//! These are asked by a click and not by the engine, so a refused token is replaced here, once.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::{Error, Fault};
use super::rest::{Body, Rest, Weight};
use super::tokens::{TokenError, Tokens};
use crate::error::Result;

/// Asks for the person who is signed in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Profile {
    rest: Rest,
    tokens: Tokens,
}

/// One of a person's sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Its id.
    pub id: Uuid,
    /// When it was signed in.
    pub created_ms: i64,
    /// When it last got a token; none where it never did.
    pub refreshed_ms: Option<i64>,
    /// From where.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// The device that is bound to it.
    pub device_id: Option<Uuid>,
    /// Its name.
    pub device_name: Option<String>,
    /// Whether it is this one.
    pub current: bool,
}

/// One of a person's devices, as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSeen {
    /// Its id.
    pub id: Uuid,
    /// The computer's name.
    pub name: String,
    /// `linux`, `macos` or `windows`.
    pub platform: String,
    /// The version of Tidemark that it last ran.
    pub app_version: String,
    /// When it first said hello.
    pub created_ms: i64,
    /// When it last said hello or pushed; none where it never did.
    pub last_seen_ms: Option<i64>,
    /// When it was revoked.
    pub revoked_ms: Option<i64>,
}

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserState {
    /// It may.
    Active,
    /// An administrator disabled it.
    Disabled,
}

impl Profile {
    /// Asks with these tokens.
    pub fn new(tokens: Tokens) -> Self {
        let rest = Rest::new(tokens.auth().link().clone());
        Self { rest, tokens }
    }

    /// All sessions, latest first.
    ///
    /// # Errors
    /// The project cannot be asked, or nobody is signed in.
    pub async fn sessions(&self) -> Result<Vec<SessionRow>> {
        self.ask("list_sessions", &json!({})).await
    }

    /// All devices, last seen first.
    ///
    /// # Errors
    /// As [`Self::sessions`].
    pub async fn devices(&self) -> Result<Vec<DeviceSeen>> {
        self.ask("list_devices", &json!({})).await
    }

    /// Ends a session; says whether there was one.
    ///
    /// # Errors
    /// As [`Self::sessions`].
    pub async fn end_session(&self, id: Uuid) -> Result<bool> {
        let answer: Value = self.ask("end_session", &json!({ "id": id })).await?;
        Ok(answer["ended"] == true)
    }

    /// Refuses a device from its next request on, and ends its session; says whether there was one.
    ///
    /// # Errors
    /// As [`Self::sessions`].
    pub async fn revoke_device(&self, id: Uuid) -> Result<bool> {
        let answer: Value = self.ask("revoke_device", &json!({ "id": id })).await?;
        Ok(answer["revoked"] == true)
    }

    /// Deletes the account and all that is its own, on the server. What is here stays.
    ///
    /// # Errors
    /// As [`Self::sessions`]; `files_left` while Storage has files of the person.
    pub async fn delete(&self) -> Result<()> {
        let _: Value = self.ask("delete_account", &json!({})).await?;
        Ok(())
    }

    /// Lets somebody use their account, or not. For administrators.
    ///
    /// # Errors
    /// As [`Self::sessions`]; `forbidden` for everybody else.
    pub async fn set_user_state(&self, user: Uuid, state: UserState) -> Result<()> {
        let state = match state {
            UserState::Active => "active",
            UserState::Disabled => "disabled",
        };
        let arguments = json!({ "user_id": user, "state": state });
        let _: Value = self.ask("admin_set_user_state", &arguments).await?;
        Ok(())
    }

    /// Numbers about the project. For administrators.
    ///
    /// # Errors
    /// As [`Self::set_user_state`].
    pub async fn health(&self) -> Result<Value> {
        self.ask("admin_health", &json!({})).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        function: &'static str,
        arguments: &Value,
    ) -> Result<T> {
        let place = self.rest.place();
        let body = self.call(function, arguments).await.map_err(|error| error.failure(&place))?;
        body.read().map_err(|error| error.failure(&place))
    }

    async fn call(&self, function: &'static str, arguments: &Value) -> Result<Body, TokenError> {
        let token = self.tokens.access().await?.token;
        match self.rest.call(&token, function, arguments, Weight::Page).await {
            Err(error) if asks_for_another_token(&error) => {
                let token = self.tokens.renew(&token).await?.token;
                let again = self.rest.call(&token, function, arguments, Weight::Page).await;
                again.map_err(TokenError::Remote)
            }
            answer => answer.map_err(TokenError::Remote),
        }
    }
}

fn asks_for_another_token(error: &Error) -> bool {
    error.fault == Fault::Status(401) && error.service == super::error::Service::Rest
}

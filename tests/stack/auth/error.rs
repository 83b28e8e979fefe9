//! Refusals, in the two forms that the real server words them in.

use hyper::Response;
use hyper::header::HeaderValue;
use serde_json::json;

use crate::stack::call::{Body, json};

/// A refusal.
#[derive(Debug)]
pub(super) struct AuthError {
    status: u16,
    code: &'static str,
    message: String,
    /// What a password lacks.
    weak: Option<Vec<&'static str>>,
}

impl AuthError {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), weak: None }
    }

    /// Something in the request is not as it has to be.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "validation_failed", message)
    }

    /// Wrong address or wrong password: nobody is told which.
    pub(super) fn credentials() -> Self {
        Self::new(400, "invalid_credentials", "Invalid login credentials")
    }

    pub(super) fn weak_password(message: &str, reasons: Vec<&'static str>) -> Self {
        let weak = Some(reasons);
        Self { status: 422, code: "weak_password", message: message.to_owned(), weak }
    }

    pub(super) fn already_used() -> Self {
        Self::new(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
    }

    pub(super) fn refresh_token_not_found() -> Self {
        let message = "Invalid Refresh Token: Refresh Token Not Found";
        Self::new(400, "refresh_token_not_found", message)
    }

    pub(super) fn banned(status: u16) -> Self {
        Self::new(status, "user_banned", "User is banned")
    }

    pub(super) fn email_exists() -> Self {
        let message = "A user with this email address has already been registered";
        Self::new(422, "email_exists", message)
    }

    /// The code is a text in the new form and the status in the old one.
    pub(super) fn response(&self, new_form: bool) -> Response<Body> {
        let mut body = if new_form {
            json!({ "code": self.code, "message": self.message })
        } else {
            json!({ "code": self.status, "error_code": self.code, "msg": self.message })
        };
        if let Some(reasons) = &self.weak {
            body["weak_password"] = json!({ "reasons": reasons });
        }
        let mut response = json(self.status, &body);
        let headers = response.headers_mut();
        headers.insert("x-sb-error-code", HeaderValue::from_static(self.code));
        if new_form {
            headers.insert("x-supabase-api-version", HeaderValue::from_static("2024-01-01"));
        }
        response
    }
}

/// What the database says is for the log; a client hears that something failed.
impl From<tokio_postgres::Error> for AuthError {
    fn from(error: tokio_postgres::Error) -> Self {
        let said = error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
        tracing::warn!(said, "the database refused what Auth asked of it");
        Self::new(500, "unexpected_failure", "Database error querying schema")
    }
}

impl From<anyhow::Error> for AuthError {
    fn from(error: anyhow::Error) -> Self {
        tracing::warn!(?error, "Auth could not do its work");
        Self::new(500, "unexpected_failure", "Unexpected failure")
    }
}

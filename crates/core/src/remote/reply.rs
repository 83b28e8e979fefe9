//! An answer that is no success: whose it is, and which code it carries.
//!
//! Each server has shapes of its own, and two of them more than one. Auth's `code` is a number in
//! its old form and a word in its new one; our functions' codes come in PostgREST's `message` beside
//! the SQLSTATE `PT<status>`; what has no code comes from the gateway before them.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::error::{Error, Fault, Service, Weakness};

/// No code of any server is longer.
const MAX_CODE: usize = 64;

/// An answer with an error's status.
pub(super) struct Reply<'a> {
    pub(super) service: Service,
    pub(super) status: u16,
    /// Whether it calls itself a web page.
    pub(super) html: bool,
    pub(super) body: &'a [u8],
}

/// All shapes at once. Fields of the wrong type are as good as none.
#[derive(Deserialize, Default)]
struct Body {
    #[serde(default)]
    code: Value,
    #[serde(default)]
    error_code: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    msg: Value,
    #[serde(default)]
    weak_password: Value,
}

impl Reply<'_> {
    /// The error that it is.
    pub(super) fn error(&self) -> Error {
        if let Some(error) = self.in_between() {
            return error;
        }
        let body: Body = serde_json::from_slice(self.body).unwrap_or_default();
        let code = body.code().map(str::to_owned);
        let mut error = Error::status(self.whose(code.as_deref()), self.status, code.as_deref());
        error.weak = body.weaknesses();
        error.retry_after = body.only_after(&error);
        error
    }

    /// What answers in the project's place: a page to sign in to a network, a page that says the
    /// project is paused.
    fn in_between(&self) -> Option<Error> {
        let portal = Error::silent(self.service, Fault::Portal);
        match self.status {
            300..400 | 407 | 511 => Some(portal),
            200..300 => Some(portal),
            540 => Some(self.paused()),
            503 if says_paused(self.body) => Some(self.paused()),
            // These pages are a gateway's own and mean what they say; others no server of the project
            // sends.
            413 | 429 | 500.. => None,
            _ if self.html => Some(portal),
            _ => None,
        }
    }

    fn paused(&self) -> Error {
        Error::status(Service::Gateway, self.status, Some("project_paused"))
    }

    fn whose(&self, code: Option<&str>) -> Service {
        match (self.status, code) {
            (401 | 403 | 404, None) => Service::Gateway,
            _ => self.service,
        }
    }
}

impl Body {
    fn code(&self) -> Option<&str> {
        let word = |value| Value::as_str(value).filter(|code| is_code(code));
        // The old form's number says no more than the status.
        let code =
            word(&self.error_code).or_else(|| word(&self.code)).or_else(|| word(&self.error))?;
        match code.strip_prefix("PT") {
            Some(status) if status.len() == 3 => word(&self.message).or(Some(code)),
            _ => Some(code),
        }
    }

    fn weaknesses(&self) -> Vec<Weakness> {
        let reasons = self.weak_password["reasons"].as_array();
        reasons.into_iter().flatten().filter_map(Value::as_str).filter_map(weakness).collect()
    }

    /// "… you can only request this after 42 seconds.": Auth sends no header for it.
    fn only_after(&self, error: &Error) -> Option<Duration> {
        if error.code() != "over_email_send_rate_limit" {
            return None;
        }
        let text = self.message.as_str().or(self.msg.as_str())?;
        let seconds = text.split_whitespace().find_map(|word| word.parse::<u32>().ok())?;
        Some(Duration::from_secs(u64::from(seconds).min(3600)))
    }
}

fn weakness(reason: &str) -> Option<Weakness> {
    match reason {
        "length" => Some(Weakness::Length),
        "characters" => Some(Weakness::Characters),
        "pwned" => Some(Weakness::Stolen),
        _ => None,
    }
}

fn is_code(code: &str) -> bool {
    (1..=MAX_CODE).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The page in place of a paused project. There is no code in it: the words are all there is.
fn says_paused(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    text.contains("project") && text.contains("paused")
}

#[cfg(test)]
mod tests {
    use super::Service::{Auth, Gateway, Realtime, Rest};
    use super::*;

    fn read(service: Service, status: u16, body: &str) -> Error {
        let html = body.trim_start().starts_with('<');
        Reply { service, status, html, body: body.as_bytes() }.error()
    }

    #[test]
    fn every_shape_of_error_gives_its_code() {
        let table = [
            // Auth, new form, old form, OAuth's, and Postgres' through Auth.
            (
                Auth,
                400,
                r#"{"code":"invalid_credentials","message":"Invalid login credentials"}"#,
                Auth,
                "invalid_credentials",
            ),
            (
                Auth,
                400,
                r#"{"code":400,"error_code":"invalid_credentials","msg":"Invalid login"}"#,
                Auth,
                "invalid_credentials",
            ),
            (
                Auth,
                400,
                r#"{"error":"invalid_grant","error_description":"x"}"#,
                Auth,
                "invalid_grant",
            ),
            (Auth, 500, r#"{"code":"23505","message":"m","hint":"","detail":""}"#, Auth, "23505"),
            (Auth, 403, r#"{"code":"bad_jwt","message":"invalid JWT"}"#, Auth, "bad_jwt"),
            // PostgREST's own, Postgres' through it, and our functions'.
            (
                Rest,
                401,
                r#"{"code":"PGRST303","details":null,"hint":null,"message":"JWT expired"}"#,
                Rest,
                "PGRST303",
            ),
            (
                Rest,
                404,
                r#"{"code":"PGRST202","details":null,"hint":null,"message":"Could not find"}"#,
                Rest,
                "PGRST202",
            ),
            (
                Rest,
                403,
                r#"{"code":"42501","details":null,"hint":null,"message":"permission denied"}"#,
                Rest,
                "42501",
            ),
            (
                Rest,
                500,
                r#"{"code":"40001","details":null,"hint":null,"message":"could not serialize"}"#,
                Rest,
                "40001",
            ),
            (
                Rest,
                403,
                r#"{"code":"PT403","details":null,"hint":null,"message":"device_revoked"}"#,
                Rest,
                "device_revoked",
            ),
            (
                Rest,
                400,
                r#"{"code":"PT400","details":null,"hint":null,"message":"schema_too_old"}"#,
                Rest,
                "schema_too_old",
            ),
            (Rest, 400, r#"{"code":"PT400","message":"a sentence and no code"}"#, Rest, "PT400"),
            // The gateway's.
            (Rest, 401, r#"{"message":"Invalid authentication credentials"}"#, Gateway, ""),
            (Auth, 401, r#"{"message":"No API key found in request"}"#, Gateway, ""),
            (
                Rest,
                401,
                r#"{"message":"Invalid API key","hint":"Double check your Supabase `anon` key."}"#,
                Gateway,
                "",
            ),
            (Rest, 404, r#"{"message":"no Route matched with those values"}"#, Gateway, ""),
            (Auth, 404, "404 page not found", Gateway, ""),
            (Realtime, 401, r#"{"error":"Token has expired"}"#, Gateway, ""),
            (Rest, 502, "<html>Bad gateway", Rest, ""),
            (Rest, 429, "", Rest, ""),
            // nginx before a self-hosted project has a page for it, and still means it.
            (Rest, 413, "<html>Request Entity Too Large", Rest, ""),
        ];
        for (service, status, body, whose, code) in table {
            let error = read(service, status, body);
            assert_eq!((error.service, error.code()), (whose, code), "{status} {body}");
            assert_eq!(error.fault, Fault::Status(status), "{status} {body}");
        }
    }

    #[test]
    fn what_stands_in_between_is_no_answer_of_the_project() {
        let page = "<!doctype html><title>Welcome to the hotel</title>";
        for (status, body) in
            [(302, ""), (307, ""), (511, page), (407, page), (403, page), (404, page)]
        {
            assert_eq!(read(Rest, status, body).fault, Fault::Portal, "{status}");
        }
        for status in [500, 502, 503, 522] {
            assert_eq!(read(Rest, status, page).fault, Fault::Status(status), "{status}");
        }
    }

    #[test]
    fn a_paused_project_is_known_by_status_or_page() {
        for (status, body) in [
            (540, ""),
            (540, r#"{"message":"Project paused"}"#),
            (503, "<html><h1>This project is paused</h1>"),
        ] {
            let error = read(Rest, status, body);
            assert_eq!(
                (error.service, error.code()),
                (Gateway, "project_paused"),
                "{status} {body}"
            );
        }
        assert_eq!(read(Rest, 503, "<html>Service Unavailable").code(), "");
    }

    #[test]
    fn a_weak_password_says_why() {
        let body = r#"{"code":"weak_password","message":"m","weak_password":{"reasons":["length","new_one","pwned"]}}"#;
        assert_eq!(read(Auth, 422, body).weak, [Weakness::Length, Weakness::Stolen]);
    }

    #[test]
    fn the_seconds_to_wait_stand_in_the_message() {
        let body = r#"{"code":"over_email_send_rate_limit","message":"For security purposes, you can only request this after 42 seconds."}"#;
        assert_eq!(read(Auth, 429, body).retry_after, Some(Duration::from_secs(42)));
        let other =
            r#"{"code":"over_request_rate_limit","message":"Request rate limit reached 1"}"#;
        assert_eq!(read(Auth, 429, other).retry_after, None);
    }

    #[test]
    fn nothing_a_server_wrote_comes_through_but_a_code() {
        for body in [
            r#"{"code":"Bearer planted-token","message":"planted"}"#,
            r#"{"error":"planted token in a sentence"}"#,
            r#"{"code":"PT403","message":"planted in a sentence"}"#,
            r#"{"code":{"planted":1},"message":["planted"]}"#,
            "planted",
            "[1,2",
        ] {
            let error = read(Rest, 400, body);
            assert!(!format!("{error:?} {error}").contains("planted"), "{body}");
        }
    }
}

//! A Supabase project, as a person pasted it: where it is, and the key that every client of it has.
//!
//! Accepted is the project's own address: https, or http on this computer alone, because tokens and
//! conversations would cross a network readable. An address with a path, a password or a question
//! mark is another one than asked for, and what people paste instead (the dashboard's, the
//! database's) has a sentence of its own. A key that may do everything is refused: it belongs on no
//! person's computer.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use url::{Host, Url};

use crate::error::{Code, Failure};
use crate::providers::secret::Secret;

/// The longest address and key that are read at all.
const MAX_CHARS: usize = 4096;

/// Where a project is and what key opens its door. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Project {
    origin: Origin,
    key: Secret,
    ca_file: Option<PathBuf>,
}

impl Project {
    /// Reads address and key as a person pasted them.
    ///
    /// # Errors
    /// A sentence for each thing that is not an address or not a client's key.
    pub fn parse(address: &str, key: &str) -> Result<Self, Failure> {
        let origin = Origin::parse(address)?;
        Ok(Self { key: client_key(key, &origin)?, origin, ca_file: None })
    }

    /// Reads address and service role key, for the one command of an administrator that needs it. Such a
    /// key is never stored.
    ///
    /// # Errors
    /// As [`Self::parse`]; and where the key is one of a client.
    pub(super) fn administered(address: &str, key: &str) -> Result<Self, Failure> {
        let (origin, key) = (Origin::parse(address)?, Secret::new(key));
        let role = claims(key.expose()).and_then(|claims| claims.role);
        let is_service =
            key.expose().starts_with("sb_secret_") || role.as_deref() == Some("service_role");
        match is_service {
            true => Ok(Self { origin, key, ca_file: None }),
            false => Err(may_too_little()),
        }
    }

    /// Trusts the authorities of this file beside the system's.
    pub fn trusting(mut self, ca_file: Option<PathBuf>) -> Self {
        self.ca_file = ca_file;
        self
    }

    /// The address as it is stored and shown: `https://host`, with a port where it is unusual.
    pub fn url(&self) -> String {
        self.origin.to_string()
    }

    /// Host and, where it is not the usual one, port: what a sentence names.
    pub fn place(&self) -> String {
        self.origin.place()
    }

    /// The key that every client of the project has. It is no secret, and still not printed.
    pub fn key(&self) -> &Secret {
        &self.key
    }

    /// The address of an endpoint, such as `/rest/v1/rpc/sync_pull`, always on the project's origin.
    pub(crate) fn join(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = self.origin.0.clone();
        url.set_path(path);
        url.set_query(query);
        url
    }

    pub(crate) fn ca_file(&self) -> Option<&PathBuf> {
        self.ca_file.as_ref()
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.origin.0.host().is_some_and(is_loopback)
    }
}

/// Two clients of one project are the same client, whatever authorities they trust.
impl PartialEq for Project {
    fn eq(&self, other: &Self) -> bool {
        self.origin == other.origin && self.key.expose() == other.key.expose()
    }
}

/// Scheme, host and port, and nothing else.
#[derive(Clone, PartialEq, Eq)]
struct Origin(Url);

impl Origin {
    fn parse(typed: &str) -> Result<Self, Failure> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(no_address());
        }
        if typed.len() > MAX_CHARS || typed.starts_with("sb_") || claims(typed).is_some() {
            return Err(unusable());
        }
        let url = Url::parse(&with_scheme(typed)).map_err(|_| unusable())?;
        checked(&url)?;
        Self::of(&url).ok_or_else(unusable)
    }

    fn of(url: &Url) -> Option<Self> {
        let mut origin = Url::parse(&url.origin().ascii_serialization()).ok()?;
        origin.set_path("/");
        Some(Self(origin))
    }

    fn place(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

fn with_scheme(typed: &str) -> String {
    if typed.contains("://") {
        return typed.to_owned();
    }
    let secure = format!("https://{typed}");
    let here = Url::parse(&secure).is_ok_and(|url| url.host().is_some_and(is_loopback));
    if here { format!("http://{typed}") } else { secure }
}

fn checked(url: &Url) -> Result<(), Failure> {
    let host = url.host().ok_or_else(unusable)?;
    match url.scheme() {
        "postgres" | "postgresql" => return Err(a_database()),
        "https" => {}
        "http" if is_loopback(host) => {}
        "http" => return Err(readable_by_all()),
        _ => return Err(unusable()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(carries_a_password());
    }
    if matches!(url.host_str(), Some("supabase.com" | "www.supabase.com" | "app.supabase.com")) {
        return Err(the_dashboard(url));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(has_a_path(url));
    }
    Ok(())
}

fn is_loopback(host: Host<&str>) -> bool {
    match host {
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.to_ipv4_mapped().map_or(ip.is_loopback(), |ip| ip.is_loopback()),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

/// What stands in a key that is a token. Not verified: it only sorts what a person pasted.
#[derive(Deserialize)]
struct Claims {
    role: Option<String>,
    #[serde(rename = "ref")]
    project: Option<String>,
}

fn claims(key: &str) -> Option<Claims> {
    let mut parts = key.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = URL_SAFE_NO_PAD.decode(payload).ok().filter(|_| parts.next().is_none())?;
    serde_json::from_slice(&payload).ok()
}

fn client_key(typed: &str, origin: &Origin) -> Result<Secret, Failure> {
    let key = Secret::new(typed);
    let text = key.expose();
    if text.is_empty() {
        return Err(no_key());
    }
    if text.starts_with("sb_secret_") || text.starts_with("sbp_") {
        return Err(may_do_everything());
    }
    if text.len() > MAX_CHARS || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(no_key_looks_so());
    }
    match claims(text) {
        Some(claims) => of_a_client(&claims, origin)?,
        None if text.contains("://") => return Err(no_key_looks_so()),
        None => {}
    }
    Ok(key)
}

fn of_a_client(claims: &Claims, origin: &Origin) -> Result<(), Failure> {
    match claims.role.as_deref() {
        Some("service_role" | "supabase_admin" | "postgres") => return Err(may_do_everything()),
        Some("authenticated") => return Err(a_persons_token()),
        _ => {}
    }
    // Only Supabase's own hosts are named after the project.
    let host = origin.0.host_str().unwrap_or_default();
    let hosted = host.strip_suffix(".supabase.co");
    match (hosted, claims.project.as_deref()) {
        (Some(host), Some(project)) if host != project => Err(of_another_project()),
        _ => Ok(()),
    }
}

fn invalid(message: &str, hint: impl Into<String>) -> Failure {
    Failure::new(Code::InvalidInput, message).hint(hint)
}

fn no_address() -> Failure {
    invalid("There is no project address.", "It looks like https://example.supabase.co.")
}

fn unusable() -> Failure {
    invalid(
        "This is not the address of a Supabase project.",
        "It looks like https://example.supabase.co; the project's API settings show it.",
    )
}

fn readable_by_all() -> Failure {
    invalid(
        "Plain http would send your conversations readable over the network. Nothing was sent.",
        "Use https; plain http works for a project on this computer only.",
    )
}

fn carries_a_password() -> Failure {
    invalid(
        "The address contains a user name or a password. It was not kept.",
        "Enter the address alone; you sign in with your e-mail address.",
    )
}

fn a_database() -> Failure {
    invalid(
        "This is the address of a database, and it may contain its password. It was not kept.",
        "Enter the project's https address; the project's API settings show it.",
    )
}

fn the_dashboard(url: &Url) -> Failure {
    let reference = url.path().split('/').skip_while(|part| *part != "project").nth(1);
    let reference = reference.filter(|part| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    });
    let hint = match reference {
        Some(reference) => format!("The project's is https://{reference}.supabase.co."),
        None => "The project's API settings show the project's own.".to_owned(),
    };
    invalid("This is the address of the Supabase dashboard and not of a project.", hint)
}

fn has_a_path(url: &Url) -> Failure {
    let origin = Origin::of(url).map(|origin| origin.to_string()).unwrap_or_default();
    invalid("The address goes on after the project's host.", format!("Enter {origin} alone."))
}

fn no_key() -> Failure {
    invalid("There is no project key.", "Enter the anon or publishable key of the project.")
}

fn no_key_looks_so() -> Failure {
    invalid(
        "This is not a project key. Nothing was sent.",
        "Copy the anon or publishable key from the project's API settings.",
    )
}

fn may_do_everything() -> Failure {
    invalid(
        "This key may read and change everything in the project. It was neither kept nor sent.",
        "Enter the anon or publishable key; replace this one if others have seen it.",
    )
}

fn may_too_little() -> Failure {
    invalid(
        "This key may not write on others' behalf.",
        "Take the service role or secret key from the project's API settings; it is not kept.",
    )
}

fn a_persons_token() -> Failure {
    invalid(
        "This is somebody's sign-in token and not the project's key. It was not kept.",
        "Enter the anon or publishable key of the project.",
    )
}

fn of_another_project() -> Failure {
    invalid(
        "The key belongs to another project than the address.",
        "Copy both from the API settings of one project.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("eyJhbGciOiJIUzI1NiJ9.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(payload))
    }

    fn anon() -> String {
        token(r#"{"role":"anon"}"#)
    }

    fn refused(address: &str, key: &str) -> String {
        let failure = Project::parse(address, key).expect_err("refused");
        assert_eq!(failure.code, Code::InvalidInput, "{address} {key}");
        assert!(failure.hint.is_some(), "says what to do: {address} {key}");
        failure.message
    }

    #[test]
    fn what_people_paste_becomes_one_address() {
        let table = [
            ("https://abc.supabase.co", "https://abc.supabase.co"),
            ("  https://ABC.supabase.co/ \n", "https://abc.supabase.co"),
            ("abc.supabase.co", "https://abc.supabase.co"),
            ("https://abc.supabase.co:443", "https://abc.supabase.co"),
            ("https://chat.example.com:8443/", "https://chat.example.com:8443"),
            ("http://127.0.0.1:54321", "http://127.0.0.1:54321"),
            ("localhost:54321", "http://localhost:54321"),
            ("http://[::1]:54321", "http://[::1]:54321"),
        ];
        for (typed, expected) in table {
            let project = Project::parse(typed, &anon()).expect("usable");
            assert_eq!(project.url(), expected, "{typed}");
        }
    }

    #[test]
    fn every_wrong_address_has_its_sentence() {
        let table = [
            ("", "There is no project address."),
            ("what is this", "This is not the address"),
            ("ftp://abc.supabase.co", "This is not the address"),
            ("javascript:alert(1)", "This is not the address"),
            ("sb_publishable_abc", "This is not the address"),
            ("http://abc.supabase.co", "Plain http"),
            ("http://192.168.1.4:8000", "Plain http"),
            ("http://169.254.169.254", "Plain http"),
            ("http://localhost.example.com", "Plain http"),
            ("https://ann:secret@abc.supabase.co", "The address contains a user name"),
            (
                "postgresql://postgres:secret@db.abc.supabase.co:5432/postgres",
                "This is the address of a database",
            ),
            (
                "https://supabase.com/dashboard/project/abc/settings/api",
                "This is the address of the Supabase dashboard",
            ),
            ("https://abc.supabase.co/rest/v1/", "The address goes on"),
            ("https://abc.supabase.co/?apikey=1", "The address goes on"),
            ("https://abc.supabase.co/#x", "The address goes on"),
        ];
        for (typed, expected) in table {
            assert!(refused(typed, &anon()).starts_with(expected), "{typed}");
        }
        assert!(refused(&anon(), &anon()).starts_with("This is not the address"), "swapped");
    }

    #[test]
    fn the_hint_names_the_address_that_was_meant() {
        let hint =
            |typed: &str| Project::parse(typed, &anon()).expect_err("refused").hint.expect("one");
        assert_eq!(hint("https://abc.supabase.co/rest/v1"), "Enter https://abc.supabase.co alone.");
        let dashboard = hint("https://supabase.com/dashboard/project/abcdefgh");
        assert_eq!(dashboard, "The project's is https://abcdefgh.supabase.co.");
    }

    #[test]
    fn only_a_clients_key_is_taken() {
        let url = "https://abc.supabase.co";
        for key in [&anon(), "sb_publishable_0123", &token(r#"{"role":"anon","ref":"abc"}"#)] {
            assert!(Project::parse(url, key).is_ok(), "{key}");
        }
        let table = [
            (String::new(), "There is no project key."),
            ("sb_secret_0123".to_owned(), "This key may read and change everything"),
            ("sbp_0123".to_owned(), "This key may read and change everything"),
            (token(r#"{"role":"service_role"}"#), "This key may read and change everything"),
            (token(r#"{"role":"authenticated"}"#), "This is somebody's sign-in token"),
            (token(r#"{"role":"anon","ref":"xyz"}"#), "The key belongs to another project"),
            ("two words".to_owned(), "This is not a project key"),
            ("https://abc.supabase.co".to_owned(), "This is not a project key"),
            ("k\u{e9}y".to_owned(), "This is not a project key"),
        ];
        for (key, expected) in table {
            assert!(refused(url, &key).starts_with(expected), "{key}");
        }
    }

    #[test]
    fn no_endpoint_leaves_the_project() {
        let project = Project::parse("https://abc.supabase.co", &anon()).expect("usable");
        for path in ["//evil.example.com/x", "/../../x", "https://evil.example.com", "\\\\evil"] {
            assert_eq!(project.join(path, None).host_str(), Some("abc.supabase.co"), "{path}");
        }
    }

    #[test]
    fn neither_key_nor_refused_input_is_printed() {
        let project = Project::parse("https://abc.supabase.co", "sb_publishable_planted");
        assert!(!format!("{project:?}").contains("planted"));
        let failure = Project::parse("https://u:planted@x.supabase.co", "sb_secret_planted");
        assert!(!format!("{failure:?}").contains("planted"));
    }
}

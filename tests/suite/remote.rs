//! The way to a Supabase project: what is sent, what is believed, what is refused.

#[cfg(unix)]
mod accounts;
#[cfg(unix)]
mod doorbell;
mod hostile;
mod server;
mod sessions;
#[cfg(unix)]
mod stack;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tidemark_core::clock::ManualClock;
use tidemark_core::providers::secret::Secret;
use tidemark_core::remote::{
    Auth, Error, Fault, Link, Patience, Project, Rest, Service, SessionStore, StoreError,
    TokenError, Tokens, Weight,
};
use zeroize::Zeroizing;

use server::{Answer, Asked, Server};

const KEY: &str = "sb_publishable_0123456789";
const ANN: &str = "00000000-0000-4000-8000-000000000001";
const BOB: &str = "00000000-0000-4000-8000-000000000002";
const NOW: i64 = 1_790_000_000_000;

/// Short enough for a test, long enough for a busy machine.
fn hasty() -> Patience {
    Patience {
        connect: Duration::from_secs(5),
        idle: Duration::from_secs(1),
        short: Duration::from_secs(2),
        page: Duration::from_secs(10),
    }
}

fn link(url: &str) -> Link {
    Link::new(Project::parse(url, KEY).expect("a project"), hasty())
}

async fn called(server: &Server) -> Result<String, Error> {
    let token = Secret::new("token-planted");
    let rest = Rest::new(link(server.url()));
    let body = rest.call(&token, "sync_pull", &json!({ "max": 1 }), Weight::Page).await?;
    Ok(String::from_utf8_lossy(body.bytes()).into_owned())
}

/// The answer of a sign-in or refresh.
fn pair(access: &str, refresh: &str, user: &str, expires_in: u64) -> Answer {
    let body = json!({
        "access_token": access, "token_type": "bearer", "expires_in": expires_in,
        "refresh_token": refresh,
        "user": { "id": user, "email": "ann@example.com", "aud": "authenticated" },
    });
    Answer::json(200, body.to_string())
}

fn refused(status: u16, code: &str) -> Answer {
    Answer::json(status, json!({ "code": code, "message": "in the server's words" }).to_string())
        .header("x-supabase-api-version", "2024-01-01")
}

/// Keeps a session in memory, and fails where a test says so.
#[derive(Debug, Default)]
struct Drawer {
    kept: Mutex<Option<String>>,
    full: AtomicBool,
}

impl Drawer {
    fn kept(&self) -> Option<String> {
        self.kept.lock().expect("no test panics in here").clone()
    }
}

impl SessionStore for Drawer {
    fn load(&self) -> Result<Option<Zeroizing<String>>, StoreError> {
        Ok(self.kept().map(Zeroizing::new))
    }

    fn save(&self, text: &str) -> Result<(), StoreError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(StoreError("it is full".into()));
        }
        *self.kept.lock().expect("as above") = Some(text.to_owned());
        Ok(())
    }

    fn clear(&self) -> Result<(), StoreError> {
        *self.kept.lock().expect("as above") = None;
        Ok(())
    }
}

/// A device with a session of an hour, and Auth behind it that refreshes by this script.
struct Device {
    server: Server,
    drawer: Arc<Drawer>,
    clock: Arc<ManualClock>,
    tokens: Tokens,
}

impl Device {
    async fn signed_in(
        refresh: impl Fn(usize, &Asked) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let count = AtomicUsize::new(0);
        let server = Server::start(move |asked| match asked.line.contains("grant_type=password") {
            true => Some(pair("access-0", "refresh-0", ANN, 3600)),
            false => refresh(count.fetch_add(1, Ordering::SeqCst), asked),
        })
        .await;
        let (drawer, clock) = (Arc::<Drawer>::default(), ManualClock::at(NOW));
        let tokens = holder(&server, &drawer, &clock);
        let session = tokens.auth().sign_in("ann@example.com", &Secret::new("hunter2")).await;
        tokens.adopt(session.expect("signed in")).await.expect("kept");
        Self { server, drawer, clock, tokens }
    }

    /// Another process on the same data folder.
    fn another_process(&self) -> Tokens {
        holder(&self.server, &self.drawer, &self.clock)
    }

    fn an_hour_later(&self) {
        self.clock.advance(3_600_000);
    }

    fn refreshes(&self) -> usize {
        let asked = self.server.asked();
        asked.iter().filter(|asked| asked.line.contains("grant_type=refresh_token")).count()
    }
}

fn holder(server: &Server, drawer: &Arc<Drawer>, clock: &Arc<ManualClock>) -> Tokens {
    let auth = Auth::new(link(server.url()), clock.clone());
    Tokens::new(auth, drawer.clone())
}

#[tokio::test]
async fn every_request_names_the_client_and_only_a_call_of_the_users_carries_a_token() {
    let server = Server::saying(Answer::json(200, "{}")).await;
    called(&server).await.expect("answered");
    let _ = Auth::new(link(server.url()), ManualClock::at(NOW)).recover("ann@example.com").await;
    let asked = server.asked();
    assert!(asked[0].line.starts_with("POST /rest/v1/rpc/sync_pull HTTP/1.1"), "{asked:?}");
    assert_eq!(asked[0].header("authorization"), Some("Bearer token-planted"));
    assert_eq!(asked[0].header("accept-encoding"), Some("gzip"));
    assert_eq!(asked[1].header("authorization"), None);
    assert_eq!(asked[1].header("x-supabase-api-version"), Some("2024-01-01"));
    for asked in &asked {
        assert_eq!(asked.header("apikey"), Some(KEY));
        assert!(asked.header("user-agent").is_some_and(|agent| agent.starts_with("Tidemark/")));
        assert!(asked.header("x-client-info").is_some());
    }
}

#[tokio::test]
async fn a_gateway_that_does_not_know_the_key_is_told_apart_from_an_ended_token() {
    let server = Server::saying(Answer::json(401, r#"{"message":"Invalid API key"}"#)).await;
    let error = called(&server).await.expect_err("refused");
    assert_eq!((error.service, error.fault), (Service::Gateway, Fault::Status(401)));
    let body = r#"{"code":"PGRST303","details":null,"hint":null,"message":"JWT expired"}"#;
    let error = called(&Server::saying(Answer::json(401, body)).await).await.expect_err("refused");
    assert_eq!((error.service, error.code()), (Service::Rest, "PGRST303"));
}

#[tokio::test]
async fn silence_and_absence_are_told_apart() {
    let hanging = Server::start(|_| None).await;
    let auth = Auth::new(link(hanging.url()), ManualClock::at(NOW));
    assert_eq!(auth.recover("a@b").await.expect_err("silent").fault, Fault::TimedOut);
    let nobody = link("http://127.0.0.1:1");
    let auth = Auth::new(nobody, ManualClock::at(NOW));
    assert_eq!(auth.recover("a@b").await.expect_err("absent").fault, Fault::Unreachable);
}

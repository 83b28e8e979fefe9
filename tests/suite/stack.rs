//! The stack that other suites stand on: that it is what it stands in for, fails as it is told to,
//! and leaves nothing behind.

mod conformance;
mod ending;
mod faults;
mod restoring;
mod rights;
mod tokens;

use std::path::Path;

use serde_json::{Value, json};
use tidemark_tests::stack::{Options, Stack};

/// The folder of the official clients.
fn conformance() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/conformance"))
}

/// Without our migrations: what is tested here stands below them.
fn bare() -> Options {
    Options::quick().bare()
}

/// With the table and the topics that the conformance suite works on.
fn with_fixture(options: Options) -> Stack {
    let stack = Stack::start(options).expect("a stack starts");
    stack.apply(&[conformance().join("fixture.sql")]).expect("the fixture is applied");
    stack
}

/// A client that never asks twice by itself.
fn http() -> reqwest::Client {
    // Nothing here is encrypted; the client asks for a provider all the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .retry(reqwest::retry::never())
        .timeout(std::time::Duration::from_secs(20))
        .build()
        .expect("a client")
}

/// Status and body of an answer.
struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }
}

/// Asks the stack with a key, and as a user where a token is given.
async fn ask(stack: &Stack, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
    let client = http();
    let url = format!("{}{path}", stack.url());
    let mut request = match &body {
        Some(body) => client.post(url).json(body),
        None => client.get(url),
    };
    request = request.header("apikey", stack.anon_key());
    request = request.header("x-supabase-api-version", "2024-01-01");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    Answer { status, body: response.json().await.unwrap_or_default() }
}

async fn sign_up(stack: &Stack, name: &str) -> Answer {
    let body = json!({ "email": format!("{name}@example.org"), "password": "of this test" });
    let answer = ask(stack, "/auth/v1/signup", None, Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

/// A connection to the database.
async fn database(url: &str) -> tokio_postgres::Client {
    let (client, connection) =
        tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("the database answers");
    tokio::spawn(connection);
    client
}

async fn count(client: &tokio_postgres::Client, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    client.query_one(&sql, &[]).await.expect("a count").get(0)
}

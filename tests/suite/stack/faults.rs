//! Faults on purpose: what the client sees, and what the server did all the same.

use serde_json::{Value, json};
use tidemark_tests::stack::{Fault, Plan, Rule, Stack};

use super::{bare, count, database, http, sign_up, with_fixture};

/// A stack, somebody in it, and a write that can be counted.
struct Writer {
    stack: Stack,
    token: String,
    database: tokio_postgres::Client,
}

impl Writer {
    async fn new() -> Self {
        let stack = tokio::task::block_in_place(|| with_fixture(bare()));
        let token = sign_up(&stack, "ann").await.text("access_token").to_owned();
        let database = database(&stack.superuser_url()).await;
        Self { stack, token, database }
    }

    /// The next write meets this.
    fn meets(&self, fault: Fault) {
        let rules = vec![Rule::of(fault).on("/conformance_notes").times(1)];
        self.stack.set_faults(Plan { rules, ..Plan::default() });
    }

    async fn write(&self) -> reqwest::Result<(u16, String)> {
        let response = http()
            .post(format!("{}/rest/v1/conformance_notes", self.stack.url()))
            .header("apikey", self.stack.anon_key())
            .header("prefer", "return=representation")
            .bearer_auth(&self.token)
            .json(&json!({ "body": "a note of some length ".repeat(20) }))
            .send()
            .await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    async fn rows(&self) -> i64 {
        count(&self.database, "public.conformance_notes").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_request_writes_nothing_and_a_lost_response_has_written() {
    let ann = Writer::new().await;
    let cases = [
        (Fault::ResetBefore, 0),
        (Fault::LostResponse, 1),
        (Fault::ResetIn, 1),
        (Fault::Truncated, 1),
    ];
    for (fault, written) in cases {
        let before = ann.rows().await;
        ann.meets(fault.clone());
        assert!(ann.write().await.is_err(), "{fault:?} went through");
        assert_eq!(ann.rows().await - before, written, "{fault:?}");
        assert_eq!(ann.write().await.expect("the fault is used up").0, 201, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_twice_writes_twice_and_is_answered_once() {
    let ann = Writer::new().await;
    ann.meets(Fault::Duplicate);
    assert_eq!(ann.write().await.expect("an answer").0, 201);
    assert_eq!(ann.rows().await, 2);
    ann.meets(Fault::ResetAfter);
    assert_eq!(ann.write().await.expect("a whole answer").0, 201);
    assert_eq!(ann.rows().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_may_answer_and_the_server_knows_nothing_of_it() {
    let ann = Writer::new().await;
    ann.meets(Fault::CaptivePortal);
    let (status, body) = ann.write().await.expect("an answer");
    assert!(status == 200 && body.starts_with("<!doctype html>"), "{status} {body}");
    let text = r#"{"code":"40001"}"#.to_owned();
    let content_type = "application/json".to_owned();
    ann.meets(Fault::Status { status: 500, body: text.clone(), content_type });
    assert_eq!(ann.write().await.expect("an answer"), (500, text));
    assert_eq!(ann.rows().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_line_takes_its_time_and_loses_nothing() {
    let ann = Writer::new().await;
    ann.meets(Fault::Slow { bytes_per_second: 1_000 });
    let started = std::time::Instant::now();
    let (_, body) = ann.write().await.expect("an answer");
    let row: Value = serde_json::from_str(&body).expect("whole JSON");
    assert_eq!(row[0]["body"].as_str().map(str::len), Some(440));
    assert!(started.elapsed().as_millis() > 400, "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_compressed_for_who_takes_that_and_says_the_same() {
    let ann = Writer::new().await;
    for _ in 0..8 {
        ann.write().await.expect("an answer");
    }
    let client = reqwest::Client::builder().no_proxy().no_gzip().build().expect("a client");
    let read = async |encoding: &str| {
        let request = client.get(format!("{}/rest/v1/conformance_notes", ann.stack.url()));
        let request = request.header("apikey", ann.stack.anon_key()).bearer_auth(&ann.token);
        let response = request.header("accept-encoding", encoding).send().await.expect("an answer");
        let gzip = response.headers().get("content-encoding").is_some();
        (gzip, response.bytes().await.expect("a body"))
    };
    let (is_plain, is_gzip) = (read("identity").await, read("gzip").await);
    assert_eq!((is_plain.0, is_gzip.0), (false, true));
    let mut text = String::new();
    let mut gzip = flate2::read::GzDecoder::new(&is_gzip.1[..]);
    std::io::Read::read_to_string(&mut gzip, &mut text).expect("gzip");
    assert_eq!(text.as_bytes(), is_plain.1);
    assert!(is_gzip.1.len() * 3 < text.len(), "{} of {}", is_gzip.1.len(), text.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_is_down_refuses_and_comes_back_where_it_was() {
    let ann = Writer::new().await;
    ann.stack.down();
    let refused = async {
        loop {
            match ann.write().await {
                Err(error) if error.is_connect() => return,
                _ => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), refused).await.expect("it refuses");
    ann.stack.up();
    let taken = async {
        while ann.write().await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), taken).await.expect("it takes again");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_fault_by_a_seed_leaves_the_stack_working() {
    let seed = tidemark_tests::faults::seed();
    let ann = Writer::new().await;
    ann.stack.set_faults(Plan::any(seed, 2));
    let mut failed = 0;
    for _ in 0..60 {
        failed += u32::from(!matches!(ann.write().await, Ok((201, _))));
    }
    assert!(failed > 5, "TIDEMARK_SEED={seed}: only {failed} of 60 failed");
    ann.stack.set_faults(Plan::default());
    let before = ann.rows().await;
    assert_eq!(ann.write().await.expect("an answer").0, 201, "TIDEMARK_SEED={seed}");
    assert_eq!(ann.rows().await, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_set_from_outside_with_the_service_roles_key_alone() {
    let ann = Writer::new().await;
    let set = async |key: &str| {
        let plan =
            json!({ "rules": [{ "path": "/rest/", "fault": { "kind": "captive-portal" } }] });
        let request = http().post(format!("{}/__stack/faults", ann.stack.url()));
        let request = request.header("apikey", key).json(&plan);
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(set(ann.stack.anon_key()).await, 403);
    assert_eq!(ann.write().await.expect("an answer").0, 201);
    assert_eq!(set(ann.stack.service_role_key()).await, 204);
    assert_eq!(ann.write().await.expect("an answer").0, 200);
}

//! The calls as a device makes them: over HTTP, through PostgREST, with a token.

use serde_json::{Value, json};
use tidemark_tests::stack::{Options, Stack};
use uuid::Uuid;

/// A device of a user who signed up.
struct Ann {
    stack: Stack,
    http: reqwest::Client,
    token: String,
    device: Uuid,
}

impl Ann {
    async fn new() -> Self {
        let stack = Stack::launch(Options::quick()).await.expect("a stack");
        // Installed already where another test of this process was here first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::new();
        let answer = http
            .post(format!("{}/auth/v1/signup", stack.url()))
            .header("apikey", stack.anon_key())
            .json(&json!({"email": "ann@example.org", "password": "correct horse battery"}))
            .send()
            .await
            .expect("Auth answers");
        let session: Value = answer.json().await.expect("JSON");
        let token = session["access_token"].as_str().expect("a session").to_owned();
        Self { stack, http, token, device: Uuid::now_v7() }
    }

    async fn call(&self, name: &str, arguments: Value) -> (u16, Value) {
        let answer = self
            .http
            .post(format!("{}/rest/v1/rpc/{name}", self.stack.url()))
            .header("apikey", self.stack.anon_key())
            .bearer_auth(&self.token)
            .json(&arguments)
            .send()
            .await
            .expect("PostgREST answers");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    async fn hello(&self) -> (u16, Value) {
        let device =
            json!({"id": self.device, "name": "Work-PC", "platform": "linux", "app_version": "1"});
        self.call("sync_hello", json!({"device": device, "schema": 1})).await
    }
}

fn message(n: u64, content: &str) -> Value {
    let conversation = Uuid::from_u64_pair(1, 1);
    json!({
        "n": n, "kind": "put", "tbl": "messages", "id": Uuid::from_u64_pair(2, n), "queue": conversation,
        "clocks": {}, "base": {},
        "fields": {
            "conversation_id": conversation, "parent_id": null, "continues_id": null, "role": "user",
            "content": content, "content_raw": null, "parts": null, "model": null, "state": "done",
            "tokens_in": null, "tokens_out": null, "first_token_ms": null, "cost_micros": null,
            "metadata": null, "device_id": null, "created_ms": 1_763_735_855_123_u64,
            "finished_ms": null, "trashed_ms": null
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_over_http_comes_back_in_a_pull() {
    let ann = Ann::new().await;
    let (status, hello) = ann.hello().await;
    assert_eq!((status, &hello["schema"]), (200, &json!([1, 1])), "{hello}");

    let ops: Vec<Value> = (1..=500).map(|n| message(n, &format!("№ {n} 🌊"))).collect();
    let (status, pushed) =
        ann.call("sync_push", json!({"device": ann.device, "acked_through": 0, "ops": ops})).await;
    assert_eq!(status, 200, "{pushed}");
    let outcomes = pushed["outcomes"].as_array().expect("outcomes");
    assert_eq!(outcomes.len(), 500);
    assert!(outcomes.iter().all(|outcome| outcome[1] == "applied"), "{}", outcomes[0]);

    let (status, page) = ann.call("sync_pull", json!({"after": null, "max": 2000})).await;
    assert_eq!(status, 200, "{page}");
    // A set of one document.
    let page = &page[0];
    assert_eq!(
        page["changes"].as_array().map(Vec::len),
        Some(501),
        "the device's row and 500 messages"
    );
    assert_eq!(page["cursor"]["seq"], pushed["head"]["seq"]);
    let place = page["columns"]["messages"]
        .as_array()
        .and_then(|columns| columns.iter().position(|column| column == "content"))
        .expect("a column");
    let last = page["changes"].as_array().and_then(|changes| changes.last()).expect("a change");
    assert_eq!(last[4][place], "№ 500 🌊");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_arrive_with_their_status_and_code() {
    let ann = Ann::new().await;
    let stranger = json!({"device": ann.device, "acked_through": 0, "ops": []});
    let (status, answer) = ann.call("sync_push", stranger).await;
    assert_eq!((status, &answer["message"]), (403, &json!("device_unknown")), "before a hello");
    ann.hello().await;

    let foreign = json!({"after": null, "max": 1, "scope": Uuid::now_v7()});
    let (status, answer) = ann.call("sync_pull", foreign).await;
    assert_eq!((status, &answer["message"]), (403, &json!("scope_forbidden")));

    let many: Vec<Value> = (1..=1001).map(|n| json!({ "n": n })).collect();
    let batch = json!({"device": ann.device, "acked_through": 0, "ops": many});
    let (status, answer) = ann.call("sync_push", batch).await;
    assert_eq!((status, &answer["message"]), (413, &json!("batch_too_large")));

    let batch = json!({"device": ann.device, "acked_through": 0, "ops": [message(1, "a\0b")]});
    let (status, answer) = ann.call("sync_push", batch).await;
    assert_eq!(
        (status, &answer["code"]),
        (400, &json!("22P05")),
        "U+0000 is the client's to replace"
    );

    ann.call("revoke_device", json!({"id": ann.device})).await;
    let (status, answer) = ann.call("sync_pull", json!({"after": null, "max": 1})).await;
    assert_eq!(
        (status, &answer["message"]),
        (403, &json!("device_revoked")),
        "at its next request"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_read_only_and_the_schema_of_sync_is_out_of_reach() {
    let ann = Ann::new().await;
    ann.hello().await;
    let row = json!({"user_id": Uuid::nil(), "id": Uuid::nil()});
    let url = ann.stack.url();
    let insert = ann.http.post(format!("{url}/rest/v1/conversations")).json(&row);
    let hidden = ann.http.get(format!("{url}/rest/v1/ledger")).header("Accept-Profile", "sync");
    for (request, code) in [(insert, "42501"), (hidden, "PGRST106")] {
        let request = request.header("apikey", ann.stack.anon_key()).bearer_auth(&ann.token);
        let answer: Value =
            request.send().await.expect("PostgREST answers").json().await.expect("JSON");
        assert_eq!(answer["code"], code, "{answer}");
    }
}

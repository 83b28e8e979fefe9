//! Tokens that ran out, keys of both forms, and what a socket does with them.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tidemark_tests::stack::{AuthOptions, Confirm, Options, Plan, RealtimeOptions, Stack};
use tokio_tungstenite::tungstenite::Message;

use super::{ask, bare, http, sign_up, with_fixture};

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn socket(stack: &Stack, key: &str) -> Socket {
    let url = stack.url().replacen("http", "ws", 1);
    let url = format!("{url}/realtime/v1/websocket?apikey={key}&vsn=2.0.0");
    tokio_tungstenite::connect_async(url).await.expect("a socket").0
}

async fn push(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.expect("sent");
}

/// The next message that is text.
async fn next(socket: &mut Socket) -> Value {
    let text = async {
        loop {
            if let Some(Ok(Message::Text(text))) = socket.next().await {
                return serde_json::from_str(&text).expect("JSON");
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(15), text).await.expect("a message")
}

/// The next message that is binary: a broadcast of the database.
async fn broadcast(socket: &mut Socket) -> String {
    let binary = async {
        loop {
            if let Some(Ok(Message::Binary(bytes))) = socket.next().await {
                return String::from_utf8_lossy(&bytes).into_owned();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(15), binary).await.expect("a broadcast")
}

fn join(topic: &str, token: &str) -> Value {
    let config = json!({ "private": true, "broadcast": { "replication_ready": true } });
    json!(["1", "1", format!("realtime:{topic}"), "phx_join",
           { "access_token": token, "config": config }])
}

/// Somebody whose tokens live so long, and who may hear a topic.
async fn short_lived(life: Duration) -> (Stack, super::Answer) {
    let auth = AuthOptions { token_life: life, ..bare().auth };
    let stack = tokio::task::block_in_place(|| with_fixture(Options { auth, ..bare() }));
    let ann = sign_up(&stack, "ann").await;
    let row = json!({ "topic": "of ann", "user_id": ann.body["user"]["id"] });
    let token = ann.text("access_token");
    let made = ask(&stack, "/rest/v1/conformance_members", Some(token), Some(row)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    (stack, ann)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ran_out_ends_its_channel_for_good() {
    let (stack, ann) = short_lived(Duration::from_secs(6)).await;
    let token = ann.text("access_token");
    let mut socket = socket(&stack, stack.anon_key()).await;
    push(&mut socket, join("of ann", token)).await;
    assert_eq!(next(&mut socket).await[4]["status"], "ok");
    let ready = next(&mut socket).await;
    assert_eq!(ready[4]["message"], "Replication connection established");

    let ended = next(&mut socket).await;
    assert_eq!((&ended[3], &ended[4]["status"]), (&json!("system"), &json!("error")));
    let why = ended[4]["message"].as_str().unwrap_or_default();
    assert!(why.starts_with("Token has expired"), "{why}");
    let closed = next(&mut socket).await;
    assert_eq!(
        (&closed[3], &closed[0], &closed[1]),
        (&json!("phx_close"), &json!("1"), &json!("1"))
    );

    push(&mut socket, join("of ann", token)).await;
    let reason = next(&mut socket).await[4]["response"]["reason"].clone();
    let reason = reason.as_str().unwrap_or_default();
    assert!(reason.starts_with("InvalidJWTToken: Token has expired"), "{reason}");
    let user = ask(&stack, "/auth/v1/user", Some(token), None).await;
    assert_eq!((user.status, user.code()), (403, "bad_jwt"));
    // PostgREST forgives a clock that is half a minute off, and nobody else does.
    let rows = ask(&stack, "/rest/v1/conformance_notes", Some(token), None).await;
    assert_eq!(rows.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_deaf_while_a_join_is_refused() {
    let realtime = RealtimeOptions { join_pause: Duration::from_millis(700), ..bare().realtime };
    let stack = tokio::task::block_in_place(|| with_fixture(Options { realtime, ..bare() }));
    let mut socket = socket(&stack, stack.anon_key()).await;
    let started = std::time::Instant::now();
    push(&mut socket, join("of nobody", stack.anon_key())).await;
    push(&mut socket, json!([null, "2", "phoenix", "heartbeat", {}])).await;
    let refused = next(&mut socket).await;
    assert_eq!(refused[4]["status"], "error");
    let reason = refused[4]["response"]["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("Unauthorized: "), "{reason}");
    assert_eq!(next(&mut socket).await[1], "2");
    assert!(started.elapsed() >= Duration::from_millis(700));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_the_newer_form_stand_for_the_older_ones() {
    let stack = Stack::launch(bare()).await.expect("it starts");
    let keys = stack.keys().clone();
    let status = async |path: &str, key: &str, bearer: &str| {
        let request = http().get(format!("{}{path}", stack.url()));
        let request = request.header("apikey", key).bearer_auth(bearer);
        request.send().await.expect("an answer").status().as_u16()
    };
    // As the official client sends them: the key in both headers.
    assert_eq!(status("/rest/v1/", &keys.publishable, &keys.publishable).await, 200);
    assert_eq!(status("/auth/v1/admin/users", &keys.secret, &keys.secret).await, 200);
    assert_eq!(status("/auth/v1/admin/users", &keys.publishable, &keys.secret).await, 403);
    assert_eq!(status("/auth/v1/user", &keys.publishable, &keys.publishable).await, 403);
    let mut socket = socket(&stack, &keys.publishable).await;
    push(&mut socket, json!([null, "1", "phoenix", "heartbeat", {}])).await;
    assert_eq!(next(&mut socket).await[4]["status"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_opens_no_socket() {
    let stack = Stack::launch(bare()).await.expect("it starts");
    let url = stack.url().replacen("http", "ws", 1);
    let url = format!("{url}/realtime/v1/websocket?apikey=none&vsn=2.0.0");
    match tokio_tungstenite::connect_async(url).await {
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
            assert_eq!(response.status(), 401);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_confirmed_by_mail_is_no_session_before() {
    let auth = AuthOptions { confirm: Confirm::ByMail, ..bare().auth };
    let stack = Stack::launch(Options { auth, ..bare() }).await.expect("it starts");
    let who = json!({ "email": "ann@example.org", "password": "of this test" });
    let asked = |path: &'static str, body: &Value| {
        let (stack, body) = (stack.clone(), body.clone());
        async move { ask(&stack, path, None, Some(body)).await }
    };
    let signed_up = asked("/auth/v1/signup", &who).await;
    assert_eq!(signed_up.status, 200);
    assert!(signed_up.body.get("access_token").is_none());
    assert!(signed_up.body["confirmation_sent_at"].is_string());
    let grant = "/auth/v1/token?grant_type=password";
    assert_eq!(asked(grant, &who).await.code(), "email_not_confirmed");

    let mail = stack.mails().pop().expect("a mail");
    let body = json!({ "type": "signup", "email": "ann@example.org", "token": mail.code });
    assert!(asked("/auth/v1/verify", &body).await.body["access_token"].is_string());
    assert_eq!(asked(grant, &who).await.status, 200);
    // The address is taken now, and nobody is told so.
    let again = asked("/auth/v1/signup", &who).await;
    assert_eq!((again.status, &again.body["identities"]), (200, &json!([])));
    assert_ne!(again.body["id"], signed_up.body["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_while_a_socket_is_cut_off_never_comes() {
    let (stack, ann) = short_lived(Duration::from_secs(3600)).await;
    let ring = async |seq: u32| {
        let body = json!({ "topic": "of ann", "event": "changed", "payload": { "seq": seq } });
        let rang = ask(&stack, "/rest/v1/rpc/conformance_ring", None, Some(body)).await;
        assert_eq!(rang.status, 204);
    };
    let mut first = socket(&stack, stack.anon_key()).await;
    push(&mut first, join("of ann", ann.text("access_token"))).await;
    assert_eq!(next(&mut first).await[4]["status"], "ok");
    stack.cut_sockets();
    let cut = async { while first.next().await.is_some_and(|message| message.is_ok()) {} };
    tokio::time::timeout(Duration::from_secs(10), cut).await.expect("the socket ends");
    // The witness tells when the first one has been told: before that, it could still come to all.
    let mut witness = socket(&stack, stack.anon_key()).await;
    push(&mut witness, join("of ann", ann.text("access_token"))).await;
    assert_eq!(next(&mut witness).await[4]["status"], "ok");
    assert_eq!(next(&mut witness).await[3], "system");
    ring(1).await;
    assert!(broadcast(&mut witness).await.contains(r#""seq": 1"#));

    let mut late = socket(&stack, stack.anon_key()).await;
    push(&mut late, join("of ann", ann.text("access_token"))).await;
    assert_eq!(next(&mut late).await[4]["status"], "ok");
    assert_eq!(next(&mut late).await[3], "system");
    ring(2).await;
    assert!(broadcast(&mut late).await.contains(r#""seq": 2"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_loses_broadcasts_too() {
    let (stack, ann) = short_lived(Duration::from_secs(3600)).await;
    let mut socket = socket(&stack, stack.anon_key()).await;
    push(&mut socket, join("of ann", ann.text("access_token"))).await;
    assert_eq!(next(&mut socket).await[4]["status"], "ok");
    assert_eq!(next(&mut socket).await[3], "system");
    stack.set_faults(Plan { lose_broadcasts_one_in: 1, ..Plan::default() });
    let body = json!({ "topic": "of ann", "event": "changed", "payload": { "seq": 1 } });
    assert_eq!(ask(&stack, "/rest/v1/rpc/conformance_ring", None, Some(body)).await.status, 204);
    let heard = tokio::time::timeout(Duration::from_millis(700), socket.next()).await;
    assert!(heard.is_err(), "{heard:?}");
}

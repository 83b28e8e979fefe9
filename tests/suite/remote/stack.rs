//! The same against a Supabase on this machine: the real PostgREST and database, our own functions,
//! and Auth and Realtime as their contract says.

use super::*;

use serde_json::{Map, Value};
use tidemark_core::clock::SystemClock;
use tidemark_core::model::wire::{Head, Kind, Op, Outcome, Push, Table};
use tidemark_core::remote::{
    AboutDevice, Profile, Proof, Server as Remote, Session, SignOut, SignedUp,
};
use tidemark_core::sync::failures::{Decision, Pause, decide};
use tidemark_core::sync::server::{Ask, Remote as _, Told};
use tidemark_tests::stack::{AuthOptions, Confirm, Options, RefreshTokens, Stack};
use uuid::Uuid;

const PASSWORD: &str = "correct horse battery";

async fn stack(change: impl FnOnce(&mut AuthOptions)) -> Stack {
    let mut options = Options::quick();
    change(&mut options.auth);
    Stack::launch(options).await.expect("a stack")
}

fn auth(stack: &Stack) -> Auth {
    let project = Project::parse(&stack.url(), stack.anon_key()).expect("a project");
    let patience = Patience { short: Duration::from_secs(20), ..hasty() };
    Auth::new(Link::new(project, patience), Arc::new(SystemClock))
}

async fn signed_up(auth: &Auth, email: &str) -> Session {
    match auth.sign_up(email, &Secret::new(PASSWORD)).await.expect("an account") {
        SignedUp::In(session) => *session,
        SignedUp::Confirm => panic!("confirmed at once"),
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.expect_err("refused").code().to_owned()
}

/// A device of one person, signed in.
pub(super) struct Desk {
    pub(super) drawer: Arc<Drawer>,
    pub(super) tokens: Tokens,
    pub(super) user: Uuid,
    pub(super) device: Uuid,
    pub(super) remote: Remote,
}

impl Desk {
    pub(super) async fn of(stack: &Stack, email: &str) -> Self {
        let auth = auth(stack);
        let session = match auth.sign_in(email, &Secret::new(PASSWORD)).await {
            Ok(session) => session,
            Err(_) => signed_up(&auth, email).await,
        };
        let (drawer, user) = (Arc::<Drawer>::default(), session.user.id);
        let tokens = Tokens::new(auth, drawer.clone());
        tokens.adopt(session).await.expect("kept");
        let about = AboutDevice {
            name: "Work-PC".into(),
            platform: "linux".into(),
            app_version: "0.1.0".into(),
        };
        let remote = Remote::new(tokens.clone(), user, about);
        Self { drawer, tokens, user, device: Uuid::now_v7(), remote }
    }

    pub(super) async fn hello(&self) {
        let hello = Ask::Hello { device_id: self.device };
        self.remote.ask(hello).await.expect("hello");
    }

    /// Puts a conversation; its number is `n`.
    pub(super) async fn put(&self, n: i64, title: &str) -> Uuid {
        let id = Uuid::now_v7();
        let fields: Map<String, Value> = serde_json::from_value(json!({
            "title": title, "title_by": "person", "model": null, "system_prompt": null,
            "pinned": false, "archived": false, "trashed_ms": null, "origin": null,
            "continuation_id": null, "metadata": null, "created_ms": 1_790_000_000_000_i64,
        }))
        .expect("an object");
        let op = Op {
            n,
            tbl: Table::Conversations,
            id,
            queue: id,
            kind: Kind::Put,
            fields,
            clocks: Default::default(),
            base: Default::default(),
        };
        let push = Push { device: self.device, acked_through: 0, known: None, ops: vec![op] };
        let told = self.remote.ask(Ask::Push(push)).await.expect("pushed");
        let Told::Pushed(pushed) = told else { panic!("{told:?}") };
        assert!(matches!(pushed.outcomes[0].outcome, Outcome::Applied(_)), "{pushed:?}");
        id
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_used_and_left() {
    let stack = stack(|_| {}).await;
    let auth = auth(&stack);
    let session = signed_up(&auth, "ann@example.com").await;
    assert_eq!(session.lifetime, Duration::from_secs(3600));
    let again = auth.sign_up("ann@example.com", &Secret::new(PASSWORD)).await;
    assert_eq!(code(again.map(|_| ())), "user_already_exists");
    let wrong = auth.sign_in("ann@example.com", &Secret::new("wrong")).await;
    assert_eq!(code(wrong), "invalid_credentials");
    let unknown = auth.sign_in("bob@example.com", &Secret::new(PASSWORD)).await;
    assert_eq!(code(unknown), "invalid_credentials", "who has an account is nobody's business");
    let session = auth.sign_in("Ann@Example.com", &Secret::new(PASSWORD)).await.expect("in");
    assert_eq!(auth.user(&session.access).await.expect("known"), session.user);
    auth.sign_out(&session.access, SignOut::Here).await.expect("out");
    assert_eq!(code(auth.user(&session.access).await), "session_not_found");
    assert_eq!(code(auth.refresh(&session.refresh).await), "refresh_token_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced_with_the_code_from_the_message() {
    let minute = Duration::from_secs(60);
    let stack = stack(|auth| (auth.confirm, auth.mail_spacing) = (Confirm::ByMail, minute)).await;
    let auth = auth(&stack);
    let email = "ann@example.com";
    let made = auth.sign_up(email, &Secret::new(PASSWORD)).await.expect("made");
    assert!(matches!(made, SignedUp::Confirm));
    let early = auth.sign_in(email, &Secret::new(PASSWORD)).await;
    assert_eq!(code(early), "email_not_confirmed");
    let mailed = || Secret::new(stack.mails().last().expect("a message").code.clone());
    auth.verify(email, &mailed(), Proof::SignUp).await.expect("confirmed");
    auth.sign_in(email, &Secret::new(PASSWORD)).await.expect("in");
    auth.recover(email).await.expect("sent");
    let hasty = auth.recover(email).await.expect_err("just sent");
    assert_eq!(hasty.code(), "over_email_send_rate_limit");
    assert!(hasty.retry_after.is_some_and(|wait| wait <= minute), "{hasty:?}");
    let session = auth.verify(email, &mailed(), Proof::Recovery).await.expect("in");
    let next = Secret::new("another horse battery");
    auth.update_password(&session.access, &next, None).await.expect("replaced");
    assert_eq!(code(auth.sign_in(email, &Secret::new(PASSWORD)).await), "invalid_credentials");
    auth.sign_in(email, &next).await.expect("in with the new one");
    let late = auth.verify(email, &mailed(), Proof::Recovery).await;
    assert_eq!(code(late), "otp_expired", "a code is good for once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_costs_nothing_and_a_replay_ends_the_session_once() {
    for form in [RefreshTokens::V1, RefreshTokens::V2] {
        let reuse = Duration::ZERO;
        let stack = stack(|auth| (auth.refresh_tokens, auth.reuse_interval) = (form, reuse)).await;
        let desk = Desk::of(&stack, "ann@example.com").await;
        let first = desk.tokens.access().await.expect("one").token;
        let stolen = desk.drawer.kept().expect("kept");
        // The server refreshed, and its answer was lost: what is kept is sent again.
        let auth = auth(&stack);
        let lost = auth.refresh(&kept_refresh(&desk)).await.expect("refreshed").refresh;
        let next = desk.tokens.renew(&first).await.expect("not a replay").token;
        assert_eq!(kept_refresh(&desk).expose(), lost.expose(), "{form:?}: the same child");
        let latest = desk.tokens.renew(&next).await.expect("the chain goes on").token;
        // Somebody has a copy of an old token and uses it after the chain went on.
        let copy = Arc::new(Drawer::default());
        copy.save(&stolen).expect("a copy");
        let theirs = Tokens::new(auth, copy).renew(&first).await.expect_err("reused");
        assert!(
            matches!(&theirs, TokenError::Ended(error) if
            error.code() == "refresh_token_already_used"),
            "{form:?} {theirs:?}"
        );
        // Which ends the session for both: one sign-in mends it.
        let ended = desk.tokens.renew(&latest).await.expect_err("ended");
        assert!(matches!(ended, TokenError::Ended(_)), "{form:?} {ended:?}");
        let again = desk.tokens.auth().sign_in("ann@example.com", &Secret::new(PASSWORD)).await;
        desk.tokens.adopt(again.expect("in")).await.expect("kept");
        desk.hello().await;
    }
}

fn kept_refresh(desk: &Desk) -> Secret {
    let kept = desk.drawer.kept().expect("kept");
    let kept: Value = serde_json::from_str(&kept).expect("JSON");
    Secret::new(kept["refresh"].as_str().expect("a token"))
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_none_are_refused_and_one_refresh_mends_it() {
    let stack = stack(|_| {}).await;
    let desk = Desk::of(&stack, "ann@example.com").await;
    desk.hello().await;
    let rest = Rest::new(desk.tokens.auth().link().clone());
    let good = desk.tokens.access().await.expect("one").token;
    let elsewhere = forged(&stack, &good, |claims| claims["aud"] = json!("somebody-else"));
    let elsewhere = Secret::new(elsewhere);
    desk.tokens.auth().user(&elsewhere).await.expect_err("for another service");
    for token in [
        unsigned(&good),
        "not.a.token".into(),
        stack.anon_key().to_owned(),
        // PostgREST lets half a minute pass.
        forged(&stack, &good, |claims| {
            claims["exp"] = json!(claims["exp"].as_i64().expect("a time") - 7200);
        }),
    ] {
        let hello = json!({ "points": [] });
        let token = Secret::new(token.as_str());
        let refused = rest.call(&token, "sync_anchor", &hello, Weight::Light).await;
        let fault = tidemark_core::remote::fault(&refused.expect_err("refused"));
        assert_eq!(decide(&fault), Decision::Refresh, "{fault}");
    }
    desk.tokens.renew(&good).await.expect("another");
    desk.hello().await;
}

/// The token without its signature, and with an algorithm that asks for none.
fn unsigned(token: &Secret) -> String {
    let payload = token.expose().split('.').nth(1).unwrap_or_default();
    format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.")
}

/// The same claims but for one, signed by the project all the same.
fn forged(stack: &Stack, token: &Secret, change: impl FnOnce(&mut Value)) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    use hmac::Mac as _;
    let payload = token.expose().split('.').nth(1).unwrap_or_default();
    let payload = BASE64.decode(payload).expect("a token");
    let mut claims: Value = serde_json::from_slice(&payload).expect("claims");
    change(&mut claims);
    let body = format!("eyJhbGciOiJIUzI1NiJ9.{}", BASE64.encode(claims.to_string()));
    let secret = stack.keys().jwt_secret.as_bytes();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret).expect("any key");
    mac.update(body.as_bytes());
    format!("{body}.{}", BASE64.encode(mac.finalize().into_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_of_the_engine_has_its_answer() {
    let stack = stack(|_| {}).await;
    let desk = Desk::of(&stack, "ann@example.com").await;
    let Told::Hello(hello) = asked(&desk, Ask::Hello { device_id: desk.device }).await else {
        panic!("no hello")
    };
    assert_eq!(hello.user_id, desk.user);
    let (one, two) = (desk.put(1, "Tides").await, desk.put(2, "Winds \u{1f30a}").await);
    let Told::Page(page, rows) =
        asked(&desk, Ask::Pull { after: None, known: None, max: 100 }).await
    else {
        panic!("no page")
    };
    assert!(page.known && !page.has_more && page.changes >= 2, "{page:?}");
    assert!(rows.0.contains("Winds \u{1f30a}"));
    let points = vec![page.head];
    let Told::Anchor(anchor) = asked(&desk, Ask::Anchor { points }).await else { panic!("none") };
    assert_eq!(anchor.known, Some((page.head.seq, page.head.nonce)));
    let table = Table::Conversations;
    let known = Some(page.head);
    let mut after = None;
    let mut seen = 0;
    loop {
        let Told::Manifest(manifest) =
            asked(&desk, Ask::Manifest { table, after, known, max: 1 }).await
        else {
            panic!("no manifest")
        };
        seen += manifest.rows.len();
        after = manifest.rows.last().map(|row| row.id);
        if !manifest.has_more {
            break;
        }
    }
    assert_eq!(seen, 2);
    let told = asked(&desk, Ask::Snapshot { table, after: None, known, max: 1 }).await;
    let Told::Snapshot { after: Some(after), .. } = told else { panic!("{told:?}") };
    let told = asked(&desk, Ask::Snapshot { table, after: Some(after), known, max: 5 }).await;
    let Told::Snapshot { after: None, rows, .. } = told else { panic!("{told:?}") };
    assert!(rows.0.contains("Tides"));
    let told = asked(&desk, Ask::Rows { table, ids: vec![one, two, Uuid::now_v7()], known }).await;
    let Told::Rows { rows, .. } = told else { panic!("{told:?}") };
    assert!(rows.0.contains("Tides") && rows.0.contains("Winds"));
    let known = Some(Head { nonce: 1, ..page.head });
    let ids = vec![one];
    for ask in [
        Ask::Snapshot { table, after: None, known, max: 1 },
        Ask::Manifest { table, after: None, known, max: 1 },
        Ask::Rows { table, ids, known },
    ] {
        let fault = desk.remote.ask(ask).await.expect_err("of another history nothing is read");
        assert_eq!(decide(&fault), Decision::UnknownPoint);
    }
    let mut after = None;
    let mut digests = 0;
    loop {
        let Told::Digests(page) = asked(&desk, Ask::Digest { after, max: 1 }).await else {
            panic!("no digests")
        };
        digests += page.conversations.len();
        after = page.conversations.last().map(|(id, _)| *id);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(digests, 2);
    assert_eq!(asked(&desk, Ask::Refresh).await, Told::Refreshed);
}

async fn asked(desk: &Desk, ask: Ask) -> Told {
    let shown = format!("{ask:?}");
    desk.remote.ask(ask).await.unwrap_or_else(|fault| panic!("{shown}: {fault}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_or_writes_in_anothers_scope() {
    let stack = stack(|_| {}).await;
    let (ann, bob) =
        (Desk::of(&stack, "ann@example.com").await, Desk::of(&stack, "bob@example.com").await);
    ann.hello().await;
    let id = ann.put(1, "planted").await;
    let token = bob.tokens.access().await.expect("one").token;
    let rest = Rest::new(bob.tokens.auth().link().clone());
    let scope = ann.user;
    for (function, arguments) in [
        ("sync_pull", json!({ "after": null, "max": 10, "scope": scope })),
        ("sync_rows", json!({ "tbl": "conversations", "ids": [id], "scope": scope })),
        (
            "sync_manifest",
            json!({ "tbl": "conversations", "after": null, "max": 9, "scope": scope }),
        ),
        (
            "sync_push",
            json!({ "device": bob.device, "acked_through": 0, "ops": [], "scope": scope }),
        ),
        (
            "sync_hello",
            json!({ "device": { "id": ann.device, "name": "x", "platform": "linux",
            "app_version": "1" }, "schema": 1 }),
        ),
    ] {
        match rest.call(&token, function, &arguments, Weight::Light).await {
            Err(error) => assert_eq!(error.http_status(), Some(403), "{function} {error}"),
            Ok(body) => {
                let text = String::from_utf8_lossy(body.bytes()).into_owned();
                assert!(!text.contains("planted") && !text.contains(&id.to_string()), "{function}");
            }
        }
    }
    // A device that is another's by its number.
    let stranger = Remote::new(bob.tokens.clone(), ann.user, about());
    let fault =
        stranger.ask(Ask::Pull { after: None, known: None, max: 1 }).await.expect_err("not Ann");
    assert_eq!(decide(&fault), Decision::Pause(Pause::SignIn), "{fault}");
}

fn about() -> AboutDevice {
    AboutDevice { name: "x".into(), platform: "linux".into(), app_version: "1".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_without_our_schema_and_a_wrong_key_say_so() {
    let stack = Stack::launch(Options::quick().bare()).await.expect("a stack");
    let desk = Desk::of(&stack, "ann@example.com").await;
    let fault = desk.remote.ask(Ask::Hello { device_id: desk.device }).await.expect_err("none");
    assert_eq!(decide(&fault), Decision::Pause(Pause::NoSchema), "{fault}");
    let project = Project::parse(&stack.url(), "sb_publishable_of_another").expect("a project");
    let auth = Auth::new(Link::new(project, hasty()), Arc::new(SystemClock));
    let error = auth.sign_in("ann@example.com", &Secret::new(PASSWORD)).await.expect_err("no");
    assert_eq!((error.service, error.fault), (Service::Gateway, Fault::Status(401)));
    assert_eq!(decide(&tidemark_core::remote::fault(&error)), Decision::Pause(Pause::WrongKey));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_outlives_a_server_that_is_away() {
    let stack = stack(|_| {}).await;
    let desk = Desk::of(&stack, "ann@example.com").await;
    let token = desk.tokens.access().await.expect("one").token;
    stack.down();
    let fault = desk.remote.ask(Ask::Refresh).await;
    let error = desk.tokens.renew(&token).await.expect_err("away");
    assert!(matches!(error, TokenError::Remote(_)), "{error:?} {fault:?}");
    stack.up();
    let healed = async {
        while desk.tokens.renew(&token).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), healed).await.expect("back");
    desk.hello().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_their_sessions_ends_one_and_deletes_the_account() {
    let stack = stack(|_| {}).await;
    let (desk, laptop) =
        (Desk::of(&stack, "ann@example.com").await, Desk::of(&stack, "ann@example.com").await);
    desk.hello().await;
    laptop.hello().await;
    let profile = Profile::new(desk.tokens.clone());
    let sessions = profile.sessions().await.expect("listed");
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    let other = sessions.iter().find(|row| !row.current).expect("the laptop's");
    assert_eq!(other.device_id, Some(laptop.device));
    assert!(other.user_agent.as_ref().is_some_and(|agent| agent.starts_with("Tidemark/")));
    assert!(profile.end_session(other.id).await.expect("ended"));
    let fault =
        laptop.remote.ask(Ask::Pull { after: None, known: None, max: 1 }).await.expect_err("ended");
    assert_eq!(decide(&fault), Decision::Refresh, "{fault}");
    let fault = laptop.remote.ask(Ask::Refresh).await.expect_err("ended");
    assert_eq!(decide(&fault), Decision::Pause(Pause::SignIn), "{fault}");
    let refused = profile.health().await.expect_err("no administrator");
    assert!(refused.message.contains("administrator"), "{refused:?}");
    profile.delete().await.expect("deleted");
    let again = desk.tokens.auth().sign_in("ann@example.com", &Secret::new(PASSWORD)).await;
    assert_eq!(code(again), "invalid_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_is_refused_at_its_next_request() {
    let stack = stack(|_| {}).await;
    let (desk, laptop) =
        (Desk::of(&stack, "ann@example.com").await, Desk::of(&stack, "ann@example.com").await);
    desk.hello().await;
    laptop.hello().await;
    let profile = Profile::new(desk.tokens.clone());
    assert!(profile.revoke_device(laptop.device).await.expect("revoked"));
    let fault = laptop
        .remote
        .ask(Ask::Pull { after: None, known: None, max: 1 })
        .await
        .expect_err("revoked");
    let pauses = [Decision::Refresh, Decision::Pause(Pause::DeviceRevoked)];
    assert!(pauses.contains(&decide(&fault)), "{fault}");
    // Signed in again on the same data folder, it is still revoked, and says so.
    let auth = laptop.tokens.auth().clone();
    let session = auth.sign_in("ann@example.com", &Secret::new(PASSWORD)).await.expect("in");
    laptop.tokens.adopt(session).await.expect("kept");
    let hello = Ask::Hello { device_id: laptop.device };
    let fault = laptop.remote.ask(hello).await.expect_err("revoked");
    assert_eq!(decide(&fault), Decision::Pause(Pause::DeviceRevoked), "{fault}");
}

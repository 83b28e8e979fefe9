//! Messages, ids, limits, settings and addresses that make no sense.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

async fn desk() -> (Desk, Tidemark) {
    let desk = Desk::new(Script::always(Reply::Silence));
    let core = desk.open().await;
    (desk, core)
}

/// A failure that a person can use: what happened, in words.
fn refused<T: std::fmt::Debug>(result: Result<T, Failure>, code: Code) {
    let failure = result.expect_err("refused");
    assert_eq!(failure.code, code, "{failure:?}");
    assert!(failure.message.ends_with('.') && failure.message.len() > 15, "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_empty_or_huge_are_refused_and_store_nothing() {
    let (_desk, core) = desk().await;
    for empty in ["", " ", "\n\t\u{3000}"] {
        refused(core.send(&to(None, empty)), Code::InvalidInput);
    }
    refused(core.send(&to(None, &"x".repeat(5 << 20))), Code::TooLarge);
    refused(core.say(&to(None, &"é".repeat(600 << 10))), Code::TooLarge);
    assert_eq!(core.conversations(Default::default()).expect("read"), []);
    let most = core.say(&to(None, &"x".repeat(1 << 20))).expect("a mebibyte fits");
    refused(core.edit(most.message_id.expect("one"), ""), Code::InvalidInput);
    refused(core.edit(most.message_id.expect("one"), &"x".repeat(5 << 20)), Code::TooLarge);
    assert_eq!(core.messages(most.conversation_id).expect("read").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_json_cannot_carry_is_shown_and_its_bytes_come_back() {
    let (_desk, core) = desk().await;
    let nul = core.say(&to(None, "a\0b")).expect("said").message_id.expect("one");
    let row = core.row(nul).message;
    assert_eq!(row.content, "a\u{2400}b");
    assert_eq!(BASE64.decode(row.content_raw.expect("kept")).expect("base64"), b"a\0b");
    // A lone surrogate, as WTF-8 writes it.
    let raw = b"half \xed\xa0\xbd a pair";
    let mut request = to(None, &String::from_utf8_lossy(raw));
    request.content_raw = Some(BASE64.encode(raw));
    let half = core.say(&request).expect("said").message_id.expect("one");
    let row = core.row(half).message;
    assert!(row.content.contains('\u{fffd}'));
    assert_eq!(BASE64.decode(row.content_raw.expect("kept")).expect("base64"), raw);
    request.content_raw = Some("not base64!".to_owned());
    refused(core.say(&request), Code::InvalidInput);
}

#[tokio::test(flavor = "multi_thread")]
async fn overrides_of_direction_come_back_unchanged() {
    let (_desk, core) = desk().await;
    let text = "\u{202e}gpj.exe\u{202c} and \u{2067}שלום\u{2069} \u{feff}e\u{301}";
    let id = core.say(&to(None, text)).expect("said").message_id.expect("one");
    assert_eq!(core.row(id).message.content, text);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_ids_are_not_found_everywhere() {
    let (_desk, core) = desk().await;
    let (c, m) = (ConversationId(Uuid::from_u128(404)), MessageId(Uuid::from_u128(404)));
    refused(core.conversation(c), Code::NotFound);
    refused(core.rename(c, "x"), Code::NotFound);
    refused(core.pin(c, true), Code::NotFound);
    refused(core.archive(c, true), Code::NotFound);
    refused(core.trash(c), Code::NotFound);
    refused(core.restore(c), Code::NotFound);
    refused(core.delete_forever(c), Code::NotFound);
    refused(core.duplicate(c), Code::NotFound);
    refused(core.set_model(c, None), Code::NotFound);
    refused(core.set_system_prompt(c, None), Code::NotFound);
    refused(core.export(c), Code::NotFound);
    refused(core.messages(c), Code::NotFound);
    refused(core.thread(c, 10, None, None), Code::NotFound);
    refused(core.thread(c, 10, Some(m), None), Code::NotFound);
    refused(core.thread_after(c, m, 10), Code::NotFound);
    refused(core.send(&to(Some(c), "hello")), Code::NotFound);
    refused(core.regenerate(m, None), Code::NotFound);
    refused(core.edit(m, "x"), Code::NotFound);
    refused(core.continue_answer(m), Code::NotFound);
    refused(core.answer_with(m, &ModelRef::new("a", "b")), Code::NotFound);
    refused(core.stop(m), Code::NotFound);
    refused(core.keep(m), Code::NotFound);
    refused(core.retry_now(m), Code::NotFound);
    refused(core.choose_branch(m), Code::NotFound);
    refused(core.set_key("nobody", Some("k")), Code::NotFound);
    refused(core.provider_models("nobody").await, Code::NotFound);
    refused(core.download_model("nobody"), Code::NotFound);
    refused(core.setting("nothing"), Code::NotFound);
    assert_eq!(core.messages_by_id(&[m]).expect("read"), []);
    assert_eq!(core.conversations(Default::default()).expect("read"), []);
    assert_eq!(core.undoable(), None, "nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_without_sense_are_brought_into_bounds() {
    let (_desk, core) = desk().await;
    let id = core.say(&to(None, "one word")).expect("said").conversation_id;
    for _ in 0..3 {
        core.say(&to(Some(id), "one word")).expect("said");
    }
    assert_eq!(core.thread(id, 0, None, None).expect("read").messages.len(), 1);
    assert_eq!(core.thread(id, u32::MAX, None, None).expect("read").messages.len(), 4);
    core.indexed().await;
    for limit in [0, 1, 200, u32::MAX] {
        let request =
            SearchRequest { text: "word".to_owned(), limit: Some(limit), ..Default::default() };
        let hits = core.search(&request).expect("searched").len();
        assert!((1..=5).contains(&hits), "{limit}: {hits}");
    }
    let negative = r#"{"text":"word","limit":-1}"#;
    assert!(serde_json::from_str::<SearchRequest>(negative).is_err(), "refused where it comes in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_of_a_megabyte_is_cut_and_one_line() {
    let (_desk, core) = desk().await;
    let id = core.say(&to(None, &"word\n".repeat(100_000))).expect("said").conversation_id;
    assert!(core.conversation(id).expect("there").title.chars().count() <= 61);
    let title = core.rename(id, &"é\0\n ".repeat(1 << 18)).expect("renamed").title;
    assert_eq!(title.chars().count(), 201);
    assert!(!title.contains(['\0', '\n']));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_wrong_kind_are_refused_and_what_stood_there_stays() {
    let (_desk, core) = desk().await;
    use serde_json::json;
    core.set_setting("temperature", &json!(0.5)).expect("set");
    for (key, value) in [
        ("theme", json!("pink")),
        ("theme", json!(null)),
        ("theme", json!({"a": [1, 2]})),
        ("temperature", json!("hot")),
        ("temperature", json!(-0.1)),
        ("temperature", json!(1e300)),
        ("max_answer_tokens", json!(0)),
        ("max_answer_tokens", json!(1.5)),
        ("hold_after_hours", json!(-1)),
        ("hold_after_hours", json!(u64::MAX)),
        ("sidebar_open", json!("yes")),
        ("default_model", json!("no-slash")),
        ("default_system_prompt", json!("x".repeat(1 << 20))),
    ] {
        refused(core.set_setting(key, &value), Code::InvalidInput);
    }
    refused(core.set_setting("local.first_run_done", &json!(true)), Code::NotFound);
    refused(core.set_setting("providers", &json!([])), Code::NotFound);
    assert_eq!(core.setting("temperature").expect("read").value, json!(0.5));
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_that_lead_elsewhere_are_refused() {
    let (desk, core) = desk().await;
    let with = |change: &dyn Fn(&mut ProviderConfig)| {
        let mut config = desk.provider();
        config.id = "new".to_owned();
        change(&mut config);
        core.save_provider(config)
    };
    for id in ["", "../x", "a/b", "local", "UPPER", "a b", "a\0", &"a".repeat(41)] {
        refused(with(&|config| config.id = id.to_owned()), Code::InvalidInput);
    }
    for url in [
        "",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://me:sk-planted@example.org/v1",
        "https://me@example.org",
        "ftp://example.org",
        "data:text/html,x",
        "http://",
        "http://api.example.org",
    ] {
        let failure = with(&|config| config.base_url = url.to_owned()).expect_err(url);
        assert_eq!(failure.code, Code::InvalidInput, "{url}");
        assert!(!format!("{failure:?}").contains("planted"), "{failure:?}");
    }
    refused(with(&|config| config.ca_file = Some("/no/such/file".to_owned())), Code::InvalidInput);
    refused(with(&|config| config.kind = ProviderKind::Local), Code::InvalidInput);
    refused(core.set_key("test", Some("two\nlines")), Code::InvalidInput);
    refused(core.set_key("test", Some(&"k".repeat(1 << 20))), Code::InvalidInput);
    assert_eq!(core.providers().expect("read").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_not_follow_its_provider_to_another_address() {
    let (desk, core) = desk().await;
    core.set_key("test", Some("sk-secret")).expect("set");
    let moved = ProviderConfig { base_url: "https://example.org".to_owned(), ..desk.provider() };
    assert!(!core.save_provider(moved).expect("saved").has_key);
}

#[test]
fn json_that_is_ten_thousand_levels_deep_is_refused_where_it_comes_in() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(serde_json::from_str::<serde_json::Value>(&deep).is_err());
    let nan = r#"{"content":"x","parent_id":NaN}"#;
    assert!(serde_json::from_str::<tidemark_core::api::SendRequest>(nan).is_err());
}

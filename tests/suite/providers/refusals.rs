//! Answers that are a no.

use super::*;
use std::collections::BTreeMap;

fn json(kind: &str, code: &str) -> String {
    format!(r#"{{"type":"error","error":{{"type":"{kind}","code":"{code}","message":"m"}}}}"#)
}

#[tokio::test]
async fn each_refusal_is_sorted_by_what_can_be_done_about_it() {
    let table = [
        (401, json("authentication_error", "invalid_api_key"), ("needs you", Code::KeyRejected)),
        (403, json("permission_error", ""), ("needs you", Code::KeyRejected)),
        (404, json("not_found_error", "model_not_found"), ("needs you", Code::ModelMissing)),
        (404, "not here".to_owned(), ("needs you", Code::InvalidInput)),
        (
            400,
            json("invalid_request_error", "context_length_exceeded"),
            ("needs you", Code::ContextFull),
        ),
        (400, json("invalid_request_error", ""), ("needs you", Code::Refused)),
        (413, "<html>too large</html>".to_owned(), ("needs you", Code::TooLarge)),
        (429, json("insufficient_quota", "insufficient_quota"), ("needs you", Code::Refused)),
        (429, json("rate_limit_error", ""), ("retry", Code::RateLimited)),
        (500, json("api_error", ""), ("retry", Code::ProviderBusy)),
        (502, "<html>bad gateway</html>".to_owned(), ("retry", Code::ProviderBusy)),
        (503, String::new(), ("retry", Code::ProviderBusy)),
        (529, json("overloaded_error", ""), ("retry", Code::ProviderBusy)),
    ];
    for kind in BOTH {
        for (status, body, expected) in &table {
            let outcome = replied(kind, Reply::status(*status, body)).await;
            assert_eq!(outcome.sorted(), *expected, "{kind:?} {status} {body}");
            assert_eq!(outcome.text, "");
            let error = outcome.error.expect("checked");
            let failure = failure(&error);
            assert!(failure.message.ends_with("Your message is saved."), "{failure}");
            assert!(failure.hint.is_some(), "{failure}");
        }
    }
}

#[tokio::test]
async fn the_wait_that_a_provider_asks_for_is_kept() {
    for kind in BOTH {
        for (value, seconds) in [("20", 20), ("999999999", 86_400)] {
            let headers = BTreeMap::from([("retry-after".to_owned(), value.to_owned())]);
            let body = String::new();
            let outcome = replied(kind, Reply::Status { status: 429, headers, body }).await;
            let Some(ProviderError::Retry { after, .. }) = outcome.error else {
                panic!("{kind:?}: a retry");
            };
            assert_eq!(after, Some(Duration::from_secs(seconds)), "{kind:?} {value}");
        }
    }
}

#[tokio::test]
async fn an_error_event_before_any_text_is_sorted_like_a_status() {
    for kind in BOTH {
        let event =
            |error: &str| Reply::ErrorEvent { text: String::new(), error: error.to_owned() };
        let outcome = replied(kind, event("overloaded_error")).await;
        assert_eq!(outcome.sorted(), ("retry", Code::ProviderBusy), "{kind:?}");
        let outcome = replied(kind, event("authentication_error")).await;
        assert_eq!(outcome.sorted(), ("needs you", Code::KeyRejected), "{kind:?}");
    }
}

#[tokio::test]
async fn a_huge_error_is_not_read_to_its_end() {
    let body = format!("{{\"error\":{{\"message\":\"{}\"}}}}", "x".repeat(32 << 20));
    for kind in BOTH {
        let outcome = replied(kind, Reply::status(500, &body)).await;
        assert_eq!(outcome.sorted(), ("retry", Code::ProviderBusy), "{kind:?}");
    }
}

#[tokio::test]
async fn any_answer_but_a_sign_in_page_proves_that_a_provider_is_there() {
    let server = ModelServer::start(Script { key: Some("other".to_owned()), ..Script::default() });
    for kind in BOTH {
        let provider = impatient(kind, &server);
        assert!(provider.reachable().await, "{kind:?}: a 401 is an answer");
        let error = provider.models().await.expect_err("the key is wrong");
        assert_eq!(failure(&error).code, Code::KeyRejected, "{kind:?}");
        assert!(!failure(&error).message.contains("message is saved"), "none was at stake");
    }
    let probes = server.requests();
    let probes: Vec<_> =
        probes.iter().filter(|probe| !format!("{probe:?}").contains(KEY)).collect();
    assert_eq!(probes.len(), 2, "asking whether it is there does not take the key along");
}

#[tokio::test]
async fn a_configuration_that_cannot_work_says_so_without_asking_anybody() {
    for (base_url, code) in [
        ("", Code::InvalidInput),
        ("http://api.example.com/v1", Code::InvalidInput),
        ("file:///etc/passwd", Code::InvalidInput),
    ] {
        for kind in BOTH {
            let provider = provider(&config(kind, base_url), hasty());
            let outcome = asked(&*provider, question("Hi")).await;
            assert_eq!(outcome.sorted(), ("needs you", code), "{kind:?} {base_url:?}");
            assert!(!provider.reachable().await);
        }
    }
}

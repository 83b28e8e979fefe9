//! Connections that do not come about, break or fall silent.

use super::*;

#[tokio::test]
async fn a_provider_that_is_down_is_unreachable_until_it_is_up() {
    let server = ModelServer::start(Script::default());
    for kind in BOTH {
        let provider = impatient(kind, &server);
        server.down();
        let outcome = asked(&*provider, question("Hi")).await;
        assert_eq!(outcome.sorted(), ("unreachable", Code::Offline), "{kind:?}");
        let error = outcome.error.expect("checked");
        let expected = format!("Could not reach {}. Your message is saved.", server.place());
        assert_eq!(failure(&error).message, expected);
        assert!(failure(&error).hint.is_some(), "{kind:?}: what to do is said");
        assert!(!provider.reachable().await, "{kind:?}");
        server.up();
        assert!(provider.reachable().await, "{kind:?}");
        assert_eq!(asked(&*provider, question("Hi")).await.text, "You said: Hi", "{kind:?}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_unreachable() {
    for kind in BOTH {
        let provider = provider(&config(kind, "https://no-such-host.invalid"), hasty());
        let outcome = asked(&*provider, question("Hi")).await;
        assert_eq!(outcome.sorted(), ("unreachable", Code::Offline), "{kind:?}");
        assert!(!provider.reachable().await);
    }
}

#[tokio::test]
async fn silence_before_any_text_leaves_the_question_queued() {
    for kind in BOTH {
        for reply in [
            Reply::Silence,
            Reply::Close,
            Reply::Stall { text: String::new() },
            Reply::Cut { text: String::new() },
        ] {
            let name = format!("{kind:?} {reply:?}");
            let outcome = replied(kind, reply).await;
            assert_eq!(outcome.sorted(), ("unreachable", Code::Offline), "{name}");
            assert_eq!(outcome.text, "", "{name}");
        }
    }
}

#[tokio::test]
async fn a_break_after_text_is_an_interruption_that_keeps_it() {
    for kind in BOTH {
        let text = "Half an ".to_owned();
        for reply in [
            Reply::Stall { text: text.clone() },
            Reply::Cut { text: text.clone() },
            Reply::HalfJson { text: text.clone() },
            Reply::ErrorEvent { text: text.clone(), error: "overloaded_error".to_owned() },
        ] {
            let name = format!("{kind:?} {reply:?}");
            let outcome = replied(kind, reply).await;
            assert_eq!(outcome.sorted(), ("unreachable", Code::Interrupted), "{name}");
            assert_eq!(outcome.text, text, "{name}");
        }
    }
}

#[tokio::test]
async fn a_server_that_goes_down_in_the_middle_interrupts() {
    let server = ModelServer::start(Script::always(Reply::Stall { text: "Begun ".to_owned() }));
    for kind in BOTH {
        let provider = patient(kind, &server);
        let mut answer = provider.ask(question("Hi"), CancellationToken::new());
        while let Some(piece) = answer.next().await {
            if piece.expect("no error yet") == Piece::Text("Begun ".to_owned()) {
                break;
            }
        }
        server.down();
        let rest = Outcome::of(answer).await;
        assert_eq!(rest.sorted(), ("unreachable", Code::Interrupted), "{kind:?}");
        server.up();
    }
}

#[tokio::test]
async fn garbage_before_any_text_is_the_servers_problem() {
    for kind in BOTH {
        let outcome = replied(kind, Reply::HalfJson { text: String::new() }).await;
        assert_eq!(outcome.sorted(), ("retry", Code::ProviderBusy), "{kind:?}");
        let outcome = replied(kind, Reply::status(200, "{\"half\": ")).await;
        assert_eq!(outcome.sorted(), ("retry", Code::ProviderBusy), "{kind:?}");
        let outcome = replied(kind, Reply::status(200, "{\"no\": \"answer\"}")).await;
        assert_eq!(outcome.sorted(), ("retry", Code::ProviderBusy), "{kind:?}");
    }
}

#[tokio::test]
async fn a_networks_sign_in_page_is_no_answer_and_no_proof_of_life() {
    let server = ModelServer::start(Script { portal: true, ..Script::default() });
    for kind in BOTH {
        let provider = impatient(kind, &server);
        let outcome = asked(&*provider, question("Hi")).await;
        assert_eq!(outcome.sorted(), ("unreachable", Code::Offline), "{kind:?}");
        let error = outcome.error.expect("checked");
        assert!(failure(&error).hint.as_deref().is_some_and(|hint| hint.contains("Sign in")));
        assert!(!provider.reachable().await, "{kind:?}");
        let error = provider.models().await.expect_err("a page is no list");
        assert_eq!(failure(&error).code, Code::Offline, "{kind:?}");
    }
    server.script(Script::default());
    for kind in BOTH {
        assert!(impatient(kind, &server).reachable().await, "{kind:?}: signed in");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = ModelServer::start(Script::default());
    for status in [301, 302, 307, 308] {
        let location = format!("{}/v1/chat/completions", elsewhere.url());
        let headers = [("location".to_owned(), location)].into();
        let reply = Reply::Status { status, headers, body: String::new() };
        let outcome = replied(ProviderKind::Openai, reply).await;
        assert_eq!(outcome.sorted(), ("unreachable", Code::Offline), "{status}");
    }
    assert_eq!(elsewhere.requests(), [], "the key stayed where it belongs");
}

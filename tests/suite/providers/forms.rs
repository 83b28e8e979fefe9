//! Servers that do not understand the usual form of a question, and answers that are continued.

use super::*;

fn complaint(message: &str) -> Reply {
    let error = format!(
        r#"{{"type":"error","error":{{"type":"invalid_request_error","message":"{message}"}}}}"#
    );
    Reply::status(400, &error)
}

fn once(reply: Reply) -> Script {
    Script::in_turn([reply], Reply::answer("{said}"))
}

#[tokio::test]
async fn a_server_without_usage_is_asked_again_without_it_and_only_once() {
    let server = ModelServer::start(once(complaint("Extra inputs are not permitted")));
    let provider = impatient(ProviderKind::Openai, &server);
    assert_eq!(asked(&*provider, question("one")).await.text, "one");
    assert_eq!(asked(&*provider, question("two")).await.text, "two");
    let usage: Vec<bool> = server
        .requests()
        .iter()
        .map(|request| request.body["stream_options"].is_object())
        .collect();
    assert_eq!(usage, [true, false, false], "what was learnt holds for the next question");
}

#[tokio::test]
async fn a_newer_model_gets_its_limit_by_the_newer_name() {
    let complaint = complaint(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
         'max_completion_tokens' instead.",
    );
    let server = ModelServer::start(once(complaint));
    let provider = impatient(ProviderKind::Openai, &server);
    let ask = Ask { max_tokens: Some(9), ..question("Hi") };
    assert_eq!(asked(&*provider, ask).await.text, "Hi");
    let last = server.requests().pop().expect("two requests");
    assert_eq!(last.body["max_completion_tokens"], 9);
    assert_eq!(last.body.get("max_tokens"), None);
}

#[tokio::test]
async fn a_temperature_that_is_not_wanted_is_left_out() {
    for kind in BOTH {
        let server = ModelServer::start(once(complaint("temperature is not supported")));
        let ask = Ask { temperature: Some(0.5), ..question("Hi") };
        assert_eq!(asked(&*impatient(kind, &server), ask).await.text, "Hi", "{kind:?}");
        let last = server.requests().pop().expect("two requests");
        assert_eq!(last.body.get("temperature"), None, "{kind:?}");
    }
}

#[tokio::test]
async fn a_server_that_always_says_no_is_asked_a_few_times_and_no_more() {
    for kind in BOTH {
        let server = ModelServer::start(Script::always(complaint("temperature max_tokens")));
        let ask = Ask {
            temperature: Some(0.5),
            max_tokens: Some(5),
            prefill: Some("A".to_owned()),
            ..question("Hi")
        };
        let outcome = asked(&*impatient(kind, &server), ask).await;
        assert_eq!(outcome.sorted(), ("needs you", Code::Refused), "{kind:?}");
        assert!(server.requests().len() <= 4, "{kind:?}");
    }
}

#[tokio::test]
async fn anthropic_goes_on_from_a_beginning() {
    let server = ModelServer::start(Script::always(Reply::answer("\n\nAnd more.")));
    let ask = Ask { prefill: Some("First.\n\n".to_owned()), ..question("Tell") };
    let outcome = asked(&*impatient(ProviderKind::Anthropic, &server), ask).await;
    assert_eq!(outcome.text, "And more.", "the blank line is there already");
    let turns = &server.requests()[0].body["messages"];
    assert_eq!(turns[1]["role"], "assistant");
    assert_eq!(turns[1]["content"], "First.", "the API refuses trailing blanks");
}

#[tokio::test]
async fn a_claude_that_takes_no_beginning_is_asked_in_words() {
    let refusal = complaint(
        "This model does not support assistant message prefill. The conversation must end with a \
         user message.",
    );
    let server = ModelServer::start(Script::in_turn([refusal], Reply::answer("First. And more.")));
    let ask = Ask { prefill: Some("First.".to_owned()), ..question("Tell") };
    let provider = impatient(ProviderKind::Anthropic, &server);
    assert_eq!(asked(&*provider, ask.clone()).await.text, " And more.");
    assert_eq!(asked(&*provider, ask).await.text, " And more.");
    let last_roles: Vec<_> = server
        .requests()
        .iter()
        .map(|request| {
            let turns = request.body["messages"].as_array().expect("turns").clone();
            turns.last().expect("one")["role"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    assert_eq!(last_roles, ["assistant", "user", "user"], "asked the old way only once");
}

#[tokio::test]
async fn others_go_on_where_they_broke_off() {
    let server = ModelServer::start(Script::always(Reply::answer("The quick brown fox")));
    let ask = Ask { prefill: Some("The quick".to_owned()), ..question("Tell") };
    let outcome = asked(&*impatient(ProviderKind::Openai, &server), ask).await;
    assert_eq!(outcome.text, " brown fox", "what was there already is not repeated");
    let turns = server.requests()[0].body["messages"].as_array().expect("turns").clone();
    let roles: Vec<_> = turns.iter().map(|turn| turn["role"].as_str()).collect();
    assert_eq!(roles, [Some("user"), Some("assistant"), Some("user")]);
}

#[tokio::test]
async fn a_continued_answer_and_its_beginning_fit_into_one_message() {
    let beginning = "y".repeat((1 << 20) - 1000);
    let server = ModelServer::start(Script::always(Reply::Flood { bytes: 1 << 20 }));
    let ask = Ask { prefill: Some(beginning.clone()), ..question("Tell") };
    let outcome = asked(&*impatient(ProviderKind::Anthropic, &server), ask).await;
    assert_eq!(outcome.end, Some(EndReason::Length));
    assert_eq!(beginning.len() + outcome.text.len(), 1 << 20);
}

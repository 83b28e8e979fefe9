//! What arrives when nothing is wrong, in all the forms that servers give it.

use super::*;
use tidemark_tests::model_server::Then;

#[tokio::test]
async fn an_answer_comes_in_pieces_with_usage_and_an_end() {
    let server = ModelServer::start(Script::always(Reply::answer("One two three.")));
    for kind in BOTH {
        let provider = patient(kind, &server);
        let mut answer = provider.ask(question("Count to three"), CancellationToken::new());
        let mut texts = 0;
        while let Some(Ok(piece)) = answer.next().await {
            texts += usize::from(matches!(piece, Piece::Text(_)));
        }
        assert_eq!(texts, 3, "{kind:?}: each word is its own piece");
        let outcome = asked(&*provider, question("Count to three")).await;
        assert_eq!(outcome.text, "One two three.", "{kind:?}");
        assert_eq!(outcome.usage, Some((Some(3), Some(3))), "{kind:?}");
        assert_eq!((outcome.end, outcome.error), (Some(EndReason::Complete), None), "{kind:?}");
    }
}

#[tokio::test]
async fn the_question_goes_out_as_the_provider_wants_it() {
    let server = ModelServer::start(Script::default());
    let ask = Ask {
        system: Some("Be brief.".to_owned()),
        max_tokens: Some(50),
        temperature: Some(0.7),
        ..question("Hi")
    };
    for kind in BOTH {
        asked(&*patient(kind, &server), ask.clone()).await;
    }
    let [openai, anthropic] = &server.requests()[..] else { panic!("two requests") };
    assert_eq!(openai.path, "/v1/chat/completions");
    assert_eq!(openai.body["messages"][0]["role"], "system");
    assert_eq!(openai.body["messages"][1]["content"], "Hi");
    assert_eq!((&openai.body["max_tokens"], &openai.body["stream"]), (&50.into(), &true.into()));
    assert_eq!(openai.body["temperature"], 0.7);
    assert_eq!(openai.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(anthropic.path, "/v1/messages");
    assert_eq!(anthropic.body["system"], "Be brief.");
    assert_eq!(anthropic.body["max_tokens"], 50);
    assert_eq!(anthropic.headers["x-api-key"], KEY);
    assert_eq!(anthropic.headers["anthropic-version"], "2023-06-01");
    assert_eq!(anthropic.headers.get("authorization"), None);
}

#[tokio::test]
async fn the_reason_of_the_end_is_told() {
    let table = [
        (ProviderKind::Openai, "length", EndReason::Length),
        (ProviderKind::Openai, "content_filter", EndReason::Filtered),
        (ProviderKind::Anthropic, "max_tokens", EndReason::Length),
        (ProviderKind::Anthropic, "refusal", EndReason::Filtered),
    ];
    for (kind, word, expected) in table {
        let finish = Some(word.to_owned());
        let reply = Reply::Answer { text: "A".to_owned(), words_per_second: None, finish };
        assert_eq!(replied(kind, reply).await.end, Some(expected), "{word}");
    }
}

#[tokio::test]
async fn an_answer_byte_by_byte_is_the_same_answer() {
    for kind in BOTH {
        let text = "Größe: 5 µg 😀".to_owned();
        let outcome = replied(kind, Reply::Drip { text: text.clone(), byte_ms: 0 }).await;
        assert_eq!((outcome.text, outcome.end), (text, Some(EndReason::Complete)), "{kind:?}");
    }
}

#[tokio::test]
async fn one_document_instead_of_a_stream_is_an_answer_too() {
    for kind in BOTH {
        let outcome = replied(kind, Reply::Whole { text: "All at once".to_owned() }).await;
        assert_eq!(outcome.text, "All at once", "{kind:?}");
        assert_eq!(outcome.end, Some(EndReason::Complete), "{kind:?}");
        assert_eq!(outcome.usage, Some((Some(1), Some(3))), "{kind:?}");
    }
}

#[tokio::test]
async fn an_answer_larger_than_a_message_ends_at_its_limit() {
    for kind in BOTH {
        let outcome = replied(kind, Reply::Flood { bytes: 3 << 20 }).await;
        assert_eq!(outcome.end, Some(EndReason::Length), "{kind:?}");
        assert_eq!(outcome.text.len(), 1 << 20, "{kind:?}: filled to the last character");
    }
}

fn raw(pieces: &[&str], then: Then) -> Reply {
    let pieces = pieces.iter().map(|piece| (*piece).to_owned()).collect();
    Reply::Raw { content_type: "text/event-stream".to_owned(), pieces, then }
}

const WORD: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"word\"}}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

#[tokio::test]
async fn a_server_that_forgets_its_goodbye_has_still_answered() {
    let table = [
        ("no [DONE]", raw(&[WORD, STOP], Then::End)),
        ("cut after the end", raw(&[WORD, STOP], Then::Cut)),
        ("silence after the end", raw(&[WORD, STOP], Then::Stall)),
        ("no reason, only [DONE]", raw(&[WORD, "data: [DONE]\n\n"], Then::Stall)),
        ("no blank line", raw(&[WORD, "data: [DONE]"], Then::End)),
        ("comments between", raw(&[": PROCESSING\n\n", WORD, ": x\n\n", STOP], Then::End)),
        ("carriage returns", raw(&[&WORD.replace('\n', "\r\n"), STOP], Then::End)),
    ];
    for (name, reply) in table {
        let outcome = replied(ProviderKind::Openai, reply).await;
        assert_eq!(outcome.text, "word", "{name}");
        assert_eq!((outcome.end, outcome.error), (Some(EndReason::Complete), None), "{name}");
    }
}

#[tokio::test]
async fn a_stream_under_a_wrong_content_type_is_read() {
    for content_type in ["text/plain", "application/json", "application/octet-stream"] {
        let pieces = vec!["\n".to_owned(), WORD.to_owned(), STOP.to_owned()];
        let content_type = content_type.to_owned();
        let reply = Reply::Raw { content_type, pieces, then: Then::End };
        assert_eq!(replied(ProviderKind::Openai, reply).await.text, "word");
    }
}

#[tokio::test]
async fn what_no_text_can_carry_is_replaced_and_the_rest_kept() {
    let halves = [
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\\ud83d\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"\\ude00b\\u0000c\"}}]}\n\n",
        STOP,
    ];
    let outcome = replied(ProviderKind::Openai, raw(&halves, Then::End)).await;
    assert_eq!(outcome.text, "a\u{fffd}\u{fffd}b\u{fffd}c");
    assert_eq!(outcome.end, Some(EndReason::Complete));
}

#[tokio::test]
async fn stopping_ends_the_stream_and_the_request() {
    let server = ModelServer::start(Script::always(Reply::Stall { text: "Begun".to_owned() }));
    for kind in BOTH {
        let stop = CancellationToken::new();
        let provider = patient(kind, &server);
        let mut answer = provider.ask(question("Hi"), stop.clone());
        assert!(matches!(answer.next().await, Some(Ok(Piece::Text(_) | Piece::Usage { .. }))));
        stop.cancel();
        let rest = tokio::time::timeout(Duration::from_secs(30), Outcome::of(answer)).await;
        let rest = rest.expect("it ends soon");
        assert_eq!((rest.end, rest.error), (None, None), "{kind:?}: neither an end nor an error");
    }
    for _ in 0..1_000 {
        if server.connections() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a stopped request still holds its connection");
}

#[tokio::test]
async fn the_models_are_listed_over_all_pages() {
    let models: Vec<String> = (0..5).map(|n| format!("model-{n}")).collect();
    let server = ModelServer::start(Script { models: models.clone(), ..Script::default() });
    for kind in BOTH {
        let listed = patient(kind, &server).models().await.expect("a list");
        let ids: Vec<_> = listed.into_iter().map(|model| model.id).collect();
        assert_eq!(ids, models, "{kind:?}");
    }
}

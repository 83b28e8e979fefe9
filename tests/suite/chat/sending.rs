//! Send, and the answer comes.

use super::*;
use tidemark_core::model::{ModelInfo, ModelRef};

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_with_tokens_time_cost_and_a_line_of_usage() {
    let desk = parrot();
    let core = desk.open().await;
    let priced = ModelInfo {
        id: "test-model".to_owned(),
        price_in_micros: Some(3_000_000),
        price_out_micros: Some(15_000_000),
        ..ModelInfo::default()
    };
    let config = tidemark_core::model::ProviderConfig { models: vec![priced], ..desk.provider() };
    core.save_provider(config).expect("saved");
    let (sent, answer) = core.answered(None, "How much is enough?").await;
    assert_eq!((answer.state, answer.role), (MessageState::Done, Role::Assistant));
    assert_eq!(answer.content, "You said: How much is enough?");
    // The server counts words: four asked, six answered.
    assert_eq!((answer.tokens_in, answer.tokens_out), (Some(4), Some(6)));
    assert_eq!(answer.cost_micros, Some(4 * 3 + 6 * 15));
    assert!(answer.first_token_ms.is_some() && answer.finished_at.is_some(), "{answer:?}");
    assert_eq!(answer.model, Some(ModelRef::new("test", "test-model")));
    assert_eq!(answer.parent_id, sent.message_id);
    let logged: (String, i64, i64, i64) = core
        .mirror()
        .read(|connection| {
            Ok(connection.query_row(
                "SELECT model, tokens_in, tokens_out, cost_micros FROM usage WHERE message_id = ?1",
                [answer.id],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )?)
        })
        .expect("one line of usage");
    assert_eq!(logged, ("test/test-model".to_owned(), 4, 6, 102));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_without_a_price_has_no_cost() {
    let desk = parrot();
    let core = desk.open().await;
    let (_, answer) = core.answered(None, "Hi").await;
    assert_eq!(answer.cost_micros, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_is_told_the_branch_the_instructions_and_nothing_else() {
    let desk = parrot();
    let core = desk.open().await;
    let (first, _) = core.answered(None, "One").await;
    let id = first.conversation_id;
    core.set_system_prompt(id, Some("Be short.".to_owned())).expect("set");
    core.answered(None, "Elsewhere").await;
    core.answered(Some(id), "Two").await;
    let asked = desk.server.requests().pop().expect("asked");
    let turns: Vec<(&str, &str)> = asked.body["messages"]
        .as_array()
        .expect("turns")
        .iter()
        .map(|turn| {
            (turn["role"].as_str().expect("a role"), turn["content"].as_str().expect("text"))
        })
        .collect();
    assert_eq!(
        turns,
        [("system", "Be short."), ("user", "One"), ("assistant", "You said: One"), ("user", "Two")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_is_automatic_until_a_person_sets_one_and_an_empty_one_names_it_again() {
    let desk = parrot();
    let core = desk.open().await;
    let id =
        core.say(&to(None, "## Why is *oral* dosing weak?\nmore")).expect("said").conversation_id;
    let title = || {
        let conversation = core.conversation(id).expect("there");
        (conversation.title, conversation.title_by)
    };
    assert_eq!(title(), ("Why is oral dosing weak?".to_owned(), TitleBy::Auto));
    core.rename(id, "  My\n title ").expect("renamed");
    core.say(&to(Some(id), "Another subject")).expect("said");
    assert_eq!(title(), ("My title".to_owned(), TitleBy::Person));
    core.rename(id, " ").expect("renamed");
    assert_eq!(title(), ("Why is oral dosing weak?".to_owned(), TitleBy::Auto));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_message_without_words_leaves_the_name_to_the_next_one() {
    let desk = parrot();
    let core = desk.open().await;
    let id = core.say(&to(None, "---")).expect("said").conversation_id;
    assert_eq!(core.conversation(id).expect("there").title, "");
    core.say(&to(Some(id), "Ibuprofen")).expect("said");
    assert_eq!(core.conversation(id).expect("there").title, "Ibuprofen");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_draft_goes_with_the_message_and_stays_when_it_is_refused() {
    let desk = parrot();
    let core = desk.open().await;
    core.save_draft(None, "new").expect("kept");
    let id = core.say(&to(None, "new")).expect("said").conversation_id;
    assert_eq!(core.draft(None).expect("read"), "");
    core.save_draft(Some(id), "half a sentence").expect("kept");
    core.save_draft(None, "another").expect("kept");
    let huge = core.send(&to(Some(id), &"x".repeat(5 << 20))).expect_err("refused");
    assert_eq!(huge.code, Code::TooLarge);
    assert_eq!(core.draft(Some(id)).expect("read"), "half a sentence");
    core.say(&to(Some(id), "a whole one")).expect("said");
    assert_eq!(core.draft(Some(id)).expect("read"), "");
    assert_eq!(core.draft(None).expect("read"), "another", "each chat has its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_survives_a_restart_and_any_length() {
    let desk = parrot();
    let core = desk.open().await;
    let long = "long ".repeat(1 << 20);
    core.save_draft(None, &long).expect("kept");
    core.close().await;
    drop(core);
    assert_eq!(desk.open().await.draft(None).expect("read"), long);
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_and_order_follow_what_is_written() {
    // By hand: a fast disk stores both within one millisecond.
    let clock = tidemark_core::clock::ManualClock::at(1_780_000_000_000);
    let desk = Desk::new(Script::always(Reply::Silence)).at(clock.clone());
    let core = desk.open().await;
    let first = core.say(&to(None, "first")).expect("said").conversation_id;
    clock.advance(1);
    let second = core.say(&to(None, "second")).expect("said").conversation_id;
    let order = || -> Vec<ConversationId> {
        let shelf = core.conversations(Default::default()).expect("read");
        shelf.into_iter().map(|conversation| conversation.id).collect()
    };
    assert_eq!(order(), [second, first]);
    clock.advance(1);
    core.ask(Some(first), "again");
    assert_eq!(order(), [first, second]);
    let conversation = core.conversation(first).expect("there");
    assert_eq!((conversation.message_count, conversation.open_count), (3, 1));
    core.pin(second, true).expect("pinned");
    assert_eq!(order(), [second, first]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_fills_a_mebibyte_ends_there_whole_and_searchable() {
    // Two bytes a letter, after one of a single byte: the last one does not fit.
    let desk = Desk::new(Script::always(Reply::Raw {
        content_type: "text/event-stream".to_owned(),
        pieces: ["a".to_owned()]
            .into_iter()
            .chain((0..20).map(|_| "ü".repeat(32 << 10)))
            .map(|text| {
                format!(
                    "data: {}\n\n",
                    serde_json::json!({"choices": [{"delta": {"content": text}}]})
                )
            })
            .collect(),
        then: tidemark_tests::model_server::Then::Stall,
    }));
    let core = desk.open().await;
    let (_, answer) = core.answered(None, "Say much").await;
    // As at any limit; it does not wait for an end that never comes.
    assert_eq!(answer.state, MessageState::Stopped);
    assert_eq!(answer.content.len(), (1 << 20) - 1, "cut between two letters");
    assert!(answer.content.ends_with('ü'));
    core.continue_answer(answer.id).expect("asked");
    let full = core.ended(answer.id).await;
    assert_eq!(full.content.len(), 1 << 20, "the server begins with one byte, and that fits");
    let next = core.say(&to(Some(answer.conversation_id), "Thanks")).expect("goes on");
    assert_eq!(core.row(next.message_id.expect("stored")).message.parent_id, Some(answer.id));
}

//! Order, retries, and what needs a person.

use super::*;

fn rate_limited(seconds: u32) -> Reply {
    Reply::Status {
        status: 429,
        headers: BTreeMap::from([("retry-after".to_owned(), seconds.to_string())]),
        body: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_conversation_is_answered_in_order_and_another_beside_it() {
    let desk = Desk::new(Script::default());
    desk.server.script(Script {
        rules: vec![tidemark_tests::model_server::Rule {
            contains: Some("slowly".to_owned()),
            times: Some(1),
            reply: slow(160),
        }],
        ..Script::default()
    });
    let core = desk.open().await;
    let first = core.ask(None, "slowly please");
    let id = first.conversation_id;
    core.speaks(first.answer_id.expect("one")).await;
    let second = core.ask(Some(id), "second").answer_id.expect("one");
    let third = core.ask(Some(id), "third").answer_id.expect("one");
    let (_, beside) = core.answered(None, "beside").await;
    assert_eq!(beside.content, "You said: beside");
    assert_eq!(core.row(second).message.state, MessageState::Queued, "it waits for the first");
    core.ended(third).await;
    let said: Vec<String> =
        desk.server.requests().iter().map(|request| request.said().to_owned()).collect();
    assert_eq!(said, ["slowly please", "beside", "second", "third"]);
    let last = &desk.server.requests()[3].body["messages"];
    assert_eq!(last.as_array().expect("turns").len(), 5, "the third knows the second's answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_survives_a_restart_and_goes_out_by_itself() {
    let clock = ManualClock::at(1_780_000_000_000);
    let desk = Desk::new(Script::default()).at(clock.clone());
    let core = desk.open().await;
    desk.server.down();
    let id = core.ask(None, "are you there?").answer_id.expect("one");
    let row = core
        .until(id, |row| row.waiting.as_ref().is_some_and(|waiting| waiting.failure.is_some()))
        .await;
    assert_eq!(row.message.state, MessageState::Queued);
    let waiting = row.waiting.expect("it waits");
    assert_eq!(waiting.failure.expect("why").code, Code::Offline);
    assert!(waiting.retry_at.is_some() && waiting.attempts > 0);
    core.close().await;
    drop(core);
    let core = desk.open().await;
    assert_eq!(core.row(id).message.state, MessageState::Queued);
    assert!(core.row(id).waiting.is_some(), "still with its reason");
    desk.server.up();
    clock.advance(60_000);
    assert_eq!(core.ended(id).await.content, "You said: are you there?");
    assert_eq!(core.row(id).waiting, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_asks_for_patience_gets_it_and_retry_now_does_not_wait() {
    let clock = ManualClock::at(1_780_000_000_000);
    let desk = Desk::new(Script::in_turn([rate_limited(20)], Reply::answer("now")));
    let desk = desk.at(clock.clone());
    let core = desk.open().await;
    let id = core.ask(None, "hello").answer_id.expect("one");
    let waiting = core.reaches(id, MessageState::Retrying).await.waiting.expect("it waits");
    assert_eq!(waiting.retry_at.expect("until").0, 1_780_000_020_000, "as long as it said");
    assert_eq!(waiting.failure.expect("why").code, Code::RateLimited);
    core.retry_now(id).expect("asked");
    assert_eq!(core.ended(id).await.content, "now");
    assert_eq!(desk.server.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_time_that_it_named_it_is_asked_again() {
    let desk = Desk::new(Script::in_turn([rate_limited(1)], Reply::answer("now")));
    let core = desk.open().await;
    let (_, answer) = core.answered(None, "hello").await;
    assert_eq!((answer.state, answer.content.as_str()), (MessageState::Done, "now"));
    let waited = answer.finished_at.expect("ended").0 - answer.created_at.0;
    assert!(waited >= 1000, "{waited} ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_parks_its_chat_alone_and_the_right_one_wakes_it() {
    let desk = Desk::new(Script { key: Some("sk-right".to_owned()), ..Script::default() });
    let core = desk.open().await;
    let open = tidemark_tests::model_server::ModelServer::start(Script::default());
    let free = tidemark_core::model::ProviderConfig {
        id: "free".to_owned(),
        base_url: open.url(),
        ..desk.provider()
    };
    core.save_provider(free).expect("saved");
    core.set_key("test", Some("sk-wrong")).expect("set");
    let first = core.ask(None, "first");
    let parked = first.answer_id.expect("one");
    let behind = core.ask(Some(first.conversation_id), "second").answer_id.expect("one");
    let row = core.reaches(parked, MessageState::NeedsYou).await;
    assert_eq!(row.waiting.expect("it waits").failure.expect("why").code, Code::KeyRejected);
    let waiting = core.row(behind).waiting.expect("it waits");
    assert_eq!((waiting.behind, waiting.attempts), (Some(parked), 0));
    let mut elsewhere = to(None, "elsewhere");
    elsewhere.model = Some(tidemark_core::model::ModelRef::new("free", "test-model"));
    let other = core.send(&elsewhere).expect("sent").answer_id.expect("one");
    assert_eq!(core.ended(other).await.content, "You said: elsewhere", "others go on");
    assert_eq!(core.row(behind).message.state, MessageState::Queued);
    core.set_key("test", Some("sk-right")).expect("set");
    assert_eq!(core.ended(parked).await.content, "You said: first");
    assert_eq!(core.ended(behind).await.content, "You said: second");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_gone_needs_a_person_and_its_return_is_enough() {
    let desk = Desk::new(Script::default());
    let core = desk.open().await;
    let mut request = to(None, "hello");
    request.model = Some(tidemark_core::model::ModelRef::new("later", "m"));
    let id = core.send(&request).expect("sent").answer_id.expect("one");
    let row = core.reaches(id, MessageState::NeedsYou).await;
    assert_eq!(row.waiting.expect("it waits").failure.expect("why").code, Code::ModelMissing);
    let config = tidemark_core::model::ProviderConfig { id: "later".to_owned(), ..desk.provider() };
    core.save_provider(config).expect("saved");
    assert_eq!(core.ended(id).await.state, MessageState::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_stops_in_the_middle_for_ever_is_interrupted() {
    let desk = Desk::new(Script::always(Reply::Stall { text: "so far ".to_owned() })).hasty();
    let core = desk.open().await;
    let (_, answer) = core.answered(None, "tell").await;
    assert_eq!((answer.state, answer.content.as_str()), (MessageState::Interrupted, "so far "));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_break_off_keeps_the_words_that_came() {
    for reply in [
        Reply::Cut { text: "so far ".to_owned() },
        Reply::HalfJson { text: "so far ".to_owned() },
        Reply::ErrorEvent { text: "so far ".to_owned(), error: "server_error".to_owned() },
    ] {
        let desk = Desk::new(Script::always(reply.clone()));
        let core = desk.open().await;
        let (_, answer) = core.answered(None, "tell").await;
        assert_eq!(
            (answer.state, answer.content.as_str()),
            (MessageState::Interrupted, "so far "),
            "{reply:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_leaves_the_question_waiting_with_the_reason() {
    for (reply, state, code) in [
        (Reply::Html, MessageState::Queued, Code::Offline),
        (Reply::status(500, "oops"), MessageState::Retrying, Code::ProviderBusy),
        (Reply::status(401, "{}"), MessageState::NeedsYou, Code::KeyRejected),
        (Reply::status(404, "{}"), MessageState::NeedsYou, Code::ModelMissing),
    ] {
        let desk = Desk::new(Script::always(reply.clone()));
        let core = desk.open().await;
        let id = core.ask(None, "hello").answer_id.expect("one");
        let row = core
            .until(id, |row| row.waiting.as_ref().is_some_and(|waiting| waiting.failure.is_some()))
            .await;
        let failure = row.waiting.expect("it waits").failure.expect("why");
        assert_eq!((row.message.state, failure.code), (state, code), "{reply:?}");
        assert!(failure.message.contains("saved"), "it says what is safe: {failure:?}");
        assert!(failure.hint.is_some(), "and what to do: {failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_money_and_waited_a_day_asks_first() {
    let clock = ManualClock::at(1_780_000_000_000);
    let desk = Desk::new(Script::default()).at(clock.clone());
    let core = desk.open().await;
    // Anthropic's wire needs a key, so asking it may cost.
    let config = tidemark_core::model::ProviderConfig {
        id: "paid".to_owned(),
        kind: tidemark_core::model::ProviderKind::Anthropic,
        ..desk.provider()
    };
    core.save_provider(config).expect("saved");
    core.set_key("paid", Some("sk-paid")).expect("set");
    desk.server.down();
    let mut request = to(None, "dear");
    request.model = Some(tidemark_core::model::ModelRef::new("paid", "test-model"));
    let sent = core.send(&request).expect("sent");
    let dear = sent.answer_id.expect("one");
    let free = core.ask(None, "cheap").answer_id.expect("one");
    for id in [dear, free] {
        core.until(id, |row| row.waiting.as_ref().is_some_and(|w| w.failure.is_some())).await;
    }
    core.close().await;
    drop(core);
    clock.advance(25 * 60 * 60 * 1000);
    desk.server.up();
    let core = desk.open().await;
    core.ended(free).await;
    core.until(dear, |row| row.waiting.as_ref().is_some_and(|waiting| waiting.held)).await;
    let asked = desk.server.requests();
    assert!(asked.iter().all(|request| request.said() != "dear"), "not without a yes");
    core.send_held(Some(sent.conversation_id)).expect("yes");
    assert_eq!(core.ended(dear).await.content, "You said: dear");
}

//! Stop, continue, keep, and another model.

use super::*;
use tidemark_core::model::{ModelInfo, ModelRef, ProviderConfig};

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_stopped_while_it_arrives_and_goes_on_in_place() {
    let desk = Desk::new(Script::in_turn([slow(400)], Reply::answer("and the rest")));
    let core = desk.open().await;
    let sent = core.ask(None, "tell");
    let id = sent.answer_id.expect("one");
    core.speaks(id).await;
    core.stop(id).expect("stopped");
    let stopped = core.ended(id).await;
    assert_eq!(stopped.state, MessageState::Stopped);
    assert_eq!(stopped.metadata, None, "a person stopped it, not a limit");
    assert!(stopped.content.starts_with("w1 "), "what had arrived is kept");
    core.stop(id).expect("one that has ended is left alone");
    assert_eq!(core.continue_answer(id).expect("goes on").answer_id, Some(id));
    let whole = core.ended(id).await;
    assert_eq!(whole.state, MessageState::Done);
    assert_eq!(whole.content, format!("{}and the rest", stopped.content));
    let asked = desk.server.requests().pop().expect("asked").body["messages"].to_string();
    assert!(asked.contains(stopped.content.trim()), "the model is told what it has said: {asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_the_server_has_seen_goes_on_in_a_sibling() {
    let desk = Desk::new(Script::in_turn([slow(400)], Reply::answer("and the rest")));
    let core = desk.open().await;
    let id = core.ask(None, "tell").answer_id.expect("one");
    core.speaks(id).await;
    core.stop(id).expect("stopped");
    let stopped = core.ended(id).await;
    core.mirror()
        .write(|write| {
            write.tx.execute("UPDATE messages SET server_seq = 7 WHERE id = ?1", [id])?;
            Ok(())
        })
        .expect("as sync will mark it");
    let next = core.continue_answer(id).expect("goes on").answer_id.expect("one");
    assert_ne!(next, id);
    let whole = core.ended(next).await;
    assert_eq!(whole.continues_id, Some(id));
    assert_eq!(whole.parent_id, stopped.parent_id);
    assert_eq!(whole.content, format!("{}and the rest", stopped.content));
    assert_eq!(core.row(id).message, stopped, "the old body does not change any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_waits_or_is_silent_is_stopped_too() {
    let desk = Desk::new(Script::always(Reply::Silence));
    let core = desk.open().await;
    let sent = core.ask(None, "first");
    let silent = sent.answer_id.expect("one");
    let queued = core.ask(Some(sent.conversation_id), "second").answer_id.expect("one");
    core.reaches(silent, MessageState::Sending).await;
    assert_eq!(core.row(queued).waiting.expect("it waits").behind, Some(silent));
    core.stop(queued).expect("stopped");
    assert_eq!(core.row(queued).message.state, MessageState::Stopped);
    core.stop(silent).expect("stopped");
    let ended = core.ended(silent).await;
    assert_eq!((ended.state, ended.content.as_str()), (MessageState::Stopped, ""));
    assert_eq!(core.conversation(sent.conversation_id).expect("there").open_count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_stopped_while_it_waits_for_its_retry() {
    let desk = Desk::new(Script::always(Reply::status(500, "busy")));
    let core = desk.open().await;
    let id = core.ask(None, "hello").answer_id.expect("one");
    core.reaches(id, MessageState::Retrying).await;
    // It may be just about to leave the connection; it is not tried again all the same.
    core.stop(id).expect("stopped");
    assert_eq!(core.ended(id).await.state, MessageState::Stopped);
    assert_eq!(core.row(id).waiting, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_at_its_limit_is_stopped_says_why_and_can_be_kept() {
    let desk = Desk::new(Script::always(Reply::Answer {
        text: "half".to_owned(),
        words_per_second: None,
        finish: Some("length".to_owned()),
    }));
    let core = desk.open().await;
    let (_, answer) = core.answered(None, "tell").await;
    assert_eq!(answer.state, MessageState::Stopped);
    assert_eq!(answer.metadata.expect("tells why")["finish"], "length");
    core.keep(answer.id).expect("kept");
    let kept = core.row(answer.id).message;
    assert_eq!((kept.state, kept.metadata), (MessageState::Done, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_answers_in_the_same_place_and_those_behind_keep_their_turn() {
    let desk = Desk::new(Script { key: Some("sk-right".to_owned()), ..Script::default() });
    let core = desk.open().await;
    let other =
        tidemark_tests::model_server::ModelServer::start(Script::always(Reply::answer("here")));
    core.save_provider(ProviderConfig {
        id: "other".to_owned(),
        base_url: other.url(),
        models: vec![ModelInfo { id: "m".to_owned(), ..ModelInfo::default() }],
        ..desk.provider()
    })
    .expect("saved");
    core.set_default_model(&ModelRef::new("test", "test-model")).expect("chosen");
    let sent = core.ask(None, "first");
    let parked = sent.answer_id.expect("one");
    let behind = core.ask(Some(sent.conversation_id), "second").answer_id.expect("one");
    core.reaches(parked, MessageState::NeedsYou).await;
    let model = ModelRef::new("other", "m");
    let again = core.answer_with(parked, &model).expect("asked").answer_id.expect("one");
    assert_eq!(core.ended(again).await.content, "here");
    core.reaches(behind, MessageState::NeedsYou).await;
    let behind = core.answer_with(behind, &model).expect("asked").answer_id.expect("one");
    core.ended(behind).await;
    assert_eq!(core.shown(sent.conversation_id), ["first", "here", "second", "here"]);
    assert_eq!(core.row(again).message.model, Some(model));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_asks_beside_what_has_arrived() {
    let desk = Desk::new(Script::in_turn([slow(400)], Reply::answer("better")));
    let core = desk.open().await;
    let id = core.ask(None, "tell").answer_id.expect("one");
    core.speaks(id).await;
    let model = ModelRef::new("test", "another");
    let next = core.answer_with(id, &model).expect("asked").answer_id.expect("one");
    assert_ne!(next, id);
    assert_eq!(core.ended(next).await.content, "better");
    let stopped = core.ended(id).await;
    assert_eq!(stopped.state, MessageState::Stopped);
    assert!(stopped.content.starts_with("w1"), "what had arrived is still there");
}

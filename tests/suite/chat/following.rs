//! What is told of changes, and following an answer.

use super::*;
use crate::desk::PATIENCE;
use tidemark_core::api::{Following, StreamEvent};
use tidemark_core::events::{Change, Listener};

async fn followed(mut following: Following) -> Vec<StreamEvent> {
    let mut events = Vec::new();
    while let Some(event) = tokio::time::timeout(PATIENCE, following.next()).await.expect("an end")
    {
        events.push(event);
    }
    events
}

/// What a reader has in front of them after all events.
fn read(events: &[StreamEvent]) -> String {
    let mut text = String::new();
    for event in events {
        match event {
            StreamEvent::Snapshot { content } => text.clone_from(content),
            StreamEvent::Text { text: more } => text.push_str(more),
            StreamEvent::End => {}
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_late_gets_what_came_and_then_the_rest_once() {
    let desk = Desk::new(Script::always(slow(30)));
    let core = desk.open().await;
    let id = core.ask(None, "tell").answer_id.expect("one");
    let early = tokio::spawn(followed(core.follow(id)));
    core.speaks(id).await;
    let late = followed(core.follow(id)).await;
    let whole = core.ended(id).await.content;
    assert!(matches!(&late[0], StreamEvent::Snapshot { content } if content.starts_with("w1")));
    assert!(late[1..late.len() - 1].iter().all(|event| matches!(event, StreamEvent::Text { .. })));
    assert_eq!((read(&late), late.last()), (whole.clone(), Some(&StreamEvent::End)));
    assert_eq!(read(&early.await.expect("followed")), whole);
    assert_eq!(read(&followed(core.follow(id)).await), whole, "after the end too");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_runs_in_another_process_is_followed_through_the_mirror() {
    let desk = Desk::new(Script::always(slow(100)));
    let (window, other) = (desk.open().await, desk.process());
    let id = other.core.ask(None, "tell").answer_id.expect("one");
    let events = followed(window.follow(id)).await;
    assert_eq!(read(&events), window.ended(id).await.content);
    assert!(events.len() > 3, "it came in pieces: {events:?}");
    assert_eq!(desk.server.requests().len(), 1, "asked once");
    other.die();
}

#[tokio::test(flavor = "multi_thread")]
async fn following_nothing_ends() {
    let desk = parrot();
    let core = desk.open().await;
    let nobody = tidemark_core::model::MessageId(uuid::Uuid::from_u128(404));
    assert_eq!(followed(core.follow(nobody)).await, [StreamEvent::End]);
}

async fn next(changes: &mut Listener) -> Change {
    tokio::time::timeout(PATIENCE, changes.next()).await.expect("a change").expect("open")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_when_it_can_be_read() {
    let desk = parrot();
    let core = desk.open().await;
    let reader = core.clone();
    let mut changes = core.changes();
    let seen = tokio::spawn(async move {
        loop {
            if let Change::Message { id, .. } = next(&mut changes).await {
                return reader.messages_by_id(&[id]).expect("readable").len();
            }
        }
    });
    core.say(&to(None, "hello")).expect("said");
    assert_eq!(seen.await.expect("told"), 1, "a listener that reads at once sees the row");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_not_told() {
    let desk = parrot();
    let core = desk.open().await;
    let mut changes = core.changes();
    core.send(&to(None, "")).expect_err("refused");
    core.finish_first_run().expect("told");
    loop {
        // What the app does at its start may still be told.
        match next(&mut changes).await {
            Change::Setting { .. } => break,
            told
            @ (Change::Conversation { .. } | Change::Message { .. } | Change::Draft { .. }) => {
                panic!("{told:?}")
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_wrote_is_noticed() {
    let desk = parrot();
    let (window, other) = (desk.open().await, desk.process());
    let mut changes = window.changes();
    let id = other.core.say(&to(None, "from there")).expect("said").conversation_id;
    let noticed = async { while next(&mut changes).await != Change::Everything {} };
    tokio::time::timeout(PATIENCE, noticed).await.expect("within moments");
    assert_eq!(window.shown(id), ["from there"]);
    other.die();
}

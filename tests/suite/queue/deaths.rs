//! Two processes over one folder, and the end of one of them.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn closing_in_the_middle_leaves_the_answer_interrupted_and_whole_so_far() {
    let desk = Desk::new(Script::always(slow(400)));
    let core = desk.open().await;
    let id = core.ask(None, "tell").answer_id.expect("one");
    let mut following = core.follow(id);
    let mut shown = String::new();
    while shown.split_whitespace().count() < 12 {
        match following.next().await.expect("more") {
            tidemark_core::api::StreamEvent::Snapshot { content } => shown = content,
            tidemark_core::api::StreamEvent::Text { text } => shown.push_str(&text),
            tidemark_core::api::StreamEvent::End => panic!("too soon"),
        }
    }
    core.close().await;
    drop((core, following));
    let core = desk.open().await;
    let answer = core.row(id).message;
    assert_eq!(answer.state, MessageState::Interrupted, "nobody pressed stop");
    assert!(answer.content.starts_with(&shown), "all that was seen is there: {answer:?}");
    assert_eq!(core.row(id).waiting, None);
    assert_eq!(desk.server.requests().len(), 1, "it is not asked again by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_before_a_word_came_leaves_it_in_the_queue() {
    let desk = Desk::new(Script::always(Reply::Silence));
    let core = desk.open().await;
    let id = core.ask(None, "tell").answer_id.expect("one");
    core.reaches(id, MessageState::Sending).await;
    core.close().await;
    drop(core);
    desk.server.script(Script::always(Reply::answer("now")));
    let core = desk.open().await;
    assert_eq!(core.ended(id).await.content, "now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_in_the_middle_loses_at_most_what_the_last_half_second_brought() {
    let desk = Desk::new(Script::always(slow(400)));
    let process = desk.process();
    process.core.save_provider(desk.provider()).expect("saved");
    let id = process.core.ask(None, "tell").answer_id.expect("one");
    // Eight words after the first were stored: then the text in memory is 0.4 s old at most.
    let row = process.core.until(id, |row| row.message.content.len() > 40).await;
    process.die();
    let core = desk.open().await;
    let answer = core.ended(id).await;
    assert_eq!(answer.state, MessageState::Interrupted);
    assert!(answer.content.starts_with(&row.message.content), "{answer:?}");
    let again = core.retry_now(id).expect("asked again").answer_id.expect("one");
    core.speaks(again).await;
    assert_eq!(core.row(id).siblings.count, 2, "beside what had come");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_before_a_word_came_is_made_good_by_asking_again() {
    let desk = Desk::new(Script::always(Reply::Silence));
    let process = desk.process();
    process.core.save_provider(desk.provider()).expect("saved");
    let id = process.core.ask(None, "tell").answer_id.expect("one");
    process.core.reaches(id, MessageState::Sending).await;
    process.die();
    desk.server.script(Script::always(Reply::answer("now")));
    assert_eq!(desk.open().await.ended(id).await.content, "now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_window_leaves_a_running_answer_alone_and_takes_over_when_it_dies() {
    let desk = Desk::new(Script::always(slow(400)));
    let first = desk.process();
    first.core.save_provider(desk.provider()).expect("saved");
    let sent = first.core.ask(None, "tell");
    let id = sent.answer_id.expect("one");
    let behind = first.core.ask(Some(sent.conversation_id), "and").answer_id.expect("one");
    first.core.speaks(id).await;
    let second = desk.open().await;
    let length = second.row(id).message.content.len();
    let later = second.until(id, |row| row.message.content.len() > length).await;
    assert_eq!(later.message.state, MessageState::Streaming);
    assert_eq!(desk.server.requests().len(), 1, "the second asks nothing meanwhile");
    desk.server.script(Script::always(Reply::answer("taken over")));
    first.die();
    assert_eq!(second.ended(id).await.state, MessageState::Interrupted);
    assert_eq!(second.ended(behind).await.content, "taken over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_answer_of_another_process_is_stopped_from_here() {
    let desk = Desk::new(Script::always(Reply::Silence));
    let (window, other) = (desk.open().await, desk.process());
    let id = other.core.ask(None, "tell").answer_id.expect("one");
    window.reaches(id, MessageState::Sending).await;
    window.stop(id).expect("stopped");
    assert_eq!(window.row(id).message.state, MessageState::Stopped);
    // The other one lets its connection go, and its follower hears of the end.
    let mut following = other.core.follow(id);
    let ended = async { while following.next().await.is_some() {} };
    tokio::time::timeout(crate::desk::PATIENCE, ended).await.expect("an end");
    assert_eq!(other.core.row(id).message.state, MessageState::Stopped);
    drop(following);
    other.die();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_waits_behind_what_the_window_is_answering() {
    let desk = Desk::new(Script::always(slow(400)));
    let window = desk.open().await;
    let sent = window.ask(None, "tell");
    window.speaks(sent.answer_id.expect("one")).await;
    let line = opened(&OpenOptions {
        run_queue: false,
        keyring: Arc::clone(&desk.options.keyring),
        ..desk.options.clone()
    })
    .await;
    let id = line.ask(Some(sent.conversation_id), "and?").answer_id.expect("one");
    line.answer(id).await;
    assert_eq!(line.row(id).message.state, MessageState::Queued, "not before its turn");
    line.release(id).expect("left to the window");
    desk.server.script(Script::default());
    window.stop(sent.answer_id.expect("one")).expect("stopped");
    assert_eq!(window.ended(id).await.content, "You said: and?");
}

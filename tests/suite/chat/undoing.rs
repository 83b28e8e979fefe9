//! Ctrl+Z.

use super::*;
use tidemark_core::api::Shelf;

#[tokio::test(flavor = "multi_thread")]
async fn rename_archive_and_trash_are_taken_back_latest_first() {
    let desk = parrot();
    let core = desk.open().await;
    let id = core.say(&to(None, "hello")).expect("said").conversation_id;
    let before = core.conversation(id).expect("there");
    core.rename(id, "Mine").expect("renamed");
    core.archive(id, true).expect("archived");
    core.trash(id).expect("trashed");
    assert!(core.undoable().expect("three things").label.contains("Mine"));
    (0..3).for_each(|_| drop(core.undo(None).expect("undone")));
    let after = core.conversation(id).expect("there");
    assert_eq!((after.title, after.title_by), (before.title, before.title_by));
    assert_eq!((after.archived, after.trashed_at), (false, None));
    assert_eq!(core.undoable(), None);
    assert_eq!(core.undo(None).expect_err("nothing left").code, Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_action_is_taken_back_by_its_id_and_only_once() {
    let desk = parrot();
    let core = desk.open().await;
    let (one, two) = (
        core.say(&to(None, "one")).expect("said").conversation_id,
        core.say(&to(None, "two")).expect("said").conversation_id,
    );
    core.trash(one).expect("trashed");
    let first = core.undoable().expect("one").id;
    core.trash(two).expect("trashed");
    assert_eq!(core.undo(Some(first)).expect("undone").conversation_id, one);
    assert_eq!(core.undo(Some(first)).expect_err("once").code, Code::NotFound);
    let trash = core.conversations(Shelf::Trash).expect("read");
    assert_eq!(trash.iter().map(|one| one.id).collect::<Vec<_>>(), [two]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_taken_back_while_the_new_answer_still_arrives() {
    let desk =
        Desk::new(Script::in_turn([Reply::answer("first"), slow(400)], Reply::answer("next")));
    let core = desk.open().await;
    let (sent, _) = core.answered(None, "ask").await;
    let id = sent.conversation_id;
    let edited = core.edit(sent.message_id.expect("one"), "ask better").expect("edited");
    core.speaks(edited.answer_id.expect("one")).await;
    core.undo(None).expect("undone");
    assert_eq!(core.shown(id), ["ask", "first"]);
    let conversation = core.conversation(id).expect("there");
    assert_eq!((conversation.message_count, conversation.open_count), (2, 0));
    assert_eq!(core.finds("better").await, [], "what was taken back is not found");
    // The connection goes, so nothing arrives for nobody.
    let started = std::time::Instant::now();
    while desk.server.connections() > 0 && started.elapsed() < crate::desk::PATIENCE {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(desk.server.connections(), 0);
    assert_eq!(core.shown(id), ["ask", "first"], "and its end changes nothing");
    let (_, next) = core.answered(Some(id), "go on").await;
    assert_eq!(next.content, "next", "the queue goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn regenerations_are_taken_back_in_any_order() {
    let desk =
        Desk::new(Script::in_turn(["a", "b", "c"].map(Reply::answer), Reply::answer("more")));
    let core = desk.open().await;
    let (sent, a) = core.answered(None, "ask").await;
    let b = core.regenerate(a.id, None).expect("asked").answer_id.expect("one");
    core.ended(b).await;
    let first = core.undoable().expect("one").id;
    let c = core.regenerate(b, None).expect("asked").answer_id.expect("one");
    core.ended(c).await;
    // The toast of the first is clicked after the second was made; what the second one hid is gone.
    core.undo(Some(first)).expect("undone");
    core.undo(None).expect("undone, although the branch that it showed has gone");
    assert_eq!(core.shown(sent.conversation_id), ["ask", "a"]);
}

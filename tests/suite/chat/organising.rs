//! Rename, pin, archive, trash, duplicate, export.

use super::*;
use tidemark_core::api::{ExportFormat, Shelf};
use tidemark_core::clock::{Clock as _, ManualClock};

const DAY: i64 = 24 * 60 * 60 * 1000;
const START: i64 = 1_780_000_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_message_takes_a_conversation_out_of_the_trash() {
    let desk = parrot();
    let core = desk.open().await;
    let id = core.say(&to(None, "hello")).expect("said").conversation_id;
    core.trash(id).expect("trashed");
    let ids = |shelf| core.conversations(shelf).expect("read").len();
    assert_eq!((ids(Shelf::Active), ids(Shelf::Trash)), (0, 1));
    core.say(&to(Some(id), "still there?")).expect("said");
    assert_eq!((ids(Shelf::Active), ids(Shelf::Trash)), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn trashing_stops_what_waits_and_what_arrives() {
    let desk = Desk::new(Script::always(slow(400)));
    let core = desk.open().await;
    let sent = core.ask(None, "go");
    let (running, waiting) =
        (sent.answer_id.expect("one"), core.ask(Some(sent.conversation_id), "and").answer_id);
    core.speaks(running).await;
    core.trash(sent.conversation_id).expect("trashed");
    assert_eq!(core.ended(running).await.state, MessageState::Stopped);
    assert_eq!(core.ended(waiting.expect("one")).await.state, MessageState::Stopped);
    let conversation = core.conversation(sent.conversation_id).expect("there");
    assert!(conversation.trashed_at.is_some(), "the end of the answer does not bring it back");
    assert_eq!(conversation.open_count, 0);
    assert_eq!(desk.server.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_in_the_trash_is_deleted_for_good() {
    let desk = parrot();
    let core = desk.open().await;
    let (sent, _) = core.answered(None, "delete me").await;
    let id = sent.conversation_id;
    assert_eq!(core.delete_forever(id).expect_err("refused").code, Code::WrongState);
    core.trash(id).expect("trashed");
    core.indexed().await;
    core.delete_forever(id).expect("deleted");
    assert_eq!(core.conversation(id).expect_err("gone").code, Code::NotFound);
    assert_eq!(core.messages_by_id(&[sent.message_id.expect("one")]).expect("read"), []);
    assert_eq!(core.finds("delete").await, []);
    let report = core.doctor().expect("read");
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!((report.counts["messages"], report.counts["message_index"]), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trash_is_emptied_after_thirty_days_of_use() {
    let clock = ManualClock::at(START);
    let desk = parrot().at(clock.clone());
    let core = desk.open().await;
    let old = core.say(&to(None, "old")).expect("said").conversation_id;
    let kept = core.say(&to(None, "kept")).expect("said").conversation_id;
    core.trash(old).expect("trashed");
    clock.advance(29 * DAY);
    core.trash(kept).expect("trashed");
    core.say(&to(None, "used")).expect("said");
    let trash_after_restart = async |core: tidemark_core::api::Tidemark| {
        core.close().await;
        drop(core);
        let core = desk.open().await;
        // The purge is a task of its own; whoever writes after it comes second.
        let mut changes = core.changes();
        let due = core
            .conversations(Shelf::Trash)
            .expect("read")
            .iter()
            .any(|one| one.trashed_at.is_some_and(|at| at.0 + 30 * DAY < clock.now().0));
        while due && core.conversations(Shelf::Trash).expect("read").len() > 1 {
            tokio::time::timeout(crate::desk::PATIENCE, changes.next()).await.expect("purged");
        }
        core
    };
    let core = trash_after_restart(core).await;
    assert_eq!(core.conversations(Shelf::Trash).expect("read").len(), 2, "29 days are not 30");
    clock.advance(2 * DAY);
    core.say(&to(None, "used again")).expect("said");
    let core = trash_after_restart(core).await;
    let left: Vec<_> =
        core.conversations(Shelf::Trash).expect("read").into_iter().map(|one| one.id).collect();
    assert_eq!(left, [kept]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_ahead_empties_no_trash() {
    let clock = ManualClock::at(START);
    let desk = parrot().at(clock.clone());
    let core = desk.open().await;
    let id = core.say(&to(None, "precious")).expect("said").conversation_id;
    core.trash(id).expect("trashed");
    clock.advance(10 * 365 * DAY);
    let purged = core.mirror().write(|write| {
        let last = core.conversation(id).expect("there").active_at.0;
        tidemark_core::chat::organise::purge_due(write, last)
    });
    assert_eq!(purged.expect("read"), 0);
    core.close().await;
    drop(core);
    let core = desk.open().await;
    // Closing waits for the purge.
    core.close().await;
    assert_eq!(core.conversations(Shelf::Trash).expect("read").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_has_all_branches_and_shows_the_same_one() {
    let desk = parrot();
    let core = desk.open().await;
    let (sent, first) = core.answered(None, "one").await;
    let id = sent.conversation_id;
    let again = core.regenerate(first.id, None).expect("asked");
    core.ended(again.answer_id.expect("one")).await;
    core.answered(Some(id), "two").await;
    core.choose_branch(first.id).expect("chosen");
    let copy = core.duplicate(id).expect("copied");
    assert_eq!(copy.title, "one (copy)");
    assert_eq!(copy.message_count, core.conversation(id).expect("there").message_count);
    assert_eq!(core.shown(copy.id), core.shown(id));
    let (old, new) = (core.messages(id).expect("read"), core.messages(copy.id).expect("read"));
    let texts = |list: &[Message]| list.iter().map(|m| m.content.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&old), texts(&new));
    assert!(old.iter().all(|old| new.iter().all(|new| new.id != old.id)), "ids are its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_chat_that_waits_for_answers_is_still_one_thread() {
    let desk = Desk::new(Script::always(Reply::Silence));
    let core = desk.open().await;
    let id = core.ask(None, "one").conversation_id;
    core.ask(Some(id), "two");
    core.ask(Some(id), "three");
    let copy = core.duplicate(id).expect("copied");
    assert_eq!(core.shown(copy.id), ["one", "two", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn archive_and_pin_change_the_shelf_and_the_order_only() {
    let desk = parrot();
    let core = desk.open().await;
    let id = core.say(&to(None, "hello")).expect("said").conversation_id;
    let before = core.conversation(id).expect("there");
    core.archive(id, true).expect("archived");
    assert_eq!(core.conversations(Shelf::Archived).expect("read")[0].id, id);
    assert_eq!(core.conversations(Shelf::Active).expect("read"), []);
    let after = core.archive(id, false).expect("back");
    assert_eq!((after.active_at, after.title), (before.active_at, before.title));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_as_json_has_every_branch_and_markdown_the_one_that_is_shown() {
    let desk = parrot();
    let core = desk.open().await;
    let (sent, first) = core.answered(None, "ask").await;
    let id = sent.conversation_id;
    let edited = core.edit(sent.message_id.expect("one"), "ask better").expect("edited");
    core.ended(edited.answer_id.expect("one")).await;
    let json = core.export_text(id, ExportFormat::Json).expect("written");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["messages"].as_array().expect("a list").len(), 4);
    assert_eq!(json["id"], id.to_string());
    let md = core.export_text(id, ExportFormat::Md).expect("written");
    assert!(md.starts_with("# ask\n") && md.contains("You said: ask better"), "{md}");
    assert!(!md.contains(&format!("{}\n", first.content)), "{md}");
    let all = core.export_all(&[]).expect("written");
    assert_eq!(
        (all.format.as_str(), all.version, all.conversations.len()),
        ("tidemark-export", 1, 1)
    );
}

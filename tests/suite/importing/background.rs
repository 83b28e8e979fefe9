//! The import beside everything else: one at a time, paused, gone on with, offered after a restart.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_core::Code;
use tidemark_core::api::{ImportRequest, ImportStage, ImportState, Tidemark};
use tidemark_core::events::Change;
use tidemark_tests::model_server::Script;
use tokio::sync::watch;

use super::fixture;
use crate::desk::{Desk, PATIENCE, opened};

/// What the v4 fixture has, by its truth file.
const MESSAGES: u64 = 2_054;
/// The key of one of its three people.
const MARIE: &str = "cd613e30-d8f1-4adf-91b7-584a2265b1f5";

fn whole() -> ImportRequest {
    of(&fixture("pharmgpt-v4").join("user_data"))
}

fn of(path: &Path) -> ImportRequest {
    ImportRequest { path: path.display().to_string(), ..ImportRequest::default() }
}

/// Waits until it is so.
async fn until(
    state: &mut watch::Receiver<ImportState>,
    so: impl FnMut(&ImportState) -> bool,
) -> ImportState {
    let told = tokio::time::timeout(PATIENCE, state.wait_for(so)).await;
    told.expect("in time").expect("the app is open").clone()
}

async fn ended(core: &Tidemark) -> ImportState {
    let going = |state: &ImportState| {
        matches!(state, ImportState::Running { .. } | ImportState::Pausing { .. })
    };
    until(&mut core.watch_import(), |state| !going(state)).await
}

fn done(state: ImportState) -> uuid::Uuid {
    match state {
        ImportState::Done { id } => id.parse().expect("an id"),
        other => panic!("not at its end: {other:?}"),
    }
}

/// A ChatGPT export, large enough to be stopped in the middle.
fn large(desk: &Desk) -> PathBuf {
    let folder = desk.folder.path().join("chatgpt");
    std::fs::create_dir(&folder).expect("a folder");
    let chat = |n: u32| {
        let node = |m: u32| {
            let parent = m.checked_sub(1).map_or("null".to_owned(), |p| format!("\"{n}-{p}\""));
            format!(
                r#""{n}-{m}":{{"id":"{n}-{m}","parent":{parent},"children":["{n}-{}"],"message":{{"id":"{n}-{m}","author":{{"role":"user"}},"create_time":1750000000,"content":{{"content_type":"text","parts":["Message {m} of {n}"]}}}}}}"#,
                m + 1
            )
        };
        let nodes: Vec<_> = (0..40).map(node).collect();
        format!(
            r#"{{"id":"chat-{n}","conversation_id":"chat-{n}","title":"Chat {n}","create_time":1750000000,"update_time":1750000000,"current_node":"{n}-39","mapping":{{{}}}}}"#,
            nodes.join(",")
        )
    };
    let chats: Vec<_> = (0..150).map(chat).collect();
    std::fs::write(folder.join("conversations.json"), format!("[{}]", chats.join(",")))
        .expect("written");
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_beside_everything_else_and_tells_how_far_it_is() {
    let desk = Desk::new(Script::default());
    let core = desk.open().await;
    let planned = core.import_survey(whole()).await.expect("planned");
    assert_eq!(planned.plan.counts.messages, MESSAGES);
    assert!(planned.plan.disk_bytes >= planned.plan.bytes && planned.free_bytes > Some(0));
    assert_eq!(core.import_state().expect("readable"), ImportState::Idle);

    let mut state = core.watch_import();
    let mut changes = core.changes();
    core.import_start(whole()).expect("started");
    let (mut shares, mut stages) = (Vec::new(), Vec::new());
    let last = loop {
        let now = state.borrow_and_update().clone();
        match now {
            ImportState::Running { moment, .. } => {
                shares.push(moment.share);
                stages.push(moment.stage);
            }
            other => break other,
        }
        tokio::time::timeout(PATIENCE, state.changed()).await.expect("in time").expect("open");
    };
    assert!(shares.is_sorted(), "{shares:?}");
    assert_eq!(stages.first(), Some(&ImportStage::Reading));
    let report = core.import_report(done(last)).expect("a report");
    assert!(report.verified, "{:?}", report.mismatches);
    assert_eq!(report.imported.messages, MESSAGES);
    let heard = async { while changes.next().await != Some(Change::Import) {} };
    tokio::time::timeout(PATIENCE, heard).await.expect("it was told");

    let here = core.imported_conversations(report.id.parse().expect("an id")).expect("read");
    assert_eq!(here.all, report.imported.conversations);
    assert_eq!(here.first.len() as u64, here.all.min(20));
    core.import_settle();
    assert_eq!(core.import_state().expect("readable"), ImportState::Idle, "it was seen");
}

/// How often it is tried to catch an import in the middle: a busy machine may let it come to its end
/// before the test is heard.
const ATTEMPTS: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn only_one_import_is_under_way_whoever_asks() {
    for _ in 0..ATTEMPTS {
        let desk = Desk::new(Script::default());
        let (core, large) = (desk.open().await, of(&large(&desk)));
        let other = opened(&desk.options).await;
        core.import_start(large.clone()).expect("started");
        assert_eq!(core.import_start(large.clone()).expect_err("one is").code, Code::Busy);
        assert_eq!(core.import_survey(whole()).await.expect_err("one is").code, Code::Busy);
        // Another process, as far as the lock can tell.
        let mut state = core.watch_import();
        until(&mut state, |state| match state {
            ImportState::Running { moment, .. } => moment.done > 0,
            _ => true,
        })
        .await;
        let refused = other.import_run(&whole(), &other.stop_token(), &mut |_| {});
        let cut_off = other.import_state().expect("readable");
        if !matches!(*state.borrow(), ImportState::Running { .. }) {
            continue;
        }
        assert_eq!(refused.expect_err("one is").code, Code::Busy);
        assert_eq!(cut_off, ImportState::Idle, "it is not cut off");
        core.import_report(done(ended(&core).await)).expect("a report");
        return;
    }
    panic!("never caught in the middle");
}

/// An import that was paused when a part of its 150 conversations had been written.
async fn paused_in_the_middle() -> (Desk, Tidemark, ImportRequest) {
    for _ in 0..ATTEMPTS {
        let desk = Desk::new(Script::default());
        let core = desk.open().await;
        let request = ImportRequest { zone_minutes: 60, ..of(&large(&desk)) };
        core.import_start(request.clone()).expect("started");
        until(&mut core.watch_import(), |state| match state {
            ImportState::Running { moment, .. } => {
                moment.stage == ImportStage::Writing && moment.done > 600
            }
            _ => true,
        })
        .await;
        core.import_pause();
        let state = ended(&core).await;
        let so_far = core.conversations(tidemark_core::api::Shelf::Active).expect("read").len();
        if !(1..150).contains(&so_far) {
            continue;
        }
        assert!(matches!(&state, ImportState::Paused { request: same, .. } if *same == request));
        return (desk, core, request);
    }
    panic!("never caught in the middle");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paused_is_offered_after_a_restart_and_ends_as_if_it_had_not_been() {
    let (desk, core, request) = paused_in_the_middle().await;
    core.close().await;

    let core = opened(&desk.options).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let offered = core.import_state().expect("readable");
    assert!(
        matches!(&offered, ImportState::Paused { request: same, id: Some(_) } if *same == request),
        "offered as it was asked for, and not started: {offered:?}"
    );
    core.import_go_on(None).expect("it goes on");
    let report = core.import_report(done(ended(&core).await)).expect("a report");
    assert!(report.verified, "{:?}", report.mismatches);
    assert_eq!((report.imported.conversations, report.imported.messages), (150, 6_000));
    assert_eq!(core.imports().expect("listed").len(), 1, "it is one import");

    let undone = core.import_undo(report.id.parse().expect("an id")).expect("taken back");
    assert_eq!(undone.conversations, 150);
    assert!(core.conversations(tidemark_core::api::Shelf::Active).expect("read").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_off_goes_on_only_as_it_was_asked_for() {
    let desk = Desk::new(Script::default());
    let core = desk.open().await;
    let first = of(&large(&desk));
    core.import_start(first.clone()).expect("started");
    core.import_pause();
    ended(&core).await;
    let other = ImportRequest { users: vec![MARIE.to_owned()], ..whole() };
    core.import_start(other.clone()).expect("started");
    let id = done(ended(&core).await);
    let imports = core.imports().expect("listed");
    assert_eq!(imports.len(), 2, "the other one is an import of its own");
    let named = |id: uuid::Uuid| imports.iter().find(|one| one.id == id.to_string());
    assert_eq!(named(id).map(|one| one.users.clone()), Some(other.users));
    core.import_settle();
    let left = core.import_state().expect("readable");
    assert!(
        matches!(&left, ImportState::Paused { request, .. } if *request == first),
        "the one that was cut off is still offered: {left:?}"
    );
    let over = core.import_go_on(Some(id)).expect_err("it is at its end");
    assert_eq!(over.code, Code::WrongState);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_gone_fails_with_a_word_and_reading_can_be_ended() {
    let desk = Desk::new(Script::default());
    let core = desk.open().await;
    let gone = of(&desk.folder.path().join("gone"));
    assert_eq!(core.import_survey(gone.clone()).await.expect_err("gone").code, Code::NotFound);
    core.import_start(gone).expect("started");
    let failed = ended(&core).await;
    assert!(
        matches!(&failed, ImportState::Failed { failure, .. } if failure.code == Code::NotFound)
    );
    core.import_settle();
    assert_eq!(core.import_state().expect("readable"), ImportState::Idle);

    let large = of(&large(&desk));
    // In one task: it is ended before a busy machine could give the reading the time to be over.
    let mut state = core.watch_import();
    let mut reading = std::pin::pin!(core.import_survey(large));
    let ended = tokio::select! {
        biased;
        ended = &mut reading => ended,
        _ = until(&mut state, |state| matches!(state, ImportState::Planning { .. })) => {
            core.import_pause();
            reading.await
        }
    };
    assert_eq!(ended.expect_err("it was ended").code, Code::Interrupted);
    assert_eq!(core.import_state().expect("readable"), ImportState::Idle);
    assert!(core.imports().expect("listed").is_empty(), "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tidemark_keeps_of_its_own_is_not_found() {
    let desk = Desk::new(Script::default());
    let core = desk.open().await;
    let home = desk.folder.path();
    let copy = |to: &Path| {
        std::fs::create_dir_all(to).expect("a folder");
        let from = fixture("pharmgpt-v4").join("user_data/users.json");
        std::fs::copy(from, to.join("users.json")).expect("copied");
        std::fs::create_dir_all(to.join("conversations_1")).expect("a folder");
        std::fs::write(to.join("conversations_1/conversations.json"), "{}").expect("written");
    };
    copy(&home.join("pharmgpt/user_data"));
    copy(&home.join("data/unpacked-1/user_data"));
    let found = core.import_find(&[home.to_owned()]);
    let paths: Vec<_> = found.iter().map(|one| one.path.clone()).collect();
    assert_eq!(paths, [home.join("pharmgpt").display().to_string()]);
    let looked = core.import_look(&home.join("pharmgpt")).expect("it is below");
    assert_eq!(looked.source, "pharmgpt");
    assert_eq!(core.import_look(&home.join("nothing")).expect_err("no").code, Code::NotFound);
}

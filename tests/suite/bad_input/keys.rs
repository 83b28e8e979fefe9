//! Keys, keyrings and folders that are not as they should be.

use super::*;

async fn state(options: &OpenOptions) -> AppState {
    App::start(options.clone()).state().await
}

fn failed(state: AppState) -> Failure {
    match state {
        AppState::Failed { failure, .. } => failure,
        other => panic!("it opened: {other:?}"),
    }
}

/// A folder with a mirror that a key file opens, and the file.
async fn with_key_file() -> (Desk, OpenOptions, std::path::PathBuf) {
    let desk = Desk::new(Script::default());
    let file = desk.folder.path().join("key");
    write_key(&file, &[7; 48]);
    let options = OpenOptions { key_file: Some(file.clone()), ..desk.options.clone() };
    let core = opened(&options).await;
    core.say(&to(None, "kept")).expect("said");
    core.close().await;
    (desk, options, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_is_not_right_opens_nothing_and_breaks_nothing() {
    let (_desk, options, file) = with_key_file().await;
    let mirror = options.data_dir.join("mirror.db");
    let before = std::fs::read(&mirror).expect("there");
    for bytes in [&[7_u8; 47][..], &[7; 49], &[]] {
        write_key(&file, bytes);
        assert_eq!(failed(state(&options).await).code, Code::Locked, "{} bytes", bytes.len());
    }
    std::fs::remove_file(&file).expect("removed");
    assert_eq!(failed(state(&options).await).code, Code::Locked);
    write_key(&file, &[8; 48]);
    let failure = failed(state(&options).await);
    assert_eq!(failure.code, Code::WrongKey);
    assert!(failure.message.contains("not changed") && failure.hint.is_some(), "{failure:?}");
    assert!(std::fs::read(&mirror).expect("there") == before, "the file is as it was");
    write_key(&file, &[7; 48]);
    assert_eq!(opened(&options).await.conversations(Default::default()).expect("read").len(), 1);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_desk, options, file) = with_key_file().await;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("set");
    assert_eq!(failed(state(&options).await).code, Code::Locked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_file_without_a_card_is_told_from_a_damaged_mirror() {
    let (_desk, options, file) = with_key_file().await;
    std::fs::remove_file(options.data_dir.join("mirror.json")).expect("lost");
    write_key(&file, &[8; 48]);
    assert_eq!(failed(state(&options).await).code, Code::WrongKey);
    write_key(&file, &[7; 48]);
    opened(&options).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keyring_a_passphrase_is_chosen_and_then_asked_for() {
    let desk = Desk::new(Script::default());
    let keyring = Arc::new(MemoryKeyring::default());
    keyring.locked.store(true, Ordering::Relaxed);
    let options = OpenOptions { keyring, ..desk.options.clone() };
    let app = App::start(options.clone());
    assert!(matches!(app.state().await, AppState::NeedsPassphrase { .. }));
    assert_eq!(app.core().expect_err("closed").code, Code::Locked);
    assert_eq!(
        app.choose_passphrase("short".into()).await.expect_err("too short").code,
        Code::InvalidInput
    );
    app.choose_passphrase("a long walk".into()).await.expect("chosen");
    let again = app.choose_passphrase("another one".into()).await.expect_err("there is one");
    assert_eq!(again.code, Code::WrongState);
    let core = app.core().expect("open");
    let recovery = core.recovery_key();
    core.say(&to(None, "kept")).expect("said");
    app.close().await;
    drop((app, core));

    for opens in ["a long walk", recovery.as_str()] {
        let app = App::start(options.clone());
        assert!(matches!(app.state().await, AppState::Locked { has_passphrase: true, .. }));
        assert_eq!(app.unlock("a long talk".into()).await.expect_err("wrong").code, Code::WrongKey);
        assert!(matches!(app.state().await, AppState::Locked { .. }), "and it can be tried again");
        app.unlock(opens.to_owned()).await.expect("the right one");
        let core = app.core().expect("open");
        assert_eq!(core.conversations(Default::default()).expect("read").len(), 1);
        app.unlock("anything".into()).await.expect("what is open stays open");
        app.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keyring_locks_and_forgets_nothing() {
    let desk = Desk::new(Script::default());
    let keyring = Arc::new(MemoryKeyring::default());
    let options = OpenOptions { keyring: keyring.clone(), ..desk.options.clone() };
    let core = opened(&options).await;
    core.say(&to(None, "kept")).expect("said");
    core.close().await;
    drop(core);
    keyring.locked.store(true, Ordering::Relaxed);
    let locked = state(&options).await;
    assert!(matches!(locked, AppState::Locked { has_passphrase: false, .. }), "{locked:?}");
    keyring.locked.store(false, Ordering::Relaxed);
    opened(&options).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_card_and_a_lost_keyring_are_made_good_by_the_recovery_key() {
    let desk = Desk::new(Script::default());
    let core = opened(&desk.options).await;
    core.say(&to(None, "kept")).expect("said");
    let (recovery, id) = (core.recovery_key(), core.mirror().id());
    core.close().await;
    drop(core);
    std::fs::remove_file(desk.options.data_dir.join("mirror.json")).expect("lost");
    let options =
        OpenOptions { keyring: Arc::new(MemoryKeyring::default()), ..desk.options.clone() };
    let app = App::start(options.clone());
    assert!(matches!(app.state().await, AppState::Locked { .. }));
    let stranger =
        tidemark_core::mirror::key::Key::random().expect("random").recovery().to_string();
    assert_eq!(app.unlock(stranger).await.expect_err("wrong").code, Code::WrongKey);
    assert!(matches!(app.state().await, AppState::Locked { .. }), "and it can be tried again");
    app.unlock(recovery).await.expect("the right one");
    app.close().await;
    drop(app);
    let core = opened(&options).await;
    assert_eq!(core.mirror().id(), id);
    assert_eq!(core.conversations(Default::default()).expect("read").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_is_a_failure_with_what_to_do() {
    let desk = Desk::new(Script::default());
    let file = desk.folder.path().join("a-file");
    std::fs::write(&file, "not a folder").expect("written");
    let options = OpenOptions { data_dir: file.join("data"), ..desk.options.clone() };
    let failure = failed(state(&options).await);
    assert_eq!(failure.code, Code::ReadOnly);
    assert!(failure.hint.is_some());
    assert_eq!(std::fs::read(&file).expect("there"), b"not a folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_is_no_card_is_refused_and_left_alone() {
    let desk = Desk::new(Script::default());
    opened(&desk.options).await.close().await;
    let card = desk.options.data_dir.join("mirror.json");
    for bytes in [&b"{"[..], b"[]", b"\xff\xfe", b""] {
        std::fs::write(&card, bytes).expect("damaged");
        let state = state(&desk.options).await;
        assert!(matches!(state, AppState::Failed { .. } | AppState::Locked { .. }), "{state:?}");
        assert_eq!(std::fs::read(&card).expect("there"), bytes);
    }
}

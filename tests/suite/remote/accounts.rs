//! The account as the window has it: the session in the keyring, the mirror attached.

use crate::desk;

use tidemark_core::Code;
use tidemark_core::api::{AccountState, Credentials, ProjectAddress, SignOutRequest};
use tidemark_core::providers::secret::Secret;
use tidemark_core::secrets::MemoryKeyring;
use tidemark_tests::model_server::Script;
use tidemark_tests::stack::{Options, Stack};

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const ANN: &str = "ann@example.com";

fn ann(stack: &Stack, password: &str) -> Credentials {
    let address =
        ProjectAddress { url: stack.url(), anon_key: stack.anon_key().into(), ca_file: None };
    Credentials { project: Some(address), email: ANN.into(), password: Secret::exact(password) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced_and_the_session_is_in_the_keyring() {
    let stack = Stack::launch(Options::quick()).await.expect("a stack");
    let desk = desk::Desk::new(Script::default());
    let core = desk.open().await;
    core.sign_up(ann(&stack, "correct horse battery")).await.expect("signed up");
    core.sign_out(SignOutRequest { remove: false, discard_pending: true, everywhere: false })
        .await
        .expect("signed out");
    core.forgot_password(None, ANN).await.expect("sent");
    let code = stack.mails().last().expect("a message").code.clone();
    let wrong = core.reset_password(ann(&stack, "another horse"), &Secret::new("000000")).await;
    assert_eq!(wrong.expect_err("refused").code, Code::Refused);
    let status = core.reset_password(ann(&stack, "another horse"), &Secret::new(code)).await;
    assert_eq!(status.expect("replaced").state, AccountState::SignedIn);
    let old = core.sign_in(ann(&stack, "correct horse battery")).await;
    assert!(old.expect_err("the old one").message.contains("wrong"));
    // Another start finds the session where it was kept.
    core.close().await;
    let core = desk.open().await;
    assert_eq!(core.account().await.expect("read").state, AccountState::SignedIn);
    core.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_kept_is_not_used_and_nothing_is_attached() {
    let stack = Stack::launch(Options::quick()).await.expect("a stack");
    let keyring: Arc<MemoryKeyring> = Arc::default();
    let mut desk = desk::Desk::new(Script::default());
    desk.options.keyring = keyring.clone();
    let core = desk.open().await;
    keyring.locked.store(true, Ordering::Relaxed);
    let refused = core.sign_up(ann(&stack, "correct horse battery")).await.expect_err("locked");
    assert_eq!(refused.code, Code::Locked, "{refused:?}");
    assert_eq!(core.account().await.expect("read").state, AccountState::LocalOnly);
    keyring.locked.store(false, Ordering::Relaxed);
    let status = core.sign_in(ann(&stack, "correct horse battery")).await.expect("unlocked");
    assert_eq!(status.state, AccountState::SignedIn);
    tokio::time::timeout(Duration::from_secs(30), core.close()).await.expect("closed");
}

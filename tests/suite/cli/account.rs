//! `account`, against a Supabase on this machine.

use super::*;

use tidemark_core::Code;
use tidemark_tests::stack::{Confirm, Options, Stack};

const ANN: &str = "ann@example.com";
const PASSWORD: &str = "correct horse battery ";

/// A data folder that nobody has written to.
fn folder() -> Terminal {
    Terminal::new(Script::default())
}

fn stack() -> Stack {
    Stack::start(Options::quick()).expect("a stack")
}

impl Terminal {
    /// `account VERB` for a person at a project, with the password in the environment.
    fn account(&self, verb: &str, stack: &Stack, email: &str, password: &str) -> Output {
        let mut command = self.command();
        command.env("TIDEMARK_PASSWORD", password).arg("--json").args(["account", verb]);
        command.args(["--url", &stack.url(), "--anon-key", stack.anon_key(), "--email", email]);
        command.output().expect("it starts")
    }
}

fn document(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

#[test]
fn an_account_is_made_shown_left_and_entered_again() {
    let (stack, terminal) = (stack(), folder());
    assert_eq!(terminal.json(&["account", "status"])["state"], "local_only");
    let made = document(&terminal.account("sign-up", &stack, ANN, PASSWORD));
    assert_eq!((&made["state"], &made["email"]), (&"signed_in".into(), &ANN.into()));
    assert_eq!(made["url"], stack.url());
    let id = made["user_id"].as_str().expect("an id").to_owned();
    // Another start knows it, without a network.
    stack.down();
    assert_eq!(terminal.json(&["account", "status"]), made);
    stack.up();
    let left = terminal.json(&["account", "sign-out"]);
    assert_eq!((&left["state"], &left["user_id"]), (&"local_only".into(), &Value::Null));
    // The project is known; the password comes from standard input, its blank with it.
    let input = format!("{PASSWORD}\n");
    let again =
        terminal.with_input(&["--json", "account", "sign-in", "--email", ANN], input.as_bytes());
    assert_eq!(document(&again)["user_id"], id.as_str());
}

#[test]
fn a_folder_that_one_person_leaves_becomes_the_next_ones_device() {
    let (stack, terminal) = (stack(), folder());
    document(&terminal.account("sign-up", &stack, ANN, PASSWORD));
    let said = terminal.json(&["say", "new", "written by Ann, and kept here"]);
    terminal.json(&["sync"]);
    let anns = terminal.json(&["devices"]);
    terminal.json(&["account", "sign-out"]);
    document(&terminal.account("sign-up", &stack, "bob@example.com", PASSWORD));
    let run = terminal.json(&["sync"]);
    assert_eq!((&run["pending"], &run["parked"]), (&0.into(), &0.into()), "{run}");
    // What Ann left here is Bob's now; her devices are not.
    let bobs = terminal.json(&["devices"]);
    assert_eq!(bobs.as_array().expect("a list").len(), 1, "{bobs}");
    assert_ne!(bobs[0]["id"], anns[0]["id"]);
    let chat = said["conversation_id"].as_str().expect("an id");
    assert_eq!(terminal.json(&["messages", chat]).as_array().expect("a list").len(), 1);
}

#[test]
fn what_is_wrong_has_its_sentence_and_changes_nothing() {
    let (stack, terminal) = (stack(), folder());
    let wrong = failure(&terminal.account("sign-in", &stack, ANN, PASSWORD));
    assert!(wrong.message.contains("wrong"), "{wrong:?}");
    let weak = failure(&terminal.account("sign-up", &stack, ANN, "x"));
    assert_eq!(weak.code, Code::InvalidInput, "{weak:?}");
    let nobody = failure(&terminal.account("sign-up", &stack, "ann", PASSWORD));
    assert!(nobody.message.contains("e-mail"), "{nobody:?}");
    let mut with_secret = terminal.command();
    with_secret.env("TIDEMARK_PASSWORD", PASSWORD).args(["account", "sign-in", "--email", ANN]);
    with_secret.args(["--url", &stack.url(), "--anon-key", stack.service_role_key()]);
    let secret = failure(&with_secret.output().expect("it starts"));
    assert!(secret.message.contains("may read and change everything"), "{secret:?}");
    let unnamed = failure(&terminal.with_input(&["account", "sign-in", "--email", ANN], b"x\n"));
    assert!(unnamed.message.contains("No project is named"), "{unnamed:?}");
    let mute = failure(&terminal.with_input(&["account", "sign-in", "--email", ANN], b""));
    assert!(mute.message.contains("There is no password"), "{mute:?}");
    stack.down();
    let away = failure(&terminal.account("sign-in", &stack, ANN, PASSWORD));
    assert_eq!(away.code, Code::Offline, "{away:?}");
    assert_eq!(terminal.json(&["account", "status"])["state"], "local_only");
}

#[test]
fn a_data_folder_belongs_to_one_person() {
    let (stack, terminal) = (stack(), folder());
    document(&terminal.account("sign-up", &stack, ANN, PASSWORD));
    let bob = failure(&terminal.account("sign-up", &stack, "bob@example.com", PASSWORD));
    assert!(bob.message.contains(ANN), "{bob:?}");
    assert_eq!(terminal.json(&["account", "status"])["email"], ANN);
    // Signing in once more is no harm.
    let again = document(&terminal.account("sign-in", &stack, ANN, PASSWORD));
    assert_eq!(again["state"], "signed_in");
}

#[test]
fn signing_out_with_changes_pending_asks_first_and_keeps_what_is_here() {
    let (stack, terminal) = (stack(), folder());
    document(&terminal.account("sign-up", &stack, ANN, PASSWORD));
    terminal.json(&["say", "new", "written offline"]);
    let status = terminal.json(&["account", "status"]);
    assert!(status["pending"].as_i64().is_some_and(|pending| pending >= 1), "{status}");
    let asked = terminal.failure(&["account", "sign-out"]);
    assert_eq!(asked.code, Code::WrongState, "{asked:?}");
    terminal.json(&["account", "sign-out", "--discard-pending"]);
    let found = terminal.json(&["search", "offline"]);
    assert_ne!(found, serde_json::json!([]), "what was written is still here");
}

#[test]
fn an_address_that_has_to_be_confirmed_is_said_so() {
    let mut options = Options::quick();
    options.auth.confirm = Confirm::ByMail;
    let (stack, terminal) = (Stack::start(options).expect("a stack"), folder());
    let made = document(&terminal.account("sign-up", &stack, ANN, PASSWORD));
    assert_eq!((&made["state"], &made["email"]), (&"unconfirmed".into(), &ANN.into()));
    let early = failure(&terminal.account("sign-in", &stack, ANN, PASSWORD));
    assert_eq!(early.code, Code::WrongState, "{early:?}");
}

#[test]
fn neither_tokens_nor_password_are_in_what_is_stored_in_the_open() {
    let (stack, terminal) = (stack(), folder());
    document(&terminal.account("sign-up", &stack, ANN, PASSWORD));
    for entry in std::fs::read_dir(&terminal.desk.options.data_dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        for secret in ["correct horse", "access_token", "refresh", stack.anon_key()] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", path.display());
        }
    }
}

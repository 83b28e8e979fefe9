//! Questions from a terminal: streams, pipes, signals.

use super::*;
use std::io::Read as _;

#[test]
fn an_answer_is_printed_as_it_comes_and_ends_with_a_line() {
    let terminal = Terminal::ready(Script::default());
    let output = terminal.run(&["chat", "hello"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "You said: hello\n");
    let other = terminal.run(&["chat", "--model", "test/other", "hello"]);
    assert_eq!(other.status.code(), Some(0), "{other:?}");
    assert_eq!(terminal.desk.server.requests()[1].body["model"], "other");
}

#[test]
fn a_question_comes_from_standard_input_with_all_its_bytes() {
    let terminal = Terminal::ready(Script::default());
    let output = terminal.with_input(&["--json", "say", "new", "-"], b"a\0b \xff end");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let message: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(message["content"], "a\u{2400}b \u{fffd} end");
    assert!(message["content_raw"].is_string());
    let huge = terminal.with_input(&["say", "new", "-"], &vec![b'x'; 5 << 20]);
    assert_eq!(failure(&huge).code, tidemark_core::Code::TooLarge);
    let empty = terminal.with_input(&["say", "new", "-"], b"");
    assert_eq!(failure(&empty).code, tidemark_core::Code::InvalidInput);
}

#[cfg(unix)]
#[test]
fn arguments_that_are_no_unicode_are_kept_or_refused_and_never_a_crash() {
    use std::os::unix::ffi::OsStrExt as _;
    let terminal = Terminal::new(Script::default());
    let bad = std::ffi::OsStr::from_bytes(b"half \xff text");
    let said = terminal.command().args(["--json", "say", "new"]).arg(bad).output().expect("starts");
    let message: Value = serde_json::from_slice(&said.stdout).expect("JSON");
    assert_eq!(message["content"], "half \u{fffd} text");
    let search = terminal.command().arg("search").arg(bad).output().expect("starts");
    assert_eq!(failure(&search).code, tidemark_core::Code::InvalidInput);
}

#[test]
fn a_reader_that_goes_away_is_no_crash_and_the_answer_is_stored() {
    let terminal = Terminal::ready(Script::always(slow(20)));
    let mut child = terminal.start(&["chat", "tell"]);
    let mut first = [0; 2];
    child.stdout.take().expect("piped").read_exact(&mut first).expect("the first word");
    assert_eq!(&first, b"w1");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]), "{output:?}");
    let id = terminal.json(&["conversations"])[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(terminal.json(&["messages", &id])[1]["state"], "done");
}

#[test]
fn what_cannot_be_sent_is_kept_and_says_so() {
    let terminal = Terminal::ready(Script::default());
    terminal.desk.server.down();
    let failure = terminal.failure(&["chat", "hello"]);
    assert_eq!(failure.code, tidemark_core::Code::Offline);
    let id = terminal.json(&["conversations"])[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(terminal.json(&["messages", &id])[1]["state"], "queued");
    terminal.desk.server.script(Script { key: Some("sk-right".to_owned()), ..Script::default() });
    terminal.desk.server.up();
    let parked = terminal.failure(&["chat", "hello"]);
    assert_eq!(parked.code, tidemark_core::Code::KeyRejected);
    let set = terminal.with_input(&["providers", "key", "test"], b"sk-right\n");
    assert_eq!(set.status.code(), Some(0), "{set:?}");
    assert!(!String::from_utf8_lossy(&set.stdout).contains("sk-right"));
    assert_eq!(terminal.run(&["chat", "hello"]).status.code(), Some(0));
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success());
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_the_answer_and_keeps_what_came() {
    let terminal = Terminal::ready(Script::always(slow(400)));
    let mut child = terminal.start(&["chat", "tell"]);
    let mut first = [0; 9];
    child.stdout.as_mut().expect("piped").read_exact(&mut first).expect("three words");
    signal(&child, "INT");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let id = terminal.json(&["conversations"])[0]["id"].as_str().expect("an id").to_owned();
    let answer = terminal.json(&["messages", &id])[1].clone();
    assert_eq!(answer["state"], "stopped");
    assert!(answer["content"].as_str().expect("text").starts_with("w1 w2 w3"), "{answer}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_leaves_an_interrupted_answer_for_the_window() {
    let terminal = Terminal::ready(Script::always(slow(400)));
    let window = terminal.desk.open().await;
    let mut child = terminal.start(&["chat", "tell"]);
    let mut seen = [0; 3 * 9 + 4];
    child.stdout.as_mut().expect("piped").read_exact(&mut seen).expect("ten words");
    let id = window.conversations(Default::default()).expect("read")[0].id;
    let answer = window.messages(id).expect("read")[1].id;
    let row = window.until(answer, |row| row.message.content.len() >= 20).await;
    assert_eq!(row.message.state, MessageState::Streaming, "left alone while it lives");
    signal(&child, "KILL");
    child.wait().expect("it ends");
    let ended = window.ended(answer).await;
    assert_eq!(ended.state, MessageState::Interrupted);
    assert!(ended.content.starts_with(&row.message.content));
    assert_eq!(terminal.desk.server.requests().len(), 1);
}

/// With a model's file at hand (`./dev test` fetches one) and a program that carries llama.cpp.
#[test]
fn the_model_inside_answers_without_any_provider() {
    let Some(models) = std::env::var_os("TIDEMARK_TEST_MODELS") else { return };
    let terminal = Terminal::new(Script::default());
    let mut command = terminal.command();
    command.env("TIDEMARK_MODELS_DIR", models).args(["--json", "chat", "Say yes."]);
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(answer["model"].as_str().expect("a model").starts_with("local/"), "{answer}");
    assert!(answer["tokens_out"].as_u64().is_some_and(|tokens| tokens > 0), "{answer}");
    let none = terminal.run(&["chat", "--model", "local/nothing", "hello"]);
    assert_eq!(failure(&none).code, tidemark_core::Code::ModelMissing);
}

#[test]
fn no_model_at_all_is_said_and_the_question_kept() {
    let terminal = Terminal::new(Script::always(Reply::Silence));
    let failure = terminal.failure(&["chat", "hello"]);
    assert_eq!(failure.code, tidemark_core::Code::ModelMissing);
    assert_eq!(terminal.json(&["conversations"])[0]["message_count"], 2);
}

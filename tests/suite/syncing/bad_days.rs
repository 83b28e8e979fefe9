//! What goes wrong has its sentence, nothing local is lost, and what was pending goes up afterwards.

use serde_json::json;
use tidemark_core::Code;
use tidemark_tests::stack::{Fault, Plan, Rule};

use super::*;

/// Everything that the gateway is asked meets this.
fn always(fault: Fault) -> Plan {
    Plan { rules: vec![Rule::of(fault)], ..Plan::default() }
}

fn status(status: u16, body: &Value) -> Fault {
    Fault::Status { status, body: body.to_string(), content_type: "application/json".into() }
}

/// Ann's device with a message that has not gone up.
fn pending(stack: &Stack) -> (Device, String) {
    let device = Device::first(stack);
    device.syncs();
    let chat = device.says("new", "written on a bad day");
    (device, chat)
}

#[test]
fn each_bad_day_has_its_sentence_and_ends_with_everything_in_its_place() {
    let stack = stack();
    let (device, chat) = pending(&stack);
    let days = [
        (Fault::CaptivePortal, Code::Offline, "cannot be reached"),
        (status(540, &json!({ "message": "paused" })), Code::ProviderBusy, "the project sleeps"),
        (status(503, &json!({ "message": "later" })), Code::Offline, "cannot be reached"),
        (
            status(429, &json!({ "code": "over_request_rate_limit" })),
            Code::Offline,
            "cannot be reached",
        ),
        (
            status(404, &json!({ "code": "PGRST202", "message": "no function" })),
            Code::WrongState,
            "not set up for Tidemark",
        ),
        (
            status(400, &json!({ "code": "PT400", "message": "schema_too_old" })),
            Code::WrongState,
            "has to be updated",
        ),
        (
            status(403, &json!({ "code": "PT403", "message": "user_disabled" })),
            Code::Refused,
            "the account was disabled",
        ),
    ];
    for (fault, code, words) in days {
        stack.set_faults(always(fault));
        let told = device.cannot_sync();
        assert_eq!(told.code, code, "{told:?}");
        assert!(told.message.contains(words), "{words}: {told:?}");
        assert!(
            told.message.contains("1 change waits") || told.message.contains("changes wait"),
            "{told:?}"
        );
        assert!(told.hint.is_some(), "{told:?}");
    }
    stack.set_faults(Plan::default());
    device.syncs();
    let other = Device::another(&stack);
    other.syncs();
    assert_eq!(other.texts(&chat), ["written on a bad day"]);
}

#[test]
fn a_project_without_our_schema_offers_the_command_that_installs_it() {
    let stack = Stack::start(Options::quick().bare()).expect("a stack");
    let device = Device::first(&stack);
    let chat = device.says("new", "too early");
    let told = device.cannot_sync();
    assert!(told.message.contains("not set up for Tidemark"), "{told:?}");
    assert!(told.hint.expect("a hint").contains("supabase db push"));
    assert_eq!(device.texts(&chat), ["too early"]);
}

#[test]
fn a_replayed_refresh_token_asks_to_sign_in_again_and_then_goes_on() {
    let stack = stack();
    let (device, chat) = pending(&stack);
    let ended = json!({ "code": "refresh_token_already_used", "message": "no" });
    let expired = json!({ "code": "PGRST303", "message": "JWT expired" });
    let rules = vec![
        Rule::of(status(400, &ended)).on("/auth/v1/token"),
        Rule::of(status(401, &expired)).on("/rest/"),
    ];
    stack.set_faults(Plan { rules, ..Plan::default() });
    let told = device.cannot_sync();
    assert_eq!(told.code, Code::KeyRejected, "{told:?}");
    assert!(told.message.contains("sign in again"), "{told:?}");
    stack.set_faults(Plan::default());
    device.enters("sign-in", &stack);
    device.syncs();
    assert_eq!(device.texts(&chat), ["written on a bad day"]);
    device.agrees_with_the_server();
}

#[test]
fn a_row_that_the_server_refuses_is_parked_explained_and_sent_again() {
    let stack = stack();
    let (device, chat) = pending(&stack);
    let rule = |sql: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rule.sql");
        std::fs::write(&file, sql).expect("a file");
        stack.apply(&[file]).expect("applied");
    };
    rule(
        "ALTER TABLE public.messages ADD CONSTRAINT no_bad_days CHECK (content NOT LIKE '%bad day%') NOT VALID;",
    );
    let run = device.0.run(&["--json", "sync"]);
    assert_eq!(run.status.code(), Some(1), "a finding: {run:?}");
    let parked = device.json(&["parked"]);
    let one = &parked[0];
    assert_eq!(one["conversation_id"], chat, "{parked}");
    assert!(one["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{parked}");
    assert_eq!(one["text"], "written on a bad day");
    // Other conversations go on.
    let other = device.says("new", "another conversation");
    let _ = device.0.run(&["sync"]);
    let b = Device::another(&stack);
    b.syncs();
    assert_eq!(b.texts(&other), ["another conversation"]);
    rule("ALTER TABLE public.messages DROP CONSTRAINT no_bad_days;");
    device.json(&["parked", "--retry", &one["n"].to_string()]);
    device.syncs();
    b.syncs();
    assert_eq!(b.texts(&chat), ["written on a bad day"]);
}

#[test]
fn a_copied_data_folder_becomes_a_device_of_its_own() {
    let stack = stack();
    let a = Device::first(&stack);
    let chat = a.says("new", "before the copy");
    a.syncs();
    let copy = Device::new();
    copy_folder(&a.0.desk.options.data_dir, &copy.0.desk.options.data_dir);
    a.says(&chat, "by the original");
    a.syncs();
    copy.says(&chat, "by the copy");
    copy.syncs();
    a.syncs();
    copy.syncs();
    assert_eq!(a.texts(&chat).len(), 3);
    assert_eq!(a.holds(), copy.holds());
    a.agrees_with_the_server();
    copy.agrees_with_the_server();
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("readable").is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("copied")),
        }
    }
}

#[test]
fn another_project_under_the_same_address_is_noticed_and_gets_nothing() {
    let (one, other) = (stack(), stack());
    let (device, chat) = pending(&one);
    // Somebody signs in elsewhere with this folder.
    let mut command = device.0.command();
    command.env("TIDEMARK_PASSWORD", PASSWORD).arg("--json").args(["account", "sign-up"]);
    command.args(["--url", &other.url(), "--anon-key", other.anon_key(), "--email", ANN]);
    let told = failure(&command.output().expect("it starts"));
    assert!(told.message.contains("belongs to"), "{told:?}");
    device.syncs();
    assert_eq!(device.texts(&chat), ["written on a bad day"]);
}

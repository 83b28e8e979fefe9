//! Two devices that were apart.

use std::sync::Arc;

use tidemark_core::clock::SystemClock;
use tidemark_core::sync::store;

use super::weather::Live;
use super::*;
use crate::desk::to;

#[test]
fn what_is_written_offline_on_both_is_on_both_byte_for_byte() {
    let stack = stack();
    let (a, b) = (Device::first(&stack), Device::another(&stack));
    let chat = a.says("new", "first, online");
    a.syncs();
    b.syncs();
    stack.down();
    let odd =
        "offline on A: \u{1F30A} \u{202e}text\u{202c}, e\u{301}, \t and an end without newline ";
    a.says(&chat, odd);
    let of_b = b.says("new", "offline on B");
    b.says(&chat, "the same chat, offline on B");
    assert!(a.cannot_sync().message.contains("safe here"));
    stack.up();
    a.syncs();
    b.syncs();
    a.syncs();
    assert!(a.texts(&chat).contains(&odd.to_owned()));
    assert_eq!(a.texts(&of_b), ["offline on B"]);
    assert_eq!(a.texts(&chat).len(), 3);
    assert_eq!(a.holds(), b.holds());
    a.agrees_with_the_server();
    b.agrees_with_the_server();
}

#[test]
fn bytes_that_are_no_text_come_over_as_they_are() {
    let stack = stack();
    let (a, b) = (Device::first(&stack), Device::another(&stack));
    let mut say = a.0.command();
    use std::os::unix::ffi::OsStrExt as _;
    say.args(["--json", "say", "new"]).arg(std::ffi::OsStr::from_bytes(b"caf\xe9 \xff"));
    let said = document(&say.output().expect("it starts"));
    a.syncs();
    b.syncs();
    let chat = said["conversation_id"].as_str().expect("an id");
    assert_eq!(b.json(&["messages", chat])[0]["content_raw"], said["content_raw"]);
    assert_ne!(said["content_raw"], Value::Null);
}

#[test]
fn titles_edited_on_both_keep_the_later_and_show_the_other() {
    let stack = stack();
    let (a, b) = (Device::first(&stack), Device::another(&stack));
    let chat = a.says("new", "hello");
    a.syncs();
    b.syncs();
    a.json(&["rename", &chat, "Earlier, on A"]);
    // Clocks are milliseconds of the server's time.
    std::thread::sleep(Duration::from_millis(30));
    b.json(&["rename", &chat, "Later, on B"]);
    b.syncs();
    let run = a.syncs();
    assert_eq!(run["conflicts"], 1, "{run}");
    assert_eq!((a.title(&chat), b.title(&chat)), ("Later, on B".into(), "Later, on B".into()));
    let conflicts = a.json(&["conflicts"]);
    let conflict = &conflicts[0];
    assert_eq!(
        (&conflict["lost"], &conflict["kept"]),
        (&"Earlier, on A".into(), &"Later, on B".into())
    );
    assert_eq!((&conflict["ours"], &conflict["can_keep_both"]), (&true.into(), &true.into()));
    // Both are kept, on both devices.
    a.json(&["conflicts", "--keep-both", &conflict["id"].to_string()]);
    a.syncs();
    b.syncs();
    assert_eq!(b.title(&chat), "Later, on B / Earlier, on A");
    assert_eq!(a.title(&chat), b.title(&chat));
}

#[test]
fn a_setting_changed_on_both_keeps_the_later_and_is_named() {
    let stack = stack();
    let (a, b) = (Device::first(&stack), Device::another(&stack));
    a.json(&["settings", "set", "theme", "dark"]);
    std::thread::sleep(Duration::from_millis(30));
    b.json(&["settings", "set", "theme", "light"]);
    b.syncs();
    a.syncs();
    let conflict = &a.json(&["conflicts"])[0];
    let told = ["table", "setting", "kept", "lost"].map(|key| conflict[key].as_str());
    assert_eq!(told, [Some("settings"), Some("theme"), Some("light"), Some("dark")], "{conflict}");
    assert_eq!(a.json(&["settings", "get", "theme"])["value"], "light");
}

#[test]
fn what_was_written_before_the_first_sign_in_goes_up_with_it() {
    let stack = stack();
    let (a, b) = (Device::new(), Device::new());
    let (of_a, of_b) = (a.says("new", "before any account, on A"), b.says("new", "and on B"));
    assert_eq!(a.json(&["sync", "status"])["state"]["at"], "local_only");
    a.enters("sign-up", &stack);
    b.enters("sign-in", &stack);
    a.syncs();
    b.syncs();
    a.syncs();
    assert_eq!(
        (a.texts(&of_b), b.texts(&of_a)),
        (vec!["and on B".into()], vec!["before any account, on A".into()])
    );
    assert_eq!(a.holds(), b.holds());
}

#[test]
fn a_purge_and_a_restore_from_the_trash_reach_the_other_device() {
    let stack = stack();
    let (a, b) = (Device::first(&stack), Device::another(&stack));
    let (kept, trashed) = (a.says("new", "kept"), a.says("new", "trashed"));
    a.json(&["trash", &kept]);
    a.json(&["trash", &trashed]);
    a.syncs();
    b.syncs();
    b.json(&["restore", &kept]);
    b.syncs();
    a.syncs();
    assert_eq!(a.json(&["conversations"])[0]["id"], kept);
    assert_eq!(a.json(&["conversations", "--trash"])[0]["id"], trashed);
}

#[test]
fn a_run_with_nothing_to_do_moves_nothing() {
    let stack = stack();
    let a = Device::first(&stack);
    a.says("new", "hello");
    a.syncs();
    let first = a.syncs();
    let second = a.syncs();
    assert_eq!((&second["pushed"], &second["pulled"]), (&0.into(), &0.into()), "{second}");
    assert_eq!(first["cursor"], second["cursor"]);
}

#[test]
fn the_devices_and_the_sessions_of_the_account_are_listed_and_one_can_be_signed_out() {
    let stack = stack();
    let (a, b) = (Device::first(&stack), Device::another(&stack));
    a.syncs();
    b.syncs();
    a.syncs();
    let devices = a.json(&["devices"]);
    let list = devices.as_array().expect("a list");
    assert_eq!(list.len(), 2, "{devices}");
    assert_eq!((&list[0]["current"], &list[1]["current"]), (&true.into(), &false.into()));
    assert!(list.iter().all(|device| device["last_seen_at"].is_string()), "{devices}");
    assert_eq!(a.json(&["sessions"]).as_array().map(Vec::len), Some(2));
    let other = list[1]["id"].as_str().expect("an id");
    b.says("new", "written before it knew");
    a.json(&["devices", "--revoke", other]);
    let refused = b.cannot_sync();
    assert!(refused.message.contains("signed out by its owner"), "{refused:?}");
    assert!(refused.message.contains("safe here"), "{refused:?}");
    assert_eq!(b.json(&["conversations"]).as_array().map(Vec::len), Some(1), "nothing is gone");
    assert_eq!(a.json(&["sessions"]).as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_a_moment_before_a_sync_is_asked_for_goes_up_with_it() {
    let stack = Stack::launch(Options::quick()).await.expect("a stack");
    let device = Live::at(Arc::new(SystemClock)).await;
    device.enters(&stack, ANN, true).await;
    device.core.sync_once().await.expect("at rest");
    for n in 0..10 {
        device.core.say(&to(None, &format!("chat {n}"))).expect("said");
        let status = device.core.sync_once().await.expect("synced");
        assert_eq!(status.counts.waiting, 0);
        let waits = device.core.mirror().read(store::counts).expect("readable").waiting;
        assert_eq!(waits, 0, "sync said that all is up, and {waits} were not");
    }
}

//! F8 with sync: one process syncs a data folder, and another takes over when it is gone.

use std::process::Stdio;
use std::time::Instant;

use super::*;

/// Tries until it is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn one_process_syncs_a_folder_and_a_second_one_waits_for_it_or_takes_over() {
    let stack = stack();
    let (a, b) = (Device::first(&stack), Device::another(&stack));
    let chat = a.says("new", "before");
    let mut watching = a.0.command();
    let mut watching = watching
        .args(["--json", "sync", "--watch"])
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    until("the watching process syncs", || a.json(&["account", "status"])["pending"] == 0);
    // What is written beside it goes up by itself; a sync beside it only waits for that.
    a.says(&chat, "beside it");
    let run = a.syncs();
    assert_eq!(run["pushed"], 0, "the other process pushed it: {run}");
    b.syncs();
    assert_eq!(b.texts(&chat), ["before", "beside it"]);
    // What comes from elsewhere arrives without anybody asking.
    b.says(&chat, "from elsewhere");
    b.syncs();
    until("the doorbell rang", || a.texts(&chat).len() == 3);
    // Nothing of its own makes it look any more.
    std::thread::sleep(Duration::from_secs(1));
    a.says(&chat, "after a while");
    until("it noticed", || a.json(&["account", "status"])["pending"] == 0);
    std::thread::sleep(Duration::from_secs(1));
    // A process that hangs keeps nothing from being written, unless it hangs in the middle of a write.
    let mut stops = 0;
    loop {
        signal(watching.id(), "STOP");
        if a.could_say(&chat, "while it hangs") {
            break;
        }
        stops += 1;
        assert!(stops < 20, "it always writes");
        signal(watching.id(), "CONT");
        std::thread::sleep(Duration::from_millis(200));
    }
    signal(watching.id(), "CONT");
    until("it goes on", || a.json(&["account", "status"])["pending"] == 0);
    watching.kill().expect("killed");
    watching.wait().expect("it is ours");
    a.says(&chat, "after its end");
    let run = a.syncs();
    assert_eq!(run["pushed"], 1, "this one took over: {run}");
    b.syncs();
    assert_eq!(a.holds(), b.holds());
    a.agrees_with_the_server();
}

fn signal(process: u32, name: &str) {
    let done = std::process::Command::new("kill").args(["-s", name, &process.to_string()]).status();
    assert!(done.expect("it starts").success());
}

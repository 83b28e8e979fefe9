//! F4 with sync: rows that a damaged mirror has lost and the server has are pulled again.

use std::os::unix::fs::FileExt as _;

use super::*;

/// A page of the mirror's file, in bytes.
const PAGE: u64 = 4096;

#[test]
fn what_a_damaged_mirror_has_lost_comes_back_from_the_server() {
    let stack = stack();
    let (a, b) = (Device::first(&stack), Device::another(&stack));
    for n in 0..12 {
        let chat = a.says("new", &format!("conversation {n}"));
        a.says(&chat, &format!("{n}: {}", "a sentence to fill pages. ".repeat(200)));
    }
    a.syncs();
    b.syncs();
    let whole = b.holds();
    let kept = a.says("new", "written after the last sync");
    let file = a.0.desk.options.data_dir.join("mirror.db");
    let damaged = std::fs::OpenOptions::new().read(true).write(true).open(&file).expect("a file");
    let pages = damaged.metadata().expect("readable").len() / PAGE;
    assert!(pages > 40, "{pages} pages");
    // Every eighth page, the first spared: it would only make the file foreign.
    for page in (8..pages).step_by(8) {
        damaged.write_all_at(&[0x5a; PAGE as usize], page * PAGE).expect("written");
    }
    drop(damaged);
    // The first look finds the damage, the next start sets the file aside and saves what can be read.
    let _ = a.0.run(&["--json", "doctor"]);
    let report = a.json(&["doctor"]);
    assert_eq!(report["ok"], true, "{report}");
    // Where the session is kept in the mirror, it may be what was lost.
    a.enters("sign-in", &stack);
    a.syncs();
    b.syncs();
    a.syncs();
    let again = a.holds();
    let ids = |of: &Value| -> Vec<String> {
        let list = of.as_array().expect("a list").iter();
        list.map(|one| one["conversation"]["id"].to_string()).collect()
    };
    for id in ids(&whole) {
        assert!(ids(&again).contains(&id), "{id} is gone");
    }
    assert_eq!(again, b.holds(), "both have the same, what was written last ({kept}) among it");
    a.agrees_with_the_server();
}

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
    // When a conversation was last changed is no part of what is synced: a row that was rebuilt of its messages
    // says theirs.
    let holds = |device: &Device| {
        let mut all = device.holds();
        for one in all.as_array_mut().into_iter().flatten() {
            one.as_object_mut().and_then(|one| one.remove("updated_at"));
        }
        all
    };
    let again = holds(&a);
    let ids = |of: &Value| -> Vec<String> {
        let list = of.as_array().expect("a list").iter();
        list.map(|one| one["id"].to_string()).collect()
    };
    for id in ids(&whole) {
        assert!(ids(&again).contains(&id), "{id} is gone");
    }
    assert_eq!(again, holds(&b), "both have the same, what was written last ({kept}) among it");
    a.agrees_with_the_server();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_differs_without_anybody_knowing_is_found_and_fetched_again() {
    use super::weather::Live;
    use crate::desk::to;
    use std::sync::Arc;
    use std::time::Instant;
    use tidemark_core::clock::SystemClock;

    let stack = Stack::launch(Options::quick()).await.expect("a stack");
    let live = Live::at(Arc::new(SystemClock)).await;
    live.enters(&stack, ANN, true).await;
    let said = live.core.say(&to(None, "as it was written")).expect("said");
    let until = Instant::now() + Duration::from_secs(30);
    live.comes_to_rest(until).await;
    // A disk that forgot: no operation, no clock, nothing that any change would leave.
    let forget = "UPDATE messages SET content = 'something else'";
    live.core
        .mirror()
        .write(|write| Ok(write.tx.execute(forget, []).map(|_| ())?))
        .expect("written");
    assert!(!live.core.compare_with_server().await.expect("compared").ok, "it differs");
    live.core.verify_sync();
    let id = said.message_id.expect("a message");
    loop {
        live.comes_to_rest(until).await;
        let row = live.core.messages_by_id(&[id]).expect("readable").remove(0);
        if row.message.content == "as it was written" {
            break;
        }
        assert!(Instant::now() < until, "it was never fetched: {row:?}");
    }
    assert!(live.core.compare_with_server().await.expect("compared").ok, "both are the same again");
}

use super::*;
use crate::model::wire::After;

const T: i64 = START_MS << 16;
/// Later than anything a device wrote here.
const LATER: i64 = (START_MS + 60_000) << 16;

#[test]
fn rows_of_a_page_are_here_with_their_cursor() {
    let bob = Device::new();
    let (to, one, two) = (ConversationId(id(1)), MessageId(id(2)), MessageId(id(3)));
    let applied = bob.apply(vec![
        conversation_change(4, to, "tides", T),
        message_change(5, one, to, None, "ebb"),
        message_change(6, two, to, Some(one), "flood"),
    ]);
    assert_eq!(applied.rows, 3);
    let conversation = bob.read(|c| conversations::get(c, to));
    assert_eq!((conversation.title.as_str(), conversation.message_count), ("tides", 2));
    assert_eq!(bob.read(|c| conversations::leaf(c, to)), Some(two));
    let cursor = bob.read(cursors::pull).expect("a cursor");
    assert_eq!((cursor.seq, cursor.nonce), (6, 6));
    assert_eq!(bob.read(|c| cursors::heads(c, 9)), [Head { seq: 6, nonce: 6 }]);
    assert_eq!(bob.take(), [], "what came is not sent back");
    while index::catch_up(&bob.mirror).expect("indexes") > 0 {}
    let request = crate::model::view::SearchRequest { text: "flood".into(), ..Default::default() };
    assert_eq!(bob.read(|c| search::search(c, &request)).len(), 1);
}

#[test]
fn a_page_that_fails_to_apply_leaves_the_cursor_where_it_was() {
    let bob = Device::new();
    bob.apply(vec![conversation_change(4, ConversationId(id(1)), "tides", T)]);
    bob.write(|write| {
        Ok(write.tx.execute_batch("ALTER TABLE messages RENAME COLUMN model TO gone")?)
    });
    let change = message_change(5, MessageId(id(2)), ConversationId(id(1)), None, "ebb");
    let text = page(vec![change]);
    let page: Page<'_> = serde_json::from_str(&text).expect("a page");
    apply::page(&bob.mirror, &page, Gone::Leave).expect_err("fails");
    assert_eq!(bob.read(cursors::pull).expect("a cursor").seq, 4);
}

#[test]
fn a_page_that_comes_twice_changes_nothing() {
    let bob = Device::new();
    let to = ConversationId(id(1));
    let changes = vec![
        conversation_change(4, to, "tides", T),
        message_change(5, MessageId(id(2)), to, None, "ebb"),
    ];
    bob.apply(changes.clone());
    bob.apply(changes);
    assert_eq!(bob.read(|c| conversations::get(c, to)).message_count, 1);
}

#[test]
fn children_that_come_before_their_parents_are_kept_and_shown_once_these_are_here() {
    let bob = Device::new();
    let (to, one, two) = (ConversationId(id(1)), MessageId(id(2)), MessageId(id(3)));
    bob.apply(vec![message_change(4, two, to, Some(one), "flood")]);
    bob.apply(vec![conversation_change(5, to, "tides", T)]);
    assert_eq!(bob.read(|c| conversations::leaf(c, to)), None, "nothing leads to it yet");
    bob.apply(vec![message_change(6, one, to, None, "ebb")]);
    assert_eq!(bob.read(|c| conversations::leaf(c, to)), Some(two));
    assert_eq!(bob.read(|c| conversations::get(c, to)).message_count, 2);
    assert_eq!(bob.read(|c| thread::up_from(c, two, 9)).len(), 2);
}

#[test]
fn a_pull_updates_the_base_and_shows_only_what_is_not_pending() {
    let bob = Device::new();
    let to = bob.conversation("tides");
    bob.push(4);
    bob.rename(to, "mine");
    let mut fields = conversation_fields("theirs");
    fields["pinned"] = json!(true);
    let clocks = json!({"title": LATER, "pinned": LATER});
    bob.apply(vec![change(wire::Table::Conversations, 5, to.0, &fields, clocks)]);
    let shown = bob.read(|c| conversations::get(c, to));
    assert_eq!((shown.title.as_str(), shown.pinned), ("mine", true));
    let base = bob.base(wire::Table::Conversations, to.0);
    assert_eq!((base.seq, &base.fields["title"]), (5, &json!("theirs")));
    let op = bob.take().remove(0);
    assert!(op.base["title"] < LATER, "the person changed what they saw, not what came since");
    let (code, message) = ("forbidden".to_owned(), String::new());
    bob.settle(op.n, Outcome::Rejected { code, message });
    bob.write(|write| parked::discard(write, op.n));
    assert_eq!(bob.title(to), "theirs", "no pulled version is lost behind a pending one");
}

#[test]
fn an_older_seq_never_overwrites_and_an_equal_one_brings_the_server_s_form() {
    let bob = Device::new();
    let to = ConversationId(id(1));
    bob.apply(vec![conversation_change(5, to, "new", T + 1)]);
    let fetched = |change: Value| {
        let columns = columns(wire::Table::Conversations);
        let rows = json!({"columns": columns, "rows": [[change[1], to, change[4]]]}).to_string();
        let rows = serde_json::from_str(&rows).expect("parses");
        apply::rows(&bob.mirror, wire::Table::Conversations, &rows, i64::MAX).expect("applies");
    };
    fetched(conversation_change(4, to, "old", T));
    assert_eq!(bob.title(to), "new");
    let mut fields = conversation_fields("new");
    fields["metadata"] = json!("{\"a\": 1}");
    fetched(change(wire::Table::Conversations, 5, to.0, &fields, json!({"title": T + 1})));
    assert_eq!(bob.base(wire::Table::Conversations, to.0).fields["metadata"], "{\"a\": 1}");
}

#[test]
fn an_outcome_older_than_what_was_pulled_does_not_bring_the_own_value_back() {
    let bob = Device::new();
    let to = bob.conversation("tides");
    bob.push(4);
    bob.rename(to, "mine");
    let op = bob.take().remove(0);
    bob.apply(vec![conversation_change(6, to, "theirs, later", op.clocks["title"] + 1)]);
    assert_eq!(bob.title(to), "mine");
    bob.settle(op.n, applied(5));
    assert_eq!(bob.title(to), "theirs, later");
    assert_eq!(bob.count("SELECT server_seq FROM conversations"), 6);
}

#[test]
fn what_a_newer_server_sends_is_kept_and_returned_untouched() {
    let bob = Device::new();
    let to = ConversationId(id(1));
    let mut text: Value = serde_json::from_str(&page(vec![
        conversation_change(4, to, "tides", T),
        json!(["moons", 4, "U", id(9), ["full", 3]]),
        message_change(4, MessageId(id(2)), to, None, "odd"),
        message_change(4, MessageId(id(3)), to, None, "sound"),
    ]))
    .expect("a page");
    text["columns"]["conversations"].as_array_mut().expect("names").push(json!("phase"));
    text["columns"]["moons"] = json!(["name", "size"]);
    text["changes"][0][4].as_array_mut().expect("a row").push(json!({"moon": 1}));
    let role = columns(wire::Table::Messages).iter().position(|name| *name == "role");
    text["changes"][2][4][role.expect("there")] = json!("oracle");
    let text = text.to_string();
    let page = serde_json::from_str(&text).expect("a page");
    apply::page(&bob.mirror, &page, Gone::Leave).expect("applies");
    assert_eq!(bob.count("SELECT count(*) FROM unread_rows"), 2, "a table and a word unknown here");
    assert_eq!(bob.count("SELECT count(*) FROM messages"), 1, "one odd row holds up no other");
    restored::rewind(&bob.mirror, None).expect("rewinds");
    attach::offer(&bob.mirror, 10, None).expect("offers");
    assert_eq!(bob.take()[0].fields["phase"], json!({"moon": 1}));
}

#[test]
fn a_deleted_row_goes_and_its_tombstone_stays() {
    let bob = Device::new();
    let (to, one) = (ConversationId(id(1)), MessageId(id(2)));
    bob.apply(vec![
        conversation_change(4, to, "tides", T),
        message_change(4, one, to, None, "ebb"),
    ]);
    let applied = bob.apply(vec![deletion(wire::Table::Messages, 5, one.0)]);
    assert_eq!(applied.removed, 1);
    assert_eq!(bob.read(|c| conversations::get(c, to)).message_count, 0);
    assert_eq!(bob.read(|c| conversations::leaf(c, to)), None);
    bob.apply(vec![deletion(wire::Table::Conversations, 6, to.0)]);
    assert_eq!(bob.count("SELECT count(*) FROM conversations"), 0);
    assert_eq!(bob.count("SELECT count(*) FROM tombstones"), 2);
    assert_eq!(bob.take(), []);
}

#[test]
fn two_devices_that_changed_a_deleted_conversation_bring_back_one_copy() {
    let (to, one) = (ConversationId(id(1)), MessageId(id(2)));
    let recovered: Vec<Vec<Op>> = ["ann", "bob"]
        .into_iter()
        .map(|name| {
            let device = Device::new();
            device.apply(vec![
                conversation_change(4, to, "tides", T),
                message_change(4, one, to, None, "ebb"),
            ]);
            let applied = if name == "ann" {
                device.rename(to, "ann's");
                device.apply(vec![
                    deletion(wire::Table::Conversations, 9, to.0),
                    deletion(wire::Table::Messages, 9, one.0),
                ])
            } else {
                // Bob hears of it from his own push.
                device.message(to, Some(one), "bob's", MessageState::Done);
                let n = device.take()[0].n;
                device.settle(n, Outcome::Gone { seq: 9 });
                device.apply(vec![
                    deletion(wire::Table::Conversations, 9, to.0),
                    deletion(wire::Table::Messages, 9, one.0),
                ])
            };
            assert_eq!(applied.recovered, usize::from(name == "ann"));
            let copy = ConversationId(wire::recovered_id(to.0, 9));
            assert!(device.title(copy).starts_with("Recovered: "), "{}", device.title(copy));
            let shown = device.read(|c| conversations::leaf(c, copy)).expect("messages");
            let thread = device.read(|c| thread::up_from(c, shown, 9));
            assert_eq!(thread[0].id, MessageId(wire::recovered_id(one.0, 9)));
            assert_eq!(device.count("SELECT count(*) FROM conversations"), 1);
            device.take()
        })
        .collect();
    let ids = |ops: &[Op]| ops.iter().map(|op| op.id).collect::<Vec<_>>();
    let (ann, bob) = (ids(&recovered[0]), ids(&recovered[1]));
    assert_eq!(ann.len(), 2);
    assert!(ann.iter().all(|id| bob.contains(id)), "{ann:?} {bob:?}");
    assert!(recovered.iter().flatten().all(|op| op.kind == Kind::Put));
}

#[test]
fn a_title_that_came_back_after_another_device_had_brought_the_conversation_back_is_kept_beside() {
    let bob = Device::new();
    let to = ConversationId(id(1));
    bob.apply(vec![conversation_change(4, to, "tides", T)]);
    bob.rename(to, "bob's");
    let n = bob.take()[0].n;
    let copy = ConversationId(wire::recovered_id(to.0, 9));
    bob.apply(vec![conversation_change(10, copy, "Recovered: ann's", T)]);
    bob.settle(n, Outcome::Gone { seq: 9 });
    assert_eq!(bob.title(copy), "Recovered: ann's");
    let lost = bob.read(|c| conflicts::of_conversation(c, copy)).remove(0);
    assert_eq!((lost.ours, &lost.lost["title"]), (true, &json!("bob's")));
}

#[test]
fn what_was_only_put_into_the_trash_here_stays_deleted() {
    let bob = Device::new();
    let to = ConversationId(id(1));
    bob.apply(vec![conversation_change(4, to, "tides", T)]);
    bob.write(|write| conversations::set(write, to, &Field::Trashed(Some(write.now))));
    let applied = bob.apply(vec![deletion(wire::Table::Conversations, 9, to.0)]);
    assert_eq!((applied.removed, applied.recovered), (1, 0));
    assert_eq!(bob.take(), []);
}

#[test]
fn what_was_written_before_the_account_and_then_refused_comes_back_with_the_conversation_that_was_deleted_elsewhere()
 {
    let bob = Device::without_account();
    let to = bob.conversation("tides");
    let only_here = bob.message(to, None, "only here", MessageState::Done);
    bob.attach();
    assert!(attach::offer(&bob.mirror, 100, None).expect("offers").done);
    let ops = bob.take();
    let (code, message) = ("invalid".to_owned(), String::new());
    bob.settle(ops[0].n, applied(4));
    bob.settle(ops[1].n, Outcome::Rejected { code, message });
    let applied = bob.apply(vec![deletion(wire::Table::Conversations, 9, to.0)]);
    assert_eq!(applied.recovered, 1);
    let ids: Vec<_> = bob.take().iter().map(|op| op.id).collect();
    assert!(ids.contains(&wire::recovered_id(only_here.0, 9)), "{ids:?}");
}

#[test]
fn what_was_refused_here_is_not_lost_where_the_server_was_restored_and_another_device_deletes_what_it_had_trashed()
 {
    let bob = Device::new();
    let to = ConversationId(id(1));
    let mut trashed = conversation_fields("tides");
    trashed["trashed_ms"] = json!(START_MS + 9);
    let clocks = json!({"trashed_ms": T});
    bob.apply(vec![change(wire::Table::Conversations, 6, to.0, &trashed, clocks)]);
    bob.rename(to, "refused");
    let n = bob.take()[0].n;
    let (code, message) = ("invalid".to_owned(), String::new());
    bob.settle(n, Outcome::Rejected { code, message });
    restored::rewind(&bob.mirror, Some(Head { seq: 5, nonce: 5 })).expect("rewinds");
    let applied = bob.apply(vec![deletion(wire::Table::Conversations, 9, to.0)]);
    assert_eq!(applied.recovered, 1);
    assert_eq!(bob.title(ConversationId(wire::recovered_id(to.0, 9))), "Recovered: refused");
}

#[test]
fn a_change_that_was_refused_for_its_missing_row_is_sent_again_where_another_device_has_offered_the_row_since()
 {
    let bob = Device::new();
    let to = ConversationId(id(1));
    bob.apply(vec![conversation_change(6, to, "theirs", T)]);
    bob.rename(to, "mine");
    let n = bob.take()[0].n;
    restored::rewind(&bob.mirror, Some(Head { seq: 5, nonce: 5 })).expect("rewinds");
    bob.apply(vec![conversation_change(7, to, "theirs", T)]);
    let (code, message) = ("missing".to_owned(), String::new());
    bob.settle(n, Outcome::Rejected { code, message });
    assert_eq!(bob.counts().parked, 0);
    let ops = bob.take();
    let again = ops.iter().find(|op| op.kind == Kind::Patch).expect("it waits");
    assert!(again.n > n && again.fields["title"] == "mine", "{again:?}");
}

#[test]
fn a_conversation_that_a_restored_server_lost_goes_ahead_of_a_refused_message_of_it_though_it_was_renamed_since()
 {
    let bob = Device::new();
    let to = ConversationId(id(1));
    bob.apply(vec![conversation_change(6, to, "theirs", T)]);
    let refused = bob.message(to, None, "refused", MessageState::Done);
    let n = bob.take()[0].n;
    restored::rewind(&bob.mirror, Some(Head { seq: 5, nonce: 5 })).expect("rewinds");
    bob.rename(to, "mine");
    let (code, message) = ("invalid".to_owned(), String::new());
    bob.settle(n, Outcome::Rejected { code, message });
    let ids: Vec<_> = bob.take().iter().map(|op| op.id).collect();
    assert_eq!(ids, [to.0], "and {refused} waits for a person");
}

#[test]
fn a_second_change_while_the_row_is_on_its_way_has_seen_the_row_and_not_what_came_meanwhile() {
    let ann = Device::new();
    let to = ann.conversation("tides");
    let sent = ann.take().remove(0);
    ann.write(|write| conversations::set(write, to, &Field::Pinned(true)));
    let mut fields = conversation_fields("tides");
    fields["system_prompt"] = json!("theirs");
    let clocks = json!({"system_prompt": LATER});
    ann.apply(vec![change(wire::Table::Conversations, 5, to.0, &fields, clocks)]);
    ann.write(|write| conversations::set(write, to, &Field::SystemPrompt(Some("mine".into()))));
    ann.settle(sent.n, applied(4));
    let op = ann.take().remove(0);
    assert_eq!(op.kind, Kind::Patch);
    assert_eq!(op.base["system_prompt"], sent.clocks["system_prompt"], "theirs was not shown");
}

#[test]
fn what_another_device_put_into_the_trash_takes_nothing_along_that_was_changed_here() {
    let bob = Device::new();
    let to = ConversationId(id(1));
    let mut trashed = conversation_fields("tides");
    trashed["trashed_ms"] = json!(START_MS + 9);
    bob.apply(vec![conversation_change(4, to, "tides", T)]);
    bob.rename(to, "changed here");
    let clocks = json!({"trashed_ms": T + 9});
    bob.apply(vec![change(wire::Table::Conversations, 5, to.0, &trashed, clocks)]);
    bob.apply(vec![deletion(wire::Table::Conversations, 6, to.0)]);
    let copy = ConversationId(wire::recovered_id(to.0, 6));
    assert_eq!(bob.title(copy), "Recovered: changed here");
}

#[test]
fn what_a_page_would_remove_is_told_before_it_is_applied() {
    let bob = Device::new();
    let rows = |n: u128| ConversationId(id(n));
    bob.apply((0..200).map(|n| conversation_change(4, rows(n), "x", T)).collect());
    let removal = |n: u128, before: u64| {
        let gone = (0..n).map(|n| deletion(wire::Table::Conversations, 5, rows(n + 100).0));
        let text = page(gone.collect());
        let page: Page<'_> = serde_json::from_str(&text).expect("a page");
        apply::removal(&bob.mirror, &page, before).expect("counts")
    };
    assert_eq!(removal(0, 90), apply::Removal::default());
    assert_eq!(removal(50, 0), apply::Removal { rows: 50, of: 0 });
    assert_eq!(removal(51, 0), apply::Removal { rows: 51, of: 200 });
    assert_eq!(removal(1, 50), apply::Removal { rows: 1, of: 200 }, "pages of one pull together");
    assert_eq!(removal(120, 0).rows, 100, "only those that are here");
}

#[test]
fn rows_that_a_person_keeps_go_up_as_new_ones_of_their_own() {
    let bob = Device::new();
    let (to, one) = (ConversationId(id(1)), MessageId(id(2)));
    bob.apply(vec![
        conversation_change(4, to, "tides", T),
        message_change(4, one, to, None, "ebb"),
    ]);
    let text = page(vec![
        deletion(wire::Table::Conversations, 5, to.0),
        deletion(wire::Table::Messages, 5, one.0),
    ]);
    let page: Page<'_> = serde_json::from_str(&text).expect("a page");
    let applied = apply::page(&bob.mirror, &page, Gone::Stay).expect("applies");
    assert_eq!(applied.recovered, 1);
    let ids: Vec<_> = bob.take().iter().map(|op| (op.kind, op.id)).collect();
    let copy = |id| (Kind::Put, wire::recovered_id(id, 5));
    assert_eq!(ids, [copy(to.0), copy(one.0)]);
}

#[test]
fn a_page_that_cannot_be_is_refused_whole() {
    let bob = Device::new();
    let row = |n: u128, seq| conversation_change(seq, ConversationId(id(n)), "x", T);
    bob.apply(vec![row(1, 10)]);
    let refused = |changes: Vec<Value>, spoil: &dyn Fn(&mut Value)| {
        let mut text: Value = serde_json::from_str(&page(changes)).expect("a page");
        spoil(&mut text);
        let text = text.to_string();
        let page = serde_json::from_str(&text).expect("a page");
        let error = apply::page(&bob.mirror, &page, Gone::Leave).expect_err("refused");
        assert!(matches!(error, Error::Unsound(_)), "{error:?}");
    };
    refused(vec![row(2, 9)], &|_| {});
    refused(vec![row(2, 12), row(3, 11)], &|_| {});
    refused(vec![row(2, 12)], &|page| page["cursor"]["seq"] = json!(11));
    refused(vec![row(2, 12)], &|page| page["head"]["seq"] = json!(11));
    assert_eq!(bob.count("SELECT count(*) FROM conversations"), 1);
}

#[test]
fn a_row_that_both_sides_made_before_they_knew_of_each_other_merges_on_the_server() {
    let bob = Device::without_account();
    bob.write(|write| settings::set(write, "theme", &json!("dark")));
    bob.attach();
    let row = wire::setting_id("theme");
    let fields = json!({"key": "theme", "value": "\"light\""});
    bob.apply(vec![change(wire::Table::Settings, 4, row, &fields, json!({"value": T}))]);
    assert_eq!(bob.read(|c| settings::get(c, "theme")), Some(json!("dark")), "not lost in silence");
    let op = bob.take().remove(0);
    assert_eq!((op.kind, op.id), (Kind::Ensure, row));
}

#[test]
fn a_row_newer_than_the_head_that_was_kept_is_left_to_the_pull_that_follows() {
    let bob = Device::new();
    cursors::begin_first_sync(&bob.mirror, Head { seq: 4, nonce: 4 }).expect("begins");
    let row = |seq: i64, id: Uuid| {
        let told = conversation_change(seq, ConversationId(id), "tides", T);
        json!([seq, id, told[4]])
    };
    let text = json!({"columns": columns(wire::Table::Conversations), "has_more": false,
                      "rows": [row(4, id(1)), row(5, id(2))]});
    let text = text.to_string();
    let snapshot = serde_json::from_str(&text).expect("a snapshot");
    let table = wire::Table::Conversations;
    apply::snapshot(&bob.mirror, table, &snapshot, None).expect("applies");
    assert_eq!(bob.read(|c| synced::ids(c, table)), [id(1)]);
}

#[test]
fn a_first_sync_goes_on_where_it_stopped_and_ends_at_the_head_that_was_kept() {
    let bob = Device::new();
    let head = Head { seq: 40, nonce: 4 };
    cursors::begin_first_sync(&bob.mirror, head).expect("begins");
    cursors::begin_first_sync(&bob.mirror, Head { seq: 50, nonce: 5 }).expect("goes on");
    let to = ConversationId(id(1));
    let row = &conversation_change(4, to, "tides", T)[4];
    let part = |after: Value, has_more: bool| {
        json!({"columns": columns(wire::Table::Conversations), "rows": [[4, to, row]],
               "after": after, "has_more": has_more})
        .to_string()
    };
    let take = |text: &str, next: Option<(wire::Table, Option<&After>)>| {
        let snapshot = serde_json::from_str(text).expect("parses");
        apply::snapshot(&bob.mirror, wire::Table::Conversations, &snapshot, next).expect("applies");
    };
    let after = After(json!({"at_ms": 7, "id": to}));
    take(&part(after.0.clone(), true), Some((wire::Table::Conversations, Some(&after))));
    let first = bob.read(cursors::first_sync).expect("under way");
    assert_eq!((first.head, first.table), (head, Some(wire::Table::Conversations)));
    assert_eq!(first.after, Some(after));
    take(&part(Value::Null, false), Some((wire::Table::Messages, None)));
    assert_eq!(bob.read(cursors::pull), None);
    take(&part(Value::Null, false), None);
    assert_eq!(bob.read(cursors::first_sync), None);
    assert_eq!(bob.read(cursors::pull), Some(Cursor::at(head)));
    assert_eq!(bob.title(to), "tides");
}

#[test]
fn a_restored_server_gets_back_what_this_device_wrote_and_what_it_had_pulled() {
    let bob = Device::new();
    let (old, theirs, gone) = (ConversationId(id(1)), ConversationId(id(2)), ConversationId(id(3)));
    bob.apply(vec![
        conversation_change(4, old, "before", T),
        conversation_change(4, gone, "deleted since", T),
    ]);
    let mine = bob.conversation("mine");
    bob.push(6);
    bob.apply(vec![
        conversation_change(7, theirs, "theirs", T),
        deletion(wire::Table::Conversations, 8, gone.0),
    ]);
    bob.rename(theirs, "changed here");
    let anchor = Head { seq: 5, nonce: 5 };
    restored::rewind(&bob.mirror, Some(anchor)).expect("rewinds");
    restored::rewind(&bob.mirror, Some(anchor)).expect("rewinds again after a crash");
    assert_eq!(bob.read(restored::under_way), None);
    assert_eq!(bob.read(cursors::pull), Some(Cursor::at(anchor)));
    assert!(attach::offer(&bob.mirror, 100, None).expect("offers").done);
    let mut ops: Vec<_> = bob.take().into_iter().map(|op| (op.id, op.kind)).collect();
    ops.sort_by_key(|op| op.0);
    let mut expected = vec![
        (theirs.0, Kind::Ensure),
        (theirs.0, Kind::Patch),
        (gone.0, Kind::Purge),
        (mine.0, Kind::Ensure),
    ];
    expected.sort_by_key(|op| op.0);
    assert_eq!(ops, expected);
    bob.apply(vec![conversation_change(6, old, "after the restore", T + 9)]);
    assert_eq!(bob.title(old), "after the restore");
}

/// A message of this device is on its way into a conversation that the server then loses, and is refused; beside
/// it stand the person's next one and, offered so far, as many rows.
fn refused_after_a_restore(offered: usize) {
    let bob = Device::new();
    let theirs = ConversationId(id(2));
    bob.apply(vec![
        conversation_change(6, theirs, "theirs", T),
        message_change(7, MessageId(id(3)), theirs, None, "hello"),
    ]);
    bob.message(theirs, None, "refused", MessageState::Done);
    let n = bob.take()[0].n;
    let next = bob.message(theirs, None, "behind it", MessageState::Done);
    restored::rewind(&bob.mirror, Some(Head { seq: 5, nonce: 5 })).expect("rewinds");
    // What is on its way and what waits can be sent too.
    attach::offer(&bob.mirror, offered + 2, None).expect("offers");
    bob.take();
    let (code, message) = ("invalid".to_owned(), "no".to_owned());
    assert_eq!(bob.settle(n, Outcome::Rejected { code, message }).parked, 1);
    let ops: Vec<_> = bob.take().iter().map(|op| (op.id, op.kind)).collect();
    assert_eq!(ops, [(theirs.0, Kind::Ensure), (id(3), Kind::Ensure)], "{offered} were offered");
    let parked = bob.read(parked::all);
    assert_eq!((parked.len(), parked[0].behind), (1, 1), "the next one waits");
    assert_eq!(bob.content(next), "behind it");
}

#[test]
fn what_is_refused_while_a_restored_server_is_filled_keeps_nothing_of_its_conversation_from_it() {
    (0..=2).for_each(refused_after_a_restore);
}

/// A conversation that the server had at seq 6 as "theirs" and a message of it at 7; on this device a title
/// that is refused, and a server that was restored to 5.
fn restored_under_a_refused_title() -> (Device, ConversationId, MessageId) {
    let bob = Device::new();
    let (theirs, message) = (ConversationId(id(2)), MessageId(id(3)));
    bob.apply(vec![
        conversation_change(6, theirs, "theirs", T),
        message_change(7, message, theirs, None, "hello"),
    ]);
    bob.rename(theirs, "refused");
    let n = bob.take()[0].n;
    let (code, message_of_it) = ("invalid".to_owned(), "no".to_owned());
    bob.settle(n, Outcome::Rejected { code, message: message_of_it });
    restored::rewind(&bob.mirror, Some(Head { seq: 5, nonce: 5 })).expect("rewinds");
    assert!(attach::offer(&bob.mirror, 100, None).expect("offers").done);
    (bob, theirs, message)
}

#[test]
fn a_refused_change_keeps_nothing_of_its_conversation_from_a_restored_server() {
    let (bob, theirs, message) = restored_under_a_refused_title();
    let ops = bob.take();
    let offered: Vec<_> = ops.iter().map(|op| (op.id, op.kind)).collect();
    assert_eq!(offered, [(theirs.0, Kind::Ensure), (message.0, Kind::Ensure)]);
    assert_eq!(ops[0].fields["title"], "theirs", "as the server had it, without what it refuses");
    assert_eq!(bob.title(theirs), "refused", "what the person sees stays");
}

#[test]
fn a_refused_change_given_up_after_a_restore_falls_back_to_what_the_server_had() {
    let (bob, theirs, _) = restored_under_a_refused_title();
    let n = bob.take()[0].n;
    bob.settle(n, Outcome::Retry { code: "40P01".into() });
    let again = bob.take();
    assert_eq!(again[0].fields["title"], "theirs", "sent again as it was");
    bob.settle(again[0].n, applied(6));
    let refused = bob.read(parked::all)[0].n;
    bob.write(|write| parked::discard(write, refused));
    assert_eq!(bob.title(theirs), "theirs");
}

#[test]
fn a_change_beside_an_offered_base_is_an_operation_of_its_own() {
    let (bob, theirs, _) = restored_under_a_refused_title();
    let refused = bob.read(parked::all)[0].n;
    bob.write(|write| parked::discard(write, refused));
    bob.rename(theirs, "better");
    let titles: Vec<_> = bob.take().into_iter().filter(|op| op.id == theirs.0).collect();
    assert_eq!(titles.iter().map(|op| op.kind).collect::<Vec<_>>(), [Kind::Ensure, Kind::Patch]);
    assert_eq!(titles[0].fields["title"], "theirs");
    assert_eq!(titles[1].fields["title"], "better");
}

#[test]
fn detaching_keeps_what_is_here_or_removes_what_the_server_has() {
    for leaving in [account::Leaving::Keep, account::Leaving::Remove] {
        let bob = Device::new();
        let to = ConversationId(id(1));
        bob.apply(vec![
            conversation_change(4, to, "theirs", T),
            message_change(4, MessageId(id(2)), to, None, "ebb"),
        ]);
        let mine = bob.conversation("mine");
        bob.write(|write| account::detach(write, leaving));
        let left = if leaving == account::Leaving::Keep { 2 } else { 1 };
        assert_eq!(bob.count("SELECT count(*) FROM conversations"), left);
        assert_eq!(bob.count("SELECT count(*) FROM messages"), left - 1);
        assert_eq!((bob.title(mine).as_str(), bob.read(cursors::pull)), ("mine", None));
        bob.attach();
        assert!(attach::offer(&bob.mirror, 100, None).expect("offers").done);
        assert_eq!(bob.take().len() as i64, if left == 2 { 3 } else { 1 });
    }
}

#[test]
fn a_list_shows_what_to_fetch_and_what_is_absent_and_removes_nothing_by_itself() {
    let bob = Device::new();
    let rows = |n: u128| ConversationId(id(n));
    bob.apply((1..=4).map(|n| conversation_change(n as i64, rows(n), "x", T)).collect());
    let local = bob.conversation("local");
    let listed =
        |n: u128, seq, hash: &str| wire::Listed { id: rows(n).0, seq, hash: hash.to_owned() };
    let rows_listed =
        [listed(1, 1, "same"), listed(2, 9, "same"), listed(3, 3, "other"), listed(7, 7, "same")];
    let compared = bob.read(|c| {
        let hash = |_: &bases::Base| "same".to_owned();
        manifest::compare(c, wire::Table::Conversations, None, &rows_listed, true, i64::MAX, hash)
    });
    assert_eq!(compared.fetch, [rows(2).0, rows(3).0, rows(7).0]);
    assert_eq!(compared.absent, [rows(4).0]);
    assert_eq!(bob.count("SELECT count(*) FROM conversations"), 5);
    apply::remove(&bob.mirror, wire::Table::Conversations, &compared.absent, 9, Gone::Leave)
        .expect("removes");
    assert_eq!(
        (bob.count("SELECT count(*) FROM conversations"), bob.title(local).as_str()),
        (4, "local")
    );
}

#[test]
fn a_list_in_which_a_row_stands_lower_than_it_was_seen_is_of_a_restored_server() {
    let bob = Device::new();
    let row = ConversationId(id(1));
    bob.apply(vec![conversation_change(7, row, "x", T)]);
    let restored = |seq, head| {
        let listed = [wire::Listed { id: row.0, seq, hash: "same".to_owned() }];
        let compared = bob.read(|c| {
            let hash = |_: &bases::Base| "same".to_owned();
            manifest::compare(c, wire::Table::Conversations, None, &listed, true, head, hash)
        });
        compared.restored
    };
    assert!(restored(6, 7) && restored(6, 40));
    assert!(!restored(7, 40) && !restored(8, 40));
    assert!(!restored(6, 6), "it was read before that");
}

#[test]
fn a_row_that_was_changed_over_what_was_never_read_is_fetched_whatever_its_hash() {
    let ann = Device::new();
    let row = ConversationId(id(1));
    ann.apply(vec![conversation_change(1, row, "x", T)]);
    ann.rename(row, "y");
    ann.push(9);
    let listed = [wire::Listed { id: row.0, seq: 9, hash: "same".to_owned() }];
    let compared = ann.read(|c| {
        let hash = |_: &bases::Base| "same".to_owned();
        manifest::compare(c, wire::Table::Conversations, None, &listed, true, i64::MAX, hash)
    });
    assert_eq!(compared.fetch, [row.0], "transactions 2 to 8 may have changed its other registers");
}

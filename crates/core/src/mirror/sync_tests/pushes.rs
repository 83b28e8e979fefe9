use super::*;

#[test]
fn with_no_account_nothing_is_recorded() {
    let ann = Device::without_account();
    let id = ann.conversation("tides");
    ann.rename(id, "ebb");
    assert_eq!(ann.count("SELECT count(*) FROM outbox"), 0);
    assert_eq!(ann.count("SELECT count(*) FROM bases"), 0);
}

#[test]
fn a_new_row_goes_up_whole_with_what_it_is_when_it_is_taken() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    ann.rename(id, "ebb");
    let ops = ann.take();
    assert_eq!(ops.len(), 1, "{ops:?}");
    let op = &ops[0];
    assert_eq!((op.kind, op.id, op.queue), (Kind::Put, id.0, id.0));
    assert_eq!(op.fields["title"], "ebb");
    assert_eq!(op.fields["pinned"], false);
    assert_eq!(op.fields["created_ms"], START_MS + 10);
    assert!(op.clocks["title"] > op.clocks["pinned"], "{:?}", op.clocks);
    assert_eq!(op.base, Clocks::new());
}

#[test]
fn a_change_joins_what_waits_and_never_what_is_on_its_way() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    let put = ann.take();
    ann.rename(id, "ebb");
    ann.rename(id, "flood");
    ann.write(|write| conversations::set(write, id, &Field::Pinned(true)));
    let ops = ann.take();
    assert_eq!(ops[0], put[0], "sent again as it was, whatever the row is now");
    assert_eq!(ops.len(), 2);
    assert_eq!(ops[1].kind, Kind::Patch);
    let fields: Vec<_> = ops[1].fields.keys().map(String::as_str).collect();
    assert_eq!(fields, ["pinned", "title", "title_by", "updated_ms"]);
    assert_eq!(ops[1].fields["title"], "flood");
}

#[test]
fn what_is_written_while_the_waiting_is_counted_is_counted_the_next_time() {
    let ann = Device::new();
    ann.conversation("tides");
    let count = |c: &Connection| Ok((outbox::counts(c)?.waiting, outbox::last_number(c)?));
    let during = ann.read(|c| {
        let (waiting, _) = count(c)?;
        ann.conversation("ebb");
        Ok((waiting, outbox::last_number(c)?))
    });
    assert_eq!(during, (1, 1), "the number says of which count it is the last");
    assert_eq!(ann.read(count), (2, 2));
}

#[test]
fn what_is_applied_is_the_base_and_the_copy_goes_with_the_last_operation() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    let put = ann.take();
    ann.rename(id, "ebb");
    ann.settle(put[0].n, applied(4));
    let base = ann.base(wire::Table::Conversations, id.0);
    assert_eq!((base.seq, &base.fields["title"]), (4, &json!("tides")));
    assert_eq!(ann.title(id), "ebb");
    let patch = ann.take();
    assert_eq!(patch[0].base, Clocks::from([("title".to_owned(), put[0].clocks["title"])]));
    ann.settle(patch[0].n, applied(5));
    assert_eq!(ann.count("SELECT count(*) FROM bases"), 0);
    assert_eq!(ann.count("SELECT server_seq FROM conversations"), 5);
    assert_eq!(ann.counts(), outbox::Counts::default());
}

#[test]
fn two_operations_of_a_row_that_one_transaction_took_are_both_in_the_base() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    let message = ann.message(id, None, "eb", MessageState::Streaming);
    ann.take();
    ann.rename(id, "ebb");
    ann.progress(message, "ebb and flood", MessageState::Done);
    let ops = ann.take();
    let settled = |op: &Op| Settled { n: op.n, outcome: applied(4) };
    ann.settle_all(ops.iter().map(settled).collect());
    assert_eq!(ann.counts(), outbox::Counts::default());
    assert_eq!((ann.title(id), ann.content(message)), ("ebb".into(), "ebb and flood".into()));
}

#[test]
fn an_outcome_that_comes_behind_the_page_of_its_transaction_takes_nothing_back() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    let put = ann.take();
    ann.rename(id, "ebb");
    let patch = ann.take();
    let at = patch[1].clocks["title"];
    ann.apply(vec![conversation_change(4, id, "ebb", at)]);
    ann.settle(put[0].n, applied(4));
    assert_eq!(ann.base(wire::Table::Conversations, id.0).fields["title"], "ebb");
    ann.settle(patch[1].n, applied(4));
    assert_eq!(ann.title(id), "ebb");
}

#[test]
fn an_outcome_that_comes_twice_does_nothing_the_second_time() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    let n = ann.take()[0].n;
    ann.settle(n, applied(4));
    ann.rename(id, "ebb");
    assert_eq!(ann.settle(n, applied(4)), settle::Settlement::default());
    assert_eq!(ann.counts().waiting, 1);
}

#[test]
fn acked_through_never_passes_an_operation_that_may_still_be_sent() {
    let ann = Device::new();
    let (one, two) = (ann.conversation("one"), ann.conversation("two"));
    let ops = ann.take();
    assert_eq!(ann.read(outbox::acked_through), ops[0].n - 1);
    ann.settle(ops[1].n, applied(4));
    assert_eq!(ann.read(outbox::acked_through), ops[0].n - 1);
    let (code, message) = ("invalid".to_owned(), String::new());
    ann.settle(ops[0].n, Outcome::Rejected { code, message });
    assert_eq!(ann.read(outbox::acked_through), ops[1].n, "the parked one gets a new number");
    ann.rename(one, "again");
    let again = ann.take();
    assert!(again[0].n > ops[1].n, "{again:?}");
    assert_eq!(ann.title(two), "two");
}

#[test]
fn what_waits_behind_a_refused_operation_keeps_no_outcome_alive_and_goes_under_a_new_number() {
    let ann = Device::new();
    let (one, two) = (ann.conversation("one"), ann.conversation("two"));
    let behind = ann.message(one, None, "behind", MessageState::Done);
    let ops = ann.take();
    let (code, message) = ("invalid".to_owned(), String::new());
    ann.settle_all(vec![
        Settled { n: ops[0].n, outcome: Outcome::Rejected { code, message } },
        Settled { n: ops[1].n, outcome: applied(4) },
        Settled { n: ops[2].n, outcome: Outcome::Behind },
    ]);
    ann.rename(two, "other");
    let other = ann.take();
    assert_eq!(ann.read(outbox::acked_through), other[0].n - 1, "all before it is settled");
    ann.settle(other[0].n, applied(5));
    let refused = ann.read(parked::all)[0].n;
    ann.write(|write| parked::discard(write, refused));
    let ops = ann.take();
    assert_eq!(ops.iter().map(|op| op.id).collect::<Vec<_>>(), [behind.0]);
    assert!(ops[0].n > other[0].n, "its old number counts as settled");
}

#[test]
fn a_refused_operation_is_parked_and_only_its_own_queue_waits_behind_it() {
    let ann = Device::new();
    let (one, two) = (ann.conversation("one"), ann.conversation("two"));
    ann.message(one, None, "behind", MessageState::Done);
    let ops = ann.take();
    let (code, message) = ("invalid".to_owned(), "no".to_owned());
    let settled = ann.settle_all(vec![
        Settled { n: ops[0].n, outcome: Outcome::Rejected { code, message } },
        Settled { n: ops[1].n, outcome: applied(4) },
        Settled { n: ops[2].n, outcome: Outcome::Behind },
    ]);
    assert_eq!((settled.parked, settled.settled), (1, 1));
    ann.rename(two, "other");
    let other = ann.take();
    assert_eq!(other.iter().map(|op| op.id).collect::<Vec<_>>(), [two.0]);
    ann.settle(other[0].n, applied(5));
    let parked = ann.read(parked::all);
    assert_eq!((parked.len(), parked[0].behind, parked[0].code.as_str()), (1, 1, "invalid"));
    assert_eq!(ann.counts(), outbox::Counts { parked: 1, behind: 1, ..Default::default() });

    ann.write(|write| parked::retry(write, parked[0].n));
    let ops = ann.take();
    let tables: Vec<_> = ops.iter().map(|op| op.tbl).collect();
    assert_eq!(tables, [wire::Table::Conversations, wire::Table::Messages], "their order is kept");
}

#[test]
fn an_edit_sends_a_refused_operation_again() {
    let ann = Device::new();
    let id = ann.conversation("one");
    let n = ann.take()[0].n;
    let (code, message) = ("invalid".to_owned(), String::new());
    ann.settle(n, Outcome::Rejected { code, message });
    assert_eq!(ann.take(), []);
    ann.rename(id, "two");
    assert_eq!(ann.take()[0].fields["title"], "two");
}

#[test]
fn a_discarded_change_falls_back_to_the_base() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    ann.push(4);
    ann.rename(id, "ebb");
    let n = ann.take()[0].n;
    let (code, message) = ("invalid".to_owned(), String::new());
    ann.settle(n, Outcome::Rejected { code, message });
    assert_eq!(ann.title(id), "ebb");
    ann.write(|write| parked::discard(write, n));
    assert_eq!(ann.title(id), "tides");
    assert_eq!(ann.counts(), outbox::Counts::default());
    assert_eq!(ann.count("SELECT count(*) FROM bases"), 0);
}

#[test]
fn a_discarded_new_row_stays_here_and_goes_up_only_once_it_is_changed_again() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    let n = ann.take()[0].n;
    let (code, message) = ("too_large".to_owned(), String::new());
    ann.settle(n, Outcome::Rejected { code, message });
    ann.write(|write| parked::discard(write, n));
    assert_eq!((ann.title(id).as_str(), ann.take().len()), ("tides", 0));
    assert!(attach::offer(&ann.mirror, 100, None).expect("offers").done);
    assert_eq!(ann.take(), [], "the scan does not offer it either");
    ann.rename(id, "ebb");
    assert_eq!(ann.take().len(), 1);
}

#[test]
fn a_change_of_a_row_that_stays_here_is_not_sent_for_ever() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    let put = ann.take()[0].n;
    // While it is on its way, it gets another title; then it is refused, and given up.
    ann.rename(id, "ebb");
    let refused = |code: &str| Outcome::Rejected { code: code.to_owned(), message: String::new() };
    let patch = ann.read(|c| Ok(c.query_row("SELECT max(n) FROM outbox", [], |row| row.get(0))?));
    ann.settle(put, refused("invalid"));
    ann.write(|write| parked::discard(write, put));
    assert_eq!(ann.take().iter().map(|op| op.n).collect::<Vec<i64>>(), [patch]);
    ann.settle(patch, refused("missing"));
    assert_eq!(ann.take(), []);
    assert_eq!((ann.counts().waiting, ann.title(id).as_str()), (0, "ebb"));
}

#[test]
fn a_lost_title_is_kept_and_can_be_brought_back() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    ann.push(4);
    ann.rename(id, "ebb");
    let op = ann.take().remove(0);
    let later = op.clocks["title"] + 1;
    let row = full(6, conversation_fields("flood"), Clocks::from([("title".to_owned(), later)]));
    let accepted = Accepted { seq: 6, ..Accepted::default() };
    let settled = ann.settle(op.n, Outcome::Merged(accepted, row));
    assert_eq!((settled.conflicts, ann.title(id).as_str()), (1, "flood"));
    let lost = ann.read(|c| conflicts::of_conversation(c, id)).remove(0);
    assert_eq!(
        (lost.ours, &lost.lost["title"], &lost.kept["title"]),
        (true, &json!("ebb"), &json!("flood"))
    );

    ann.write(|write| conflicts::bring_back(write, lost.id));
    assert_eq!((ann.title(id).as_str(), ann.read(conflicts::count)), ("ebb", 0));
    let op = ann.take().remove(0);
    assert!(op.clocks["title"] > later, "a new change, after the one that won");
    assert_eq!(op.base["title"], later);
}

#[test]
fn a_title_that_lost_to_one_of_the_same_clock_is_kept() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    ann.push(4);
    ann.rename(id, "ebb");
    let op = ann.take().remove(0);
    // Another device changed the same title, which both knew under a clock ahead of their own.
    let row = full(6, conversation_fields("flood"), op.clocks.clone());
    let settled = ann.settle(op.n, Outcome::Merged(Accepted::default(), row));
    assert_eq!((settled.conflicts, ann.title(id).as_str()), (1, "flood"));
    let lost = ann.read(|c| conflicts::of_conversation(c, id)).remove(0);
    assert_eq!((lost.ours, &lost.lost["title"]), (true, &json!("ebb")));
}

#[test]
fn json_in_the_server_s_form_is_no_conflict() {
    let ann = Device::new();
    let value = json!({"b": 1, "a": [1, 2]});
    ann.write(|write| settings::set(write, "theme", &value));
    let op = ann.take().remove(0);
    let stored = json!({"key": "theme", "value": "{\"a\": [1, 2],  \"b\": 1}"});
    let row = full(6, stored, Clocks::from([("value".to_owned(), op.clocks["value"] + 1)]));
    assert_eq!(ann.settle(op.n, Outcome::Merged(Accepted::default(), row)).conflicts, 0);
}

#[test]
fn what_another_device_lost_by_a_change_of_this_one_is_kept_here() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    ann.push(4);
    ann.rename(id, "ebb");
    let op = ann.take().remove(0);
    let lost = Map::from_iter([("title".to_owned(), json!("flood"))]);
    ann.settle(op.n, Outcome::Applied(Accepted { seq: 6, lost, ..Accepted::default() }));
    let lost = ann.read(|c| conflicts::open(c, 10)).remove(0);
    assert_eq!(
        (lost.ours, &lost.lost["title"], &lost.kept["title"]),
        (false, &json!("flood"), &json!("ebb"))
    );
}

#[test]
fn a_setting_of_the_account_that_one_from_before_it_replaced_is_kept_here() {
    let ann = Device::without_account();
    ann.write(|write| settings::set(write, "theme", &json!("dark")));
    ann.attach();
    attach::offer(&ann.mirror, 100, None).expect("offers");
    let op = ann.take().remove(0);
    assert_eq!((op.kind, op.base.is_empty()), (Kind::Ensure, true), "nothing was seen there");
    let lost = Map::from_iter([("value".to_owned(), json!("\"light\""))]);
    ann.settle(op.n, Outcome::Applied(Accepted { seq: 6, lost, ..Accepted::default() }));
    let lost = ann.read(|c| conflicts::open(c, 10)).remove(0);
    assert_eq!((lost.ours, &lost.lost["value"]), (false, &json!("\"light\"")));
}

#[test]
fn what_came_for_an_offered_row_was_not_seen_by_who_changes_it() {
    let ann = Device::without_account();
    let id = ann.conversation("tides");
    ann.rename(id, "ebb");
    ann.attach();
    attach::offer(&ann.mirror, 100, None).expect("offers");
    let theirs = (START_MS + 60_000) << 16;
    ann.apply(vec![conversation_change(4, id, "flood", theirs)]);
    assert_eq!(ann.title(id), "ebb", "the server decides when it is offered");
    ann.rename(id, "spring tide");
    let op = ann.take().remove(0);
    assert_eq!((op.kind, &op.fields["title"]), (Kind::Ensure, &json!("spring tide")));
    assert!(op.base["title"] < theirs, "the flood was not shown, so it is to be told of");
}

#[test]
fn a_body_that_lost_becomes_a_sibling_that_goes_up() {
    let ann = Device::new();
    let to = ann.conversation("tides");
    let answer = ann.message(to, None, "", MessageState::Queued);
    ann.push(4);
    ann.progress(answer, "mine", MessageState::Done);
    let op = ann.take().remove(0);
    assert_eq!((op.kind, &op.fields["content"]), (Kind::Patch, &json!("mine")));
    let mut fields = message_fields(to, "theirs", 0);
    fields["role"] = json!("assistant");
    let row = full(9, fields, Clocks::new());
    ann.settle(op.n, Outcome::Conflict { row, reason: "final".into() });
    assert_eq!(ann.content(answer), "theirs");
    let copy = ann.read(|c| conflicts::open(c, 10)).remove(0).copy_id.expect("a copy");
    let sibling = ann.read(|c| messages::get(c, copy));
    assert_eq!((sibling.content.as_str(), sibling.continues_id), ("mine", Some(answer)));
    assert_eq!(sibling.state, MessageState::Done);
    let op = ann.take().remove(0);
    assert_eq!((op.kind, op.id, &op.fields["content"]), (Kind::Put, copy.0, &json!("mine")));
}

#[test]
fn an_answer_goes_up_when_it_waits_and_when_it_ends_but_not_while_it_streams() {
    let ann = Device::new();
    let to = ann.conversation("tides");
    let answer = ann.message(to, None, "", MessageState::Queued);
    assert_eq!(ann.push(4).len(), 2, "others see that it waits");
    ann.progress(answer, "a", MessageState::Streaming);
    ann.progress(answer, "a b", MessageState::Streaming);
    assert_eq!((ann.take(), ann.counts().held), (vec![], 1));
    let base = ann.base(wire::Table::Messages, answer.0);
    assert_eq!((&base.fields["content"], &base.fields["state"]), (&json!(""), &json!("queued")));
    ann.progress(answer, "a b c", MessageState::Done);
    let ops = ann.take();
    assert_eq!((ops.len(), &ops[0].fields["content"]), (1, &json!("a b c")));
    assert_eq!(ops[0].clocks, Clocks::new(), "a body has no clock");
}

#[test]
fn an_answer_that_streams_before_it_was_ever_sent_waits_for_its_end() {
    let ann = Device::new();
    let to = ann.conversation("tides");
    let answer = ann.message(to, None, "", MessageState::Queued);
    ann.progress(answer, "a", MessageState::Streaming);
    assert_eq!(ann.push(4).len(), 1, "the conversation alone");
    let next = ann.message(to, Some(answer), "next", MessageState::Done);
    assert_eq!(ann.push(5).iter().map(|op| op.id).collect::<Vec<_>>(), [next.0]);
    ann.progress(answer, "a b", MessageState::Done);
    let ops = ann.take();
    assert_eq!(
        (ops[0].kind, ops[0].id, &ops[0].fields["state"]),
        (Kind::Put, answer.0, &json!("done"))
    );
    assert!(ops[0].n > ann.read(outbox::acked_through));
}

#[test]
fn clocks_that_the_server_shifted_are_adopted_and_this_device_s_go_on_from_them() {
    let ann = Device::new();
    let year = 365 * 24 * 60 * 60 * 1_000;
    ann.clock.advance(year);
    let id = ann.conversation("tides");
    ann.rename(id, "ebb");
    let op = ann.take().remove(0);
    assert!(op.clocks["title"] >> 16 > START_MS + year - 1);
    let shifted = Clocks::from([("title".to_owned(), START_MS << 16)]);
    let accepted = Accepted { seq: 4, clocks: Some(shifted), ..Accepted::default() };
    account::saw_offset(&ann.mirror, 1_000 - year).expect("stores");
    ann.settle(op.n, Outcome::Applied(accepted));
    ann.rename(id, "flood");
    let op = ann.take().remove(0);
    assert_eq!(op.base["title"], START_MS << 16);
    assert!(op.clocks["title"] > START_MS << 16);
    assert!(op.clocks["title"] >> 16 < START_MS + 10_000, "{}", op.clocks["title"] >> 16);
}

#[test]
fn a_new_row_that_is_sent_again_after_the_clocks_were_compared_keeps_the_clocks_that_it_was_sent_with()
 {
    let ann = Device::new();
    ann.conversation("tides");
    let sent = ann.take();
    account::saw_offset(&ann.mirror, 5_000).expect("stores");
    assert_eq!(ann.take(), sent, "the server may have done it");
    ann.settle(sent[0].n, applied(3));
    let base = ann.base(wire::Table::Conversations, sent[0].id);
    assert_eq!(base.clocks, sent[0].clocks);

    ann.conversation("the next");
    let next = ann.take().remove(0);
    assert!(next.clocks["title"] >> 16 >= (sent[0].clocks["title"] >> 16) + 5_000);
}

#[test]
fn the_clocks_of_many_new_rows_on_their_way_are_kept_too() {
    let ann = Device::new();
    for _ in 0..450 {
        ann.conversation("tides");
    }
    let sent = ann.take();
    assert_eq!(sent.len(), 450);
    account::saw_offset(&ann.mirror, 5_000).expect("stores");
    assert_eq!(ann.take(), sent);
    assert_eq!(ann.read(account::offset_ms), 5_000);
}

#[test]
fn the_clocks_of_new_rows_on_their_way_behind_many_that_were_deleted_are_kept_too() {
    let ann = Device::new();
    let gone: Vec<_> = (0..250).map(|_| ann.conversation("ebb")).collect();
    let kept = ann.conversation("tides");
    let of_kept = |ops: Vec<Op>| ops.into_iter().find(|op| op.id == kept.0).expect("on its way");
    let sent = of_kept(ann.take());
    for id in gone {
        ann.write(|write| conversations::purge(write, id));
    }
    account::saw_offset(&ann.mirror, 5_000).expect("stores");
    assert_eq!(of_kept(ann.take()), sent);
}

#[test]
fn a_deletion_that_is_given_up_is_noted_to_be_fetched() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    ann.push(3);
    ann.write(|write| conversations::purge(write, id));
    let n = ann.take()[0].n;
    let (code, message) = ("too_large".to_owned(), String::new());
    ann.settle(n, Outcome::Rejected { code, message });
    assert!(!ann.read(mending::is_due));
    ann.write(|write| parked::discard(write, n));
    assert!(ann.read(mending::is_due));
}

#[test]
fn a_deleted_conversation_goes_up_as_one_purge_and_takes_its_operations_along() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    ann.message(id, None, "one", MessageState::Done);
    ann.push(3);
    let local = ann.conversation("never sent");
    ann.message(id, None, "two", MessageState::Done);
    ann.write(|write| conversations::purge(write, id));
    ann.write(|write| conversations::purge(write, local));
    let ops = ann.take();
    assert_eq!(ops.len(), 1, "{ops:?}");
    assert_eq!((ops[0].kind, ops[0].id), (Kind::Purge, id.0));
    assert!(ops[0].clocks.contains_key("trashed_ms"));
    assert!(ops[0].fields.is_empty());
    ann.settle(ops[0].n, applied(5));
    assert_eq!(ann.count("SELECT count(*) FROM tombstones"), 1);
    assert_eq!(ann.count("SELECT count(*) FROM bases"), 0);
}

#[test]
fn a_conversation_that_was_refused_is_purged_there_too_where_messages_of_it_went_up() {
    let ann = Device::new();
    let id = ann.conversation("refused");
    ann.message(id, None, "one", MessageState::Done);
    let ops = ann.take();
    let (code, message) = ("invalid".to_owned(), String::new());
    ann.settle(ops[1].n, applied(3));
    ann.settle(ops[0].n, Outcome::Rejected { code, message });
    ann.write(|write| conversations::purge(write, id));
    let ops = ann.take();
    assert_eq!(ops.iter().map(|op| (op.kind, op.id)).collect::<Vec<_>>(), [(Kind::Purge, id.0)]);
    ann.settle(ops[0].n, applied(4));
    assert_eq!(ann.count("SELECT count(*) FROM outbox"), 0);
}

#[test]
fn a_change_that_is_refused_after_its_row_was_deleted_here_does_not_hold_up_the_deletion() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    ann.push(4);
    ann.rename(id, "refused");
    let n = ann.take()[0].n;
    ann.write(|write| conversations::purge(write, id));
    let (code, message) = ("invalid".to_owned(), String::new());
    ann.settle(n, Outcome::Rejected { code, message });
    assert_eq!(ann.read(parked::all), []);
    assert_eq!(ann.take().iter().map(|op| op.kind).collect::<Vec<_>>(), [Kind::Purge]);
}

#[test]
fn a_message_that_a_proxy_refused_after_it_was_deleted_here_does_not_hold_up_the_deletion() {
    let ann = Device::new();
    let to = ann.conversation("tides");
    ann.push(4);
    ann.message(to, None, "too much for the hotel's network", MessageState::Done);
    let op = ann.take().remove(0);
    ann.write(|write| conversations::purge(write, to));
    ann.write(|write| parked::park(write, op.n, "too_large"));
    assert_eq!(ann.counts().parked, 0);
    assert_eq!(ann.take().iter().map(|op| op.kind).collect::<Vec<_>>(), [Kind::Purge]);
}

#[test]
fn a_device_that_is_ahead_is_told_so_also_by_what_it_deleted_meanwhile() {
    let ann = Device::new();
    ann.clock.advance(1_000_000_000);
    let id = ann.conversation("tides");
    ann.rename(id, "ebb");
    let op = ann.take().remove(0);
    ann.write(|write| conversations::purge(write, id));
    ann.clock.advance(-1_000_000_000);
    let clocks = Some(Clocks::from([("title".to_owned(), START_MS << 16)]));
    ann.settle(op.n, Outcome::Applied(Accepted { seq: 6, clocks, ..Accepted::default() }));
    let hlc = ann.count("SELECT hlc FROM mirror") >> 16;
    assert!(hlc < START_MS + 10_000, "its next change would beat those of others: {hlc}");
}

#[test]
fn what_is_changed_after_a_restore_before_it_was_offered_is_offered_with_the_change() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    ann.push(3);
    restored::rewind(&ann.mirror, Some(Head { seq: 2, nonce: 2 })).expect("rewinds");
    ann.rename(id, "ebb");
    let ops = ann.take();
    let offered: Vec<_> = ops.iter().map(|op| (op.kind, op.fields["title"].clone())).collect();
    assert_eq!(offered, [(Kind::Ensure, json!("ebb"))], "the server may have it as it was");
}

#[test]
fn what_is_deleted_after_a_restore_before_it_was_offered_is_deleted_there_too() {
    for is_renamed in [false, true] {
        let ann = Device::new();
        let id = ann.conversation("tides");
        ann.push(3);
        restored::rewind(&ann.mirror, Some(Head { seq: 2, nonce: 2 })).expect("rewinds");
        if is_renamed {
            ann.rename(id, "ebb");
        }
        ann.write(|write| conversations::purge(write, id));
        let kinds: Vec<_> = ann.take().iter().map(|op| op.kind).collect();
        assert_eq!(kinds, [Kind::Purge], "renamed before: {is_renamed}");
    }
}

#[test]
fn a_refused_offer_is_noted_to_be_fetched() {
    let ann = Device::without_account();
    ann.conversation("tides");
    ann.attach();
    attach::offer(&ann.mirror, 100, None).expect("offers");
    let n = ann.take()[0].n;
    assert!(!ann.read(mending::is_due));
    let (code, message) = ("invalid".to_owned(), String::new());
    ann.settle(n, Outcome::Rejected { code, message });
    assert!(ann.read(mending::is_due), "what the server has of it is not known here");
}

#[test]
fn settings_that_are_local_are_never_sent() {
    let ann = Device::new();
    ann.write(|write| settings::set(write, "local.window", &json!(1)));
    ann.write(|write| settings::set(write, "theme", &json!("dark")));
    let ops = ann.take();
    assert_eq!(ops.iter().map(|op| op.id).collect::<Vec<_>>(), [wire::setting_id("theme")]);
    assert_eq!(ops[0].fields["value"], "\"dark\"", "JSON travels as text");
}

#[test]
fn everything_written_before_the_account_is_offered_a_bounded_number_ahead() {
    let ann = Device::without_account();
    let to = ann.conversation("tides");
    for n in 0..450 {
        ann.message(to, None, &format!("m{n}"), MessageState::Done);
    }
    ann.write(|write| settings::set(write, "theme", &json!("dark")));
    ann.write(|write| settings::set(write, "local.window", &json!(1)));
    ann.attach();
    let mut seen = Vec::new();
    loop {
        let offered = attach::offer(&ann.mirror, 100, None).expect("offers");
        assert!(ann.counts().waiting <= 100);
        let ops = ann.push(seen.len() as i64 + 1);
        seen.extend(ops.iter().map(|op| (op.kind, op.id)));
        if offered.done && ops.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 452);
    assert_eq!(seen[0], (Kind::Ensure, to.0), "conversations first");
    let mut ids: Vec<_> = seen.iter().map(|(_, id)| id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 452, "each once");
    assert_eq!(ann.read(attach::unsynced), 1, "the local setting");
}

#[test]
fn what_waits_behind_a_refused_operation_does_not_hold_up_the_offer_of_all_else() {
    let ann = Device::without_account();
    let (refused, other) = (ann.conversation("refused"), ann.conversation("other"));
    for n in 0..3 {
        ann.message(refused, None, &n.to_string(), MessageState::Done);
    }
    let last = ann.message(other, None, "last", MessageState::Done);
    ann.attach();
    let mut sent = Vec::new();
    for _ in 0..8 {
        attach::offer(&ann.mirror, 2, None).expect("offers");
        for op in ann.take() {
            let (code, message) = ("invalid".to_owned(), String::new());
            let outcome = match op.id == refused.0 {
                true => Outcome::Rejected { code, message },
                false => applied(op.n),
            };
            sent.push(op.id);
            ann.settle(op.n, outcome);
        }
    }
    assert!(ann.read(attach::is_done), "it ends");
    assert!(sent.contains(&last.0), "{sent:?}");
}

#[test]
fn a_batch_ends_before_it_is_too_large_but_has_one_operation_at_least() {
    let ann = Device::new();
    let to = ann.conversation("tides");
    for _ in 0..3 {
        ann.message(to, None, &"x".repeat(10_000), MessageState::Done);
    }
    let take = |bytes| outbox::take(&ann.mirror, 10, bytes, None).expect("takes").len();
    assert_eq!((take(1), take(25_000), take(1 << 20)), (1, 3, 4));
}

#[test]
fn the_batch_behind_one_on_its_way_begins_above_it_and_both_come_again_in_order() {
    let ann = Device::new();
    let to = ann.conversation("tides");
    for _ in 0..3 {
        ann.message(to, None, "x", MessageState::Done);
    }
    let take = |max, above| -> Vec<i64> {
        let ops = outbox::take(&ann.mirror, max, 1 << 20, above).expect("takes");
        ops.iter().map(|op| op.n).collect()
    };
    let first = take(2, None);
    let second = take(2, first.last().copied());
    assert_eq!(second.len(), 2);
    assert_eq!(take(2, second.last().copied()), [0; 0]);
    assert_eq!(take(9, None), [first, second].concat());
}

#[test]
fn what_was_merely_offered_goes_when_the_server_had_deleted_it_and_a_change_of_it_comes_back() {
    let ann = Device::without_account();
    let (idle, changed) = (ann.conversation("idle"), ann.conversation("changed"));
    ann.attach();
    attach::offer(&ann.mirror, 100, None).expect("offers");
    ann.rename(changed, "since");
    for op in ann.take() {
        ann.settle(op.n, Outcome::Gone { seq: 9 });
    }
    let left: Vec<_> = ann.take().iter().map(|op| (op.kind, op.id)).collect();
    assert_eq!(left, [(Kind::Put, wire::recovered_id(changed.0, 9))]);
    assert!(ann.mirror.read(|c| conversations::get(c, idle)).is_err());
}

#[test]
fn an_operation_whose_outcome_the_server_forgot_is_offered_where_it_may_lack_the_row() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    let n = ann.take()[0].n;
    ann.settle(n, Outcome::Done);
    let ops = ann.take();
    assert_eq!((ops.len(), ops[0].kind, ops[0].id), (1, Kind::Ensure, id.0));
    ann.settle(ops[0].n, applied(4));
    ann.rename(id, "ebb");
    let n = ann.take()[0].n;
    ann.settle(n, Outcome::Done);
    assert_eq!(ann.take(), [], "a row that it knows comes with the next pull");
}

#[test]
fn what_is_sent_again_later_goes_as_it_was_because_the_first_request_may_arrive_once_more() {
    let ann = Device::new();
    let id = ann.conversation("tides");
    ann.push(4);
    ann.rename(id, "ebb");
    let n = ann.take()[0].n;
    ann.write(|write| conversations::set(write, id, &Field::Pinned(true)));
    let settled = ann.settle(n, Outcome::Retry { code: "40001".into() });
    assert_eq!(settled.waiting, 1);
    let ops = ann.take();
    assert_eq!((ops.len(), ops[0].n), (2, n));
    assert_eq!((&ops[0].fields["title"], ops[0].fields.get("pinned")), (&json!("ebb"), None));
    assert_eq!((ops[1].fields.get("title"), &ops[1].fields["pinned"]), (None, &json!(true)));
}

#[test]
fn a_copied_data_folder_can_tell_and_becomes_a_device_of_its_own() {
    let ann = Device::new();
    ann.conversation("tides");
    let n = ann.push(4)[0].n;
    assert_eq!(ann.read(outbox::last_number), n);
    let id = crate::model::DeviceId(ann.clock.new_id());
    ann.write(|write| account::become_another_device(write, id));
    let stored =
        ann.read(|c| Ok(c.query_row("SELECT device_id FROM mirror", [], |row| row.get(0))?));
    assert_eq!(id, stored);
}

#[test]
fn what_is_written_after_it_became_another_device_is_that_device_s_without_a_restart() {
    let ann = Device::new();
    let to = ann.conversation("tides");
    let id = crate::model::DeviceId(ann.clock.new_id());
    ann.write(|write| account::become_another_device(write, id));
    let answer = ann.message(to, None, "half", MessageState::Queued);
    let message = ann.read(|c| messages::get(c, answer));
    assert_eq!(message.device_id, Some(id), "else the server would refuse the rest of the answer");
}

#[test]
fn a_mirror_that_was_salvaged_asks_for_everything_again_and_numbers_far_above() {
    let ann = Device::new();
    let (kept, changed) = (ann.conversation("tides"), ann.conversation("ebb"));
    ann.push(4);
    ann.apply(vec![conversation_change(9, ConversationId(id(1)), "theirs", 1)]);
    ann.rename(changed, "mine");
    let n = ann.take()[0].n;
    ann.write(|write| restored::distrust(write));
    assert_eq!(ann.read(cursors::pull), None);
    assert!(attach::offer(&ann.mirror, 100, None).expect("offers").done);
    let ops = ann.take();
    assert_eq!(ops.len(), 3);
    assert!(ops.iter().all(|op| op.kind == Kind::Ensure && op.n > n + 1_000_000), "{ops:?}");
    assert!(ann.read(outbox::acked_through) > n);
    assert_eq!(ann.title(kept), "tides");
}

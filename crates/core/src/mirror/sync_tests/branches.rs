use super::*;

#[test]
fn a_circle_of_parents_ends_everywhere() {
    let bob = Device::new();
    let (to, a, b) = (ConversationId(id(1)), MessageId(id(2)), MessageId(id(3)));
    bob.apply(vec![
        conversation_change(4, to, "tides", 1),
        message_change(4, a, to, Some(b), "a"),
        message_change(4, b, to, Some(a), "b"),
        message_change(4, MessageId(id(4)), to, Some(MessageId(id(4))), "its own parent"),
    ]);
    assert_eq!(bob.read(|c| thread::up_from(c, a, 50)).len(), 2);
    assert_eq!(bob.read(|c| thread::up_from(c, MessageId(id(4)), 50)).len(), 1);
    assert_eq!(bob.read(|c| messages::tree_below(c, a)).len(), 2);
    let message = bob.read(|c| messages::get(c, a));
    bob.write(|write| thread::show(write, &message));
    bob.write(|write| thread::settle(write, to));
    while thread::settle_listed(&bob.mirror, 10).expect("settles") > 0 {}
    assert_eq!(bob.read(|c| conversations::leaf(c, to)), None);
}

#[test]
fn a_sibling_from_another_device_does_not_take_the_place_of_what_is_shown() {
    let bob = Device::new();
    let (to, one, two) = (ConversationId(id(1)), MessageId(id(2)), MessageId(id(3)));
    bob.apply(vec![conversation_change(4, to, "tides", 1), message_change(4, one, to, None, "q")]);
    bob.apply(vec![message_change(5, two, to, Some(one), "answer")]);
    bob.apply(vec![message_change(6, MessageId(id(4)), to, Some(one), "another answer")]);
    assert_eq!(bob.read(|c| conversations::leaf(c, to)), Some(two));
    assert_eq!(bob.read(|c| thread::shown_child(c, to, Some(one))), Some(two));
    let shown = bob.read(|c| messages::get(c, two));
    assert_eq!(bob.read(|c| thread::siblings(c, &shown)).count, 2);
}

#[test]
fn the_branch_found_in_one_reading_is_the_one_found_level_by_level() {
    let bob = Device::new();
    let to = ConversationId(id(1));
    let message = |n: u128, parent: Option<u128>| {
        message_change(n as i64, MessageId(id(n)), to, parent.map(|p| MessageId(id(p))), "x")
    };
    let mut changes = vec![conversation_change(1, to, "tides", 1)];
    // A tree in which every third message begins a branch; more rows than are told one by one.
    changes.extend(
        (2..400).map(|n| message(n, (n > 2).then(|| if n % 3 == 0 { n / 2 + 1 } else { n - 1 }))),
    );
    bob.apply(changes);
    assert_eq!(bob.count("SELECT count(*) FROM unsettled"), 1);
    let read = bob.read(|c| conversations::leaf(c, to));
    assert_eq!(thread::settle_listed(&bob.mirror, 10).expect("settles"), 1);
    assert_eq!(bob.read(|c| conversations::leaf(c, to)), read);
    bob.write(|write| thread::settle(write, to));
    assert_eq!(bob.read(|c| conversations::leaf(c, to)), read);
    assert_eq!(thread::settle_listed(&bob.mirror, 10).expect("settles"), 0);
}

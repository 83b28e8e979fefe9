//! A server that was put back to an older backup gets back all that the surviving devices had.

use tidemark_tests::stack::Part;

use super::*;

/// A stack with a backup behind what both devices know; the second device is gone then.
fn restored(part: Part) -> (Stack, Device, String, String) {
    let stack = stack();
    let (a, b) = (Device::first(&stack), Device::another(&stack));
    let before = a.says("new", "before the backup");
    a.syncs();
    b.syncs();
    let backup = stack.dump().expect("a backup");
    a.says(&before, "after the backup, by A");
    let of_b = b.says("new", "after the backup, by B");
    b.json(&["rename", &before, "Renamed by B"]);
    b.syncs();
    a.syncs();
    stack.restore(&backup, part).expect("restored");
    drop(b);
    (stack, a, before, of_b)
}

#[test]
fn a_server_restored_to_an_older_dump_gets_back_what_the_surviving_device_had() {
    let (stack, a, before, of_b) = restored(Part::Data);
    a.syncs();
    a.agrees_with_the_server();
    let c = Device::another(&stack);
    c.syncs();
    assert_eq!(c.texts(&before), ["before the backup", "after the backup, by A"]);
    assert_eq!(c.title(&before), "Renamed by B");
    assert_eq!(c.texts(&of_b), ["after the backup, by B"], "another device's row");
    assert_eq!(a.holds(), c.holds());
}

#[test]
fn a_server_restored_with_its_users_asks_to_sign_in_again_and_then_gets_it_all_back() {
    let (stack, a, before, of_b) = restored(Part::DataAndAuth);
    // The session of the time before may be known or not; a new one certainly is.
    let _ = a.0.run(&["sync"]);
    a.enters("sign-in", &stack);
    a.syncs();
    let c = Device::another(&stack);
    c.syncs();
    assert_eq!(c.texts(&before).len(), 2);
    assert_eq!(c.texts(&of_b), ["after the backup, by B"]);
    assert_eq!(a.holds(), c.holds());
}

#[test]
fn a_project_that_has_forgotten_the_person_takes_them_back_under_a_new_id() {
    let stack = stack();
    let empty = stack.dump().expect("a backup");
    let a = Device::first(&stack);
    let chat = a.says("new", "known to nobody else");
    a.syncs();
    stack.restore(&empty, Part::DataAndAuth).expect("restored");
    assert!(a.cannot_sync().message.contains("sign in again"));
    a.enters("sign-up", &stack);
    a.syncs();
    let c = Device::another(&stack);
    c.syncs();
    assert_eq!(c.texts(&chat), ["known to nobody else"]);
    assert_eq!(a.holds(), c.holds());
}

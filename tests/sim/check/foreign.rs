//! A mirror has nothing of another person's, and a revoked device nothing that came after.

use super::super::device::Account;
use super::super::person::Saved;
use super::{Evidence, bare, screen, texts};

/// Values of another person's in a mirror, and values that a revoked device should never have seen.
pub(super) fn rows(
    evidence: &Evidence<'_>,
    at: usize,
    account: &Account,
    say: &mut impl FnMut(String),
) {
    let held = everything(account);
    let holds = |value: &str| held.iter().any(|text| text.contains(bare(value)));
    for saved in &evidence.book.saved {
        if saved.user != account.user && holds(&saved.value) {
            say(format!("{:?} of {} is here", saved.value, saved.user));
        }
    }
    for (user, key) in &evidence.book.scripts {
        if *user != account.user && holds(key) {
            say(format!("{key} of {user} is here"));
        }
    }
    let after = evidence.devices[at].revoked_after.unwrap_or(usize::MAX);
    let of_others = |saved: &&Saved| saved.device != at;
    for saved in evidence.book.saved.iter().skip(after).filter(of_others) {
        if holds(&saved.value) {
            say(format!("{:?} is here, from after it was revoked", saved.value));
        }
    }
}

/// All texts that a mirror holds, shown or not.
fn everything(account: &Account) -> Vec<String> {
    let mut held = screen(&account.mirror);
    held.extend(texts(
        &account.mirror,
        "SELECT fields FROM bases
         UNION ALL SELECT row FROM unread_rows
         UNION ALL SELECT lost FROM conflicts
         UNION ALL SELECT kept FROM conflicts
         UNION ALL SELECT sent FROM outbox WHERE sent IS NOT NULL",
    ));
    held
}

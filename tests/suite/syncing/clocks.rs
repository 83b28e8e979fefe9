//! F6: computers whose clocks are years off, in either direction.

use std::sync::Arc;
use std::time::Instant;

use tidemark_core::clock::{Clock, SystemClock};
use tidemark_core::model::Timestamp;
use uuid::Uuid;

use super::weather::Live;
use super::*;
use crate::desk::to;

const YEAR_MS: i64 = 365 * 86_400_000;
/// As exactly as a device knows the server's clock, half of its quickest answer, and more.
const APART: Duration = Duration::from_secs(1);

/// A clock that is this much off.
#[derive(Debug)]
struct Off(i64);

impl Clock for Off {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.0)
    }

    fn new_id(&self) -> Uuid {
        SystemClock.new_id()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_are_ten_years_off_change_neither_who_was_later_nor_what_is_in_the_trash() {
    let stack = Stack::launch(Options::quick()).await.expect("a stack");
    let ahead = Live::at(Arc::new(Off(10 * YEAR_MS))).await;
    let behind = Live::at(Arc::new(Off(-10 * YEAR_MS))).await;
    let until = || Instant::now() + Duration::from_secs(30);
    ahead.enters(&stack, ANN, true).await;
    behind.enters(&stack, ANN, false).await;
    let sent = ahead.core.say(&to(None, "hello")).expect("said");
    let chat = sent.conversation_id;
    ahead.comes_to_rest(until()).await;
    behind.comes_to_rest(until()).await;
    ahead.core.rename(chat, "Earlier, by the clock ahead").expect("renamed");
    tokio::time::sleep(APART).await;
    behind.core.rename(chat, "Later, by the clock behind").expect("renamed");
    for device in [&ahead, &behind, &ahead] {
        device.comes_to_rest(until()).await;
    }
    let title = |device: &Live| device.core.conversation(chat).expect("there").title;
    assert_eq!(title(&ahead), "Later, by the clock behind");
    assert_eq!(title(&ahead), title(&behind));
    // Put into the trash on one; then written to on the other, whose clock is twenty years behind that.
    ahead.core.trash(chat).expect("trashed");
    ahead.comes_to_rest(until()).await;
    tokio::time::sleep(APART).await;
    behind.core.say(&to(Some(chat), "still of use")).expect("said");
    for device in [&behind, &ahead, &behind] {
        device.comes_to_rest(until()).await;
    }
    for device in [&ahead, &behind] {
        assert_eq!(device.core.conversation(chat).expect("there").trashed_at, None);
    }
}

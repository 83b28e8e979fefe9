//! What tells the engine to look at once: the network came back, the computer woke up.

use std::time::{Duration, Instant, SystemTime};

use futures::StreamExt as _;
use if_watch::IfEvent;
use tokio_util::sync::CancellationToken;

use crate::api::Tidemark;
use crate::sync::Event;

/// How often the two clocks are compared.
const LOOK: Duration = Duration::from_secs(5);
/// A computer that slept shorter than this did not lose its connections.
const SLEPT: Duration = Duration::from_secs(20);

/// Starts both watches.
pub(super) fn watch(core: &Tidemark, stop: &CancellationToken) {
    let tasks = &core.inner.tasks;
    tasks.spawn("network", network(core.clone(), stop.clone()));
    tasks.spawn("wake", wake(core.clone(), stop.clone()));
}

/// An address that appears is a network that may be there. One that goes away is no news: the next
/// request will tell, and another way may be open.
async fn network(core: Tidemark, stop: CancellationToken) {
    let mut addresses = match if_watch::tokio::IfWatcher::new() {
        Ok(addresses) => addresses,
        // The poll finds the network too, a minute later.
        Err(error) => return tracing::info!(%error, "changes of the network cannot be watched"),
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            event = addresses.next() => match event {
                Some(Ok(IfEvent::Up(address))) if !address.addr().is_loopback() => {
                    core.inner.keeper.tell(Event::Online(true));
                }
                Some(_) => {}
                None => return,
            },
        }
    }
}

/// While a computer sleeps, its wall clock goes on and the other one stands still.
async fn wake(core: Tidemark, stop: CancellationToken) {
    let mut before = (Instant::now(), SystemTime::now());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = (Instant::now(), SystemTime::now());
        if slept(now.0 - before.0, now.1.duration_since(before.1).unwrap_or_default()) {
            tracing::debug!("the computer woke up");
            core.inner.keeper.tell(Event::Woke);
        }
        before = now;
    }
}

/// On Windows both clocks go on, and the task was late: that counts as well.
fn slept(monotonic: Duration, wall: Duration) -> bool {
    wall.saturating_sub(monotonic) > SLEPT || monotonic > LOOK + SLEPT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_shows_in_either_clock() {
        let seconds = Duration::from_secs;
        assert!(slept(seconds(5), seconds(3_600)), "the monotonic clock stood still");
        assert!(slept(seconds(3_600), seconds(3_600)), "it went on");
        assert!(!slept(seconds(6), seconds(6)), "a busy moment");
        assert!(!slept(seconds(5), seconds(0)), "somebody set the clock back");
    }
}

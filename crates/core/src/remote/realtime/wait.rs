//! How long the bell waits before it tries again. Pure, but for the dice.

use std::time::Duration;

use super::{Down, Refusal};
use crate::remote::error::Fault;

/// A bell that hung for this long begins to count again.
const STEADY: Duration = Duration::from_secs(30);
/// The longest wait for what passes.
const LONGEST: Duration = Duration::from_secs(60);
/// Where somebody has to change something first. A new token or a person ends the wait.
const LONG: Duration = Duration::from_secs(15 * 60);

/// Counts attempts that came to nothing.
pub(super) struct Waits {
    first: Duration,
    attempts: u32,
    token_was_refused: bool,
}

impl Waits {
    pub(super) fn new(first: Duration) -> Self {
        Self { first, attempts: 0, token_was_refused: false }
    }

    /// The wait after this end; `hung` is how long the bell did.
    pub(super) fn next(&mut self, down: &Down, hung: Option<Duration>) -> Duration {
        if hung.is_some_and(|hung| hung >= STEADY) {
            *self = Self::new(self.first);
        }
        let first_refusal = refused_token(down) && !self.token_was_refused;
        self.token_was_refused = refused_token(down);
        self.attempts = self.attempts.saturating_add(1);
        match down {
            // It was just replaced; twice in a row it is something else.
            _ if first_refusal => jittered(self.first),
            Down::Refused(Refusal::Off | Refusal::Forbidden) | Down::NoToken => jittered(LONG),
            Down::Refused(Refusal::Crowded) => jittered(LONGEST),
            Down::Error(error) if matches!(error.fault, Fault::Status(401 | 403 | 404 | 540)) => {
                jittered(LONG)
            }
            Down::Error(error) if error.http_status() == Some(429) => jittered(LONGEST),
            _ => jittered(self.doubled()),
        }
    }

    fn doubled(&self) -> Duration {
        let doublings = (self.attempts - 1).min(16);
        self.first.saturating_mul(1 << doublings).min(LONGEST)
    }
}

fn refused_token(down: &Down) -> bool {
    *down == Down::Refused(Refusal::Token)
}

/// Between half and all of it, so that clients that lost the server together do not return together.
fn jittered(wait: Duration) -> Duration {
    let dice = getrandom::u32().unwrap_or(u32::MAX);
    wait.mul_f64(0.5 + f64::from(dice) / f64::from(u32::MAX) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn within(wait: Duration, most: Duration) -> bool {
        wait >= most / 2 && wait <= most
    }

    #[test]
    fn waits_double_up_to_a_minute_and_begin_again_after_a_steady_time() {
        let mut waits = Waits::new(SECOND);
        for most in [1, 2, 4, 8, 16, 32, 60, 60] {
            let wait = waits.next(&Down::Silent, None);
            assert!(within(wait, SECOND * most), "{wait:?}, {most} s at most");
        }
        assert!(
            within(waits.next(&Down::Silent, Some(SECOND)), SECOND * 60),
            "it hung for a moment"
        );
        assert!(within(waits.next(&Down::Silent, Some(STEADY)), SECOND));
    }

    #[test]
    fn a_refused_token_is_replaced_at_once_and_only_once() {
        let mut waits = Waits::new(SECOND);
        let refused = Down::Refused(Refusal::Token);
        for _ in 0..6 {
            waits.next(&Down::Silent, None);
        }
        assert!(within(waits.next(&refused, None), SECOND));
        assert!(within(waits.next(&refused, None), SECOND * 60));
    }

    #[test]
    fn what_a_person_has_to_mend_is_not_hammered_at() {
        for refusal in [Refusal::Forbidden, Refusal::Off] {
            assert!(within(Waits::new(SECOND).next(&Down::Refused(refusal), None), LONG));
        }
        assert!(within(Waits::new(SECOND).next(&Down::NoToken, None), LONG));
    }
}

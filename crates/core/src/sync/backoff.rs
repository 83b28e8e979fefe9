//! When to try again.

/// The first wait, in milliseconds.
const FIRST_MS: i64 = 500;
/// The longest wait, in milliseconds.
const LONGEST_MS: i64 = 60_000;

/// Waits that double, with jitter, so that clients that lost the server together do not return
/// together.
#[derive(Debug, Clone)]
pub struct Backoff {
    failures: u32,
    until: Option<i64>,
    dice: u64,
}

impl Backoff {
    /// Nothing has failed yet. `seed` chooses the jitter.
    pub fn new(seed: u64) -> Self {
        Self { failures: 0, until: None, dice: seed }
    }

    /// Something failed at `now`: waits 500 ms, doubled with each failure up to a minute, ±20 %.
    pub fn fail(&mut self, now: i64) {
        let doubled = FIRST_MS << self.failures.min(7);
        let wait = doubled.min(LONGEST_MS);
        let jitter = (self.draw() % 41) as i64 - 20;
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now + wait + wait * jitter / 100);
    }

    /// It worked, or there is reason to think that it will.
    pub fn reset(&mut self) {
        self.failures = 0;
        self.until = None;
    }

    /// Whether `now` is before the end of a wait.
    pub fn waits(&self, now: i64) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// The end of the wait; none where nothing failed.
    pub fn until(&self) -> Option<i64> {
        self.until
    }

    /// How often in a row it failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// SplitMix64: enough to spread waits.
    fn draw(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_stay_within_a_fifth_of_it() {
        let mut backoff = Backoff::new(7);
        for expected in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
            backoff.fail(0);
            let wait = backoff.until().expect("it failed");
            assert!((wait - expected).abs() * 5 <= expected, "{wait} is not about {expected}");
            assert!(backoff.waits(wait - 1) && !backoff.waits(wait));
        }
    }

    #[test]
    fn two_devices_do_not_return_together() {
        let after_three = |seed| {
            let mut backoff = Backoff::new(seed);
            (0..3).for_each(|_| backoff.fail(0));
            backoff.until()
        };
        let times: std::collections::HashSet<_> = (0..20).map(after_three).collect();
        assert!(times.len() > 10);
    }

    #[test]
    fn a_success_forgets_the_failures() {
        let mut backoff = Backoff::new(1);
        backoff.fail(0);
        backoff.reset();
        assert!(!backoff.waits(0) && backoff.failures() == 0);
    }
}

//! Times that were taken, and what is said of them.

use std::time::{Duration, Instant};

/// Durations in milliseconds.
#[derive(Debug, Default, Clone)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    /// Runs `work` and keeps how long it took.
    pub(crate) fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let value = work();
        self.push(begun.elapsed());
        value
    }

    /// Keeps a duration.
    pub(crate) fn push(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64() * 1e3);
    }

    /// The value below which this share of them lies.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        quantile(&self.0, share)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them together.
    pub(crate) fn total(&self) -> f64 {
        self.0.iter().sum()
    }
}

/// The value below which this share of the values lies; zero for none.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len().saturating_sub(1) as f64 * share).ceil() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}

/// The value in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

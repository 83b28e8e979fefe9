//! How long things took lately, and what failed: what the health page shows. Kept in memory alone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::model::Timestamp;

/// So many of each kind are remembered, for the percentiles.
const REMEMBERED: usize = 1_000;
/// So many of them are told one by one, for a chart.
const CHARTED: usize = 60;
/// So many slow and failed ones are remembered.
const LISTED: usize = 20;

/// Durations by kind. Shared by all who measure.
#[derive(Debug)]
pub struct Timings {
    slow: Duration,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    kinds: BTreeMap<&'static str, Kind>,
    slow: VecDeque<Slow>,
    failures: VecDeque<Failed>,
}

#[derive(Debug, Default)]
struct Kind {
    count: u64,
    last: VecDeque<Duration>,
}

/// The durations of one kind, of the latest thousand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Timing {
    /// What was measured: a request's name, or `read` and `write`.
    pub name: String,
    /// How many there were since the program's start.
    #[ts(type = "number")]
    pub count: u64,
    /// Half of them were faster, in milliseconds.
    pub p50_ms: f64,
    /// 95 of 100 were faster.
    pub p95_ms: f64,
    /// 99 of 100 were faster.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// The latest 60, oldest first, for a chart.
    pub recent_ms: Vec<f64>,
}

/// One that took long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Slow {
    /// What was measured.
    pub name: String,
    /// How long it took, in milliseconds.
    pub ms: f64,
    /// When it ended.
    pub at: Timestamp,
}

/// One that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Failed {
    /// What was asked.
    pub name: String,
    /// In which way, for whoever maintains the server: service, status, code.
    pub what: String,
    /// When.
    pub at: Timestamp,
}

impl Timings {
    /// Those that take this long are listed one by one.
    pub fn slow_from(slow: Duration) -> Self {
        Self { slow, noted: Mutex::default() }
    }

    /// Notes how long one took that ended at `at`.
    pub fn note(&self, name: &'static str, took: Duration, at: impl FnOnce() -> Timestamp) {
        let mut noted = self.noted();
        let kind = noted.kinds.entry(name).or_default();
        kind.count += 1;
        keep(&mut kind.last, took, REMEMBERED);
        if took >= self.slow {
            let slow = Slow { name: name.to_owned(), ms: millis(took), at: at() };
            keep(&mut noted.slow, slow, LISTED);
        }
    }

    /// Notes that one failed.
    pub fn failed(&self, name: &'static str, what: String, at: Timestamp) {
        keep(&mut self.noted().failures, Failed { name: name.to_owned(), what, at }, LISTED);
    }

    /// All kinds, by name.
    pub fn all(&self) -> Vec<Timing> {
        let noted = self.noted();
        noted.kinds.iter().map(|(name, kind)| kind.timing(name)).collect()
    }

    /// Those that took long, latest first.
    pub fn slow(&self) -> Vec<Slow> {
        self.noted().slow.iter().rev().cloned().collect()
    }

    /// Those that failed, latest first.
    pub fn failures(&self) -> Vec<Failed> {
        self.noted().failures.iter().rev().cloned().collect()
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kind {
    fn timing(&self, name: &str) -> Timing {
        let mut sorted: Vec<_> = self.last.iter().copied().collect();
        sorted.sort_unstable();
        let from = self.last.len().saturating_sub(CHARTED);
        Timing {
            name: name.to_owned(),
            count: self.count,
            p50_ms: percentile(&sorted, 50),
            p95_ms: percentile(&sorted, 95),
            p99_ms: percentile(&sorted, 99),
            max_ms: sorted.last().copied().map_or(0.0, millis),
            recent_ms: self.last.range(from..).copied().map(millis).collect(),
        }
    }
}

/// The nearest rank.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().map_or(0.0, millis)
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}

fn keep<T>(list: &mut VecDeque<T>, one: T, most: usize) {
    if list.len() == most {
        list.pop_front();
    }
    list.push_back(one);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(millis: impl IntoIterator<Item = u64>) -> Timings {
        let timings = Timings::slow_from(Duration::from_millis(99));
        for ms in millis {
            timings.note("read", Duration::from_millis(ms), || Timestamp(ms as i64));
        }
        timings
    }

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let all = noted((1..=100).rev()).all();
        let [one] = all.as_slice() else { panic!("one kind") };
        assert_eq!((one.p50_ms, one.p95_ms, one.p99_ms, one.max_ms), (50.0, 95.0, 99.0, 100.0));
        assert_eq!(one.recent_ms.len(), CHARTED);
        assert_eq!(one.recent_ms.last(), Some(&1.0), "the latest stands last");
    }

    #[test]
    fn one_is_every_percentile_and_none_is_nothing() {
        let one = noted([7]).all().remove(0);
        assert_eq!((one.p50_ms, one.p99_ms, one.max_ms), (7.0, 7.0, 7.0));
        assert!(noted([]).all().is_empty());
    }

    #[test]
    fn the_slow_ones_are_listed_latest_first() {
        let slow = noted([98, 99, 100]).slow();
        let at: Vec<_> = slow.iter().map(|slow| slow.at.0).collect();
        assert_eq!(at, [100, 99]);
    }

    #[test]
    fn nothing_grows_without_bound() {
        let timings = noted((0..5_000).map(|_| 100));
        for n in 0..100 {
            timings.failed("sync_pull", format!("{n}"), Timestamp(n));
        }
        assert_eq!(timings.all()[0].count, 5_000);
        assert_eq!(timings.slow().len(), LISTED);
        assert_eq!(timings.failures().len(), LISTED);
        assert_eq!(timings.failures()[0].what, "99");
    }
}

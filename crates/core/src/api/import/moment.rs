//! How far an import is, and how long it still takes: pure, from what the run tells.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::import::run::Progress;

/// How the time of an import divides: reading for the plan, the copy, writing, comparing. A first
/// estimate; what is left is corrected by the time that has really passed.
const WEIGHTS: [f64; 4] = [0.12, 0.08, 0.6, 0.2];
/// An estimate from less than this is a guess.
const SETTLED: Duration = Duration::from_secs(2);
/// As [`SETTLED`], as a part of the whole.
const SETTLED_SHARE: f64 = 0.02;

/// What an import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ImportStage {
    /// Reading the source, to know what is new.
    Reading,
    /// Copying the source into the archive.
    BackingUp,
    /// Writing rows.
    Writing,
    /// Comparing each row with the source.
    Verifying,
}

/// How far an import is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ImportMoment {
    /// What it is doing.
    pub stage: ImportStage,
    /// Messages so far in this stage; bytes while it is copied.
    #[ts(type = "number")]
    pub done: u64,
    /// Of how many; none where that is not known yet.
    #[ts(type = "number | null")]
    pub of: Option<u64>,
    /// The part of the whole that is done, from 0 to 1.
    pub share: f64,
    /// How much longer it takes, in milliseconds; none while that is a guess.
    #[ts(type = "number | null")]
    pub left_ms: Option<u64>,
}

/// What the plan said, where there was one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// Messages.
    pub(super) messages: Option<u64>,
    /// The source's size.
    pub(super) bytes: Option<u64>,
}

/// Where a run is, so long after its beginning.
pub(super) fn moment(progress: Progress, expected: Expected, elapsed: Duration) -> ImportMoment {
    let (stage, done, of) = match progress {
        Progress::Planning(done) => (ImportStage::Reading, done, expected.messages),
        Progress::BackingUp(done) => (ImportStage::BackingUp, done, expected.bytes),
        Progress::Writing(done, of) => (ImportStage::Writing, done, Some(of)),
        Progress::Verifying(done, of) => (ImportStage::Verifying, done, Some(of)),
    };
    let of = of.filter(|of| *of > 0);
    let share = share(stage, done, of);
    ImportMoment { stage, done, of, share, left_ms: left_ms(share, elapsed) }
}

fn share(stage: ImportStage, done: u64, of: Option<u64>) -> f64 {
    let here = stage as usize;
    let before: f64 = WEIGHTS[..here].iter().sum();
    let within = of.map_or(0.0, |of| (done as f64 / of as f64).clamp(0.0, 1.0));
    (before + WEIGHTS[here] * within).min(1.0)
}

fn left_ms(share: f64, elapsed: Duration) -> Option<u64> {
    if elapsed < SETTLED || share < SETTLED_SHARE {
        return None;
    }
    Some((elapsed.as_millis() as f64 * (1.0 - share) / share).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: Expected = Expected { messages: Some(1_000), bytes: Some(4_096) };

    fn at(progress: Progress, seconds: u64) -> ImportMoment {
        moment(progress, EXPECTED, Duration::from_secs(seconds))
    }

    #[test]
    fn a_run_never_goes_back_from_stage_to_stage() {
        let told = [
            Progress::Planning(0),
            Progress::Planning(1_000),
            Progress::BackingUp(0),
            // A source that grew since the plan is no more than the whole of it.
            Progress::BackingUp(10_000),
            Progress::Writing(0, 1_000),
            Progress::Writing(1_000, 1_000),
            Progress::Verifying(0, 1_000),
            Progress::Verifying(1_000, 1_000),
        ];
        let shares: Vec<_> = told.into_iter().map(|progress| at(progress, 1).share).collect();
        assert!(shares.is_sorted(), "{shares:?}");
        assert!(shares[0] == 0.0 && (shares[7] - 1.0).abs() < 1e-9, "{shares:?}");
    }

    #[test]
    fn what_is_left_is_told_once_it_is_no_guess() {
        assert_eq!(at(Progress::Writing(500, 1_000), 1).left_ms, None, "too early");
        assert_eq!(at(Progress::Planning(1), 60).left_ms, None, "too little");
        let half = at(Progress::Writing(500, 1_000), 10);
        assert!((half.share - 0.5).abs() < 1e-9);
        assert_eq!(half.left_ms, Some(10_000));
        assert_eq!(at(Progress::Verifying(1_000, 1_000), 10).left_ms, Some(0));
    }

    #[test]
    fn a_source_without_messages_divides_by_nothing() {
        let empty = at(Progress::Writing(0, 0), 10);
        assert_eq!((empty.of, empty.share.is_finite()), (None, true));
        let unknown = moment(Progress::Planning(7), Expected::default(), Duration::ZERO);
        assert_eq!((unknown.done, unknown.of, unknown.share), (7, None, 0.0));
    }
}

//! What becomes of a request on its way.

use tidemark_core::sync::failures::{Fault, FaultKind, Service};

use crate::faults::Rng;

/// How long a device waits for an answer, in milliseconds.
pub(super) const PATIENCE_MS: i64 = 20_000;

/// What becomes of one request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fate {
    /// Until it reaches the server; none: never.
    pub(super) there_ms: Option<i64>,
    /// Until the answer is back, from there; none: never.
    pub(super) back_ms: Option<i64>,
    /// It reaches the server once more, this long after the first time.
    pub(super) again_ms: Option<i64>,
    /// What comes back instead of the answer.
    pub(super) instead: Option<Fault>,
    /// A fault before the server has done anything.
    pub(super) before: Option<Fault>,
    /// Rows are missing from a list that says that it is whole.
    pub(super) partial: bool,
}

impl Fate {
    /// All goes well.
    pub(super) fn kind(rng: &mut Rng) -> Self {
        Self {
            there_ms: Some(5 + rng.below(40) as i64),
            back_ms: Some(5 + rng.below(40) as i64),
            again_ms: None,
            instead: None,
            before: None,
            partial: false,
        }
    }

    /// Something may go wrong; about one time in `rarity`.
    pub(super) fn stormy(rng: &mut Rng, rarity: u64) -> Self {
        let mut fate = Self::kind(rng);
        if !rng.one_in(rarity) {
            return fate;
        }
        match rng.below(12) {
            0 => fate.there_ms = None,
            1 | 2 => fate.back_ms = None,
            3 => fate.back_ms = Some(rng.below(40_000) as i64),
            4 | 5 => fate.again_ms = Some(rng.below(45_000) as i64),
            6 => fate.instead = Some(Fault::status(Service::Rest, 502, "")),
            7 => fate.instead = Some(Fault::silent(Service::Rest, FaultKind::NotOurs)),
            8 => fate.partial = true,
            9 => fate.there_ms = Some(rng.below(15_000) as i64),
            _ => fate.before = Some(refusal(rng)),
        }
        fate
    }
}

/// A line of the table of failures that time or a new token heals.
fn refusal(rng: &mut Rng) -> Fault {
    let (service, status, code) = match rng.below(12) {
        0 => (Service::Rest, 500, "XX000"),
        1 => (Service::Gateway, 502, ""),
        2 => (Service::Rest, 429, "too_many_calls"),
        3 => (Service::Rest, 413, ""),
        4 | 5 => (Service::Rest, 401, "PGRST303"),
        6 => (Service::Rest, 409, "40001"),
        7 => (Service::Rest, 503, ""),
        8 => (Service::Gateway, 540, ""),
        9 => (Service::Rest, 403, "device_unknown"),
        10 => (Service::Rest, 408, ""),
        _ => return Fault::silent(Service::Rest, FaultKind::NotOurs),
    };
    Fault::status(service, status, code)
}

//! All specs, and what they say often.

mod contract;

use crate::runner::Spec;

/// All specs, in the order in which they run.
pub(crate) fn all() -> impl Iterator<Item = Spec> {
    [contract::SPECS].into_iter().flatten().copied()
}

//! All specs.

mod answers;
mod branches;
mod contract;
mod finding;
mod first_run;
mod hostile;
mod import;
mod keyboard;
mod sync;
mod views;

use crate::runner::Spec;

/// All specs, in the order in which they run: the long ones first, so that none is left alone at
/// the end.
pub(crate) fn all() -> impl Iterator<Item = Spec> {
    let files = [
        views::SPECS,
        sync::SPECS,
        import::SPECS,
        finding::SPECS,
        answers::SPECS,
        branches::SPECS,
        hostile::SPECS,
        keyboard::SPECS,
        contract::SPECS,
        first_run::SPECS,
    ];
    files.into_iter().flatten().copied()
}

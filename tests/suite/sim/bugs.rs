//! The 24 bugs of the design, one at a time: a suite that has never failed proves nothing.

use tidemark_core::faults::Bug as C;
use tidemark_tests::faults::scale;
use tidemark_tests::sim::model::ServerBug as S;
use tidemark_tests::sim::{Bug, run};

/// Seeds that are tried for a bug at most.
const SEEDS: u64 = 1_500;

/// Whether some of the seeds show the bug. A seed that is not clean without it says nothing.
fn caught(bug: Bug) {
    let shows = |seed: &u64| {
        !run(*seed, Some(bug)).violations.is_empty() && run(*seed, None).violations.is_empty()
    };
    let mut seeds = 1..=scale("TIDEMARK_BUG_SEEDS", SEEDS);
    assert!(seeds.any(|seed| shows(&seed)), "{bug:?} was not noticed");
}

macro_rules! caught {
    ($($name:ident: $bug:expr;)*) => {$(
        #[test]
        fn $name() {
            caught($bug);
        }
    )*};
}

caught! {
    bug_01_a_cursor_on_updated_at_is_caught: Bug::Server(S::CursorOnUpdatedAt);
    bug_02_a_cursor_on_a_sequence_is_caught: Bug::Server(S::CursorOnSequence);
    bug_03_a_cursor_that_moves_before_the_page_is_caught: Bug::Core(C::CursorFirst);
    bug_04_an_entry_removed_before_its_outcome_is_caught: Bug::Core(C::OutboxFirst);
    bug_05_no_ledger_is_caught: Bug::Server(S::NoLedger);
    bug_06_a_ledger_pruned_by_age_is_caught: Bug::Server(S::LedgerPrunedByAge);
    bug_07_a_401_that_drops_operations_is_caught: Bug::Core(C::RefusedTokenDropsOps);
    bug_08_one_bad_operation_that_fails_the_batch_is_caught: Bug::Server(S::BadOpFailsBatch);
    bug_09_a_parked_operation_that_lets_others_pass_is_caught: Bug::Core(C::ParkedLetsPass);
    bug_10_a_parked_operation_that_stops_all_is_caught: Bug::Core(C::ParkedStopsAll);
    bug_11_a_pull_that_skips_pending_rows_is_caught: Bug::Core(C::PullSkipsPending);
    bug_12_a_pull_that_overwrites_pending_fields_is_caught: Bug::Core(C::PullOverwritesPending);
    bug_13_an_older_seq_over_a_newer_base_is_caught: Bug::Core(C::OlderOverwrites);
    bug_14_absence_taken_as_deletion_is_caught: Bug::Core(C::AbsenceDeletes);
    bug_15_a_nonce_not_checked_is_caught: Bug::Server(S::NonceIgnored);
    bug_16_a_number_without_its_time_is_caught: Bug::Server(S::NumberWithoutTime);
    bug_17_a_shifted_clock_not_adopted_is_caught: Bug::Core(C::ShiftNotAdopted);
    bug_18_a_retry_on_the_next_write_only_is_caught: Bug::Core(C::RetryOnWriteOnly);
    bug_19_children_refused_without_parents_is_caught: Bug::Server(S::ChildrenRejected);
    bug_20_an_answer_for_the_previous_user_is_caught: Bug::Core(C::PreviousUserApplied);
    bug_21_two_refreshes_in_flight_is_caught: Bug::Core(C::TwoRefreshes);
    bug_22_a_doorbell_without_a_poll_is_caught: Bug::Core(C::NoPoll);
    bug_23_a_head_read_after_the_snapshot_is_caught: Bug::Core(C::HeadAfterSnapshot);
    bug_24_an_index_marked_too_soon_is_caught: Bug::Core(C::IndexMarkedFirst);
}

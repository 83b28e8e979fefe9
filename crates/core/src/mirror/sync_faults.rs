//! Faults of ours that the simulator must find: each is a bug that an engine of this kind has had.
//!
//! Without the feature `faults` (and outside this crate's tests) nothing can be switched on and the
//! questions cost nothing. A fault holds for the thread that set it.

/// A bug, by its number in the design's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Fault {
    /// 3: the cursor moves before the page is applied.
    CursorFirst = 3,
    /// 4: an operation leaves the outbox before its outcome is stored.
    OutboxFirst = 4,
    /// 9: a parked operation lets those behind it pass.
    ParkedLetsPass = 9,
    /// 10: a parked operation stops other queues.
    ParkedStopsAll = 10,
    /// 11: a pull skips rows with pending operations.
    PullSkipsPending = 11,
    /// 12: a pull overwrites pending fields.
    PullOverwritesPending = 12,
    /// 13: an older seq overwrites a newer base.
    OlderOverwrites = 13,
    /// 17: a clock that the server shifted is not adopted.
    ShiftNotAdopted = 17,
    /// 24: a row leaves the index's list before it is indexed.
    IndexMarkedFirst = 24,
}

#[cfg(any(test, feature = "faults"))]
mod switched {
    use std::cell::Cell;

    thread_local! {
        static ON: Cell<u32> = const { Cell::new(0) };
    }

    /// Switches on exactly these faults for this thread.
    pub fn set(faults: &[super::Fault]) {
        ON.set(faults.iter().fold(0, |on, fault| on | 1 << *fault as u32));
    }

    pub(in crate::mirror) fn has(fault: super::Fault) -> bool {
        ON.get() & (1 << fault as u32) != 0
    }
}

#[cfg(any(test, feature = "faults"))]
pub use switched::set;

#[cfg(any(test, feature = "faults"))]
pub(super) use switched::has;

#[cfg(not(any(test, feature = "faults")))]
pub(super) const fn has(_: Fault) -> bool {
    false
}

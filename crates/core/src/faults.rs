//! Bugs on demand: what a suite switches on to see that it would notice.
//!
//! A suite that has never failed proves nothing. Each [`Bug`] is one of the list in the design of
//! sync, in what the engine decides or in what the mirror stores; those of the server's side are in the
//! simulator's model. Only the feature `faults`, which no shipped build has, can switch one on, for the
//! thread that does it; without it [`on`] is a constant.

/// A bug that the suites must catch. The numbers are those of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Bug {
    /// 3: the cursor moves before the page is applied.
    CursorFirst = 3,
    /// 4: an operation leaves the outbox before its outcome is stored.
    OutboxFirst = 4,
    /// 7: a 401 drops the operations that it refused.
    RefusedTokenDropsOps = 7,
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
    /// 14: absence is taken as deletion.
    AbsenceDeletes = 14,
    /// 17: a clock that the server shifted is not adopted.
    ShiftNotAdopted = 17,
    /// 18: what failed is tried again with the next local write only.
    RetryOnWriteOnly = 18,
    /// 20: an answer for the previous user is applied.
    PreviousUserApplied = 20,
    /// 21: two refreshes are in flight.
    TwoRefreshes = 21,
    /// 22: the doorbell is trusted; there is no poll.
    NoPoll = 22,
    /// 23: the head is read after the snapshot.
    HeadAfterSnapshot = 23,
    /// 24: a row leaves the index's list before it is indexed.
    IndexMarkedFirst = 24,
}

#[cfg(feature = "faults")]
mod switch {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static BUG: Cell<Option<Bug>> = const { Cell::new(None) };
        static FUSE: Cell<Option<u32>> = const { Cell::new(None) };
    }

    /// Lets so many more transactions of the mirrors in this thread through, and none after them, as if
    /// the process had died between two; none: all again.
    pub fn set_fuse(transactions: Option<u32>) {
        FUSE.set(transactions);
    }

    /// Whether the fuse has blown.
    pub fn fuse_is_blown() -> bool {
        FUSE.get() == Some(0)
    }

    /// Before a transaction.
    ///
    /// # Errors
    /// Where the fuse has blown.
    pub fn write() -> std::io::Result<()> {
        match FUSE.get() {
            None => Ok(()),
            Some(0) => Err(std::io::Error::other("the process died before this write")),
            Some(left) => {
                FUSE.set(Some(left - 1));
                Ok(())
            }
        }
    }

    /// Switches one bug on in this thread, or all off.
    pub fn set(bug: Option<Bug>) {
        BUG.set(bug);
    }

    /// Whether the bug is switched on in this thread.
    pub fn on(bug: Bug) -> bool {
        BUG.get() == Some(bug)
    }
}

#[cfg(feature = "faults")]
pub use switch::{fuse_is_blown, on, set, set_fuse, write};

/// Before a transaction of a mirror: nothing stands in its way in a build without the feature `faults`.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub const fn write() -> std::io::Result<()> {
    Ok(())
}

/// Whether the bug is switched on: never, in a build without the feature `faults`.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub const fn on(_: Bug) -> bool {
    false
}

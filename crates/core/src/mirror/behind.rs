//! Writes of the engine, behind those of a person.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rusqlite::TransactionBehavior;

use super::{Error, Mirror, Write};

/// How many of a person's writes wait for the writer.
#[derive(Debug, Default)]
pub(super) struct Persons(AtomicUsize);

impl Persons {
    /// One more, until what comes back is dropped.
    pub(super) fn enter(&self) -> Waiting<'_> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Waiting(&self.0)
    }
}

/// A write that waits for the writer.
pub(super) struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How long the engine steps aside at most, so that a long import does not stop it.
const ASIDE: Duration = Duration::from_millis(20);
const ASIDE_STEP: Duration = Duration::from_micros(100);

impl Mirror {
    /// Whether somebody else wants to write: a batch ends there.
    pub(crate) fn a_person_waits(&self) -> bool {
        self.inner.persons.0.load(Ordering::Relaxed) > 0
    }

    /// Lets those go first who wait: a lock that is given up and taken again at once goes to whoever
    /// is running, which would be the engine every time.
    pub(super) fn step_aside(&self) {
        let mut waited = Duration::ZERO;
        while self.a_person_waits() && waited < ASIDE {
            std::thread::sleep(ASIDE_STEP);
            waited += ASIDE_STEP;
        }
    }

    /// Moves what is in the log into the file without keeping writers waiting.
    pub(super) fn checkpoint_beside(&self) -> Result<(), Error> {
        self.read(|c| Ok(c.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?))
    }

    /// Like [`Mirror::write`], for what can be had again from the server: it does not wait for the disk.
    ///
    /// A power cut takes such a transaction only with all that came after it, the cursor included, so
    /// that it is read again. What cannot be had again (an outcome, what was sent) goes through
    /// [`Mirror::write`].
    pub(crate) fn write_behind<T>(
        &self,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.step_aside();
        let (value, changes, dirty) = self.with_writer(|connection| {
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            let result = (|| {
                let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let mut write = Write::begin(tx, self.inner.clock.now());
                let value = work(&mut write)?;
                let (changes, dirty) = write.commit()?;
                Ok((value, changes, dirty))
            })();
            connection.pragma_update(None, "synchronous", "FULL")?;
            result
        })?;
        if dirty {
            self.inner.dirty.notify_one();
        }
        self.inner.events.publish(changes);
        Ok(value)
    }
}

//! Writes of the engine, behind those of a person.

use rusqlite::TransactionBehavior;

use super::{Error, Mirror, Write};

impl Mirror {
    /// Like [`Mirror::write`], for what can be had again from the server: it does not wait for the disk.
    ///
    /// A power cut takes such a transaction only with all that came after it, the cursor included, so
    /// that it is read again. What cannot be had again (an outcome, what was sent) goes through
    /// [`Mirror::write`].
    pub(super) fn write_behind<T>(
        &self,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (value, changes, dirty) = self.with_writer(|connection| {
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            let result = (|| {
                let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let mut write = Write::begin(tx, self.inner.clock.now(), self.inner.device_id);
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

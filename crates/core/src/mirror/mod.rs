//! All SQLite: the encrypted file that the interface reads and writes.
//!
//! One writer and a few query-only readers over one SQLCipher file in WAL mode. A person's write is
//! one `BEGIN IMMEDIATE` transaction with `synchronous=FULL`: when [`Mirror::write`] returns, the
//! row survives a power cut. Every write of a synced row goes through [`Write::synced`], which is
//! where an attached account will record it for its outbox. Listeners hear of a change after the
//! commit, never before.
//!
//! | looking for | look in |
//! |---|---|
//! | the key | `key.rs`; the passphrase and what is known before opening: `card.rs` |
//! | opening, pragmas, a newer or a damaged file | `open.rs`, `salvage/` |
//! | the schema | `migrations/mirror/*.sql`, applied by `migrate.rs` |
//! | the one place that writes | `write.rs` |
//! | a table | the file of its name |
//! | the search index | `index.rs` (keeping it), `search.rs` (asking it) |

pub mod account;
pub mod apply;
pub mod attach;
pub mod bases;
mod behind;
pub mod card;
pub mod conflicts;
pub mod conversations;
pub mod cursors;
mod departed;
pub mod drafts;
mod error;
pub mod imports;
#[cfg(feature = "faults")]
mod in_memory;
mod incoming;
pub mod index;
pub mod key;
pub mod manifest;
pub mod mending;
pub mod messages;
pub mod migrate;
mod open;
pub mod outbox;
pub mod parked;
mod reoffer;
pub mod restored;
pub mod rows;
pub mod salvage;
pub mod search;
pub mod secrets;
pub mod send_queue;
pub mod settings;
pub mod settle;
mod sibling;
mod sql;
#[cfg(test)]
mod sync_tests;
pub mod synced;
pub mod thread;
mod tombstones;
mod touched;
pub mod usage;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::Notify;

use crate::clock::SharedClock;
use crate::events::Events;
use crate::timings::Timings;

use key::Key;
use open::Access;

pub use error::Error;
#[cfg(feature = "faults")]
pub use in_memory::in_memory;
pub use open::{FILE, open};
pub use write::{BODY, LOCAL_SETTING, NEW, PURGED, Row, Table, Write};

/// How many queries run beside each other.
const READERS: usize = 3;
/// A query that takes this long is listed by itself on the health page.
const SLOW: Duration = Duration::from_millis(100);

/// The open mirror. Cheap to share; closed when the last owner lets go.
#[derive(Debug, Clone)]
pub struct Mirror {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    key: Key,
    id: uuid::Uuid,
    clock: SharedClock,
    events: Events,
    writer: Mutex<Link>,
    readers: Mutex<Vec<Link>>,
    reader_free: Condvar,
    dirty: Notify,
    persons: behind::Persons,
    timings: Timings,
}

impl Mirror {
    /// Runs `work` in one transaction and tells of what it changed once that is durable.
    ///
    /// An error from `work` rolls everything back.
    pub fn write<T>(
        &self,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let began = Instant::now();
        let waiting = self.inner.persons.enter();
        let (value, changes, dirty) = self.with_writer(|connection| {
            drop(waiting);
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut write = Write::begin(tx, self.inner.clock.now());
            let value = work(&mut write)?;
            let (changes, dirty) = write.commit()?;
            Ok((value, changes, dirty))
        })?;
        // Commit before notifying: a listener that reads at once must see the row.
        if dirty {
            self.inner.dirty.notify_one();
        }
        self.inner.events.publish(changes);
        self.timed("write", began);
        Ok(value)
    }

    /// Runs `work` on a connection that cannot write, over one state of the file: what is written meanwhile, here
    /// or by another process, is not in any of its queries, or two of them could contradict each other.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let began = Instant::now();
        let read = self.with_reader(|connection| {
            let snapshot = connection.transaction()?;
            work(&snapshot)
        });
        self.timed("read", began);
        read
    }

    /// Everything that is wrong with the file, in sentences: [`salvage::check`], which needs the log written
    /// back, as no snapshot lets it be.
    pub fn check(&self) -> Result<Vec<String>, Error> {
        self.with_reader(|connection| salvage::check(connection))
    }

    fn with_reader<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut reader = Reader::take(&self.inner);
        self.inner.run(reader.link(), Access::Read, work)
    }

    /// How long reads and a person's writes take, the wait for a connection included.
    pub fn timings(&self) -> &Timings {
        &self.inner.timings
    }

    fn timed(&self, name: &'static str, began: Instant) {
        self.inner.timings.note(name, began.elapsed(), || self.inner.clock.now());
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The mirror's id, which names its keyring entries.
    pub fn id(&self) -> uuid::Uuid {
        self.inner.id
    }

    /// The clock that stamps its rows.
    pub fn clock(&self) -> &SharedClock {
        &self.inner.clock
    }

    /// Who is told of changes.
    pub fn events(&self) -> &Events {
        &self.inner.events
    }

    /// Changes whenever another process has written; compare two answers, nothing else.
    pub fn data_version(&self) -> Result<i64, Error> {
        let writer = lock(&self.inner.writer);
        Ok(writer.connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// Moves the log into the file, so that a closed mirror is one file. Another process that reads
    /// keeps it from ending; that is no error.
    pub fn checkpoint(&self) -> Result<(), Error> {
        self.with_writer(|connection| {
            Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
        })
    }

    /// Waits until a write left something to be indexed.
    pub async fn dirty(&self) {
        self.inner.dirty.notified().await;
    }

    fn wake_indexer(&self) {
        self.inner.dirty.notify_one();
    }

    /// Runs `work` in a transaction that does not wait for the disk: what a power cut takes from it,
    /// it also puts back on the dirty list. On the writer's connection, so that its data version
    /// moves for other processes' writes only.
    pub(crate) fn write_lazily<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.with_writer(|connection| {
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            let result = (|| {
                let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let value = work(&tx)?;
                tx.commit()?;
                Ok(value)
            })();
            connection.pragma_update(None, "synchronous", "FULL")?;
            result
        })
    }

    fn with_writer<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        crate::faults::write()?;
        let mut link = self.inner.writer.lock().unwrap_or_else(|poisoned| {
            // The panic may have come between NORMAL and FULL.
            let mut link = poisoned.into_inner();
            link.broken = true;
            self.inner.writer.clear_poison();
            link
        });
        self.inner.run(&mut link, Access::Write, work)
    }
}

/// A connection, and whether the disk failed under it.
#[derive(Debug)]
struct Link {
    connection: Connection,
    broken: bool,
}

impl From<Connection> for Link {
    fn from(connection: Connection) -> Self {
        Self { connection, broken: false }
    }
}

impl Inner {
    /// Runs `work`, on a new connection where the disk failed under this one: SQLCipher remembers a
    /// page that it could not read, and would call a sound file damaged from then on.
    fn run<T>(
        &self,
        link: &mut Link,
        access: Access,
        work: impl FnOnce(&mut Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if link.broken {
            *link = open::connect(&self.path, &self.key, access)?.into();
        }
        let result = work(&mut link.connection);
        link.broken = matches!(result, Err(Error::Disk(_) | Error::Corrupt(_)));
        result
    }
}

/// A panic inside a transaction rolls it back, so the connection behind a poisoned lock is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A reader on loan; goes back when dropped.
struct Reader<'a> {
    inner: &'a Inner,
    link: Option<Link>,
}

impl<'a> Reader<'a> {
    fn take(inner: &'a Inner) -> Self {
        let mut free = lock(&inner.readers);
        loop {
            if let Some(link) = free.pop() {
                return Self { inner, link: Some(link) };
            }
            free = inner.reader_free.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn link(&mut self) -> &mut Link {
        self.link.as_mut().expect("taken only by drop")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            lock(&self.inner.readers).push(link);
            self.inner.reader_free.notify_one();
        }
    }
}

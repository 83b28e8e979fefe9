//! Time and ids, passed in so that a test can choose them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::model::Timestamp;

/// Tells the time and makes ids.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now, by the wall.
    fn now(&self) -> Timestamp;
    /// A new UUIDv7 that sorts after all this clock made before.
    fn new_id(&self) -> Uuid;
}

/// A clock that many own.
pub type SharedClock = Arc<dyn Clock>;

/// The computer's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock before 1970 is a clock that was never set; zero sorts first and breaks nothing.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// A clock that a test turns by hand; its ids are a counter.
#[derive(Debug, Default)]
pub struct ManualClock {
    now_ms: AtomicI64,
    ids: AtomicU64,
}

impl ManualClock {
    /// Starts at `now_ms` milliseconds since 1970.
    pub fn at(now_ms: i64) -> Arc<Self> {
        Arc::new(Self { now_ms: AtomicI64::new(now_ms), ids: AtomicU64::new(0) })
    }

    /// Goes on (or back) by `ms` milliseconds.
    pub fn advance(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ms.load(Ordering::SeqCst))
    }

    fn new_id(&self) -> Uuid {
        let n = self.ids.fetch_add(1, Ordering::SeqCst);
        uuid::Builder::from_unix_timestamp_millis(
            self.now().0.max(0).unsigned_abs(),
            &[
                0,
                0,
                (n >> 56) as u8,
                (n >> 48) as u8,
                (n >> 40) as u8,
                (n >> 32) as u8,
                (n >> 24) as u8,
                (n >> 16) as u8,
                (n >> 8) as u8,
                n as u8,
            ],
        )
        .into_uuid()
    }
}

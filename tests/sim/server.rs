//! A model of the SQL functions of docs/sync.md: scopes, heads, the change table, the ledger, merging
//! by register. It does in memory what `migrations/server` does in Postgres, and it can be told to have
//! one of the bugs that the suites must catch.
//!
//! It also keeps books that no server keeps ([`Books`]): what was executed, in which order, and by
//! whom, so that "exactly once" and "in order" can be checked where they happen.

mod auth;
mod merge;
mod push;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use tidemark_core::model::wire::{Clocks, Head, Op, Outcome, Table};
use tidemark_core::sync::failures::{Fault, Service};
use tidemark_core::sync::server::{Ask, Told};
use uuid::Uuid;

pub use auth::Token;
pub use merge::stamped;

use crate::faults::Rng;

/// A bug of the server's side, by its number in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerBug {
    /// 1: the cursor is on `updated_at`.
    CursorOnUpdatedAt,
    /// 2: the cursor is on a sequence.
    CursorOnSequence,
    /// 5: there is no ledger.
    NoLedger,
    /// 6: the ledger is pruned by age.
    LedgerPrunedByAge,
    /// 8: one bad operation fails the batch.
    BadOpFailsBatch,
    /// 9, the server's half: what is behind a refused operation is done.
    ParkedLetsPass,
    /// 15: the nonce is not checked.
    NonceIgnored,
    /// 16: a transaction's number is compared without its time.
    NumberWithoutTime,
    /// 19: children without parents are rejected.
    ChildrenRejected,
}

/// A stored row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stored {
    /// Field → value, as on the wire.
    pub fields: Map<String, Value>,
    /// Register → clock.
    pub clocks: Clocks,
    /// When it last changed.
    pub updated_ms: i64,
}

/// What the change table says of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It is there.
    Here,
    /// It is gone for all.
    Deleted,
}

/// An entry of the change table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The transaction that changed it last.
    pub seq: i64,
    /// What it did.
    pub mark: Mark,
    /// `now()` of that transaction: what bug 1 goes by.
    pub began_ms: i64,
}

impl Entry {
    /// What a server with this bug orders by.
    pub fn version(&self, bug: Option<ServerBug>) -> i64 {
        if bug == Some(ServerBug::CursorOnUpdatedAt) { self.began_ms } else { self.seq }
    }
}

/// What belongs to one user.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The version.
    pub head: Head,
    number: i64,
    at_ms: i64,
    /// Below it tombstones are forgotten.
    pub horizon: i64,
    txn: BTreeMap<i64, (i64, i64)>,
    /// The change table, by table's code and row.
    pub change: BTreeMap<(u8, Uuid), Entry>,
    /// The rows.
    pub rows: BTreeMap<(u8, Uuid), Stored>,
    ledger: BTreeMap<(Uuid, i64), (Uuid, Outcome, i64)>,
    devices: BTreeMap<Uuid, Device>,
    /// What bug 2 counts with.
    sequence: i64,
}

#[derive(Debug, Clone, Default)]
struct Device {
    session: u64,
    acked_through: i64,
    revoked: bool,
}

/// What the simulator notes of a server's doings.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// Devices that were told of shifted clocks.
    pub shifted: BTreeSet<Uuid>,
    executed: BTreeSet<(Uuid, i64)>,
    refused: BTreeMap<(Uuid, Uuid), BTreeSet<i64>>,
    last: BTreeMap<(Uuid, Uuid), i64>,
    /// What should never happen, and did.
    pub violations: Vec<String>,
}

/// A writer that is no device: an administrator's script, a trigger's work. Its transaction is open
/// for a while.
#[derive(Debug, Clone)]
pub struct OpenTransaction {
    user: Uuid,
    began_ms: i64,
    number: i64,
    sequence: i64,
    rows: Vec<(Table, Uuid, Stored)>,
}

/// The server. Cloning it is a backup.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its clock, which is the right one.
    pub now_ms: i64,
    scopes: BTreeMap<Uuid, Scope>,
    auth: auth::Auth,
    numbers: i64,
    rng: Rng,
    /// The bug that it has.
    pub bug: Option<ServerBug>,
    /// What the simulator notes.
    pub books: Books,
    /// Scopes that a transaction outside the devices holds.
    locked: BTreeSet<Uuid>,
    /// Scopes whose head moved since somebody looked: who is to be rung.
    rung: Vec<(Uuid, i64)>,
}

impl Server {
    /// An empty one.
    pub fn new(seed: u64, now_ms: i64, bug: Option<ServerBug>) -> Self {
        Self {
            now_ms,
            scopes: BTreeMap::new(),
            auth: auth::Auth::default(),
            numbers: 100,
            rng: Rng::new(seed),
            bug,
            books: Books::default(),
            locked: BTreeSet::new(),
            rung: Vec::new(),
        }
    }

    fn has(&self, bug: ServerBug) -> bool {
        self.bug == Some(bug)
    }

    /// A user's scope.
    pub fn scope(&mut self, user: Uuid) -> &mut Scope {
        self.scopes.entry(user).or_default()
    }

    /// A user's scope, to look at.
    pub fn look(&self, user: Uuid) -> Option<&Scope> {
        self.scopes.get(&user)
    }

    /// Answers a request as PostgREST and Auth would. Rows travel as text.
    pub fn ask(&mut self, token: Token, ask: &Ask) -> Result<Told, Fault> {
        if *ask == Ask::Refresh {
            unreachable!("a refresh goes to Auth")
        }
        let user = self.auth.check(token, self.now_ms)?;
        if !matches!(ask, Ask::Hello { .. }) {
            self.standing(user, token)?;
        }
        match ask {
            Ask::Hello { device_id } => self.hello(user, token, *device_id),
            Ask::Push(push) => self.push(user, push),
            ask => self.read(user, ask),
        }
    }

    /// What was rung since the last call.
    pub fn rings(&mut self) -> Vec<(Uuid, i64)> {
        std::mem::take(&mut self.rung)
    }

    /// The number of a new transaction, as `pg_current_xact_id()`.
    fn next_number(&mut self) -> i64 {
        self.numbers += 1;
        self.numbers
    }

    /// The seq of this transaction in a scope: a new one the first time, the same one after that.
    fn bump(&mut self, user: Uuid, number: i64) -> i64 {
        let (now, nonce) = (self.now_ms, (self.rng.draw() >> 1) as i64);
        let loose = self.has(ServerBug::NumberWithoutTime);
        let scope = self.scopes.entry(user).or_default();
        if scope.number == number && (loose || scope.at_ms == now) {
            return scope.head.seq;
        }
        scope.head = Head { seq: scope.head.seq + 1, nonce };
        (scope.number, scope.at_ms) = (number, now);
        scope.txn.insert(scope.head.seq, (nonce, now));
        self.rung.push((user, scope.head.seq));
        scope.head.seq
    }

    fn note(&mut self, user: Uuid, number: i64, at: (Table, Uuid), mark: Mark) -> i64 {
        let began_ms = self.now_ms;
        let mut seq = self.bump(user, number);
        if self.has(ServerBug::CursorOnSequence) {
            let scope = self.scope(user);
            scope.sequence += 1;
            seq = scope.sequence;
        }
        let entry = Entry { seq, mark, began_ms };
        self.scope(user).change.insert((at.0.code(), at.1), entry);
        seq
    }

    fn put(&mut self, user: Uuid, number: i64, at: (Table, Uuid), row: Stored) -> i64 {
        self.scope(user).rows.insert((at.0.code(), at.1), row);
        self.note(user, number, at, Mark::Here)
    }

    fn delete(&mut self, user: Uuid, number: i64, at: (Table, Uuid)) -> i64 {
        self.scope(user).rows.remove(&(at.0.code(), at.1));
        self.note(user, number, at, Mark::Deleted)
    }
}

// What is done to a server from outside.
impl Server {
    /// Begins a transaction of somebody who is no device. It holds the scope's lock until it ends,
    /// unless the cursor is one that needs no lock.
    pub fn begin(
        &mut self,
        user: Uuid,
        rows: Vec<(Table, Uuid, Stored)>,
    ) -> Option<OpenTransaction> {
        let locks =
            !self.has(ServerBug::CursorOnSequence) && !self.has(ServerBug::CursorOnUpdatedAt);
        if locks && !self.locked.insert(user) {
            return None;
        }
        let (began_ms, number) = (self.now_ms, self.next_number());
        let scope = self.scope(user);
        let sequence = scope.sequence + 1;
        scope.sequence += rows.len() as i64;
        Some(OpenTransaction { user, began_ms, number, sequence, rows })
    }

    /// Its rows become visible.
    pub fn commit(&mut self, open: OpenTransaction) {
        let OpenTransaction { user, began_ms, number, sequence, rows } = open;
        self.locked.remove(&user);
        for (at, (table, id, row)) in rows.into_iter().enumerate() {
            self.put(user, number, (table, id), row);
            let bug = self.bug;
            let entry = self.scope(user).change.get_mut(&(table.code(), id));
            let entry = entry.expect("it was just put");
            entry.began_ms = began_ms;
            if bug == Some(ServerBug::CursorOnSequence) {
                entry.seq = sequence + at as i64;
            }
        }
    }

    /// Puts a backup back: all but the clock, the books of what cannot be undone, and the chance.
    ///
    /// `with_auth`: Auth went back too. `same_number`: the next transaction's number is the one that
    /// the head was made by, as after a logical restore.
    pub fn restore(&mut self, backup: &Self, with_auth: bool, same_number: Option<Uuid>) {
        self.scopes.clone_from(&backup.scopes);
        self.books.executed.clone_from(&backup.books.executed);
        self.books.refused.clone_from(&backup.books.refused);
        self.books.last.clone_from(&backup.books.last);
        self.locked.clear();
        if with_auth {
            self.auth.clone_from(&backup.auth);
        }
        if let Some(user) = same_number {
            self.numbers = self.scope(user).number - 1;
        }
    }

    /// Forgets what is older than `horizon_ms`.
    pub fn move_horizon(&mut self, horizon_ms: i64) {
        let before = self.now_ms - horizon_ms;
        for scope in self.scopes.values_mut() {
            let reached = scope.txn.iter().filter(|(_, (_, at))| *at < before).map(|(seq, _)| *seq);
            let Some(reached) = reached.max().filter(|seq| *seq > scope.horizon) else { continue };
            scope.horizon = reached;
            scope.txn.retain(|seq, _| *seq >= reached);
            scope.change.retain(|_, entry| entry.mark == Mark::Here || entry.seq > reached);
        }
    }

    /// Revokes a device, as its owner does from another one.
    pub fn revoke(&mut self, user: Uuid, device: Uuid) {
        if let Some(device) = self.scope(user).devices.get_mut(&device) {
            device.revoked = true;
        }
    }

    /// How many outcomes are kept for a device.
    pub fn ledger_of(&self, user: Uuid, device: Uuid) -> usize {
        let scope = self.scopes.get(&user);
        scope.map_or(0, |s| s.ledger.keys().filter(|(owner, _)| *owner == device).count())
    }
}

/// An error of our own functions.
fn refuse(status: u16, code: &str) -> Fault {
    Fault::status(Service::Rest, status, code)
}

/// What a bad operation looks like: the simulator's persons write it on purpose.
pub const REFUSED_WORD: &str = "\u{1F6AB}";

fn is_refused(op: &Op) -> bool {
    op.fields.values().any(|value| value.as_str().is_some_and(|text| text.contains(REFUSED_WORD)))
}

//! A model of the SQL functions of docs/sync.md: scopes, heads, the change table, the ledger, merging
//! by register. It does in memory what `migrations/server` does in Postgres, and it can be told to have
//! one of the bugs that the suites must catch.

mod merge;
mod push;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use tidemark_core::model::wire::{Head, Op, Outcome, Table};
use tidemark_core::sync::failures::Fault;
use tidemark_core::sync::server::{Ask, Told};
use uuid::Uuid;

use super::auth::Auth;
use super::server::{Open, REFUSED_WORD, Row, Server, Sight, Stored, Token};
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

/// What the change table says of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// It is there.
    Here,
    /// It is gone for all.
    Deleted,
}

/// An entry of the change table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// The transaction that changed it last.
    seq: i64,
    /// What it did.
    mark: Mark,
    /// `now()` of that transaction: what bug 1 goes by.
    began_ms: i64,
}

impl Entry {
    /// What a server with this bug orders by.
    fn version(self, bug: Option<ServerBug>) -> i64 {
        if bug == Some(ServerBug::CursorOnUpdatedAt) { self.began_ms } else { self.seq }
    }
}

/// What belongs to one user.
#[derive(Debug, Clone, Default)]
struct Scope {
    head: Head,
    number: i64,
    at_ms: i64,
    /// Below it tombstones are forgotten.
    horizon: i64,
    txn: BTreeMap<i64, (i64, i64)>,
    /// The change table, by table's code and row.
    change: BTreeMap<(u8, Uuid), Entry>,
    rows: BTreeMap<(u8, Uuid), Stored>,
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

/// A writer that is no device: an administrator's script, a trigger's work. Its transaction is open
/// for a while.
#[derive(Debug, Clone)]
struct OpenTransaction {
    user: Uuid,
    began_ms: i64,
    number: i64,
    sequence: i64,
    rows: Vec<(Table, Uuid, Stored)>,
}

/// The model.
#[derive(Debug, Clone)]
pub struct Model {
    /// Its clock, which is the right one.
    now_ms: i64,
    scopes: BTreeMap<Uuid, Scope>,
    auth: Auth,
    numbers: i64,
    rng: Rng,
    bug: Option<ServerBug>,
    /// Scopes that a transaction outside the devices holds.
    locked: BTreeSet<Uuid>,
    open: BTreeMap<Open, OpenTransaction>,
    /// Scopes whose head moved since somebody looked: who is to be rung.
    rung: Vec<(Uuid, i64)>,
    backup: Option<(BTreeMap<Uuid, Scope>, Auth)>,
}

impl Model {
    /// One that is yet to live.
    pub fn new(bug: Option<ServerBug>) -> Self {
        Self {
            now_ms: 0,
            scopes: BTreeMap::new(),
            auth: Auth::default(),
            numbers: 100,
            rng: Rng::new(0),
            bug,
            locked: BTreeSet::new(),
            open: BTreeMap::new(),
            rung: Vec::new(),
            backup: None,
        }
    }

    fn has(&self, bug: ServerBug) -> bool {
        self.bug == Some(bug)
    }

    fn scope(&mut self, user: Uuid) -> &mut Scope {
        self.scopes.entry(user).or_default()
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

impl Server for Model {
    fn begin_life(&mut self, seed: u64, now_ms: i64, _: &[Uuid]) {
        *self = Self { now_ms, rng: Rng::new(seed), ..Self::new(self.bug) };
    }

    fn set_time(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }

    fn sign_in(&mut self, user: Uuid) -> Token {
        let chance = self.rng.draw();
        self.auth.sign_in(user, self.now_ms, chance)
    }

    fn refresh(&mut self, token: Token) -> Result<Token, Fault> {
        self.auth.refresh(token, self.now_ms)
    }

    fn ask(&mut self, token: Token, ask: &Ask) -> Result<Told, Fault> {
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

    fn rings(&mut self) -> Vec<(Uuid, i64)> {
        std::mem::take(&mut self.rung)
    }

    /// It holds the scope's lock until it ends, unless the cursor is one that needs no lock.
    fn begin(&mut self, user: Uuid, rows: Vec<Row>) -> Option<Open> {
        let locks =
            !self.has(ServerBug::CursorOnSequence) && !self.has(ServerBug::CursorOnUpdatedAt);
        if locks && !self.locked.insert(user) {
            return None;
        }
        let (began_ms, number) = (self.now_ms, self.next_number());
        let scope = self.scope(user);
        let sequence = scope.sequence + 1;
        scope.sequence += rows.len() as i64;
        let open = number.unsigned_abs();
        self.open.insert(open, OpenTransaction { user, began_ms, number, sequence, rows });
        Some(open)
    }

    fn commit(&mut self, open: Open) {
        let Some(open) = self.open.remove(&open) else { return };
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

    fn back_up(&mut self) {
        self.backup = Some((self.scopes.clone(), self.auth.clone()));
    }

    /// All goes back but the clock and the chance.
    fn restore(&mut self, with_auth: bool, same_number: Option<Uuid>) {
        let Some((scopes, auth)) = self.backup.take() else { return };
        self.scopes = scopes;
        if with_auth {
            self.auth = auth;
        }
        self.locked.clear();
        self.open.clear();
        if let Some(user) = same_number {
            self.numbers = self.scope(user).number - 1;
        }
    }

    fn move_horizon(&mut self, age_ms: i64) {
        let before = self.now_ms - age_ms;
        for scope in self.scopes.values_mut() {
            let reached = scope.txn.iter().filter(|(_, (_, at))| *at < before).map(|(seq, _)| *seq);
            let Some(reached) = reached.max().filter(|seq| *seq > scope.horizon) else { continue };
            scope.horizon = reached;
            scope.txn.retain(|seq, _| *seq >= reached);
            scope.change.retain(|_, entry| entry.mark == Mark::Here || entry.seq > reached);
        }
    }

    fn revoke(&mut self, user: Uuid, device: Uuid) -> bool {
        let device = self.scope(user).devices.get_mut(&device);
        device.is_some_and(|device| {
            device.revoked = true;
            true
        })
    }

    fn head(&mut self, user: Uuid) -> Head {
        let bug = self.bug;
        self.scope(user).told_head(bug)
    }

    fn sight(&mut self, user: Uuid) -> Sight {
        let bug = self.bug;
        let scope = self.scope(user);
        let entry = |key: &(u8, Uuid)| scope.change.get(key).expect("each row has its entry");
        let mut sight = Sight::default();
        for (key, row) in &scope.rows {
            sight.rows.insert(*key, (entry(key).version(bug), row.clone()));
        }
        let deleted = scope.change.iter().filter(|(_, entry)| entry.mark == Mark::Deleted);
        sight.deleted.extend(deleted.map(|(key, _)| *key));
        for (device, _) in scope.ledger.keys() {
            *sight.outcomes.entry(*device).or_default() += 1;
        }
        sight
    }
}

fn is_refused(op: &Op) -> bool {
    op.fields.values().any(|value| value.as_str().is_some_and(|text| text.contains(REFUSED_WORD)))
}

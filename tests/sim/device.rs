//! A device: its mirrors (one for each account), its processes, and what it holds.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tidemark_core::clock::Clock;
use tidemark_core::events::Events;
use tidemark_core::mirror::{self, Mirror, account};
use tidemark_core::model::Timestamp;
use tidemark_core::sync::{Job, Limits, Now, State};
use uuid::Uuid;

use super::server::Token;
use crate::faults::Rng;

static MIRRORS: AtomicU64 = AtomicU64::new(0);

/// The time as a device sees it: the world's, off by something, and its own ids.
#[derive(Debug)]
pub(super) struct SimClock(Mutex<Time>);

#[derive(Debug)]
struct Time {
    now_ms: i64,
    off_ms: i64,
    rng: Rng,
}

impl SimClock {
    fn new(seed: u64, off_ms: i64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Time { now_ms: 0, off_ms, rng: Rng::new(seed) })))
    }

    /// The world's time went on.
    pub(super) fn set(&self, now_ms: i64) {
        self.0.lock().expect("one thread").now_ms = now_ms;
    }

    /// Somebody turned it.
    pub(super) fn turn(&self, off_ms: i64) {
        self.0.lock().expect("one thread").off_ms = off_ms;
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let time = self.0.lock().expect("one thread");
        Timestamp(time.now_ms + time.off_ms)
    }

    fn new_id(&self) -> Uuid {
        let mut time = self.0.lock().expect("one thread");
        let (high, low) = (time.rng.draw(), time.rng.draw());
        uuid::Builder::from_random_bytes((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
            .into_uuid()
    }
}

/// A data folder for one account.
#[derive(Debug)]
pub(super) struct Account {
    /// Whose it is.
    pub(super) user: Uuid,
    /// Its mirror.
    pub(super) mirror: Mirror,
    /// What its session holds; none where the person has to sign in.
    pub(super) token: Option<Token>,
}

/// A running program.
#[derive(Debug)]
pub(super) struct Process {
    /// No two have the same.
    pub(super) id: u64,
    /// Its engine.
    pub(super) state: State,
    /// The account that it works for.
    pub(super) account: usize,
    /// What the mirror has to do, in order, with the epoch and the account.
    pub(super) jobs: VecDeque<(u64, usize, Job)>,
    /// The person has seen that it stands still.
    pub(super) reacts: bool,
    /// When it wants to be woken.
    pub(super) timer: Option<i64>,
}

/// A computer.
#[derive(Debug)]
pub(super) struct Device {
    /// Its clock.
    pub(super) clock: Arc<SimClock>,
    /// Its accounts; most have one.
    pub(super) accounts: Vec<Account>,
    /// The one that is signed in.
    pub(super) active: usize,
    /// Its running programs: one, none while it is dead, sometimes two.
    pub(super) processes: Vec<Process>,
    /// Which of them may sync.
    pub(super) lock: Option<u64>,
    /// Whether it has a network.
    pub(super) online: bool,
    /// Whether its owner locked it out.
    pub(super) revoked: bool,
    /// How much had been saved by then, where the server has not forgotten it since.
    pub(super) revoked_after: Option<usize>,
    /// Requests for a new token that are on their way: of which program, for which account.
    pub(super) refreshing: Vec<(u64, usize)>,
}

impl Device {
    /// A device whose clock is off, with a mirror for each of these users.
    pub(super) fn new(name: &str, seed: u64, off_ms: i64, users: &[Uuid]) -> Self {
        let clock = SimClock::new(seed, off_ms);
        let accounts = users.iter().enumerate().map(|(at, user)| {
            let id = clock.new_id();
            // Two runs of one seed may go on beside each other.
            let run = MIRRORS.fetch_add(1, Ordering::Relaxed);
            let file = format!("{name}-{at}-{run}");
            let mirror = mirror::in_memory(&file, id, clock.clone(), Events::default())
                .expect("an in-memory mirror opens");
            Account { user: *user, mirror, token: None }
        });
        let accounts = accounts.collect();
        Self {
            clock,
            accounts,
            active: 0,
            processes: Vec::new(),
            lock: None,
            online: true,
            revoked: false,
            revoked_after: None,
            refreshing: Vec::new(),
        }
    }

    /// The account that is signed in.
    pub(super) fn account(&self) -> &Account {
        &self.accounts[self.active]
    }

    /// The mirror in use.
    pub(super) fn mirror(&self) -> &Mirror {
        &self.account().mirror
    }

    /// Attaches the accounts to their mirrors.
    pub(super) fn attach(&self) {
        for held in &self.accounts {
            let attach =
                held.mirror.write(|w| account::attach(w, "sim", held.user, "a@example.org"));
            attach.expect("a fresh mirror has no account");
        }
    }

    /// The time, twice.
    pub(super) fn now(&self, world_ms: i64) -> Now {
        Now { mono_ms: world_ms, wall_ms: self.clock.now().0 }
    }

    /// Starts a program.
    pub(super) fn start(&mut self, id: u64, world_ms: i64, limits: Limits) -> &mut Process {
        let state = State::new(limits, self.now(world_ms), id);
        let account = self.active;
        self.processes.push(Process {
            id,
            state,
            account,
            jobs: VecDeque::new(),
            reacts: false,
            timer: None,
        });
        self.processes.last_mut().expect("it was just put there")
    }

    /// A program by its id, where it still runs.
    pub(super) fn process(&mut self, id: u64) -> Option<&mut Process> {
        self.processes.iter_mut().find(|process| process.id == id)
    }

    /// Kills a program; the system lets go of its lock.
    pub(super) fn kill(&mut self, id: u64) {
        self.processes.retain(|process| process.id != id);
        // Nobody waits for its answer any more.
        self.refreshing.retain(|(owner, _)| *owner != id);
        if self.lock == Some(id) {
            self.lock = None;
        }
    }
}

//! What happens, and when.

use std::collections::BTreeMap;

use tidemark_core::model::wire::Head;
use tidemark_core::sync::failures::Fault;
use tidemark_core::sync::server::{Ask, Told};
use tidemark_core::sync::{Event, Limits};
use uuid::Uuid;

use super::check::{self, Evidence};
use super::device::Device;
use super::life::Outcome;
use super::network::Fate;
use super::person::Book;
use super::server::{Open, Server, Token};
use super::trace::Trace;
use super::witness::Witness;
use crate::faults::Rng;

/// The world begins at this time, in milliseconds since 1970.
pub(super) const BEGIN_MS: i64 = 1_800_000_000_000;
/// A run whose calm does not come to rest in so many events never does.
const MOST_EVENTS: u64 = 60_000;
/// What a server forgets when its horizon moves, in milliseconds.
const HORIZON_MS: i64 = 20_000;

/// Something that is going to happen.
#[derive(Debug)]
pub(super) enum Next {
    /// A request reaches the server.
    Arrive {
        request: Request,
        fate: Fate,
    },
    /// An answer, or what stands for one, reaches a device.
    Answer {
        request: Request,
        told: Result<Told, Fault>,
        token: Option<Token>,
    },
    /// The mirror does its job.
    Perform {
        device: usize,
        process: u64,
    },
    Tick {
        device: usize,
        process: u64,
    },
    Ring {
        device: usize,
        seq: i64,
    },
    Person {
        device: usize,
    },
    Start {
        device: usize,
    },
    Kill {
        device: usize,
    },
    Online {
        device: usize,
        online: bool,
    },
    Switch {
        device: usize,
    },
    Turn {
        device: usize,
        off_ms: i64,
    },
    React {
        device: usize,
        process: u64,
    },
    Stale {
        device: usize,
    },
    Begin {
        user: Uuid,
    },
    Commit {
        open: Open,
    },
    Backup,
    Restore {
        with_auth: bool,
        same_number: bool,
    },
    Revoke {
        device: usize,
    },
    Horizon,
    Calm,
}

/// A request on its way.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) device: usize,
    pub(super) process: u64,
    pub(super) account: usize,
    pub(super) epoch: u64,
    pub(super) number: u64,
    pub(super) ask: Ask,
    pub(super) token: Option<Token>,
}

/// Devices, a server, what lies between them, and what is going to happen.
#[derive(Debug)]
pub(super) struct World<'s> {
    pub(super) now_ms: i64,
    pub(super) rng: Rng,
    /// What happens next, by time; at the same time, in the order of planning.
    pub(super) agenda: BTreeMap<(i64, u64), Next>,
    pub(super) planned: u64,
    pub(super) server: &'s mut dyn Server,
    /// What was seen of the server, and what had been when it was backed up.
    pub(super) witness: Witness,
    pub(super) backup: Option<Witness>,
    pub(super) devices: Vec<Device>,
    pub(super) users: Vec<Uuid>,
    pub(super) book: Book,
    pub(super) stormy: bool,
    /// About one request in so many meets a fault.
    pub(super) rarity: u64,
    pub(super) trace: Trace,
    pub(super) processes: u64,
    pub(super) violations: Vec<String>,
    pub(super) limits: Limits,
    /// When the calm has to have done its work.
    pub(super) deadline: Option<i64>,
}

impl<'s> World<'s> {
    /// One in which nobody is and nothing is planned.
    pub(super) fn empty(
        rng: Rng,
        server: &'s mut dyn Server,
        users: Vec<Uuid>,
        rarity: u64,
        limits: Limits,
    ) -> Self {
        Self {
            now_ms: BEGIN_MS,
            rng,
            agenda: BTreeMap::new(),
            planned: 0,
            server,
            witness: Witness::default(),
            backup: None,
            devices: Vec::new(),
            users,
            book: Book::default(),
            stormy: true,
            rarity,
            trace: Trace::new(),
            processes: 0,
            violations: Vec::new(),
            limits,
            deadline: None,
        }
    }
}

impl World<'_> {
    pub(super) fn plan(&mut self, in_ms: i64, next: Next) {
        self.planned += 1;
        self.agenda.insert((self.now_ms + in_ms.max(0), self.planned), next);
    }

    pub(super) fn live(&mut self) {
        let mut events = 0;
        while let Some(((at, _), next)) = self.agenda.pop_first() {
            if self.deadline.is_some_and(|deadline| at > deadline) {
                break;
            }
            self.now_ms = self.now_ms.max(at);
            self.server.set_time(self.now_ms);
            for device in &self.devices {
                device.clock.set(self.now_ms);
            }
            self.happen(next);
            events += 1;
            let over = !self.stormy && self.all_rest();
            if over || events > MOST_EVENTS {
                break;
            }
        }
        if events > MOST_EVENTS {
            self.violations.push("it never comes to rest".into());
        }
    }

    /// Whether the calm has done its work: every device that may sync has nothing left to do.
    fn all_rest(&mut self) -> bool {
        let under_way = |next: &Next| {
            matches!(
                next,
                Next::Arrive { .. }
                    | Next::Answer { .. }
                    | Next::Perform { .. }
                    | Next::Ring { .. }
                    | Next::Commit { .. }
                    | Next::Start { .. }
                    | Next::React { .. }
            )
        };
        if self.agenda.values().any(under_way) {
            return false;
        }
        let heads: BTreeMap<Uuid, Head> =
            self.users.iter().map(|user| (*user, self.server.head(*user))).collect();
        self.devices.iter().all(|device| rests(device, heads[&device.account().user]))
    }

    pub(super) fn end(mut self) -> Outcome {
        let sights = self.users.iter().map(|user| (*user, self.server.sight(*user))).collect();
        let evidence = Evidence {
            now_ms: self.now_ms,
            devices: &self.devices,
            book: &self.book,
            witness: &self.witness,
            sights: &sights,
        };
        self.violations.extend(check::all(&evidence));
        Outcome { trace: self.trace.sum(), violations: self.violations }
    }

    fn happen(&mut self, next: Next) {
        match next {
            Next::Arrive { request, fate } => self.arrive(request, fate),
            Next::Answer { request, told, token } => self.answer(request, told, token),
            Next::Perform { device, process } => self.perform(device, process),
            Next::Tick { device, process } => self.event_to(device, process, Event::Tick),
            Next::Ring { device, seq } => self.event(device, &Event::Rang { seq }),
            Next::Person { device } => self.act(device),
            Next::Start { device } => self.start(device),
            Next::Kill { device } => self.kill(device),
            Next::Online { device, online } => self.online(device, online),
            Next::Switch { device } => self.switch(device),
            Next::Turn { device, off_ms } => self.turn(device, off_ms),
            Next::React { device, process } => self.react(device, process),
            Next::Stale { device } => self.event(device, &Event::TokenStale),
            Next::Begin { user } => self.begin(user),
            Next::Commit { open } => self.commit(open),
            Next::Backup => self.back_up(),
            Next::Restore { with_auth, same_number } => self.restore(with_auth, same_number),
            Next::Revoke { device } => self.revoke(device),
            Next::Horizon => self.server.move_horizon(HORIZON_MS),
            Next::Calm => self.calm(),
        }
    }
}

/// Whether a device is at the end of what it can do: level with its scope, or locked out.
fn rests(device: &Device, head: Head) -> bool {
    device.processes.iter().filter(|process| Some(process.id) == device.lock).any(|process| {
        let level = process.state.cursor().map(|cursor| cursor.head()) == Some(head);
        device.revoked || (process.state.rests() && level)
    })
}

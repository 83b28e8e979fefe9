//! What happens, and when.

use std::collections::BTreeMap;

use serde_json::json;
use tidemark_core::faults as engine_faults;
use tidemark_core::mirror::sync_faults::{self, Fault as MirrorBug};
use tidemark_core::mirror::{Mirror, index, parked};
use tidemark_core::model::wire::{Op, Table, setting_id};
use tidemark_core::sync::failures::{Fault, FaultKind, Pause, Service};
use tidemark_core::sync::server::{Ask, Told};
use tidemark_core::sync::{Action, Done, Event, Job, Limits, StoreFault, Verdict, step, store};
use uuid::Uuid;

use super::check;
use super::device::Device;
use super::network::{Fate, PATIENCE_MS};
use super::person::{self, Book};
use super::server::{OpenTransaction, Server, ServerBug, Stored, Token, stamped};
use crate::faults::Rng;

/// A bug to be caught, wherever it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// In what the engine decides.
    Engine(engine_faults::Bug),
    /// In what the mirror stores.
    Mirror(MirrorBug),
    /// On the server.
    Server(ServerBug),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// A number that stands for all that happened.
    pub trace: u64,
    /// What should have held, and did not.
    pub violations: Vec<String>,
}

/// The world begins at this time, in milliseconds since 1970.
const BEGIN_MS: i64 = 1_800_000_000_000;
/// A run whose calm does not come to rest in so many events never does.
const MOST_EVENTS: u64 = 60_000;
/// How long the calm lasts, in milliseconds.
const CALM_MS: i64 = 900_000;
/// Ten years, in milliseconds.
const TEN_YEARS_MS: i64 = 315_576_000_000;

/// Something that is going to happen.
enum Next {
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
        open: Box<OpenTransaction>,
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
#[derive(Clone)]
struct Request {
    device: usize,
    process: u64,
    account: usize,
    epoch: u64,
    number: u64,
    ask: Ask,
    token: Option<Token>,
}

struct World {
    now_ms: i64,
    rng: Rng,
    /// What happens next, by time; at the same time, in the order of planning.
    agenda: BTreeMap<(i64, u64), Next>,
    planned: u64,
    server: Server,
    backup: Option<Server>,
    devices: Vec<Device>,
    users: Vec<Uuid>,
    book: Book,
    stormy: bool,
    rarity: u64,
    trace: Trace,
    processes: u64,
    violations: Vec<String>,
    limits: Limits,
    /// When the calm has to have done its work.
    deadline: Option<i64>,
}

/// A hash of all that happens; with `TIDEMARK_TRACE` the text of it, on standard error.
struct Trace {
    sum: u64,
    told: bool,
}

impl Trace {
    fn note(&mut self, now_ms: i64, line: impl FnOnce() -> String) {
        let line = line();
        for byte in line.bytes().chain(now_ms.to_le_bytes()) {
            self.sum = (self.sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        if self.told {
            #[allow(clippy::print_stderr)]
            {
                eprintln!("{:>9} {line}", now_ms - BEGIN_MS);
            }
        }
    }
}

/// Runs a seed twice; the second run must leave the trace of the first.
pub fn run_twice(seed: u64, bug: Option<Bug>) -> Outcome {
    let first = run(seed, bug);
    let second = run(seed, bug);
    let mut outcome = first.clone();
    if second != first {
        outcome.violations.push("the same seed left two traces".into());
    }
    outcome
}

/// Runs a seed, with a bug or without.
pub fn run(seed: u64, bug: Option<Bug>) -> Outcome {
    engine_faults::set(match bug {
        Some(Bug::Engine(bug)) => Some(bug),
        _ => None,
    });
    match bug {
        Some(Bug::Mirror(bug)) => sync_faults::set(&[bug]),
        _ => sync_faults::set(&[]),
    }
    let server_bug = match bug {
        Some(Bug::Server(bug)) => Some(bug),
        _ => None,
    };
    let mut world = World::new(seed, server_bug);
    world.live();
    engine_faults::set(None);
    engine_faults::set_fuse(None);
    sync_faults::set(&[]);
    world.end()
}

impl World {
    fn new(seed: u64, bug: Option<ServerBug>) -> Self {
        let mut rng = Rng::new(seed);
        let users: Vec<Uuid> =
            (1..=1 + u128::from(rng.one_in(4))).map(|n| Uuid::from_u128(n << 64)).collect();
        let server = Server::new(rng.draw(), BEGIN_MS, bug);
        let devices = 1 + rng.below(3) + u64::from(users.len() > 1);
        let limits = Limits {
            rows: 3 + rng.below(30) as u32,
            ops: 1 + rng.below(20) as u32,
            points: 2 + rng.below(6) as u32,
            ..Limits::default()
        };
        let rarity = [2, 4, 8, 30][rng.below(4) as usize];
        let told = std::env::var_os("TIDEMARK_TRACE").is_some();
        let trace = Trace { sum: 0xcbf2_9ce4_8422_2325, told };
        let mut world = Self {
            now_ms: BEGIN_MS,
            rng,
            agenda: BTreeMap::new(),
            planned: 0,
            server,
            backup: None,
            devices: Vec::new(),
            users,
            book: Book::default(),
            stormy: true,
            rarity,
            trace,
            processes: 0,
            violations: Vec::new(),
            limits,
            deadline: None,
        };
        (0..devices as usize).for_each(|at| world.add_device(seed, at));
        world.plan_storm();
        world
    }

    fn add_device(&mut self, seed: u64, at: usize) {
        let off_ms = match self.rng.below(4) {
            0 => self.rng.below(2 * TEN_YEARS_MS as u64) as i64 - TEN_YEARS_MS,
            1 => self.rng.below(200_000) as i64 - 100_000,
            _ => 0,
        };
        let mut users = vec![self.users[at % self.users.len()]];
        if self.users.len() > 1 && self.rng.one_in(2) {
            users.push(self.users[(at + 1) % self.users.len()]);
        }
        let device = Device::new(&format!("{seed}-{at}"), self.rng.draw(), off_ms, &users);
        device.clock.set(self.now_ms);
        // Some of what people have was written before they signed in.
        for _ in 0..self.rng.below(4) {
            let (user, mirror) = (device.account().user, device.mirror().clone());
            person::act(&mut self.rng, &mut self.book, at, user, &mirror);
        }
        device.attach();
        self.devices.push(device);
        let late = self.rng.below(60_000) as i64;
        self.plan(late, Next::Start { device: at });
    }

    fn plan(&mut self, in_ms: i64, next: Next) {
        self.planned += 1;
        self.agenda.insert((self.now_ms + in_ms.max(0), self.planned), next);
    }

    /// What will happen in the storm.
    fn plan_storm(&mut self) {
        let length = 30_000 + self.rng.below(300_000) as i64;
        let somewhen = |rng: &mut Rng| rng.below(length as u64) as i64;
        let some_device = |world: &mut Self| world.rng.below(world.devices.len() as u64) as usize;
        for _ in 0..10 + self.rng.below(40) {
            let (at, device) = (somewhen(&mut self.rng), some_device(self));
            self.plan(at, Next::Person { device });
        }
        for _ in 0..self.rng.below(4) {
            let (at, device) = (somewhen(&mut self.rng), some_device(self));
            self.plan(at, Next::Kill { device });
        }
        for _ in 0..self.rng.below(3) {
            let (at, device) = (somewhen(&mut self.rng), some_device(self));
            let back = self.rng.below(length as u64) as i64;
            self.plan(at, Next::Online { device, online: false });
            self.plan(at + back, Next::Online { device, online: true });
        }
        for _ in 0..self.rng.below(4) {
            let (at, device) = (somewhen(&mut self.rng), some_device(self));
            self.plan(at, Next::Stale { device });
        }
        for _ in 0..self.rng.below(5) {
            let (at, user) = (somewhen(&mut self.rng), self.rng.below(self.users.len() as u64));
            let user = self.users[user as usize];
            self.plan(at, Next::Begin { user });
        }
        self.plan_rarities(length);
        self.plan(length, Next::Calm);
    }

    fn plan_rarities(&mut self, length: i64) {
        let somewhen = |rng: &mut Rng| rng.below(length as u64) as i64;
        let some_device = |world: &mut Self| world.rng.below(world.devices.len() as u64) as usize;
        if self.rng.one_in(3) {
            let backup = somewhen(&mut self.rng);
            let restore = backup + somewhen(&mut self.rng);
            let (with_auth, same_number) = (self.rng.one_in(3), self.rng.one_in(2));
            self.plan(backup, Next::Backup);
            self.plan(restore, Next::Restore { with_auth, same_number });
        }
        if self.rng.one_in(3) {
            let (at, device) = (somewhen(&mut self.rng), some_device(self));
            let off_ms = self.rng.below(2 * TEN_YEARS_MS as u64) as i64 - TEN_YEARS_MS;
            self.plan(at, Next::Turn { device, off_ms });
        }
        if self.rng.one_in(8) {
            let (at, device) = (somewhen(&mut self.rng), some_device(self));
            self.plan(at, Next::Revoke { device });
        }
        if self.rng.one_in(3) {
            for _ in 0..3 {
                let at = somewhen(&mut self.rng);
                self.plan(at, Next::Horizon);
            }
        }
        for _ in 0..self.rng.below(4) {
            let (at, device) = (somewhen(&mut self.rng), some_device(self));
            self.plan(at, Next::Switch { device });
        }
    }

    fn live(&mut self) {
        let mut events = 0;
        while let Some(((at, _), next)) = self.agenda.pop_first() {
            if self.deadline.is_some_and(|deadline| at > deadline) {
                break;
            }
            self.now_ms = self.now_ms.max(at);
            self.server.now_ms = self.now_ms;
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
    fn all_rest(&self) -> bool {
        let quiet = !self.agenda.values().any(|next| {
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
        });
        quiet
            && self.devices.iter().all(|device| {
                device.processes.iter().any(|process| {
                    Some(process.id) == device.lock
                        && (process.state.rests() || device.revoked)
                        && (device.revoked || self.is_level(device))
                })
            })
    }

    fn is_level(&self, device: &Device) -> bool {
        let head =
            self.server.look(device.account().user).map(|scope| scope.told_head(self.server.bug));
        let cursor = device.processes.iter().find(|p| Some(p.id) == device.lock);
        cursor.and_then(|p| p.state.cursor()).map(|cursor| cursor.head()) == head
    }

    fn end(mut self) -> Outcome {
        self.violations.append(&mut self.server.books.violations);
        for (at, device) in self.devices.iter().enumerate() {
            let found = check::device(at, device, &self.server);
            self.violations.extend(found);
        }
        self.violations.extend(check::saved(&self.book, &self.devices, &self.server));
        Outcome { trace: self.trace.sum, violations: self.violations }
    }
}

// What happens.
impl World {
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
            Next::Turn { device, off_ms } => {
                if self.stormy {
                    self.devices[device].clock.turn(off_ms);
                }
            }
            Next::React { device, process } => self.react(device, process),
            Next::Stale { device } => self.event(device, &Event::TokenStale),
            Next::Begin { user } => self.begin(user),
            Next::Commit { open } => {
                self.trace.note(self.now_ms, || "a script commits".into());
                self.server.commit(*open);
                self.ring();
            }
            Next::Backup => self.backup = Some(self.server.clone()),
            Next::Restore { with_auth, same_number } => self.restore(with_auth, same_number),
            Next::Revoke { device } => self.revoke(device),
            Next::Horizon => self.server.move_horizon(20_000),
            Next::Calm => self.calm(),
        }
    }

    fn start(&mut self, at: usize) {
        if !self.devices[at].processes.is_empty() && !self.rng.one_in(8) {
            return;
        }
        self.processes += 1;
        let (id, now, limits) = (self.processes, self.now_ms, self.limits);
        self.trace.note(now, || format!("{at}: starts as {id}"));
        let device = &mut self.devices[at];
        device.start(id, now, limits);
        let online = device.online;
        self.event_to(at, id, Event::Online(online));
        self.sign_in(at, id);
        if self.stormy && self.rng.one_in(6) && self.devices[at].processes.len() == 1 {
            self.plan(1_000, Next::Start { device: at });
        }
    }

    /// The session goes on, or the person types the password.
    fn sign_in(&mut self, at: usize, process: u64) {
        let device = &mut self.devices[at];
        let active = device.active;
        let user = device.accounts[active].user;
        if device.accounts[active].token.is_none() {
            device.accounts[active].token = Some(self.server.sign_in(user));
        }
        self.event_to(at, process, Event::SignedIn { user_id: user });
    }

    fn kill(&mut self, at: usize) {
        let Some(id) = self.devices[at].processes.first().map(|process| process.id) else { return };
        self.trace.note(self.now_ms, || format!("{at}: {id} is killed"));
        self.devices[at].kill(id);
        let back = self.rng.below(20_000) as i64;
        self.plan(back, Next::Start { device: at });
    }

    fn online(&mut self, at: usize, online: bool) {
        self.trace.note(self.now_ms, || format!("{at}: online {online}"));
        self.devices[at].online = online;
        self.event(at, &Event::Online(online));
    }

    /// The person signs out and in as somebody else: another mirror, the same program.
    fn switch(&mut self, at: usize) {
        if self.devices[at].accounts.len() < 2 || !self.stormy {
            return;
        }
        let other = 1 - self.devices[at].active;
        self.trace.note(self.now_ms, || format!("{at}: switches to {other}"));
        self.event(at, &Event::SignedOut);
        self.devices[at].active = other;
        let ids: Vec<u64> = self.devices[at].processes.iter().map(|process| process.id).collect();
        for id in ids {
            if let Some(process) = self.devices[at].process(id) {
                process.account = other;
            }
            self.sign_in(at, id);
        }
    }

    fn act(&mut self, at: usize) {
        let device = &self.devices[at];
        let (user, mirror) = (device.account().user, device.mirror().clone());
        let Some(what) = person::act(&mut self.rng, &mut self.book, at, user, &mirror) else {
            return;
        };
        self.trace.note(self.now_ms, || format!("{at}: the person {what}"));
        let counts = mirror.read(store::counts).expect("it counts");
        self.event(at, &Event::Wrote { counts });
    }

    /// A script of an administrator writes into a scope.
    fn begin(&mut self, user: Uuid) {
        let now = self.now_ms;
        let mut rows = Vec::new();
        for _ in 0..1 + self.rng.below(3) {
            let n = self.rng.draw();
            let key = format!("script.{n}");
            let fields = json!({"key": key, "value": format!("\"{n}\"")});
            let fields = fields.as_object().cloned().expect("an object");
            let clocks = stamped(Table::Settings, now);
            let row = Stored { fields, clocks, updated_ms: now };
            rows.push((Table::Settings, setting_id(&key), row));
        }
        if let Some(open) = self.server.begin(user, rows) {
            self.trace.note(now, || "a script begins".into());
            let open_ms = self.rng.below(15_000) as i64;
            self.plan(open_ms, Next::Commit { open: Box::new(open) });
        }
    }

    fn restore(&mut self, with_auth: bool, same_number: bool) {
        let Some(backup) = self.backup.take() else { return };
        if !self.stormy {
            return;
        }
        self.trace.note(self.now_ms, || format!("the server is restored, auth {with_auth}"));
        let user = same_number.then(|| self.users[0]);
        self.server.restore(&backup, with_auth, user);
        // What was open is rolled back.
        self.agenda.retain(|_, next| !matches!(next, Next::Commit { .. }));
    }

    fn revoke(&mut self, at: usize) {
        // Somebody has to be left.
        let others = self.devices.iter().enumerate().any(|(other, device)| {
            other != at
                && !device.revoked
                && device.account().user == self.devices[at].account().user
        });
        let device = &mut self.devices[at];
        if !others || device.accounts.len() > 1 || !self.stormy {
            return;
        }
        let id =
            device.mirror().read(tidemark_core::mirror::synced::device_id).expect("it has one");
        self.trace.note(self.now_ms, || format!("{at}: is revoked"));
        device.revoked = true;
        self.server.revoke(device.account().user, id.0);
    }

    /// The network heals, everybody is there, and nobody writes any more.
    fn calm(&mut self) {
        self.trace.note(self.now_ms, || "calm".into());
        self.stormy = false;
        self.agenda.retain(|_, next| {
            !matches!(
                next,
                Next::Person { .. }
                    | Next::Kill { .. }
                    | Next::Stale { .. }
                    | Next::Begin { .. }
                    | Next::Backup
                    | Next::Restore { .. }
                    | Next::Revoke { .. }
                    | Next::Horizon
                    | Next::Turn { .. }
                    | Next::Switch { .. }
            )
        });
        for at in 0..self.devices.len() {
            if !self.devices[at].online {
                self.online(at, true);
            }
            self.plan(0, Next::Start { device: at });
        }
        self.deadline = Some(self.now_ms + CALM_MS);
    }

    /// The person sees why it stands still, and does something about it.
    fn react(&mut self, at: usize, process: u64) {
        let Some(found) = self.devices[at].process(process) else { return };
        found.reacts = false;
        let Some(why) = found.state.paused() else { return };
        self.trace.note(self.now_ms, || format!("{at}: the person sees {why:?}"));
        match why {
            Pause::Removal => self.event_to(at, process, Event::Removal(Verdict::Remove)),
            Pause::SignIn => {
                let active = self.devices[at].active;
                self.devices[at].accounts[active].token = None;
                self.sign_in(at, process);
            }
            Pause::DeviceRevoked => {}
            _ => self.event_to(at, process, Event::Now),
        }
    }
}

// Requests, jobs and events.
impl World {
    /// All programs of a device hear of something.
    fn event(&mut self, at: usize, event: &Event) {
        let ids: Vec<u64> = self.devices[at].processes.iter().map(|process| process.id).collect();
        for id in ids {
            self.event_to(at, id, event.clone());
        }
    }

    fn event_to(&mut self, at: usize, process: u64, event: Event) {
        let world_ms = self.now_ms;
        let now = self.devices[at].now(world_ms);
        let Some(found) = self.devices[at].process(process) else { return };
        let actions = step(&mut found.state, now, event);
        let (paused, reacts) = (found.state.paused().is_some(), found.reacts);
        let due = found.state.due();
        if let Some(due) = due.filter(|due| found.timer != Some(*due)) {
            found.timer = Some(due);
            self.plan(due - world_ms, Next::Tick { device: at, process });
        }
        if paused && !reacts {
            self.devices[at].process(process).expect("it runs").reacts = true;
            let later = 1_000 + self.rng.below(10_000) as i64;
            self.plan(later, Next::React { device: at, process });
        }
        for action in actions {
            self.run(at, process, action);
        }
    }

    fn run(&mut self, at: usize, process: u64, action: Action) {
        match action {
            Action::Lock => {
                let free = self.devices[at].lock.is_none_or(|owner| owner == process);
                if free {
                    self.devices[at].lock = Some(process);
                }
                self.event_to(at, process, Event::Locked(free));
            }
            Action::Unlock => {
                if self.devices[at].lock == Some(process) {
                    self.devices[at].lock = None;
                }
            }
            Action::Ask { epoch, request, ask } => self.send(at, process, epoch, request, ask),
            Action::Do { epoch, job } => {
                let account = self.devices[at].active;
                let found = self.devices[at].process(process).expect("it just acted");
                found.jobs.push_back((epoch, account, job));
                let in_ms = self.rng.below(8) as i64;
                self.plan(in_ms, Next::Perform { device: at, process });
            }
            Action::Abandon | Action::Show => {}
        }
    }

    fn send(&mut self, at: usize, process: u64, epoch: u64, number: u64, ask: Ask) {
        let device = &mut self.devices[at];
        let account = device.active;
        let token = device.accounts[account].token;
        self.trace.note(self.now_ms, || format!("{at}: {process} asks {number} {}", short(&ask)));
        if ask == Ask::Refresh {
            device.refreshing.push(process);
            if device.refreshing.len() > 1 {
                self.violations.push(format!("{at}: two refreshes are in flight"));
            }
        }
        let request = Request { device: at, process, account, epoch, number, ask, token };
        let fate = match self.stormy {
            true => Fate::stormy(&mut self.rng, self.rarity),
            false => Fate::kind(&mut self.rng),
        };
        if !self.devices[at].online {
            let told = Err(Fault::silent(Service::Rest, FaultKind::Unreachable));
            self.plan(50, Next::Answer { request, told, token: None });
            return;
        }
        // Whatever else comes, the device waits so long and no longer.
        let timed_out = Err(Fault::silent(Service::Rest, FaultKind::TimedOut));
        if fate
            .there_ms
            .is_none_or(|there| there + fate.back_ms.unwrap_or(PATIENCE_MS) >= PATIENCE_MS)
        {
            let request = request.clone();
            self.plan(PATIENCE_MS, Next::Answer { request, told: timed_out, token: None });
        }
        if let Some(there) = fate.there_ms {
            if let Some(again) = fate.again_ms {
                let twin = Fate { back_ms: None, again_ms: None, ..fate.clone() };
                let request = request.clone();
                self.plan(there + again, Next::Arrive { request, fate: twin });
            }
            self.plan(there, Next::Arrive { request, fate });
        }
    }

    fn arrive(&mut self, request: Request, fate: Fate) {
        let (told, token) = match fate.before {
            Some(fault) => (Err(fault), None),
            None => self.serve(&request, fate.partial),
        };
        let told = fate.instead.map_or(told, Err);
        self.trace.note(self.now_ms, || {
            format!("{}: {} gets {}", request.device, request.number, brief(&told))
        });
        if let Some(back) = fate.back_ms {
            self.plan(back, Next::Answer { request, told, token });
        }
        self.ring();
    }

    fn serve(&mut self, request: &Request, partial: bool) -> (Result<Told, Fault>, Option<Token>) {
        let Some(token) = request.token else {
            return (Err(Fault::status(Service::Rest, 401, "PGRST301")), None);
        };
        if request.ask == Ask::Refresh {
            return match self.server.refresh(token) {
                Ok(token) => (Ok(Told::Refreshed), Some(token)),
                Err(fault) => (Err(fault), None),
            };
        }
        let mut told = self.server.ask(token, &request.ask);
        if let (true, Ok(Told::Manifest(manifest))) = (partial, &mut told) {
            let half = manifest.rows.len() / 2;
            manifest.rows.drain(..half);
        }
        (told, None)
    }

    fn answer(&mut self, request: Request, told: Result<Told, Fault>, token: Option<Token>) {
        let Request { device: at, process, account, epoch, number, ask, .. } = request;
        if ask == Ask::Refresh {
            // Of several ends of one refresh the first counts.
            let open = &mut self.devices[at].refreshing;
            if let Some(place) = open.iter().position(|owner| *owner == process) {
                open.swap_remove(place);
            }
        }
        // The new token is stored before it is used, whoever waits for it.
        if let Some(token) = token {
            let held = &mut self.devices[at].accounts[account].token;
            if held.is_some_and(|held| {
                held.session == token.session && held.generation <= token.generation
            }) {
                *held = Some(token);
            }
        }
        self.event_to(at, process, Event::Told { epoch, request: number, told });
    }

    /// The mirror does a job; in a storm the program may die between two of its transactions.
    fn perform(&mut self, at: usize, process: u64) {
        let dies = self.stormy && self.rng.one_in(25);
        let fuse = self.rng.below(3) as u32;
        let Some(found) = self.devices[at].process(process) else { return };
        let Some((epoch, account, job)) = found.jobs.pop_front() else { return };
        let mirror = self.devices[at].accounts[account].mirror.clone();
        let parked = mirror.read(parked::all).unwrap_or_default();
        engine_faults::set_fuse(dies.then_some(fuse));
        let done = store::perform(&mirror, &job);
        let blown = engine_faults::fuse_is_blown();
        engine_faults::set_fuse(None);
        self.trace
            .note(self.now_ms, || format!("{at}: {process} does {} {}", name(&job), ended(&done)));
        if let Ok(Done::Batch(push)) = &done {
            let passes = |op: &Op| parked.iter().any(|one| one.queue == op.queue && one.n < op.n);
            if let Some(op) = push.ops.iter().find(|op| passes(op)) {
                self.violations.push(format!("{at}: operation {} passes a parked one", op.n));
            }
        }
        if dies && blown && done.is_err() {
            self.trace.note(self.now_ms, || format!("{at}: {process} dies in it"));
            self.devices[at].kill(process);
            let back = self.rng.below(5_000) as i64;
            self.plan(back, Next::Start { device: at });
            return;
        }
        if matches!(done, Err(StoreFault::Broken | StoreFault::Busy)) {
            self.violations.push(format!("{at}: the mirror could not do {}", name(&job)));
        }
        // The indexer has its own time; here it comes along now and then.
        if self.rng.one_in(4) {
            self.index(at, &mirror);
        }
        self.event_to(at, process, Event::Done { epoch, done });
    }

    fn index(&mut self, at: usize, mirror: &Mirror) {
        let dies = self.stormy && self.rng.one_in(10);
        let fuse = self.rng.below(2) as u32;
        engine_faults::set_fuse(dies.then_some(fuse));
        let _ = index::catch_up(mirror);
        engine_faults::set_fuse(None);
        self.trace.note(self.now_ms, || format!("{at}: indexes"));
    }

    /// The doorbell rings on the devices of a scope, or is lost.
    fn ring(&mut self) {
        for (user, seq) in self.server.rings() {
            for at in 0..self.devices.len() {
                let device = &self.devices[at];
                if device.account().user != user || !device.online || !self.rng.one_in(2) {
                    continue;
                }
                let later = self.rng.below(3_000) as i64;
                self.plan(later, Next::Ring { device: at, seq });
            }
        }
    }
}

fn short(ask: &Ask) -> String {
    match ask {
        Ask::Push(push) => {
            let ops = push.ops.iter().map(|op| {
                format!("{}:{:?}:{:?}:{}", op.n, op.kind, op.tbl, &op.id.to_string()[..4])
            });
            format!("Push {} [{}]", push.acked_through, ops.collect::<Vec<_>>().join(" "))
        }
        Ask::Pull { after, max } => {
            format!("Pull {:?} {max}", after.as_ref().map(|a| (a.seq, a.tbl.clone(), a.row_id)))
        }
        other => format!("{other:?}"),
    }
}

fn brief(told: &Result<Told, Fault>) -> String {
    match told {
        Ok(Told::Page(summary, rows)) => {
            format!("a page to {:?} of {} {}", summary.cursor.seq, summary.changes, rows.0.len())
        }
        Ok(Told::Pushed(pushed)) => {
            let outcomes = pushed.outcomes.iter().map(|settled| {
                let word = format!("{:?}", settled.outcome);
                format!("{}:{}", settled.n, word.split([' ', '(']).next().unwrap_or_default())
            });
            format!("outcomes {} [{}]", pushed.head.seq, outcomes.collect::<Vec<_>>().join(" "))
        }
        Ok(Told::Manifest(manifest)) => {
            format!("a list of {} of {:?}", manifest.rows.len(), manifest.count)
        }
        Ok(other) => format!("{other:?}"),
        Err(fault) => format!("{fault}"),
    }
}

fn name(job: &Job) -> String {
    let word = format!("{job:?}");
    word.split([' ', '{']).next().unwrap_or_default().to_owned()
}

fn ended(done: &Result<Done, StoreFault>) -> String {
    match done {
        Ok(Done::Batch(push)) => format!("{} operations", push.ops.len()),
        done => format!("{done:?}"),
    }
}

//! What befalls devices and the server.

use serde_json::json;
use tidemark_core::mirror::{mending, synced};
use tidemark_core::model::wire::{Table, setting_id};
use tidemark_core::sync::failures::Pause;
use tidemark_core::sync::{Event, Verdict, store};
use uuid::Uuid;

use super::person;
use super::server::{Open, Row, Stored};
use super::world::{Next, World};

/// How long the calm lasts, in milliseconds.
const CALM_MS: i64 = 900_000;

// A device.
impl World<'_> {
    pub(super) fn start(&mut self, at: usize) {
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

    pub(super) fn kill(&mut self, at: usize) {
        let Some(id) = self.devices[at].processes.first().map(|process| process.id) else { return };
        self.trace.note(self.now_ms, || format!("{at}: {id} is killed"));
        self.devices[at].kill(id);
        let back = self.rng.below(20_000) as i64;
        self.plan(back, Next::Start { device: at });
    }

    pub(super) fn online(&mut self, at: usize, online: bool) {
        self.trace.note(self.now_ms, || format!("{at}: online {online}"));
        self.devices[at].online = online;
        self.event(at, &Event::Online(online));
    }

    /// Somebody turns its clock.
    pub(super) fn turn(&mut self, at: usize, off_ms: i64) {
        self.trace.note(self.now_ms, || format!("{at}: its clock is off by {off_ms}"));
        self.devices[at].clock.turn(off_ms);
    }

    /// The person signs out and in as somebody else: another mirror, the same program.
    pub(super) fn switch(&mut self, at: usize) {
        if self.devices[at].accounts.len() < 2 || !self.stormy {
            return;
        }
        let other = 1 - self.devices[at].active;
        self.trace.note(self.now_ms, || format!("{at}: switches to {other}"));
        self.event(at, &Event::SignedOut);
        self.devices[at].active = other;
        // What was asked for them is theirs no more: whoever comes back signs in anew.
        self.devices[at].refreshing.clear();
        let ids: Vec<u64> = self.devices[at].processes.iter().map(|process| process.id).collect();
        for id in ids {
            if let Some(process) = self.devices[at].process(id) {
                process.account = other;
            }
            self.sign_in(at, id);
        }
    }

    pub(super) fn act(&mut self, at: usize) {
        let device = &self.devices[at];
        let (user, mirror) = (device.account().user, device.mirror().clone());
        let Some(what) = person::act(&mut self.rng, &mut self.book, at, user, &mirror) else {
            return;
        };
        self.trace.note(self.now_ms, || format!("{at}: the person {what}"));
        let counts = mirror.read(store::counts).expect("it counts");
        let mending = mirror.read(mending::is_due).expect("it reads");
        self.event(at, &Event::Wrote { counts, mending });
    }

    /// The person sees why it stands still, and does something about it.
    pub(super) fn react(&mut self, at: usize, process: u64) {
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

// The server, and all.
impl World<'_> {
    /// A script of an administrator writes into a scope.
    pub(super) fn begin(&mut self, user: Uuid) {
        let now = self.now_ms;
        let mut rows: Vec<Row> = Vec::new();
        for _ in 0..1 + self.rng.below(3) {
            let n = self.rng.draw();
            let key = format!("script.{n}");
            let fields = json!({"key": key, "value": format!("\"{n}\"")});
            let fields = fields.as_object().cloned().expect("an object");
            let clocks = [("value".to_owned(), now << 16)].into();
            rows.push((
                Table::Settings,
                setting_id(&key),
                Stored { fields, clocks, updated_ms: now },
            ));
            self.book.scripts.push((user, key));
        }
        if let Some(open) = self.server.begin(user, rows) {
            self.trace.note(now, || "a script begins".into());
            let open_ms = self.rng.below(15_000) as i64;
            self.plan(open_ms, Next::Commit { open });
        }
    }

    pub(super) fn commit(&mut self, open: Open) {
        self.trace.note(self.now_ms, || "a script commits".into());
        self.server.commit(open);
        self.ring();
    }

    pub(super) fn back_up(&mut self) {
        self.trace.note(self.now_ms, || "a backup".into());
        self.server.back_up();
        self.backup = Some(self.witness.clone());
    }

    pub(super) fn restore(&mut self, with_auth: bool, same_number: bool) {
        let Some(before) = self.backup.take() else { return };
        if !self.stormy {
            return;
        }
        self.trace.note(self.now_ms, || format!("the server is restored, auth {with_auth}"));
        let user = same_number.then(|| self.users[0]);
        self.server.restore(with_auth, user);
        self.witness.go_back(before);
        self.book.restored.push(self.book.saved.len());
        // What was open is rolled back; who was revoked may have been taken back.
        self.agenda.retain(|_, next| !matches!(next, Next::Commit { .. }));
        self.devices.iter_mut().for_each(|device| device.revoked_after = None);
    }

    /// The owner locks a device out, from another one.
    pub(super) fn revoke(&mut self, at: usize) {
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
        let id = device.mirror().read(synced::device_id).expect("it has one");
        if self.server.revoke(device.account().user, id.0) {
            self.trace.note(self.now_ms, || format!("{at}: is revoked"));
            device.revoked = true;
            device.revoked_after = Some(self.book.saved.len());
        }
    }

    /// The network heals, everybody is there, and nobody writes any more.
    pub(super) fn calm(&mut self) {
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
}

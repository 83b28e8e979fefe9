//! The way of a request to the server, and of its answer back.

use tidemark_core::sync::Event;
use tidemark_core::sync::failures::{Fault, FaultKind, Service};
use tidemark_core::sync::server::{Ask, Told};

use super::network::{Fate, PATIENCE_MS};
use super::server::Token;
use super::trace;
use super::world::{Next, Request, World};

impl World<'_> {
    pub(super) fn send(&mut self, at: usize, process: u64, epoch: u64, number: u64, ask: Ask) {
        let device = &mut self.devices[at];
        let account = device.active;
        let token = device.accounts[account].token;
        self.trace
            .note(self.now_ms, || format!("{at}: {process} asks {number} {}", trace::asked(&ask)));
        if ask == Ask::Refresh {
            device.refreshing.push((process, account));
            if device.refreshing.iter().filter(|(_, of)| *of == account).count() > 1 {
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
        self.may_switch(at, &fate);
        if let Some(there) = fate.there_ms {
            if let Some(again) = fate.again_ms {
                let twin = Fate { back_ms: None, again_ms: None, ..fate.clone() };
                let request = request.clone();
                self.plan(there + again, Next::Arrive { request, fate: twin });
            }
            self.plan(there, Next::Arrive { request, fate });
        }
    }

    /// Where two share a computer, one may sign out while the other's answer is on its way.
    fn may_switch(&mut self, at: usize, fate: &Fate) {
        if self.stormy && self.devices[at].accounts.len() > 1 && self.rng.one_in(30) {
            let back = fate.there_ms.unwrap_or(0) + fate.back_ms.unwrap_or(0);
            let meanwhile = self.rng.below(back.unsigned_abs() + 1) as i64;
            self.plan(meanwhile, Next::Switch { device: at });
        }
    }

    pub(super) fn arrive(&mut self, request: Request, fate: Fate) {
        let (told, token) = match fate.before {
            Some(fault) => (Err(fault), None),
            None => self.serve(&request, fate.partial),
        };
        if let Ok(told) = &told {
            let found = self.witness.see(&request.ask, told);
            self.violations.extend(found);
        }
        let told = fate.instead.map_or(told, Err);
        self.trace.note(self.now_ms, || {
            format!("{}: {} gets {}", request.device, request.number, trace::answered(&told))
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

    pub(super) fn answer(
        &mut self,
        request: Request,
        told: Result<Told, Fault>,
        token: Option<Token>,
    ) {
        let Request { device: at, process, account, epoch, number, ask, .. } = request;
        if ask == Ask::Refresh {
            // Of several ends of one refresh the first counts.
            let open = &mut self.devices[at].refreshing;
            if let Some(place) = open.iter().position(|one| *one == (process, account)) {
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

    /// The doorbell rings on the devices of a scope, or is lost.
    pub(super) fn ring(&mut self) {
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

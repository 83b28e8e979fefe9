//! What a seed has in store: who is there, and what will befall them.

use super::device::Device;
use super::person;
use super::world::{Next, World};
use crate::faults::Rng;

/// Ten years, in milliseconds.
const TEN_YEARS_MS: i64 = 315_576_000_000;

impl World<'_> {
    pub(super) fn add_device(&mut self, seed: u64, at: usize) {
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

    /// What will happen in the storm.
    pub(super) fn plan_storm(&mut self) {
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
}

//! One seed, from its beginning to its end.

use tidemark_core::faults;
use tidemark_core::sync::Limits;
use uuid::Uuid;

use super::model::{Model, ServerBug};
use super::server::Server;
use super::world::{BEGIN_MS, World};
use crate::faults::Rng;

/// A bug to be caught, wherever it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// In the engine or the mirror.
    Core(faults::Bug),
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

/// Runs a seed twice; the second run must leave the trace of the first.
pub fn run_twice(seed: u64, mut run: impl FnMut(u64) -> Outcome) -> Outcome {
    let first = run(seed);
    let second = run(seed);
    let mut outcome = first.clone();
    if second != first {
        outcome.violations.push("the same seed left two traces".into());
    }
    outcome
}

/// Runs a seed against the model, with a bug or without.
pub fn run(seed: u64, bug: Option<Bug>) -> Outcome {
    let (core, server) = match bug {
        Some(Bug::Core(bug)) => (Some(bug), None),
        Some(Bug::Server(bug)) => (None, Some(bug)),
        None => (None, None),
    };
    faults::set(core);
    let outcome = run_against(&mut Model::new(server), seed);
    faults::set(None);
    outcome
}

/// Runs a seed against a server.
pub fn run_against(server: &mut dyn Server, seed: u64) -> Outcome {
    let mut world = World::new(seed, server);
    world.live();
    faults::set_fuse(None);
    world.end()
}

impl<'s> World<'s> {
    fn new(seed: u64, server: &'s mut dyn Server) -> Self {
        let mut rng = Rng::new(seed);
        let users: Vec<Uuid> =
            (1..=1 + u128::from(rng.one_in(4))).map(|n| Uuid::from_u128(n << 64)).collect();
        server.begin_life(rng.draw(), BEGIN_MS, &users);
        let devices = 1 + rng.below(3) + u64::from(users.len() > 1);
        let limits = Limits {
            rows: 3 + rng.below(30) as u32,
            ops: 1 + rng.below(20) as u32,
            points: 2 + rng.below(6) as u32,
            in_a_row: [1, 2, 4, Limits::default().in_a_row][rng.below(4) as usize],
            ..Limits::default()
        };
        let rarity = [2, 4, 8, 30][rng.below(4) as usize];
        let mut world = World::empty(rng, server, users, rarity, limits);
        (0..devices as usize).for_each(|at| world.add_device(seed, at));
        world.plan_storm();
        world
    }
}

//! F5 over the real servers: two devices that go on writing while the network fails in every way, and what
//! holds once it has healed.
//!
//! 8 seeds in the tests; `TIDEMARK_WEATHERS=3000` on demand, `TIDEMARK_SEED` chooses the first.

use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;
use tidemark_core::api::{Credentials, OpenOptions, ProjectAddress, Shelf, Tidemark};
use tidemark_core::clock::{SharedClock, SystemClock};
use tidemark_core::model::ConversationId;
use tidemark_core::providers::secret::Secret;
use tidemark_core::secrets::MemoryKeyring;
use tidemark_core::sync::digests_here;
use tidemark_tests::faults::{Rng, scale, seed};
use tidemark_tests::stack::Plan;

use super::*;
use crate::desk::{opened, to};

/// I7: after healing everything is in its place within this time.
const HEALED: Duration = Duration::from_secs(30);
/// What a person does in one weather.
const STEPS: u64 = 30;

/// A device in this process, with the window's tasks.
pub(super) struct Live {
    pub(super) core: Tidemark,
    _folder: TempDir,
}

impl Live {
    pub(super) async fn at(clock: SharedClock) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = OpenOptions {
            keyring: Arc::new(MemoryKeyring::default()),
            run_queue: true,
            clock,
            ..OpenOptions::new(folder.path().join("data"))
        };
        Self { core: opened(&options).await, _folder: folder }
    }

    /// For whoever is the account's first, it is made.
    pub(super) async fn enters(&self, stack: &Stack, email: &str, is_first: bool) {
        let project = ProjectAddress {
            url: stack.url(),
            anon_key: stack.anon_key().to_owned(),
            ca_file: None,
        };
        let password = Secret::exact(PASSWORD);
        let who = Credentials { project: Some(project), email: email.to_owned(), password };
        let entered = match is_first {
            true => self.core.sign_up(who).await,
            false => self.core.sign_in(who).await,
        };
        entered.expect("entered");
    }

    /// Until nothing is left to do, or the time is over.
    pub(super) async fn comes_to_rest(&self, until: Instant) {
        loop {
            self.core.sync_now();
            let told = match self.core.sync_once().await {
                Ok(status) if status.counts.waiting == 0 && status.counts.parked == 0 => return,
                Ok(status) => format!("{status:?}"),
                Err(failure) => format!("{failure:?}"),
            };
            assert!(Instant::now() < until, "it never came to rest: {told}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn acts(&self, rng: &mut Rng, n: u64) {
        let list = self.core.conversations(Shelf::Active).expect("readable");
        let some: Option<ConversationId> =
            (!list.is_empty()).then(|| list[rng.below(list.len() as u64) as usize].id);
        let done = match (rng.below(6), some) {
            (0, _) | (_, None) => self.core.say(&to(None, &format!("new {n}"))).map(|_| ()),
            (1, Some(id)) => self.core.rename(id, &format!("title {n}")).map(|_| ()),
            (2, Some(id)) => self.core.trash(id).map(|_| ()),
            (_, Some(id)) => self.core.say(&to(Some(id), &format!("text {n}"))).map(|_| ()),
        };
        done.expect("the network is in nobody's way");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_network_does_all_is_in_its_place_half_a_minute_after_it_healed() {
    let stack = Stack::launch(Options::quick()).await.expect("a stack");
    let (first, weathers) = (seed(), scale("TIDEMARK_WEATHERS", 8));
    for seed in first..first + weathers {
        one(&stack, seed).await;
    }
}

async fn one(stack: &Stack, seed: u64) {
    let mut rng = Rng::new(seed);
    let email = format!("ann-{seed}@example.com");
    let devices = [Live::at(Arc::new(SystemClock)).await, Live::at(Arc::new(SystemClock)).await];
    devices[0].enters(stack, &email, true).await;
    devices[1].enters(stack, &email, false).await;
    stack.set_faults(Plan { lose_broadcasts_one_in: 3, ..Plan::any(seed, 3) });
    for n in 0..STEPS {
        devices[rng.below(2) as usize].acts(&mut rng, n);
        if rng.one_in(10) {
            stack.down();
        }
        tokio::time::sleep(Duration::from_millis(rng.below(40))).await;
        stack.up();
    }
    stack.set_faults(Plan::default());
    let until = Instant::now() + HEALED;
    loop {
        for device in &devices {
            device.comes_to_rest(until).await;
        }
        let [a, b] = devices.each_ref().map(|device| digests_here(device.core.mirror()));
        let server = devices[0].core.compare_with_server().await;
        let agree = server.as_ref().is_ok_and(|report| report.ok);
        if a.as_ref().ok() == b.as_ref().ok() && agree {
            break;
        }
        assert!(Instant::now() < until, "seed {seed}: {server:?}\n{a:?}\n{b:?}");
    }
    for device in &devices {
        device.core.close().await;
    }
}

//! The doorbell against a Realtime that does what the real one does.

use super::stack::Desk;
use super::*;

use tidemark_core::remote::realtime::{Bell, Doorbell, Down, Refusal, Rhythm};
use tidemark_core::tasks::Tasks;
use tidemark_tests::stack::{Options, Stack};
use tokio::sync::mpsc;
use uuid::Uuid;

/// A bell, and what it says.
struct Hung {
    bell: Bell,
    tasks: Tasks,
    said: mpsc::UnboundedReceiver<Doorbell>,
}

fn hung(desk: &Desk, scope: Uuid) -> Hung {
    // Silence is not what these tests are about: a busy machine is silent for a while.
    hung_with(desk, scope, Duration::from_secs(5))
}

fn hung_with(desk: &Desk, scope: Uuid, heartbeat: Duration) -> Hung {
    let tasks = Tasks::on(tokio::runtime::Handle::current());
    let (tell, said) = mpsc::unbounded_channel();
    let rhythm = Rhythm { heartbeat, first_wait: Duration::from_millis(200), ..Rhythm::default() };
    let tell = move |said| drop(tell.send(said));
    let bell = Bell::hang(&tasks, desk.tokens.clone(), scope, rhythm, tell);
    Hung { bell, tasks, said }
}

impl Hung {
    /// The first thing said that fits; all before it is passed over.
    async fn hears(&mut self, what: &str, fits: impl Fn(&Doorbell) -> bool) -> Doorbell {
        let mut before = Vec::new();
        let heard = async {
            loop {
                match self.said.recv().await {
                    Some(said) if fits(&said) => return said,
                    Some(said) => before.push(said),
                    None => panic!("the bell is gone"),
                }
            }
        };
        match tokio::time::timeout(Duration::from_secs(30), heard).await {
            Ok(said) => said,
            Err(_) => panic!("no {what}, but {before:?}"),
        }
    }

    async fn comes_up(&mut self) {
        // Twice: once for the join, once when the database's broadcasts flow.
        for _ in 0..2 {
            self.hears("up", |said| *said == Doorbell::Up).await;
        }
    }

    async fn rings(&mut self) -> u64 {
        match self.hears("ring", |said| matches!(said, Doorbell::Rang(_))).await {
            Doorbell::Rang(seq) => seq,
            other => panic!("{other:?}"),
        }
    }
}

async fn quick() -> Stack {
    Stack::launch(Options::quick()).await.expect("a stack")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_on_one_device_rings_on_the_other_and_again_after_the_line_was_cut() {
    let stack = quick().await;
    let (desk, laptop) =
        (Desk::of(&stack, "ann@example.com").await, Desk::of(&stack, "ann@example.com").await);
    let bob = Desk::of(&stack, "bob@example.com").await;
    for device in [&desk, &laptop, &bob] {
        device.hello().await;
    }
    let mut bell = hung(&laptop, laptop.user);
    bell.comes_up().await;
    bob.put(1, "of no concern to Ann").await;
    desk.put(1, "Tides").await;
    let first = bell.rings().await;
    desk.put(2, "Winds").await;
    assert!(bell.rings().await > first);
    stack.cut_sockets();
    bell.hears("down", |said| matches!(said, Doorbell::Down(_))).await;
    bell.comes_up().await;
    desk.put(3, "Waves").await;
    bell.rings().await;
    bell.tasks.close(Duration::from_secs(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bell_outlives_its_tokens() {
    let mut options = Options::quick();
    options.auth.token_life = Duration::from_secs(6);
    let stack = Stack::launch(options).await.expect("a stack");
    let desk = Desk::of(&stack, "ann@example.com").await;
    desk.hello().await;
    // A new token is shown with a beat.
    let mut bell = hung_with(&desk, desk.user, Duration::from_millis(700));
    bell.comes_up().await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    desk.put(1, "Tides").await;
    bell.rings().await;
    let mut rest = Vec::new();
    while let Ok(said) = bell.said.try_recv() {
        rest.push(said);
    }
    let fell = rest.iter().any(|said| matches!(said, Doorbell::Down(_)));
    assert!(!fell, "new tokens were shown in time: {rest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_anothers_bell() {
    let stack = quick().await;
    let (ann, bob) =
        (Desk::of(&stack, "ann@example.com").await, Desk::of(&stack, "bob@example.com").await);
    let mut bell = hung(&bob, ann.user);
    let refused = bell.hears("refusal", |said| matches!(said, Doorbell::Down(_))).await;
    assert_eq!(refused, Doorbell::Down(Down::Refused(Refusal::Forbidden)));
    // It does not hammer at the door: the next attempt is minutes away.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(bell.said.try_recv().is_err());
    bell.bell.hurry();
    bell.hears("refusal", |said| matches!(said, Doorbell::Down(_))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bell_comes_back_with_the_server_and_ends_with_its_owner() {
    let stack = quick().await;
    let desk = Desk::of(&stack, "ann@example.com").await;
    let mut bell = hung(&desk, desk.user);
    bell.comes_up().await;
    stack.down();
    bell.hears("down", |said| matches!(said, Doorbell::Down(_))).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    stack.up();
    bell.bell.hurry();
    bell.comes_up().await;
    let Hung { bell, tasks, mut said } = bell;
    drop(bell);
    let silent = async { while said.recv().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(5), silent).await.expect("the task has ended");
    tasks.close(Duration::from_secs(1)).await;
}

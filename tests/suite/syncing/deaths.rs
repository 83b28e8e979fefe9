//! A kill -9 of either device at any moment: what it said is saved is saved once, and nothing comes twice.
//!
//! 200 moments in the tests; `TIDEMARK_KILLS=3000` on demand. A failure prints the seed, and
//! `TIDEMARK_SEED` chooses it.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::Instant;

use tidemark_tests::faults::{Rng, scale, seed};

use super::*;

/// The longest that a command is let run: some end by themselves, most are killed on their way.
const LONGEST_MS: u64 = 160;

#[test]
fn a_kill_at_any_moment_of_either_loses_nothing_and_doubles_nothing() {
    let (kills, seed) = (scale("TIDEMARK_KILLS", 200), seed());
    let mut rng = Rng::new(seed);
    let stack = stack();
    let devices = [Device::first(&stack), Device::another(&stack)];
    let chat = devices[0].says("new", "the beginning");
    devices[0].syncs();
    devices[1].syncs();
    let mut said: BTreeMap<String, bool> = BTreeMap::new();
    let mut killed = 0;
    for n in 0..kills {
        let device = &devices[rng.below(2) as usize];
        // A sync needs something to carry, so every other command writes.
        let arguments = match rng.below(2) {
            0 => vec!["sync".to_owned()],
            _ => vec!["say".to_owned(), chat.clone(), format!("message {n}")],
        };
        let mut command = device.0.command();
        let child = command.args(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let ended =
            kill_after(child.expect("it starts"), Duration::from_millis(rng.below(LONGEST_MS)));
        killed += usize::from(!ended);
        if arguments[0] == "say" {
            said.insert(format!("message {n}"), ended);
        }
    }
    assert!(
        killed * 4 > kills as usize,
        "seed {seed}: only {killed} of {kills} were killed on their way"
    );
    devices.iter().for_each(|device| drop(device.syncs()));
    devices[0].syncs();
    let texts = devices[0].texts(&chat);
    for (text, was_told) in &said {
        let there = texts.iter().filter(|one| *one == text).count();
        assert!(there <= 1, "seed {seed}: {text} is there {there} times");
        assert!(there == 1 || !was_told, "seed {seed}: {text} was saved and is gone");
    }
    assert_eq!(devices[0].holds(), devices[1].holds(), "seed {seed}");
    devices.iter().for_each(Device::agrees_with_the_server);
}

/// Whether it came to a good end before it was killed.
fn kill_after(mut child: Child, time: Duration) -> bool {
    let began = Instant::now();
    while began.elapsed() < time {
        if let Some(status) = child.try_wait().expect("it is ours") {
            return status.success();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = child.kill();
    child.wait().expect("it is ours").success()
}

//! Many people with two devices each, on one server at once.
//!
//! Each device writes what people write and syncs with the real engine and the doorbell. While it
//! lasts, nothing may fail that is not tried again; at its end, all devices of a person and the server
//! hold the same. The short run is part of the suite; `TIDEMARK_CROWD=20,60` makes it twenty people and
//! sixty seconds, and prints how long requests and journeys took.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidemark_core::events::Change;
use tidemark_core::mirror::conversations::{self, Field};
use tidemark_core::mirror::{messages, outbox, settings};
use tidemark_core::model::{
    Conversation, ConversationId, Message, MessageId, MessageState, Role, TitleBy,
};
use tidemark_core::sync::Limits;
use tidemark_core::sync::failures::{Decision, decide};
use tidemark_tests::device::{Asked, Device, Person, differing};
use tidemark_tests::faults::{Rng, seed};
use tidemark_tests::stack::{Options, Project};

/// People and seconds, where nobody says otherwise.
const USUAL: (u64, u64) = (5, 6);
/// How long the last change may take to be everywhere.
const CALM: Duration = Duration::from_secs(60);
/// So many of what is asked for in a setting's name.
const SETTINGS: u64 = 4;

/// A person's devices, and what was written on them.
struct Household {
    devices: Vec<Device>,
    /// When each message was committed, by the device that wrote it.
    written: Arc<Mutex<Vec<(MessageId, usize, Instant)>>>,
}

impl Household {
    async fn of(project: &Project, folder: &TempDir, number: u64) -> anyhow::Result<Self> {
        let email = format!("person-{number}@example.com");
        let (person, _) = Person::sign_up(&project.url, &project.anon_key, &email).await?;
        let mut devices = Vec::new();
        for name in ["desk", "lap"] {
            let place = folder.path().join(format!("{number}-{name}"));
            let seed = number * 2 + devices.len() as u64;
            let mut device = Device::open(&person, &place, Limits::default(), seed).await?;
            device.sign_in();
            device.hang_bell().await?;
            devices.push(device);
        }
        Ok(Self { devices, written: Arc::default() })
    }

    /// All devices at work until `end`; answers with how long each message took to the other device.
    async fn live(&self, seed: u64, end: Instant) -> Vec<Duration> {
        let mut at_work = Vec::new();
        for (place, device) in self.devices.iter().enumerate() {
            let (mirror, written) = (device.mirror.clone(), Arc::clone(&self.written));
            let rng = Rng::new(seed ^ (place as u64) << 32);
            at_work.push(tokio::spawn(work(mirror, written, place, rng, end)));
        }
        let watching: Vec<_> =
            (0..self.devices.len()).map(|place| self.watch(place, end)).collect();
        let seen = futures::future::join_all(watching).await;
        for device in at_work {
            device.await.expect("nothing panics at work");
        }
        seen.into_iter().flatten().collect()
    }

    /// How long what the others wrote took until it was here.
    async fn watch(&self, place: usize, end: Instant) -> Vec<Duration> {
        let mirror = &self.devices[place].mirror;
        let mut changes = mirror.events().subscribe();
        let mut took = Vec::new();
        while let Ok(Some(change)) = tokio::time::timeout_at(end.into(), changes.next()).await {
            if !matches!(change, Change::Message { .. } | Change::Everything) {
                continue;
            }
            let now = Instant::now();
            self.written.lock().expect("nobody panics in here").retain(|(id, by, at)| {
                let is_here = *by != place && mirror.read(|c| messages::get(c, *id)).is_ok();
                took.extend(is_here.then(|| now - *at));
                !is_here
            });
        }
        took
    }

    async fn level(&self) {
        for _ in 0..2 {
            // What the first one still had to say, the second one hears in the second round.
            for device in &self.devices {
                device.engine.tell(tidemark_core::sync::Event::Woke);
                let rested = tokio::time::timeout(CALM, device.engine.rested());
                rested.await.expect("it comes to rest");
                device.level(CALM).await.expect("nothing is left to do");
            }
        }
    }
}

/// Writes on a device until `end`.
async fn work(
    mirror: tidemark_core::mirror::Mirror,
    written: Arc<Mutex<Vec<(MessageId, usize, Instant)>>>,
    place: usize,
    mut rng: Rng,
    end: Instant,
) {
    while Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(50 + rng.below(500))).await;
        let (mirror, draw) = (mirror.clone(), [rng.draw(), rng.draw()]);
        let wrote = tokio::task::spawn_blocking(move || act(&mirror, draw)).await;
        if let Some(id) = wrote.expect("nothing panics while writing") {
            written.lock().expect("as above").push((id, place, Instant::now()));
        }
    }
}

/// One thing that a person does; a new message is told.
fn act(mirror: &tidemark_core::mirror::Mirror, [what, which]: [u64; 2]) -> Option<MessageId> {
    let known = mirror.read(|c| conversations::list(c, Default::default())).expect("reads");
    let one = (!known.is_empty()).then(|| known[which as usize % known.len()].id);
    let id = mirror.clock().new_id();
    mirror
        .write(|write| match (what % 10, one) {
            (0, _) | (_, None) => {
                let title = format!("Chat {which}");
                let blank = Conversation::blank(ConversationId(id), write.now);
                conversations::insert(write, &Conversation { title, ..blank }).map(|()| None)
            }
            (1..=2, Some(one)) => {
                let title = Field::Title(format!("Title {which}"), TitleBy::Person);
                conversations::set(write, one, &title).map(|()| None)
            }
            (3, Some(_)) => {
                let key = format!("crowd.{}", which % SETTINGS);
                settings::set(write, &key, &which.into()).map(|()| None)
            }
            (_, Some(one)) => {
                let blank = Message::blank(MessageId(id), one, Role::User, write.now);
                let content = format!("{which} ").repeat(1 + which as usize % 40);
                let message = Message { content, state: MessageState::Done, ..blank };
                messages::insert(write, &message, messages::Index::Soon)?;
                Ok(Some(message.id))
            }
        })
        .expect("a person's write succeeds")
}

/// People and seconds: as the suite has them, or as `TIDEMARK_CROWD` says.
fn wanted() -> (u64, u64) {
    let said = std::env::var("TIDEMARK_CROWD").ok();
    let said = said.as_deref().and_then(|said| said.split_once(','));
    said.map_or(USUAL, |(people, seconds)| {
        (people.parse().expect("people"), seconds.parse().expect("seconds"))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_on_one_server_ends_with_equal_digests_and_no_error_that_was_not_retried() {
    let ((people, seconds), seed) = (wanted(), seed());
    let project = Project::open(Options::quick()).await.expect("a project");
    let folder = TempDir::new().expect("a folder");
    let mut crowd = Vec::new();
    for number in 0..people {
        crowd.push(Household::of(&project, &folder, number).await.expect("a household"));
    }
    let end = Instant::now() + Duration::from_secs(seconds);
    let lives = crowd.iter().enumerate().map(|(n, home)| home.live(seed ^ n as u64, end));
    let journeys = futures::future::join_all(lives).await.concat();

    let mut asked = Vec::new();
    for home in &crowd {
        home.level().await;
        for device in &home.devices {
            let counts = device.mirror.read(outbox::counts).expect("counts");
            assert_eq!(counts.parked, 0, "nothing was refused for good; TIDEMARK_SEED={seed}");
            asked.extend(device.remote.take());
            let differ = differing(device).await.expect("digests");
            assert!(differ.is_empty(), "{differ:?} differ from the server; TIDEMARK_SEED={seed}");
        }
    }
    for Asked { what, fault, .. } in &asked {
        let decided = fault.as_ref().map(decide);
        let stands = matches!(decided, Some(Decision::Pause(_)));
        assert!(!stands, "{what} failed for good: {fault:?}; TIDEMARK_SEED={seed}");
    }
    assert!(!journeys.is_empty(), "what one device wrote was seen on the other meanwhile");
    tell(&asked, journeys);
    for device in crowd.into_iter().flat_map(|home| home.devices) {
        device.close().await;
    }
}

/// What the run was like: for whoever runs it with `--no-capture`.
#[allow(clippy::print_stderr)]
fn tell(asked: &[Asked], journeys: Vec<Duration>) {
    let faults = asked.iter().filter(|asked| asked.fault.is_some()).count();
    eprintln!("{} requests, {faults} of them failed and were sent again", asked.len());
    for what in ["push", "pull"] {
        let times = asked.iter().filter(|asked| asked.what == what).map(|asked| asked.took);
        eprintln!("{what}: {}", percentiles(times.collect()));
    }
    eprintln!("committed here to seen there: {}", percentiles(journeys));
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: f64| {
        let place = (times.len().saturating_sub(1) as f64 * share).ceil() as usize;
        times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(at);
    format!("p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms, n {}", times.len())
}

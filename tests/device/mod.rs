//! A device of a person: a mirror in a folder, the real engine, and the way to a project.
//!
//! What the app puts together when somebody signs in, without the app: for suites and measurements
//! that run several devices beside each other. The session is kept in memory.

mod counted;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use tidemark_core::clock::SystemClock;
use tidemark_core::events::Events;
use tidemark_core::mirror::key::Key;
use tidemark_core::mirror::{self, Mirror, account, outbox};
use tidemark_core::providers::secret::Secret;
use tidemark_core::remote::realtime::{Bell, Doorbell, Down, Refusal, Rhythm};
use tidemark_core::remote::{
    AboutDevice, Auth, Link, Patience, Project, Server, Session, SessionStore, SignedUp,
    StoreError, Tokens,
};
use tidemark_core::sync::status::SyncState;
use tidemark_core::sync::{Engine, Event, Limits};
use tidemark_core::tasks::Tasks;
use tokio::runtime::Handle;
use uuid::Uuid;
use zeroize::Zeroizing;

pub use counted::{Asked, Counted};

const PASSWORD: &str = "correct horse battery";
/// The key of every mirror made here: there is nobody to keep it from.
const KEY: [u8; 48] = [0x42; 48];
/// How long a device may take to end its tasks.
const ENDING: Duration = Duration::from_secs(5);

/// Somebody with an account in a project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    /// The project's address.
    pub url: String,
    /// Its key for clients.
    pub anon_key: String,
    /// Who it is.
    pub email: String,
}

impl Person {
    /// Makes the account, in a project that confirms addresses at once. Answers with the user's id, too.
    pub async fn sign_up(url: &str, anon_key: &str, email: &str) -> anyhow::Result<(Self, Uuid)> {
        let person =
            Self { url: url.to_owned(), anon_key: anon_key.to_owned(), email: email.to_owned() };
        match person.auth()?.sign_up(email, &Secret::new(PASSWORD)).await? {
            SignedUp::In(session) => Ok((person, session.user.id)),
            SignedUp::Confirm => bail!("the project confirms addresses by mail"),
        }
    }

    /// Signs in: a session of its own.
    pub async fn session(&self) -> anyhow::Result<Session> {
        Ok(self.auth()?.sign_in(&self.email, &Secret::new(PASSWORD)).await?)
    }

    fn auth(&self) -> anyhow::Result<Auth> {
        let project = Project::parse(&self.url, &self.anon_key)?;
        Ok(Auth::new(Link::new(project, Patience::default()), Arc::new(SystemClock)))
    }
}

/// A mirror with an engine.
#[derive(Debug)]
pub struct Device {
    /// Its mirror.
    pub mirror: Mirror,
    /// Its engine, which was told nothing yet.
    pub engine: Engine,
    /// Its way to the server, counted.
    pub remote: Arc<Counted<Server>>,
    /// Whose it is.
    pub user: Uuid,
    tokens: Tokens,
    tasks: Tasks,
    bell: Option<Bell>,
}

impl Device {
    /// A device with its data in `folder`, signed in and attached; nothing is synced yet. `seed` chooses
    /// the jitter of its waits.
    pub async fn open(
        person: &Person,
        folder: &Path,
        limits: Limits,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let session = person.session().await?;
        let user = session.user.id;
        let tokens = Tokens::new(person.auth()?, Arc::new(InMemory::default()));
        tokens.adopt(session).await?;
        let mirror = open(folder)?;
        if mirror.read(account::get)?.is_none() {
            mirror.write(|write| account::attach(write, &person.url, user, &person.email))?;
        }
        let remote = Arc::new(Counted::new(Server::new(tokens.clone(), user, about(folder))));
        let tasks = Tasks::on(Handle::current());
        let lock = folder.join("sync.lock");
        let engine = Engine::start(mirror.clone(), Arc::clone(&remote), lock, limits, seed, &tasks);
        Ok(Self { mirror, engine, remote, user, tokens, tasks, bell: None })
    }

    /// Begins to sync.
    pub fn sign_in(&self) {
        self.engine.tell(Event::SignedIn { user_id: self.user });
    }

    /// Listens to the doorbell from now on, and waits until it hangs.
    pub async fn hang_bell(&mut self) -> anyhow::Result<()> {
        let (up, hangs) = tokio::sync::watch::channel(false);
        let engine = self.engine.clone();
        let tell = move |said| match said {
            Doorbell::Up => {
                up.send_replace(true);
                engine.tell(Event::Woke);
            }
            Doorbell::Rang(seq) => {
                engine.tell(Event::Rang { seq: i64::try_from(seq).unwrap_or(i64::MAX) });
            }
            Doorbell::Down(Down::Refused(Refusal::Token)) => engine.tell(Event::TokenStale),
            Doorbell::Down(_) => {}
        };
        let (tokens, rhythm) = (self.tokens.clone(), Rhythm::default());
        self.bell = Some(Bell::hang(&self.tasks, tokens, self.user, rhythm, tell));
        let mut hangs = hangs;
        let waiting = hangs.wait_for(|up| *up);
        tokio::time::timeout(Duration::from_secs(30), waiting).await.context("no doorbell")??;
        Ok(())
    }

    /// Waits until the engine says that nothing is left to do, and the outbox says so too.
    ///
    /// # Errors
    /// It stands still, or has not come to an end within `patience`.
    pub async fn level(&self, patience: Duration) -> anyhow::Result<()> {
        let mut shown = self.engine.watch();
        let level = async {
            loop {
                let status = shown.borrow_and_update().clone();
                if let SyncState::Paused { why } = status.state {
                    bail!("sync stands still: {why:?}");
                }
                let up = matches!(status.state, SyncState::UpToDate { .. });
                if up && self.waiting()? == 0 {
                    return Ok(());
                }
                // The outbox may be ahead of the status.
                let _ = tokio::time::timeout(Duration::from_millis(50), shown.changed()).await;
            }
        };
        let ended = tokio::time::timeout(patience, level).await;
        ended.with_context(|| format!("not level: {:?}", self.engine.status()))?
    }

    /// Operations without an outcome, parked ones apart.
    pub fn waiting(&self) -> anyhow::Result<i64> {
        let counts = self.mirror.read(outbox::counts)?;
        Ok(counts.waiting + counts.in_flight + counts.held + counts.behind)
    }

    /// Ends its tasks.
    pub async fn close(self) {
        drop(self.bell);
        self.tasks.close(ENDING).await;
    }
}

/// The mirror in a folder, made where there is none.
pub fn open(folder: &Path) -> anyhow::Result<Mirror> {
    std::fs::create_dir_all(folder)?;
    let (path, clock) = (folder.join(mirror::FILE), Arc::new(SystemClock));
    Ok(mirror::open(&path, &key()?, Uuid::now_v7(), clock, Events::default())?)
}

/// The key of every mirror made here.
pub fn key() -> anyhow::Result<Key> {
    Key::from_bytes(&KEY).context("a key of the right length")
}

fn about(folder: &Path) -> AboutDevice {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    AboutDevice { name, platform: "linux".into(), app_version: env!("CARGO_PKG_VERSION").into() }
}

/// Conversations whose digests differ between a device and the server, of all that either has.
///
/// # Errors
/// Those of asking and reading.
pub async fn differing(device: &Device) -> anyhow::Result<Vec<Uuid>> {
    use tidemark_core::sync::server::{Ask, Remote as _, Told};
    let mut here: std::collections::BTreeSet<Uuid> =
        device.mirror.read(mirror::synced::conversations)?.into_iter().collect();
    let (mut after, mut differ) = (None, Vec::new());
    loop {
        let told = device.remote.ask(Ask::Digest { after, max: 500 }).await;
        let Ok(Told::Digests(page)) = told else { bail!("no digests: {told:?}") };
        ensure!(!page.has_more || !page.conversations.is_empty(), "a page that stands still");
        for (id, digest) in page.conversations {
            here.remove(&id);
            after = Some(id);
            if tidemark_core::sync::digest_of_conversation(&device.mirror, id)? != digest {
                differ.push(id);
            }
        }
        if !page.has_more {
            differ.extend(here);
            return Ok(differ);
        }
    }
}

/// Keeps a session for as long as the program runs.
#[derive(Debug, Default)]
struct InMemory(Mutex<Option<String>>);

impl SessionStore for InMemory {
    fn load(&self) -> Result<Option<Zeroizing<String>>, StoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().map(Zeroizing::new))
    }

    fn save(&self, text: &str) -> Result<(), StoreError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.to_owned());
        Ok(())
    }

    fn clear(&self) -> Result<(), StoreError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}

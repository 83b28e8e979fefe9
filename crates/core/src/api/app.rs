//! From a folder to an open mirror: keys, passphrases, refusals.

use std::fs::{File, OpenOptions as FileOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use super::{AppState, KeyStore, SalvageReport, Tidemark};
use crate::chat::instance::Instance;
use crate::clock::{SharedClock, SystemClock};
use crate::error::{Code, Failure, Result};
use crate::events::Events;
use crate::import::watch::Pace;
use crate::mirror::card::{Card, Wrapped};
use crate::mirror::key::Key;
use crate::mirror::{self, Mirror};
use crate::providers::http::Timeouts;
use crate::secrets::{Keyring, SystemKeyring};

/// What opening needs to know; nothing is read from the environment.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The folder of the mirror; made where it is missing.
    pub data_dir: PathBuf,
    /// A file with the key, instead of keyring and passphrase.
    pub key_file: Option<PathBuf>,
    /// The organisation's configuration, where an administrator may have put one.
    pub organisation: Option<PathBuf>,
    /// More folders in which local models lie, beside the data folder's own.
    pub model_dirs: Vec<PathBuf>,
    /// Whether this process runs the whole send queue (the window), or only its own answers.
    pub run_queue: bool,
    /// The system's keyring, or one for tests.
    pub keyring: Arc<dyn Keyring>,
    /// Time and ids.
    pub clock: SharedClock,
    /// How long a provider may be silent.
    pub provider_timeouts: Timeouts,
    /// How soon and how often sources that are still written to are looked at.
    pub import_pace: Pace,
    /// The program's version, for the about page and `doctor`.
    pub version: String,
}

impl OpenOptions {
    /// Options for a folder, with the system's keyring and clock.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            key_file: None,
            organisation: None,
            model_dirs: Vec::new(),
            run_queue: false,
            keyring: Arc::new(SystemKeyring::default()),
            clock: Arc::new(SystemClock),
            provider_timeouts: Timeouts::default(),
            import_pace: Pace::default(),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }
}

/// A mirror that is open, opening, or in need of something.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: OpenOptions,
    runtime: tokio::runtime::Handle,
    state: watch::Sender<Option<State>>,
    /// One attempt to open at a time.
    opening: Mutex<()>,
}

/// How far opening got.
#[derive(Debug, Clone)]
enum State {
    Ready { core: Tidemark, key: KeyStore, salvaged: Option<SalvageReport> },
    Locked { failure: Failure, has_passphrase: bool },
    NeedsPassphrase { failure: Failure },
    Failed { failure: Failure },
}

impl App {
    /// Begins to open the mirror on a thread of its own; [`App::state`] tells how it went.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn start(options: OpenOptions) -> Self {
        let runtime = tokio::runtime::Handle::current();
        let inner = Inner {
            options,
            runtime: runtime.clone(),
            state: watch::Sender::new(None),
            opening: Mutex::default(),
        };
        let app = Self { inner: Arc::new(inner) };
        let opening = app.clone();
        runtime.spawn_blocking(move || opening.settle(|app| app.open()));
        app
    }

    /// What the window shows first; waits until opening has come to an end.
    pub async fn state(&self) -> AppState {
        let mut receiver = self.inner.state.subscribe();
        let state = receiver.wait_for(Option::is_some).await.map(|state| state.clone());
        match state {
            Ok(Some(state)) => self.view(&state),
            _ => self.view(&State::Failed {
                failure: Failure::new(Code::Internal, "Tidemark is closing."),
            }),
        }
    }

    /// The open mirror.
    ///
    /// # Errors
    /// It is not open; the failure says why.
    pub fn core(&self) -> Result<Tidemark> {
        match &*self.inner.state.borrow() {
            Some(State::Ready { core, .. }) => Ok(core.clone()),
            Some(
                State::Locked { failure, .. }
                | State::NeedsPassphrase { failure }
                | State::Failed { failure },
            ) => Err(failure.clone()),
            None => Err(still_opening()),
        }
    }

    /// Opens a locked mirror with its passphrase or its recovery key.
    ///
    /// # Errors
    /// Neither of them fits; the mirror stays locked and as it is.
    pub async fn unlock(&self, passphrase: String) -> Result<AppState> {
        self.blocking(move |app| {
            app.step(|app, state| match state {
                State::Ready { .. } => Ok(state.clone()),
                _ => app.open_with(app.key_from(&passphrase)?),
            })
        })
        .await?;
        self.ready_or_failure().await
    }

    /// Tries again to open what did not open: the keyring may be unlocked by now, the disk there.
    pub async fn reopen(&self) -> AppState {
        let app = self.clone();
        let opening = self.inner.runtime.spawn_blocking(move || {
            if app.core().is_err() {
                app.inner.options.keyring.ask_again();
                app.settle(|app| app.open());
            }
        });
        // Whatever came of it stands in the state.
        let _ = opening.await;
        self.state().await
    }

    /// Makes the first mirror on a computer without a keyring, its key wrapped with a passphrase.
    ///
    /// # Errors
    /// The passphrase is too short, or there is a mirror already.
    pub async fn choose_passphrase(&self, passphrase: String) -> Result<AppState> {
        self.blocking(move |app| {
            app.step(|app, state| match state {
                State::NeedsPassphrase { .. } => app.begin_with(&passphrase),
                _ => Err(Failure::new(Code::WrongState, "This mirror has a key already.")),
            })
        })
        .await?;
        self.ready_or_failure().await
    }

    /// Stops all tasks and closes the mirror, within about three seconds.
    pub async fn close(&self) {
        if let Ok(core) = self.core() {
            core.close().await;
        }
    }

    async fn ready_or_failure(&self) -> Result<AppState> {
        let state = self.state().await;
        self.core().map(|_| state)
    }

    async fn blocking(
        &self,
        work: impl FnOnce(&Self) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let app = self.clone();
        self.inner.runtime.spawn_blocking(move || work(&app)).await.unwrap_or_else(|_| {
            Err(Failure::new(Code::Internal, "Tidemark could not be opened. Nothing was changed."))
        })
    }

    fn folder(&self) -> &Path {
        &self.inner.options.data_dir
    }

    /// Stores how an attempt went.
    fn settle(&self, attempt: impl FnOnce(&Self) -> Result<State>) {
        let _one_at_a_time = self.inner.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let state = attempt(self).unwrap_or_else(|failure| State::Failed { failure });
        self.inner.state.send_replace(Some(state));
    }

    /// Goes from the state that was reached to the next one; a failure leaves it as it is. Two
    /// windows' clicks come one after the other.
    fn step(&self, next: impl FnOnce(&Self, &State) -> Result<State>) -> Result<()> {
        let _one_at_a_time = self.inner.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.inner.state.borrow().clone();
        let state = state.ok_or_else(still_opening)?;
        self.inner.state.send_replace(Some(next(self, &state)?));
        Ok(())
    }

    fn view(&self, state: &State) -> AppState {
        let data_dir = self.folder().display().to_string();
        match state {
            State::Ready { core, key, salvaged } => AppState::Ready {
                first_run_done: core.first_run_done(),
                data_dir,
                mirror_id: core.mirror().id().to_string(),
                version: self.inner.options.version.clone(),
                key: *key,
                salvaged: salvaged.clone(),
            },
            State::Locked { failure, has_passphrase } => {
                AppState::Locked { failure: failure.clone(), has_passphrase: *has_passphrase }
            }
            State::NeedsPassphrase { failure } => {
                AppState::NeedsPassphrase { failure: failure.clone() }
            }
            State::Failed { failure } => AppState::Failed { failure: failure.clone(), data_dir },
        }
    }

    fn open(&self) -> Result<State> {
        make_folder(self.folder())?;
        let _alone = self.lock_folder()?;
        let card = Card::read(self.folder()).map_err(mirror::Error::from)?;
        let exists = ["", "-wal"]
            .iter()
            .any(|end| has_bytes(&self.folder().join(format!("{}{end}", mirror::FILE))));
        if card.as_ref().is_some_and(|card| card.made) && !exists {
            return Err(file_gone());
        }
        match (&self.inner.options.key_file, card) {
            (Some(file), card) => self.open_with_file(file, card),
            (None, Some(card)) => self.open_with_card(&card),
            (None, None) if exists => {
                Ok(State::Locked { failure: no_card(), has_passphrase: false })
            }
            (None, None) => self.begin(),
        }
    }

    /// Without the lock two processes that start at once would both make the first mirror.
    fn lock_folder(&self) -> Result<File> {
        let lock = FileOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.folder().join("open.lock"))
            .and_then(|file| file.lock().map(|()| file));
        Ok(lock.map_err(mirror::Error::from)?)
    }

    fn open_with_file(&self, file: &Path, card: Option<Card>) -> Result<State> {
        let key = Key::from_file(file)?;
        if card.as_ref().is_some_and(|card| card.fingerprint != key.fingerprint()) {
            return Err(mirror::Error::WrongKey.into());
        }
        let card = card.unwrap_or_else(|| self.card(KeyStore::File, &key));
        self.open_mirror(&card, &key, KeyStore::File)
    }

    fn open_with_card(&self, card: &Card) -> Result<State> {
        let has_passphrase = card.wrapped.is_some();
        let locked = |failure| Ok(State::Locked { failure, has_passphrase });
        if card.key != KeyStore::Keyring {
            return locked(Failure::new(
                Code::Locked,
                "This mirror is locked. Everything in it is safe.",
            ));
        }
        match self.inner.options.keyring.get(&key_entry(card.mirror_id)) {
            Ok(Some(secret)) => match Key::from_bytes(&secret) {
                Some(key) if key.fingerprint() == card.fingerprint => self.open_mirror(card, &key, card.key),
                _ => locked(mirror::Error::WrongKey.into()),
            },
            Ok(None) => locked(
                Failure::new(Code::Locked, "The keyring has no key for this mirror. Everything in it is safe.")
                    .hint("Enter the recovery key."),
            ),
            Err(error) => locked(
                Failure::new(Code::Locked, format!("The key is in the system's keyring, and {error}. Everything in the mirror is safe."))
                    .hint("Unlock the keyring and start Tidemark again, or enter the recovery key."),
            ),
        }
    }

    /// The first mirror of a folder.
    fn begin(&self) -> Result<State> {
        let key = Key::random()?;
        let card = self.card(KeyStore::Keyring, &key);
        let keyring = &self.inner.options.keyring;
        let entry = key_entry(card.mirror_id);
        // Read back, so that a keyring that forgets is found before anything depends on it.
        let kept = keyring.set(&entry, key.bytes()).and_then(|()| keyring.get(&entry));
        match kept {
            Ok(Some(secret)) if secret.as_slice() == key.bytes() => {
                // Before the file: one without a card could not be opened again after a power cut.
                card.write(self.folder()).map_err(mirror::Error::from)?;
                self.open_mirror(&card, &key, card.key)
            }
            other => {
                let why = other.err().map_or_else(
                    || "it does not keep what it is given".into(),
                    |error| error.to_string(),
                );
                Ok(State::NeedsPassphrase {
                    failure: Failure::new(Code::Locked, format!("Tidemark encrypts what it keeps. The key belongs in the system's keyring, but {why}."))
                        .hint("Choose a passphrase instead. You will be asked for it at every start."),
                })
            }
        }
    }

    /// The first mirror of a folder, its key wrapped with a passphrase.
    fn begin_with(&self, passphrase: &str) -> Result<State> {
        let key = Key::random()?;
        let wrapped = Some(Wrapped::seal(&key, passphrase)?);
        let _alone = self.lock_folder()?;
        if Card::read(self.folder()).map_err(mirror::Error::from)?.is_some() {
            return Err(Failure::new(Code::WrongState, "Another window has made the mirror.")
                .hint("Start Tidemark again."));
        }
        let card = Card { wrapped, ..self.card(KeyStore::Passphrase, &key) };
        card.write(self.folder()).map_err(mirror::Error::from)?;
        self.open_mirror(&card, &key, card.key)
    }

    /// What a person typed: a recovery key, else the passphrase.
    fn key_from(&self, typed: &str) -> Result<Key> {
        let card = Card::read(self.folder()).map_err(mirror::Error::from)?;
        let fits =
            |key: &Key| card.as_ref().is_none_or(|card| card.fingerprint == key.fingerprint());
        let recovered = Key::from_recovery(typed).filter(fits);
        let wrapped = card.as_ref().and_then(|card| card.wrapped.as_ref());
        recovered.or_else(|| wrapped?.open(typed).filter(fits)).ok_or_else(|| {
            Failure::new(Code::WrongKey, "That does not open this mirror. Nothing was changed.")
                .hint("Check the spelling; the recovery key has 16 groups of letters and digits.")
        })
    }

    fn open_with(&self, key: Key) -> Result<State> {
        let _alone = self.lock_folder()?;
        let card = Card::read(self.folder()).map_err(mirror::Error::from)?;
        let card = card.unwrap_or_else(|| self.card(KeyStore::Keyring, &key));
        let state = self.open_mirror(&card, &key, card.key)?;
        if let (KeyStore::Keyring, State::Ready { core, .. }) = (card.key, &state) {
            // The keyring forgot, or it is another computer's: put the key back where it belongs.
            let entry = key_entry(core.mirror().id());
            let _ = self.inner.options.keyring.set(&entry, key.bytes());
        }
        Ok(state)
    }

    fn card(&self, kept: KeyStore, key: &Key) -> Card {
        let mirror_id = self.inner.options.clock.new_id();
        Card { mirror_id, key: kept, fingerprint: key.fingerprint(), made: false, wrapped: None }
    }

    fn open_mirror(&self, card: &Card, key: &Key, kept: KeyStore) -> Result<State> {
        let events = Events::default();
        let (mirror, salvaged) = self.mirror(card.mirror_id, key, events)?;
        let card = Card { mirror_id: mirror.id(), key: kept, made: true, ..card.clone() };
        if Card::read(self.folder()).ok().flatten().as_ref() != Some(&card) {
            card.write(self.folder()).map_err(mirror::Error::from)?;
        }
        let core =
            Tidemark::begin(mirror, key.clone(), kept, &self.inner.options, &self.inner.runtime)?;
        Ok(State::Ready { core, key: kept, salvaged })
    }

    /// Opens the file; the card has proved the key, so what it does not open is damaged.
    fn mirror(
        &self,
        id: Uuid,
        key: &Key,
        events: Events,
    ) -> Result<(Mirror, Option<SalvageReport>)> {
        let path = self.folder().join(mirror::FILE);
        let clock = self.inner.options.clock.clone();
        Ok(mirror::salvage::open_or_recover(&path, key, id, clock, events, || {
            !Instance::any_alive(&self.folder().join(RUN))
        })?)
    }
}

fn still_opening() -> Failure {
    Failure::new(Code::Busy, "Tidemark is still opening.").hint("Try again in a moment.")
}

/// Where the processes that have the mirror open keep their locks.
pub(super) const RUN: &str = "run";

fn key_entry(mirror_id: Uuid) -> String {
    format!("{mirror_id}/mirror-key")
}

fn has_bytes(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0)
}

/// A new, empty mirror in the place of one that is gone would look like a lost history.
fn file_gone() -> Failure {
    Failure::new(
        Code::Corrupt,
        "The file mirror.db is missing or empty, though there was a mirror in this folder. Nothing was changed.",
    )
    .hint("Put it back from a backup. To begin with an empty one, move mirror.json away first.")
}

fn no_card() -> Failure {
    Failure::new(Code::Locked, "The file mirror.json is missing, so the key cannot be found. Everything in the mirror is safe.")
        .hint("Enter the recovery key.")
}

/// Makes the data folder, for its owner only.
fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(mirror::Error::from)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // A folder that cannot be changed may still be one that can be used.
        let _ = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700));
    }
    Ok(())
}

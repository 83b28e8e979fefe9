//! One app with a home of its own: opened, looked at, killed, opened again.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::driver::{Launch, Session, signal};
use crate::stage::{Bus, Display, Keyring, Stage};
use crate::x11::{Pixels, XWindow};

/// Where the mirror's key is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// In a file that is made with the app.
    File,
    /// In a keyring on the app's own bus.
    Keyring,
}

/// An app, its home and its bus. All of it goes away with this value.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) stage: Arc<Stage>,
    pub(crate) session: Option<Session>,
    environment: Vec<(String, String)>,
    home: PathBuf,
    size: (u32, u32),
    _keyring: Option<Keyring>,
    bus: Bus,
    display: Display,
    // Last, because those above write into it.
    _temporary: Option<TempDir>,
}

impl App {
    /// An app that is not open yet, in a new home, with its key in a file.
    pub(crate) fn new(stage: &Arc<Stage>) -> anyhow::Result<Self> {
        let temporary = TempDir::with_prefix("tidemark-e2e-")?;
        let mut app = Self::at_home(stage, temporary.path(), Key::File)?;
        app._temporary = Some(temporary);
        Ok(app)
    }

    /// An app that is not open yet, in a home that stays.
    pub(crate) fn at_home(stage: &Arc<Stage>, home: &Path, key: Key) -> anyhow::Result<Self> {
        let bus = Bus::start()?;
        let display = Display::open()?;
        let mut environment = environment(stage, home, &bus, &display)?;
        let keyring = match key {
            Key::File => {
                environment.push(("TIDEMARK_KEY_FILE".into(), text(&key_file(home)?)));
                None
            }
            Key::Keyring => Some(Keyring::unlock(&environment, &home.join("runtime"))?),
        };
        Ok(Self {
            stage: stage.clone(),
            session: None,
            environment,
            home: home.to_owned(),
            size: (1280, 860),
            _keyring: keyring,
            bus,
            display,
            _temporary: None,
        })
    }

    /// The app's environment, beside our own.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&String, &String)> {
        self.environment.iter().map(|(name, value)| (name, value))
    }

    /// Where the mirror is.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.home.join("tidemark")
    }

    /// The file with the mirror's key, where it is kept in one.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.home.join("mirror.key")
    }

    /// What the app and the driver printed.
    pub(crate) fn log(&self) -> PathBuf {
        self.home.join("app.log")
    }

    /// Opens the window and waits until its page is loaded.
    pub(crate) fn open(&mut self) -> anyhow::Result<()> {
        let launch = Launch {
            binary: &self.stage.app.clone(),
            arguments: vec!["--data-dir".into(), text(&self.data_dir())],
            environment: self.environment.clone(),
            log: &self.log(),
        };
        self.session = Some(Session::open(&launch)?);
        self.window()?.focus()?;
        self.session()?.resize(self.size.0, self.size.1)?;
        self.watch_console()?;
        let loaded = "return document.readyState === 'complete'";
        self.until("the page to be loaded", || Ok(self.js(loaded)? == true))
    }

    /// Closes the window as a person does, and waits until the process has ended.
    pub(crate) fn close(&mut self) -> anyhow::Result<()> {
        let mut session = self.session.take().context("the app is not open")?;
        let app = session.app_pid()?;
        XWindow::of(self.display.name(), app)?.close()?;
        let ended = gone(app, Duration::from_secs(15));
        session.kill();
        if !ended {
            bail!("the app did not end after its window was closed");
        }
        self.bus.forgets_the_app()
    }

    /// Ends the process in the middle of whatever it does.
    pub(crate) fn kill9(&mut self) -> anyhow::Result<()> {
        let mut session = self.session.take().context("the app is not open")?;
        let app = session.app_pid()?;
        signal("KILL", &app.to_string());
        let ended = gone(app, Duration::from_secs(5));
        session.kill();
        if !ended {
            bail!("the app outlived SIGKILL");
        }
        self.bus.forgets_the_app()
    }

    /// Closes the window and opens it again.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.close()?;
        self.open()
    }

    /// Sizes the window, now and whenever it is opened again.
    pub(crate) fn resize(&mut self, width: u32, height: u32) -> anyhow::Result<()> {
        self.size = (width, height);
        self.session()?.resize(width, height)?;
        let there = format!("return innerWidth === {width} && innerHeight === {height}");
        self.until("the window to have its size", || Ok(self.js(&there)? == true))
    }

    /// The open app's session.
    pub(crate) fn session(&self) -> anyhow::Result<&Session> {
        self.session.as_ref().context("the app is not open")
    }

    /// Leaves a screenshot under `target/screenshots`.
    pub(crate) fn screenshot(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.stage.screenshot(name);
        fs::create_dir_all(path.parent().context("it has a folder")?)?;
        fs::write(&path, self.settled_pixels()?.png()?)?;
        Ok(path)
    }

    /// What the window shows once it is painted: twice the same, or the latest after a second.
    fn settled_pixels(&self) -> anyhow::Result<Pixels> {
        let window = self.window()?;
        let mut before = window.pixels()?;
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(50));
            let now = window.pixels()?;
            if now == before {
                break;
            }
            before = now;
        }
        Ok(before)
    }

    fn window(&self) -> anyhow::Result<XWindow> {
        XWindow::of(self.display.name(), self.session()?.app_pid()?)
    }

    /// Leaves what helps to understand a failure: what the window shows, the document, the log.
    pub(crate) fn leave_evidence(&self, folder: &Path) {
        let _ = fs::create_dir_all(folder);
        let _ = fs::copy(self.log(), folder.join("app.log"));
        if let Some(session) = &self.session {
            let source = session.source().unwrap_or_else(|error| format!("{error:#}"));
            let _ = fs::write(folder.join("page.html"), source);
        }
        if let Ok(image) = self.settled_pixels().and_then(|pixels| pixels.png()) {
            let _ = fs::write(folder.join("window.png"), image);
        }
    }
}

/// The folders, the display and the bus of this app only; nothing of the person's desktop.
fn environment(
    stage: &Stage,
    home: &Path,
    bus: &Bus,
    display: &Display,
) -> anyhow::Result<Vec<(String, String)>> {
    let folder = |name: &str| -> anyhow::Result<String> {
        let path = home.join(name);
        // A runtime folder that others can read is refused by those who keep sockets in it.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(text(&path))
    };
    Ok([
        ("HOME", text(home)),
        ("XDG_CONFIG_HOME", folder("config")?),
        ("XDG_DATA_HOME", folder("data")?),
        ("XDG_CACHE_HOME", folder("cache")?),
        ("XDG_STATE_HOME", folder("state")?),
        ("XDG_RUNTIME_DIR", folder("runtime")?),
        ("DBUS_SESSION_BUS_ADDRESS", bus.address.clone()),
        ("DISPLAY", display.name().to_owned()),
        ("GDK_BACKEND", "x11".to_owned()),
        ("GSETTINGS_BACKEND", "memory".to_owned()),
        ("NO_AT_BRIDGE", "1".to_owned()),
        ("NO_PROXY", "127.0.0.1,localhost".to_owned()),
        ("TZ", "UTC".to_owned()),
        ("TIDEMARK_MODELS_DIR", text(&stage.models)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec())
}

/// 48 random bytes that only the owner can read.
fn key_file(home: &Path) -> anyhow::Result<PathBuf> {
    let path = home.join("mirror.key");
    if !path.exists() {
        let mut key = [0; 48];
        fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
        fs::File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?
            .write_all(&key)?;
    }
    Ok(path)
}

/// Whether the process ends in time, with all its threads: the last one closes its sockets, and
/// until then the next app would find it on the bus.
fn gone(pid: u32, deadline: Duration) -> bool {
    let until = Instant::now() + deadline;
    while Instant::now() < until {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
        let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if threads == 0 || (threads == 1 && status.contains(") Z ")) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

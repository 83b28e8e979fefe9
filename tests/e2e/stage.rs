//! What an app stands on: the programs and folders of the run, a display, a bus, a keyring.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

/// The programs and the folders of a run.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The app.
    pub(crate) app: PathBuf,
    /// Where the model for this computer is.
    pub(crate) models: PathBuf,
    /// Where screenshots and evidence go.
    pub(crate) target: PathBuf,
}

impl Stage {
    /// Sets the stage; what `./dev` tells through the environment must be there.
    pub(crate) fn set() -> anyhow::Result<Self> {
        let named = |name: &str| {
            let path = std::env::var_os(name).map(PathBuf::from);
            path.with_context(|| format!("{name} is not set: start this with ./dev e2e"))
        };
        let app = named("TIDEMARK_APP")?;
        let target =
            app.ancestors().nth(2).context("the app is not in a target folder")?.to_owned();
        Ok(Self { app, models: named("TIDEMARK_MODELS_DIR")?, target })
    }

    /// Where a screenshot of this name goes.
    pub(crate) fn screenshot(&self, name: &str) -> PathBuf {
        self.target.join("screenshots").join(name).with_extension("png")
    }
}

/// An X server that nobody sees, for one app: no other window covers it or takes its keyboard.
#[derive(Debug)]
pub(crate) struct Display {
    server: Child,
    name: String,
}

impl Display {
    /// Its name, such as `:99`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Opens one.
    pub(crate) fn open() -> anyhow::Result<Self> {
        // The server chooses a free number and writes it once it accepts connections.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1920x1400x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("could not start Xvfb")?;
        let number = first_line(&mut server);
        let display = Self { server, name: format!(":{}", number?) };
        Ok(display)
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        end(&mut self.server);
    }
}

/// A session bus of its own: an app that runs once per desktop finds no other one there.
#[derive(Debug)]
pub(crate) struct Bus {
    daemon: Child,
    /// As in `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) address: String,
}

impl Bus {
    /// Starts one.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address=1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("could not start dbus-daemon")?;
        let address = first_line(&mut daemon);
        let bus = Self { daemon, address: address? };
        Ok(bus)
    }

    /// Waits until no app has a name on it. A process that has ended keeps its name until the bus
    /// notices; one that starts meanwhile would hand over to it and leave.
    pub(crate) fn forgets_the_app(&self) -> anyhow::Result<()> {
        for _ in 0..200 {
            let names = Command::new("dbus-send")
                .arg(format!("--bus={}", self.address))
                .args(["--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
                .arg("org.freedesktop.DBus.ListNames")
                .stderr(Stdio::null())
                .output()
                .context("could not start dbus-send")?;
            if !String::from_utf8_lossy(&names.stdout).contains("tidemark") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("the app is still on its bus")
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        end(&mut self.daemon);
    }
}

/// A keyring on a bus, unlocked, whose secrets are kept in `XDG_DATA_HOME`.
#[derive(Debug)]
pub(crate) struct Keyring(Child);

impl Keyring {
    /// Starts one; the environment names the bus and the folders.
    pub(crate) fn unlock(environment: &[(String, String)], runtime: &Path) -> anyhow::Result<Self> {
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--unlock", "--foreground", "--components=secrets", "--control-directory"])
            .arg(runtime.join("keyring"))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("could not start gnome-keyring-daemon")?;
        let mut password = daemon.stdin.take().context("no way in to the keyring")?;
        password.write_all(b"of this display only")?;
        drop(password);
        let mut keyring = Self(daemon);
        // It prints where it can be reached once it is unlocked.
        first_line(&mut keyring.0)?;
        Ok(keyring)
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

fn first_line(process: &mut Child) -> anyhow::Result<String> {
    let output = process.stdout.take().context("its output is not piped")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    match line.trim() {
        "" => {
            end(process);
            bail!("it ended without a word")
        }
        line => Ok(line.to_owned()),
    }
}

fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}

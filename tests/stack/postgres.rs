//! The real PostgreSQL: found on this machine, started on a cluster that is a stack's own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::Signal;

use super::process::{Account, Running, finish, free_port};
use super::template::Template;

/// The superuser that the cluster begins with, as on a hosted project.
pub(super) const SUPERUSER: &str = "supabase_admin";
/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// `fsync = on`: as on a server, for measurements.
    Disk,
    /// `fsync = off`: quick, and lost with the machine. For tests.
    Memory,
}

/// PostgreSQL's programs.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    pub(super) folder: PathBuf,
    account: Account,
}

impl Programs {
    /// Finds the newest version of this machine, 15 or later; `TIDEMARK_PG_BIN` names another.
    pub(super) fn find() -> anyhow::Result<Self> {
        let folder = match std::env::var_os("TIDEMARK_PG_BIN") {
            Some(folder) => PathBuf::from(folder),
            None => installed().context(
                "PostgreSQL 15 or later is not here (Debian: apt-get install postgresql pgtap); \
                 TIDEMARK_PG_BIN names its folder of programs",
            )?,
        };
        ensure!(folder.join("initdb").exists(), "no initdb in {}", folder.display());
        Ok(Self { folder, account: Account::find()? })
    }

    pub(super) fn account(&self) -> Account {
        self.account
    }

    /// Which extensions there are: one that is installed later makes another cluster.
    pub(super) fn extensions(&self) -> String {
        let share = Command::new(self.folder.join("pg_config")).arg("--sharedir").output();
        let share = share.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        let entries = share.and_then(|share| fs::read_dir(Path::new(&share).join("extension")));
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".control"))
            .collect();
        names.sort();
        names.join(" ")
    }

    /// One of the server's own programs, run as the account.
    pub(super) fn server(&self, name: &str) -> Command {
        let mut command = self.account.run(Command::new(self.folder.join(name)));
        // Somebody else's folder may be closed to the account.
        command.current_dir("/").stdout(Stdio::null());
        command
    }

    /// A client program, run as ourselves.
    pub(super) fn client(&self, name: &str, at: &Address, role: &str) -> Command {
        let mut command = Command::new(self.folder.join(name));
        command
            .env("PGPASSWORD", &at.password)
            .env("PGOPTIONS", "-c client_min_messages=warning")
            .args(["-h", "127.0.0.1", "-p", &at.port.to_string(), "-U", role])
            .stdin(Stdio::null());
        command
    }
}

/// The folder of the newest installation.
fn installed() -> Option<PathBuf> {
    let bases = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"];
    let mut found: Vec<(u32, PathBuf)> = bases
        .iter()
        .filter_map(|base| fs::read_dir(base).ok())
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?;
            let version = name.strip_prefix("postgresql@").unwrap_or(name).parse().ok()?;
            Some((version, path.join("bin")))
        })
        .filter(|(version, bin)| *version >= 15 && bin.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin).or_else(on_the_path)
}

fn on_the_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let program =
        std::env::split_paths(&path).map(|at| at.join("initdb")).find(|at| at.exists())?;
    // What is linked into a folder of programs has its own beside it elsewhere.
    Some(program.canonicalize().ok()?.parent()?.to_owned())
}

/// Where a server listens, and the password that every role of it has.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) port: u16,
    pub(super) password: String,
}

impl Address {
    /// As libpq and PostgREST take it.
    pub(super) fn url(&self, role: &str) -> String {
        format!("postgresql://{role}:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    /// As our own client takes it.
    pub(super) fn config(&self, role: &str) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.port).dbname("postgres");
        config.user(role).password(&self.password).application_name("devstack");
        config
    }
}

/// A running server.
#[derive(Debug)]
pub(super) struct Postgres {
    running: Running,
    address: Address,
}

impl Postgres {
    /// Starts one on a prepared cluster in `folder`.
    pub(super) fn start(
        programs: &Programs,
        folder: &Path,
        migrations: Option<&Path>,
        durability: Durability,
    ) -> anyhow::Result<Self> {
        let password = Template { programs, migrations, folder }.copy()?;
        Self::serve(programs, &folder.join("pg"), &password, durability)
    }

    /// Serves the cluster in `data` on a free port.
    pub(super) fn serve(
        programs: &Programs,
        data: &Path,
        password: &str,
        durability: Durability,
    ) -> anyhow::Result<Self> {
        let log = data.with_extension("log");
        for _ in 0..5 {
            let address = Address { port: free_port()?, password: password.to_owned() };
            let mut command = programs.server("postgres");
            command.arg("-D").arg(data).args(settings(address.port, durability));
            command.stderr(File::create(&log).context("the server's log")?);
            let mut running = Running::start(command, "postgres", Signal::INT)?;
            if is_ready(&mut running, data) {
                return Ok(Self { running, address });
            }
            // Somebody else took the port in between; anything else will not go away by itself.
            let said = fs::read_to_string(&log).unwrap_or_default();
            if !said.contains("could not bind") {
                bail!("PostgreSQL did not start: {}", said.trim());
            }
        }
        bail!("PostgreSQL found no free port")
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Ends it, so that its cluster can be started again.
    pub(super) fn stop(&mut self) {
        self.running.stop();
    }

    /// Ends it at once: nobody will look at its cluster again.
    pub(super) fn discard(&mut self) {
        self.running.stop_with(Signal::QUIT);
    }
}

fn settings(port: u16, durability: Durability) -> Vec<String> {
    let on = if durability == Durability::Disk { "on" } else { "off" };
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        "unix_socket_directories=".to_owned(),
        "shared_preload_libraries=pg_stat_statements".to_owned(),
        "wal_level=logical".to_owned(),
        "max_connections=100".to_owned(),
        "log_timezone=UTC".to_owned(),
        format!("fsync={on}"),
        format!("full_page_writes={on}"),
        format!("synchronous_commit={on}"),
    ];
    settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]).collect()
}

/// Waits until the server takes connections. It listens before that: its own file says when.
fn is_ready(running: &mut Running, data: &Path) -> bool {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) && !running.has_ended() {
        let said = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        if said.lines().last().is_some_and(|line| line.trim_end() == "ready") {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

/// Runs SQL files with psql, in the order given, up to the first error.
pub(super) fn apply(
    programs: &Programs,
    at: &Address,
    role: &str,
    files: &[PathBuf],
) -> anyhow::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let mut psql = psql(programs, at, role);
    for file in files {
        psql.arg("-f").arg(file);
    }
    finish(psql, "psql")
}

/// Runs one statement as the superuser.
pub(super) fn run(programs: &Programs, at: &Address, sql: &str) -> anyhow::Result<()> {
    let mut psql = psql(programs, at, SUPERUSER);
    psql.args(["-c", sql]);
    finish(psql, "psql")
}

fn psql(programs: &Programs, at: &Address, role: &str) -> Command {
    let mut psql = programs.client("psql", at, role);
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-d", "postgres"]);
    psql
}

/// The SQL files of a folder in the order of their names; none where it does not exist.
pub(super) fn sql_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .with_context(|| folder.display().to_string())?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    Ok(files)
}

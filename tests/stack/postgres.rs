//! The real PostgreSQL: found on this machine, prepared once, copied for each stack.
//!
//! Preparing takes seconds: `initdb`, the schemas of a Supabase project (`base/*.sql`, as the
//! superuser `supabase_admin`), our migrations (as `postgres`, which is none). The result is kept
//! in the temporary folder under a name that changes with every byte of what went into it, and a
//! stack starts on a copy.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::Signal;
use sha2::{Digest, Sha256};

use super::keys::random_text;
use super::process::{Account, Running, finish, free_port};

/// The schemas that a project has before our migrations, in the order of their names.
const BASE: [(&str, &str); 5] = [
    ("01_roles.sql", include_str!("base/01_roles.sql")),
    ("02_extensions.sql", include_str!("base/02_extensions.sql")),
    ("03_auth.sql", include_str!("base/03_auth.sql")),
    ("04_realtime.sql", include_str!("base/04_realtime.sql")),
    ("05_storage.sql", include_str!("base/05_storage.sql")),
];
/// The superuser that the cluster begins with, as on a hosted project.
pub(super) const SUPERUSER: &str = "supabase_admin";
/// How many prepared clusters are kept.
const KEPT: usize = 4;

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
    folder: PathBuf,
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
    fn extensions(&self) -> String {
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
    fn server(&self, name: &str) -> Command {
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
        let data = folder.join("pg");
        let password = Template { programs, migrations }.copy_to(&data)?;
        Self::serve(programs, &data, &password, durability)
    }

    /// Serves the cluster in `data` on a free port.
    fn serve(
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
    fn stop(&mut self) {
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

/// A prepared cluster.
struct Template<'a> {
    programs: &'a Programs,
    migrations: Option<&'a Path>,
}

impl Template<'_> {
    /// Copies it to `data`, preparing it first where that has not been done. Returns the password.
    fn copy_to(&self, data: &Path) -> anyhow::Result<String> {
        let home = self.home()?;
        let lock = File::options()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(home.join("lock"))
            .context("the templates' lock")?;
        lock.lock().context("the templates' lock")?;
        let template = home.join(self.name()?);
        if !template.join("password").exists() {
            self.prepare(&template)?;
            forget_the_oldest(&home)?;
        }
        // Copied under the lock: nobody forgets it meanwhile.
        copy(&template.join("pg"), data, self.programs.account)?;
        fs::read_to_string(template.join("password")).context("the template's password")
    }

    /// The folder of all templates, which nobody else may have prepared for us.
    fn home(&self) -> anyhow::Result<PathBuf> {
        let account = self.programs.account;
        let home = std::env::temp_dir().join(format!("tidemark-stack-templates-{}", account.uid()));
        if fs::DirBuilder::new().mode(0o700).create(&home).is_ok() {
            account.own(&home)?;
        }
        let is = fs::symlink_metadata(&home).with_context(|| home.display().to_string())?;
        let ours = is.is_dir() && is.uid() == account.uid() && is.mode() & 0o077 == 0;
        ensure!(ours, "{} is not ours alone: remove it", home.display());
        Ok(home)
    }

    /// Changes with everything that goes into a cluster.
    fn name(&self) -> anyhow::Result<String> {
        let mut hash = Sha256::new();
        hash.update(self.programs.folder.as_os_str().as_encoded_bytes());
        hash.update(self.programs.extensions());
        hash.update(include_bytes!("postgres.rs"));
        for (name, sql) in BASE {
            hash.update(name);
            hash.update(sql);
        }
        for file in self.migrations()? {
            hash.update(file.as_os_str().as_encoded_bytes());
            hash.update(fs::read(&file).with_context(|| file.display().to_string())?);
        }
        Ok(hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect())
    }

    fn migrations(&self) -> anyhow::Result<Vec<PathBuf>> {
        self.migrations.map_or(Ok(Vec::new()), sql_files)
    }

    fn prepare(&self, template: &Path) -> anyhow::Result<()> {
        let account = self.programs.account;
        let work = template.with_extension("new");
        let _ = fs::remove_dir_all(&work);
        fs::DirBuilder::new().mode(0o700).create(&work).context("a folder for the template")?;
        account.own(&work)?;
        let password = random_text(24);
        let file = work.join("password.new");
        fs::write(&file, &password).context("the template's password")?;
        account.own(&file)?;
        self.initdb(&work.join("pg"), &file)?;
        self.fill(&work, &password)?;
        fs::rename(&file, work.join("password")).context("the template's password")?;
        let _ = fs::remove_dir_all(template);
        fs::rename(&work, template).context("the template could not be put in its place")
    }

    fn initdb(&self, data: &Path, password: &Path) -> anyhow::Result<()> {
        let locale = if cfg!(target_os = "linux") { "--locale=C.UTF-8" } else { "--no-locale" };
        let mut initdb = self.programs.server("initdb");
        // Small segments of the log: there is less to copy.
        initdb.args(["-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8", locale]);
        initdb.args(["--wal-segsize=1", "--no-sync", "--no-instructions"]);
        initdb.arg("-D").arg(data).arg("--pwfile").arg(password);
        finish(initdb, "initdb")
    }

    /// Applies base and migrations on a server that runs only for that.
    fn fill(&self, work: &Path, password: &str) -> anyhow::Result<()> {
        let mut server =
            Postgres::serve(self.programs, &work.join("pg"), password, Durability::Memory)?;
        let base = work.join("base");
        fs::create_dir(&base)?;
        for (name, sql) in BASE {
            fs::write(base.join(name), sql)?;
        }
        fs::write(base.join("99_passwords.sql"), passwords(password))?;
        apply(self.programs, server.address(), SUPERUSER, &sql_files(&base)?)?;
        apply(self.programs, server.address(), "postgres", &self.migrations()?)?;
        fs::remove_dir_all(base)?;
        server.stop();
        Ok(())
    }
}

fn passwords(password: &str) -> String {
    ["postgres", "authenticator", "supabase_auth_admin", "supabase_storage_admin"]
        .map(|role| format!("ALTER ROLE {role} PASSWORD '{password}';\n"))
        .concat()
}

/// Removes all templates but the newest.
fn forget_the_oldest(home: &Path) -> anyhow::Result<()> {
    let mut templates: Vec<_> = fs::read_dir(home)?
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    templates.sort();
    templates.reverse();
    for (_, folder) in templates.into_iter().skip(KEPT) {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    Ok(())
}

/// Copies a folder with all in it, for `account`, whose folders nobody else may enter.
fn copy(from: &Path, to: &Path, account: Account) -> anyhow::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(to).with_context(|| to.display().to_string())?;
    account.own(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let (entry, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name())))?;
        if entry.is_dir() {
            copy(&entry, &to, account)?;
        } else {
            fs::copy(&entry, &to).with_context(|| entry.display().to_string())?;
            account.own(&to)?;
        }
    }
    Ok(())
}

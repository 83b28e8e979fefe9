//! A Supabase on this machine, for development, tests and the demo.
//!
//! PostgreSQL and PostgREST are the real ones. Auth and Realtime, which no package registry ships,
//! are stood in for, here, as their contract says; the official clients keep them honest
//! (`tests/conformance`). A gateway puts all of them behind one address, and faults in between
//! where a [`Plan`] asks for them. Storage has its tables and no server yet.
//!
//! In a test: [`Stack::start`] (on a thread that may block) or [`Stack::launch`], then
//! [`Stack::url`], [`Stack::anon_key`] and [`Stack::database_url`]. Clones are one stack, which ends
//! with the last of them; nothing is left behind, also when this process is killed. From another
//! process: the program `devstack` (see `main.rs`).

mod auth;
mod call;
mod control;
mod db;
mod dump;
mod faults;
mod gateway;
mod keys;
mod postgres;
mod postgrest;
mod process;
mod project;
mod realtime;
mod template;

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use auth::{AuthOptions, Confirm, Mail, RefreshTokens};
pub use dump::Part;
pub use faults::{Fault, Plan, Rule};
pub use keys::Keys;
pub use postgres::Durability;
pub use project::Project;
pub use realtime::RealtimeOptions;

use auth::Auth;
use control::Control;
use db::Pool;
use dump::{Database, Origin};
use faults::Faults;
use gateway::{Gateway, Rest};
use postgres::{Postgres, Programs, SUPERUSER};
use postgrest::Postgrest;
use process::Guard;
use realtime::{Feed, Realtime};

/// How a stack is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of migrations, `*.sql` in the order of their names; `None` applies none.
    pub migrations: Option<PathBuf>,
    /// Whether commits wait for the disk.
    pub durability: Durability,
    /// The gateway's port; 0 chooses a free one.
    pub port: u16,
    /// What fails.
    pub faults: Plan,
    /// Of Auth.
    pub auth: AuthOptions,
    /// Of Realtime.
    pub realtime: RealtimeOptions,
    /// Compresses long answers for clients that take that, as a hosted project does.
    pub compress: bool,
    /// Starts from this dump, on its port and with its keys.
    pub restore: Option<PathBuf>,
}

impl Default for Options {
    /// As a project is, with our migrations: for development.
    fn default() -> Self {
        Self {
            migrations: Some(workspace().join("migrations/server")),
            durability: Durability::Disk,
            port: 0,
            faults: Plan::default(),
            auth: AuthOptions::default(),
            realtime: RealtimeOptions::default(),
            compress: true,
            restore: None,
        }
    }
}

impl Options {
    /// For tests: nothing waits longer than it has to.
    pub fn quick() -> Self {
        let mut options = Self { durability: Durability::Memory, ..Self::default() };
        options.auth.password_cost = 4;
        options.realtime.join_pause = std::time::Duration::from_millis(50);
        options.realtime.handshake_pause = std::time::Duration::from_millis(50);
        options
    }

    /// The same without our migrations.
    pub fn bare(mut self) -> Self {
        self.migrations = None;
        self
    }
}

/// A running stack.
#[derive(Clone)]
pub struct Stack(Arc<Running>);

impl std::fmt::Debug for Stack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stack").field("url", &self.url()).finish_non_exhaustive()
    }
}

struct Running {
    gateway: Arc<Gateway>,
    database: Database,
    migrations: Option<PathBuf>,
    port: u16,
    stop: CancellationToken,
    /// `None` once it is shut down.
    runtime: Option<tokio::runtime::Runtime>,
    programs: Mutex<(Postgrest, Postgres)>,
    guard: Guard,
    folder: Option<tempfile::TempDir>,
}

impl Stack {
    /// Starts one; blocks until all of it answers.
    pub fn start(options: Options) -> anyhow::Result<Self> {
        let restored = options.restore.as_deref().map(read_dump).transpose()?;
        let (port, keys) = match &restored {
            Some((origin, _)) if options.port == 0 => (origin.port, origin.keys.clone()),
            Some((origin, _)) => (options.port, origin.keys.clone()),
            None => (options.port, Keys::new(keys::now_s())),
        };
        let listener = bound(port).with_context(|| format!("port {port} is taken"))?;
        listener.set_nonblocking(true)?;
        let programs = Programs::find()?;
        let folder = tempfile::Builder::new().prefix("tidemark-stack-").tempdir()?;
        programs.account().own(folder.path())?;
        let guard = Guard::over(folder.path())?;
        let migrations = options.migrations.clone();
        let postgres =
            Postgres::start(&programs, folder.path(), migrations.as_deref(), options.durability)?;
        let port = listener.local_addr()?.port();
        let database =
            Database { programs, address: postgres.address().clone(), keys: keys.clone(), port };
        if let Some((_, dump)) = &restored {
            database.restore_now(dump, Part::DataAndAuth)?;
        }
        let postgrest = Postgrest::start(folder.path(), postgres.address(), &keys)?;
        let gateway = Arc::new(gateway(&options, &database, &postgrest));
        let (runtime, stop) = serve(&gateway, &database, listener)?;
        Ok(Self(Arc::new(Running {
            gateway,
            database,
            migrations,
            port,
            stop,
            runtime: Some(runtime),
            programs: Mutex::new((postgrest, postgres)),
            guard,
            folder: Some(folder),
        })))
    }

    /// Starts one from asynchronous code.
    pub async fn launch(options: Options) -> anyhow::Result<Self> {
        tokio::task::spawn_blocking(move || Self::start(options)).await?
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        url(self.0.port)
    }

    /// The key of clients.
    pub fn anon_key(&self) -> &str {
        &self.keys().anon
    }

    /// The key of servers, which no policy holds back.
    pub fn service_role_key(&self) -> &str {
        &self.keys().service_role
    }

    /// All keys, and the secret that tokens are signed with.
    pub fn keys(&self) -> &Keys {
        &self.0.gateway.keys
    }

    /// The database, as the role `postgres`, which is no superuser.
    pub fn database_url(&self) -> String {
        self.0.database.address.url("postgres")
    }

    /// The database, as its superuser: for what no hosted project lets one do.
    pub fn superuser_url(&self) -> String {
        self.0.database.address.url(SUPERUSER)
    }

    /// From now on other faults; [`Plan::default`] has none.
    pub fn set_faults(&self, plan: Plan) {
        self.0.gateway.faults.set(plan);
    }

    /// Cuts all connections and refuses new ones until [`Self::up`]; the database goes on.
    pub fn down(&self) {
        self.0.gateway.switch(false);
    }

    /// Takes connections again, on the same port.
    pub fn up(&self) {
        self.0.gateway.switch(true);
    }

    /// Cuts the sockets of Realtime, and lets them come back.
    pub fn cut_sockets(&self) {
        self.0.gateway.realtime.cut();
    }

    /// What was mailed so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.0.gateway.auth.mails()
    }

    /// Applies the migrations once more, as a second `supabase db push` or `psql` would. Blocks.
    pub fn migrate(&self) -> anyhow::Result<()> {
        let files = self.0.migrations.as_deref().map_or(Ok(Vec::new()), postgres::sql_files)?;
        self.apply(&files)
    }

    /// Runs SQL files as the role `postgres`, and has PostgREST read the schema. Blocks.
    pub fn apply(&self, files: &[PathBuf]) -> anyhow::Result<()> {
        let Database { programs, address, .. } = &self.0.database;
        postgres::apply(programs, address, "postgres", files)?;
        let running = self.0.programs.lock().unwrap_or_else(PoisonError::into_inner);
        running.0.reload(|| postgres::run(programs, address, "NOTIFY pgrst, 'reload schema'"))
    }

    /// A backup of all data. Blocks.
    pub fn dump(&self) -> anyhow::Result<Vec<u8>> {
        self.0.database.dump_now()
    }

    /// Puts a backup back; whoever is connected stays connected. Blocks.
    pub fn restore(&self, dump: &[u8], part: Part) -> anyhow::Result<()> {
        self.0.database.restore_now(dump, part)
    }

    /// The folder of this stack, with the logs of its programs.
    pub fn folder(&self) -> &Path {
        self.0.folder.as_ref().map_or(Path::new(""), |folder| folder.path())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(runtime) = self.runtime.take() {
            // This may be a thread of another runtime, which must not wait.
            runtime.shutdown_background();
        }
        let (postgrest, postgres) = self.programs.get_mut().unwrap_or_else(PoisonError::into_inner);
        postgrest.stop();
        postgres.discard();
        // A folder that cannot be removed is the guard's to remove.
        if self.folder.take().is_none_or(|folder| folder.close().is_ok()) {
            self.guard.dismiss();
        }
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// The folder of the workspace.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are in the workspace")
}

fn read_dump(path: &Path) -> anyhow::Result<(Origin, Vec<u8>)> {
    let dump = std::fs::read(path).with_context(|| path.display().to_string())?;
    Ok((Origin::of(&dump)?, dump))
}

/// All services, put together.
/// A port that was just left, as where a project is restored, is free in a moment.
fn bound(port: u16) -> std::io::Result<TcpListener> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpListener::bind(("127.0.0.1", port)) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(20));
            }
            bound => return bound,
        }
    }
}

fn gateway(options: &Options, database: &Database, postgrest: &Postgrest) -> Gateway {
    let pool = |role| Pool::new(database.address.config(role));
    let (admin, keys) = (pool(SUPERUSER), database.keys.clone());
    let issuer = format!("{}/auth/v1", url(database.port));
    let auth = options.auth.clone();
    Gateway {
        auth: Auth::new(pool("supabase_auth_admin"), admin.clone(), keys.clone(), issuer, auth),
        realtime: Realtime::new(admin, keys.clone(), options.realtime.clone()),
        rest: Rest::at(postgrest.port()),
        faults: Faults::new(options.faults.clone()),
        control: Control { database: database.clone() },
        compress: options.compress,
        open: watch::channel(true).0,
        is_open: watch::channel(false).0,
        keys,
    }
}

/// Serves on threads of its own, until told to stop.
fn serve(
    gateway: &Arc<Gateway>,
    database: &Database,
    listener: TcpListener,
) -> anyhow::Result<(tokio::runtime::Runtime, CancellationToken)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("stack")
        .enable_all()
        .build()?;
    let stop = CancellationToken::new();
    let feed = Feed { database: database.address.config(SUPERUSER), gateway: Arc::clone(gateway) };
    runtime.spawn(feed.run(stop.clone()));
    runtime.spawn(Arc::clone(gateway).run(listener, stop.clone()));
    Ok((runtime, stop))
}

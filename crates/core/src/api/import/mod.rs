//! Import: what older programs left on this computer comes over.

mod moment;
mod prove;
mod running;
mod unpacked;
mod watch;

use std::fs::{File, OpenOptions, TryLockError};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use ts_rs::TS;
use uuid::Uuid;

pub(super) use prove::Proofs;
pub use prove::Proven;
pub use watch::ImportNews;
pub(super) use watch::Watching;

use super::Tidemark;
use crate::error::{Code, Failure, Result};
use crate::import::accounts::{self, AccountMap, Direction, Moved};
use crate::import::archive;
use crate::import::backup::{self, Manifest};
use crate::import::find::{Left, find, known_places};
use crate::import::people::People;
use crate::import::record::Skip;
use crate::import::report::{Counts, Plan, Report};
use crate::import::run::{self, Progress, Request};
use crate::import::sources::{self, Input, Recognised, Site, Source};
use crate::import::survey::Whose;
use crate::import::time::Zone;
use crate::mirror::imports::{self, Import, State, Undone};
use crate::mirror::{self, conversations};
use crate::model::{Conversation, Timestamp};
use crate::providers::secret::Secret;
use crate::remote::{Admin, Patience};

pub use moment::{ImportMoment, ImportStage};
pub(in crate::api) use running::Importing;
pub use running::{ImportState, PlannedImport};
use unpacked::Unpacked;
pub(in crate::api) use unpacked::sweep;

/// Where backups of sources are kept, below the data folder.
const BACKUPS: &str = "backups";
/// The file in the data folder whose lock says that an import is under way, in whatever process.
const LOCK: &str = "import.lock";
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// So many of the conversations that came over are named.
const SHOWN: usize = 20;
/// An import can be taken back for so long.
const UNDO_MS: i64 = 30 * 86_400_000;

/// What is imported, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ImportRequest {
    /// The folder or file.
    pub path: String,
    /// Whose chats, by name or key; none: everybody's.
    #[serde(default)]
    pub users: Vec<String>,
    /// What times without a zone mean: minutes east of UTC.
    #[serde(default)]
    pub zone_minutes: i32,
    /// Takes everything back where it is not verified.
    #[serde(default)]
    pub auto_rollback: bool,
}

/// Something that an older program left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FoundSource {
    /// The program, as in plans and reports.
    pub source: String,
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// Its size, in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// An import that was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ImportView {
    /// Its id.
    pub id: String,
    /// The old program.
    pub source: String,
    /// What people call it.
    pub name: String,
    /// Where it was.
    pub path: String,
    /// Whose chats, by key; none: everybody's.
    pub users: Vec<String>,
    /// What times without a zone were taken for: minutes east of UTC.
    pub zone_minutes: i32,
    /// `running` (or cut off), `done`, `failed`, `undone`.
    pub state: String,
    /// What came over; none before its end.
    pub imported: Option<Counts>,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Until when it can be taken back; none where it cannot.
    pub undo_until: Option<Timestamp>,
    /// The archive of the source.
    pub backup: Option<String>,
}

/// What of an import is among the conversations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ImportedConversations {
    /// Those that were used last.
    pub first: Vec<Conversation>,
    /// How many there are.
    #[ts(type = "number")]
    pub all: u64,
}

impl Tidemark {
    /// What older programs left in these places and below; without places, where they are known to keep
    /// their data. What Tidemark keeps of its own is none of it.
    pub fn import_find(&self, places: &[PathBuf]) -> Vec<FoundSource> {
        let known = if places.is_empty() { known_places() } else { places.to_vec() };
        let own = self.mirror().path().parent();
        let is_own = |root: &Path| own.is_some_and(|own| root.starts_with(own));
        let mut found = find(&known);
        found.retain(|left| !is_own(&left.root));
        self.inner.watching.found(found.iter().filter_map(|left| left.root.canonicalize().ok()));
        let view = |left: Left| FoundSource {
            source: left.source.system().to_owned(),
            name: left.source.name().to_owned(),
            bytes: backup::size(&left.root),
            path: left.root.display().to_string(),
        };
        found.into_iter().map(view).collect()
    }

    /// Where a source is whose chats can be brought over: the whole path of what was named.
    ///
    /// # Errors
    /// Nothing that is known stands there, or it cannot be read.
    pub fn import_at(&self, path: &Path) -> Result<PathBuf> {
        let path = path.display().to_string();
        let wanted = ImportRequest { path, ..ImportRequest::default() };
        Ok(self.asked(&wanted)?.request.named)
    }

    /// Whose data stands at a path: a folder or an archive that somebody named.
    ///
    /// # Errors
    /// Nothing that is known stands there.
    pub fn import_look(&self, path: &Path) -> Result<FoundSource> {
        let shown = path.display().to_string();
        let named = path.canonicalize().map_err(|_| nothing_at(&shown))?;
        let bytes = backup::size(&named);
        if archive::is_archive(&named) {
            // Whose it is shows once it is unpacked, for the plan.
            let name = named.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Ok(FoundSource { source: "archive".into(), name, path: shown, bytes });
        }
        let site = the_one(sources::look(&named), &shown)?;
        let (source, name) = (site.source.system().to_owned(), site.source.name().to_owned());
        Ok(FoundSource { source, name, path: shown, bytes })
    }

    /// What would come over; nothing is written. Waits for the disk.
    ///
    /// # Errors
    /// Nothing that is known stands at the path, or it cannot be read.
    pub fn import_plan(&self, wanted: &ImportRequest) -> Result<Plan> {
        self.plan_of(wanted, &self.stop_token(), &mut |_| {})
    }

    fn plan_of(
        &self,
        wanted: &ImportRequest,
        stop: &CancellationToken,
        told: &mut dyn FnMut(Progress),
    ) -> Result<Plan> {
        let Asked { source, request, unpacked: _unpacked } = self.asked(wanted)?;
        run::plan(self.mirror(), source.as_ref(), &request, stop, told)
    }

    /// Brings it over: plan, backup, write, verify. Waits for the disk. One that was cut off goes on.
    ///
    /// # Errors
    /// As [`Self::import_plan`]; another import of this data folder is under way; the backup cannot be
    /// made; the mirror cannot be written; or it was stopped. What was written stays, and the next run
    /// goes on.
    pub fn import_run(
        &self,
        wanted: &ImportRequest,
        stop: &CancellationToken,
        told: &mut dyn FnMut(Progress),
    ) -> Result<Report> {
        let _busy = self.inner.watching.busy();
        let _lock = self.import_lock()?;
        let Asked { source, request, unpacked: _unpacked } = self.asked(wanted)?;
        run::run(self.mirror(), source.as_ref(), &request, stop, told)
    }

    /// The imports that were run, latest first.
    ///
    /// # Errors
    /// The mirror cannot be read.
    pub fn imports(&self) -> Result<Vec<ImportView>> {
        let now = self.clock().now();
        let all = self.read(imports::all)?;
        Ok(all.into_iter().map(|import| view(import, now)).collect())
    }

    /// What of an import is among the conversations.
    ///
    /// # Errors
    /// The mirror cannot be read.
    pub fn imported_conversations(&self, id: Uuid) -> Result<ImportedConversations> {
        self.read(|connection| {
            let (ids, all) = imports::conversations(connection, id, SHOWN)?;
            let get = |id| conversations::get(connection, id);
            Ok(ImportedConversations {
                first: ids.into_iter().map(get).collect::<Result<_, _>>()?,
                all,
            })
        })
    }

    /// The folder of backups.
    pub fn import_backups(&self) -> PathBuf {
        self.backups()
    }

    /// What came of an import.
    ///
    /// # Errors
    /// There is no such import, or it is not at its end.
    pub fn import_report(&self, id: Uuid) -> Result<Report> {
        let import = self.read(|connection| imports::get(connection, id))?;
        let report = import.report.and_then(|report| serde_json::from_value(report).ok());
        report.ok_or_else(|| {
            Failure::new(Code::WrongState, "This import has not come to its end.")
                .hint("Run it again, and it goes on from where it was.")
        })
    }

    /// Takes an import back, leaving what was changed since.
    ///
    /// # Errors
    /// There is no such import, it is older than 30 days or was taken back, or the mirror cannot be
    /// written.
    pub fn import_undo(&self, id: Uuid) -> Result<Undone> {
        let _lock = self.import_lock()?;
        let import = self.read(|connection| imports::get(connection, id))?;
        if !is_recent(&import, self.clock().now()) {
            return Err(Failure::new(Code::WrongState, "An import can be taken back for 30 days.")
                .hint("Delete its conversations one by one, or put the backup back."));
        }
        let _busy = self.inner.watching.busy();
        let undone = run::undo(self.mirror(), id);
        self.tell_import();
        undone
    }

    /// Moves everybody whom the map names into their own account, with the service role's key, which is
    /// kept nowhere. This mirror is not touched.
    ///
    /// # Errors
    /// The source or the map cannot be read, the project cannot be reached or does not take the key, or it
    /// was stopped. What was moved stays, and the same command goes on.
    pub async fn import_accounts(
        &self,
        wanted: &ImportRequest,
        map: &AccountMap,
        url: &str,
        key: &Secret,
        direction: Direction,
    ) -> Result<Moved> {
        let Asked { source, request, unpacked: _unpacked } = self.asked(wanted)?;
        let admin = Admin::new(url, key.expose(), Patience::default())?;
        // Beside the mirror, so that what is unpacked there is on the same encrypted disk, if it is one.
        let work = self.mirror().path().with_file_name(format!("moving-{}", self.clock().new_id()));
        let (source, stop): (Arc<dyn Source>, _) = (source.into(), self.stop_token());
        let moved =
            accounts::move_all(&admin, source, &request, map, direction, &work, &stop).await;
        let _ = std::fs::remove_dir_all(&work);
        moved
    }

    /// Copies a source into an archive, and checks it. Waits for the disk.
    ///
    /// # Errors
    /// The source cannot be read, or the archive not written.
    pub fn import_backup(&self, source: &Path) -> Result<(PathBuf, Manifest)> {
        let archive = self.backups().join(format!("{}.zip", self.clock().new_id()));
        let manifest = backup::make(source, &archive, &mut |_| {})?;
        Ok((archive, manifest))
    }

    /// Puts a source back from its archive. Waits for the disk.
    ///
    /// # Errors
    /// The archive is damaged or none of ours, or the folder is not empty.
    pub fn import_restore(&self, archive: &Path, to: &Path) -> Result<Manifest> {
        backup::restore(archive, to)
    }

    fn backups(&self) -> PathBuf {
        self.mirror().path().with_file_name(BACKUPS)
    }

    /// Held while an import is under way; the system lets go of it whatever ends the process.
    fn import_lock(&self) -> Result<File> {
        for _ in 0..LOCK_TRIES {
            if let Some(file) = self.try_import_lock()? {
                return Ok(file);
            }
            // Whoever only asks whether it is free holds it for a moment.
            std::thread::sleep(LOCK_PAUSE);
        }
        Err(running::busy())
    }

    fn try_import_lock(&self) -> Result<Option<File>> {
        let path = self.mirror().path().with_file_name(LOCK);
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(mirror::Error::from)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(None),
            // Some network file systems have no locks.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(file)),
        }
    }

    fn asked(&self, wanted: &ImportRequest) -> Result<Asked> {
        let named = PathBuf::from(&wanted.path);
        let named = named.canonicalize().map_err(|_| nothing_at(&wanted.path))?;
        let unpacked = archive::is_archive(&named).then(|| self.unpack(&named)).transpose()?;
        let (root, refused) = match &unpacked {
            Some((folder, refused)) => (folder.folder().to_owned(), refused.clone()),
            None => (named.clone(), Vec::new()),
        };
        let site = the_one(sources::look(&root), &wanted.path)?;
        let input = Input { root: site.root, zone: zone(wanted.zone_minutes)? };
        let whose = match wanted.users.as_slice() {
            [] => Whose::All,
            users => people(site.source.as_ref(), &input)?.named(users)?,
        };
        let proven = self.inner.proofs.of(&named);
        let (backups, auto_rollback) = (Some(self.backups()), wanted.auto_rollback);
        let request = Request { input, named, refused, whose, proven, backups, auto_rollback };
        let unpacked = unpacked.map(|(folder, _)| folder);
        Ok(Asked { source: site.source, request, unpacked })
    }

    /// Beside the mirror, so that it is on the same encrypted disk, if that is one; away with the import.
    fn unpack(&self, named: &Path) -> Result<(Unpacked, Vec<Skip>)> {
        let id = self.clock().new_id();
        let folder = Unpacked::beside(self.mirror().path(), id).map_err(mirror::Error::from)?;
        let limits = archive::Limits::default();
        let told = &mut |_| ControlFlow::Continue(());
        let done = archive::unpack(named, folder.folder(), &limits, told).map_err(|refusal| {
            Failure::new(Code::InvalidInput, format!("{refusal} Nothing was imported."))
                .hint("Get the archive again, or unpack it yourself and name the folder.")
        })?;
        Ok((folder, done.skipped))
    }
}

/// What an import works on.
struct Asked {
    source: Box<dyn Source>,
    request: Request,
    /// Goes away with the import.
    unpacked: Option<Unpacked>,
}

/// The data that is meant, where a folder holds one program's.
fn the_one(found: Recognised, path: &str) -> Result<Site> {
    let places: Vec<_> = found.sites.iter().map(|site| site.root.display().to_string()).collect();
    let mut sites = found.sites.into_iter();
    match (sites.next(), sites.next()) {
        (Some(site), None) => Ok(site),
        (Some(_), Some(_)) => Err(Failure::new(
            Code::InvalidInput,
            format!("The data of {} programs lies at {path}. Nothing was changed.", places.len()),
        )
        .hint(format!("Name one of them: {}", places.join(", ")))),
        (None, _) if !found.empty.is_empty() => Err(Failure::new(
            Code::InvalidInput,
            format!("There is nothing to import at {path}: its list is empty."),
        )),
        (None, _) if !found.archives.is_empty() => {
            let archives: Vec<_> =
                found.archives.iter().map(|path| path.display().to_string()).collect();
            Err(Failure::new(Code::InvalidInput, format!("Only archives lie at {path}."))
                .hint(format!("Name one of them: {}", archives.join(", "))))
        }
        (None, _) => Err(unknown(path)),
    }
}

fn nothing_at(path: &str) -> Failure {
    Failure::new(Code::NotFound, format!("There is nothing at {path}."))
        .hint("Name the folder, file or archive of the old program.")
}

fn unknown(path: &str) -> Failure {
    Failure::new(Code::InvalidInput, format!("Nothing that Tidemark knows stands at {path}."))
        .hint("docs/importing.md lists the programs and what to name for each.")
}

fn people(source: &dyn Source, input: &Input) -> Result<People> {
    People::of(source, input).map_err(|error| run::unreadable(source, &error))
}

fn zone(minutes: i32) -> Result<Zone> {
    let offset = chrono::FixedOffset::east_opt(minutes.saturating_mul(60)).map(Zone);
    offset.ok_or_else(|| {
        Failure::new(Code::InvalidInput, "There is no such time zone.")
            .hint("Name minutes east of UTC, such as 60.")
    })
}

/// Whether it can still be taken back.
fn is_recent(import: &Import, now: Timestamp) -> bool {
    now < import.began_at.plus_ms(UNDO_MS)
}

/// What was asked for when an import began.
fn request_of(import: &Import) -> ImportRequest {
    let users = import.options["users"].as_array().into_iter().flatten();
    let zone = import.options["zone_minutes"].as_i64().and_then(|zone| i32::try_from(zone).ok());
    ImportRequest {
        path: import.source.clone(),
        users: users.filter_map(|user| user.as_str().map(str::to_owned)).collect(),
        zone_minutes: zone.unwrap_or_default(),
        auto_rollback: false,
    }
}

fn view(import: Import, now: Timestamp) -> ImportView {
    let can_undo = import.state != State::Undone && is_recent(&import, now);
    let ImportRequest { users, zone_minutes, .. } = request_of(&import);
    let of_report = |name: &str| import.report.as_ref().and_then(|report| report.get(name));
    let name = of_report("name").and_then(|name| name.as_str());
    ImportView {
        id: import.id.to_string(),
        name: name.unwrap_or_else(|| sources::name_of(&import.system)).to_owned(),
        imported: of_report("imported").and_then(|counts| Counts::deserialize(counts).ok()),
        source: import.system,
        path: import.source,
        users,
        zone_minutes,
        state: match import.state {
            State::Running => "running",
            State::Done => "done",
            State::Failed => "failed",
            State::Undone => "undone",
        }
        .to_owned(),
        began_at: import.began_at,
        ended_at: import.ended_at,
        undo_until: can_undo.then(|| import.began_at.plus_ms(UNDO_MS)),
        backup: import.backup,
    }
}

//! Import: what older programs left on this computer comes over.

mod prove;
mod watch;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
use crate::import::find::{Left, find};
use crate::import::people::People;
use crate::import::record::Skip;
use crate::import::report::{Plan, Report};
use crate::import::run::{self, Progress, Request};
use crate::import::sources::{self, Input, Recognised, Site, Source};
use crate::import::survey::Whose;
use crate::import::time::Zone;
use crate::mirror;
use crate::mirror::imports::{self, Import, State, Undone};
use crate::model::Timestamp;
use crate::providers::secret::Secret;
use crate::remote::{Admin, Patience};

/// Where backups of sources are kept, below the data folder.
const BACKUPS: &str = "backups";
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
    /// Where it was.
    pub path: String,
    /// `running` (or cut off), `done`, `failed`, `undone`.
    pub state: String,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Until when it can be taken back; none where it cannot.
    pub undo_until: Option<Timestamp>,
    /// The archive of the source.
    pub backup: Option<String>,
}

impl Tidemark {
    /// What older programs left in these places and below.
    pub fn import_find(&self, places: &[PathBuf]) -> Vec<FoundSource> {
        let found = find(places);
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

    /// What would come over; nothing is written. Waits for the disk.
    ///
    /// # Errors
    /// Nothing that is known stands at the path, or it cannot be read.
    pub fn import_plan(&self, wanted: &ImportRequest) -> Result<Plan> {
        let Asked { source, request, unpacked: _unpacked } = self.asked(wanted)?;
        run::plan(self.mirror(), source.as_ref(), &request, &mut |_| {})
    }

    /// Brings it over: plan, backup, write, verify. Waits for the disk. One that was cut off goes on.
    ///
    /// # Errors
    /// As [`Self::import_plan`]; the backup cannot be made; the mirror cannot be written; or it was
    /// stopped. What was written stays, and the next run goes on.
    pub fn import_run(
        &self,
        wanted: &ImportRequest,
        stop: &CancellationToken,
        told: &mut dyn FnMut(Progress),
    ) -> Result<Report> {
        let _busy = self.inner.watching.busy();
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
        let import = self.read(|connection| imports::get(connection, id))?;
        let age = self.clock().now().0.saturating_sub(import.began_at.0);
        if age > UNDO_MS {
            return Err(Failure::new(Code::WrongState, "An import can be taken back for 30 days.")
                .hint("Delete its conversations one by one, or put the backup back."));
        }
        let _busy = self.inner.watching.busy();
        run::undo(self.mirror(), id)
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

    fn asked(&self, wanted: &ImportRequest) -> Result<Asked> {
        let named = PathBuf::from(&wanted.path);
        let named = named.canonicalize().map_err(|_| {
            Failure::new(Code::NotFound, format!("There is nothing at {}.", wanted.path))
                .hint("Name the folder, file or archive of the old program.")
        })?;
        let unpacked = archive::is_archive(&named).then(|| self.unpack(&named)).transpose()?;
        let (root, refused) = match &unpacked {
            Some((folder, refused)) => (folder.0.clone(), refused.clone()),
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
        let name = format!("unpacked-{}", self.clock().new_id());
        let folder = Unpacked(self.mirror().path().with_file_name(name));
        private_folder(&folder.0).map_err(mirror::Error::from)?;
        let limits = archive::Limits::default();
        let told = &mut |_| ControlFlow::Continue(());
        let done = archive::unpack(named, &folder.0, &limits, told).map_err(|refusal| {
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

/// A folder of unpacked files, which goes away with its owner.
struct Unpacked(PathBuf);

impl Drop for Unpacked {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "an unpacked archive was left behind");
        }
    }
}

fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut folder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path)
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

fn view(import: Import, now: Timestamp) -> ImportView {
    let until = import.began_at.plus_ms(UNDO_MS);
    let can_undo = import.state != State::Undone && now < until;
    ImportView {
        id: import.id.to_string(),
        source: import.system,
        path: import.source,
        state: match import.state {
            State::Running => "running",
            State::Done => "done",
            State::Failed => "failed",
            State::Undone => "undone",
        }
        .to_owned(),
        began_at: import.began_at,
        ended_at: import.ended_at,
        undo_until: can_undo.then_some(until),
        backup: import.backup,
    }
}

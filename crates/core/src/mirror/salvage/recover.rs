//! Setting a damaged mirror aside and putting a fresh one with its rows in its place.
//!
//! The fresh file grows beside the damaged one. When it is complete a report is written next to it,
//! and that file decides: without it a start throws the half-made one away and begins again, with it
//! a start goes on renaming where the last one ended. The damaged file, its log and its index are
//! renamed to `mirror.damaged-<time>.db…` in the same folder and never deleted.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::pages::beside;
use super::{Care, Salvaged, log_is_damaged, salvage};
use crate::clock::SharedClock;
use crate::error::{Code, Failure};
use crate::events::Events;
use crate::mirror::key::Key;
use crate::mirror::{Error, Mirror, open};
use crate::model::Timestamp;
use crate::model::view::SalvageReport;

/// What SQLite keeps beside its file.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// Opens the mirror at `path`; where it is damaged, or [`ask`] was called, salvages it first.
///
/// The same holds for `key` as for [`recover`]. `alone` tells whether no other process has the mirror
/// open: one that had would go on writing to the file that is set aside.
pub fn open_or_recover(
    path: &Path,
    key: &Key,
    id: Uuid,
    clock: SharedClock,
    events: Events,
    alone: impl Fn() -> bool,
) -> Result<(Mirror, Option<SalvageReport>), Error> {
    let finished = finish(path)?;
    if !asked_path(path).exists() && !log_is_damaged(path) {
        match open(path, key, id, clock.clone(), events.clone()) {
            Ok(mirror) => return Ok((mirror, finished)),
            Err(Error::WrongKey | Error::Corrupt(_)) => {}
            Err(error) => return Err(error),
        }
    }
    if !alone() {
        return Err(damaged_and_in_use().into());
    }
    let (mirror, report) = recover(path, key, id, clock, events)?;
    Ok((mirror, Some(report)))
}

fn damaged_and_in_use() -> Failure {
    Failure::new(
        Code::Corrupt,
        "A part of the mirror is damaged, and another Tidemark process has it open. Nothing was changed.",
    )
    .hint("Close the other window or command, then start Tidemark again: it saves every row that can be read.")
}

/// Asks the next start to salvage the mirror at `path`: for damage that opening does not meet.
pub fn ask(path: &Path) -> Result<(), Error> {
    File::create(asked_path(path))?.sync_all()?;
    Ok(sync_folder(path)?)
}

/// Salvages the mirror at `path` into a fresh one in its place, and opens that.
///
/// The caller knows that `key` is this mirror's, by its fingerprint: with another one no page can be
/// read. It also sees to it that no other process has the mirror open.
///
/// # Errors
/// [`Error::Newer`], and nothing is changed, where the damaged file has a newer schema. After any
/// error the damaged file is where it was, and the next start begins again.
pub fn recover(
    path: &Path,
    key: &Key,
    id: Uuid,
    clock: SharedClock,
    events: Events,
) -> Result<(Mirror, SalvageReport), Error> {
    finish(path)?;
    let fresh = beside_stem(path, "salvage.db");
    remove_all(&fresh)?;
    let salvaged = fill(path, &fresh, key, id, &clock).inspect_err(|_| {
        let _ = remove_all(&fresh);
    })?;
    let report = report(path, clock.now(), salvaged);
    write_report(&report_path(path), &report)?;
    finish(path)?;
    Ok((open(path, key, id, clock, events)?, report))
}

/// Ends a recovery that was cut off after its rows were complete, and tells what it saved; begins and
/// changes nothing where there was none. Call it before opening.
pub fn finish(path: &Path) -> Result<Option<SalvageReport>, Error> {
    let report_path = report_path(path);
    let text = match fs::read(&report_path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let report: SalvageReport = serde_json::from_slice(&text).map_err(io::Error::from)?;
    let (fresh, aside) = (beside_stem(path, "salvage.db"), PathBuf::from(&report.set_aside));
    // While the fresh file is still under its own name, what stands at `path` is the damaged one.
    if fresh.try_exists()? {
        for part in PARTS {
            rename_if_there(&beside(path, part), &free(beside(&aside, part)))?;
        }
        sync_folder(path)?;
        fs::rename(&fresh, path)?;
        sync_folder(path)?;
    }
    match fs::remove_file(asked_path(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    fs::rename(&report_path, aside.with_extension("json"))?;
    sync_folder(path)?;
    Ok(Some(report))
}

/// Makes the fresh file, complete and on the disk.
fn fill(
    damaged: &Path,
    fresh: &Path,
    key: &Key,
    id: Uuid,
    clock: &SharedClock,
) -> Result<Salvaged, Error> {
    let mirror = open(fresh, key, id, clock.clone(), Events::default())?;
    let salvaged = salvage(damaged, key, &mirror, Care::Full)?;
    mirror.read(|c| Ok(c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?))?;
    drop(mirror);
    // The last one out writes the log back and removes it; what is left of it would be left behind.
    if fs::metadata(beside(fresh, "-wal")).is_ok_and(|log| log.len() > 0) {
        return Err(io::Error::other("the salvaged mirror's log was not written back").into());
    }
    File::options().write(true).open(fresh)?.sync_all()?;
    Ok(salvaged)
}

fn report(path: &Path, now: Timestamp, salvaged: Salvaged) -> SalvageReport {
    SalvageReport {
        set_aside: aside(path, now).to_string_lossy().into_owned(),
        rows_saved: salvaged.tables.iter().map(|table| table.saved).sum(),
        rows_lost: salvaged.tables.iter().map(|table| table.lost).sum(),
        tables: salvaged.tables,
    }
}

/// A name that is not taken: `mirror.damaged-20261121T091200Z.db`.
fn aside(path: &Path, now: Timestamp) -> PathBuf {
    let time: String =
        now.to_rfc3339().chars().take(19).filter(|c| c.is_ascii_alphanumeric()).collect();
    let name = |n: u32| match n {
        0 => beside_stem(path, &format!("damaged-{time}Z.db")),
        n => beside_stem(path, &format!("damaged-{time}Z-{n}.db")),
    };
    (0..).map(name).find(|name| !name.exists()).unwrap_or_else(|| name(0))
}

/// Written whole or not at all: it decides what the next start does.
fn write_report(path: &Path, report: &SalvageReport) -> Result<(), Error> {
    let draft = path.with_extension("json.new");
    let mut file = File::create(&draft)?;
    file.write_all(&serde_json::to_vec_pretty(report).map_err(io::Error::from)?)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    Ok(sync_folder(path)?)
}

fn asked_path(path: &Path) -> PathBuf {
    beside_stem(path, "salvage.ask")
}

fn report_path(path: &Path) -> PathBuf {
    beside_stem(path, "salvage.json")
}

/// `mirror.db` → `mirror.<name>`.
fn beside_stem(path: &Path, name: &str) -> PathBuf {
    path.with_extension(name)
}

fn remove_all(path: &Path) -> io::Result<()> {
    for part in PARTS.iter().chain(&["-journal"]) {
        match fs::remove_file(beside(path, part)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The name, or where it is taken one behind it: what was set aside is never written over.
fn free(name: PathBuf) -> PathBuf {
    let numbered = |n: u32| if n == 1 { name.clone() } else { beside(&name, &format!(".{n}")) };
    (1..).map(numbered).find(|name| !name.exists()).unwrap_or_else(|| name.clone())
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes renames durable. Windows does so by itself, and has no folder to be opened.
fn sync_folder(file: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = file.parent() {
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

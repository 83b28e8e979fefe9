//! A copy of the source before the first row is written: a zip archive with a manifest of SHA-256s.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::error::{Code, Failure, Result};
use crate::model::hex;

/// The manifest's name in the archive.
const MANIFEST: &str = "tidemark-manifest.json";
/// Below this name the source stands.
const SOURCE: &str = "source";
/// No manifest is larger.
const MAX_MANIFEST: u64 = 256 << 20;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the archive.
    pub version: u32,
    /// The source was a single file.
    pub is_file: bool,
    /// Its files, by path.
    pub files: Vec<Entry>,
    /// Its folders, by path; those without files too.
    pub folders: Vec<String>,
    /// What was no file and no folder, and was left out.
    pub left_out: Vec<String>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Below the source's root, with `/`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its hash, in lower-case hexadecimal.
    pub sha256: String,
    /// When it was last changed, in milliseconds since 1970; none where the system does not say.
    pub modified_ms: Option<i64>,
}

/// The size of what stands at a path, in bytes.
pub fn size(root: &Path) -> u64 {
    let mut found = Found::default();
    match walk(root, &mut found) {
        Ok(()) => {
            found.files.iter().filter_map(|path| path.metadata().ok()).map(|one| one.len()).sum()
        }
        Err(_) => 0,
    }
}

/// Copies a source into a new archive, reads the archive again, and compares it with the manifest.
///
/// # Errors
/// The source cannot be read, the archive cannot be written, or it does not hold what it should. No
/// archive is left then.
pub fn make(root: &Path, archive: &Path, told: &mut dyn FnMut(u64)) -> Result<Manifest> {
    // Under its name there is only a whole one; what a crash left of an earlier attempt goes.
    let part = archive.with_extension("part");
    let _ = fs::remove_file(&part);
    let made = write(root, &part, told).and_then(|manifest| {
        let written = ZipArchive::new(File::open(&part)?).map_err(io::Error::other)?;
        check(written, &manifest)?;
        fs::rename(&part, archive).map(|()| manifest)
    });
    made.map_err(|error| {
        tracing::warn!(%error, "the backup could not be made");
        let _ = fs::remove_file(&part);
        let full = error.kind() == io::ErrorKind::StorageFull;
        let code = if full { Code::DiskFull } else { Code::ReadOnly };
        Failure::new(code, "The backup of the source could not be made. Nothing was imported.")
            .hint(if full {
                "Make room, then try again."
            } else {
                "Check that the source can be read and the data folder written."
            })
    })
}

/// Puts a source back as it was, into a new or empty folder.
///
/// # Errors
/// The archive is none of ours or damaged, or the folder is not empty.
pub fn restore(archive: &Path, to: &Path) -> Result<Manifest> {
    if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::new(
            Code::WrongState,
            "The folder is not empty. Nothing was written.",
        )
        .hint("Name a new folder."));
    }
    unpack(archive, to).map_err(|error| {
        tracing::warn!(%error, "a backup could not be restored");
        Failure::new(
            Code::InvalidInput,
            "The archive could not be put back: it is damaged, or none of Tidemark's.",
        )
        .hint("What was written of it is in the folder that you named.")
    })
}

#[derive(Default)]
struct Found {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    others: Vec<PathBuf>,
}

/// Everything below a root, by name. Links are not followed.
fn walk(root: &Path, found: &mut Found) -> io::Result<()> {
    let mut open = vec![root.to_owned()];
    if fs::metadata(root)?.is_file() {
        found.files.push(root.to_owned());
        return Ok(());
    }
    while let Some(folder) = open.pop() {
        let mut entries = fs::read_dir(&folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let kind = entry.file_type()?;
            if kind.is_dir() {
                found.folders.push(entry.path());
                open.push(entry.path());
            } else if kind.is_file() {
                found.files.push(entry.path());
            } else {
                found.others.push(entry.path());
            }
        }
    }
    found.files.sort();
    found.folders.sort();
    Ok(())
}

fn write(root: &Path, archive: &Path, told: &mut dyn FnMut(u64)) -> io::Result<Manifest> {
    let mut found = Found::default();
    walk(root, &mut found)?;
    let is_file = found.files == [root.to_owned()];
    let name = |path: &PathBuf| below(root, path, is_file);
    if let Some(folder) = archive.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut zip = ZipWriter::new(private(archive)?);
    let mut manifest = Manifest {
        version: 1,
        is_file,
        files: Vec::new(),
        folders: found.folders.iter().map(name).collect(),
        left_out: found.others.iter().map(name).collect(),
    };
    // The quickest: whoever waits for an import gains more than the disk loses.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1));
    let mut bytes = 0;
    for path in &found.files {
        let name = below(root, path, is_file);
        zip.start_file(format!("{SOURCE}/{name}"), options.large_file(true))
            .map_err(io::Error::other)?;
        let entry = copy(path, name, &mut zip)?;
        bytes += entry.bytes;
        told(bytes);
        manifest.files.push(entry);
    }
    zip.start_file(MANIFEST, options).map_err(io::Error::other)?;
    serde_json::to_writer(&mut zip, &manifest)?;
    zip.finish().map_err(io::Error::other)?.sync_all()?;
    Ok(manifest)
}

/// An archive holds people's words: only its owner reads it.
fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn copy(path: &Path, name: String, out: &mut impl Write) -> io::Result<Entry> {
    let mut file = File::open(path)?;
    let modified = file.metadata()?.modified().ok();
    let since = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; 128 * 1024]);
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        hash.update(&piece[..read]);
        out.write_all(&piece[..read])?;
        bytes += read as u64;
    }
    let modified_ms = since.and_then(|since| i64::try_from(since.as_millis()).ok());
    Ok(Entry { path: name, bytes, sha256: hex(&hash.finalize()), modified_ms })
}

/// A path below the root, with `/`; a name that is no Unicode is written readably.
fn below(root: &Path, path: &Path, is_file: bool) -> String {
    if is_file {
        return path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    }
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Whether an archive holds what its manifest says, byte for byte.
fn check(mut archive: ZipArchive<File>, manifest: &Manifest) -> io::Result<()> {
    for entry in &manifest.files {
        let file =
            archive.by_name(&format!("{SOURCE}/{}", entry.path)).map_err(io::Error::other)?;
        let found = sum(file, &mut io::sink())?;
        if found != (entry.bytes, entry.sha256.clone()) {
            return Err(io::Error::other("a file in the archive is not what it should be"));
        }
    }
    Ok(())
}

fn sum(mut from: impl Read, to: &mut impl Write) -> io::Result<(u64, String)> {
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; 128 * 1024]);
    loop {
        let read = from.read(&mut piece)?;
        if read == 0 {
            return Ok((bytes, hex(&hash.finalize())));
        }
        hash.update(&piece[..read]);
        to.write_all(&piece[..read])?;
        bytes += read as u64;
    }
}

fn unpack(archive: &Path, to: &Path) -> io::Result<Manifest> {
    let mut archive = ZipArchive::new(File::open(archive)?).map_err(io::Error::other)?;
    let manifest: Manifest = {
        let file = archive.by_name(MANIFEST).map_err(io::Error::other)?;
        serde_json::from_reader(file.take(MAX_MANIFEST))?
    };
    fs::create_dir_all(to)?;
    for folder in &manifest.folders {
        fs::create_dir_all(to.join(safe(folder)?))?;
    }
    for entry in &manifest.files {
        let path = to.join(safe(&entry.path)?);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file =
            archive.by_name(&format!("{SOURCE}/{}", entry.path)).map_err(io::Error::other)?;
        let mut out = File::options().write(true).create_new(true).open(&path)?;
        // A file that is larger than it says is cut there, and does not fit its hash.
        let found = sum(file.take(entry.bytes + 1), &mut out)?;
        if found != (entry.bytes, entry.sha256.clone()) {
            return Err(io::Error::other("a file in the archive is not what it should be"));
        }
        if let Some(ms) = entry.modified_ms {
            let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(ms.unsigned_abs());
            out.set_modified(at)?;
        }
    }
    Ok(manifest)
}

/// A path of a manifest, which may be anybody's: only names, none of them up or from a root.
fn safe(path: &str) -> io::Result<PathBuf> {
    let path = PathBuf::from(path);
    let is_safe = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    match is_safe && path.components().next().is_some() {
        true => Ok(path),
        false => Err(io::Error::other("a path leads out of the archive")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("a/empty")).expect("folders");
        fs::write(folder.path().join("a/one.json"), "{\"a\": 1}").expect("a file");
        fs::write(folder.path().join("two.bin"), vec![7; 300_000]).expect("a file");
        folder
    }

    fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
        let mut found = Found::default();
        walk(root, &mut found).expect("readable");
        let read = |path: &PathBuf| (below(root, path, false), fs::read(path).expect("readable"));
        found.files.iter().map(read).collect()
    }

    #[test]
    fn what_was_backed_up_is_put_back_as_it_was() {
        let (source, place) = (source(), tempfile::tempdir().expect("a folder"));
        let archive = place.path().join("backups/one.zip");
        let made = make(source.path(), &archive, &mut |_| {}).expect("made");
        assert_eq!(made.files.len(), 2);
        let to = place.path().join("back");
        assert_eq!(restore(&archive, &to).expect("restored"), made);
        assert_eq!(files(source.path()), files(&to));
        assert!(to.join("a/empty").is_dir(), "folders without files too");
        let times = |root: &Path| {
            fs::metadata(root.join("two.bin")).and_then(|one| one.modified()).expect("a time")
        };
        let apart = times(source.path()).duration_since(times(&to)).unwrap_or_default();
        assert!(apart < std::time::Duration::from_millis(1), "and when they were changed");
        assert!(restore(&archive, &to).is_err(), "never over something");
    }

    #[test]
    fn a_single_file_is_a_source_too() {
        let (source, place) = (source(), tempfile::tempdir().expect("a folder"));
        let archive = place.path().join("one.zip");
        let made = make(&source.path().join("a/one.json"), &archive, &mut |_| {}).expect("made");
        assert!(made.is_file);
        restore(&archive, &place.path().join("back")).expect("restored");
        assert_eq!(fs::read(place.path().join("back/one.json")).expect("there"), b"{\"a\": 1}");
    }

    #[test]
    fn a_damaged_archive_is_not_believed() {
        let (source, place) = (source(), tempfile::tempdir().expect("a folder"));
        let archive = place.path().join("one.zip");
        make(source.path(), &archive, &mut |_| {}).expect("made");
        let mut bytes = fs::read(&archive).expect("readable");
        let middle = bytes.len() / 4;
        bytes[middle] ^= 0xff;
        fs::write(&archive, bytes).expect("written");
        assert!(restore(&archive, &place.path().join("back")).is_err());
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        for path in ["../x", "/etc/x", "a/../../x", "", "."] {
            assert!(safe(path).is_err(), "{path}");
        }
        assert!(safe("a/b c/ü.json").is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_named_and_not_followed() {
        let (source, place) = (source(), tempfile::tempdir().expect("a folder"));
        std::os::unix::fs::symlink("/etc/hostname", source.path().join("link")).expect("a link");
        let made = make(source.path(), &place.path().join("one.zip"), &mut |_| {}).expect("made");
        assert_eq!(made.left_out, ["link"]);
        assert_eq!(made.files.len(), 2);
    }
}

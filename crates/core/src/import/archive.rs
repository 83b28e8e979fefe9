//! Opens an archive of unknown origin, so that every source only ever sees a folder.
//!
//! What comes out are regular files with plain relative names, in a private folder of the caller's.
//! A file that is only compressed (`.gz`; Cherry Studio's `.bak`) comes out as the one file that it is.
//! Links, devices, names that lead out of the folder and names that differ by case alone are refused
//! one by one; too many entries, too much data and bombs refuse the whole. Nothing is held in memory
//! but one buffer and the archive's own list of entries, whose length is looked at first.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;
use zip::read::ZipFile;

use super::record::{Kind, Place, Skip};

/// How much may come out of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files and folders.
    pub entries: u64,
    /// Bytes of all files together.
    pub bytes: u64,
    /// From so many bytes on a file may not be [`Limits::ratio`] times as large as its packed form.
    pub ratio_from: u64,
    /// See above. Deflate ends at 1,032; text that repeats one sentence comes to some hundreds.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 200_000, bytes: 4 << 30, ratio_from: 256 << 20, ratio: 1_000 }
    }
}

/// What came out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Files that were written.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Entries that were refused, or that are damaged.
    pub skipped: Vec<Skip>,
}

/// Why nothing comes out. What was written so far is the caller's to remove, with its folder.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is no archive, or its list of entries is damaged.
    #[error("The archive is damaged or incomplete.")]
    Damaged,
    /// More entries than [`Limits::entries`].
    #[error("The archive has {0} entries; no export has so many.")]
    TooMany(u64),
    /// More bytes than [`Limits::bytes`].
    #[error("The archive holds more than {0} bytes.")]
    TooLarge(u64),
    /// A small file that unpacks to a huge one.
    #[error("The archive is made to fill the disk.")]
    Bomb,
    /// The caller ended it.
    #[error("It was stopped.")]
    Stopped,
    /// The archive could not be read, or the folder not written.
    #[error("The archive could not be unpacked.")]
    Io(#[from] io::Error),
}

/// Whether a file is an archive that can be opened here, by its first bytes.
pub fn is_archive(path: &Path) -> bool {
    mark(path).is_some_and(|mark| matches!(&mark, b"PK\x03\x04" | b"PK\x05\x06"))
        || compressed_name(path).is_some()
}

fn mark(path: &Path) -> Option<[u8; 4]> {
    let mut mark = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut mark)).ok().map(|()| mark)
}

/// What a file that is only compressed is called when it is not; none where it is no such file. Of others'
/// files of that kind (logs, pictures of disks) nothing is opened.
fn compressed_name(path: &Path) -> Option<String> {
    const GZIP: [u8; 3] = [0x1f, 0x8b, 8];
    let name = path.file_name()?.to_str()?;
    let lower = name.to_ascii_lowercase();
    let packed = ["json", "jsonl", "ndjson", "csv"].map(|end| format!(".{end}.gz"));
    let name = match lower.strip_suffix(".bak") {
        Some(stem) => format!("{}.json", &name[..stem.len()]),
        None if packed.iter().any(|end| lower.ends_with(end)) => name[..name.len() - 3].to_owned(),
        None => return None,
    };
    mark(path).is_some_and(|mark| mark.starts_with(&GZIP)).then_some(name)
}

/// Unpacks an archive into an empty, private folder. `told` hears how many bytes were written so far,
/// and may end it.
///
/// # Errors
/// See [`Refusal`].
pub fn unpack(
    archive: &Path,
    into: &Path,
    limits: &Limits,
    told: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Unpacked, Refusal> {
    let name = archive.file_name().map(|name| name.to_string_lossy().into_owned());
    let mut unpacking = Unpacking {
        archive: name.unwrap_or_default(),
        into,
        limits,
        told,
        taken: HashSet::new(),
        done: Unpacked::default(),
    };
    let mut file = File::open(archive)?;
    if let Some(name) = compressed_name(archive) {
        unpacking.compressed(file, &name)?;
        return Ok(unpacking.done);
    }
    let entries = entries(&mut file)?.ok_or(Refusal::Damaged)?;
    if entries > limits.entries {
        return Err(Refusal::TooMany(entries));
    }
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|_| Refusal::Damaged)?;
    for number in 0..zip.len() {
        match zip.by_index(number) {
            Ok(entry) => unpacking.entry(entry)?,
            Err(_) => unpacking.refuse(
                format!("entry {number}"),
                "It is encrypted, damaged, or packed in a way that is not known here.",
            ),
        }
    }
    Ok(unpacking.done)
}

/// How many entries the archive says that it has; none where its end is missing.
fn entries(file: &mut File) -> io::Result<Option<u64>> {
    /// The record at the end, and the longest comment behind it.
    const END: u64 = 22 + 65_535;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    let mut tail = Vec::new();
    file.take(END).read_to_end(&mut tail)?;
    file.seek(SeekFrom::Start(0))?;
    let Some(at) = tail.windows(4).rposition(|mark| mark == b"PK\x05\x06") else { return Ok(None) };
    let Some(count) = tail.get(at + 10..at + 12) else { return Ok(None) };
    let count = u64::from(u16::from_le_bytes([count[0], count[1]]));
    // The larger record of ZIP64, where there is one, stands before the small one.
    let large = tail[..at].windows(4).rposition(|mark| mark == b"PK\x06\x06");
    let large = large.and_then(|large| tail.get(large + 32..large + 40)?.try_into().ok());
    Ok(Some(count.max(large.map_or(0, u64::from_le_bytes))))
}

struct Unpacking<'a> {
    archive: String,
    into: &'a Path,
    limits: &'a Limits,
    told: &'a mut dyn FnMut(u64) -> ControlFlow<()>,
    /// Every file and folder so far, in lower case.
    taken: HashSet<String>,
    done: Unpacked,
}

impl Unpacking<'_> {
    fn entry<R: Read>(&mut self, mut entry: ZipFile<'_, R>) -> Result<(), Refusal> {
        let shown = entry.name().to_owned();
        if entry.is_dir() {
            return Ok(());
        }
        let kind = entry.unix_mode().unwrap_or(0) & 0o170_000;
        if !matches!(kind, 0 | 0o100_000) {
            self.refuse(shown, "It is a link or a device, not a file.");
            return Ok(());
        }
        let Some(parts) = parts(&shown) else {
            self.refuse(shown, "Its name leads out of the archive, or is none.");
            return Ok(());
        };
        if !self.take(&parts) {
            self.refuse(shown, "Another entry has the same name.");
            return Ok(());
        }
        let path = self.folder(&parts)?;
        let packed = entry.compressed_size();
        self.whole(&mut entry, packed, &path, shown)
    }

    /// The one file of what is only compressed.
    fn compressed(&mut self, file: File, name: &str) -> Result<(), Refusal> {
        let packed = file.metadata()?.len();
        let parts = parts(name).ok_or(Refusal::Damaged)?;
        let path = self.folder(&parts)?;
        let mut content = MultiGzDecoder::new(BufReader::new(file));
        self.whole(&mut content, packed, &path, name.to_owned())
    }

    fn whole(
        &mut self,
        content: &mut impl Read,
        packed: u64,
        path: &Path,
        shown: String,
    ) -> Result<(), Refusal> {
        if !self.write(content, packed, path)? {
            self.refuse(shown, "It is damaged; what could be read of it is looked at.");
        }
        self.done.files += 1;
        Ok(())
    }

    /// Claims a name. False: something has it, or one of its folders is a file.
    fn take(&mut self, parts: &[String]) -> bool {
        let lower: Vec<_> = parts.iter().map(|part| part.to_lowercase()).collect();
        let is_file = |folder: &str| self.taken.contains(&format!("f/{folder}"));
        let name = lower.join("/");
        if (1..lower.len()).any(|end| is_file(&lower[..end].join("/")))
            || is_file(&name)
            || self.taken.contains(&format!("d/{name}"))
        {
            return false;
        }
        for end in 1..lower.len() {
            self.taken.insert(format!("d/{}", lower[..end].join("/")));
        }
        self.taken.insert(format!("f/{name}"))
    }

    /// Where a file is written; its folders are there.
    fn folder(&self, parts: &[String]) -> io::Result<PathBuf> {
        let mut path = self.into.to_owned();
        let (name, folders) = parts.split_last().ok_or(io::ErrorKind::InvalidInput)?;
        for folder in folders {
            path.push(folder);
            match fs::create_dir(&path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        path.push(name);
        Ok(path)
    }

    /// False: the entry is damaged, and was written as far as it goes.
    fn write(&mut self, entry: &mut impl Read, packed: u64, path: &Path) -> Result<bool, Refusal> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        let mut buffer = vec![0; 64 * 1024];
        let mut written = 0_u64;
        loop {
            let count = match entry.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Ok(false),
            };
            written += count as u64;
            self.done.bytes += count as u64;
            self.check(written, packed)?;
            file.write_all(&buffer[..count])?;
        }
    }

    fn check(&mut self, written: u64, packed: u64) -> Result<(), Refusal> {
        if self.done.bytes > self.limits.bytes {
            return Err(Refusal::TooLarge(self.limits.bytes));
        }
        if written > self.limits.ratio_from && written / packed.max(1) >= self.limits.ratio {
            return Err(Refusal::Bomb);
        }
        match (self.told)(self.done.bytes) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Refusal::Stopped),
        }
    }

    fn refuse(&mut self, name: String, reason: &str) {
        let place = Place::new(self.archive.clone(), name);
        self.done.skipped.push(Skip { place, reason: reason.to_owned(), what: Kind::File });
    }
}

/// A name as folders and a file name that every system can have. None: it leads out, or is no name.
///
/// Characters that Windows cannot have in a name become `_` everywhere, so that an archive unpacks to
/// the same names on all systems; the sources find files by ids that have none of them.
fn parts(name: &str) -> Option<Vec<String>> {
    let slashed = name.replace('\\', "/");
    let mut letters = slashed.chars();
    let is_drive = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.next() == Some(':')
        && letters.next().is_none_or(|third| third == '/');
    if slashed.starts_with('/') || is_drive || slashed.contains('\0') || slashed.len() > 1_024 {
        return None;
    }
    let parts: Vec<_> = slashed.split('/').map(plain).collect::<Option<_>>()?;
    (parts.len() <= 32).then_some(parts)
}

fn plain(part: &str) -> Option<String> {
    let is_bad = |c: char| c.is_control() || "<>:\"|?*".contains(c);
    let mut part: String = part.chars().map(|c| if is_bad(c) { '_' } else { c }).collect();
    if part.is_empty() || part == "." || part == ".." || part.len() > 240 {
        return None;
    }
    // Windows drops blanks and dots at the end, and knows devices by their names.
    if part.ends_with(['.', ' ']) {
        part.push('_');
    }
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let is_numbered =
        |device: &str| stem.strip_prefix(device).is_some_and(|rest| rest.len() == 1 && rest != "0");
    let is_device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL");
    Some(match is_device || is_numbered("COM") || is_numbered("LPT") {
        true => format!("_{part}"),
        false => part,
    })
}

#[cfg(test)]
mod tests {
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    struct Packed {
        folder: tempfile::TempDir,
        archive: PathBuf,
    }

    impl Packed {
        fn new(write: impl FnOnce(&mut ZipWriter<File>)) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let archive = folder.path().join("export.zip");
            let mut zip = ZipWriter::new(File::create(&archive).expect("a file"));
            write(&mut zip);
            zip.finish().expect("an archive");
            fs::create_dir(folder.path().join("out")).expect("a folder");
            Self { folder, archive }
        }

        fn out(&self) -> PathBuf {
            self.folder.path().join("out")
        }

        fn unpack(&self, limits: &Limits) -> Result<Unpacked, Refusal> {
            unpack(&self.archive, &self.out(), limits, &mut |_| ControlFlow::Continue(()))
        }
    }

    fn put(zip: &mut ZipWriter<File>, name: &str, bytes: &[u8]) {
        zip.start_file(name, SimpleFileOptions::default()).expect("an entry");
        zip.write_all(bytes).expect("written");
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![folder.to_owned()];
        while let Some(next) = open.pop() {
            for entry in fs::read_dir(next).expect("readable").flatten() {
                match entry.file_type().expect("a type").is_dir() {
                    true => open.push(entry.path()),
                    false => {
                        let path = entry.path();
                        let below = path.strip_prefix(folder).expect("below");
                        found.push(below.to_string_lossy().replace('\\', "/"));
                    }
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn files_come_out_in_their_folders() {
        let packed = Packed::new(|zip| {
            put(zip, "conversations.json", b"[]");
            put(zip, "user-1/file-a.png", b"png");
            put(zip, r"Data\Files\b.txt", b"of Windows");
        });
        let done = packed.unpack(&Limits::default()).expect("unpacked");
        assert_eq!((done.files, done.bytes, done.skipped), (3, 15, vec![]));
        assert_eq!(
            names(&packed.out()),
            ["Data/Files/b.txt", "conversations.json", "user-1/file-a.png"]
        );
    }

    #[test]
    fn what_is_only_compressed_comes_out_under_its_name_within_the_same_limits() {
        let folder = tempfile::tempdir().expect("a folder");
        let compressed = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            let file = File::create(&path).expect("a file");
            let mut out = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            out.write_all(bytes).and_then(|()| out.finish().map(drop)).expect("written");
            path
        };
        let unpacked = |path: &Path, limits: &Limits| {
            let out = tempfile::tempdir().expect("a folder");
            let done = unpack(path, out.path(), limits, &mut |_| ControlFlow::Continue(()));
            (done, names(out.path()))
        };
        let limits = Limits::default();
        let pairs = [("Cherry\u{130}.BAK", "Cherry\u{130}.json"), ("a.csv.gz", "a.csv")];
        for (name, whole) in pairs {
            let path = compressed(name, b"[1, 2]");
            assert!(is_archive(&path), "{name}");
            let (done, names) = unpacked(&path, &limits);
            assert_eq!((done.expect("unpacked").bytes, names), (6, vec![whole.to_owned()]));
        }
        assert!(!is_archive(&compressed("syslog.1.gz", b"of somebody else")));
        let path = compressed("zeros.bak", &vec![0; 4 << 20]);
        let bomb = Limits { ratio_from: 1 << 20, ratio: 100, ..limits };
        assert!(matches!(unpacked(&path, &bomb).0, Err(Refusal::Bomb)));
        let bytes = fs::read(&path).expect("readable");
        fs::write(&path, &bytes[..bytes.len() / 2]).expect("torn");
        let (done, names) = unpacked(&path, &limits);
        assert_eq!((done.expect("as far as it goes").skipped.len(), names.len()), (1, 1));
    }

    #[test]
    fn nothing_is_written_outside_the_folder() {
        let packed = Packed::new(|zip| {
            let hostile = ["../x", "a/../../x", "/etc/x", r"C:\x", "C:/x", r"..\x", "a//x", "./x"];
            for name in hostile {
                put(zip, name, b"bad");
            }
            zip.add_symlink("link", "/etc", SimpleFileOptions::default()).expect("a link");
            put(zip, "link/passwd", b"bad");
            put(zip, "good.json", b"[]");
        });
        let done = packed.unpack(&Limits::default()).expect("unpacked");
        assert_eq!(names(&packed.out()), ["good.json", "link/passwd"]);
        assert!(packed.out().join("link").symlink_metadata().expect("a folder").is_dir());
        assert_eq!(done.skipped.len(), 9, "{:?}", done.skipped);
        assert_eq!(names(packed.folder.path()).len(), 3, "the archive and what came out");
    }

    #[test]
    fn names_that_some_system_takes_for_one_are_refused_after_the_first() {
        let packed = Packed::new(|zip| {
            for name in ["A.json", "a.json", "a.JSON/b", "f/x", "F", "what?.md", "what_.md"] {
                put(zip, name, name.as_bytes());
            }
        });
        let done = packed.unpack(&Limits::default()).expect("unpacked");
        assert_eq!(names(&packed.out()), ["A.json", "f/x", "what_.md"]);
        assert_eq!(done.skipped.len(), 4);
    }

    #[test]
    fn names_of_devices_become_names() {
        assert_eq!(parts("a/NUL.txt"), Some(vec!["a".to_owned(), "_NUL.txt".to_owned()]));
        assert_eq!(parts("com1"), Some(vec!["_com1".to_owned()]));
        assert_eq!(parts("end. "), Some(vec!["end. _".to_owned()]));
        assert_eq!(parts(&"a/".repeat(40)), None);
        assert_eq!(parts(&"a".repeat(4_096)), None);
    }

    #[test]
    fn too_much_is_refused_as_a_whole() {
        let packed = Packed::new(|zip| {
            put(zip, "zeros", &vec![0; 4 << 20]);
            put(zip, "more", b"x");
        });
        let is_refused = |limits: Limits, is: fn(&Refusal) -> bool| {
            fs::remove_dir_all(packed.out()).expect("removed");
            fs::create_dir(packed.out()).expect("a folder");
            let refusal = packed.unpack(&limits).expect_err("refused");
            assert!(is(&refusal), "{refusal:?}");
        };
        let limits = Limits::default();
        is_refused(Limits { entries: 1, ..limits }, |refusal| {
            matches!(refusal, Refusal::TooMany(2))
        });
        is_refused(Limits { bytes: 1 << 20, ..limits }, |refusal| {
            matches!(refusal, Refusal::TooLarge(_))
        });
        is_refused(Limits { ratio_from: 1 << 20, ratio: 500, ..limits }, |refusal| {
            matches!(refusal, Refusal::Bomb)
        });
    }

    #[test]
    fn a_damaged_archive_gives_what_is_whole_or_is_refused() {
        let packed = Packed::new(|zip| {
            put(zip, "conversations.json", "[{\"title\": \"one\"}, 2]".repeat(500).as_bytes());
            put(zip, "user.json", b"{}");
        });
        let whole = fs::read(&packed.archive).expect("readable");
        for at in (0..whole.len()).step_by(7) {
            for bytes in [whole[..at].to_vec(), {
                let mut flipped = whole.clone();
                flipped[at] ^= 0x55;
                flipped
            }] {
                fs::write(&packed.archive, bytes).expect("written");
                fs::remove_dir_all(packed.out()).expect("removed");
                fs::create_dir(packed.out()).expect("a folder");
                // Any end will do but a panic, or a file elsewhere.
                let _ = packed.unpack(&Limits::default());
            }
        }
        assert!(
            names(packed.folder.path())
                .iter()
                .all(|name| { name == "export.zip" || name.starts_with("out/") })
        );
    }
}

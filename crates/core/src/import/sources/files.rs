//! The files below a source's root: listed without following links, opened for reading only.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::Sink;
use crate::import::lax::{self, Element, Key, Oddity, Shape, Value, Walked};
use crate::import::record::{Kind, Place};

/// How deep below the root files are looked for.
const DEEPEST: usize = 8;
/// No export has more entries in a folder, or in all.
const MOST: usize = 200_000;

/// A regular file, or a folder, below a root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// Below the root, with `/`; as shown.
    pub(crate) path: String,
    /// Where it is.
    pub(crate) full: PathBuf,
}

/// What stands in one folder, in the order of the names.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) folders: Vec<Found>,
    pub(crate) files: Vec<Found>,
    /// Links, devices and pipes: never opened.
    pub(crate) others: Vec<Found>,
}

impl Found {
    /// The root itself.
    pub(crate) fn root(full: &Path) -> Self {
        Self { path: String::new(), full: full.to_owned() }
    }

    /// The last part of its path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// A place in it.
    pub(crate) fn place(&self, locator: impl std::fmt::Display) -> Place {
        Place::new(self.path.clone(), locator)
    }

    /// What stands in this folder. Names are never made up: only what the folder has is looked at.
    pub(crate) fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::default();
        for entry in fs::read_dir(&self.full)?.take(MOST) {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_noise(&name) {
                continue;
            }
            let path = match self.path.as_str() {
                "" => name,
                above => format!("{above}/{name}"),
            };
            let found = Self { path, full: entry.path() };
            // Of the entry itself: a link is no file and no folder.
            let kind = entry.file_type()?;
            match (kind.is_dir(), kind.is_file()) {
                (true, _) => listing.folders.push(found),
                (_, true) => listing.files.push(found),
                _ => listing.others.push(found),
            }
        }
        for part in [&mut listing.folders, &mut listing.files, &mut listing.others] {
            part.sort();
        }
        Ok(listing)
    }

    /// Opens it, if it still is a regular file.
    pub(crate) fn open(&self) -> io::Result<File> {
        let kind = fs::symlink_metadata(&self.full)?;
        if !kind.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no regular file"));
        }
        File::open(&self.full)
    }

    /// The file beside it whose name goes on so.
    pub(crate) fn beside(&self, end: &str) -> Self {
        let mut full = self.full.clone().into_os_string();
        full.push(end);
        Self { path: format!("{}{end}", self.path), full: full.into() }
    }

    /// Whether its first bytes are these.
    pub(crate) fn starts_with(&self, mark: &[u8]) -> bool {
        let mut start = vec![0; mark.len()];
        self.open().and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == mark
    }

    /// Its first bytes, as UTF-8 where it is text.
    pub(crate) fn beginning(&self, bytes: usize) -> Vec<u8> {
        let mut start = Vec::new();
        if let Ok(file) = self.open() {
            let decoded = lax::Decoded::new(file);
            let _ = decoded.take(bytes as u64).read_to_end(&mut start);
        }
        start
    }
}

/// What systems and editors leave beside the files of a program.
fn is_noise(name: &str) -> bool {
    name.starts_with("._") || matches!(name, ".DS_Store" | "Thumbs.db" | "desktop.ini" | "__MACOSX")
}

/// All regular files below a root, or the root itself where it is one, in the order of their paths.
pub(crate) fn all(root: &Path) -> io::Result<Vec<Found>> {
    if fs::symlink_metadata(root)?.is_file() {
        let path = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Ok(vec![Found { path, full: root.to_owned() }]);
    }
    let mut files = Vec::new();
    let mut open = vec![(Found::root(root), 0)];
    while let Some((folder, depth)) = open.pop() {
        let listing = match folder.list() {
            Ok(listing) => listing,
            Err(error) if depth == 0 => return Err(error),
            Err(_) => continue,
        };
        files.extend(listing.files);
        let is_ours = |folder: &Found| !matches!(folder.name(), "node_modules" | ".git" | ".venv");
        if depth < DEEPEST && files.len() < MOST {
            let below = listing.folders.into_iter().filter(is_ours);
            open.extend(below.map(|folder| (folder, depth + 1)));
        }
    }
    files.sort();
    Ok(files)
}

/// Takes a member: the way to it, its bytes, and where its items go.
pub(crate) type Each<'a> = dyn FnMut(&[Key], Element, &mut Sink<'_>) -> ControlFlow<()> + 'a;

/// Walks the members of a file; what is wrong with the file as a whole becomes items.
pub(crate) fn walk(
    file: &Found,
    shape: Shape,
    into: &dyn Fn(&[Key]) -> bool,
    sink: &mut Sink<'_>,
    each: &mut Each<'_>,
) -> ControlFlow<(), Walked> {
    let mut flow = ControlFlow::Continue(());
    let opened = file.open();
    let walked = opened.and_then(|opened| {
        lax::members(opened, shape, into, &mut |way, element| {
            flow = match element.too_large {
                Some(bytes) => sink(file.place(way_of(way)).skip(Kind::File, too_large(bytes))),
                None => each(way, element, sink),
            };
            flow
        })
    });
    flow?;
    let walked = match walked {
        Ok(walked) => walked,
        Err(error) => {
            sink(file.place("").skip(Kind::File, format!("It cannot be read: {error}.")))?;
            return ControlFlow::Continue(Walked { is_cut: true, ..Walked::default() });
        }
    };
    if walked.is_cut {
        sink(file.place("end").skip(Kind::File, "The file breaks off here."))?;
    }
    if let Some(at) = walked.garbage {
        let text = "What follows its end is no part of it, and was not read.";
        sink(file.place(format!("byte {at}")).note(text))?;
    }
    ControlFlow::Continue(walked)
}

/// The value of a member; what is odd about it becomes notes.
pub(crate) fn value(
    place: &Place,
    element: &Element,
    sink: &mut Sink<'_>,
) -> ControlFlow<(), Value> {
    let parsed = lax::parse(&element.bytes);
    for (oddity, _) in &parsed.oddities {
        let text = match oddity {
            Oddity::Replaced => {
                "Characters that cannot be stored were replaced; the bytes are kept."
            }
            Oddity::Twice => "A key comes twice; the last one counts.",
            Oddity::TooDeep => "What is nested too deeply was left out.",
            Oddity::TooMuch => "It holds more than any program writes; the rest was left out.",
            Oddity::Broken => "Something in it is not JSON; what comes before that was kept.",
            // The file says so itself, or whoever looks at the value does.
            Oddity::Cut => continue,
        };
        sink(place.note(text))?;
    }
    ControlFlow::Continue(parsed.value)
}

fn too_large(bytes: u64) -> String {
    format!("One value of {} MB is larger than any program writes.", bytes >> 20)
}

/// A way to a member, for a place.
pub(crate) fn way_of(way: &[Key]) -> String {
    way.iter().map(ToString::to_string).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_passed_over_and_links_are_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("secret.json"), "{}").expect("written");
        for name in ["b.json", "a.json", "._a.json", ".DS_Store"] {
            fs::write(folder.path().join(name), "{}").expect("written");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).expect("a link");
        let files = all(folder.path()).expect("readable");
        let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a.json", "b.json"]);
    }
}

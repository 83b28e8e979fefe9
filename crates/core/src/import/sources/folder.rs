//! What a source looks at: the regular files of a folder, and how they begin.
//!
//! Links are never followed, and a path is only ever made of what the folder itself lists.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::super::lax::{Decoded, Value, parse};
use super::super::record::Place;

/// How much of a file is looked at to tell whose it is.
const BEGINNING: u64 = 256 * 1024;

/// So many files are looked at to tell whether a folder is a program's.
const LOOKED_AT: usize = 200;

/// A regular file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Its name below the root, with `/`.
    pub name: String,
    /// How large it is.
    pub bytes: u64,
}

impl Found {
    /// Its last name.
    pub fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    /// A place in it.
    pub fn place(&self, locator: impl std::fmt::Display) -> Place {
        Place::new(self.name.clone(), locator)
    }

    /// As the walks have it.
    pub(super) fn as_file(&self) -> super::files::Found {
        super::files::Found { path: self.name.clone(), full: self.path.clone() }
    }

    /// Opens it for reading.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// Whether its name ends so, in any case.
    pub fn ends_with(&self, end: &str) -> bool {
        self.name.to_lowercase().ends_with(end)
    }
}

/// The regular files of a root, in the order of their names, so many folders deep; of a root that is a
/// file, that file. What systems leave behind (`._*`, `.DS_Store`) is passed over.
///
/// # Errors
/// The root cannot be read. A folder below it that cannot is empty.
pub fn files(root: &Path, depth: usize) -> io::Result<Vec<Found>> {
    let meta = fs::metadata(root)?;
    if meta.is_file() {
        let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Ok(vec![Found { path: root.to_owned(), name, bytes: meta.len() }]);
    }
    let mut found = Vec::new();
    let mut open = vec![(root.to_owned(), String::new(), depth)];
    while let Some((folder, below, depth)) = open.pop() {
        let listed = match fs::read_dir(&folder) {
            Err(error) if below.is_empty() => return Err(error),
            Err(_) => continue,
            Ok(listed) => listed,
        };
        for entry in listed.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // Of the entry itself: a link is neither a file nor a folder.
            let Ok(meta) = entry.path().symlink_metadata() else { continue };
            let name = format!("{below}{name}");
            if is_left_behind(&name) {
                continue;
            }
            if meta.is_dir() && depth > 1 {
                open.push((entry.path(), format!("{name}/"), depth - 1));
            } else if meta.is_file() {
                found.push(Found { path: entry.path(), name, bytes: meta.len() });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Whether a system, not a person or a program, put it there.
pub fn is_left_behind(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or_default();
    name.starts_with("._") || matches!(name, ".DS_Store" | "__MACOSX" | "Thumbs.db" | "desktop.ini")
}

/// How a file of JSON begins.
#[derive(Debug, Clone, PartialEq)]
pub enum Beginning {
    /// With a list of nothing.
    EmptyList,
    /// With a list, and this in it.
    List(Value),
    /// With an object, as far as it was read.
    Object(Value),
    /// With something else, or it cannot be read.
    Other,
}

impl Beginning {
    /// Of a file.
    pub fn of(file: &Found) -> Self {
        let Ok(opened) = file.open() else { return Self::Other };
        let mut bytes = Vec::new();
        match Decoded::new(opened).take(BEGINNING).read_to_end(&mut bytes) {
            Ok(_) => Self::read(&bytes),
            Err(_) => Self::Other,
        }
    }

    fn read(bytes: &[u8]) -> Self {
        match parse(bytes).value {
            Value::List(list) => match list.items.into_iter().next() {
                Some(first) => Self::List(first),
                None if list.is_whole => Self::EmptyList,
                None => Self::Other,
            },
            value @ Value::Map(_) => Self::Object(value),
            _ => Self::Other,
        }
    }

    /// The first of a list.
    pub fn first(&self) -> Option<&Value> {
        if let Self::List(value) = self { Some(value) } else { None }
    }

    /// The object.
    pub fn object(&self) -> Option<&Value> {
        if let Self::Object(value) = self { Some(value) } else { None }
    }
}

/// The files of JSON in a root that begin as a program's do.
///
/// # Errors
/// The root cannot be read.
pub fn of_program(root: &Path, is_its: fn(&Beginning) -> bool) -> io::Result<Vec<Found>> {
    let mut found = json(root)?;
    found.retain(|file| is_its(&Beginning::of(file)));
    Ok(found)
}

/// Whether a file of JSON in a root begins as a program's do.
pub fn has(root: &Path, is_its: fn(&Beginning) -> bool) -> bool {
    let files = json(root).unwrap_or_default();
    files.iter().take(LOOKED_AT).any(|file| is_its(&Beginning::of(file)))
}

/// The files of JSON right in a root; a root that is a file may have any name.
///
/// # Errors
/// The root cannot be read.
pub fn json(root: &Path) -> io::Result<Vec<Found>> {
    let mut found = files(root, 1)?;
    found.retain(|file| file.path == root || file.ends_with(".json"));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_tells_what_a_file_is_however_long_it_is() {
        let long = format!("[{{\"mapping\": {{}}, \"x\": \"{}", "a".repeat(1000));
        assert!(
            Beginning::read(long.as_bytes()).first().is_some_and(|v| v.get("mapping").is_some())
        );
        assert_eq!(Beginning::read(b" [ ] "), Beginning::EmptyList);
        assert_eq!(Beginning::read(b"["), Beginning::Other);
        assert!(Beginning::read(b"{\"a\": 1, \"b\"").object().is_some());
        assert_eq!(Beginning::read(b"PK"), Beginning::Other);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_and_leftovers_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str| fs::write(folder.path().join(name), "[]").expect("written");
        write("b.json");
        write("a.json");
        write("._a.json");
        write(".DS_Store");
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("c.json")).expect("a link");
        fs::create_dir(folder.path().join("d")).expect("a folder");
        write("d/e.json");
        let names = |depth| {
            let found = files(folder.path(), depth).expect("readable");
            found.into_iter().map(|file| file.name).collect::<Vec<_>>()
        };
        assert_eq!(names(1), ["a.json", "b.json"]);
        assert_eq!(names(2), ["a.json", "b.json", "d/e.json"]);
    }
}

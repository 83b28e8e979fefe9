//! Looking for what older programs left on this computer.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use super::sources::{self, Source};

/// How deep below a place is looked.
const DEPTH: usize = 4;
/// So many folders are looked at, at most: a home folder may hold millions.
const FOLDERS: usize = 20_000;
/// Folders that hold no chats and much else.
const PASSED_OVER: [&str; 8] =
    ["node_modules", "target", ".git", ".cache", ".cargo", ".rustup", "site-packages", "Trash"];

/// Where older programs keep their data, and where exports are saved; what people use most comes first.
pub fn known_places() -> Vec<PathBuf> {
    let places =
        [dirs::download_dir(), dirs::document_dir(), dirs::desktop_dir(), dirs::data_dir()];
    places.into_iter().flatten().chain(dirs::home_dir()).collect()
}

/// Something that an older program left.
pub struct Left {
    /// Where.
    pub root: PathBuf,
    /// By which program.
    pub source: Box<dyn Source>,
}

/// Looks in these places and some folders below, breadth first: what is near comes first. Links are not
/// followed, and nothing is looked for inside what was found.
pub fn find(places: &[PathBuf]) -> Vec<Left> {
    let mut open: VecDeque<_> = places.iter().map(|place| (place.clone(), 0)).collect();
    let (mut found, mut looked_at) = (Vec::<Left>::new(), 0);
    while let Some((folder, depth)) = open.pop_front() {
        looked_at += 1;
        if looked_at > FOLDERS || found.iter().any(|left| folder.starts_with(&left.root)) {
            continue;
        }
        if let Some(source) = sources::recognise(&folder) {
            found.push(Left { root: folder, source });
        } else if depth < DEPTH {
            open.extend(below(&folder).into_iter().map(|below| (below, depth + 1)));
        }
    }
    found
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let mut folders: Vec<_> = entries
        .flatten()
        .filter(is_folder)
        .filter(|entry| !PASSED_OVER.iter().any(|name| entry.file_name() == *name))
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders
}

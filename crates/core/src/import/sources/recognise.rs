//! Whose data is in a folder that a person dropped: one program's, several side by side, or some in
//! folders of their own.

use std::fs;
use std::path::{Path, PathBuf};

use super::folder::{self, Beginning};
use super::{Source, all};
use crate::import::archive::is_archive;

/// How many folders deep data is looked for.
const DEPTH: usize = 4;

/// So many folders are looked into.
const FOLDERS: usize = 2_000;

/// Data of one program.
pub struct Site {
    /// The program.
    pub source: Box<dyn Source>,
    /// Its root: what [`super::Input::root`] becomes.
    pub root: PathBuf,
}

/// What was found.
#[derive(Default)]
pub struct Recognised {
    /// Data of programs, in the order of the folders' names.
    pub sites: Vec<Site>,
    /// Archives that have to be opened first.
    pub archives: Vec<PathBuf>,
    /// Exports with nothing in them: a list of nothing fits several programs.
    pub empty: Vec<PathBuf>,
    /// There were more folders than are looked into.
    pub is_cut: bool,
}

/// Finds whose data is at a path. Looks at names and beginnings only, and follows no link below it.
pub fn look(root: &Path) -> Recognised {
    let mut found = Recognised::default();
    let mut open = vec![(root.to_owned(), DEPTH)];
    let mut seen = 0;
    while let Some((root, depth)) = open.pop() {
        seen += 1;
        if seen > FOLDERS {
            found.is_cut = true;
            break;
        }
        let before = found.sites.len();
        let its = all().into_iter().filter(|source| source.recognises(&root));
        found.sites.extend(its.map(|source| Site { source, root: root.clone() }));
        found.note_files(&root);
        // What lies below a program's data is that program's.
        if found.sites.len() == before && depth > 0 {
            open.extend(folders(&root).into_iter().rev().map(|folder| (folder, depth - 1)));
        }
    }
    found
}

impl Recognised {
    fn note_files(&mut self, root: &Path) {
        for file in folder::files(root, 1).unwrap_or_default() {
            if is_archive(&file.path) {
                self.archives.push(file.path);
            } else if file.bytes < 64 && is_export(&file) {
                self.empty.push(file.path);
            }
        }
    }
}

/// Whether it is a list of nothing under the name of an export: others may lie beside one.
fn is_export(file: &folder::Found) -> bool {
    let is_named = ["conversations", "chat-export"]
        .iter()
        .any(|name| file.file_name().starts_with(name) && file.ends_with(".json"));
    is_named && Beginning::of(file) == Beginning::EmptyList
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let Ok(listed) = fs::read_dir(root) else { return Vec::new() };
    let is_folder = |path: &PathBuf| path.symlink_metadata().is_ok_and(|meta| meta.is_dir());
    let named = |path: &PathBuf| {
        !path.file_name().is_some_and(|name| folder::is_left_behind(&name.to_string_lossy()))
    };
    let mut found: Vec<_> = listed.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| is_folder(path) && named(path));
    found.sort();
    found
}

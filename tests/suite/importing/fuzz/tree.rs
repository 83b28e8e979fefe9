//! Files of a case.

use std::fs;
use std::path::Path;

/// Files below a root, by their paths with `/`.
#[derive(Clone, Default)]
pub(super) struct Tree(pub(super) Vec<(String, Vec<u8>)>);

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(path, bytes)| (path, bytes.len()))).finish()
    }
}

impl Tree {
    /// One file.
    pub(super) fn file(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self(vec![(name.to_owned(), bytes.into())])
    }

    /// Everything below a folder.
    pub(super) fn below(root: &Path) -> Self {
        let mut tree = Self::default();
        let mut open = vec![(root.to_owned(), String::new())];
        while let Some((folder, above)) = open.pop() {
            for entry in fs::read_dir(&folder).expect("readable").flatten() {
                let path = format!("{above}{}", entry.file_name().to_string_lossy());
                match entry.file_type().expect("a type").is_dir() {
                    true => open.push((entry.path(), format!("{path}/"))),
                    false => tree.0.push((path, fs::read(entry.path()).expect("readable"))),
                }
            }
        }
        tree.0.sort();
        tree
    }

    /// Whether a seed is a damaged one, in which nothing may be found: a file of it is empty.
    pub(super) fn is_damaged(&self) -> bool {
        self.0.iter().any(|(_, bytes)| bytes.is_empty())
    }

    /// Writes them below a root, which is made.
    pub(super) fn write(&self, root: &Path) {
        fs::create_dir_all(root).expect("a folder");
        for (path, bytes) in &self.0 {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            // Where a case wants a file and a folder of one name, the first stays.
            let _ = fs::write(path, bytes);
        }
    }

    /// Whether they are as they were written.
    pub(super) fn is_as_written(&self, root: &Path) -> bool {
        self.0.iter().all(|(path, bytes)| fs::read(root.join(path)).is_ok_and(|now| now == *bytes))
    }
}

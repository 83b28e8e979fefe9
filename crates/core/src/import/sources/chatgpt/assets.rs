//! The files beside the conversations: found by the id in their names, never by a path of the export.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::attached::LARGEST;
use super::super::folder;
use crate::import::lax::{Value, parse};
use crate::import::{Attachment, Text};

/// Assets by their ids.
#[derive(Debug, Default)]
pub(super) struct Assets {
    files: HashMap<String, PathBuf>,
    /// What they were called, where a list beside them says so.
    names: HashMap<String, Text>,
}

impl Assets {
    pub(super) fn below(root: &Path) -> Self {
        let mut assets = Self::default();
        // A root that is a file has nothing beside it that is its own.
        if !root.is_dir() {
            return assets;
        }
        for file in folder::files(root, 4).unwrap_or_default() {
            if file.file_name() == "conversation_asset_file_names.json" {
                assets.read_names(&file);
            }
            if let Some(id) = id(file.file_name()).filter(|_| file.bytes <= LARGEST) {
                assets.files.entry(id.to_owned()).or_insert(file.path);
            }
        }
        assets
    }

    fn read_names(&mut self, file: &folder::Found) {
        let is_sane = file.bytes <= 16 << 20;
        let Some(bytes) = is_sane.then(|| std::fs::read(&file.path).ok()).flatten() else { return };
        for (stored, name) in parse(&bytes).value.entries() {
            if let (Some(id), Some(name)) = (id(&stored.shown), name.as_text()) {
                self.names.insert(id.to_owned(), name.clone());
            }
        }
    }

    /// What a pointer (`file-service://file-X`, `sediment://file_x`) or an id points to.
    pub(super) fn attachment(&self, pointer: &str, said: Option<&Value>) -> Attachment {
        let id = pointer.rsplit('/').next().and_then(id).unwrap_or_default();
        let name = said.and_then(|said| said.get("name")?.as_text());
        let name = name.or_else(|| self.names.get(id));
        let mime = said.and_then(|said| said.str("mime_type"));
        match self.files.get(id) {
            Some(path) => Attachment::from_file(path, name, mime),
            None => Attachment::from_link(pointer, name, mime),
        }
    }
}

/// The id at the beginning of a name: `file-AbC123-pic.png`, `file_0123abcd.dat`.
pub(super) fn id(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("file-").or_else(|| name.strip_prefix("file_"))?;
    let length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    (length > 0).then(|| &name[..5 + length])
}

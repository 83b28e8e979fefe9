//! The system's own dialogs for files: the page asks, and a person chooses where.

use std::io::Write;
use std::path::{Path, PathBuf};

use tauri::AppHandle;
use tauri_plugin_dialog::{DialogExt, FileDialogBuilder};
use tidemark_core::{Code, Failure, Result};

use crate::window;

/// Long enough to know a conversation by, short enough for every file system.
const LONGEST_NAME: usize = 80;
/// What exports are named like.
const IMPORTED: [&str; 4] = ["zip", "json", "jsonl", "csv"];

/// Asks for a model's file. Waits for the person: not for the main thread.
pub(crate) fn choose_model(app: &AppHandle) -> Option<PathBuf> {
    let dialog = dialog(app, "Choose a model").add_filter("Models (GGUF)", &["gguf"]);
    dialog.blocking_pick_file()?.into_path().ok()
}

/// Asks for the folder of an older program. Waits for the person, as the one above.
pub(crate) fn choose_import_folder(app: &AppHandle) -> Option<PathBuf> {
    dialog(app, "Choose the folder to import").blocking_pick_folder()?.into_path().ok()
}

/// Asks for an export: an archive, or a file. Waits for the person, as the one above.
pub(crate) fn choose_import_file(app: &AppHandle) -> Option<PathBuf> {
    let dialog = dialog(app, "Choose the export to import")
        .add_filter("Exports and archives", &IMPORTED)
        .add_filter("All files", &["*"]);
    dialog.blocking_pick_file()?.into_path().ok()
}

/// Asks where to keep `text` and writes it there. None where the person changed their mind.
pub(crate) fn save(
    app: &AppHandle,
    asks: &str,
    name: &str,
    extension: &str,
    text: &str,
) -> Result<Option<PathBuf>> {
    let dialog = dialog(app, asks)
        .set_file_name(file_name(name, extension))
        .add_filter(extension.to_uppercase(), &[extension]);
    let chosen = dialog.blocking_save_file().and_then(|path| path.into_path().ok());
    let Some(path) = chosen else { return Ok(None) };
    write_whole(&path, text.as_bytes()).map_err(|error| {
        tracing::warn!(%error, "an export was not written");
        Failure::new(code(&error), format!("{} could not be written.", path.display()))
            .hint("Nothing was left there. Choose another place, or free some space.")
    })?;
    Ok(Some(path))
}

fn dialog(app: &AppHandle, title: &str) -> FileDialogBuilder<tauri::Wry> {
    let dialog = app.dialog().file().set_title(title);
    match window::main(app) {
        Some(window) => dialog.set_parent(&window),
        None => dialog,
    }
}

/// Either all of it is there, or what was there before.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = std::fs::File::create_new(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written
}

fn code(error: &std::io::Error) -> Code {
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded => Code::DiskFull,
        PermissionDenied | ReadOnlyFilesystem => Code::ReadOnly,
        _ => Code::Internal,
    }
}

/// A title as a name that Windows, macOS and Linux all take.
fn file_name(title: &str, extension: &str) -> String {
    let reserved = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    let plain: String = title.chars().map(|c| if reserved(c) { ' ' } else { c }).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = words.chars().take(LONGEST_NAME).collect();
    let name = short.trim_matches([' ', '.']);
    if name.is_empty() || is_device(name) {
        return format!("Conversation {name}").trim_end().to_owned() + "." + extension;
    }
    format!("{name}.{extension}")
}

/// Names that Windows keeps for devices, whatever follows the dot.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |prefix: &str| {
        let rest = stem.strip_prefix(prefix).unwrap_or_default();
        rest.len() == 1 && rest.chars().all(|c| c.is_ascii_digit())
    };
    ["CON", "PRN", "AUX", "NUL"].contains(&&*stem) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_name_that_every_system_takes() {
        for (title, name) in [
            ("Warfarin and vitamin K", "Warfarin and vitamin K.md"),
            ("a/b\\c:d*e?f\"g<h>i|j", "a b c d e f g h i j.md"),
            ("../../etc/passwd", "etc passwd.md"),
            ("...", "Conversation.md"),
            ("", "Conversation.md"),
            ("nul", "Conversation nul.md"),
            ("COM1.txt", "Conversation COM1.txt.md"),
            ("Common cold", "Common cold.md"),
            ("two\nlines\0", "two lines.md"),
            ("Wirkstärke µg", "Wirkstärke µg.md"),
        ] {
            assert_eq!(file_name(title, "md"), name, "{title:?}");
        }
        assert!(file_name(&"x".repeat(10_000), "json").len() < 100);
    }

    #[test]
    fn an_export_that_fails_leaves_what_was_there() {
        let root = tempfile::tempdir().expect("a folder for the test");
        let folder = root.path();
        std::fs::create_dir(folder.join("taken")).expect("a folder");
        write_whole(&folder.join("a.md"), b"one").expect("written");
        write_whole(&folder.join("a.md"), b"two").expect("written over");
        // A folder is in the way.
        write_whole(&folder.join("taken"), b"three").expect_err("not a file");
        let mut left: Vec<_> = std::fs::read_dir(folder).expect("there").flatten().collect();
        left.sort_by_key(std::fs::DirEntry::file_name);
        assert_eq!(left.len(), 2, "no part of it is left");
        assert_eq!(std::fs::read(left[0].path()).expect("there"), b"two");
    }
}

//! Where the mirror is: the same rule as the window's.

use std::path::PathBuf;

use tidemark_core::api::{OpenOptions, organisation_file};
use tidemark_core::{Code, Failure, Result};

/// The app's identifier, as in tauri.conf.json: the window's folder is named after it.
const IDENTIFIER: &str = "app.tidemark.desktop";

/// `--data-dir`, else `TIDEMARK_DATA_DIR`, else the folder of the window: `~/.local/share` (or
/// `XDG_DATA_HOME`) on Linux, `~/Library/Application Support` on macOS, `%LOCALAPPDATA%` on
/// Windows, because the roaming folder is copied between computers.
pub(crate) fn options(named: Option<PathBuf>) -> Result<OpenOptions> {
    let data_dir = named
        .or_else(|| path("TIDEMARK_DATA_DIR"))
        .or_else(|| dirs::data_local_dir().map(|folder| folder.join(IDENTIFIER)))
        .ok_or_else(|| {
            Failure::new(Code::InvalidInput, "There is no home folder to keep the mirror in.")
                .hint("Name a folder with --data-dir.")
        })?;
    Ok(OpenOptions {
        key_file: path("TIDEMARK_KEY_FILE"),
        organisation: path("TIDEMARK_ORGANISATION_FILE")
            .or_else(|| organisation_file(|name| std::env::var_os(name))),
        model_dirs: path("TIDEMARK_MODELS_DIR").into_iter().collect(),
        ..OpenOptions::new(data_dir)
    })
}

fn path(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

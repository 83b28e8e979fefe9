//! The program itself: its state, its key, its folder, links.

use tauri::State;
use tidemark_core::{Code, Failure, Result};

use crate::arg::Arg;
use crate::link;
use crate::shell::Shell;

/// Opens an `https` or `mailto` link outside.
#[tauri::command]
pub(crate) async fn open_link(url: Arg<String>) -> Result<()> {
    link::open(&url.0)
}

/// Shows the data folder in the system's file manager.
#[tauri::command]
pub(crate) async fn open_data_dir(shell: State<'_, Shell>) -> Result<()> {
    let folder = &shell.launch().data_dir;
    tauri_plugin_opener::open_path(folder, None::<&str>).map_err(|error| {
        tracing::warn!(%error, "no program took the data folder");
        Failure::new(Code::Internal, "No program on this computer opened the folder.")
            .hint(format!("It is {}", folder.display()))
    })
}

//! The program itself: its state, its key, its folder, its health, links.

use tauri::State;
use tidemark_core::api::{AppState, DoctorReport};
use tidemark_core::{Code, Failure, Result};

use crate::arg::Arg;
use crate::link;
use crate::shell::Shell;

/// What the window shows first. Waits until the mirror is open, or is known not to open.
#[tauri::command]
pub(crate) async fn app_state(shell: State<'_, Shell>) -> Result<AppState> {
    Ok(shell.state().await)
}

/// Opens a locked mirror with its passphrase or its recovery key.
#[tauri::command]
pub(crate) async fn unlock(shell: State<'_, Shell>, passphrase: Arg<String>) -> Result<AppState> {
    shell.unlock(passphrase.0).await
}

/// Tries again to open a mirror that did not open.
#[tauri::command]
pub(crate) async fn reopen(shell: State<'_, Shell>) -> Result<AppState> {
    Ok(shell.reopen().await)
}

/// Makes the first mirror on a computer without a keyring.
#[tauri::command]
pub(crate) async fn choose_passphrase(
    shell: State<'_, Shell>,
    passphrase: Arg<String>,
) -> Result<AppState> {
    shell.choose_passphrase(passphrase.0).await
}

/// The recovery key, to be shown to the person and nobody else.
#[tauri::command]
pub(crate) async fn recovery_key(shell: State<'_, Shell>) -> Result<String> {
    Ok(shell.core().await?.recovery_key())
}

/// Remembers that first run is behind us.
#[tauri::command]
pub(crate) async fn finish_first_run(shell: State<'_, Shell>) -> Result<()> {
    shell.ask(|core| core.finish_first_run()).await
}

/// Looks for what is wrong.
#[tauri::command]
pub(crate) async fn doctor(shell: State<'_, Shell>) -> Result<DoctorReport> {
    shell.ask(|core| core.doctor()).await
}

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

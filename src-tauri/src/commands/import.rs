//! Import: what older programs left, what would come over, and the import that is under way.

use std::path::PathBuf;

use serde::Deserialize;
use tauri::{AppHandle, State};
use tidemark_core::api::{
    FoundSource, ImportNews, ImportRequest, ImportState, ImportView, ImportedConversations,
    PlannedImport, Proven, Report, Undone,
};
use tidemark_core::providers::secret::Secret;
use tidemark_core::{Code, Failure, Result};
use uuid::Uuid;

use crate::arg::Arg;
use crate::dialogs;
use crate::shell::Shell;

/// What a person is asked to choose.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Choose {
    Folder,
    File,
}

/// How a report is saved.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReportFormat {
    Json,
    Txt,
}

/// What older programs left on this computer.
#[tauri::command]
pub(crate) async fn import_find(shell: State<'_, Shell>) -> Result<Vec<FoundSource>> {
    shell.ask(|core| Ok(core.import_find(&[]))).await
}

/// Whose data stands at a path.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn import_look(
    shell: State<'_, Shell>,
    path: Arg<PathBuf>,
) -> Result<FoundSource> {
    shell.ask(move |core| core.import_look(&path.0)).await
}

/// Asks for a folder or a file, and whose data stands there. None where the person changed their mind.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn import_choose(
    app: AppHandle,
    shell: State<'_, Shell>,
    what: Arg<Choose>,
) -> Result<Option<FoundSource>> {
    shell
        .ask(move |core| {
            let chosen = match what.0 {
                Choose::Folder => dialogs::choose_import_folder(&app),
                Choose::File => dialogs::choose_import_file(&app),
            };
            chosen.map(|path| core.import_look(&path)).transpose()
        })
        .await
}

/// What would come over; nothing is written.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn import_plan(
    shell: State<'_, Shell>,
    request: Arg<ImportRequest>,
) -> Result<PlannedImport> {
    shell.core().await?.import_survey(request.0).await
}

/// Whether a password is the one that a person had in the old program.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn import_prove(
    shell: State<'_, Shell>,
    path: Arg<String>,
    person: Arg<String>,
    password: Arg<String>,
) -> Result<Proven> {
    let password = Secret::exact(password.0);
    shell.ask(move |core| core.import_prove(&path.0, &person.0, &password)).await
}

/// Begins to bring it over, in the background.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn import_start(
    shell: State<'_, Shell>,
    request: Arg<ImportRequest>,
) -> Result<()> {
    shell.core().await?.import_start(request.0)
}

/// Pauses what is under way, or ends the reading for a plan.
#[tauri::command]
pub(crate) async fn import_pause(shell: State<'_, Shell>) -> Result<()> {
    shell.core().await?.import_pause();
    Ok(())
}

/// Goes on with what was paused or cut off.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn import_go_on(shell: State<'_, Shell>, id: Arg<Option<Uuid>>) -> Result<()> {
    shell.ask(move |core| core.import_go_on(id.0)).await
}

/// Forgets how the latest import ended: it was seen.
#[tauri::command]
pub(crate) async fn import_settle(shell: State<'_, Shell>) -> Result<()> {
    shell.core().await?.import_settle();
    Ok(())
}

/// Where the import is.
#[tauri::command]
pub(crate) async fn import_state(shell: State<'_, Shell>) -> Result<ImportState> {
    shell.ask(|core| core.import_state()).await
}

/// What is new in old programs that are still in use. The first call begins to keep them in sight.
#[tauri::command]
pub(crate) async fn import_news(shell: State<'_, Shell>) -> Result<Vec<ImportNews>> {
    Ok(shell.core().await?.watch_imports(&[]).borrow().clone())
}

/// The imports that were run, latest first.
#[tauri::command]
pub(crate) async fn imports(shell: State<'_, Shell>) -> Result<Vec<ImportView>> {
    shell.ask(|core| core.imports()).await
}

/// What came of an import.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn import_report(shell: State<'_, Shell>, id: Arg<Uuid>) -> Result<Report> {
    shell.ask(move |core| core.import_report(id.0)).await
}

/// What of an import is among the conversations.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn imported_conversations(
    shell: State<'_, Shell>,
    id: Arg<Uuid>,
) -> Result<ImportedConversations> {
    shell.ask(move |core| core.imported_conversations(id.0)).await
}

/// Takes an import back, leaving what was changed since.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn import_undo(shell: State<'_, Shell>, id: Arg<Uuid>) -> Result<Undone> {
    shell.ask(move |core| core.import_undo(id.0)).await
}

/// Asks where to keep a report, and writes it there. None where the person changed their mind, else the
/// path.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn save_import_report(
    app: AppHandle,
    shell: State<'_, Shell>,
    id: Arg<Uuid>,
    format: Arg<ReportFormat>,
) -> Result<Option<String>> {
    shell
        .ask(move |core| {
            let report = core.import_report(id.0)?;
            let (extension, text) = match format.0 {
                ReportFormat::Txt => ("txt", report.text() + "\n"),
                ReportFormat::Json => ("json", json(&report)?),
            };
            let name = format!("Import of {}", report.plan.name);
            let path = dialogs::save(&app, "Save the report", &name, extension, &text)?;
            Ok(path.map(|path| path.display().to_string()))
        })
        .await
}

/// Shows the folder of backups in the system's file manager.
#[tauri::command]
pub(crate) async fn open_import_backups(shell: State<'_, Shell>) -> Result<()> {
    let folder = shell.core().await?.import_backups();
    tauri_plugin_opener::open_path(&folder, None::<&str>).map_err(|error| {
        tracing::warn!(%error, "no program took the folder of backups");
        Failure::new(Code::Internal, "No program on this computer opened the folder.")
            .hint(format!("It is {}", folder.display()))
    })
}

fn json(report: &Report) -> Result<String> {
    serde_json::to_string_pretty(report)
        .map_err(|_| Failure::new(Code::Internal, "The report could not be written out."))
}

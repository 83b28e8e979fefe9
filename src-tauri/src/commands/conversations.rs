//! The list of conversations: what is in it and what can be done to one.

use tauri::{AppHandle, State};
use tidemark_core::Result;
use tidemark_core::api::{ExportFormat, Shelf, Undoable};
use tidemark_core::model::{Conversation, ConversationId, ModelRef};

use crate::arg::Arg;
use crate::dialogs;
use crate::shell::Shell;

/// Every conversation of a shelf, in the order in which it is shown.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn conversations(
    shell: State<'_, Shell>,
    shelf: Arg<Shelf>,
) -> Result<Vec<Conversation>> {
    shell.ask(move |core| core.conversations(shelf.0)).await
}

/// One conversation.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn conversation(
    shell: State<'_, Shell>,
    id: Arg<ConversationId>,
) -> Result<Conversation> {
    shell.ask(move |core| core.conversation(id.0)).await
}

/// Gives it a title of the person's own.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn rename(
    shell: State<'_, Shell>,
    id: Arg<ConversationId>,
    title: Arg<String>,
) -> Result<Conversation> {
    shell.ask(move |core| core.rename(id.0, &title.0)).await
}

/// Keeps it on top, or no longer.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn pin(
    shell: State<'_, Shell>,
    id: Arg<ConversationId>,
    pinned: Arg<bool>,
) -> Result<Conversation> {
    shell.ask(move |core| core.pin(id.0, pinned.0)).await
}

/// Moves it to the archive, or back.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn archive(
    shell: State<'_, Shell>,
    id: Arg<ConversationId>,
    archived: Arg<bool>,
) -> Result<Conversation> {
    shell.ask(move |core| core.archive(id.0, archived.0)).await
}

/// Moves it to the trash.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn trash(
    shell: State<'_, Shell>,
    id: Arg<ConversationId>,
) -> Result<Conversation> {
    shell.ask(move |core| core.trash(id.0)).await
}

/// Takes it out of the trash.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn restore(
    shell: State<'_, Shell>,
    id: Arg<ConversationId>,
) -> Result<Conversation> {
    shell.ask(move |core| core.restore(id.0)).await
}

/// Deletes what is in the trash.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn delete_forever(shell: State<'_, Shell>, id: Arg<ConversationId>) -> Result<()> {
    shell.ask(move |core| core.delete_forever(id.0)).await
}

/// Copies it, all branches included.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn duplicate(
    shell: State<'_, Shell>,
    id: Arg<ConversationId>,
) -> Result<Conversation> {
    shell.ask(move |core| core.duplicate(id.0)).await
}

/// Chooses the model that it asks; none asks the default.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn set_model(
    shell: State<'_, Shell>,
    id: Arg<ConversationId>,
    model: Arg<Option<ModelRef>>,
) -> Result<Conversation> {
    shell.ask(move |core| core.set_model(id.0, model.0)).await
}

/// Sets the instructions before its first turn.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn set_system_prompt(
    shell: State<'_, Shell>,
    id: Arg<ConversationId>,
    prompt: Arg<Option<String>>,
) -> Result<Conversation> {
    shell.ask(move |core| core.set_system_prompt(id.0, prompt.0)).await
}

/// What Ctrl+Z would take back.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn undoable(shell: State<'_, Shell>) -> Result<Option<Undoable>> {
    Ok(shell.core().await?.undoable())
}

/// Takes an action back: this one, or the latest.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn undo(shell: State<'_, Shell>, id: Arg<Option<u64>>) -> Result<Undoable> {
    shell.ask(move |core| core.undo(id.0)).await
}

/// The conversation, written out.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn export_text(
    shell: State<'_, Shell>,
    id: Arg<ConversationId>,
    format: Arg<ExportFormat>,
) -> Result<String> {
    shell.ask(move |core| core.export_text(id.0, format.0)).await
}

/// Asks where to keep the conversation, and writes it there. None where the person changed their
/// mind, else the path.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn save_export(
    app: AppHandle,
    shell: State<'_, Shell>,
    id: Arg<ConversationId>,
    format: Arg<ExportFormat>,
) -> Result<Option<String>> {
    shell
        .ask(move |core| {
            let title = core.conversation(id.0)?.title;
            let text = core.export_text(id.0, format.0)?;
            let path =
                dialogs::save(&app, "Export conversation", &title, extension(format.0), &text)?;
            Ok(path.map(|path| path.display().to_string()))
        })
        .await
}

fn extension(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Json => "json",
        ExportFormat::Md => "md",
    }
}

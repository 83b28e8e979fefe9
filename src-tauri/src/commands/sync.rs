//! Sync: where it is, what waits, what was refused, what lost.

use tauri::State;
use tidemark_core::Result;
use tidemark_core::api::{
    ConflictChoice, ConflictView, Health, ParkedView, SyncStatus, Unsynced, Verdict,
};
use tidemark_core::model::ConversationId;

use crate::arg::Arg;
use crate::shell::Shell;

/// Where sync is.
#[tauri::command]
pub(crate) async fn sync_status(shell: State<'_, Shell>) -> Result<SyncStatus> {
    shell.ask(|core| core.sync_status()).await
}

/// Tries at once what waits for its time.
#[tauri::command]
pub(crate) async fn sync_now(shell: State<'_, Shell>) -> Result<()> {
    shell.core().await?.sync_now();
    Ok(())
}

/// Says what is to become of what the server says is gone.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn answer_removal(shell: State<'_, Shell>, verdict: Arg<Verdict>) -> Result<()> {
    shell.core().await?.answer_removal(verdict.0);
    Ok(())
}

/// The conflicts of one conversation, or all.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn conflicts(
    shell: State<'_, Shell>,
    conversation_id: Arg<Option<ConversationId>>,
) -> Result<Vec<ConflictView>> {
    shell.ask(move |core| core.conflicts(conversation_id.0)).await
}

/// Settles a conflict.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn settle_conflict(
    shell: State<'_, Shell>,
    id: Arg<i64>,
    choice: Arg<ConflictChoice>,
) -> Result<()> {
    shell.ask(move |core| core.settle_conflict(id.0, choice.0)).await
}

/// The changes that the server refused for good.
#[tauri::command]
pub(crate) async fn parked(shell: State<'_, Shell>) -> Result<Vec<ParkedView>> {
    shell.ask(|core| core.parked()).await
}

/// Sends a refused change again.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn retry_parked(shell: State<'_, Shell>, n: Arg<i64>) -> Result<()> {
    shell.ask(move |core| core.retry_parked(n.0)).await
}

/// Gives a refused change up.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn discard_parked(shell: State<'_, Shell>, n: Arg<i64>) -> Result<()> {
    shell.ask(move |core| core.discard_parked(n.0)).await
}

/// The messages of a conversation that are not on the server as they stand here.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn unsynced(
    shell: State<'_, Shell>,
    conversation_id: Arg<ConversationId>,
) -> Result<Vec<Unsynced>> {
    shell.ask(move |core| core.unsynced(conversation_id.0)).await
}

/// How well it goes.
#[tauri::command]
pub(crate) async fn health(shell: State<'_, Shell>) -> Result<Health> {
    shell.ask(|core| core.health()).await
}

//! Models, local ones and providers.

use std::path::PathBuf;

use tauri::{AppHandle, State};
use tidemark_core::Result;
use tidemark_core::api::{LocalModel, ModelEntry, ProviderView};
use tidemark_core::model::{ModelInfo, ModelRef, ProviderConfig};

use crate::arg::Arg;
use crate::dialogs;
use crate::shell::Shell;

/// Every model that can be chosen.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn models(shell: State<'_, Shell>) -> Result<Vec<ModelEntry>> {
    shell.ask(move |core| core.models()).await
}

/// Chooses the model that new conversations ask.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn set_default_model(shell: State<'_, Shell>, model: Arg<ModelRef>) -> Result<()> {
    shell.ask(move |core| core.set_default_model(&model.0)).await
}

/// The models that run on this computer, or could.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn local_models(shell: State<'_, Shell>) -> Result<Vec<LocalModel>> {
    shell.ask(|core| Ok(core.local_models())).await
}

/// Downloads a model of the catalogue, or goes on with it.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn download_model(shell: State<'_, Shell>, id: Arg<String>) -> Result<()> {
    shell.ask(move |core| core.download_model(&id.0)).await
}

/// Pauses a download.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn pause_download(shell: State<'_, Shell>, id: Arg<String>) -> Result<()> {
    shell.core().await?.pause_download(&id.0);
    Ok(())
}

/// Deletes a model's file, or forgets one that the person pointed at.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn remove_model(shell: State<'_, Shell>, id: Arg<String>) -> Result<()> {
    shell.ask(move |core| core.remove_model(&id.0)).await
}

/// The providers, without their keys.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn providers(shell: State<'_, Shell>) -> Result<Vec<ProviderView>> {
    shell.ask(move |core| core.providers()).await
}

/// The providers that can be added with little more than a key.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn provider_presets(shell: State<'_, Shell>) -> Result<Vec<ProviderConfig>> {
    shell.ask(|core| Ok(core.provider_presets())).await
}

/// Adds a provider or changes it.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn save_provider(
    shell: State<'_, Shell>,
    config: Arg<ProviderConfig>,
) -> Result<ProviderView> {
    shell.ask(move |core| core.save_provider(config.0)).await
}

/// Removes a provider and its key.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn remove_provider(shell: State<'_, Shell>, id: Arg<String>) -> Result<()> {
    shell.ask(move |core| core.remove_provider(&id.0)).await
}

/// Stores a provider's key in the keyring, or removes it.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn set_key(
    shell: State<'_, Shell>,
    provider_id: Arg<String>,
    key: Arg<Option<String>>,
) -> Result<()> {
    shell.ask(move |core| core.set_key(&provider_id.0, key.0.as_deref())).await
}

/// Asks a provider for its models, which also tests it.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn provider_models(
    shell: State<'_, Shell>,
    id: Arg<String>,
) -> Result<Vec<ModelInfo>> {
    shell.core().await?.provider_models(&id.0).await
}

/// Adds a model's file: this one, or the one that the person chooses in the system's dialog. None
/// where they changed their mind.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn add_local_model(
    app: AppHandle,
    shell: State<'_, Shell>,
    path: Arg<Option<String>>,
) -> Result<Option<LocalModel>> {
    shell
        .ask(move |core| {
            let chosen = path.0.map(PathBuf::from).or_else(|| dialogs::choose_model(&app));
            chosen.map(|path| core.add_local_model(&path)).transpose()
        })
        .await
}

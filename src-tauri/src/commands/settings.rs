//! Settings.

use serde_json::Value;
use tauri::State;
use tidemark_core::Result;
use tidemark_core::api::Setting;

use crate::arg::Arg;
use crate::shell::Shell;

/// Every setting.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn settings(shell: State<'_, Shell>) -> Result<Vec<Setting>> {
    shell.ask(move |core| core.settings()).await
}

/// Changes a setting.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn set_setting(
    shell: State<'_, Shell>,
    key: Arg<String>,
    value: Arg<Value>,
) -> Result<Setting> {
    shell.ask(move |core| core.set_setting(&key.0, &value.0)).await
}

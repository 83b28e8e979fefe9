//! The account: a project, who is signed in there, their devices and sessions.

use tauri::State;
use tidemark_core::Result;
use tidemark_core::api::{
    AccountStatus, Credentials, DeviceList, Organisation, ProjectAddress, SessionView,
    SignOutRequest,
};
use tidemark_core::model::DeviceId;
use tidemark_core::providers::secret::Secret;
use uuid::Uuid;

use crate::arg::Arg;
use crate::shell::Shell;

/// How the account stands.
#[tauri::command]
pub(crate) async fn account(shell: State<'_, Shell>) -> Result<AccountStatus> {
    shell.core().await?.account().await
}

/// What the organisation's configuration on this computer says.
#[tauri::command]
pub(crate) async fn organisation(shell: State<'_, Shell>) -> Result<Organisation> {
    shell.ask(|core| Ok(core.organisation())).await
}

/// Makes an account and signs in.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn sign_up(
    shell: State<'_, Shell>,
    project: Arg<Option<ProjectAddress>>,
    email: Arg<String>,
    password: Arg<String>,
) -> Result<AccountStatus> {
    shell.core().await?.sign_up(credentials(project, email, password)).await
}

/// Signs in, and attaches the account to the mirror.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn sign_in(
    shell: State<'_, Shell>,
    project: Arg<Option<ProjectAddress>>,
    email: Arg<String>,
    password: Arg<String>,
) -> Result<AccountStatus> {
    shell.core().await?.sign_in(credentials(project, email, password)).await
}

/// Has a message sent with which a forgotten password can be replaced.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn forgot_password(
    shell: State<'_, Shell>,
    project: Arg<Option<ProjectAddress>>,
    email: Arg<String>,
) -> Result<()> {
    shell.core().await?.forgot_password(project.0, &email.0).await
}

/// Replaces a forgotten password with the code from the message, and signs in.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn reset_password(
    shell: State<'_, Shell>,
    project: Arg<Option<ProjectAddress>>,
    email: Arg<String>,
    password: Arg<String>,
    code: Arg<String>,
) -> Result<AccountStatus> {
    let who = credentials(project, email, password);
    shell.core().await?.reset_password(who, &Secret::new(code.0)).await
}

/// Signs out, and lets the account go from the mirror.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn sign_out(
    shell: State<'_, Shell>,
    how: Arg<SignOutRequest>,
) -> Result<AccountStatus> {
    shell.core().await?.sign_out(how.0).await
}

/// Deletes the account and all that is its own on the server. What is here stays.
#[tauri::command]
pub(crate) async fn delete_account(shell: State<'_, Shell>) -> Result<AccountStatus> {
    shell.core().await?.delete_account().await
}

/// The account's devices.
#[tauri::command]
pub(crate) async fn devices(shell: State<'_, Shell>) -> Result<DeviceList> {
    shell.core().await?.devices().await
}

/// Signs a device out.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn revoke_device(
    shell: State<'_, Shell>,
    id: Arg<DeviceId>,
) -> Result<DeviceList> {
    shell.core().await?.revoke_device(id.0).await
}

/// The account's sessions.
#[tauri::command]
pub(crate) async fn sessions(shell: State<'_, Shell>) -> Result<Vec<SessionView>> {
    shell.core().await?.sessions().await
}

/// Ends a session.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn end_session(
    shell: State<'_, Shell>,
    id: Arg<Uuid>,
) -> Result<Vec<SessionView>> {
    shell.core().await?.end_session(id.0).await
}

fn credentials(
    project: Arg<Option<ProjectAddress>>,
    email: Arg<String>,
    password: Arg<String>,
) -> Credentials {
    Credentials { project: project.0, email: email.0, password: Secret::exact(password.0) }
}

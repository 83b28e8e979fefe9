//! The commands: each calls the api and prints what comes back.

mod account;
mod import;
mod organise;
mod providers;
mod sync;
mod text;

use serde::Serialize;
use serde_json::Value;
use tidemark_core::Result;
use tidemark_core::api::{DoctorReport, ServerReport, Setting, Tidemark};

use crate::arguments::{Command, Settings};
use crate::chat;
use crate::output::{Output, Status};

/// Runs one command.
pub(crate) async fn run(core: &Tidemark, command: Command, output: &Output) -> Result<Status> {
    match command {
        Command::Chat { conversation, model, text } => {
            chat::chat(core, conversation, model, text, output).await
        }
        Command::Say { conversation, text } => chat::say(core, &conversation, text, output),
        Command::Settings(settings) => self::settings(core, settings, output),
        Command::Models => output.print(&core.models()?, |models| text::models(models)),
        Command::Account(command) => account::run(core, command, output).await,
        Command::Providers(command) => providers::run(core, command, output),
        Command::Doctor { rebuild_index, server } => {
            doctor(core, rebuild_index, server, output).await
        }
        Command::Import(command) => import::run(core, command, output).await,
        Command::Sync(how) => sync::run(core, how, output).await,
        Command::Conflicts(what) => sync::conflicts(core, &what, output),
        Command::Parked(what) => sync::parked(core, &what, output),
        Command::Devices { revoke } => sync::devices(core, revoke, output).await,
        Command::Sessions { end } => sync::sessions(core, end, output).await,
        other => organise::run(core, other, output),
    }
}

fn settings(core: &Tidemark, settings: Settings, output: &Output) -> Result<Status> {
    match settings {
        Settings::Get { key: None } => output.print(&core.settings()?, |all| text::settings(all)),
        Settings::Get { key: Some(key) } => {
            output.print(&core.setting(&key)?, |setting: &Setting| setting.value.to_string())
        }
        Settings::Set { key, value } => {
            let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
            output.print(&core.set_setting(&key, &value)?, |setting| {
                format!("{} = {}", setting.key, setting.value)
            })
        }
    }
}

async fn doctor(
    core: &Tidemark,
    rebuild_index: bool,
    server: bool,
    output: &Output,
) -> Result<Status> {
    if rebuild_index {
        core.rebuild_index()?;
    }
    let server = if server { Some(core.compare_with_server().await?) } else { None };
    let found = Findings { report: core.doctor()?, server };
    output.print(&found, |found| {
        let server = found.server.as_ref().map(|server| format!("\n{}", text::server(server)));
        text::doctor(&found.report) + &server.unwrap_or_default()
    })?;
    let ok = found.report.ok && found.server.as_ref().is_none_or(|server| server.ok);
    Ok(if ok { Status::Done } else { Status::Findings })
}

/// What both looks found, as one document.
#[derive(Serialize)]
struct Findings {
    #[serde(flatten)]
    report: DoctorReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<ServerReport>,
}

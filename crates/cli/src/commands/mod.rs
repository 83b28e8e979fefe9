//! The commands: each calls the api and prints what comes back.

mod account;
mod organise;
mod providers;
mod text;

use serde_json::Value;
use tidemark_core::Result;
use tidemark_core::api::{DoctorReport, Setting, Tidemark};

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
        Command::Doctor { rebuild_index } => doctor(core, rebuild_index, output),
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

fn doctor(core: &Tidemark, rebuild_index: bool, output: &Output) -> Result<Status> {
    if rebuild_index {
        core.rebuild_index()?;
    }
    let report = core.doctor()?;
    output.print(&report, |report: &DoctorReport| text::doctor(report))?;
    Ok(if report.ok { Status::Done } else { Status::Findings })
}

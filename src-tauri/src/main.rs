//! The desktop shell: a window over [`tidemark_core::api`].
//!
//! It starts the core, shows the window, and passes on what the window asks (`commands`) and what
//! the core tells (`events`, `follow`). It decides nothing about conversations: what is here is what
//! only a desktop program can do, such as windows, dialogs, links and the log file.

// A release build on Windows opens no console beside its window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod appearance;
mod arg;
mod close;
mod commands;
#[cfg(test)]
mod configuration;
mod dialogs;
mod events;
mod follow;
mod instance;
mod launch;
mod link;
mod log;
mod shell;
#[cfg(target_os = "linux")]
mod webkit;
mod window;

use std::io::Write;
use std::process::ExitCode;

use launch::Launch;
use shell::Shell;
use tauri::Manager;

fn main() -> ExitCode {
    match Launch::read(std::env::args_os().skip(1), |name| std::env::var_os(name)) {
        Ok(launch) => run(launch),
        Err(stop) => stop.say(),
    }
}

fn run(launch: Launch) -> ExitCode {
    log::start(&launch.data_dir);
    let mut context = tauri::generate_context!();
    let app = tauri::Builder::default()
        // First, so that a second start ends before it touches anything.
        .plugin(instance::plugin(&launch.data_dir, context.config_mut()))
        .plugin(window::remembered(&launch.data_dir))
        .plugin(tauri_plugin_dialog::init())
        .invoke_handler(commands::all())
        .setup(move |app| {
            // The mirror opens on other threads while the window is being made.
            let data_dir = launch.data_dir.clone();
            app.manage(Shell::start(app.handle().clone(), launch));
            window::open(app.handle(), &data_dir)?;
            close::on_signals(app.handle());
            Ok(())
        })
        .build(context);
    match app {
        Ok(app) => {
            app.run(close::on_event);
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "the window could not be opened");
            let _ = writeln!(std::io::stderr(), "Tidemark could not open its window: {error}");
            ExitCode::FAILURE
        }
    }
}

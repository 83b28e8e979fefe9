//! `tidemarkctl`: Tidemark from a terminal or a script, over the same api as the window.
//!
//! Both may be open at once: the window notices what is written here, and an answer that is asked
//! for here is left alone there. Exit status: 0 done, 1 done with findings, 2 failed, with the
//! `Failure` as JSON on standard error (as sentences where that is a terminal).

mod arguments;
mod chat;
mod commands;
mod data_dir;
mod output;

use std::process::ExitCode;

use clap::Parser as _;
use tidemark_core::api::{App, AppState};
use tidemark_core::{Failure, Result};

use crate::arguments::Arguments;
use crate::output::{Output, Status};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return output::usage(&error),
    };
    let output = Output { json: arguments.json };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments, &output)),
        Err(error) => Err(output::internal(&error)),
    };
    match done {
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::Findings) => ExitCode::from(1),
        Err(failure) => output.failure(&failure),
    }
}

async fn run(arguments: Arguments, output: &Output) -> Result<Status> {
    let app = App::start(data_dir::options(arguments.data_dir)?);
    let opened = open(&app).await;
    let done = match opened {
        Ok(()) => commands::run(&app.core()?, arguments.command, output).await,
        Err(failure) => Err(failure),
    };
    app.close().await;
    done
}

/// Opens the mirror; a locked one with `TIDEMARK_PASSPHRASE`, where that is set.
async fn open(app: &App) -> Result<()> {
    let passphrase = std::env::var("TIDEMARK_PASSPHRASE").ok();
    match (app.state().await, passphrase) {
        (AppState::Ready { .. }, _) => Ok(()),
        (AppState::Locked { .. }, Some(passphrase)) => app.unlock(passphrase).await.map(|_| ()),
        (AppState::NeedsPassphrase { .. }, Some(passphrase)) => app.choose_passphrase(passphrase).await.map(|_| ()),
        (AppState::Locked { failure, .. } | AppState::NeedsPassphrase { failure }, None) => Err(Failure {
            hint: Some("Set TIDEMARK_PASSPHRASE, or TIDEMARK_KEY_FILE to a key file, or start the window once.".into()),
            ..failure
        }),
        (AppState::Failed { failure, .. }, _) => Err(failure),
    }
}

//! What `./dev` hands over to.
//!
//! Each command is a list of named, timed steps ([`step`]); the tools that they need beside cargo
//! and npm are found or installed in [`tools`]. Nothing here is part of the app.
// Talking to a terminal is what this program is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod e2e;
mod model;
mod package;
mod run;
mod step;
mod test;
mod tools;
mod ui;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "./dev", about = "Tidemark's commands", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Opens the app, with a language model on this computer
    Run(run::Args),
    /// Tests everything: format, lints, tests of the core and the interface, specs in a real window
    Test,
    /// Runs the end-to-end specs in a real window, or those whose names contain FILTER
    E2e(e2e::Args),
    /// Measures, each figure beside its limit: `app`
    Bench(bench::Args),
    /// Writes the interface's types again from the core's
    Types,
    /// Builds the Debian package and tells its size
    Package,
    /// Checks the dependencies' licences and sources
    Deny,
    /// Lists the commands
    Help,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command.unwrap_or(Command::Help) {
        Command::Run(args) => run::run(&args),
        Command::Test => test::run(),
        Command::E2e(args) => e2e::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Types => test::write_types(),
        Command::Package => package::run(),
        Command::Deny => test::deny(),
        Command::Help => help(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dev: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn help() -> anyhow::Result<()> {
    <Cli as clap::CommandFactory>::command().print_help()?;
    Ok(())
}

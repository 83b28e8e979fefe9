//! The end-to-end specs: the app as it ships, in a real window, driven as a person would.
//!
//! `./dev e2e` builds what is needed and starts this. Each spec gets an app with a home, a display
//! (Xvfb), a session bus and a WebKitWebDriver of its own, so that specs can neither see each other
//! nor the person's desktop. WebKitWebDriver exists on Linux only.
// A runner's work is to print what happened.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(target_os = "linux")]
mod app;
#[cfg(target_os = "linux")]
mod canary;
#[cfg(target_os = "linux")]
mod chat;
#[cfg(target_os = "linux")]
mod desk;
#[cfg(target_os = "linux")]
mod driver;
#[cfg(target_os = "linux")]
mod page;
#[cfg(target_os = "linux")]
mod runner;
#[cfg(target_os = "linux")]
mod seed;
#[cfg(target_os = "linux")]
mod specs;
#[cfg(target_os = "linux")]
mod stage;
#[cfg(target_os = "linux")]
mod virtual_run;
#[cfg(target_os = "linux")]
mod x11;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("e2e: the specs need WebKitWebDriver, which exists on Linux only");
    std::process::ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
mod linux {
    use std::process::ExitCode;
    use std::sync::Arc;

    use clap::Parser;

    use crate::runner::How;
    use crate::stage::Stage;
    use crate::{runner, specs, virtual_run};

    #[derive(Parser)]
    #[command(name = "e2e", about = "Runs the end-to-end specs; start it with ./dev e2e")]
    struct Args {
        /// Runs each spec so often
        #[arg(long, default_value_t = 1)]
        repeat: usize,
        /// Runs so many at a time
        #[arg(long, default_value_t = 2)]
        jobs: usize,
        /// Shows what failed once more, alone; what passes then is named
        #[arg(long)]
        again: bool,
        /// Asks the model one question, leaves a screenshot, and runs no spec
        #[arg(long)]
        virtual_run: bool,
        /// Only specs whose names contain one of these
        filter: Vec<String>,
    }

    pub(super) fn main() -> ExitCode {
        match run(&Args::parse()) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("e2e: {error:#}");
                ExitCode::FAILURE
            }
        }
    }

    fn run(args: &Args) -> anyhow::Result<bool> {
        let stage = Arc::new(Stage::set()?);
        if args.virtual_run {
            virtual_run::ask_one_question(&stage)?;
            return Ok(true);
        }
        let wanted = |name: &str| {
            args.filter.is_empty() || args.filter.iter().any(|part| name.contains(part.as_str()))
        };
        let specs: Vec<_> = specs::all().filter(|spec| wanted(spec.name)).collect();
        anyhow::ensure!(!specs.is_empty(), "no spec is named like {:?}", args.filter);
        let how = How { repeat: args.repeat.max(1), jobs: args.jobs.max(1), again: args.again };
        Ok(runner::run(&stage, &specs, how))
    }
}

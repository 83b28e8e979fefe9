//! `./dev e2e`: the app, built as it ships, in a real window, driven by `tests/e2e`.

use std::process::Command;

use clap::Args as Arguments;

use crate::step::step;
use crate::{model, ui, workspace};

/// Which specs, and how often.
#[derive(Arguments, Default)]
pub(crate) struct Args {
    /// Runs each so often
    #[arg(long, default_value_t = 1)]
    repeat: u32,
    /// Runs so many at a time
    #[arg(long)]
    jobs: Option<u32>,
    /// Shows what failed once more, alone; what passes then is named
    #[arg(long)]
    again: bool,
    /// Only the specs whose names contain one of these
    filter: Vec<String>,
}

impl Args {
    /// All of them, and once more what fails.
    pub(crate) fn again() -> Self {
        Self { again: true, ..Self::default() }
    }
}

/// Builds, then runs the specs.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut specs = harness()?;
    specs.args(["--repeat", &args.repeat.max(1).to_string()]);
    if let Some(jobs) = args.jobs {
        specs.args(["--jobs", &jobs.to_string()]);
    }
    if args.again {
        specs.arg("--again");
    }
    specs.args(&args.filter);
    step("end-to-end specs", specs)?;
    Ok(())
}

/// Builds the app, the command line and the harness; returns the harness, told where all is.
pub(crate) fn harness() -> anyhow::Result<Command> {
    ui::build()?;
    // PostgREST is among them, for what needs a server.
    ui::install("conformance packages", &workspace::conformance())?;
    let models = model::fetch()?;
    let binaries = ["--bin", "tidemark", "--bin", "tidemarkctl", "--bin", "e2e"];
    step("build", workspace::cargo_all(&["build"], &binaries))?;
    let mut harness = Command::new(workspace::built("e2e"));
    harness
        .current_dir(workspace::root())
        .env("TIDEMARK_APP", workspace::built("tidemark"))
        .env("TIDEMARK_MODELS_DIR", models);
    Ok(harness)
}

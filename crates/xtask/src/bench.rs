//! `./dev bench`: the release build, measured by `tidemark-tests`' own binary.

use std::process::Command;

use clap::Args as Arguments;

use crate::step::step;
use crate::{model, ui, workspace};

/// What to measure.
#[derive(Arguments)]
pub(crate) struct Args {
    /// The suite and its options, passed on as they are
    #[arg(default_value = "app", trailing_var_arg = true, allow_hyphen_values = true)]
    suite: Vec<String>,
}

/// Builds for release, then measures.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    ui::build()?;
    let models = model::fetch()?;
    let build =
        workspace::cargo_all(&["build", "--release"], &["--bin", "tidemark", "--bin", "bench"]);
    step("release build", build)?;
    let release = workspace::target().join("release");
    let program = |name: &str| release.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    let mut bench = Command::new(program("bench"));
    bench
        .args(&args.suite)
        .current_dir(workspace::root())
        .env("TIDEMARK_APP", program("tidemark"))
        .env("TIDEMARK_MODELS_DIR", models);
    step("bench", bench)?;
    Ok(())
}

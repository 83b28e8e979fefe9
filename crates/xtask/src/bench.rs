//! `./dev bench`: the release build, measured by `tidemark-tests`' own binary.

use std::path::PathBuf;
use std::process::Command;

use clap::Args as Arguments;

use crate::step::step;
use crate::{model, package, ui, workspace};

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
    let page = page()?;
    let models = model::fetch()?;
    // The comparison with llama.cpp is a feature of the measuring program alone.
    let programs = ["--features", "tidemark-tests/local", "--bin", "tidemark", "--bin", "bench"];
    step("release build", workspace::cargo_all(&["build", "--release"], &programs))?;
    let release = workspace::target().join("release");
    let program = |name: &str| release.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    // The package is made of the program that is measured.
    let deb = package::bundle()?;
    let mut bench = Command::new(program("bench"));
    bench
        .args(&args.suite)
        .current_dir(workspace::root())
        .env("TIDEMARK_APP", program("tidemark"))
        .env("TIDEMARK_MODELS_DIR", models)
        .env("TIDEMARK_BENCH_PAGE", page)
        .env("TIDEMARK_DEB", deb);
    step("bench", bench)?;
    Ok(())
}

/// Builds the page that measures the renderer, which is no part of the app.
fn page() -> anyhow::Result<PathBuf> {
    let page = workspace::target().join("bench/page");
    let mut build = workspace::npm(&["exec", "--", "vite", "build", "bench", "--emptyOutDir"]);
    // As in the app: nothing inlined, for the content security policy takes files only.
    build.args(["--assetsInlineLimit", "0", "--target", "es2022"]).arg("--outDir").arg(&page);
    step("bench page", build)?;
    Ok(page)
}

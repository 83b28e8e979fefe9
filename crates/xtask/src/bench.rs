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

/// The comparison with llama.cpp is a feature of the measuring program alone; all suites have it, so that
/// they share one build.
const LOCAL: [&str; 2] = ["--features", "tidemark-tests/local"];

/// Builds for release, then measures.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    match args.suite.first().map(String::as_str) {
        Some("sync") => sync(args),
        Some("import") => measured(args),
        _ => app(args),
    }
}

/// Sync needs a server and the peers, and neither window nor model.
fn sync(args: &Args) -> anyhow::Result<()> {
    ui::install("conformance packages", &workspace::conformance())?;
    ui::install("packages of the peers", &workspace::root().join("tests/bench/peers"))?;
    measured(args)
}

/// Nothing but the measuring program; an import also needs the Python that the old programs ran on.
fn measured(args: &Args) -> anyhow::Result<()> {
    let mut build = workspace::cargo_all(&["build", "--release"], &LOCAL);
    build.args(["--bin", "bench"]);
    step("release build", build)?;
    let mut bench = Command::new(program("bench"));
    bench.args(&args.suite).current_dir(workspace::root());
    step("bench", bench)?;
    Ok(())
}

fn app(args: &Args) -> anyhow::Result<()> {
    ui::build()?;
    let page = page()?;
    let models = model::fetch()?;
    let mut build = workspace::cargo_all(&["build", "--release"], &LOCAL);
    build.args(["--bin", "tidemark", "--bin", "bench"]);
    step("release build", build)?;
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

/// A program of the release build.
fn program(name: &str) -> PathBuf {
    let release = workspace::target().join("release");
    release.join(name).with_extension(std::env::consts::EXE_EXTENSION)
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

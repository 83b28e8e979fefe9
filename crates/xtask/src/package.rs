//! `./dev package`: the Debian package, without the model, and whether it is small enough.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use crate::step::step;
use crate::{ui, workspace};

/// The most that the package may weigh, in bytes.
const LIMIT: u64 = 25 * 1024 * 1024;

/// Builds it and tells its size.
pub(crate) fn run() -> anyhow::Result<()> {
    ui::build()?;
    let cli = workspace::ui().join("node_modules/.bin/tauri");
    let mut bundle = Command::new(cli.with_extension(if cfg!(windows) { "cmd" } else { "" }));
    bundle.args(["build", "--bundles", "deb"]).current_dir(workspace::root());
    step("package", bundle)?;
    let package = newest_deb()?;
    let bytes = fs::metadata(&package)?.len();
    let size = format!("{:.1} MB of at most 25 MB", bytes as f64 / 1024.0 / 1024.0);
    println!("── {}: {size}", package.display());
    if bytes > LIMIT {
        bail!("the package is too large: {size}");
    }
    Ok(())
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

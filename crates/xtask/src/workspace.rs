//! Where things are, and the one selection of packages that every cargo step shares.

use std::path::{Path, PathBuf};
use std::process::Command;

/// All packages, in every step: cargo unites the features of what is selected together, so another
/// selection would compile the core and its dependencies a second time.
const PACKAGES: [&str; 5] =
    ["tidemark", "tidemark-core", "tidemark-cli", "tidemark-tests", "xtask"];

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    // As cargo says at the run: the same program may serve several checkouts with one target folder.
    let here = std::env::var_os("CARGO_MANIFEST_DIR");
    let here = here.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.ancestors().nth(2).expect("this crate is two folders below the root").to_owned()
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A binary of the debug build.
pub(crate) fn built(name: &str) -> PathBuf {
    target().join("debug").join(name).with_extension(std::env::consts::EXE_EXTENSION)
}

/// The user interface's folder.
pub(crate) fn ui() -> PathBuf {
    root().join("ui")
}

/// `cargo` in the workspace, the same that started us.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).current_dir(root());
    // Set by the `cargo run` that we are in; they would be taken for the child's own.
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR")
        {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// `cargo SUBCOMMAND` over all packages.
pub(crate) fn cargo_all(subcommand: &[&str], arguments: &[&str]) -> Command {
    let mut cargo = cargo(subcommand);
    for package in PACKAGES {
        cargo.args(["--package", package]);
    }
    cargo.args(arguments);
    cargo
}

/// The folder of the official clients, and of PostgREST.
pub(crate) fn conformance() -> PathBuf {
    root().join("tests/conformance")
}

/// `npm` in the interface's folder.
pub(crate) fn npm(arguments: &[&str]) -> Command {
    npm_in(&ui(), arguments)
}

/// `npm` in a folder with packages.
pub(crate) fn npm_in(folder: &Path, arguments: &[&str]) -> Command {
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.args(arguments).current_dir(folder);
    npm
}

//! Cargo's own subcommands that the steps need: found, or installed at the version named here.

use std::process::{Command, Stdio};

use crate::step::step;
use crate::workspace;

/// A subcommand of cargo that has a crate of its own.
pub(crate) struct Tool {
    crate_name: &'static str,
    subcommand: &'static str,
    /// Installed when there is none; any version that is there already is used as it is.
    version: &'static str,
}

/// Runs the tests, each in a process of its own.
pub(crate) const NEXTEST: Tool =
    Tool { crate_name: "cargo-nextest", subcommand: "nextest", version: "0.9.143" };

/// Checks licences and sources.
pub(crate) const DENY: Tool =
    Tool { crate_name: "cargo-deny", subcommand: "deny", version: "0.20.2" };

impl Tool {
    /// Whether it is on this machine.
    pub(crate) fn is_here(&self) -> bool {
        let mut ask = Command::new("cargo");
        ask.args([self.subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
        ask.status().is_ok_and(|status| status.success())
    }

    /// Installs it unless it is here; takes a few minutes.
    pub(crate) fn install(&self) -> anyhow::Result<()> {
        if self.is_here() {
            return Ok(());
        }
        let arguments = ["install", self.crate_name, "--locked", "--version", self.version];
        step(&format!("install {}", self.crate_name), workspace::cargo(&arguments))?;
        Ok(())
    }
}

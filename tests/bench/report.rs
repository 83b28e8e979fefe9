//! What a run found: told as it comes, and left as JSON beside the machine it was found on.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::json;

use crate::figure::{Figure, table};
use crate::machine::Machine;

/// The figures of a run.
#[derive(Debug)]
pub(crate) struct Report {
    machine: Machine,
    figures: Vec<Figure>,
}

impl Report {
    /// At the beginning of a run.
    pub(crate) fn begin() -> Self {
        Self { machine: Machine::here(), figures: Vec::new() }
    }

    /// Tells a figure as soon as it is known: a run takes minutes.
    pub(crate) fn found(&mut self, figures: impl IntoIterator<Item = Figure>) {
        for figure in figures {
            let met = if figure.met { "" } else { "  (misses its target)" };
            let Figure { name, value, unit, beside, .. } = &figure;
            eprintln!("{name}: {value:.2} {unit}{met}\n    {beside}");
            self.figures.push(figure);
        }
    }

    /// Prints the table, and writes all of it to `path`.
    pub(crate) fn end(self, path: &Path) -> anyhow::Result<()> {
        let (machine, figures) = (self.machine.ended(), self.figures);
        println!("\n{machine}\n\n{}", table(&figures));
        fs::create_dir_all(path.parent().context("it has a folder")?)?;
        let report = json!({ "machine": machine, "figures": figures });
        fs::write(path, serde_json::to_string_pretty(&report)?)?;
        println!("\nas JSON: {}", path.display());
        Ok(())
    }
}

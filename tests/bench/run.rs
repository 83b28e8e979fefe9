//! The run: what is measured, in which order, and what is left of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use tempfile::TempDir;

use crate::figure::{Figure, Target};
use crate::insert::{self, Filled};
use crate::report::Report;
use crate::stage::Stage;
use crate::stock::Core;
use crate::{import, reading, rendering, send, sync, window};

/// The most that the Debian package may weigh, in MB.
const PACKAGE_MB: f64 = 25.0;

#[derive(Parser)]
#[command(name = "bench", about = "Measures the release build; start it with ./dev bench")]
struct Args {
    #[command(subcommand)]
    suite: Suite,
}

/// What to measure.
#[derive(Debug, Subcommand)]
enum Suite {
    /// The app on this computer
    App {
        /// Only these parts of it
        #[arg(long, value_delimiter = ',')]
        only: Vec<Part>,
    },
    /// Sync, against a Supabase on this computer
    Sync {
        /// Only these parts of it
        #[arg(long, value_delimiter = ',')]
        only: Vec<sync::Part>,
    },
    /// Bringing 100,000 messages of an older program over
    Import,
    /// One client of the suite `sync`, by an order on standard input
    #[command(hide = true)]
    Client,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Insert,
    Reading,
    Send,
    Model,
    Rendering,
    Window,
    Package,
}

pub(crate) fn main() -> ExitCode {
    let done = match Args::parse().suite {
        Suite::App { only } => measure(&only),
        Suite::Sync { only } => sync::measure(&only),
        Suite::Import => import::measure(),
        Suite::Client => sync::client::main(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(only: &[Part]) -> anyhow::Result<()> {
    let stage = Arc::new(Stage::set()?);
    // On the disk that holds the build: the system's folder for temporary files may be memory.
    fs::create_dir_all(&stage.target)?;
    let folder = TempDir::with_prefix_in("bench-", &stage.target)?;
    let run = Run { stage: &stage, folder: folder.path(), only, report: Report::begin() };
    run.all()?.end(&stage.target.join("bench/app.json"))
}

struct Run<'a> {
    stage: &'a Arc<Stage>,
    folder: &'a Path,
    only: &'a [Part],
    report: Report,
}

impl Run<'_> {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    fn found(&mut self, figures: impl IntoIterator<Item = Figure>) {
        self.report.found(figures);
    }

    fn all(mut self) -> anyhow::Result<Report> {
        if [Part::Insert, Part::Reading, Part::Send, Part::Window].iter().any(|p| self.wants(*p)) {
            self.full_mirror()?;
        }
        if self.wants(Part::Rendering) {
            let page = named("TIDEMARK_BENCH_PAGE")?;
            self.found(rendering::measure(self.stage, &page)?);
        }
        if self.wants(Part::Model) {
            self.model()?;
        }
        if self.wants(Part::Package) {
            self.found([package(&named("TIDEMARK_DEB")?)?]);
        }
        Ok(self.report)
    }

    /// What is measured with 100,000 messages on disk.
    fn full_mirror(&mut self) -> anyhow::Result<()> {
        let home = self.folder.join("home");
        let core = Core::open(&home)?;
        let filled = insert::fill(&core, self.folder)?;
        self.found([filled.figure.clone()]);
        if self.wants(Part::Reading) {
            self.found([reading::thread(&core, &filled)?, reading::search(&core)?]);
        }
        core.close();
        if self.wants(Part::Send) {
            self.sends(&home)?;
        }
        if self.wants(Part::Window) {
            self.windows(&home, &filled)?;
        }
        Ok(())
    }

    /// In a copy: what is sent waits for an answer, and the window would ask for it.
    fn sends(&mut self, home: &Path) -> anyhow::Result<()> {
        let copy = self.folder.join("copy");
        fs::create_dir_all(copy.join("tidemark"))?;
        for folder in [home.to_owned(), home.join("tidemark")] {
            for entry in fs::read_dir(&folder)? {
                let from = entry?.path();
                if from.is_file() {
                    fs::copy(&from, copy.join(from.strip_prefix(home)?))?;
                }
            }
        }
        let core = Core::open(&copy)?;
        self.found(send::measure(&core, self.folder)?);
        core.close();
        Ok(fs::remove_dir_all(copy)?)
    }

    fn windows(&mut self, home: &Path, filled: &Filled) -> anyhow::Result<()> {
        self.found(window::times(self.stage, home, filled)?);
        self.found(window::memory(self.stage, home)?);
        Ok(())
    }

    #[cfg(feature = "local")]
    fn model(&mut self) -> anyhow::Result<()> {
        let file = window::model_file(&self.stage.models)?;
        self.found(crate::model::measure(&file)?);
        Ok(())
    }

    #[cfg(not(feature = "local"))]
    fn model(&mut self) -> anyhow::Result<()> {
        anyhow::bail!("this build has no local models: build it with the feature `local`")
    }
}

fn package(deb: &Path) -> anyhow::Result<Figure> {
    let bytes = fs::metadata(deb).with_context(|| deb.display().to_string())?.len();
    let name = deb.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let target = Target::AtMost(PACKAGE_MB);
    Ok(Figure::new("the deb, without the model", bytes as f64 / 1e6, "MB", target, name))
}

fn named(variable: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    path.with_context(|| format!("{variable} is not set: start this with ./dev bench"))
}

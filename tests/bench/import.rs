//! `./dev bench import`: bringing 100,000 messages of PharmGPT over, against what cannot be done without.
//!
//! Both sides have the same rows and a new mirror at each turn, and take turns. The import is the whole way:
//! read, plan, backup, run, verify; its phases are told apart by what it tells of its progress.

mod old;
mod opening;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use tempfile::TempDir;
use tidemark_core::import::rows::Rows;
use tidemark_core::import::run::{self, Progress, Request};
use tidemark_core::import::sources::{self, Input, Source};
use tidemark_core::import::survey::{self, Found, Whose};
use tidemark_core::import::time::Zone;
use tidemark_core::mirror::{conversations, messages};
use tokio_util::sync::CancellationToken;

use crate::figure::{Figure, Target};
use crate::report::Report;
use crate::samples::median;
use crate::stock::Core;
use crate::sync::cost::{Cost, Stopwatch};

/// Times that each side is measured.
const TURNS: usize = 5;
/// Messages in one transaction of the insert alone.
const BATCH: usize = 5_000;

/// Measures all of it.
pub(crate) fn measure() -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).context("this is not in a target folder")?;
    let folder = TempDir::with_prefix_in("bench-", target)?;
    let report = all(folder.path())?;
    report.end(&target.join("bench/import.json"))
}

fn all(folder: &Path) -> anyhow::Result<Report> {
    let mut report = Report::begin();
    let data = old::Data::write(&folder.join("old"))?;
    let rows = rows(&data.root)?;
    let (mut alone, mut imports) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let home = folder.join(format!("alone-{turn}"));
        alone.push(insert(&home, &rows)?);
        fs::remove_dir_all(&home)?;
        let home = folder.join(format!("import-{turn}"));
        imports.push(import(&home, &data.root)?);
        // The last one is opened below.
        if turn + 1 < TURNS {
            fs::remove_dir_all(&home)?;
        }
    }
    drop(rows);
    report.found(ratios(&alone, &imports));
    let home = folder.join(format!("import-{}", TURNS - 1));
    report.found([opening::measure(&home, &data)?]);
    Ok(report)
}

fn source() -> anyhow::Result<Box<dyn Source>> {
    let mut all = sources::all().into_iter();
    all.find(|source| source.system() == "pharmgpt").context("PharmGPT is known")
}

fn input(root: &Path) -> Input {
    Input { root: root.to_owned(), zone: Zone::default() }
}

/// What the import writes, in memory.
fn rows(root: &Path) -> anyhow::Result<Vec<Rows>> {
    let mut all = Vec::new();
    survey::read(source()?.as_ref(), &input(root), &Whose::All, &mut |found, _| {
        if let Found::Conversation(rows) = found {
            all.push(*rows);
        }
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

/// The rows alone, encrypted and indexed, in large batches.
fn insert(home: &Path, rows: &[Rows]) -> anyhow::Result<Cost> {
    let core = Core::open(home)?;
    let watch = Stopwatch::start();
    let mut rest = rows;
    while !rest.is_empty() {
        let mut count = 0;
        let fits = |one: &&Rows| {
            count += one.messages.len();
            count <= BATCH
        };
        let (batch, after) = rest.split_at(rest.iter().take_while(fits).count().max(1));
        core.mirror().write(|write| {
            batch.iter().try_for_each(|one| {
                conversations::insert(write, &one.conversation)?;
                messages::insert_batch(write, one.conversation.id, &one.messages)
            })
        })?;
        rest = after;
    }
    let cost = watch.cost();
    core.close();
    Ok(cost)
}

/// How long an import took, and its phases.
struct Imported {
    whole: Cost,
    /// In milliseconds: plan, backup, run, verification.
    phases: [f64; 4],
}

fn import(home: &Path, root: &Path) -> anyhow::Result<Imported> {
    let core = Core::open(home)?;
    let request = Request {
        input: input(root),
        named: PathBuf::from(root),
        refused: Vec::new(),
        whose: Whose::All,
        proven: std::collections::BTreeSet::new(),
        backups: Some(home.join("backups")),
        auto_rollback: false,
    };
    let (watch, source) = (Stopwatch::start(), source()?);
    let mut phases = [0.0; 4];
    let (mut since, mut at) = (Instant::now(), 0);
    let report = run::run(
        core.mirror(),
        source.as_ref(),
        &request,
        &CancellationToken::new(),
        &mut |progress| {
            let phase = match progress {
                Progress::Planning(_) => 0,
                Progress::BackingUp(_) => 1,
                Progress::Writing(..) => 2,
                Progress::Verifying(..) => 3,
            };
            if phase != at {
                phases[at] += since.elapsed().as_secs_f64() * 1e3;
                (since, at) = (Instant::now(), phase);
            }
        },
    )?;
    phases[at] += since.elapsed().as_secs_f64() * 1e3;
    let whole = watch.cost();
    let messages = report.imported.messages;
    ensure!(report.verified && messages == old::MESSAGES as u64, "{}", report.text());
    core.close();
    Ok(Imported { whole, phases })
}

fn ratios(alone: &[Cost], imports: &[Imported]) -> [Figure; 3] {
    let ratio = |ms: &dyn Fn(&Imported) -> f64| {
        let each = alone.iter().zip(imports).map(|(alone, import)| alone.wall_ms / ms(import));
        median(&each.collect::<Vec<_>>())
    };
    let middle =
        |ms: &dyn Fn(&Imported) -> f64| median(&imports.iter().map(ms).collect::<Vec<_>>());
    let of_cpu = alone.iter().zip(imports).map(|(a, i)| a.cpu_ms / i.whole.cpu_ms);
    let of_cpu = median(&of_cpu.collect::<Vec<_>>());
    let insert_ms = median(&alone.iter().map(|cost| cost.wall_ms).collect::<Vec<_>>());
    let [plan, backup, run, verify] = [0, 1, 2, 3].map(|at| middle(&|one| one.phases[at]));
    let count = old::MESSAGES;
    [
        Figure::new(
            "import of 100,000 messages, end to end, against the insert of the same rows alone",
            ratio(&|one| one.whole.wall_ms),
            "×",
            Target::AtLeast(0.35),
            format!(
                "{:.0} ms: plan {plan:.0}, backup {backup:.0}, run {run:.0}, verification {verify:.0}; the insert {insert_ms:.0} ms, {:.0} rows/s; median of {} turns",
                middle(&|one| one.whole.wall_ms),
                count as f64 / insert_ms * 1e3,
                alone.len()
            ),
        ),
        Figure::new(
            "the run alone, against the same",
            ratio(&|one| one.phases[2]),
            "×",
            Target::AtLeast(0.6),
            format!("{:.0} rows/s", count as f64 / run * 1e3),
        ),
        Figure::new(
            "end to end, processor time",
            of_cpu,
            "×",
            Target::Told,
            format!("{:.0} ms in all", middle(&|one| one.whole.cpu_ms)),
        ),
    ]
}

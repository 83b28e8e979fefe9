//! Runs the specs, a few at a time, each with an app of its own.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::bail;

use crate::app::App;
use crate::stage::Stage;

/// One claim about the app, shown in its window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    /// The claim, as a function is named.
    pub(crate) name: &'static str,
    /// Shows it, with an app that is not open yet.
    pub(crate) show: fn(&mut App) -> anyhow::Result<()>,
}

/// Makes [`Spec`]s of functions, by their names.
#[macro_export]
macro_rules! specs {
    ($($show:ident),* $(,)?) => {
        /// The specs of this file.
        pub(crate) const SPECS: &[$crate::runner::Spec] =
            &[$($crate::runner::Spec { name: stringify!($show), show: $show }),*];
    };
}

/// How the specs are run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How {
    /// Each so often.
    pub(crate) repeat: usize,
    /// So many at a time.
    pub(crate) jobs: usize,
    /// What fails is shown once more when all others are done, alone.
    pub(crate) again: bool,
}

/// Runs the specs; returns whether all passed.
pub(crate) fn run(stage: &Arc<Stage>, specs: &[Spec], how: How) -> bool {
    let How { repeat, jobs, again } = how;
    // Before all of them: what a failed turn left must outlive the turns that pass.
    for spec in specs {
        let _ = std::fs::remove_dir_all(evidence(stage, spec));
    }
    let turns: Vec<Spec> = (0..repeat).flat_map(|_| specs.iter().copied()).collect();
    let (next, passed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failed = Mutex::new(Vec::new());
    let worker = || {
        while let Some(spec) = turns.get(next.fetch_add(1, Ordering::Relaxed)) {
            match one(stage, *spec) {
                true => drop(passed.fetch_add(1, Ordering::Relaxed)),
                false => failed.lock().expect("no worker panics here").push(*spec),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(turns.len()) {
            scope.spawn(worker);
        }
    });
    let failed = failed.into_inner().expect("all workers have ended");
    let (flaky, failed): (Vec<_>, Vec<_>) =
        failed.into_iter().partition(|spec| again && one(stage, *spec));
    tell("flaky, to be repaired", &flaky);
    tell("failed", &failed);
    println!("\n{} passed, {} failed", passed.into_inner() + flaky.len(), failed.len());
    failed.is_empty()
}

fn tell(what: &str, specs: &[Spec]) {
    let names: Vec<_> = specs.iter().map(|spec| spec.name).collect();
    if !names.is_empty() {
        println!("\n{what}: {}", names.join(", "));
    }
}

/// Runs one; a failure leaves its evidence under `target/e2e/<spec>`.
fn one(stage: &Arc<Stage>, spec: Spec) -> bool {
    let started = Instant::now();
    let evidence = evidence(stage, &spec);
    let shown = App::new(stage).and_then(|mut app| {
        let shown = guarded(spec, &mut app);
        if shown.is_err() {
            app.leave_evidence(&evidence);
        }
        shown
    });
    let seconds = started.elapsed().as_secs_f64();
    match &shown {
        Ok(()) => println!("  pass {seconds:6.1} s  {}", spec.name),
        Err(error) => {
            println!("  FAIL {seconds:6.1} s  {}\n    {error:#}", spec.name);
            println!("    see {}; again with: ./dev e2e {}", evidence.display(), spec.name);
        }
    }
    shown.is_ok()
}

fn evidence(stage: &Stage, spec: &Spec) -> PathBuf {
    stage.target.join("e2e").join(spec.name)
}

/// The spec, its panics turned into failures, and no complaint left in the page's console.
fn guarded(spec: Spec, app: &mut App) -> anyhow::Result<()> {
    let caught = std::panic::catch_unwind(AssertUnwindSafe(|| (spec.show)(app)));
    match caught {
        Ok(shown) => shown?,
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
            bail!("panicked: {}", said.unwrap_or("without a word"));
        }
    }
    if app.session.is_some() {
        let complaints = app.complaints()?;
        if !complaints.is_empty() {
            bail!("the page complained:\n    {}", complaints.join("\n    "));
        }
    }
    Ok(())
}

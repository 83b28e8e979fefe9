//! An answer that streams, rendered where answers are: in the system's web view.
//!
//! The renderer's own measurement (`ui/src/markdown/bench.ts`) is built into a page of its own, which
//! is no part of the app, and shown by WebKitGTK's MiniBrowser under the app's content security
//! policy.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};

use crate::app::App;
use crate::driver::{Launch, Session};
use crate::figure::{Figure, Target};
use crate::pages;
use crate::samples::median;
use crate::stage::Stage;

/// Where Debian and Ubuntu keep it.
const BROWSERS: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
    "/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
];
/// Turns of each length, one after the other.
const ROUNDS: usize = 3;

/// Milliseconds per update at 20 KB and at 60 KB.
pub(crate) fn measure(stage: &Arc<Stage>, page: &Path) -> anyhow::Result<Vec<Figure>> {
    let address = pages::serve(page)?;
    let mut app = App::new(stage)?;
    app.session = Some(browse(&app, &address)?);
    let (mut short, mut long) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        short.push(update(&app, 20_000)?);
        long.push(update(&app, 60_000)?);
    }
    let of = |runs: &[Value], name: &str| {
        median(&runs.iter().filter_map(|run| run[name].as_f64()).collect::<Vec<_>>())
    };
    let figure = |name: &str, runs: &[Value]| {
        let beside = format!(
            "mean; p50 {:.2} ms, p95 {:.2} ms; median of {ROUNDS} runs of 200 updates",
            of(runs, "p50_ms"),
            of(runs, "p95_ms")
        );
        Figure::new(name, of(runs, "mean_ms"), "ms", Target::AtMost(3.5), beside)
    };
    Ok(vec![
        figure("streaming render per update, at 20 KB", &short),
        figure("streaming render per update, at 60 KB", &long),
        Figure::new(
            "streaming render, 60 KB against 20 KB (flat)",
            of(&long, "mean_ms") / of(&short, "mean_ms"),
            "×",
            Target::AtMost(1.25),
            "of the two above",
        ),
    ])
}

fn browse(app: &App, address: &str) -> anyhow::Result<Session> {
    let browser = BROWSERS.iter().map(PathBuf::from).find(|path| path.exists());
    let session = Session::open(&Launch {
        binary: &browser.context("WebKitGTK's MiniBrowser is not installed")?,
        arguments: vec!["--automation".into()],
        environment: app.variables().map(|(name, value)| (name.clone(), value.clone())).collect(),
        log: &app.log(),
    })?;
    session.resize(1280, 860)?;
    session.run("location.href = arguments[0]", &[json!(address)])?;
    Ok(session)
}

fn update(app: &App, chars: usize) -> anyhow::Result<Value> {
    app.until("the page", || Ok(app.js("return typeof window.measure === 'function'")? == true))?;
    let run = "const [chars, done] = arguments;
        window.measure(chars).then(done, (error) => done(String(error)));";
    let result = app.session()?.run_async(run, &[json!(chars)])?;
    anyhow::ensure!(result["mean_ms"].is_number(), "the page measured nothing: {result}");
    Ok(result)
}

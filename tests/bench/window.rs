//! The app itself: how soon it can be used, how soon a thread is painted, what memory it takes.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use serde_json::json;

use crate::app::{App, Key};
use crate::figure::{Figure, Target};
use crate::insert::Filled;
use crate::memory;
use crate::samples::{median, quantile};
use crate::stage::Stage;

/// Times that the app is started.
const STARTS: usize = 7;
/// How long an app rests before its memory is read.
const REST: Duration = Duration::from_secs(10);

/// Starts the app with this home again and again, and opens the long threads each time.
pub(crate) fn times(
    stage: &Arc<Stage>,
    home: &Path,
    filled: &Filled,
) -> anyhow::Result<Vec<Figure>> {
    let mut app = App::at_home(stage, home, Key::File)?;
    app.open_ready()?;
    let (mut starts, mut firsts, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        app.close()?;
        app.open()?;
        starts.push(usable(&app)?);
        let mut painted = Vec::new();
        for (id, last) in &filled.long {
            painted.push(paint(&app, &id.0.to_string(), &last.0.to_string())?);
        }
        firsts.push(painted.remove(0));
        others.append(&mut painted);
    }
    app.close()?;
    Ok(timing(&starts, &firsts, &others))
}

fn timing(starts: &[f64], firsts: &[f64], others: &[f64]) -> Vec<Figure> {
    let worst = |values: &[f64]| quantile(values, 1.0);
    vec![
        Figure::new(
            "last 60 of a 10,000-message thread, painted, the first after start",
            median(firsts),
            "ms",
            Target::AtMost(400.0),
            format!("median of {}; longest {:.0} ms", firsts.len(), worst(firsts)),
        ),
        Figure::new(
            "last 60 of a 10,000-message thread, painted",
            median(others),
            "ms",
            Target::AtMost(150.0),
            format!("median of {}; p95 {:.0} ms", others.len(), quantile(others, 0.95)),
        ),
        Figure::new(
            "cold start to a usable composer, 100,000 messages on disk",
            median(starts),
            "ms",
            Target::AtMost(1000.0),
            format!("median of {STARTS}; longest {:.0} ms", worst(starts)),
        ),
    ]
}

/// Milliseconds from the start of the process to the moment at which the composer was painted, which
/// the interface marks. The kernel tells the former to a hundredth of a second.
fn usable(app: &App) -> anyhow::Result<f64> {
    let mark = "const [mark] = performance.getEntriesByName('composer');
        return mark ? performance.timeOrigin + mark.startTime : null;";
    let mut at = None;
    app.until("the composer to be painted", || {
        at = app.js(mark)?.as_f64();
        Ok(at.is_some())
    })?;
    let at = at.context("it was painted")?;
    app.by_role("textbox", "Message")?;
    Ok(at - started_ms(app.session()?.app_pid()?)?)
}

/// When the process was started, in milliseconds since 1970.
fn started_ms(pid: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The 22nd field; the second may hold spaces, and ends with the last bracket (proc(5)).
    let rest = stat.rsplit_once(')').context("a process's name")?.1;
    let ticks: f64 = rest.split_whitespace().nth(19).context("a start time")?.parse()?;
    let uptime = fs::read_to_string("/proc/uptime")?;
    let up: f64 = uptime.split(' ').next().context("an uptime")?.parse()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
    Ok((now - (up - ticks / 100.0)) * 1e3)
}

/// Milliseconds from a click on the conversation to the end of the frame that shows its last message.
fn paint(app: &App, conversation: &str, last: &str) -> anyhow::Result<f64> {
    app.until("the conversation to be listed", || {
        let there = format!("return !!document.querySelector('a[href=\"#{conversation}\"]')");
        Ok(app.js(&there)? == true)
    })?;
    let took = app
        .session()?
        .run_async(include_str!("painted.js"), &[json!(conversation), json!(last)])?;
    took.as_f64().with_context(|| format!("the thread was not painted: {took}"))
}

/// Memory of the app at rest, then with the model at work.
pub(crate) fn memory(stage: &Arc<Stage>, home: &Path) -> anyhow::Result<[Figure; 2]> {
    let mut app = App::at_home(stage, home, Key::File)?;
    app.open_ready()?;
    // Long enough for the model to be all in memory, short enough for a slow machine.
    app.set("max_answer_tokens", json!(60))?;
    app.close()?;
    let (alone, resting) = at_rest(&app)?;
    app.open()?;
    let pid = app.session()?.app_pid()?;
    std::thread::sleep(REST);
    let idle = memory::of_tree(pid)?;
    app.ask("Tell me a long story about the sea and the people who live by it.")?;
    let (most, answering) = most_while_answering(&app, pid)?;
    let file = model_bytes(&app.stage.models)?;
    let mb = |bytes: u64| bytes as f64 / 1e6;
    Ok([
        Figure::new(
            "memory of the process tree (PSS), idle",
            mb(alone),
            "MB",
            Target::AtMost(300.0),
            format!("in MB: {resting}; {:.0} MB with the driver's part", mb(idle)),
        ),
        Figure::new(
            "memory with the model loaded and answering, beyond idle and the model's file",
            mb(most) - mb(idle) - mb(file),
            "MB",
            Target::AtMost(60.0),
            format!("{:.0} MB in all, the file {:.0}; in MB: {answering}", mb(most), mb(file)),
        ),
    ])
}

/// Memory of the app as a person starts it, without the driver and what it loads into the web view.
fn at_rest(app: &App) -> anyhow::Result<(u64, String)> {
    let mut alone = Command::new(&app.stage.app)
        .arg("--data-dir")
        .arg(app.data_dir())
        .envs(app.variables())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("could not start the app")?;
    std::thread::sleep(REST);
    let measured = memory::of_tree(alone.id()).map(|bytes| (bytes, memory::described(alone.id())));
    alone.kill()?;
    alone.wait()?;
    // The next one must not find its name on the bus.
    std::thread::sleep(Duration::from_secs(2));
    measured
}

/// The most that was seen from the question to some time after the answer.
fn most_while_answering(app: &App, pid: u32) -> anyhow::Result<(u64, String)> {
    let (mut most, mut said) = (0, String::new());
    let mut done = None::<Instant>;
    app.until_within(Duration::from_secs(180), "the answer to be complete", || {
        let now = memory::of_tree(pid)?;
        if now > most {
            (most, said) = (now, memory::described(pid));
        }
        let state = app.last_message()?["state"].clone();
        // One that reached its limit is stopped.
        if done.is_none() && (state == "done" || state == "stopped") {
            done = Some(Instant::now());
        }
        Ok(done.is_some_and(|done| done.elapsed() > Duration::from_secs(2)))
    })?;
    Ok((most, said))
}

/// The size of the one model that is there.
pub(crate) fn model_bytes(models: &Path) -> anyhow::Result<u64> {
    Ok(fs::metadata(model_file(models)?)?.len())
}

/// The one model that is there.
pub(crate) fn model_file(models: &Path) -> anyhow::Result<std::path::PathBuf> {
    let files = fs::read_dir(models)?.flatten().map(|entry| entry.path());
    let mut models = files.filter(|path| path.extension().is_some_and(|end| end == "gguf"));
    models.next().context("there is no model")
}

//! Opening a long thread and searching, in the core.

use tidemark_core::api::SearchRequest;

use crate::corpus::{MEDIUM, RARE};
use crate::figure::{Figure, Target};
use crate::insert::Filled;
use crate::samples::Samples;
use crate::stock::Core;

/// Times that each thread is opened.
const OPENINGS: usize = 100;
/// Times that each search is run.
const SEARCHES: usize = 40;

/// The last 60 messages of each thread of ten thousand.
pub(crate) fn thread(core: &Core, filled: &Filled) -> anyhow::Result<Figure> {
    let mut samples = Samples::default();
    for _ in 0..OPENINGS {
        for (id, last) in &filled.long {
            let page = samples.time(|| core.tidemark.thread(*id, 60, None, None))?;
            anyhow::ensure!(page.messages.len() == 60, "a page of 60");
            let end = page.messages.last().map(|message| message.message.id);
            anyhow::ensure!(end == Some(*last), "the page is the thread's end");
        }
    }
    let p50 = samples.quantile(0.5);
    Ok(Figure::new(
        "last 60 of a 10,000-message thread, in the core, p99",
        samples.quantile(0.99),
        "ms",
        Target::AtMost(5.0),
        format!("p50 {p50:.2} ms; {OPENINGS} openings of {} threads", filled.long.len()),
    ))
}

/// Words of each kind; the figure is that of the slowest kind.
pub(crate) fn search(core: &Core) -> anyhow::Result<Figure> {
    let queries = [
        ("rare", RARE, 1),
        ("medium", MEDIUM, 50),
        ("in every message", "the ", 50),
        ("beginning", "pro", 50),
        ("one letter", "a", 50),
        ("two words", "the patient", 50),
        ("phrase", "\"of the\"", 50),
        ("none", "xxyyzz", 0),
    ];
    let mut slowest = 0.0_f64;
    let mut said = Vec::new();
    for (kind, text, least) in queries {
        let mut samples = Samples::default();
        for _ in 0..SEARCHES {
            let request = SearchRequest { text: text.to_owned(), ..Default::default() };
            let hits = samples.time(|| core.tidemark.search(&request))?;
            anyhow::ensure!(hits.len() >= least, "{text:?} has {} hits", hits.len());
        }
        let p95 = samples.quantile(0.95);
        slowest = slowest.max(p95);
        said.push(format!("{kind} {p95:.1}"));
    }
    Ok(Figure::new(
        "search in 100,000 messages, newest first, p95 of the slowest kind",
        slowest,
        "ms",
        Target::AtMost(20.0),
        format!("p95 in ms: {}", said.join(", ")),
    ))
}

//! A hash of all that happens; with `TIDEMARK_TRACE` the text of it, on standard error.

use tidemark_core::sync::failures::Fault;
use tidemark_core::sync::server::{Ask, Told};
use tidemark_core::sync::{Done, Job, StoreFault};

use super::world::BEGIN_MS;

/// What happened so far.
#[derive(Debug)]
pub(super) struct Trace {
    sum: u64,
    told: bool,
}

impl Trace {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        let told = std::env::var_os("TIDEMARK_TRACE").is_some();
        Self { sum: 0xcbf2_9ce4_8422_2325, told }
    }

    /// A number that stands for all of it.
    pub(super) fn sum(&self) -> u64 {
        self.sum
    }

    /// One thing more.
    pub(super) fn note(&mut self, now_ms: i64, line: impl FnOnce() -> String) {
        let line = line();
        for byte in line.bytes().chain(now_ms.to_le_bytes()) {
            self.sum = (self.sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        if self.told {
            #[allow(clippy::print_stderr)]
            {
                eprintln!("{:>9} {line}", now_ms - BEGIN_MS);
            }
        }
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

/// A question in a few words.
pub(super) fn asked(ask: &Ask) -> String {
    match ask {
        Ask::Push(push) => {
            let ops = push.ops.iter().map(|op| {
                format!("{}:{:?}:{:?}:{}", op.n, op.kind, op.tbl, &op.id.to_string()[..4])
            });
            format!(
                "Push {} {:?} [{}]",
                push.acked_through,
                push.known.map(|known| known.seq),
                ops.collect::<Vec<_>>().join(" ")
            )
        }
        Ask::Pull { after, known, max } => {
            let after = after.as_ref().map(|a| (a.seq, a.tbl.clone(), a.row_id));
            format!("Pull {after:?} {:?} {max}", known.map(|known| known.seq))
        }
        other => format!("{other:?}"),
    }
}

/// An answer in a few words.
pub(super) fn answered(told: &Result<Told, Fault>) -> String {
    match told {
        Ok(Told::Page(summary, rows)) => {
            format!("a page to {:?} of {} {}", summary.cursor.seq, summary.changes, rows.0.len())
        }
        Ok(Told::Pushed(pushed)) => {
            let outcomes = pushed.outcomes.iter().map(|settled| {
                let word = format!("{:?}", settled.outcome);
                format!("{}:{}", settled.n, word.split([' ', '(']).next().unwrap_or_default())
            });
            format!("outcomes {} [{}]", pushed.head.seq, outcomes.collect::<Vec<_>>().join(" "))
        }
        Ok(Told::Manifest(manifest)) => {
            format!("a list of {} of {:?}", manifest.rows.len(), manifest.count)
        }
        Ok(other) => format!("{other:?}"),
        Err(fault) => format!("{fault}"),
    }
}

/// A job by its name.
pub(super) fn job(job: &Job) -> String {
    let word = format!("{job:?}");
    word.split([' ', '{']).next().unwrap_or_default().to_owned()
}

/// How a job ended.
pub(super) fn done(done: &Result<Done, StoreFault>) -> String {
    match done {
        Ok(Done::Batch(push)) => format!("{} operations", push.ops.len()),
        done => format!("{done:?}"),
    }
}

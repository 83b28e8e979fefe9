//! The log: files in the data folder's `logs`, one a day, the last seven kept.
//!
//! `TIDEMARK_LOG` takes the directives of `tracing` (`debug`, `tidemark_core=trace`); without it our
//! own crates say what they do at `info` and all others what went wrong. Message bodies, keys and
//! addresses with tokens are never given to the log, at any level of our crates.

use std::panic::PanicHookInfo;
use std::path::Path;

use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, fmt};

const USUAL: &str = "warn,tidemark=info,tidemark_core=info";
const DAYS: usize = 7;

/// Starts it. Where no file can be written, what happens is told on standard error only.
pub(crate) fn start(data_dir: &Path) {
    let filter = EnvFilter::try_from_env("TIDEMARK_LOG").unwrap_or_else(|_| EnvFilter::new(USUAL));
    let folder = data_dir.join("logs");
    // Before the appender looks for old files in it, which it would complain about on the terminal.
    let _ = std::fs::create_dir_all(&folder);
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("tidemark")
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(folder)
        .ok();
    let to_terminal = cfg!(debug_assertions) || file.is_none();
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(file.map(|file| fmt::layer().with_ansi(false).with_writer(file)))
        .with(to_terminal.then(|| fmt::layer().with_ansi(false).with_writer(std::io::stderr)))
        .try_init();
    std::panic::set_hook(Box::new(panicked));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
}

/// Says where, and what only where the text is fixed in the program: a formatted one can hold a
/// part of a message (`byte index 1 is not a char boundary; it is inside …`).
fn panicked(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let text = info.payload().downcast_ref::<&'static str>().copied().unwrap_or("(not logged)");
    tracing::error!(place, text, "a fault of ours");
}

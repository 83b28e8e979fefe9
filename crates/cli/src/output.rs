//! What is printed, and where: the only place that writes to the terminal.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use serde::Serialize;
use tidemark_core::{Code, Failure, Result};

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// All is done.
    Done,
    /// Done, with findings or skips.
    Findings,
}

/// Text or JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// One JSON document.
    pub(crate) json: bool,
}

impl Output {
    /// Prints a value: as JSON, or as the text that `text` makes of it.
    pub(crate) fn print<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<Status> {
        let printed = if self.json {
            serde_json::to_string(value).map_err(|error| internal(&error))?
        } else {
            text(value)
        };
        line(&printed)
    }

    /// Prints a part of an answer as it arrives; nothing where one document comes at the end.
    pub(crate) fn stream(&self, text: &str) {
        if !self.json {
            // A reader that has gone away has what it wanted; the answer is stored all the same.
            let mut out = std::io::stdout().lock();
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
    }

    /// Prints a failure and gives its exit status.
    pub(crate) fn failure(&self, failure: &Failure) -> ExitCode {
        let mut err = std::io::stderr().lock();
        let text = if err.is_terminal() && !self.json {
            let hint = failure.hint.iter().map(|hint| format!("\n{hint}"));
            hint.fold(failure.message.clone(), |text, hint| text + &hint)
        } else {
            serde_json::to_string(failure).unwrap_or_else(|_| failure.message.clone())
        };
        // Nobody may be there to read it; the exit status tells the rest.
        let _ = writeln!(err, "{text}");
        ExitCode::from(2)
    }
}

/// Prints a line. A reader that has gone away (`| head`) has what it wanted.
fn line(text: &str) -> Result<Status> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| {
        match text.ends_with('\n') || text.is_empty() {
            true => Ok(()),
            false => out.write_all(b"\n"),
        }
    });
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(internal(&error)),
        _ => Ok(Status::Done),
    }
}

/// What clap has to say: help on standard output, anything else as a failure.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let json = std::env::args_os().any(|argument| argument == "--json");
    if std::io::stderr().is_terminal() && !json {
        let _ = error.print();
        return ExitCode::from(2);
    }
    let text = error.render().to_string();
    let message = text.lines().next().unwrap_or("The command is not understood.");
    let failure = Failure::new(Code::InvalidInput, message.trim_start_matches("error: "));
    Output { json }.failure(&failure.hint("See tidemarkctl --help."))
}

/// A fault that nobody can do anything about.
pub(crate) fn internal(error: &dyn std::error::Error) -> Failure {
    Failure::new(Code::Internal, format!("tidemarkctl could not go on: {error}."))
}
